//! Multi-region keys: copies of one key in several regions.

use csms_sdk_macros::Model;

use super::TagItem;
use crate::operation::{Chapter, Paging, Service};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Multi-region keys" };

/// Lists the regions that keys can be replicated to.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v2/{project_id}/kms/regions",
    response = ListSupportRegionsResponseBody,
    paging = Paging::Offset { items: "regions", total: None, size: 10 },
    item = String,
    idempotent,
)]
#[non_exhaustive]
pub struct ListSupportRegions {
    /// Most regions of a page; default 10. A shorter page is the last: no total is answered.
    pub limit: Option<i32>,
    /// Number of regions to skip.
    pub offset: Option<i32>,
}

/// Copies a multi-region key to another region.
///
/// The copy is read-only there (KMS.0106), takes no imported key material (KMS.1404) and costs as much as the
/// primary key. The reference does not tell how a key is made a multi-region key.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v2/{project_id}/kms/keys/{key_id}/replicate",
    permission = "kms:cmk:replicate",
    response = ReplicateKeyResponseBody,
)]
#[non_exhaustive]
pub struct ReplicateKey {
    /// Id (UUID) of the key to copy.
    #[field(path, body)]
    pub key_id: String,
    /// Region for the copy, e.g. `cn-north-4`.
    pub replica_region: String,
    /// Alias for the copy, 1 to 255 characters.
    pub key_alias: String,
    /// Id of the project for the copy, in the region of the copy.
    pub replica_project_id: String,
    /// Description of the copy, 1 to 255 characters.
    pub key_description: Option<String>,
    /// Tags of the copy, 1 to 20.
    #[field(check(Items(1, 20)))]
    pub tags: Option<Vec<TagItem>>,
    /// Enterprise project of the copy; `0` is the default one. Needed by callers who may not create anything in
    /// the default one.
    pub enterprise_project_id: Option<String>,
}

/// Makes the copy in another region the primary key, and the key in this region a copy.
#[derive(Clone, Debug, Model)]
#[operation(
    PUT, "/v2/{project_id}/kms/keys/{key_id}/update-primary-region",
    permission = "kms:cmk:updatePrimaryRegion",
    response = UpdatePrimaryRegionResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct UpdatePrimaryRegion {
    /// Id (UUID) of the key.
    #[field(path, body)]
    pub key_id: String,
    /// Region that is to hold the primary key, e.g. `cn-north-4`.
    pub primary_region: String,
}

/// One page of regions.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListSupportRegionsResponseBody {
    /// Ids of the regions, e.g. `cn-north-4`.
    pub regions: Vec<String>,
}

/// A copy of a key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ReplicateKeyResponseBody {
    /// Id of the copy.
    pub key_id: Option<String>,
    /// Account that owns it.
    pub domain_id: Option<String>,
    /// Region it lives in.
    pub region: Option<String>,
}

/// Where the primary key is now.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UpdatePrimaryRegionResponseBody {
    /// Id of the key.
    pub key_id: Option<String>,
    /// Region of the primary key.
    pub primary_region: Option<String>,
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
    fn the_key_is_named_in_path_and_body() {
        let request = UpdatePrimaryRegion::new("k1", "cn-north-4");
        let encoded = encode(UpdatePrimaryRegion::INFO, &Object::Typed(&request), Some("p1"), Validation::On).unwrap();
        assert_eq!(encoded.path, "/v2/p1/kms/keys/k1/update-primary-region");
        assert_eq!(encoded.body.unwrap().expose_secret(), br#"{"key_id":"k1","primary_region":"cn-north-4"}"#);
    }
}
