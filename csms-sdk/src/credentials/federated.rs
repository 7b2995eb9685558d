//! A token of an identity provider that IAM trusts.

use super::{
    As, BoxFuture, Context, ProvideCredentials, ProvideError, ProvideResult, Provided, context::TokenProject, temporary,
};
use crate::iam::{
    AuthMethod, CreateTemporaryAccessKeyByToken, CreateTokenWithIdToken, GetIdTokenAuthParams, GetIdTokenIdScopeBody,
    GetIdTokenIdTokenBody, GetIdTokenScopeDomainOrProjectBody, IdentityToken, TokenAuth, TokenAuthIdentity,
};

/// Life of the keys in seconds, as in the official SDKs.
const LIFE: i32 = 21_600;

/// Federated login: an identity provider's id token (OpenID Connect) in a file, exchanged for temporary keys.
///
/// Two requests to the client's own IAM endpoint: the id token buys a user token
/// ([`CreateTokenWithIdToken`]), and that buys keys for six hours ([`CreateTemporaryAccessKeyByToken`]). The user token
/// is scoped to a project as a [`Password`](super::Password)'s is; without project and region it has no scope.
///
/// The file is read again for each renewal. Never *not configured*. *Broken* when the file is missing or empty, and when
/// IAM refuses. [`Oidc`](super::Oidc) is the way of the newer IAM, by STS.
#[derive(Clone, Debug)]
pub struct Federated {
    idp_id: String,
    token_file: String,
    project_id: Option<String>,
}

impl Federated {
    /// The identity provider as IAM knows it, and the file that holds its id token.
    pub fn new(idp_id: impl Into<String>, token_file: impl Into<String>) -> Self {
        Self { idp_id: idp_id.into(), token_file: token_file.into(), project_id: None }
    }

    /// Project id, in the region the program begins with.
    #[must_use]
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }
}

impl ProvideCredentials for Federated {
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async move {
            let id_token = context.read_token_file(&self.token_file).await?;
            let project = context.token_project(self.project_id.as_deref(), None).map(|project| match project {
                TokenProject::Id(id) => GetIdTokenScopeDomainOrProjectBody::new().id(id),
                TokenProject::Name(name) => GetIdTokenScopeDomainOrProjectBody::new().name(name),
            });
            let mut auth = GetIdTokenAuthParams::new(GetIdTokenIdTokenBody::new(id_token));
            auth.scope = project.map(|project| GetIdTokenIdScopeBody::new().project(project));
            let request = CreateTokenWithIdToken::new(&self.idp_id, auth);
            let answer = context.call(&request, As::Nobody).await?.into_body();
            let Some(token) = answer.subject_token.filter(|token| !token.is_empty()) else {
                return Err(ProvideError::broken("IAM answered no token in X-Subject-Token"));
            };
            let project_id = answer.token.and_then(|token| token.project).and_then(|project| project.id);

            let token = IdentityToken::new().id(token).duration_seconds(LIFE);
            let identity = TokenAuthIdentity::new([AuthMethod::Token]).token(token);
            let request = CreateTemporaryAccessKeyByToken::new(TokenAuth::new(identity));
            let answer = context.call(&request, As::Nobody).await?.into_body();
            let keys = temporary::keys(answer.credential, context.now())?;
            Ok(Provided::new(keys, format!("identity provider {}", self.idp_id))
                .with_project_id(project_id)
                .for_one_region())
        })
    }

    fn is_regional(&self) -> bool {
        true
    }
}
