//! Key lifecycle: create, enable, disable, rename and delete keys.

use csms_sdk_macros::Model;

use crate::operation::{Chapter, Service};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Key lifecycle" };

/// Creates a key. The answer has its id but not its state.
///
/// It may be a moment until the key can be used: ask [`ListKeyDetail`](super::ListKeyDetail) until it is enabled,
/// or pending import. An alias that is taken is refused (`KMS.1104`), but where its key is pending deletion, some
/// regions answer with the id of that old key. So look at the state before relying on the id.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/create-key",
    permission = "kms:cmk:create",
    response = CreateKeyResponseBody,
)]
#[non_exhaustive]
pub struct CreateKey {
    /// Name: 1 to 255 letters, digits, `:`, `/`, `_` or `-`. Must not end in `/default`.
    pub key_alias: String,
    /// Algorithm and size; default `AES_256`. Cannot be changed later.
    pub key_spec: Option<KeySpec>,
    /// What the key may be used for; default `ENCRYPT_DECRYPT` for symmetric keys, `SIGN_VERIFY` for asymmetric
    /// ones, `GENERATE_VERIFY_MAC` for HMAC. Cannot be changed later.
    pub key_usage: Option<KeyUsage>,
    /// Where the key material comes from; default `kms`.
    pub origin: Option<KeyOrigin>,
    /// Description, at most 255 characters.
    pub key_description: Option<String>,
    /// Keystore: default `0`, that of KMS; `1` is the management cluster, `2` the shared tenant cluster, anything
    /// else the id of an own one.
    pub keystore_id: Option<String>,
    /// Enterprise project; `0` is the default one. To be left out where enterprise projects are not in use.
    pub enterprise_project_id: Option<String>,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
    /// Virtual machine; only in deployments of compliance level 4.
    pub vm_id: Option<String>,
}

/// Enables a disabled key; in any other state it is refused (`KMS.1201`).
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/enable-key",
    permission = "kms:cmk:enable",
    response = KeyStatusResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct EnableKey {
    /// The key (UUID).
    pub key_id: String,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Disables an enabled key; in any other state it is refused (`KMS.1301`). Not for default keys.
///
/// Until [`EnableKey`] it cannot be used for anything, decryption included (`KMS.0209`).
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/disable-key",
    permission = "kms:cmk:disable",
    response = KeyStatusResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct DisableKey {
    /// The key (UUID).
    pub key_id: String,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Changes the name of a key. Not for default keys or keys pending deletion.
///
/// This is the name that [`CreateKey`] gave; aliases made by `CreateAlias` are something else.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/update-key-alias",
    permission = "kms:cmk:update",
    response = UpdateKeyAliasResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct UpdateKeyAlias {
    /// The key (UUID).
    pub key_id: String,
    /// New name: 1 to 255 letters, digits, `:`, `/`, `_` or `-`. Must not end in `/default`.
    pub key_alias: String,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Changes the description of a key. Not for default keys or keys pending deletion.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/update-key-description",
    permission = "kms:cmk:update",
    response = UpdateKeyDescriptionResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct UpdateKeyDescription {
    /// The key (UUID).
    pub key_id: String,
    /// New description, at most 255 characters; may be empty.
    pub key_description: String,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Deletes a key after some days; until then [`CancelKeyDeletion`] undoes it. Not for default keys.
///
/// While deletion is pending the key cannot be used (`KMS.0210`). Once it is gone, nothing it protects can ever be
/// decrypted again.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/schedule-key-deletion",
    permission = "kms:cmk:update",
    response = KeyStatusInfo,
    idempotent,
)]
#[non_exhaustive]
pub struct DeleteKey {
    /// The key (UUID). Its deletion must not be pending yet (`KMS.1402`).
    pub key_id: String,
    /// Days until deletion, 7 to 1096.
    #[field(text, check(Range(7, 1096)))]
    pub pending_days: i32,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Cancels the scheduled deletion of a key, which is disabled afterwards.
///
/// [`EnableKey`] makes it usable again. A key without its imported material goes back to pending import.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/cancel-key-deletion",
    permission = "kms:cmk:update",
    response = KeyStatusInfo,
    idempotent,
)]
#[non_exhaustive]
pub struct CancelKeyDeletion {
    /// The key (UUID); its deletion has to be pending (`KMS.1501`).
    pub key_id: String,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Answer with a new key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateKeyResponseBody {
    /// The key.
    pub key_info: Option<KeKInfo>,
}

/// A new key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeKInfo {
    /// Id (UUID).
    pub key_id: Option<String>,
    /// Account that owns it.
    pub domain_id: Option<String>,
    /// Region it lives in.
    pub region_id: Option<String>,
}

/// Answer with the state of one key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeyStatusResponseBody {
    /// The key.
    pub key_info: Option<KeyStatusInfo>,
}

/// State that a key is in now.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeyStatusInfo {
    /// Id (UUID).
    pub key_id: Option<String>,
    /// State.
    pub key_state: Option<KeyState>,
}

/// Answer with the name of one key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UpdateKeyAliasResponseBody {
    /// The key.
    pub key_info: Option<KeyAliasInfo>,
}

/// Name of a key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeyAliasInfo {
    /// Id (UUID).
    pub key_id: Option<String>,
    /// The new name.
    pub key_alias: Option<String>,
}

/// Answer with the description of one key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UpdateKeyDescriptionResponseBody {
    /// The key.
    pub key_info: Option<KeyDescriptionInfo>,
}

/// Description of a key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeyDescriptionInfo {
    /// Id (UUID).
    pub key_id: Option<String>,
    /// The new description.
    pub key_description: Option<String>,
}

/// Algorithm and size of a key. Regions differ in what they offer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum KeySpec {
    /// AES with 256 bits.
    #[wire("AES_256")]
    Aes256,
    /// SM4, symmetric; China only.
    #[wire("SM4")]
    Sm4,
    /// RSA with 2048 bits, to encrypt or to sign.
    #[wire("RSA_2048")]
    Rsa2048,
    /// RSA with 3072 bits, to encrypt or to sign.
    #[wire("RSA_3072")]
    Rsa3072,
    /// RSA with 4096 bits, to encrypt or to sign.
    #[wire("RSA_4096")]
    Rsa4096,
    /// NIST curve P-256, to sign or to agree on a secret.
    #[wire("EC_P256")]
    EcP256,
    /// NIST curve P-384, to sign.
    #[wire("EC_P384")]
    EcP384,
    /// Curve secp256k1, to sign.
    #[wire("SECP256K1")]
    Secp256k1,
    /// SM2, to encrypt or to sign; China only.
    #[wire("SM2")]
    Sm2,
    /// Ed25519, to sign.
    #[wire("ED25519")]
    Ed25519,
    /// HMAC with SHA-256.
    #[wire("HMAC_256")]
    Hmac256,
    /// HMAC with SHA-384.
    #[wire("HMAC_384")]
    Hmac384,
    /// HMAC with SHA-512.
    #[wire("HMAC_512")]
    Hmac512,
    /// HMAC with SM3; China only.
    #[wire("HMAC_SM3")]
    HmacSm3,
    /// Every one of them: a filter of [`ListKeys`](super::ListKeys), no key is of it.
    #[wire("ALL")]
    All,
    /// A specification that is not known here yet.
    Other(String),
}

/// What a key may be used for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum KeyUsage {
    /// To encrypt and decrypt, and for data keys.
    #[wire("ENCRYPT_DECRYPT")]
    EncryptDecrypt,
    /// To sign and to verify signatures.
    #[wire("SIGN_VERIFY")]
    SignVerify,
    /// To make and to verify message authentication codes.
    #[wire("GENERATE_VERIFY_MAC")]
    GenerateVerifyMac,
    /// To agree on a shared secret (ECDH).
    #[wire("KEY_AGREEMENT")]
    KeyAgreement,
    /// A use that is not known here yet.
    Other(String),
}

/// Where the material of a key comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum KeyOrigin {
    /// KMS made it.
    #[wire("kms")]
    Kms,
    /// To be imported: the key is pending import until [`ImportKeyMaterial`](super::ImportKeyMaterial).
    #[wire("external")]
    External,
    /// An origin that is not known here yet.
    Other(String),
}

/// State of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum KeyState {
    /// `1`: just created, soon enabled.
    #[wire("1")]
    PendingActivation,
    /// `2`: in use.
    #[wire("2")]
    Enabled,
    /// `3`: not to be used until it is enabled.
    #[wire("3")]
    Disabled,
    /// `4`: waiting for its deletion.
    #[wire("4")]
    PendingDeletion,
    /// `5`: waiting for key material to be imported.
    #[wire("5")]
    PendingImport,
    /// `7`: frozen, e.g. for arrears.
    #[wire("7")]
    Frozen,
    /// A state that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn key_states_and_usages_beyond_the_documented_ones_are_kept() {
        let status: KeyStatusInfo = serde_json::from_str(r#"{"key_state":"7"}"#).unwrap();
        assert_eq!(status.key_state, Some(KeyState::Frozen));
        let status: KeyStatusInfo = serde_json::from_str(r#"{"key_state":6}"#).unwrap();
        assert_eq!(status.key_state, Some(KeyState::Other("6".to_owned())));
        assert_eq!(KeyUsage::from("WRAP_UNWRAP").as_str(), "WRAP_UNWRAP");
    }
}
