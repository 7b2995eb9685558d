//! An IAM user's password.

use chrono::TimeDelta;

use super::{
    As, BoxFuture, Context, ProvideCredentials, ProvideError, ProvideResult, Provided, UserToken, context::TokenProject,
};
use crate::{
    iam::{
        AuthMethod, AuthScope, AuthScopeProject, KeystoneCreateUserTokenByPassword, PwdAuth, PwdIdentity, PwdPassword,
        PwdPasswordUser, PwdPasswordUserDomain,
    },
    secret::SecretString,
};

/// Assumed of a token that does not say when it expires.
const LIFE: TimeDelta = TimeDelta::hours(24);

/// Name and password of an IAM user, exchanged for a token.
///
/// The token is good in one project: the one given to the client, else the one given here, else the default project of
/// the client's region. A client for another region gets a token of its own. Tokens last 24 hours and are renewed.
///
/// Never *not configured*. *Broken* when neither a project nor a region is known, and when IAM refuses. IAM locks a
/// user after a few wrong passwords; failures are not remembered, so every call of the program counts as one try.
/// A HUAWEI ID cannot log in this way, nor can a user with MFA.
#[derive(Clone, Debug)]
pub struct Password {
    user: String,
    password: SecretString,
    account: String,
    project_id: Option<String>,
    project_name: Option<String>,
}

impl Password {
    /// The user `user` of the account `account` (also called domain).
    pub fn new(user: impl Into<String>, password: impl Into<SecretString>, account: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
            account: account.into(),
            project_id: None,
            project_name: None,
        }
    }

    /// Project id, in the region the program begins with.
    #[must_use]
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }

    /// Project name, in the region the program begins with; for sub-projects, whose names differ from the region's.
    #[must_use]
    pub fn project_name(mut self, name: impl Into<String>) -> Self {
        self.project_name = Some(name.into());
        self
    }
}

impl ProvideCredentials for Password {
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async move {
            let project = match context.token_project(self.project_id.as_deref(), self.project_name.as_deref()) {
                Some(TokenProject::Id(id)) => AuthScopeProject::new().id(id),
                Some(TokenProject::Name(name)) => AuthScopeProject::new().name(name),
                None => {
                    let message =
                        "a password buys a token for one project, and neither a project nor a region is known";
                    return Err(ProvideError::broken(message));
                }
            };
            let account = PwdPasswordUserDomain::new(&self.account);
            let user = PwdPasswordUser::new(&self.user, self.password.clone(), account);
            let identity = PwdIdentity::new([AuthMethod::Password], PwdPassword::new(user));
            let auth = PwdAuth::new(identity, AuthScope::new().project(project));
            let request = KeystoneCreateUserTokenByPassword::new(auth).nocatalog("true");
            let answer = context.call(&request, As::Nobody).await?.into_body();

            let Some(token) = answer.subject_token.filter(|token| !token.is_empty()) else {
                return Err(ProvideError::broken("IAM answered no token in X-Subject-Token"));
            };
            let about = answer.token.unwrap_or_default();
            let expires_at = about.expires_at.unwrap_or_else(|| (context.now() + LIFE).into());
            Ok(Provided::new(UserToken::new(token).with_expiry(expires_at), format!("password of {}", self.user))
                .with_project_id(about.project.and_then(|project| project.id))
                .for_one_region())
        })
    }

    fn is_regional(&self) -> bool {
        true
    }
}
