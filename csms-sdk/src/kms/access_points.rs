//! Key spaces: access points, through which workloads open the data-key capsules of a key space.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Paging, Service},
    secret::SecretString,
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Key spaces" };

/// Creates an access point: lets one workload use the keys of a key space.
///
/// Not offered in every region.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/access-points",
    response = CreateAccessPointResponseBody,
    success = 201,
)]
#[non_exhaustive]
pub struct CreateAccessPoint {
    /// Name: 1 to 255 letters, digits, `:`, `/`, `_` or `-`.
    pub access_point_name: String,
    /// Key space it belongs to (UUID).
    pub keyspace_id: String,
    /// Kind of workload: 1 an ECS instance, 2 a CCE cluster, 3 custom.
    pub r#type: i32,
    /// What proves the workload: id of the ECS instance for type 1, public key of the CCE cluster for type 2.
    /// Not used for type 3, for which the service makes a key pair.
    pub identity: Option<String>,
    /// The CCE cluster. Needed for type 2.
    pub cluster_id: Option<String>,
    /// Description, 1 to 255 characters.
    pub description: Option<String>,
}

/// Lists the access points of a key space.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1.0/{project_id}/kms/access-points",
    response = ListAccessPointResponseBody,
    paging = Paging::Marker { items: "access_points", next: "page_info.next_marker", more: None, size: None },
    item = ListAccessPointResponseBodyAccessPoints,
    idempotent,
)]
#[non_exhaustive]
pub struct ListAccessPoint {
    /// The key space (UUID).
    pub keyspace_id: String,
    /// Most access points of a page, 1 to 100; default 50.
    #[field(check(Range(1, 100)))]
    pub limit: Option<i32>,
    /// `next_marker` of the page before (UUID).
    pub marker: Option<String>,
}

/// Downloads the private key of a custom access point (type 3).
///
/// Part of the API definitions, but of no published page: it may change.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/access-points/{access_point_id}/get-privatekey",
    response = GetAccessPointPrivateKeyResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct DownloadAccessPointPrivateKey {
    /// The access point (UUID).
    pub access_point_id: String,
}

/// Enables a disabled access point.
#[derive(Clone, Debug, Model)]
#[operation(POST, "/v1.0/{project_id}/kms/access-points/{access_point_id}/enable", idempotent)]
#[non_exhaustive]
pub struct EnableAccessPoint {
    /// The access point (UUID).
    pub access_point_id: String,
}

/// Disables an access point; [`EnableAccessPoint`] undoes it.
#[derive(Clone, Debug, Model)]
#[operation(POST, "/v1.0/{project_id}/kms/access-points/{access_point_id}/disable", idempotent)]
#[non_exhaustive]
pub struct DisableAccessPoint {
    /// The access point (UUID).
    pub access_point_id: String,
}

/// Deletes an access point.
#[derive(Clone, Debug, Model)]
#[operation(DELETE, "/v1.0/{project_id}/kms/access-points/{access_point_id}", idempotent)]
#[non_exhaustive]
pub struct DeleteAccessPoint {
    /// The access point (UUID).
    pub access_point_id: String,
}

/// The access point that was created.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateAccessPointResponseBody {
    /// Id of the access point (UUID).
    pub access_point_id: Option<String>,
}

/// One page of access points.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListAccessPointResponseBody {
    /// The access points.
    pub access_points: Vec<ListAccessPointResponseBodyAccessPoints>,
    /// Where the next page begins.
    pub page_info: Option<ListAccessPointResponseBodyPageInfo>,
}

/// An access point.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListAccessPointResponseBodyAccessPoints {
    /// Id (UUID).
    pub access_point_id: Option<String>,
    /// Name.
    pub access_point_name: Option<String>,
    /// Key space it belongs to (UUID).
    pub keyspace_id: Option<String>,
    /// Kind of workload: 1 an ECS instance, 2 a CCE cluster, 3 custom.
    pub r#type: Option<i32>,
    /// Code of its state. The codes are not published.
    pub state: Option<i32>,
    /// Id of the user who created it.
    pub created_by: Option<String>,
    /// When it was created.
    #[field(rfc3339)]
    pub create_time: Option<Timestamp>,
    /// When it last changed. Misspelt on the wire; the right spelling is read too.
    #[field(name = "lsat_modify_time", alias = "last_modify_time", rfc3339)]
    pub last_modify_time: Option<Timestamp>,
}

/// Where a page of access points stands in its list.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListAccessPointResponseBodyPageInfo {
    /// To be sent as `marker` for the next page; empty or missing on the last.
    pub next_marker: Option<String>,
    /// Number of items in this page.
    pub current_count: Option<i32>,
}

/// The private key of an access point.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GetAccessPointPrivateKeyResponseBody {
    /// The access point (UUID).
    pub access_point_id: Option<String>,
    /// Its private key, in a form that is not documented.
    pub private_key: Option<SecretString>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn the_misspelt_time_is_read_in_either_spelling() {
        for name in ["lsat_modify_time", "last_modify_time"] {
            let json = format!(r#"{{"{name}":"2026-06-01T11:09:23Z"}}"#);
            let access_point: ListAccessPointResponseBodyAccessPoints = serde_json::from_str(&json).unwrap();
            assert_eq!(access_point.last_modify_time, Timestamp::parse("2026-06-01T11:09:23Z"), "{name}");
        }
    }
}
