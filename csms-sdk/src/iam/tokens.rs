//! Tokens: get one with a password or for an agency, and look one up.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    secret::SecretString,
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Iam, group: "Tokens" };

/// Gets a token with an IAM user's password. A new token leaves older ones valid.
///
/// Good for 24 hours: keep it. It ends sooner, within about half an hour, when the user, its password, its keys or
/// its permissions change. CSMS and KMS need a token whose scope is a project; one from a regional endpoint is good
/// in that region only. A HUAWEI ID cannot get one this way. Wrong passwords lock the user after a few tries.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v3/auth/tokens",
    response = KeystoneCreateUserTokenByPasswordResponseBody,
    success = 201,
    unsigned,
    idempotent,
)]
#[non_exhaustive]
pub struct KeystoneCreateUserTokenByPassword {
    /// Who asks, and for what.
    pub auth: PwdAuth,
    /// Any text but an empty one, `false` included, leaves the catalog out of the answer.
    #[field(query)]
    pub nocatalog: Option<String>,
}

/// Gets a token with an IAM user's password and a code of its virtual MFA device.
///
/// Otherwise as [`KeystoneCreateUserTokenByPassword`].
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v3/auth/tokens",
    response = KeystoneCreateUserTokenByPasswordAndMFAResponseBody,
    success = 201,
    unsigned,
    idempotent,
)]
#[non_exhaustive]
pub struct KeystoneCreateUserTokenByPasswordAndMfa {
    /// Who asks, and for what.
    pub auth: MfaAuth,
    /// Any text but an empty one, `false` included, leaves the catalog out of the answer.
    #[field(query)]
    pub nocatalog: Option<String>,
}

/// Gets a token for an agency, by which another account has delegated some of its resources.
///
/// The caller has to be a user of the delegated account with the permission Agent Operator, and to prove itself
/// with a token. The new token is good for 24 hours.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v3/auth/tokens",
    response = KeystoneCreateAgencyTokenResponseBody,
    success = 201,
    idempotent,
)]
#[non_exhaustive]
pub struct KeystoneCreateAgencyToken {
    /// Which agency, and for what.
    pub auth: AgencyTokenAuth,
    /// Any text but an empty one, `false` included, leaves the catalog out of the answer.
    #[field(query)]
    pub nocatalog: Option<String>,
}

/// Tells whether a token is valid, whose it is and when it expires.
///
/// The caller proves itself apart from the token it asks about, though it may be the same one.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v3/auth/tokens",
    response = KeystoneValidateTokenResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct KeystoneValidateToken {
    /// The token to look up.
    #[field(name = "X-Subject-Token", header)]
    pub subject_token: SecretString,
    /// Any text but an empty one, `false` included, leaves the catalog out of the answer.
    pub nocatalog: Option<String>,
}

/// A password login and the scope of the token.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct PwdAuth {
    /// Who asks.
    pub identity: PwdIdentity,
    /// Where the token is to be good.
    pub scope: AuthScope,
}

/// A password login.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct PwdIdentity {
    /// [`AuthMethod::Password`] and nothing else.
    #[field(check(Items(1, 1)))]
    pub methods: Vec<AuthMethod>,
    /// The user and its password.
    pub password: PwdPassword,
}

/// A user's password.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct PwdPassword {
    /// The user.
    pub user: PwdPasswordUser,
}

/// A user who logs in.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct PwdPasswordUser {
    /// User name.
    pub name: String,
    /// Login password.
    pub password: SecretString,
    /// Account the user belongs to.
    pub domain: PwdPasswordUserDomain,
}

/// Account of a user who logs in.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct PwdPasswordUserDomain {
    /// Account name.
    pub name: String,
}

/// A login with password and MFA code, and the scope of the token.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct MfaAuth {
    /// Who asks.
    pub identity: MfaIdentity,
    /// Where the token is to be good.
    pub scope: AuthScope,
}

/// A login with password and MFA code.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct MfaIdentity {
    /// [`AuthMethod::Password`] and [`AuthMethod::Totp`].
    #[field(check(Items(2, 2)))]
    pub methods: Vec<AuthMethod>,
    /// The user and its password.
    pub password: PwdPassword,
    /// The same user and the code.
    pub totp: MfaTotp,
}

/// A code of a virtual MFA device.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct MfaTotp {
    /// The device's user.
    pub user: MfaTotpUser,
}

/// User of a virtual MFA device.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct MfaTotpUser {
    /// User id, not the name.
    pub id: String,
    /// The six digits the device shows now.
    pub passcode: SecretString,
}

/// Where a token is to be good: in a project or in an account as a whole. Give one of them.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct AuthScope {
    /// The project. CSMS and KMS need this one.
    pub project: Option<AuthScopeProject>,
    /// The account.
    pub domain: Option<AuthScopeDomain>,
}

/// A project, by id or by name.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct AuthScopeProject {
    /// Project id.
    pub id: Option<String>,
    /// Name; the region's id for a region's default project.
    pub name: Option<String>,
}

/// An account, by id or by name.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct AuthScopeDomain {
    /// Account id.
    pub id: Option<String>,
    /// Account name.
    pub name: Option<String>,
}

/// An agency and the scope of the token.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct AgencyTokenAuth {
    /// The agency.
    pub identity: AgencyTokenIdentity,
    /// Where the token is to be good, within the delegating account.
    pub scope: AgencyTokenScope,
}

/// An agency to be assumed.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct AgencyTokenIdentity {
    /// [`AuthMethod::AssumeRole`] and nothing else.
    #[field(check(Items(1, 1)))]
    pub methods: Vec<AuthMethod>,
    /// Which agency.
    pub assume_role: AgencyTokenAssumerole,
}

/// Name of an agency and the account that made it. The account has to be given, by id or by name.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct AgencyTokenAssumerole {
    /// Agency name.
    pub agency_name: String,
    /// Id of the delegating account.
    pub domain_id: Option<String>,
    /// Name of the delegating account.
    pub domain_name: Option<String>,
}

/// Where an agency's token is to be good: in a project or in the account as a whole. Give one of them.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct AgencyTokenScope {
    /// The project. CSMS and KMS need this one.
    pub project: Option<AgencyTokenScopeProject>,
    /// The delegating account.
    pub domain: Option<AgencyTokenScopeDomain>,
}

/// A project of the delegating account, by id or by name.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct AgencyTokenScopeProject {
    /// Project id.
    pub id: Option<String>,
    /// Name; the region's id for a region's default project.
    pub name: Option<String>,
}

/// The delegating account, by id or by name.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct AgencyTokenScopeDomain {
    /// Account id.
    pub id: Option<String>,
    /// Account name.
    pub name: Option<String>,
}

/// A token for a password.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeystoneCreateUserTokenByPasswordResponseBody {
    /// The token itself, several kilobytes; to be sent as `X-Auth-Token`.
    #[field(name = "X-Subject-Token", header)]
    pub subject_token: Option<SecretString>,
    /// What is known about it.
    pub token: Option<TokenResult>,
}

/// A token for a password and an MFA code.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeystoneCreateUserTokenByPasswordAndMFAResponseBody {
    /// The token itself, several kilobytes; to be sent as `X-Auth-Token`.
    #[field(name = "X-Subject-Token", header)]
    pub subject_token: Option<SecretString>,
    /// What is known about it.
    pub token: Option<TokenResult>,
}

/// A token for an agency.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeystoneCreateAgencyTokenResponseBody {
    /// The token itself, several kilobytes; to be sent as `X-Auth-Token`.
    #[field(name = "X-Subject-Token", header)]
    pub subject_token: Option<SecretString>,
    /// What is known about it.
    pub token: Option<AgencyTokenResult>,
}

/// A token that was looked up, and is valid.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeystoneValidateTokenResponseBody {
    /// The token that was asked about.
    #[field(name = "X-Subject-Token", header)]
    pub subject_token: Option<SecretString>,
    /// What is known about it.
    pub token: Option<TokenResult>,
}

/// What is known about a user's token.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct TokenResult {
    /// When it ends.
    #[field(rfc3339)]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    #[field(rfc3339)]
    pub issued_at: Option<Timestamp>,
    /// How its user proved itself.
    pub methods: Vec<AuthMethod>,
    /// Whose it is.
    pub user: Option<TokenUserResult>,
    /// Project it is good in; `None` when that is an account.
    pub project: Option<TokenProjectResult>,
    /// Account it is good in; `None` when that is a project.
    pub domain: Option<TokenDomainResult>,
    /// What it permits.
    pub roles: Vec<TokenRole>,
    /// Endpoints of the services it is good for; empty when `nocatalog` was sent.
    pub catalog: Vec<TokenCatalog>,
}

/// User of a token.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct TokenUserResult {
    /// User id.
    pub id: Option<String>,
    /// User name.
    pub name: Option<String>,
    /// Account the user belongs to.
    pub domain: Option<TokenUserDomainResult>,
    /// When the password has to be changed; `None` for never.
    #[field(rfc3339)]
    pub password_expires_at: Option<Timestamp>,
}

/// Account of a token's user.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct TokenUserDomainResult {
    /// Account id.
    pub id: Option<String>,
    /// Account name.
    pub name: Option<String>,
}

/// Project a token is good in.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct TokenProjectResult {
    /// Project id, as it stands in the paths of CSMS and KMS.
    pub id: Option<String>,
    /// Name; the region's id for a region's default project.
    pub name: Option<String>,
    /// Account it belongs to.
    pub domain: Option<TokenProjectDomainResult>,
}

/// Account of a token's project.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct TokenProjectDomainResult {
    /// Account id.
    pub id: Option<String>,
    /// Account name.
    pub name: Option<String>,
}

/// Account a token is good in.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct TokenDomainResult {
    /// Account id.
    pub id: Option<String>,
    /// Account name.
    pub name: Option<String>,
}

/// A permission of a token.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct TokenRole {
    /// Mostly `0`, which is no real id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
}

/// A service in the catalog.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct TokenCatalog {
    /// Service id.
    pub id: Option<String>,
    /// Service name, e.g. `iam`.
    pub name: Option<String>,
    /// Kind of service, e.g. `iam`.
    pub r#type: Option<String>,
    /// Where it is to be found.
    pub endpoints: Vec<TokenCatalogEndpoint>,
}

/// An endpoint in the catalog.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct TokenCatalogEndpoint {
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

/// What is known about an agency's token.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AgencyTokenResult {
    /// When it ends.
    #[field(rfc3339)]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    #[field(rfc3339)]
    pub issued_at: Option<Timestamp>,
    /// How its user proved itself.
    pub methods: Vec<AuthMethod>,
    /// The agency, as the user it acts as in the delegating account.
    pub user: Option<AgencyTokenUser>,
    /// Who acts through the agency.
    pub assumed_by: Option<AgencyAssumedby>,
    /// Project it is good in; `None` when that is an account.
    pub project: Option<AgencyTokenProject>,
    /// Account it is good in; `None` when that is a project.
    pub domain: Option<AgencyTokenDomain>,
    /// What it permits.
    pub roles: Vec<TokenRole>,
    /// Endpoints of the services it is good for; empty when `nocatalog` was sent.
    pub catalog: Vec<TokenCatalog>,
}

/// The user an agency acts as.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AgencyTokenUser {
    /// User id.
    pub id: Option<String>,
    /// Account name and agency name, with a slash between.
    pub name: Option<String>,
    /// The delegating account.
    pub domain: Option<AgencyTokenUserDomain>,
}

/// Account of the user an agency acts as.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AgencyTokenUserDomain {
    /// Account id.
    pub id: Option<String>,
    /// Account name.
    pub name: Option<String>,
}

/// Who acts through an agency.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AgencyAssumedby {
    /// The user of the delegated account.
    pub user: Option<AgencyAssumedbyUser>,
}

/// User who acts through an agency.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AgencyAssumedbyUser {
    /// User id.
    pub id: Option<String>,
    /// User name.
    pub name: Option<String>,
    /// The delegated account.
    pub domain: Option<AgencyAssumedbyUserDomain>,
    /// When the password has to be changed; `None` for never.
    #[field(rfc3339)]
    pub password_expires_at: Option<Timestamp>,
}

/// Account of the user who acts through an agency.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AgencyAssumedbyUserDomain {
    /// Account id.
    pub id: Option<String>,
    /// Account name.
    pub name: Option<String>,
}

/// Project an agency's token is good in.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AgencyTokenProject {
    /// Project id, as it stands in the paths of CSMS and KMS.
    pub id: Option<String>,
    /// Name; the region's id for a region's default project.
    pub name: Option<String>,
    /// Account it belongs to.
    pub domain: Option<AgencyTokenProjectDomain>,
}

/// Account of the project an agency's token is good in.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AgencyTokenProjectDomain {
    /// Account id.
    pub id: Option<String>,
    /// Account name.
    pub name: Option<String>,
}

/// Account an agency's token is good in.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AgencyTokenDomain {
    /// Account id.
    pub id: Option<String>,
    /// Account name.
    pub name: Option<String>,
}

/// How a caller proves itself to IAM.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum AuthMethod {
    /// With a password.
    #[wire("password")]
    Password,
    /// With a code of a virtual MFA device. The reference prints it with a blank before it, by mistake.
    #[wire("totp")]
    Totp,
    /// By assuming an agency.
    #[wire("assume_role")]
    AssumeRole,
    /// With a token.
    #[wire("token")]
    Token,
    /// By an identity provider; in answers only.
    #[wire("mapped")]
    Mapped,
    /// A method that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::{
        encode::{Validation, encode},
        model::Object,
        operation::{Answer as _, Operation as _},
    };

    #[test]
    fn the_mfa_method_is_sent_without_the_blank_of_the_reference() {
        let user = PwdPasswordUser::new("user", "hidden", PwdPasswordUserDomain::new("account"));
        let identity = MfaIdentity::new(
            [AuthMethod::Password, AuthMethod::Totp],
            PwdPassword::new(user),
            MfaTotp::new(MfaTotpUser::new("id", "123456")),
        );
        let scope = AuthScope::new().project(AuthScopeProject::new().name("cn-north-4"));
        let request = KeystoneCreateUserTokenByPasswordAndMfa::new(MfaAuth::new(identity, scope)).nocatalog("true");
        let info = KeystoneCreateUserTokenByPasswordAndMfa::INFO;
        let encoded = encode(info, &Object::Typed(&request), None, Validation::On).unwrap();
        assert_eq!(encoded.query, "nocatalog=true");
        assert_eq!(
            std::str::from_utf8(encoded.body.unwrap().expose_secret()).unwrap(),
            concat!(
                r#"{"auth":{"identity":{"methods":["password","totp"],"password":{"user":{"name":"user","#,
                r#""password":"hidden","domain":{"name":"account"}}},"totp":{"user":{"id":"id","passcode":"123456"}}},"#,
                r#""scope":{"project":{"name":"cn-north-4"}}}}"#,
            )
        );
    }

    #[test]
    fn the_token_comes_from_the_header_and_is_never_printed() {
        let body = br#"{"token":{"expires_at":"2020-01-04T09:05:22.701000Z","user":{"password_expires_at":""}}}"#;
        let mut answer = KeystoneCreateUserTokenByPasswordResponseBody::read(body).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-subject-token", HeaderValue::from_static("hidden"));
        answer.read_headers(&headers);
        assert_eq!(answer.subject_token, Some("hidden".into()));
        assert!(!format!("{answer:?}").contains("hidden"));
        let token = answer.token.unwrap();
        assert_eq!(token.expires_at, Timestamp::parse("2020-01-04T09:05:22.701Z"));
        assert_eq!(token.user.unwrap().password_expires_at, None);
    }
}
