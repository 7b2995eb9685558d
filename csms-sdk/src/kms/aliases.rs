//! Aliases: further names of keys, which can be pointed at another key.
//!
//! Not to be mixed up with `key_alias`, the one name that a key itself has.

use csms_sdk_macros::Model;

use super::PageInfo;
use crate::{
    operation::{Chapter, Paging, Service},
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Aliases" };

/// Creates an alias of a key. A key can have 50.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/aliases",
    response = AliasEntity,
    success = 201,
)]
#[non_exhaustive]
pub struct CreateAlias {
    /// The alias, unique in the account and region; cannot be changed later. The reference's example is `kms-1234`,
    /// other clients want `alias/…`.
    pub alias: String,
    /// Key it points to (UUID).
    pub key_id: String,
}

/// Lists aliases, of one key or of all.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1.0/{project_id}/kms/aliases",
    response = ListAliasResponseBody,
    paging = Paging::Marker { items: "aliases", next: "page_info.next_marker", more: None, size: None },
    item = AliasEntity,
    idempotent,
)]
#[non_exhaustive]
pub struct ListAliases {
    /// Only aliases of this key (UUID).
    pub key_id: Option<String>,
    /// Most aliases of a page.
    pub limit: Option<i32>,
    /// `next_marker` of the page before.
    pub marker: Option<String>,
}

/// Points an existing alias at another key.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/alias/associate",
    response = AliasEntity,
    idempotent,
)]
#[non_exhaustive]
pub struct AssociateAlias {
    /// The alias.
    pub alias: String,
    /// Key it shall point to (UUID).
    pub target_key_id: String,
}

/// Deletes aliases of a key; the key stays. Its fields go in a body, although it is a DELETE.
#[derive(Clone, Debug, Model)]
#[operation(DELETE, "/v1.0/{project_id}/kms/aliases", idempotent)]
#[non_exhaustive]
pub struct DeleteAlias {
    /// Key they point to (UUID).
    #[field(body)]
    pub key_id: String,
    /// The aliases.
    #[field(body)]
    pub aliases: Vec<String>,
}

/// An alias.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AliasEntity {
    /// The alias.
    pub alias: Option<String>,
    /// Its resource name: `kms:<region>:<account>:alias:<alias>`.
    pub alias_urn: Option<String>,
    /// Key it points to (UUID).
    pub key_id: Option<String>,
    /// Account that owns it.
    pub domain_id: Option<String>,
    /// When it was created.
    #[field(rfc3339)]
    pub create_time: Option<Timestamp>,
    /// When it was last pointed elsewhere.
    #[field(rfc3339)]
    pub update_time: Option<Timestamp>,
}

/// One page of aliases. Declared as the item of a list, shown by itself; both are read.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListAliasResponseBody {
    /// The aliases.
    pub aliases: Vec<AliasEntity>,
    /// Where the next page begins.
    pub page_info: Option<PageInfo>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn a_page_of_aliases_may_stand_in_a_list() {
        let page = r#"{"aliases":[{"alias":"a"}],"page_info":{"next_marker":"m","current_count":1}}"#;
        for json in [page.to_owned(), format!("[{page}]")] {
            let page: ListAliasResponseBody = serde_json::from_str(&json).unwrap();
            assert_eq!(page.aliases[0].alias.as_deref(), Some("a"), "{json}");
            assert_eq!(page.page_info.unwrap().next_marker.as_deref(), Some("m"), "{json}");
        }
        assert_eq!(serde_json::from_str::<ListAliasResponseBody>("[]").unwrap(), ListAliasResponseBody::default());
    }
}
