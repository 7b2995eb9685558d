//! The least IAM policy for some calls: from the permissions that the operations have.
//!
//! ```
//! use csms_sdk::{Operation as _, csms::{ListSecrets, ShowSecretVersion}, policy::{Form, Policy, Resource}};
//!
//! let policy = Policy::new(Form::Identity)
//!     .allow(ListSecrets::INFO)
//!     .allow_on(ShowSecretVersion::INFO, Resource::secret("db").in_region("cn-north-4"));
//! let document = policy.document();
//! let [everything, one] = [&document["Statement"][0], &document["Statement"][1]];
//! assert_eq!(everything["Resource"], serde_json::json!(["*"]));
//! assert_eq!(one["Action"], serde_json::json!(["csms:secret:getVersion"]));
//! assert_eq!(one["Resource"], serde_json::json!(["csms:cn-north-4:*:secretName:db"]));
//! ```
//!
//! What the reference says of resources is little: the kinds `secretName` and `KeyId`, and which actions have none. So an action
//! is limited to the secrets and keys that it is allowed on, unless it has no kind of resource; [`Policy::unlimited`] names those
//! that are not limited. Conditions are left to the reader.
//!
//! For some operations no permission is published: [`Policy::unpublished`] names them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::{
    operation::{OperationInfo, Service},
    registry::operations,
};

/// Actions on secrets that the service decides on as a whole, whichever secrets a call names.
const WHOLE: [&str; 1] = ["csms:secret:batchGetSecretValue"];

/// The two kinds of policies that IAM has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// An identity policy, `"Version": "5.0"`, which is attached to a user, a group or an agency.
    Identity,
    /// A custom policy of the older kind, `"Version": "1.1"`, which is given out like a role.
    Role,
}

/// What an action is limited to: one secret, or one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    service: Service,
    id: String,
    region: Option<String>,
}

impl Resource {
    /// A secret, by its name.
    pub fn secret(name: impl Into<String>) -> Self {
        Self { service: Service::Csms, id: name.into(), region: None }
    }

    /// A key, by its id.
    pub fn key(id: impl Into<String>) -> Self {
        Self { service: Service::Kms, id: id.into(), region: None }
    }

    /// The one in this region alone. Custom policies of the older kind cannot say so; they hold for a project.
    #[must_use]
    pub fn in_region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// `csms:cn-north-4:*:secretName:db`
    fn urn(&self, form: Form) -> String {
        let kind = if self.service == Service::Csms { "secretName" } else { "KeyId" };
        let service = self.service.as_str();
        match form {
            Form::Identity => format!("{service}:{}:*:{kind}:{}", self.region.as_deref().unwrap_or("*"), self.id),
            Form::Role => format!("{}:*:*:{kind}:{}", service.to_ascii_uppercase(), self.id),
        }
    }
}

/// Calls that are to be allowed.
#[derive(Clone, Debug)]
pub struct Policy {
    form: Form,
    /// Each action with what it is limited to; `None` among them is everything.
    actions: BTreeMap<&'static str, BTreeSet<Option<String>>>,
    unpublished: Vec<&'static OperationInfo>,
    needs: BTreeSet<&'static str>,
}

impl Policy {
    /// One that allows nothing yet.
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self { form, actions: BTreeMap::new(), unpublished: Vec::new(), needs: BTreeSet::new() }
    }

    /// Allows an operation on everything.
    #[must_use]
    pub fn allow(self, operation: &'static OperationInfo) -> Self {
        self.add(operation, None)
    }

    /// Allows an operation on one secret or key, where its action can be limited.
    #[must_use]
    pub fn allow_on(self, operation: &'static OperationInfo, resource: Resource) -> Self {
        self.add(operation, Some(resource))
    }

    /// Allows what the operations so far [need](OperationInfo::needs) of a key of one's own that protects secrets.
    #[must_use]
    pub fn with_key_of_secrets(mut self, key: &Resource) -> Self {
        for action in self.needed_of_keys() {
            // Listing is about no key in particular.
            let on = (!action.ends_with(":list")).then(|| key.urn(self.form));
            self.actions.entry(action).or_default().insert(on);
        }
        self
    }

    /// What the operations so far need of the key that protects the secrets, unless that is the default key, which needs
    /// nothing.
    #[must_use]
    pub fn needed_of_keys(&self) -> Vec<&'static str> {
        self.needed(true)
    }

    /// What the operations so far need of other services, for secrets of theirs such as those of RDS.
    #[must_use]
    pub fn needed_elsewhere(&self) -> Vec<&'static str> {
        self.needed(false)
    }

    /// The operations for which no permission is published. What allows them is not known; a role of the service may.
    #[must_use]
    pub fn unpublished(&self) -> &[&'static OperationInfo] {
        &self.unpublished
    }

    /// The actions that are allowed on everything, in their order.
    #[must_use]
    pub fn unlimited(&self) -> Vec<&'static str> {
        self.actions.iter().filter(|(_, on)| on.contains(&None)).map(|(action, _)| *action).collect()
    }

    /// The actions that are allowed, in their order.
    pub fn actions(&self) -> impl Iterator<Item = &'static str> {
        self.actions.keys().copied()
    }

    /// The policy as IAM takes it: a statement for each set of resources, actions and resources in their order.
    #[must_use]
    pub fn document(&self) -> Json {
        let mut statements: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
        for (action, on) in &self.actions {
            // Whoever may do it with everything may do it with one.
            let on = if on.contains(&None) { vec!["*"] } else { on.iter().flatten().map(String::as_str).collect() };
            statements.entry(on).or_default().push(action);
        }
        let statement = |(on, actions): (Vec<&str>, Vec<&str>)| match self.form {
            // The older kind says "everything" by saying nothing.
            Form::Role if on == ["*"] => json!({"Effect": "Allow", "Action": actions}),
            _ => json!({"Effect": "Allow", "Action": actions, "Resource": on}),
        };
        let version = match self.form {
            Form::Identity => "5.0",
            Form::Role => "1.1",
        };
        json!({"Version": version, "Statement": statements.into_iter().map(statement).collect::<Vec<_>>()})
    }

    fn add(mut self, operation: &'static OperationInfo, resource: Option<Resource>) -> Self {
        let Some(permission) = operation.permission else {
            if !self.unpublished.iter().any(|known| std::ptr::eq(*known, operation)) {
                self.unpublished.push(operation);
            }
            return self;
        };
        // `csms::listEvents` is about no resource.
        let is_limited = !permission.contains("::") && !WHOLE.contains(&permission);
        let on = resource.filter(|resource| is_limited && resource.service == operation.service);
        let on = on.map(|resource| resource.urn(self.form));
        let action = self.in_form(operation).unwrap_or(permission);
        self.actions.entry(action).or_default().insert(on);
        self.needs.extend(operation.needs);
        self
    }

    fn in_form(&self, operation: &OperationInfo) -> Option<&'static str> {
        match self.form {
            Form::Identity => operation.permission,
            Form::Role => operation.role_permission,
        }
    }

    fn needed(&self, of_keys: bool) -> Vec<&'static str> {
        let needed = self.needs.iter().filter(|action| action.starts_with("kms:") == of_keys);
        let in_form = |action: &&'static str| {
            let operation = operations().find(|info| info.permission == Some(*action));
            operation.and_then(|info| self.in_form(info)).unwrap_or(action)
        };
        needed.map(in_form).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::{
        Operation as _,
        csms::{
            BatchGetSecretValue, CreateSecretVersion, DownloadSecretBlob, ListSecretEvents, RotateSecret,
            ShowSecretVersion,
        },
        kms::{CreateRandom, DeleteKey, ReEncrypt},
    };

    fn db() -> Resource {
        Resource::secret("db").in_region("cn-north-4")
    }

    #[test]
    fn actions_on_the_same_resources_share_a_statement() {
        let policy = Policy::new(Form::Identity)
            .allow_on(ShowSecretVersion::INFO, db())
            .allow_on(CreateSecretVersion::INFO, db())
            .allow_on(DeleteKey::INFO, Resource::key("k1"))
            .allow_on(DeleteKey::INFO, Resource::key("k2"));
        let expected = json!({"Version": "5.0", "Statement": [
            {"Effect": "Allow", "Action": ["csms:secret:createVersion", "csms:secret:getVersion"],
                "Resource": ["csms:cn-north-4:*:secretName:db"]},
            {"Effect": "Allow", "Action": ["kms:cmk:update"], "Resource": ["kms:*:*:KeyId:k1", "kms:*:*:KeyId:k2"]},
        ]});
        assert_eq!(policy.document(), expected);
    }

    #[test]
    fn the_older_kind_has_other_names_and_no_regions() {
        let policy = Policy::new(Form::Role).allow_on(ShowSecretVersion::INFO, db()).allow(CreateRandom::INFO);
        let expected = json!({"Version": "1.1", "Statement": [
            {"Effect": "Allow", "Action": ["kms:cmk:generate"]},
            {"Effect": "Allow", "Action": ["csms:secretVersion:get"], "Resource": ["CSMS:*:*:secretName:db"]},
        ]});
        assert_eq!(policy.document(), expected);
    }

    #[test]
    fn what_cannot_be_limited_is_allowed_on_everything_and_named() {
        let policy = Policy::new(Form::Identity)
            .allow_on(BatchGetSecretValue::INFO, db())
            .allow_on(ListSecretEvents::INFO, db())
            .allow_on(ShowSecretVersion::INFO, db())
            .allow_on(CreateRandom::INFO, Resource::key("k1"));
        assert_eq!(policy.unlimited(), ["csms::listEvents", "csms:secret:batchGetSecretValue", "kms::generateRandom"]);
        assert_eq!(policy.clone().allow(ShowSecretVersion::INFO).unlimited().len(), 4);
    }

    #[test]
    fn a_key_of_ones_own_needs_more_and_in_the_words_of_the_form() {
        for (form, action) in [(Form::Identity, "kms:cmk:decryptDataKey"), (Form::Role, "kms:dek:decrypt")] {
            let policy = Policy::new(form).allow_on(ShowSecretVersion::INFO, db());
            assert_eq!(policy.needed_of_keys(), [action]);
            assert_eq!(policy.actions().count(), 1);
            let policy = policy.with_key_of_secrets(&Resource::key("k1"));
            assert!(policy.document().to_string().contains("KeyId:k1"), "{}", policy.document());
            assert!(policy.actions().any(|known| known == action));
        }
        let backup = Policy::new(Form::Identity).allow_on(DownloadSecretBlob::INFO, db());
        assert_eq!(backup.with_key_of_secrets(&Resource::key("k1")).unlimited(), ["kms:cmk:list"]);
        let policy = Policy::new(Form::Identity).allow_on(RotateSecret::INFO, db());
        assert_eq!(policy.needed_elsewhere(), ["rds:password:update"]);
        assert_eq!(policy.needed_of_keys(), ["kms:cmk:createGrant", "kms:cmk:retireGrant"]);
    }

    #[test]
    fn an_operation_without_a_published_permission_is_named() {
        let policy = Policy::new(Form::Identity).allow(ReEncrypt::INFO).allow(ReEncrypt::INFO);
        assert_eq!(policy.document(), json!({"Version": "5.0", "Statement": []}));
        assert_eq!(policy.unpublished().iter().map(|info| info.name).collect::<Vec<_>>(), ["ReEncrypt"]);
    }

    #[test]
    fn every_permission_that_is_needed_has_its_operation() {
        for action in operations().flat_map(|info| info.needs).filter(|action| action.starts_with("kms:")) {
            assert!(operations().any(|info| info.permission == Some(*action)), "{action}");
        }
    }
}
