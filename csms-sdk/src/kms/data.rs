//! Small-data encryption: encrypt and decrypt up to 4 KB inside the service.

use csms_sdk_macros::Model;

use super::CreateDatakeyWithoutPlaintextResponseBody;
use crate::{
    operation::{Chapter, Service},
    secret::SecretString,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Small-data encryption" };

/// Encrypts a text of up to 4096 bytes.
///
/// Only for keys of the usage `ENCRYPT_DECRYPT`. An asymmetric key takes no more than its padding leaves
/// (KMS.2108), and its ciphertext does not tell the key and the algorithm: keep both.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/encrypt-data",
    permission = "kms:cmk:encryptData", role = "kms:cmk:crypto",
    response = CreateDatakeyWithoutPlaintextResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct EncryptData {
    /// Id (UUID) of the KMS key.
    pub key_id: String,
    /// UTF-8 text, 1 to 4096 bytes, encrypted as it stands. For bytes send their Base64, at most 3072 of them;
    /// decrypting answers the Base64 again.
    pub plain_text: SecretString,
    /// Algorithm; default `SYMMETRIC_DEFAULT`. Needed with an asymmetric key.
    pub encryption_algorithm: Option<EncryptionAlgorithm>,
    /// Text of at most 128 bytes that decrypting has to repeat. Not encrypted: nothing secret.
    pub additional_authenticated_data: Option<String>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Decrypts what [`EncryptData`] encrypted.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/decrypt-data",
    permission = "kms:cmk:decryptData", role = "kms:cmk:crypto",
    response = DecryptDataResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct DecryptData {
    /// Ciphertext in Base64, 128 to 5648 characters.
    pub cipher_text: String,
    /// Id (UUID) of the KMS key. Needed with an asymmetric key only: ciphertexts of the others name theirs.
    pub key_id: Option<String>,
    /// Algorithm with which it was encrypted; default `SYMMETRIC_DEFAULT`. Needed with an asymmetric key.
    pub encryption_algorithm: Option<EncryptionAlgorithm>,
    /// The text with which it was encrypted, if there was one.
    pub additional_authenticated_data: Option<String>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Decrypts a ciphertext and encrypts it with another key, inside the service.
///
/// The ciphertext of a data key stays one, and so does that of small data.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/re-encrypt",
    response = ReEncryptResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ReEncrypt {
    /// Ciphertext as it was answered: hexadecimal of a data key, Base64 of small data.
    pub cipher_text: String,
    /// Id of the KMS key for the new ciphertext.
    pub destination_key_id: String,
    /// Id of the KMS key of the old ciphertext. Needed where that is asymmetric, advised otherwise.
    pub source_key_id: Option<String>,
    /// Length of the plaintext data key, for all its name, in bytes. Needed where the ciphertext is that of a data
    /// key in CBC mode.
    #[field(text)]
    pub datakey_cipher_length: Option<i32>,
    /// Algorithm of the old ciphertext; default `SYMMETRIC_DEFAULT`.
    pub source_encryption_algorithm: Option<EncryptionAlgorithm>,
    /// Algorithm for the new ciphertext; default `SYMMETRIC_DEFAULT`.
    pub destination_encryption_algorithm: Option<EncryptionAlgorithm>,
    /// The text with which the old ciphertext was made. To be left out where there was none.
    pub source_additional_authenticated_data: Option<String>,
    /// Text that decrypting the new ciphertext has to repeat. Not encrypted: nothing secret.
    pub destination_additional_authenticated_data: Option<String>,
}

/// What was encrypted.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct DecryptDataResponseBody {
    /// KMS key that decrypted it.
    pub key_id: Option<String>,
    /// The text itself; not to be relied on where what was encrypted is not printable.
    pub plain_text: Option<SecretString>,
    /// The same in Base64: right in all cases.
    pub plain_text_base64: Option<SecretString>,
}

/// A ciphertext under another key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ReEncryptResponseBody {
    /// New ciphertext: hexadecimal of a data key, Base64 of small data.
    pub cipher_text: Option<String>,
    /// KMS key of the new ciphertext.
    pub key_id: Option<String>,
    /// KMS key of the old ciphertext.
    pub source_key_id: Option<String>,
    /// Algorithm of the old ciphertext.
    pub source_encryption_algorithm: Option<EncryptionAlgorithm>,
    /// Algorithm of the new ciphertext.
    pub destination_encryption_algorithm: Option<EncryptionAlgorithm>,
}

/// Algorithm of a ciphertext.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum EncryptionAlgorithm {
    /// The algorithm of the symmetric key.
    #[wire("SYMMETRIC_DEFAULT")]
    SymmetricDefault,
    /// RSA with OAEP padding and SHA-1. No longer safe; only [`ReEncrypt`] takes it.
    #[wire("RSAES_OAEP_SHA_1")]
    RsaesOaepSha1,
    /// RSA with OAEP padding and SHA-256.
    #[wire("RSAES_OAEP_SHA_256")]
    RsaesOaepSha256,
    /// SM2; regions in China only.
    #[wire("SM2_ENCRYPT")]
    Sm2Encrypt,
    /// An algorithm that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn the_ciphertext_of_encrypt_data_is_opaque_text() {
        let text = r#"{"cipher_text":"AgDoAG7EsEc2OHpQxz4g+Q==","key_id":"k"}"#;
        let answer: CreateDatakeyWithoutPlaintextResponseBody = serde_json::from_str(text).unwrap();
        assert_eq!(answer.cipher_text.as_deref(), Some("AgDoAG7EsEc2OHpQxz4g+Q=="));
    }
}
