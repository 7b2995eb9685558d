//! Key spaces: data-key capsules, data keys that only workloads a key policy names can open.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    secret::SecretString,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Key spaces" };

/// Creates a data key together with a capsule of it that a key policy guards.
///
/// The policy is given either by `policy_id` or in `key_policy`. Not offered in every region.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/datakey-capsule/create",
    response = CreateDatakeyCapsuleResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct CreateDatakeyCapsule {
    /// Key that protects the capsule (UUID); has to be enabled.
    pub key_id: String,
    /// Kind of data key: `AES_256` or `SM4`. Elsewhere the reference speaks of the lengths `128` and `256`, so any
    /// text is sent.
    pub datakey_length: String,
    /// Key policy that guards it (UUID). Instead of `key_policy`.
    pub policy_id: Option<String>,
    /// Key policy that guards it, as the JSON text that [`CreateKeyPolicy`](super::CreateKeyPolicy) takes. Instead of
    /// `policy_id`.
    pub key_policy: Option<String>,
    /// RSA public key; with it the data key comes encrypted (`RSAES_OAEP_SHA_256`), not as plaintext.
    pub public_key: Option<String>,
}

/// Opens a capsule for a workload that proves itself to be one the capsule's policy allows.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/datakey-capsule/decrypt",
    response = DecryptDatakeyCapsuleResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct DecryptDatakeyCapsule {
    /// Key that protects the capsule (UUID); has to be enabled.
    pub key_id: String,
    /// The capsule in hexadecimal, as [`CreateDatakeyCapsule`] gave it.
    pub datakey_capsule: String,
    /// The workload's proof.
    pub attestation_document: DecryptDatakeyCapsuleRequestBodyAttestationDocument,
    /// RSA public key; with it the data key comes encrypted (`RSAES_OAEP_SHA_256`), not as plaintext.
    pub public_key: Option<String>,
}

/// A workload's proof of what it is. No source describes its members beyond their names, which follow the kinds
/// of access points.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct DecryptDatakeyCapsuleRequestBodyAttestationDocument {
    /// Of an ECS instance: its signed instance document in Base64, judging by the example.
    pub ecs_signature: Option<SecretString>,
    /// Of a CCE cluster, by its name: the token of a service account.
    pub service_token: Option<SecretString>,
    /// Of a custom access point, by its name: its public key.
    pub custom_public_key: Option<String>,
    /// Of a custom access point, by its name: a signature with its private key.
    pub custom_signature: Option<SecretString>,
    /// End of the proof's validity, by its name; the form is not documented.
    pub expire_time: Option<String>,
}

/// A data key and its capsule.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateDatakeyCapsuleResponseBody {
    /// Key that protects the capsule (UUID).
    pub key_id: Option<String>,
    /// The capsule in hexadecimal; [`DecryptDatakeyCapsule`] opens it.
    pub datakey_capsule: Option<String>,
    /// The data key; only when no `public_key` was sent.
    pub datakey: Option<SecretString>,
    /// The data key encrypted with the `public_key` that was sent.
    pub datakey_cipher: Option<String>,
}

/// The data key of a capsule.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct DecryptDatakeyCapsuleResponseBody {
    /// Key that protects the capsule (UUID).
    pub key_id: Option<String>,
    /// The data key; only when no `public_key` was sent.
    pub datakey: Option<SecretString>,
    /// The data key encrypted with the `public_key` that was sent.
    pub datakey_cipher: Option<String>,
    /// Where it was opened: id of the ECS instance, the CCE cluster or the access point.
    pub instance_id: Option<String>,
}
