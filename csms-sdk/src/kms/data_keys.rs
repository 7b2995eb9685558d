//! Data keys: keys to encrypt with outside the service, made and protected by a KMS key; PINs and random data.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    secret::SecretString,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Data keys" };

/// Makes a data key and answers it twice: in plain, and encrypted by a KMS key.
///
/// Keep the ciphertext, use the plaintext and forget it; [`DecryptDatakey`] brings it back. The service keeps
/// neither.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/create-datakey",
    permission = "kms:cmk:createDataKey", role = "kms:dek:create",
    response = CreateDataKeyResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct CreateDatakey {
    /// Id (UUID) of the symmetric KMS key that encrypts the data key.
    pub key_id: String,
    /// Length in bits, 8 to 8192, a multiple of 8 (older documents: only 512). Wins over `key_spec`; 256 where
    /// neither is given.
    #[field(text, check(Range(8, 8192), MultipleOf(8)))]
    pub datakey_length: Option<i32>,
    /// Kind of data key; instead of `datakey_length`.
    pub key_spec: Option<DataKeySpec>,
    /// Text of at most 128 bytes that decrypting has to repeat. Not encrypted: nothing secret.
    pub additional_authenticated_data: Option<String>,
    /// PIN that the data key is bound to, as [`CreatePin`] gave it; only for level-4 cryptography compliance.
    pub pin: Option<SecretString>,
    /// Form of `pin`; default `CipherText`.
    pub pin_type: Option<PinType>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Makes a data key and answers it encrypted by a KMS key only, for others to decrypt.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/create-datakey-without-plaintext",
    permission = "kms:cmk:createDataKeyWithoutPlaintext", role = "kms:dek:create",
    response = CreateDatakeyWithoutPlaintextResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct CreateDatakeyWithoutPlaintext {
    /// Id (UUID) of the symmetric KMS key that encrypts the data key.
    pub key_id: String,
    /// Length in bits, 8 to 8192, a multiple of 8 (older documents: only 512). Wins over `key_spec`; 256 where
    /// neither is given.
    #[field(text, check(Range(8, 8192), MultipleOf(8)))]
    pub datakey_length: Option<i32>,
    /// Kind of data key; instead of `datakey_length`.
    pub key_spec: Option<DataKeySpec>,
    /// Text of at most 128 bytes that decrypting has to repeat. Not encrypted: nothing secret.
    pub additional_authenticated_data: Option<String>,
    /// PIN that the data key is bound to, as [`CreatePin`] gave it; only for level-4 cryptography compliance.
    pub pin: Option<SecretString>,
    /// Form of `pin`; default `CipherText`.
    pub pin_type: Option<PinType>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Encrypts a data key that was made elsewhere.
///
/// The service compares the data key with the digest behind it and refuses the two when they differ (KMS.2103).
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/encrypt-datakey",
    permission = "kms:cmk:encryptDataKey", role = "kms:dek:encrypt",
    response = EncryptDataKeyResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct EncryptDatakey {
    /// Id (UUID) of the symmetric KMS key that encrypts the data key.
    pub key_id: String,
    /// Hexadecimal: the data key, then its digest of 32 bytes (SHA-256; SM3 where the KMS key is SM4). The digest
    /// is that of the bytes, not of their digits.
    pub plain_text: SecretString,
    /// Length of the data key without the digest, in bytes, 1 to 1024. The text of KMS.2102 speaks of 64 only.
    #[field(text, check(Range(1, 1024)))]
    pub datakey_plain_length: i32,
    /// Text of at most 128 bytes that decrypting has to repeat. Not encrypted: nothing secret.
    pub additional_authenticated_data: Option<String>,
    /// What kind of key the data key is; only for level-4 cryptography compliance.
    pub key_spec: Option<DataKeyAlgorithm>,
    /// PIN that the data key is bound to, as [`CreatePin`] gave it; only for level-4 cryptography compliance.
    pub pin: Option<SecretString>,
    /// Form of `pin`; default `CipherText`.
    pub pin_type: Option<PinType>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Decrypts a data key.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/decrypt-datakey",
    permission = "kms:cmk:decryptDataKey", role = "kms:dek:decrypt",
    response = DecryptDatakeyResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct DecryptDatakey {
    /// Id (UUID) of the KMS key that encrypted the data key.
    pub key_id: String,
    /// Encrypted data key in hexadecimal.
    pub cipher_text: String,
    /// Length of the plaintext data key, for all its name, in bytes, 1 to 1024: 64 for a key of 512 bits, whose
    /// ciphertext has 188 bytes. The text of KMS.2202 speaks of 64 only.
    #[field(text, check(Range(1, 1024)))]
    pub datakey_cipher_length: i32,
    /// The text with which the data key was encrypted, if there was one.
    pub additional_authenticated_data: Option<String>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Makes an RSA key pair for use outside the service and answers its private key encrypted by a KMS key.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/create-rsa-datakey-pair",
    response = CreateDataKeyPairResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct CreateRsaDatakeyPair {
    /// Id (UUID) of the symmetric KMS key that encrypts the private key.
    pub key_id: String,
    /// Kind of key pair: one of the RSA ones.
    pub key_spec: DataKeyPairSpec,
    /// Whether the private key is answered in plain as well; default true.
    pub with_plain_text: Option<bool>,
    /// Text of at most 127 characters that decrypting has to repeat. Not encrypted: nothing secret.
    pub additional_authenticated_data: Option<String>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Makes an elliptic-curve key pair for use outside the service and answers its private key encrypted by a KMS key.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/create-ec-datakey-pair",
    response = CreateDataKeyPairResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct CreateEcDatakeyPair {
    /// Id (UUID) of the symmetric KMS key that encrypts the private key.
    pub key_id: String,
    /// Kind of key pair: any but the RSA ones.
    pub key_spec: DataKeyPairSpec,
    /// Whether the private key is answered in plain as well; default true.
    pub with_plain_text: Option<bool>,
    /// Text of at most 127 characters that decrypting has to repeat. Not encrypted: nothing secret.
    pub additional_authenticated_data: Option<String>,
    /// PIN that the key pair is bound to, as [`CreatePin`] gave it; only for level-4 cryptography compliance.
    pub pin: Option<SecretString>,
    /// Form of `pin`; default `CipherText`.
    pub pin_type: Option<PinType>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Makes a PIN to bind data keys to. Only for level-4 cryptography compliance.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/create-pin",
    response = CreatePinResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct CreatePin {
    /// Form in which the PIN is answered; default `CipherText`.
    pub pin_type: Option<PinType>,
    /// Keystore that encrypts the PIN: `1` is the management cluster, `2` the shared cluster, all else a keystore of
    /// the tenant. Needed for `CipherText`.
    pub keystore_id: Option<String>,
}

/// Makes random data.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/gen-random",
    permission = "kms::generateRandom", role = "kms:cmk:generate",
    response = GenRandomResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct CreateRandom {
    /// Length in bits, 8 to 8192, a multiple of 8. One text of the reference allows 512 only.
    #[field(text, check(Range(8, 8192), MultipleOf(8)))]
    pub random_data_length: i32,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// A new data key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateDataKeyResponseBody {
    /// KMS key that encrypted it.
    pub key_id: Option<String>,
    /// The data key in hexadecimal, of either case.
    pub plain_text: Option<SecretString>,
    /// The encrypted data key in hexadecimal, of either case. It names the KMS key inside: 156 bytes for 256 bits.
    pub cipher_text: Option<String>,
}

/// A ciphertext: of a new data key, or of the data that was sent.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateDatakeyWithoutPlaintextResponseBody {
    /// KMS key that encrypted it.
    pub key_id: Option<String>,
    /// Hexadecimal where it is a data key's, Base64 from [`EncryptData`](super::EncryptData). To be handed back as
    /// it is.
    pub cipher_text: Option<String>,
}

/// An encrypted data key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct EncryptDataKeyResponseBody {
    /// KMS key that encrypted it.
    pub key_id: Option<String>,
    /// The encrypted data key in hexadecimal, of either case.
    pub cipher_text: Option<String>,
    /// Length of the plaintext data key, in bytes.
    #[field(text)]
    pub datakey_length: Option<i32>,
}

/// A decrypted data key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct DecryptDatakeyResponseBody {
    /// The data key in hexadecimal, of either case.
    pub data_key: Option<SecretString>,
    /// Its length, in bytes.
    #[field(text)]
    pub datakey_length: Option<i32>,
    /// SHA-256 of the key's bytes (not of their digits), in hexadecimal of either case.
    pub datakey_dgst: Option<SecretString>,
}

/// A new key pair. Of the last three fields at most one is there.
///
/// The reference does not say in which encoding the keys come.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateDataKeyPairResponseBody {
    /// KMS key that encrypted the private key.
    pub key_id: Option<String>,
    /// Kind of key pair.
    pub key_spec: Option<DataKeyPairSpec>,
    /// Public key.
    pub public_key: Option<String>,
    /// Private key, encrypted by the KMS key.
    pub private_key_cipher_text: Option<String>,
    /// Private key in plain, unless it was not wanted.
    pub private_key_plain_text: Option<SecretString>,
    /// Private key, wrapped by a key of the caller's.
    pub wrapped_private_key: Option<String>,
    /// Private key, encrypted for an enclave.
    pub ciphertext_recipient: Option<String>,
}

/// A new PIN.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreatePinResponseBody {
    /// The PIN: hexadecimal in the reference's example.
    pub pin: Option<SecretString>,
}

/// Random data.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GenRandomResponseBody {
    /// The data in hexadecimal, two digits for 8 bits.
    pub random_data: Option<SecretString>,
}

/// Kind of data key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum DataKeySpec {
    /// AES, 256 bits.
    #[wire("AES_256")]
    Aes256,
    /// AES, 128 bits.
    #[wire("AES_128")]
    Aes128,
    /// SM4; regions in China only.
    #[wire("SM4")]
    Sm4,
    /// For HMAC with SHA-256.
    #[wire("HMAC_256")]
    Hmac256,
    /// For HMAC with SHA-384.
    #[wire("HMAC_384")]
    Hmac384,
    /// For HMAC with SHA-512.
    #[wire("HMAC_512")]
    Hmac512,
    /// For HMAC with SM3; regions in China only.
    #[wire("HMAC_SM3")]
    HmacSm3,
    /// A kind that is not known here yet.
    Other(String),
}

/// Kind of key pair. The curves have other names here than in the specifications of KMS keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum DataKeyPairSpec {
    /// RSA, 2048 bits.
    #[wire("RSA_2048")]
    Rsa2048,
    /// RSA, 3072 bits.
    #[wire("RSA_3072")]
    Rsa3072,
    /// RSA, 4096 bits.
    #[wire("RSA_4096")]
    Rsa4096,
    /// Curve P-256; a KMS key of it is `EC_P256`.
    #[wire("ECC_NIST_P256")]
    EccNistP256,
    /// Curve P-384; a KMS key of it is `EC_P384`.
    #[wire("ECC_NIST_P384")]
    EccNistP384,
    /// Curve P-521.
    #[wire("ECC_NIST_P521")]
    EccNistP521,
    /// Curve secp256k1; a KMS key of it is `SECP256K1`.
    #[wire("ECC_SECG_P256K1")]
    EccSecgP256k1,
    /// SM2; regions in China only.
    #[wire("SM2")]
    Sm2,
    /// A kind that is not known here yet.
    Other(String),
}

/// Algorithm that a data key is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum DataKeyAlgorithm {
    /// SM2.
    #[wire("SM2")]
    Sm2,
    /// RSA.
    #[wire("RSA")]
    Rsa,
    /// An algorithm that is not known here yet.
    Other(String),
}

/// Form of a PIN.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum PinType {
    /// Encrypted by a keystore.
    #[wire("CipherText")]
    CipherText,
    /// As it is.
    #[wire("PlainText")]
    PlainText,
    /// A form that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::{
        encode::{Encoded, Validation, encode},
        error::Error,
        model::Object,
        operation::Operation,
    };

    fn encoded<O: Operation>(request: &O) -> Result<Encoded, Error> {
        encode(O::INFO, &Object::Typed(request), Some("p1"), Validation::On)
    }

    fn body<O: Operation>(request: &O) -> String {
        let body = encoded(request).unwrap().body.unwrap();
        String::from_utf8(body.expose_secret().to_vec()).unwrap()
    }

    #[test]
    fn lengths_travel_as_text_in_both_directions() {
        assert_eq!(body(&CreateDatakey::new("k").datakey_length(512)), r#"{"key_id":"k","datakey_length":"512"}"#);
        assert_eq!(
            body(&DecryptDatakey::new("k", "0200", 64)),
            r#"{"key_id":"k","cipher_text":"0200","datakey_cipher_length":"64"}"#
        );
        let answer: EncryptDataKeyResponseBody = serde_json::from_str(r#"{"datakey_length":"64"}"#).unwrap();
        assert_eq!(answer.datakey_length, Some(64));
    }

    #[test]
    fn random_data_may_have_any_length_from_8_to_8192_bits_in_steps_of_8() {
        for allowed in [8, 256, 512, 8192] {
            assert!(encoded(&CreateRandom::new(allowed)).is_ok(), "{allowed}");
        }
        for refused in [0, 12, 8200] {
            assert!(encoded(&CreateRandom::new(refused)).is_err(), "{refused}");
        }
    }

    #[test]
    fn additional_authenticated_data_of_any_length_is_left_to_the_service() {
        for length in [0, 127, 128, 200] {
            let text = "x".repeat(length);
            assert!(encoded(&CreateDatakey::new("k").additional_authenticated_data(text)).is_ok(), "{length}");
        }
    }

    #[test]
    fn unknown_kinds_of_keys_are_sent_and_kept_as_they_are() {
        let request = CreateDatakey::new("k").key_spec(DataKeySpec::Other("AES_512".into()));
        assert_eq!(body(&request), r#"{"key_id":"k","key_spec":"AES_512"}"#);
        let answer: CreateDataKeyPairResponseBody = serde_json::from_str(r#"{"key_spec":"EC_P256"}"#).unwrap();
        assert_eq!(answer.key_spec, Some(DataKeyPairSpec::Other("EC_P256".into())));
    }
}
