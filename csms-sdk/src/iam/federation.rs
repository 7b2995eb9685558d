//! Federated tokens: exchange an identity provider's id token for a token of IAM.

use csms_sdk_macros::Model;

use super::AuthMethod;
use crate::{
    operation::{Chapter, Service},
    secret::SecretString,
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Iam, group: "Federated tokens" };

/// Exchanges an OpenID Connect id token for a token, scoped if a scope is given.
///
/// CSMS and KMS need a token whose scope is a project.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v3.0/OS-AUTH/id-token/tokens",
    response = OidcScopedToken,
    success = 201,
    unsigned,
    idempotent,
)]
#[non_exhaustive]
pub struct CreateTokenWithIdToken {
    /// Identity provider as IAM knows it, 1 to 64 characters.
    #[field(name = "X-Idp-Id", header)]
    pub idp_id: String,
    /// The id token, and where the new token is to be good.
    pub auth: GetIdTokenAuthParams,
}

/// Exchanges an OpenID Connect id token for a token without scope, in the way of Keystone.
///
/// CSMS and KMS need a token whose scope is a project; [`CreateTokenWithIdToken`] gets one.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v3/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/auth",
    response = UnscopedToken,
    success = 201,
    unsigned,
    idempotent,
)]
#[non_exhaustive]
pub struct CreateUnscopedTokenWithIdToken {
    /// Identity provider as IAM knows it.
    pub idp_id: String,
    /// Protocol of the identity provider, e.g. `oidc`.
    pub protocol_id: String,
    /// The word `Bearer`, a blank, and the id token.
    #[field(name = "Authorization", header)]
    pub authorization: SecretString,
}

/// An id token and the scope of the new token.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct GetIdTokenAuthParams {
    /// The id token.
    pub id_token: GetIdTokenIdTokenBody,
    /// Where the token is to be good; left out for a token without scope.
    pub scope: Option<GetIdTokenIdScopeBody>,
}

/// An id token.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct GetIdTokenIdTokenBody {
    /// The JWT that the identity provider issued.
    pub id: SecretString,
}

/// Where a federated token is to be good: in a project or in an account as a whole. Give one of them.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct GetIdTokenIdScopeBody {
    /// The project. CSMS and KMS need this one.
    pub project: Option<GetIdTokenScopeDomainOrProjectBody>,
    /// The account.
    pub domain: Option<GetIdTokenScopeDomainOrProjectBody>,
}

/// A project or an account, by id or by name.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct GetIdTokenScopeDomainOrProjectBody {
    /// Id.
    pub id: Option<String>,
    /// Name; the region's id for a region's default project.
    pub name: Option<String>,
}

/// A token for an id token.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct OidcScopedToken {
    /// The token itself, several kilobytes; to be sent as `X-Auth-Token`.
    #[field(name = "X-Subject-Token", header)]
    pub subject_token: Option<SecretString>,
    /// What is known about it.
    pub token: Option<ScopedTokenInfo>,
}

/// What is known about a federated token.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ScopedTokenInfo {
    /// When it ends.
    #[field(rfc3339)]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    #[field(rfc3339)]
    pub issued_at: Option<Timestamp>,
    /// How its user proved itself.
    pub methods: Vec<AuthMethod>,
    /// Whose it is.
    pub user: Option<FederationUserBody>,
    /// Project it is good in, if any.
    pub project: Option<ProjectInfo>,
    /// Account it is good in, if any.
    pub domain: Option<DomainInfo>,
    /// What it permits.
    pub roles: Vec<ScopedTokenInfoRoles>,
    /// Endpoints of the services it is good for.
    pub catalog: Vec<ScopedTokenInfoCatalog>,
}

/// A user whom an identity provider vouches for.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct FederationUserBody {
    /// User id.
    pub id: Option<String>,
    /// User name.
    pub name: Option<String>,
    /// Account the user belongs to.
    pub domain: Option<DomainInfo>,
    /// How the user came in.
    #[field(name = "OS-FEDERATION")]
    pub os_federation: Option<OsFederationInfo>,
}

/// How a federated user came in.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct OsFederationInfo {
    /// Who vouches for the user.
    pub identity_provider: Option<IdpIdInfo>,
    /// By which protocol.
    pub protocol: Option<ProtocolIdInfo>,
    /// User groups the user was mapped to.
    pub groups: Vec<GroupInfo>,
}

/// An identity provider.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct IdpIdInfo {
    /// Identity provider as IAM knows it.
    pub id: Option<String>,
}

/// A protocol of an identity provider.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ProtocolIdInfo {
    /// Protocol, e.g. `oidc`.
    pub id: Option<String>,
}

/// A user group.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GroupInfo {
    /// Group id.
    pub id: Option<String>,
    /// Group name.
    pub name: Option<String>,
}

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct DomainInfo {
    /// Account id.
    pub id: Option<String>,
    /// Account name.
    pub name: Option<String>,
}

/// A project.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ProjectInfo {
    /// Project id, as it stands in the paths of CSMS and KMS.
    pub id: Option<String>,
    /// Name; the region's id for a region's default project.
    pub name: Option<String>,
    /// Account it belongs to.
    pub domain: Option<DomainInfo>,
}

/// A permission of a federated token.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ScopedTokenInfoRoles {
    /// Permission id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
}

/// An endpoint in a federated token's catalog; unlike in other tokens they are not grouped by service.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ScopedTokenInfoCatalog {
    /// Endpoint id.
    pub id: Option<String>,
    /// Who can reach it: `public`.
    pub interface: Option<String>,
    /// Region it serves; `*` for all.
    pub region: Option<String>,
    /// Id of the region it serves; `*` for all.
    pub region_id: Option<String>,
    /// Its URL.
    pub url: Option<String>,
}

/// A token without scope.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UnscopedToken {
    /// The token itself, several kilobytes; to be sent as `X-Auth-Token`.
    #[field(name = "X-Subject-Token", header)]
    pub subject_token: Option<SecretString>,
    /// What is known about it.
    pub token: Option<UnscopedTokenInfo>,
}

/// What is known about a token without scope.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UnscopedTokenInfo {
    /// When it ends.
    #[field(rfc3339)]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    #[field(rfc3339)]
    pub issued_at: Option<Timestamp>,
    /// How its user proved itself.
    pub methods: Vec<AuthMethod>,
    /// Whose it is.
    pub user: Option<FederationUserBody>,
    /// What it permits.
    pub roles: Vec<UnscopedTokenInfoRoles>,
    /// Services it is good for.
    pub catalog: Vec<UnscopedTokenInfoCatalog>,
}

/// A permission of a token without scope.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UnscopedTokenInfoRoles {
    /// Permission id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
}

/// A service in the catalog of a token without scope.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UnscopedTokenInfoCatalog {
    /// Service id.
    pub id: Option<String>,
    /// Service name, e.g. `iam`.
    pub name: Option<String>,
    /// Kind of service, e.g. `iam`.
    pub r#type: Option<String>,
    /// Where it is to be found.
    pub endpoints: Vec<UnscopedTokenInfoCatalogEndpoints>,
}

/// An endpoint in the catalog of a token without scope.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UnscopedTokenInfoCatalogEndpoints {
    /// Endpoint id.
    pub id: Option<String>,
    /// Who can reach it: `public`.
    pub interface: Option<String>,
    /// Region it serves; `*` for all.
    pub region: Option<String>,
    /// Id of the region it serves; `*` for all.
    pub region_id: Option<String>,
    /// Its URL.
    pub url: Option<String>,
}
