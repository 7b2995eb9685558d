//! Secret grants: let users and groups of users use a secret or a group of secrets.
//!
//! Only the API definitions have this chapter, and they contradict themselves: times are declared as numbers and
//! printed as `2022-11-09 16:37:24` without a zone, so they stay text here, whichever the service sends.

use csms_sdk_macros::Model;

use crate::operation::{Chapter, Service};

const CHAPTER: Chapter = Chapter { service: Service::Csms, group: "Secret grants" };

/// Grants a user or group the use of a secret. Not in the published reference, so it may change.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/csms/grants",
    response = GrantResponse,
)]
#[non_exhaustive]
pub struct CreateGrants {
    /// Id of the secret or group of secrets.
    pub resource_id: String,
    /// What `resource_id` stands for.
    pub r#type: GrantResourceType,
    /// Id of the user or group that is to have the grant, at most 64 characters.
    pub grantee_target_id: String,
    /// What `grantee_target_id` stands for.
    pub grantee_type: GranteeType,
    /// Last day of the grant, as `YYYY-MM-DD`; without it the grant does not end.
    pub validity_time: Option<String>,
}

/// Lists who has been granted the use of a secret. Not in the published reference, so it may change.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/csms/grants",
    response = ListGrantsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ListGrants {
    /// Id of the secret or group of secrets.
    pub resource_id: String,
}

/// Changes a grant. Not in the published reference, so it may change.
#[derive(Clone, Debug, Model)]
#[operation(
    PUT, "/v1/{project_id}/csms/grants",
    response = GrantResponse,
    idempotent,
)]
#[non_exhaustive]
pub struct UpdateGrant {
    /// Id of the secret or group of secrets.
    #[field(query, body)]
    pub resource_id: String,
    /// What `resource_id` stands for.
    pub r#type: GrantResourceType,
    /// Id of the user or group that has the grant, at most 64 characters.
    pub grantee_target_id: String,
    /// What `grantee_target_id` stands for.
    pub grantee_type: GranteeType,
    /// New last day of the grant, as `YYYY-MM-DD`.
    pub validity_time: Option<String>,
}

/// Takes the use of a secret away again. Not in the published reference, so it may change.
///
/// What the service does without a `grantee_user` is not documented.
#[derive(Clone, Debug, Model)]
#[operation(DELETE, "/v1/{project_id}/csms/grants", idempotent)]
#[non_exhaustive]
pub struct DeleteGrant {
    /// Id of the secret or group of secrets.
    pub resource_id: String,
    /// Id of the user that loses the grant.
    pub grantee_user: Option<String>,
}

/// Answer with one grant.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GrantResponse {
    /// The grant.
    pub data: Option<GrantData>,
}

/// A grant.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GrantData {
    /// Id of the grant; known to be there when a person has it.
    pub uuid: Option<String>,
    /// Id of the secret or group of secrets.
    #[field(name = "resourceId", alias = "resource_id")]
    pub resource_id: Option<String>,
    /// What `resource_id` stands for.
    pub r#type: Option<GrantResourceType>,
    /// Id of who has it.
    #[field(name = "granteeUser", alias = "grantee_user")]
    pub grantee_user: Option<String>,
    /// State from 0 to 16; the meanings are not documented.
    pub state: Option<i32>,
    /// Signature; may be empty.
    pub signature: Option<String>,
    /// When it was made: text without a zone, or digits.
    #[field(name = "createTime", alias = "create_time")]
    pub create_time: Option<String>,
    /// When it last changed: text without a zone, or digits.
    #[field(name = "updateTime", alias = "update_time")]
    pub update_time: Option<String>,
    /// When it ends: text without a zone, or digits; `None` if never.
    #[field(name = "validityTime", alias = "validity_time")]
    pub validity_time: Option<String>,
}

/// Who may use a secret.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListGrantsResponseBody {
    /// The secret and who may use it.
    pub data: Option<GrantDTO>,
}

/// A secret or group of secrets, and who may use it.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GrantDTO {
    /// Documented as the id of the grant; the example has that of the secret.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Whether it is a secret or a group.
    pub r#type: Option<GrantResourceType>,
    /// Who may use it.
    #[field(alias = "granteeUser")]
    pub grantee_user: Vec<GrantUserInfo>,
    /// When it was made: text without a zone, or digits.
    #[field(alias = "createTime")]
    pub create_time: Option<String>,
    /// When it last changed: text without a zone, or digits.
    #[field(alias = "updateTime")]
    pub update_time: Option<String>,
}

/// A user or group that may use a secret.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GrantUserInfo {
    /// Id of the user or group.
    #[field(alias = "userId")]
    pub user_id: Option<String>,
    /// Name of the user or group; the example has the text `null`.
    #[field(alias = "userName")]
    pub user_name: Option<String>,
    /// When it was granted: text without a zone, or digits.
    #[field(alias = "createTime")]
    pub create_time: Option<String>,
    /// When the grant ends: text without a zone, or digits; `None` if never.
    #[field(alias = "validityTime")]
    pub validity_time: Option<String>,
}

/// What a grant is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum GrantResourceType {
    /// A secret.
    #[wire("SECRET")]
    Secret,
    /// A group of secrets.
    #[wire("GROUP")]
    Group,
    /// A kind that is not known here yet. One example spells `group` in lower case.
    Other(String),
}

/// Who has a grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum GranteeType {
    /// A user.
    #[wire("0")]
    User,
    /// A group of users.
    #[wire("2")]
    Group,
    /// A kind that is not known here yet.
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
    fn grants_are_read_in_camel_and_snake_case() {
        let camel = r#"{"data": {"resourceId": "r", "granteeUser": "u", "createTime": "c", "updateTime": "d",
            "validityTime": "e"}}"#;
        let snake = r#"{"data": {"resource_id": "r", "grantee_user": "u", "create_time": "c", "update_time": "d",
            "validity_time": "e"}}"#;
        let [camel, snake] = [camel, snake].map(|json| serde_json::from_str::<GrantResponse>(json).unwrap());
        assert_eq!(camel.data.as_ref().unwrap().validity_time.as_deref(), Some("e"));
        assert_eq!(camel, snake);

        let camel = r#"{"granteeUser": [{"userId": "u", "userName": "n", "createTime": "c", "validityTime": "e"}],
            "createTime": "c", "updateTime": "d"}"#;
        let snake = r#"{"grantee_user": [{"user_id": "u", "user_name": "n", "create_time": "c", "validity_time": "e"}],
            "create_time": "c", "update_time": "d"}"#;
        let [camel, snake] = [camel, snake].map(|json| serde_json::from_str::<GrantDTO>(json).unwrap());
        assert_eq!(camel.grantee_user[0].user_id.as_deref(), Some("u"));
        assert_eq!(camel, snake);
    }

    #[test]
    fn grant_times_are_read_from_text_and_number() {
        let json = r#"{"createTime": "2022-11-09 16:37:24", "updateTime": 1667983044000, "validityTime": null}"#;
        let grant: GrantData = serde_json::from_str(json).unwrap();
        assert_eq!(grant.create_time.as_deref(), Some("2022-11-09 16:37:24"));
        assert_eq!(grant.update_time.as_deref(), Some("1667983044000"));
        assert_eq!(grant.validity_time, None);
    }

    #[test]
    fn granted_data_is_read_from_an_object_and_a_list() {
        for json in [r#"{"data": {"id": "r"}}"#, r#"{"data": [{"id": "r"}]}"#] {
            let answer: ListGrantsResponseBody = serde_json::from_str(json).unwrap();
            assert_eq!(answer.data.unwrap().id.as_deref(), Some("r"), "{json}");
        }
    }

    #[test]
    fn update_grant_sends_ids_as_text_and_the_resource_twice() {
        let input = serde_json::json!({"resource_id": 21, "type": "SECRET", "grantee_target_id": 5, "grantee_type": 0});
        let request = Object::Json(UpdateGrant::SHAPE, input.as_object().unwrap());
        let encoded = encode(UpdateGrant::INFO, &request, Some("p1"), Validation::On).unwrap();
        assert_eq!(encoded.query, "resource_id=21");
        assert_eq!(
            encoded.body.unwrap().expose_secret(),
            br#"{"resource_id":"21","type":"SECRET","grantee_target_id":"5","grantee_type":"0"}"#
        );
    }
}
