//! Who is calling: keys and tokens, where they come from, and how they are kept fresh.
//!
//! A [`ProvideCredentials`] finds credentials in one place; [`Chain`] asks several in order; [`default_chain`] is
//! the order of this SDK. A client asks its provider once, keeps the answer, and asks again shortly before it
//! expires: one request for all callers that wait, failures not remembered, credentials that are still valid
//! used on when renewing fails.
//!
//! | source | what it reads |
//! | --- | --- |
//! | [`Environment`] | `HUAWEICLOUD_SDK_*`, `HW_*`, `OS_*` |
//! | [`Oidc`] | `HUAWEICLOUD_OIDC_*` |
//! | [`ProfileFile`] | `~/.huaweicloud/credentials` |
//! | [`KooCli`] | `~/.hcloud/config.json` |
//! | [`PodIdentity`] | `HC_CONTAINER_*`, which CCE sets in a pod |
//! | [`ServerMetadata`] | the agency that is bound to the server |
//! | [`Password`], [`Federated`], [`Agency`] | what the program hands in |
//!
//! Every source tells two failures apart. *Not configured*: nothing is set up, and a chain goes on. *Broken*:
//! something is set up and does not work, and a chain stops, because going on would call as somebody else.
//!
//! Renewal begins 40 minutes before credentials expire, or after three quarters of a shorter life. A source is then
//! asked anew: variables and files are read again, so that a token that was replaced is found.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use crate::{
    env::Env,
    error::{Error, ErrorKind},
    secret::SecretString,
    sign::SigningKey,
    time::Timestamp,
};

mod agency;
mod cache;
mod context;
mod environment;
mod federated;
mod files;
mod key_file;
mod koocli;
mod metadata;
mod oidc;
mod password;
mod pod_identity;
mod profile;
mod temporary;

pub use agency::{Account, Agency};
pub(crate) use cache::{Cache, Current};
pub use context::{As, Context};
pub use environment::Environment;
pub use federated::Federated;
pub use files::{KeyFileState, inspect_files};
pub use key_file::check_key_file;
pub use koocli::KooCli;
pub use metadata::ServerMetadata;
pub use oidc::Oidc;
pub use password::Password;
pub use pod_identity::PodIdentity;
pub use profile::ProfileFile;

/// What proves who is calling.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// An access key, with which requests are signed.
    Keys(AccessKeys),
    /// A user token, which is sent along.
    Token(UserToken),
}

/// An access key and its secret key, permanent or temporary.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccessKeys {
    /// Access key id (AK). Not secret, but not to be published either.
    pub access_key: String,
    /// Secret access key (SK).
    pub secret_key: SecretString,
    /// Security token; only temporary keys have one.
    pub security_token: Option<SecretString>,
    /// When they expire; only temporary keys do.
    pub expires_at: Option<Timestamp>,
}

impl AccessKeys {
    /// Permanent keys.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<SecretString>) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into(), security_token: None, expires_at: None }
    }

    /// The keys made ready for signing.
    pub(crate) fn signing_key(&self) -> SigningKey {
        SigningKey::sdk(&self.access_key, self.secret_key.expose_secret().as_bytes())
    }

    /// Makes them temporary.
    #[must_use]
    pub fn with_security_token(mut self, security_token: impl Into<SecretString>) -> Self {
        self.security_token = Some(security_token.into());
        self
    }

    /// Says when they expire.
    #[must_use]
    pub fn with_expiry(mut self, expires_at: Timestamp) -> Self {
        self.expires_at = Some(expires_at);
        self
    }
}

/// An IAM user token (`X-Auth-Token`), scoped to a project.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserToken {
    /// The token.
    pub token: SecretString,
    /// When it expires, where that is known; tokens last 24 hours.
    pub expires_at: Option<Timestamp>,
}

impl UserToken {
    /// A token whose end is not known.
    pub fn new(token: impl Into<SecretString>) -> Self {
        Self { token: token.into(), expires_at: None }
    }

    /// Says when it expires.
    #[must_use]
    pub fn with_expiry(mut self, expires_at: Timestamp) -> Self {
        self.expires_at = Some(expires_at);
        self
    }
}

impl Credentials {
    /// Permanent keys.
    pub fn keys(access_key: impl Into<String>, secret_key: impl Into<SecretString>) -> Self {
        Self::Keys(AccessKeys::new(access_key, secret_key))
    }

    /// A user token.
    pub fn token(token: impl Into<SecretString>) -> Self {
        Self::Token(UserToken::new(token))
    }

    /// When they expire; `None` when they do not or it is not known.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Keys(keys) => keys.expires_at,
            Self::Token(token) => token.expires_at,
        }
    }
}

impl From<AccessKeys> for Credentials {
    fn from(keys: AccessKeys) -> Self {
        Self::Keys(keys)
    }
}

impl From<UserToken> for Credentials {
    fn from(token: UserToken) -> Self {
        Self::Token(token)
    }
}

/// Credentials, and what the place they were found in says besides.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Provided {
    /// The credentials.
    pub credentials: Credentials,
    /// Where they come from, for people: `environment (HUAWEICLOUD_SDK_AK)`.
    pub origin: String,
    /// Project the place names.
    pub project_id: Option<String>,
    /// Whether they are good in that project, and so in its region, only.
    pub regional: bool,
}

impl Provided {
    /// Credentials from a place that says nothing else.
    pub fn new(credentials: impl Into<Credentials>, origin: impl Into<String>) -> Self {
        Self { credentials: credentials.into(), origin: origin.into(), project_id: None, regional: false }
    }

    /// Adds the project that the place names.
    #[must_use]
    pub fn with_project_id(mut self, project_id: Option<String>) -> Self {
        self.project_id = project_id;
        self
    }

    /// Says that they are good in one project only.
    #[must_use]
    pub fn for_one_region(mut self) -> Self {
        self.regional = true;
        self
    }
}

/// Why a provider has no credentials.
#[derive(Debug)]
pub enum ProvideError {
    /// Nothing is set up here; says what was looked for. A chain goes on to the next provider.
    NotConfigured(String),
    /// Something is set up here and does not work. A chain stops: going on would hide the fault and call as
    /// somebody else.
    Broken(Error),
}

impl From<Error> for ProvideError {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

/// What a provider answers.
pub type ProvideResult = Result<Provided, ProvideError>;

/// A boxed future, as provider traits need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A place where credentials can come from.
pub trait ProvideCredentials: fmt::Debug + Send + Sync {
    /// Looks for credentials. Asked again shortly before they expire; does not keep them itself.
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult>;

    /// Whether its credentials may be good for one region only, as tokens scoped to a project are. A client for
    /// another region then asks it again.
    fn is_regional(&self) -> bool {
        false
    }

    /// The region that the place names, where it names one.
    fn region(&self, env: &Env) -> Option<String> {
        let _ = env;
        None
    }
}

/// Credentials that were given.
impl ProvideCredentials for Credentials {
    fn provide<'a>(&'a self, _: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async { Ok(Provided::new(self.clone(), "given by the program")) })
    }
}

/// A provider that several own.
impl<P: ProvideCredentials + ?Sized> ProvideCredentials for Arc<P> {
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        (**self).provide(context)
    }

    fn is_regional(&self) -> bool {
        (**self).is_regional()
    }

    fn region(&self, env: &Env) -> Option<String> {
        (**self).region(env)
    }
}

/// Asks several providers in order and takes the first that is set up.
#[derive(Clone, Debug)]
pub struct Chain(Vec<Arc<dyn ProvideCredentials>>);

impl Chain {
    /// A chain of these providers.
    pub fn new(providers: impl IntoIterator<Item = Arc<dyn ProvideCredentials>>) -> Self {
        Self(providers.into_iter().collect())
    }
}

impl ProvideCredentials for Chain {
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async move {
            let mut looked = Vec::new();
            for provider in &self.0 {
                match provider.provide(context).await {
                    Err(ProvideError::NotConfigured(reason)) => looked.push(reason),
                    outcome => return outcome,
                }
            }
            Err(ProvideError::NotConfigured(looked.join("; ")))
        })
    }

    fn is_regional(&self) -> bool {
        self.0.iter().any(|provider| provider.is_regional())
    }

    fn region(&self, env: &Env) -> Option<String> {
        self.0.iter().find_map(|provider| provider.region(env))
    }
}

impl ProvideError {
    /// Something is set up and does not work; says what, without any secret.
    pub fn broken(message: impl Into<String>) -> Self {
        Self::Broken(Error::new(ErrorKind::Credentials, message))
    }

    /// The error of a call that needed credentials.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Broken(error) => error,
            Self::NotConfigured(looked) => Error::new(
                ErrorKind::Credentials,
                format!("no credentials were found: {looked}"),
            )
            .with_help(
                "set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, write ~/.huaweicloud/credentials, or bind an agency \
                     to the server",
            ),
        }
    }
}

/// The order in which this SDK looks for credentials: [`Environment`], [`Oidc`], [`ProfileFile`], [`KooCli`],
/// [`PodIdentity`], [`ServerMetadata`].
///
/// What a user set for this very process comes before what lies on the machine, and that before what the
/// surroundings offer. Pod identity comes before server metadata because a pod can reach the metadata of the node it
/// runs on, and would call as the node.
#[must_use]
pub fn default_chain() -> Chain {
    Chain::new([
        Arc::new(Environment) as Arc<dyn ProvideCredentials>,
        Arc::new(Oidc),
        Arc::new(ProfileFile::default()),
        Arc::new(KooCli::default()),
        Arc::new(PodIdentity),
        Arc::new(ServerMetadata::default()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_chain_asks_for_the_pod_before_the_server_it_runs_on() {
        let shown = format!("{:?}", default_chain());
        let order = ["Environment", "Oidc", "ProfileFile", "KooCli", "PodIdentity", "ServerMetadata"];
        let places: Vec<_> = order.iter().map(|name| shown.rfind(name)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{shown}");
    }
}
