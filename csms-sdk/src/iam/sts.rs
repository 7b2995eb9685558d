//! Security Token Service: temporary access keys of the newer IAM, and who the caller is.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    secret::SecretString,
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Sts, group: "STS" };

/// Gets temporary access keys by assuming an agency. New keys leave older ones valid.
///
/// The agency has to trust the caller. Keys got in this way can assume a further agency, for an hour at most.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v5/agencies/assume",
    response = AssumeAgencyResponse,
    idempotent,
)]
#[non_exhaustive]
pub struct AssumeAgency {
    /// URN of the agency, at most 1500 characters: `iam::<account id>:agency:<name>`.
    pub agency_urn: String,
    /// Name of this session, part of its id: 2 to 128 letters, digits or `_+=,.@-`.
    pub agency_session_name: String,
    /// Life of the keys in seconds, 900 to 43200; default 3600. No longer than the agency allows, and at most 3600
    /// when the caller's keys are temporary.
    #[field(check(Range(900, 43_200)))]
    pub duration_seconds: Option<i64>,
    /// Text agreed on with the agency's owner so that no third party can have the agency assumed: 2 to 1224
    /// characters.
    pub external_id: Option<String>,
    /// Policy as JSON text, 2 to 4096 characters, that narrows what the keys may do.
    pub policy: Option<String>,
    /// Ids of at most 20 preset policies that narrow what the keys may do.
    pub policy_ids: Option<Vec<String>>,
    /// Serial number of the caller's MFA device, 9 to 256 characters. Goes with `token_code`.
    pub serial_number: Option<String>,
    /// The six digits the MFA device shows now.
    pub token_code: Option<SecretString>,
    /// Who stands behind the session, as the first caller of the chain claims: 2 to 64 characters.
    pub source_identity: Option<String>,
    /// At most 20 tags of the session.
    pub tags: Option<Vec<TagDto>>,
    /// Keys of at most 20 tags that pass on to further sessions of the chain.
    pub transitive_tag_keys: Option<Vec<String>>,
    /// Assertions of trusted providers about the caller.
    #[field(check(Items(1, 5)))]
    pub provided_contexts: Option<Vec<ProvidedContextDto>>,
}

/// Gets temporary access keys by assuming an agency with an OpenID Connect id token. New keys leave older ones
/// valid.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v5/agencies/assume-with-oidc",
    response = AssumeAgencyWithOIDCResponse,
    unsigned,
    idempotent,
)]
#[non_exhaustive]
pub struct AssumeAgencyWithOIDC {
    /// URN of the identity provider, at most 1500 characters.
    pub provider_urn: String,
    /// URN of the agency, at most 1500 characters: `iam::<account id>:agency:<name>`.
    pub agency_urn: String,
    /// Name of this session, part of its id: 2 to 128 letters, digits or `_+=,.@-`.
    pub agency_session_name: String,
    /// The JWT that the identity provider issued, 4 to 20000 characters.
    pub id_token: SecretString,
    /// Life of the keys in seconds, 900 to 43200; default 3600. No longer than the agency allows.
    #[field(check(Range(900, 43_200)))]
    pub duration_seconds: Option<i64>,
    /// Policy as JSON text, 2 to 4096 characters, that narrows what the keys may do.
    pub policy: Option<String>,
    /// Ids of at most 20 preset policies that narrow what the keys may do.
    pub policy_ids: Option<Vec<String>>,
}

/// Tells who the caller is.
///
/// A cheap test of credentials: no permission is documented for it, and it needs no project.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v5/caller-identity",
    response = GetCallerIdentityResponse,
    idempotent,
)]
#[non_exhaustive]
pub struct GetCallerIdentity {}

/// A tag of a session.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct TagDto {
    /// Key, 1 to 128 characters, not beginning with `_sys_`.
    pub key: String,
    /// Value, at most 255 characters; may be empty.
    pub value: String,
}

/// An assertion of a trusted provider.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct ProvidedContextDto {
    /// URN of the provider, at most 1500 characters.
    pub context_provider_urn: String,
    /// The assertion, signed and encrypted by the provider.
    pub context_assertion: SecretString,
}

/// An agency that was assumed.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AssumeAgencyResponse {
    /// The keys.
    #[field(alias = "credential")]
    pub credentials: Option<CredentialsDto>,
    /// The session.
    pub assumed_agency: Option<AssumedAgencyDto>,
    /// Who stands behind the session, as the first caller of the chain claimed.
    pub source_identity: Option<String>,
}

/// Temporary access keys. Every place that hands some out spells them in its own way; all spellings are read.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CredentialsDto {
    /// Access key id.
    #[field(alias = "accessKeyId", alias = "access")]
    pub access_key_id: Option<String>,
    /// Secret access key.
    #[field(alias = "secretAccessKey", alias = "secret")]
    pub secret_access_key: Option<SecretString>,
    /// Security token, to be sent as `X-Security-Token` with every request signed by these keys. Of no fixed
    /// length, mostly below 4096 bytes.
    #[field(alias = "securityToken", alias = "securitytoken")]
    pub security_token: Option<SecretString>,
    /// When they end.
    #[field(alias = "expires_at", rfc3339)]
    pub expiration: Option<Timestamp>,
}

/// Session of an assumed agency.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AssumedAgencyDto {
    /// URN of the session.
    pub urn: Option<String>,
    /// Id of the session: agency id and session name in one.
    pub id: Option<String>,
}

/// An agency that was assumed with an id token.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AssumeAgencyWithOIDCResponse {
    /// The keys.
    #[field(alias = "credential")]
    pub credentials: Option<CredentialsDto>,
    /// The session.
    pub assumed_agency: Option<AssumedAgencyWithFederationDto>,
    /// Whom the id token was issued to: the client id.
    pub audience: Option<String>,
    /// URN of the identity provider.
    pub provider: Option<String>,
    /// Whom the id token speaks of.
    pub subject_from_id_token: Option<String>,
    /// Who stands behind the session, as the first caller of the chain claimed.
    pub source_identity: Option<String>,
}

/// Session of an agency that was assumed with an id token.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AssumedAgencyWithFederationDto {
    /// URN of the session.
    pub urn: Option<String>,
    /// Id of the session: agency id and session name in one.
    pub id: Option<String>,
}

/// Who the caller is.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GetCallerIdentityResponse {
    /// Account the caller belongs to; the same id as the domain id.
    pub account_id: Option<String>,
    /// Id of the user or of the agency's session.
    pub principal_id: Option<String>,
    /// URN of the user or of the agency's session.
    pub principal_urn: Option<String>,
}
