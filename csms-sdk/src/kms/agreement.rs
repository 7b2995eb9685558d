//! Key agreement: a secret shared with the holder of another key.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    secret::SecretString,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Key agreement" };

/// Derives the secret that a KMS key shares with the holder of another key pair of its curve.
///
/// Only for keys of the usage `KEY_AGREEMENT`, which not every region offers. The other side derives the same
/// secret from its private key and this key's public key.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/derive-shared-secret",
    response = DeriveSharedSecretResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct DeriveSharedSecret {
    /// Id (UUID) of the KMS key.
    pub key_id: String,
    /// How the secret is derived.
    pub key_agreement_algorithm: KeyAgreementAlgorithm,
    /// Public key of the other side: DER (X.509 SubjectPublicKeyInfo) in Base64. `EC_P256`, `EC_P384`, `SECP256K1`
    /// or, in China, `SM2`.
    pub public_key: String,
    /// Enclave for which the secret is encrypted; it is then answered in no other form.
    pub recipient: Option<Recipient>,
}

/// An enclave that is to receive a result.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct Recipient {
    /// Attestation document of the enclave. The reference tells neither its encoding nor its members.
    pub attestation_document: Option<String>,
    /// How the result is encrypted for the enclave.
    pub key_encryption_algorithm: Option<KeyEncryptionAlgorithm>,
}

/// A derived secret: in plain, or encrypted for an enclave.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct DeriveSharedSecretResponseBody {
    /// The KMS key.
    pub key_id: Option<String>,
    /// How the secret was derived.
    pub key_agreement_algorithm: Option<KeyAgreementAlgorithm>,
    /// The secret in Base64; `None` where a recipient was named.
    pub shared_secret: Option<SecretString>,
    /// The secret encrypted for the enclave, its encoding unpublished; only where a recipient was named.
    pub ciphertext_recipient: Option<String>,
}

/// Algorithm that derives a shared secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum KeyAgreementAlgorithm {
    /// Elliptic-curve Diffie-Hellman.
    #[wire("ECDH")]
    Ecdh,
    /// An algorithm that is not known here yet.
    Other(String),
}

/// Algorithm that encrypts a result for an enclave.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum KeyEncryptionAlgorithm {
    /// RSA with OAEP padding and SHA-256.
    #[wire("RSAES_OAEP_SHA_256")]
    RsaesOaepSha256,
    /// An algorithm that is not known here yet.
    Other(String),
}
