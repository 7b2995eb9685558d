//! Secret checker: judge how strong secrets are. Documented as usable with the password safe only.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    secret::SecretJson,
};

const CHAPTER: Chapter = Chapter { service: Service::Csms, group: "Secret checker" };

/// Judges how strong the given secrets are. Usable with the password safe only.
///
/// Neither the kinds of check nor the shape of the data are documented.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/checker/check",
    response = CheckSecretsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct CheckSecrets {
    /// Kind of check; the values are not documented.
    pub r#type: String,
    /// What to check, as a JSON object of undocumented shape.
    pub data: SecretJson,
}

/// Reads the account's settings of the checker. Usable with the password safe only.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/secrets/checker/config",
    response = CheckSecretsConfigResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowSecretsConfig {}

/// Changes the account's settings of the checker. Usable with the password safe only.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/checker/config",
    response = CheckSecretsConfigResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct UpdateSecretsConfig {
    /// Whether the strength of secrets is checked.
    pub checking_secret_strength: Option<bool>,
}

/// The judgement of a [`CheckSecrets`].
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CheckSecretsResponseBody {
    /// Kind of check.
    pub r#type: Option<String>,
    /// The result. Its shape is not documented, and it may repeat what was checked.
    pub data: Option<SecretJson>,
}

/// Settings of the checker.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CheckSecretsConfigResponseBody {
    /// Whether the strength of secrets is checked.
    pub checking_secret_strength: Option<bool>,
}
