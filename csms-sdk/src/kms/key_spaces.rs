//! Key spaces: what access points and key policies belong to.

use csms_sdk_macros::Model;
use serde_json::{Map, Value};

use super::PageInfo;
use crate::operation::{Chapter, Paging, Service};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Key spaces" };

/// Creates a key space, to which access points and key policies are then added.
///
/// Documented since 2026-11 only.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/key-spaces",
    response = CreateTrustedKeySpaceResponseBody,
    success = 201,
)]
#[non_exhaustive]
pub struct CreateTrustedKeySpace {
    /// Name, 1 to 255 characters.
    pub keyspace_name: String,
    /// Where its keys live; default `1`, the default keystore.
    pub r#type: Option<KeySpaceType>,
    /// Keystore of that type. Needed for the types `2` and `3`.
    pub keystore_id: Option<String>,
    /// Description.
    pub description: Option<String>,
}

/// Lists the project's key spaces.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1.0/{project_id}/kms/key-spaces",
    response = ListTrustedKeySpaceResponseBody,
    paging = Paging::Marker { items: "keyspaces", next: "page_info.next_marker", more: None, size: None },
    item = TrustedKeySpace,
    idempotent,
)]
#[non_exhaustive]
pub struct ListTrustedKeySpace {
    /// Most key spaces of a page, 1 to 100; default 50.
    #[field(check(Range(1, 100)))]
    pub limit: Option<i32>,
    /// `next_marker` of the page before (UUID).
    pub marker: Option<String>,
    /// Only this key space (UUID).
    pub keyspace_id: Option<String>,
    /// Only key spaces whose keys live here.
    pub r#type: Option<KeySpaceType>,
}

/// Deletes a key space.
#[derive(Clone, Debug, Model)]
#[operation(DELETE, "/v1.0/{project_id}/kms/key-spaces/{key_space_id}", idempotent)]
#[non_exhaustive]
pub struct DeleteTrustedKeySpace {
    /// Id of the key space (UUID); everywhere else it is called `keyspace_id`.
    pub key_space_id: String,
}

/// The key space that was created.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateTrustedKeySpaceResponseBody {
    /// Id of the key space (UUID).
    pub keyspace_id: Option<String>,
}

/// One page of key spaces.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListTrustedKeySpaceResponseBody {
    /// The key spaces.
    pub keyspaces: Vec<TrustedKeySpace>,
    /// Where the next page begins.
    pub page_info: Option<PageInfo>,
}

/// A key space, as far as its members are published.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct TrustedKeySpace {
    /// Id (UUID).
    pub keyspace_id: Option<String>,
    /// Name.
    pub keyspace_name: Option<String>,
    /// Whatever else the service tells; the names of these members are not published.
    #[field(rest)]
    pub other: Map<String, Value>,
}

/// Where the keys of a key space live.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum KeySpaceType {
    /// In the default keystore.
    #[wire("1")]
    Default,
    /// In a dedicated HSM cluster.
    #[wire("2")]
    DedicatedHsm,
    /// In an external keystore.
    #[wire("3")]
    External,
    /// A type that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn unknown_members_of_a_key_space_are_kept() {
        let json = r#"{"keyspaces":[{"keyspace_id":"k","type":2,"state":"x"}]}"#;
        let page: ListTrustedKeySpaceResponseBody = serde_json::from_str(json).unwrap();
        assert_eq!(page.keyspaces[0].keyspace_id.as_deref(), Some("k"));
        assert_eq!(page.keyspaces[0].other["type"], 2);
        assert_eq!(page.keyspaces[0].other["state"], "x");
    }
}
