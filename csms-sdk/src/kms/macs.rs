//! Message authentication codes: make and verify them with HMAC keys.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    secret::SecretString,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Message authentication codes" };

/// Computes the authentication code of a message.
///
/// Only for keys of the usage `GENERATE_VERIFY_MAC`.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/generate-mac",
    permission = "kms:cmk:generateMac",
    response = GenerateMacResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct GenerateMac {
    /// Id (UUID) of the HMAC key.
    pub key_id: String,
    /// Algorithm; has to be the key's.
    pub mac_algorithm: MacAlgorithm,
    /// Message in Base64, 1 to 4096 bytes before encoding.
    pub message: SecretString,
}

/// Verifies the authentication code of a message.
///
/// Only for keys of the usage `GENERATE_VERIFY_MAC`. A wrong code is no error: look at
/// [`VerifyMacResponseBody::mac_valid`].
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/verify-mac",
    permission = "kms:cmk:verifyMac",
    response = VerifyMacResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct VerifyMac {
    /// Id (UUID) of the HMAC key.
    pub key_id: String,
    /// Algorithm with which the code was made.
    pub mac_algorithm: MacAlgorithm,
    /// Message in Base64, 1 to 4096 bytes before encoding.
    pub message: SecretString,
    /// Authentication code in hexadecimal, unlike the message.
    pub mac: String,
}

/// An authentication code.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GenerateMacResponseBody {
    /// The HMAC key.
    pub key_id: Option<String>,
    /// Algorithm with which it was made.
    pub mac_algorithm: Option<MacAlgorithm>,
    /// The code in hexadecimal.
    pub mac: Option<String>,
}

/// Whether an authentication code is right.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct VerifyMacResponseBody {
    /// The HMAC key.
    pub key_id: Option<String>,
    /// Algorithm with which it was verified.
    pub mac_algorithm: Option<MacAlgorithm>,
    /// Whether the code is right. `None` does not mean yes.
    pub mac_valid: Option<bool>,
}

/// Algorithm of an authentication code.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum MacAlgorithm {
    /// HMAC with SHA-256, for `HMAC_256`.
    #[wire("HMAC_SHA_256")]
    HmacSha256,
    /// HMAC with SHA-384, for `HMAC_384`.
    #[wire("HMAC_SHA_384")]
    HmacSha384,
    /// HMAC with SHA-512, for `HMAC_512`.
    #[wire("HMAC_SHA_512")]
    HmacSha512,
    /// HMAC with SM3, for `HMAC_SM3`; regions in China only.
    #[wire("HMAC_SM3")]
    HmacSm3,
    /// An algorithm that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn mac_valid_is_a_flag_on_the_wire() {
        let answer: VerifyMacResponseBody = serde_json::from_str(r#"{"mac_valid":false}"#).unwrap();
        assert_eq!(answer.mac_valid, Some(false));
    }
}
