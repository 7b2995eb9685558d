//! Multi-region secrets: copies of a secret that follow it in other regions.

use csms_sdk_macros::Model;

use crate::operation::{Chapter, Service};

const CHAPTER: Chapter = Chapter { service: Service::Csms, group: "Multi-region secrets" };

/// Creates a replica of a secret in another region, under the same name.
///
/// The secret becomes `PRIMARY`, the copy `REPLICA`, and from then on follows it; no operation makes a replica the
/// primary. How far it has followed is told by [`Secret::replicas`](super::Secret::replicas). Choosing a KMS key
/// needs the permission `kms:dek:create` as well.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/{secret_name}/replicas",
    permission = "csms:secret:createReplica", needs("kms:cmk:createDataKey"),
    response = CreateSecretReplicaResponseBody,
)]
#[non_exhaustive]
pub struct CreateSecretReplica {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
    /// Region of the replica, one of those that [`ListSupportRegions`] names.
    pub region: String,
    /// Symmetric KMS key that protects the replica in its region; default `csms/default`, made on first use. The
    /// reference's table requires it, its text does not.
    pub kms_key_id: Option<String>,
}

/// Lists the regions that take replicas of secrets.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/csms/replica-regions",
    response = ListSupportRegionsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ListSupportRegions {}

/// Deletes the replica of a secret in one region. With its last replica gone, the secret is `STANDALONE` again.
#[derive(Clone, Debug, Model)]
#[operation(
    DELETE,
    "/v1/{project_id}/secrets/{secret_name}/replicas/{region_name}",
    permission = "csms:secret:deleteReplica",
    idempotent
)]
#[non_exhaustive]
pub struct DeleteSecretReplica {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
    /// Region of the replica.
    pub region_name: String,
}

/// A replica that has been created.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateSecretReplicaResponseBody {
    /// Id of the replica.
    pub replica_id: Option<String>,
}

/// Regions that take replicas.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListSupportRegionsResponseBody {
    /// Ids of the regions, e.g. `cn-north-4`.
    pub regions: Vec<String>,
    /// Number of regions.
    pub total: Option<i64>,
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
    fn a_replica_without_key_is_sent_without_one() {
        let request = CreateSecretReplica::new("demo", "cn-north-9");
        let encoded = encode(CreateSecretReplica::INFO, &Object::Typed(&request), Some("p1"), Validation::On).unwrap();
        assert_eq!(encoded.body.unwrap().expose_secret(), br#"{"region":"cn-north-9"}"#);
    }
}
