//! Key spaces: key policies, which say what may open a data-key capsule, and when.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Paging, Service},
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Key spaces" };

/// Creates a key policy in a key space.
///
/// Not offered in every region.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/key-policies",
    permission = "kms:policy:create",
    response = CreateKeyPolicyResponseBody,
    success = 201,
)]
#[non_exhaustive]
pub struct CreateKeyPolicy {
    /// Key space it belongs to (UUID).
    pub keyspace_id: String,
    /// Name: letters, digits, `:`, `/`, `_` or `-`, at most 100 (elsewhere in the reference: 255).
    pub policy_name: String,
    /// JSON text, 2 to 1000 characters: an object with `version`, `allowed_access_point` (ids) and
    /// `validity_period` (`start_time`, `end_time`).
    pub policy: String,
    /// Description.
    pub description: Option<String>,
}

/// Reads a key policy.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1.0/{project_id}/kms/key-policies/{policy_id}",
    response = ShowKeyPolicyResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowKeyPolicy {
    /// The key policy (UUID).
    pub policy_id: String,
}

/// Lists the key policies of a key space.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1.0/{project_id}/kms/key-policies",
    response = ListKeyPolicyResponseBody,
    paging = Paging::Marker { items: "keyspace_policies", next: "page_info.next_marker", more: None, size: None },
    item = ListKeyPolicyResponseBodyKeyspacePolicies,
    idempotent,
)]
#[non_exhaustive]
pub struct ListKeyPolicy {
    /// The key space (UUID).
    pub keyspace_id: String,
    /// Most key policies of a page, 1 to 100; default 50.
    #[field(check(Range(1, 100)))]
    pub limit: Option<i32>,
    /// `next_marker` of the page before (UUID).
    pub marker: Option<String>,
}

/// Replaces the content of a key policy; its name and key space stay.
#[derive(Clone, Debug, Model)]
#[operation(
    PUT, "/v1.0/{project_id}/kms/key-policies/{policy_id}",
    response = UpdateKeyPolicyResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct UpdateKeyPolicy {
    /// The key policy (UUID).
    pub policy_id: String,
    /// The whole new policy as JSON text, of the form that [`CreateKeyPolicy`] takes. Answers give it as an object.
    pub policy: String,
    /// Description.
    pub description: Option<String>,
}

/// Deletes a key policy.
#[derive(Clone, Debug, Model)]
#[operation(DELETE, "/v1.0/{project_id}/kms/key-policies/{policy_id}", idempotent)]
#[non_exhaustive]
pub struct DeleteKeyPolicy {
    /// The key policy (UUID).
    pub policy_id: String,
}

/// The key policy that was created.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateKeyPolicyResponseBody {
    /// Id of the key policy (UUID).
    pub policy_id: Option<String>,
}

/// A key policy.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ShowKeyPolicyResponseBody {
    /// Id (UUID).
    pub policy_id: Option<String>,
    /// Name.
    pub policy_name: Option<String>,
    /// Key space it belongs to (UUID).
    pub keyspace_id: Option<String>,
    /// What it allows.
    pub policy: Option<ShowKeyPolicyResponseBodyPolicy>,
    /// Description.
    pub description: Option<String>,
    /// Id of the user who created it.
    pub created_by: Option<String>,
    /// When it was created.
    #[field(rfc3339)]
    pub create_time: Option<Timestamp>,
    /// When it last changed.
    #[field(rfc3339)]
    pub last_modify_time: Option<Timestamp>,
    /// When it was last used.
    #[field(rfc3339)]
    pub last_access_time: Option<Timestamp>,
}

/// What a key policy allows.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ShowKeyPolicyResponseBodyPolicy {
    /// Version of the policy's form.
    pub version: Option<String>,
    /// Ids of the access points that may use the key.
    #[field(alias = "allowedAccessPoint")]
    pub allowed_access_point: Vec<String>,
    /// Data security zones that may use the key.
    #[field(alias = "allowedDataSecurityZone")]
    pub allowed_data_security_zone: Vec<String>,
    /// When it holds.
    #[field(alias = "validityPeriod")]
    pub validity_period: Option<ShowKeyPolicyResponseBodyPolicyValidityPeriod>,
}

/// When a key policy holds. The form of its times is not documented, so they stay text.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ShowKeyPolicyResponseBodyPolicyValidityPeriod {
    /// From when on.
    #[field(alias = "startTime")]
    pub start_time: Option<String>,
    /// Until when.
    #[field(alias = "endTime")]
    pub end_time: Option<String>,
}

/// One page of key policies.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListKeyPolicyResponseBody {
    /// The key policies.
    pub keyspace_policies: Vec<ListKeyPolicyResponseBodyKeyspacePolicies>,
    /// Where the next page begins.
    pub page_info: Option<ListKeyPolicyResponseBodyPageInfo>,
}

/// A key policy in a list.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListKeyPolicyResponseBodyKeyspacePolicies {
    /// Id (UUID).
    pub policy_id: Option<String>,
    /// Name.
    pub policy_name: Option<String>,
    /// Key space it belongs to (UUID).
    pub keyspace_id: Option<String>,
    /// What it allows.
    pub policy: Option<ListKeyPolicyResponseBodyPolicy>,
    /// Description.
    pub description: Option<String>,
    /// Id of the user who created it.
    pub created_by: Option<String>,
    /// When it was created.
    #[field(rfc3339)]
    pub create_time: Option<Timestamp>,
    /// When it last changed.
    #[field(rfc3339)]
    pub last_modify_time: Option<Timestamp>,
    /// When it was last used.
    #[field(rfc3339)]
    pub last_access_time: Option<Timestamp>,
}

/// What a key policy in a list allows. Two members are in camel case here only; both spellings are read everywhere.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListKeyPolicyResponseBodyPolicy {
    /// Version of the policy's form.
    pub version: Option<String>,
    /// Ids of the access points that may use the key.
    #[field(name = "allowedAccessPoint", alias = "allowed_access_point")]
    pub allowed_access_point: Vec<String>,
    /// Data security zones that may use the key.
    #[field(alias = "allowedDataSecurityZone")]
    pub allowed_data_security_zone: Vec<String>,
    /// When it holds.
    #[field(name = "validityPeriod", alias = "validity_period")]
    pub validity_period: Option<ListKeyPolicyResponseBodyPolicyValidityPeriod>,
}

/// When a key policy in a list holds. The form of its times is not documented, so they stay text.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListKeyPolicyResponseBodyPolicyValidityPeriod {
    /// From when on.
    #[field(alias = "startTime")]
    pub start_time: Option<String>,
    /// Until when.
    #[field(alias = "endTime")]
    pub end_time: Option<String>,
}

/// Where a page of key policies stands in its list.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListKeyPolicyResponseBodyPageInfo {
    /// To be sent as `marker` for the next page; empty or missing on the last.
    pub next_marker: Option<String>,
    /// Number of items in this page.
    pub current_count: Option<i32>,
}

/// A key policy after its content was replaced.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UpdateKeyPolicyResponseBody {
    /// Id (UUID).
    pub policy_id: Option<String>,
    /// What it allows now.
    pub policy: Option<UpdateKeyPolicyResponseBodyPolicy>,
    /// Description.
    pub description: Option<String>,
    /// When it was replaced.
    #[field(rfc3339)]
    pub last_modify_time: Option<Timestamp>,
}

/// What a replaced key policy allows.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UpdateKeyPolicyResponseBodyPolicy {
    /// Version of the policy's form.
    pub version: Option<String>,
    /// Ids of the access points that may use the key.
    #[field(alias = "allowedAccessPoint")]
    pub allowed_access_point: Vec<String>,
    /// Data security zones that may use the key.
    #[field(alias = "allowedDataSecurityZone")]
    pub allowed_data_security_zone: Vec<String>,
    /// When it holds.
    #[field(alias = "validityPeriod")]
    pub validity_period: Option<UpdateKeyPolicyResponseBodyPolicyValidityPeriod>,
}

/// When a replaced key policy holds. The form of its times is not documented, so they stay text.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UpdateKeyPolicyResponseBodyPolicyValidityPeriod {
    /// From when on.
    #[field(alias = "startTime")]
    pub start_time: Option<String>,
    /// Until when.
    #[field(alias = "endTime")]
    pub end_time: Option<String>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_in_camel_and_in_snake_case() {
        for json in [
            r#"{"allowedAccessPoint":["a"],"allowed_data_security_zone":["z"],"validityPeriod":{"end_time":"e"}}"#,
            r#"{"allowed_access_point":["a"],"allowed_data_security_zone":["z"],"validity_period":{"end_time":"e"}}"#,
        ] {
            let listed: ListKeyPolicyResponseBodyPolicy = serde_json::from_str(json).unwrap();
            let shown: ShowKeyPolicyResponseBodyPolicy = serde_json::from_str(json).unwrap();
            let updated: UpdateKeyPolicyResponseBodyPolicy = serde_json::from_str(json).unwrap();
            for points in [listed.allowed_access_point, shown.allowed_access_point, updated.allowed_access_point] {
                assert_eq!(points, ["a"], "{json}");
            }
            let end = Some("e".to_owned());
            assert_eq!(listed.validity_period.unwrap().end_time, end);
            assert_eq!(shown.validity_period.unwrap().end_time, end);
            assert_eq!(updated.validity_period.unwrap().end_time, end);
        }
    }
}
