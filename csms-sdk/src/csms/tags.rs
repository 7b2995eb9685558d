//! Secret tags: mark secrets with keys and values, and find them by these.
//!
//! Tags are addressed by the secret's id, not by its name. A secret has at most 20.

use csms_sdk_macros::Model;

use super::Secret;
use crate::operation::{Chapter, Paging, Service};

const CHAPTER: Chapter = Chapter { service: Service::Csms, group: "Secret tags" };

/// Puts a tag on a secret.
#[derive(Clone, Debug, Model)]
#[operation(
    POST,
    "/v1/{project_id}/csms/{secret_id}/tags",
    permission = "csms:secret:createTag",
    role = "csms:tag:create",
    idempotent
)]
#[non_exhaustive]
pub struct CreateSecretTag {
    /// Id of the secret (UUID), not its name.
    pub secret_id: String,
    /// The tag.
    pub tag: TagItem,
}

/// Puts several tags on a secret, or takes several from it.
#[derive(Clone, Debug, Model)]
#[operation(
    POST,
    "/v1/{project_id}/csms/{secret_id}/tags/action",
    permission = "csms:secret:batchCreateOrDeleteTags",
    role = "csms:tag:batch",
    idempotent
)]
#[non_exhaustive]
pub struct BatchCreateOrDeleteTags {
    /// Id of the secret (UUID), not its name.
    pub secret_id: String,
    /// What to do with the tags.
    pub action: TagAction,
    /// The tags, 1 to 20.
    #[field(check(Items(1, 20)))]
    pub tags: Vec<TagItem>,
    /// Id of this request, 36 characters; never sent back.
    pub sequence: Option<String>,
}

/// Lists the tags of a secret.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/csms/{secret_id}/tags",
    permission = "csms:secret:listTags", role = "csms:tag:getBySecret",
    response = ListSecretTagsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ListSecretTags {
    /// Id of the secret (UUID), not its name.
    pub secret_id: String,
}

/// Lists all tags that the project's secrets carry.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/csms/tags",
    permission = "csms::listProjectTags", role = "csms:tag:getAll",
    response = ListProjectSecretsTagsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ListProjectSecretsTags {}

/// Lists or counts the secrets that fulfil conditions on tags and name, without their values.
///
/// Every condition has to be fulfilled; of the values within one, any will do.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/csms/{resource_instances}/action",
    response = ListResourceByTagsResponse,
    paging = Paging::Offset { items: "resources", total: Some("total_count"), size: 10 },
    item = ActionResources,
    idempotent,
)]
#[non_exhaustive]
pub struct ListResourceInstances {
    /// Always `resource_instances`: the reference prints this segment of the path as a parameter.
    pub resource_instances: String,
    /// Whether to list or to count.
    pub action: QueryAction,
    /// Conditions on tags, 1 to 10.
    #[field(check(Items(1, 10)))]
    pub tags: Option<Vec<Tag>>,
    /// Conditions on the name, at most 10.
    #[field(check(Items(0, 10)))]
    pub matches: Option<Vec<TagMatches>>,
    /// Most secrets of a page, 1 to 1000; default 10. Not for `count`.
    #[field(text, check(Range(1, 1000)))]
    pub limit: Option<i32>,
    /// Number of secrets to skip; default 0. Not for `count`.
    #[field(text)]
    pub offset: Option<i32>,
    /// Id of this request, 36 characters; never sent back.
    pub sequence: Option<String>,
}

/// Takes a tag from a secret.
#[derive(Clone, Debug, Model)]
#[operation(
    DELETE,
    "/v1/{project_id}/csms/{secret_id}/tags/{key}",
    permission = "csms:secret:deleteTag",
    role = "csms:tag:delete",
    idempotent
)]
#[non_exhaustive]
pub struct DeleteSecretTag {
    /// Id of the secret (UUID), not its name.
    pub secret_id: String,
    /// Key of the tag as it is; the path gets it percent-encoded.
    pub key: String,
}

/// A tag of a secret. No two tags of a secret have the same key.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct TagItem {
    /// Key: 1 to 128 letters, digits, spaces or any of `_.:=+-@`. Neither begins nor ends with a space, and does
    /// not begin with `_sys_`.
    pub key: String,
    /// Value: at most 255 letters, digits, spaces or any of `_.:/=+-@`; may be empty.
    pub value: Option<String>,
}

/// A condition: carries a tag of this key and one of these values.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct Tag {
    /// Key, 1 to 128 characters.
    pub key: Option<String>,
    /// Values, at most 10, all different; an empty list stands for any value.
    #[field(check(Items(0, 10)))]
    pub values: Option<Vec<String>>,
}

/// A condition: is named like this.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct TagMatches {
    /// What to look at; only `resource_name` is known.
    pub key: Option<String>,
    /// Text to look for, at most 255 characters; need not be the whole name. An empty one matches nothing.
    pub value: Option<String>,
}

/// Tags of a secret.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListSecretTagsResponseBody {
    /// Tags that users put on it.
    pub tags: Vec<TagItem>,
    /// Tags that the cloud put on it.
    pub sys_tags: Vec<SysTag>,
}

/// A tag that the cloud put on a secret.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct SysTag {
    /// Key, e.g. `_sys_enterprise_project_id`.
    pub key: Option<String>,
    /// Value.
    pub value: Option<String>,
}

/// Tags of all secrets of a project.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListProjectSecretsTagsResponseBody {
    /// The tags by key.
    pub tags: Vec<TagResponse>,
}

/// A key of tags and the values it has.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct TagResponse {
    /// Key.
    pub key: Option<String>,
    /// All values that secrets carry under it.
    pub values: Vec<String>,
}

/// One page of the secrets that fulfil the conditions, or only their number.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListResourceByTagsResponse {
    /// The secrets; empty for `count`.
    pub resources: Vec<ActionResources>,
    /// Number of secrets that fulfil the conditions, on all pages.
    pub total_count: Option<i32>,
}

/// A secret that fulfils the conditions.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ActionResources {
    /// Id of the secret.
    pub resource_id: Option<String>,
    /// Name of the secret.
    pub resource_name: Option<String>,
    /// Metadata of the secret.
    pub resource_detail: Option<Secret>,
    /// Tags that users put on it.
    pub tags: Vec<TagItem>,
    /// Tags that the cloud put on it.
    pub sys_tags: Vec<SysTag>,
}

/// What to do with tags.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum TagAction {
    /// Put them on.
    #[wire("create")]
    Create,
    /// Take them off.
    #[wire("delete")]
    Delete,
    /// Something that is not known here yet.
    Other(String),
}

/// What to do with the secrets that are found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum QueryAction {
    /// List them.
    #[wire("filter")]
    Filter,
    /// Count them.
    #[wire("count")]
    Count,
    /// Something that is not known here yet.
    Other(String),
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
    fn a_secret_may_be_spread_over_entries_of_which_each_has_one_member() {
        let example = r#"{"resources": [
            {"resource_id": "2d1152f2"}, {"resource_detail": {"state": "ENABLED"}}, {"sys_tags": null},
            {"tags": [{"key": "key1", "value": "value1"}]}, {"resource_name": "example_name"}
        ], "total_count": 1}"#;
        let answer = serde_json::from_str::<ListResourceByTagsResponse>(example).unwrap();
        assert_eq!(answer.resources.len(), 5);
        assert_eq!(answer.resources[2], ActionResources::default());
        assert_eq!(answer.resources[4].resource_name.as_deref(), Some("example_name"));
    }

    #[test]
    fn limit_and_offset_of_a_query_are_sent_as_text() {
        let request = ListResourceInstances::new("resource_instances", QueryAction::Filter).limit(20).offset(40);
        let encoded =
            encode(ListResourceInstances::INFO, &Object::Typed(&request), Some("p1"), Validation::On).unwrap();
        assert_eq!(encoded.path, "/v1/p1/csms/resource_instances/action");
        assert_eq!(encoded.body.unwrap().expose_secret(), br#"{"action":"filter","limit":"20","offset":"40"}"#);
    }
}
