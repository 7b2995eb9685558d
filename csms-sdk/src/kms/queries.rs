//! Key queries: list keys, look at one, count them against the quotas.

use csms_sdk_macros::Model;

use super::{KeyOrigin, KeySpec, KeyState, KeyUsage};
use crate::{
    operation::{Chapter, Paging, Service},
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Key queries" };

/// Lists the keys of the project with their details, unless told otherwise only those of `AES_256`.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/list-keys",
    permission = "kms:cmk:list",
    response = ListKeysResponseBody,
    paging = Paging::Marker { items: "key_details", next: "next_marker", more: Some("truncated"), size: None },
    item = KeyDetails,
    idempotent,
)]
#[non_exhaustive]
pub struct ListKeys {
    /// Only keys of this algorithm and size; default `AES_256`, and `ALL` for every key.
    pub key_spec: Option<KeySpec>,
    /// Only keys in this state; frozen ones cannot be asked for.
    pub key_state: Option<KeyState>,
    /// Only keys of this enterprise project: its id, `0` for the default one, or `all` (default).
    pub enterprise_project_id: Option<String>,
    /// Most keys of a page.
    #[field(text)]
    pub limit: Option<i32>,
    /// Where the page begins, as `next_marker` told: the number of keys before it.
    pub marker: Option<String>,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Reads the details of a key. A malformed id is refused with 400 (`KMS.0205`), an unknown one with 404.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/describe-key",
    permission = "kms:cmk:get",
    response = DescribeKeyResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ListKeyDetail {
    /// The key (UUID).
    pub key_id: String,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Reads the public key of an asymmetric key.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/get-publickey",
    permission = "kms:cmk:getPublicKey",
    response = GetPublicKeyResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowPublicKey {
    /// The key (UUID); has to be asymmetric (`KMS.0331`).
    pub key_id: String,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Counts the keys of the project, default keys excluded.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1.0/{project_id}/kms/user-instances",
    permission = "kms:cmk:getInstance",
    response = UserInstancesResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowUserInstances {}

/// Reads the quotas for keys and grants, and how much of each is used. Default keys do not count.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1.0/{project_id}/kms/user-quotas",
    permission = "kms:cmk:getQuota",
    response = UserQuotasResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowUserQuotas {}

/// One page of keys.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListKeysResponseBody {
    /// Ids of the keys.
    pub keys: Vec<String>,
    /// The same keys with their details.
    pub key_details: Vec<KeyDetails>,
    /// To be sent as `marker` for the next page; empty on the last.
    pub next_marker: Option<String>,
    /// Whether more pages follow.
    #[field(text)]
    pub truncated: Option<bool>,
    /// Number of keys.
    pub total: Option<i32>,
}

/// Answer with the details of one key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct DescribeKeyResponseBody {
    /// The key.
    pub key_info: Option<KeyDetails>,
}

/// Details of a key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeyDetails {
    /// Id (UUID).
    pub key_id: Option<String>,
    /// Account that owns it.
    pub domain_id: Option<String>,
    /// Name.
    pub key_alias: Option<String>,
    /// Region it lives in.
    pub realm: Option<String>,
    /// Algorithm and size.
    pub key_spec: Option<KeySpec>,
    /// What it may be used for.
    pub key_usage: Option<KeyUsage>,
    /// Description.
    pub key_description: Option<String>,
    /// When it was created.
    #[field(text)]
    pub creation_date: Option<Timestamp>,
    /// When it will be deleted; `None` unless deletion is pending.
    #[field(text)]
    pub scheduled_deletion_date: Option<Timestamp>,
    /// State; only enabled keys can be used.
    pub key_state: Option<KeyState>,
    /// Whether a cloud service made it on first use; such keys can neither be changed nor deleted.
    #[field(digit)]
    pub default_key_flag: Option<bool>,
    /// Kind of key as a code whose values are not published; the examples have 1.
    #[field(text)]
    pub key_type: Option<i32>,
    /// When imported material expires; `None` where it does not, or was not imported.
    #[field(text)]
    pub expiration_time: Option<Timestamp>,
    /// Where its material comes from.
    pub origin: Option<KeyOrigin>,
    /// Whether it is rotated by itself.
    #[field(text)]
    pub key_rotation_enabled: Option<bool>,
    /// Enterprise project; `0` is the default one.
    pub sys_enterprise_project_id: Option<String>,
    /// Keystore that holds it; `0` is that of KMS.
    pub keystore_id: Option<String>,
}

/// A public key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GetPublicKeyResponseBody {
    /// Id of the key.
    pub key_id: Option<String>,
    /// PEM with lines ending in CR LF. In some regions PKCS #1 has been seen in a frame that says `PUBLIC KEY`.
    pub public_key: Option<String>,
}

/// Number of keys.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UserInstancesResponseBody {
    /// Number of keys, default keys excluded.
    pub instance_num: Option<i64>,
}

/// Answer with the quotas.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UserQuotasResponseBody {
    /// The quotas.
    pub quotas: Option<Quotas>,
}

/// Quotas of a project.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Quotas {
    /// One for each kind of resource.
    pub resources: Vec<Resources>,
}

/// The quota for one kind of resource.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Resources {
    /// What it limits.
    #[field(name = "type")]
    pub kind: Option<QuotaType>,
    /// Most there may be.
    pub quota: Option<i32>,
    /// How many there are.
    pub used: Option<i32>,
}

/// What a quota limits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum QuotaType {
    /// Keys that are enabled, disabled or pending deletion.
    #[wire("CMK")]
    Cmk,
    /// Grants of one key.
    #[wire("grant_per_CMK")]
    GrantPerCmk,
    /// A resource that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn dates_are_text_in_seconds_or_milliseconds_and_none_when_empty() {
        let key: KeyDetails = serde_json::from_str(
            r#"{"creation_date":"1502799822000","expiration_time":"1501578672","scheduled_deletion_date":""}"#,
        )
        .unwrap();
        assert_eq!(key.creation_date, Some(Timestamp::from_millis(1_502_799_822_000)));
        assert_eq!(key.expiration_time, Some(Timestamp::from_millis(1_501_578_672_000)));
        assert_eq!(key.scheduled_deletion_date, None);
    }

    #[test]
    fn numbers_and_flags_are_text() {
        let page: ListKeysResponseBody = serde_json::from_str(
            r#"{"key_details":[{"default_key_flag":"1","key_rotation_enabled":"false","key_type":"1"}],
                "truncated":"true","total":4}"#,
        )
        .unwrap();
        assert_eq!((page.truncated, page.total), (Some(true), Some(4)));
        let key = &page.key_details[0];
        assert_eq!((key.default_key_flag, key.key_rotation_enabled, key.key_type), (Some(true), Some(false), Some(1)));
    }

    #[test]
    fn key_specs_beyond_the_documented_ones_are_read() {
        let key: KeyDetails = serde_json::from_str(r#"{"key_spec":"HMAC_256","key_usage":"KEY_AGREEMENT"}"#).unwrap();
        assert_eq!((key.key_spec, key.key_usage), (Some(KeySpec::Hmac256), Some(KeyUsage::KeyAgreement)));
        let key: KeyDetails = serde_json::from_str(r#"{"key_spec":"EC_P521"}"#).unwrap();
        assert_eq!(key.key_spec, Some(KeySpec::Other("EC_P521".to_owned())));
    }
}
