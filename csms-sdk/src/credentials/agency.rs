//! An agency: what another account, or one's own, has delegated.

use std::{sync::Arc, time::Duration};

use super::{
    AccessKeys, As, BoxFuture, Context, Credentials, ProvideCredentials, ProvideError, ProvideResult, Provided,
    temporary,
};
use crate::{
    env::Env,
    error::Error,
    iam::{
        AgencyAuth, AgencyAuthIdentity, AssumeAgency, AssumeroleSessionuser, AuthMethod,
        CreateTemporaryAccessKeyByAgency, IdentityAssumerole,
    },
};

/// Name of sessions that were given none.
const SESSION: &str = "csms-sdk";

/// Temporary keys for an agency, got with the credentials of another provider.
///
/// An agency [by name](Agency::by_name) is asked of IAM with keys or a token, one [by URN](Agency::by_urn) of STS with
/// keys. The other provider is asked again for each renewal.
///
/// *Not configured* when the other provider is. *Broken* when it is, when the agency is refused, and when STS is to be
/// asked with a token.
#[derive(Clone, Debug)]
pub struct Agency {
    base: Arc<dyn ProvideCredentials>,
    agency: Name,
    duration: Option<Duration>,
    session_name: String,
    project_id: Option<String>,
}

/// The account that made an agency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// By its id, also called domain id.
    Id(String),
    /// By its name, also called domain name.
    Name(String),
}

#[derive(Clone, Debug)]
enum Name {
    OfAccount(String, Account),
    Urn(String),
}

impl Agency {
    /// The agency `name` that `account` made, by IAM.
    pub fn by_name(base: impl ProvideCredentials + 'static, name: impl Into<String>, account: Account) -> Self {
        Self::new(base, Name::OfAccount(name.into(), account))
    }

    /// An agency by its URN, `iam::<account id>:agency:<name>`, by STS.
    pub fn by_urn(base: impl ProvideCredentials + 'static, urn: impl Into<String>) -> Self {
        Self::new(base, Name::Urn(urn.into()))
    }

    fn new(base: impl ProvideCredentials + 'static, agency: Name) -> Self {
        Self { base: Arc::new(base), agency, duration: None, session_name: SESSION.to_owned(), project_id: None }
    }

    /// Life of the keys. By name 15 minutes (the default) to 24 hours; by URN 15 minutes to 12 hours, default one hour,
    /// which is also the most when the other provider's keys are temporary.
    #[must_use]
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// Name of the session, as audit logs show it; default `csms-sdk`. Best 5 to 64 letters, digits, `-` or `_`, a
    /// letter first.
    #[must_use]
    pub fn session_name(mut self, name: impl Into<String>) -> Self {
        self.session_name = name.into();
        self
    }

    /// Project of the delegating account, in the region the program begins with. What the other provider names is its
    /// own account's and is not taken over.
    #[must_use]
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }

    async fn by_iam(
        &self,
        name: &str,
        account: &Account,
        caller: As<'_>,
        context: &Context<'_>,
    ) -> Result<AccessKeys, Error> {
        let mut role =
            IdentityAssumerole::new(name).session_user(AssumeroleSessionuser::new().name(&self.session_name));
        match account {
            Account::Id(id) => role.domain_id = Some(id.clone()),
            Account::Name(name) => role.domain_name = Some(name.clone()),
        }
        role.duration_seconds = self.duration.map(|duration| duration.as_secs().try_into().unwrap_or(i32::MAX));
        let identity = AgencyAuthIdentity::new([AuthMethod::AssumeRole], role);
        let request = CreateTemporaryAccessKeyByAgency::new(AgencyAuth::new(identity));
        temporary::keys(context.call(&request, caller).await?.into_body().credential, context.now())
    }

    async fn by_sts(&self, urn: &str, keys: &AccessKeys, context: &Context<'_>) -> Result<AccessKeys, Error> {
        let mut request = AssumeAgency::new(urn, &self.session_name);
        request.duration_seconds = self.duration.map(|duration| duration.as_secs().try_into().unwrap_or(i64::MAX));
        temporary::keys(context.call(&request, As::Keys(keys)).await?.into_body().credentials, context.now())
    }
}

impl ProvideCredentials for Agency {
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async move {
            let base = self.base.provide(context).await?;
            let (keys, name) = match (&self.agency, &base.credentials) {
                (Name::OfAccount(name, account), Credentials::Keys(keys)) => {
                    (self.by_iam(name, account, As::Keys(keys), context).await?, name)
                }
                (Name::OfAccount(name, account), Credentials::Token(token)) => {
                    (self.by_iam(name, account, As::Token(token), context).await?, name)
                }
                (Name::Urn(urn), Credentials::Keys(keys)) => (self.by_sts(urn, keys, context).await?, urn),
                (Name::Urn(_), Credentials::Token(_)) => {
                    let message = "STS takes keys and no token; name the agency and its account instead of the URN";
                    return Err(ProvideError::broken(message));
                }
            };
            let origin = format!("agency {name}, assumed with: {}", base.origin);
            Ok(Provided::new(keys, origin).with_project_id(self.project_id.clone()))
        })
    }

    fn region(&self, env: &Env) -> Option<String> {
        self.base.region(env)
    }
}
