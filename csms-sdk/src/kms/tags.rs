//! Key tags: mark keys, and find them by their marks.

use csms_sdk_macros::Model;

use super::{KeyDetails, TagItem};
use crate::operation::{Chapter, Paging, Service};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Key tags" };

/// Adds a tag to a key. A key has at most 20 tags (the API tables say 10). Not for default keys.
#[derive(Clone, Debug, Model)]
#[operation(POST, "/v1.0/{project_id}/kms/{key_id}/tags", permission = "kms:cmkTag:create", idempotent)]
#[non_exhaustive]
pub struct CreateKmsTag {
    /// The key (UUID).
    pub key_id: String,
    /// The tag. The reference does not say what the service does without one.
    pub tag: Option<TagItem>,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Adds several tags to a key, or takes several from it. Not for default keys.
#[derive(Clone, Debug, Model)]
#[operation(POST, "/v1.0/{project_id}/kms/{key_id}/tags/action", permission = "kms:cmkTag:batch", idempotent)]
#[non_exhaustive]
pub struct BatchCreateKmsTags {
    /// The key (UUID).
    pub key_id: String,
    /// Whether to add or to take away.
    pub action: TagAction,
    /// The tags, 1 to 20.
    #[field(check(Items(1, 20)))]
    pub tags: Vec<TagItem>,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Lists the tags of a key.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1.0/{project_id}/kms/{key_id}/tags",
    permission = "kms:cmk:getTags", role = "kms:cmkTag:list",
    response = ShowKmsTagsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowKmsTags {
    /// The key (UUID).
    pub key_id: String,
}

/// Lists every tag key that is in use in the project, with its values.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1.0/{project_id}/kms/tags",
    permission = "kms:cmkTag:list",
    response = ListKmsTagsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ListKmsTags {}

/// Lists or counts the keys that have certain tags or a certain name.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/{resource_instances}/action",
    permission = "kms:cmkTag:listInstance",
    response = ListKmsByTagsResponseBody,
    paging = Paging::Offset { items: "resources", total: Some("total_count"), size: 10 },
    item = ActionResources,
    idempotent,
)]
#[non_exhaustive]
pub struct ListKmsByTags {
    /// Always the text `resource_instances`; the reference has it as a parameter, but knows no other value.
    pub resource_instances: String,
    /// Whether to list the keys or only to count them.
    pub action: Option<TagQueryAction>,
    /// At most 10 tags; a key has to have each of them, with any one of its values.
    #[field(check(Items(1, 10)))]
    pub tags: Option<Vec<Tag>>,
    /// Search by name: `resource_name` for `key`, and for `value` part of the name, 1 to 255 characters.
    #[field(check(Items(0, 10)))]
    pub matches: Option<Vec<TagItem>>,
    /// Most keys of a page, 1 to 1000; default 10. Not to be sent when counting.
    #[field(text, check(Range(1, 1000)))]
    pub limit: Option<i32>,
    /// Number of keys to skip; default 0. Not to be sent when counting.
    #[field(text)]
    pub offset: Option<i32>,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Takes a tag from a key.
#[derive(Clone, Debug, Model)]
#[operation(DELETE, "/v1.0/{project_id}/kms/{key_id}/tags/{key}", permission = "kms:cmkTag:delete", idempotent)]
#[non_exhaustive]
pub struct DeleteTag {
    /// The key (UUID) that has the tag.
    pub key_id: String,
    /// Key of the tag, as it is: it is percent-encoded here.
    pub key: String,
}

/// Tags of a key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ShowKmsTagsResponseBody {
    /// The tags.
    pub tags: Vec<TagItem>,
    /// Number of tags.
    #[field(name = "existTagsNum")]
    pub exist_tags_num: Option<i32>,
}

/// Tags of a project.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListKmsTagsResponseBody {
    /// One for each tag key.
    pub tags: Vec<Tag>,
}

/// A tag key with several values.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct Tag {
    /// Key, 1 to 36 characters: no control characters and none of `*`, `<`, `>`, `\\`, `=`.
    pub key: Option<String>,
    /// Values, 1 to 10 of at most 43 characters each.
    #[field(check(Items(1, 10)))]
    pub values: Option<Vec<String>>,
}

/// One page of keys, or their number.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListKmsByTagsResponseBody {
    /// The keys; empty when counting.
    pub resources: Vec<ActionResources>,
    /// Number of keys that match, those of other pages included.
    pub total_count: Option<i32>,
}

/// A key that matches.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ActionResources {
    /// Id of the key.
    pub resource_id: Option<String>,
    /// Details of the key.
    pub resource_detail: Option<KeyDetails>,
    /// Name of the key.
    pub resource_name: Option<String>,
    /// Tags of the key.
    pub tags: Vec<TagItem>,
}

/// What to do with tags.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum TagAction {
    /// Add them.
    #[wire("create")]
    Create,
    /// Take them away.
    #[wire("delete")]
    Delete,
    /// An action that is not known here yet.
    Other(String),
}

/// What to do with the keys that match.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum TagQueryAction {
    /// List them, page by page.
    #[wire("filter")]
    Filter,
    /// Count them.
    #[wire("count")]
    Count,
    /// An action that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::{kms::KeyState, time::Timestamp};

    #[test]
    fn details_may_come_in_a_list_and_with_real_numbers_and_flags() {
        let page: ListKmsByTagsResponseBody = serde_json::from_str(
            r#"{"resources":[{"resource_detail":[{"creation_date":1521449277000,"default_key_flag":0,
                "expiration_time":"","key_rotation_enabled":false,"key_state":2,"key_type":1}]}],"total_count":"1"}"#,
        )
        .unwrap();
        assert_eq!(page.total_count, Some(1));
        let key = page.resources[0].resource_detail.as_ref().unwrap();
        assert_eq!(key.creation_date, Some(Timestamp::from_millis(1_521_449_277_000)));
        assert_eq!((key.default_key_flag, key.key_rotation_enabled), (Some(false), Some(false)));
        assert_eq!((key.key_state.as_ref(), key.key_type), (Some(&KeyState::Enabled), Some(1)));
        assert_eq!(key.expiration_time, None);
    }

    #[test]
    fn details_may_come_as_an_object() {
        let page: ListKmsByTagsResponseBody =
            serde_json::from_str(r#"{"resources":[{"resource_detail":{"key_alias":"a"}}]}"#).unwrap();
        assert_eq!(page.resources[0].resource_detail.as_ref().unwrap().key_alias.as_deref(), Some("a"));
    }
}
