//! Key import: give a key material of one's own.
//!
//! A key created with the origin `external` has none and waits for it. [`CreateParametersForImport`] hands out a public
//! key and a token, the caller wraps the material with that key, and [`ImportKeyMaterial`] takes it. Not in
//! own keystores (`KMS.0339`), and for a replica only in the region its key comes from (`KMS.1404`).

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    secret::SecretString,
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Key import" };

/// Hands out what an import needs: a public key to wrap the material with, and a token. Both hold for 24 hours.
///
/// Only for keys of the origin `external` (`KMS.0309`).
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/get-parameters-for-import",
    permission = "kms:cmk:getMaterial",
    response = GetParametersForImportResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct CreateParametersForImport {
    /// The key (UUID).
    pub key_id: String,
    /// How the material will be wrapped. The public key is RSA with 2048 bits by default.
    pub wrapping_algorithm: WrappingAlgorithm,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Imports wrapped material into a key of the origin `external`. A key that is pending import is enabled by it.
///
/// Symmetric material is 32 bytes, wrapped as they are. A private key is PKCS #8 in DER, wrapped by AES key wrap with
/// padding under a temporary AES-256 key, which is wrapped in turn. After [`DeleteImportedKeyMaterial`] only the
/// same material is taken again (`KMS.2606`).
#[derive(Clone, Debug, Model)]
#[operation(POST, "/v1.0/{project_id}/kms/import-key-material", permission = "kms:cmk:importMaterial", success = 200)]
#[non_exhaustive]
pub struct ImportKeyMaterial {
    /// The key (UUID); the token has to be for it (`KMS.2603`).
    pub key_id: String,
    /// Token as [`CreateParametersForImport`] gave it.
    pub import_token: SecretString,
    /// The symmetric material, or for an asymmetric key the temporary key, wrapped with the public key; Base64.
    pub encrypted_key_material: SecretString,
    /// The private key, wrapped with the temporary key; Base64. Needed for asymmetric keys.
    pub encrypted_privatekey: Option<SecretString>,
    /// When the material expires, if ever. It is deleted within 24 hours of it, and the key is pending import
    /// again.
    #[field(seconds, check(Range(0, 10_000_000_000)))]
    pub expiration_time: Option<Timestamp>,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Deletes the imported material of a symmetric key, which is pending import afterwards.
///
/// The key has to be enabled or disabled (`KMS.2701`). Nothing it protects can be decrypted until the same material
/// is imported again. Asymmetric material cannot be deleted (`KMS.2702`).
#[derive(Clone, Debug, Model)]
#[operation(
    POST,
    "/v1.0/{project_id}/kms/delete-imported-key-material",
    permission = "kms:cmk:deleteMaterial",
    success = 200,
    idempotent
)]
#[non_exhaustive]
pub struct DeleteImportedKeyMaterial {
    /// The key (UUID).
    pub key_id: String,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Rotates a key with imported material now. The new material has to be imported before.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/rotate-on-demand",
    response = RotateOnDemandResponseBody,
)]
#[non_exhaustive]
pub struct RotateOnDemand {
    /// The key (UUID).
    pub key_id: String,
}

/// What an import needs.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GetParametersForImportResponseBody {
    /// Id of the key.
    pub key_id: Option<String>,
    /// Token, Base64; [`ImportKeyMaterial`] takes it as it is.
    pub import_token: Option<SecretString>,
    /// When token and public key expire.
    #[field(seconds)]
    pub expiration_time: Option<Timestamp>,
    /// Public key to wrap with: DER in Base64, without the lines of a PEM frame.
    pub public_key: Option<String>,
}

/// A rotation on demand.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct RotateOnDemandResponseBody {
    /// Id of the key.
    pub key_id: Option<String>,
}

/// How material is wrapped for an import.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum WrappingAlgorithm {
    /// RSA-OAEP with SHA-256.
    #[wire("RSAES_OAEP_SHA_256")]
    RsaesOaepSha256,
    /// SM2; not in every region.
    #[wire("SM2_ENCRYPT")]
    Sm2Encrypt,
    /// RSA-OAEP with SHA-1; only in old regions.
    #[wire("RSAES_OAEP_SHA_1")]
    RsaesOaepSha1,
    /// RSA with the padding of PKCS #1 v1.5; only in old regions.
    #[wire("RSAES_PKCS1_V1_5")]
    RsaesPkcs1V15,
    /// An algorithm that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::{
        encode::{Validation, encode},
        model::Object,
        operation::Operation,
    };

    #[test]
    fn times_of_an_import_are_seconds() {
        let expiry = Timestamp::from_millis(1_501_578_672_000);
        let answer: GetParametersForImportResponseBody =
            serde_json::from_str(r#"{"expiration_time":1501578672}"#).unwrap();
        assert_eq!(answer.expiration_time, Some(expiry));

        let request = ImportKeyMaterial::new("k", "token", "material").expiration_time(expiry);
        let encoded = encode(ImportKeyMaterial::INFO, &Object::Typed(&request), Some("p1"), Validation::On).unwrap();
        assert_eq!(
            encoded.body.unwrap().expose_secret(),
            br#"{"key_id":"k","import_token":"token","encrypted_key_material":"material","expiration_time":1501578672}"#
        );
    }
}
