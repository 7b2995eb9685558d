//! What a command line may call, told without calling anything: for `csms policy`, and for a check of every run in debug
//! builds, so that it cannot be wrong for long.

use csms_sdk::{
    Operation as _, OperationInfo,
    bulk::Scope,
    csms::{BatchGetSecretValue, ListSecretVersions, ListSecrets, ShowSecretStage, ShowSecretVersion},
    keys,
    kms::{DecryptData, ListAliases, ListKeys},
    policy::Resource,
    reference::{Reference, VersionRef},
};

use crate::{
    error::Failure,
    resolve::Target,
    session::Session,
    settings::{Setting, Settings},
    subject,
};

const IN_BATCH: &str = "reads up to 20 secrets in one call";
const NO_BATCH: &str = "no batch call has read it";

/// When a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Always,
    /// Where this is so.
    Only(&'static str),
    /// It does this, and everything is done without it as well.
    Helps(&'static str),
}

/// A call that may be made, and on what; `None` where that is everything, or not known.
#[derive(Debug)]
pub(crate) struct Need {
    pub(crate) info: &'static OperationInfo,
    pub(crate) on: Option<Resource>,
    pub(crate) when: When,
}

/// The calls that a command line may make.
#[derive(Debug)]
pub(crate) struct Needs {
    /// Where it calls, if that is known.
    region: Option<String>,
    pub(crate) calls: Vec<Need>,
    /// Whether the id of the project is given, so that it need not be looked up.
    pub(crate) has_project: bool,
    /// Keys that are to protect secrets.
    pub(crate) protecting: Vec<Resource>,
    /// Keys that are named otherwise than by their ids.
    pub(crate) names_of_keys: Vec<String>,
}

impl Needs {
    /// None so far.
    pub(crate) fn of(session: &Session<'_>) -> Self {
        let Settings { region, local, .. } = &session.settings;
        // A region that nobody has named is that of local data.
        let is_named = |region: &&Setting| local.as_ref().is_none_or(|local| local.origin != region.origin);
        let region = region.as_ref().filter(is_named).map(|region| region.value.clone());
        Self { region, has_project: session.settings.project.is_some(), ..Self::none() }
    }

    /// None, wherever.
    pub(crate) fn none() -> Self {
        Self { region: None, calls: Vec::new(), has_project: false, protecting: Vec::new(), names_of_keys: Vec::new() }
    }

    /// A secret of the region that is called.
    pub(crate) fn secret(&self, name: &str) -> Option<Resource> {
        self.secret_in(None, name)
    }

    /// A secret of a region, by default that which is called.
    pub(crate) fn secret_in(&self, region: Option<&str>, name: &str) -> Option<Resource> {
        Some(placed(Resource::secret(name), region.or(self.region.as_deref())))
    }

    /// The secret that a verb is about.
    pub(crate) fn subject(&self, session: &Session<'_>) -> Result<Option<Resource>, Failure> {
        let name = subject::secret_name(session.text(subject::SECRET.field).unwrap_or_default())?;
        Ok(self.secret(&name))
    }

    /// A key by what it is called. One that is not called by its id has to be looked for, and is not known here.
    pub(crate) fn key(&mut self, word: &str) -> Option<Resource> {
        self.key_in(None, word)
    }

    /// The same in a region, by default that which is called.
    pub(crate) fn key_in(&mut self, region: Option<&str>, word: &str) -> Option<Resource> {
        if keys::is_id(word) {
            return Some(placed(Resource::key(word), region.or(self.region.as_deref())));
        }
        self.names_of_keys.push(word.to_owned());
        self.always(&None, &[ListKeys::INFO]);
        self.only("no key has this name", &None, &[ListAliases::INFO]);
        None
    }

    /// The key of a verb that has one in this argument.
    pub(crate) fn key_of(&mut self, session: &Session<'_>, argument: &str) -> Option<Resource> {
        self.key(session.text(argument)?)
    }

    /// A key that is to protect a secret.
    pub(crate) fn protecting(&mut self, region: Option<&str>, word: &str) -> Option<Resource> {
        let key = self.key_in(region, word);
        self.protecting.extend(key.clone());
        key
    }

    pub(crate) fn always(&mut self, on: &Option<Resource>, calls: &[&'static OperationInfo]) {
        self.add(When::Always, on, calls);
    }

    pub(crate) fn only(&mut self, condition: &'static str, on: &Option<Resource>, calls: &[&'static OperationInfo]) {
        self.add(When::Only(condition), on, calls);
    }

    pub(crate) fn helps(&mut self, purpose: &'static str, on: &Option<Resource>, calls: &[&'static OperationInfo]) {
        self.add(When::Helps(purpose), on, calls);
    }

    fn add(&mut self, when: When, on: &Option<Resource>, calls: &[&'static OperationInfo]) {
        self.calls.extend(calls.iter().map(|info| Need { info, on: on.clone(), when }));
    }

    /// Finding out the id of a version of a secret.
    pub(crate) fn version(&mut self, on: &Option<Resource>, version: &VersionRef) {
        self.found(When::Always, on, version);
    }

    fn found(&mut self, when: When, on: &Option<Resource>, version: &VersionRef) {
        match version {
            VersionRef::Id(_) => {}
            VersionRef::Latest => self.add(when, on, &[ListSecretVersions::INFO]),
            VersionRef::Back(_) => self.add(when, on, &[ShowSecretStage::INFO, ListSecretVersions::INFO]),
            _ => self.add(when, on, &[ShowSecretStage::INFO]),
        }
    }

    /// Reading what a reference names.
    pub(crate) fn read(&mut self, reference: &Reference) {
        self.reading(When::Always, reference);
    }

    fn reading(&mut self, when: When, reference: &Reference) {
        let on = self.secret_in(reference.region(), reference.name());
        self.found(when, &on, reference.version());
        self.add(when, &on, &[ShowSecretVersion::INFO]);
    }

    /// Reading what stands for a value, several at once where that is permitted.
    pub(crate) fn target(&mut self, target: &Target) {
        match target {
            Target::Secret(reference) if *reference.version() == VersionRef::Current => self.current(reference),
            Target::Secret(reference) => self.read(reference),
            // The key is named in the ciphertext, for the service to read.
            Target::Cipher(_) => self.always(&None, &[DecryptData::INFO]),
        }
    }

    fn current(&mut self, reference: &Reference) {
        self.helps(IN_BATCH, &None, &[BatchGetSecretValue::INFO]);
        self.reading(When::Only(NO_BATCH), reference);
    }

    /// Finding secrets of a region, by default that which is called, and reading their current values.
    pub(crate) fn scope(&mut self, region: Option<&str>, scope: &Scope) {
        if !matches!(scope, Scope::Names(_)) {
            self.always(&None, &[ListSecrets::INFO]);
        }
        self.values(&self.secrets(region, scope));
    }

    /// Reading the current values of secrets.
    pub(crate) fn values(&mut self, on: &[Option<Resource>]) {
        self.helps(IN_BATCH, &None, &[BatchGetSecretValue::INFO]);
        for on in on {
            self.only(NO_BATCH, on, &[ShowSecretStage::INFO, ShowSecretVersion::INFO]);
        }
    }

    /// Secrets of a region, by default that which is called.
    pub(crate) fn secrets(&self, region: Option<&str>, scope: &Scope) -> Vec<Option<Resource>> {
        let on = |name: &str| self.secret_in(region, name);
        match scope {
            Scope::Names(names) => names.iter().map(|name| on(name)).collect(),
            Scope::Prefix(prefix) => vec![on(&format!("{prefix}*"))],
            Scope::All => vec![on("*")],
        }
    }
}

fn placed(resource: Resource, region: Option<&str>) -> Resource {
    match region {
        Some(region) => resource.in_region(region),
        None => resource,
    }
}
