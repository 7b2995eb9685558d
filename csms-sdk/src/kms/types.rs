//! What several chapters of KMS share.

use csms_sdk_macros::Model;

/// A tag of a key.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct TagItem {
    /// Key, at most 36 characters: no control characters and none of `*`, `<`, `>`, `\\`, `=`.
    pub key: String,
    /// Value, at most 43 characters; may be empty.
    pub value: Option<String>,
}

/// Where a page stands in its list.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct PageInfo {
    /// To be sent as `marker` for the next page; empty on the last.
    pub next_marker: Option<String>,
    /// Number of items in this page.
    pub current_count: Option<i32>,
}
