//! Signatures: sign and verify with asymmetric keys.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    secret::SecretString,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Signatures" };

/// Signs a digest, or a message after hashing it.
///
/// Only for keys of the usage `SIGN_VERIFY`. Without `message_type` the service takes `message` for a digest.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/sign",
    permission = "kms:cmk:sign",
    response = SignResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct Sign {
    /// Id (UUID) of the asymmetric KMS key.
    pub key_id: String,
    /// Digest or message in Base64, less than 4096 bytes before encoding. A digest has to have the length of
    /// the algorithm's (KMS.0329).
    pub message: SecretString,
    /// Algorithm; has to fit the key (KMS.0332).
    pub signing_algorithm: SigningAlgorithm,
    /// What `message` is; default `DIGEST`.
    pub message_type: Option<MessageType>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Verifies a signature of a digest or a message.
///
/// Only for keys of the usage `SIGN_VERIFY`. A wrong signature is no error: look at
/// [`VerifyResponseBody::signature_valid`].
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/verify",
    permission = "kms:cmk:verify",
    response = VerifyResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ValidateSignature {
    /// Id (UUID) of the asymmetric KMS key.
    pub key_id: String,
    /// Digest or message in Base64, less than 4096 bytes before encoding; as it was signed.
    pub message: SecretString,
    /// Signature in Base64.
    pub signature: String,
    /// Algorithm with which it was signed.
    pub signing_algorithm: SigningAlgorithm,
    /// What `message` is; default `DIGEST`.
    pub message_type: Option<MessageType>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// A signature.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct SignResponseBody {
    /// KMS key that signed.
    pub key_id: Option<String>,
    /// Signature in Base64.
    pub signature: Option<String>,
}

/// Whether a signature is right.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct VerifyResponseBody {
    /// KMS key that verified.
    pub key_id: Option<String>,
    /// Whether the signature is right. `None` does not mean yes.
    #[field(text)]
    pub signature_valid: Option<bool>,
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum MessageType {
    /// A digest, made with the algorithm's hash. For SM2 that is SM3 over Z(A) and the message.
    #[wire("DIGEST")]
    Digest,
    /// A message, which the service hashes. Not for SM2.
    #[wire("RAW")]
    Raw,
    /// Something that is not known here yet.
    Other(String),
}

/// Algorithm of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum SigningAlgorithm {
    /// RSA with PSS padding and SHA-256.
    #[wire("RSASSA_PSS_SHA_256")]
    RsassaPssSha256,
    /// RSA with PSS padding and SHA-384.
    #[wire("RSASSA_PSS_SHA_384")]
    RsassaPssSha384,
    /// RSA with PSS padding and SHA-512.
    #[wire("RSASSA_PSS_SHA_512")]
    RsassaPssSha512,
    /// RSA with PKCS #1 v1.5 padding and SHA-256.
    #[wire("RSASSA_PKCS1_V1_5_SHA_256")]
    RsassaPkcs1V15Sha256,
    /// RSA with PKCS #1 v1.5 padding and SHA-384.
    #[wire("RSASSA_PKCS1_V1_5_SHA_384")]
    RsassaPkcs1V15Sha384,
    /// RSA with PKCS #1 v1.5 padding and SHA-512.
    #[wire("RSASSA_PKCS1_V1_5_SHA_512")]
    RsassaPkcs1V15Sha512,
    /// ECDSA with SHA-256, for `EC_P256` and `SECP256K1`.
    #[wire("ECDSA_SHA_256")]
    EcdsaSha256,
    /// ECDSA with SHA-384, for `EC_P384`.
    #[wire("ECDSA_SHA_384")]
    EcdsaSha384,
    /// ECDSA with SHA-512; some pages list it for `EC_P384`.
    #[wire("ECDSA_SHA_512")]
    EcdsaSha512,
    /// SM2 with SM3; regions in China only.
    #[wire("SM2DSA_SM3")]
    Sm2dsaSm3,
    /// Ed25519, for `ED25519`; not in every region.
    #[wire("ED25519_SHA_512")]
    Ed25519Sha512,
    /// Ed25519ph, the variant that signs a digest, for `ED25519`; not in every region.
    #[wire("ED25519_PH_SHA_512")]
    Ed25519PhSha512,
    /// An algorithm that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn signature_valid_is_text_on_the_wire_and_a_flag_here() {
        for (text, valid) in
            [("\"true\"", Some(true)), ("\"false\"", Some(false)), ("false", Some(false)), ("\"\"", None)]
        {
            let answer: VerifyResponseBody = serde_json::from_str(&format!(r#"{{"signature_valid":{text}}}"#)).unwrap();
            assert_eq!(answer.signature_valid, valid, "{text}");
        }
    }
}
