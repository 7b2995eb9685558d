//! Users of CSMS: list, read, and change a password.
//!
//! Only the API definitions have this chapter. The two answers declare the same fields with different types, so
//! numbers and flags are read from text as well. Times have no zone and stay text, e.g. `2022-03-31 16:46:02.964`.

use csms_sdk_macros::Model;
use serde_json::Value;

use crate::{
    operation::{Chapter, Paging, Service},
    secret::SecretString,
};

const CHAPTER: Chapter = Chapter { service: Service::Csms, group: "Users" };

/// Lists the users of CSMS. Not in the published reference, so it may change.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/csms/users",
    response = UsersListResponse,
    paging = Paging::Page { items: "users", number: "offset", first: 0, size: "limit", total: Some("total") },
    item = UsersDetailsResult,
    idempotent,
)]
#[non_exhaustive]
pub struct ListUsers {
    /// Number of the page, from 0; not a number of users.
    pub offset: i32,
    /// Most users of a page, 10 to 100.
    #[field(check(Range(10, 100)))]
    pub limit: i32,
    /// Only users of this organisation; default all.
    pub org_id: Option<String>,
    /// Only users whose names resemble this, at most 64 characters.
    pub user_info: Option<String>,
}

/// Reads a user. Not in the published reference, so it may change.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/csms/users/{user_id}",
    response = QueryUserResponse,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowUserDetail {
    /// Id of the user.
    pub user_id: String,
}

/// Replaces a user's password. Not in the published reference, so it may change.
///
/// The request does not name the user; the answer tells whose password it was.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/csms/users/change-password",
    response = UserIdResponse,
)]
#[non_exhaustive]
pub struct UpdateUserPassword {
    /// The password until now.
    pub old_password: SecretString,
    /// The password from now on.
    pub password: SecretString,
}

/// One page of users.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UsersListResponse {
    /// Number of all users.
    pub total: Option<i64>,
    /// The users.
    pub users: Vec<UsersDetailsResult>,
}

/// A user as a list shows it.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UsersDetailsResult {
    /// Id.
    pub user_id: Option<String>,
    /// Name of the user; `name` is the full one.
    pub user_name: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Number of the mobile phone.
    pub mobile: Option<String>,
    /// Organisation of the user.
    pub org_id: Option<String>,
    /// All organisations of the user.
    pub user_org_relation_list: Vec<UserOrgRelationListResult>,
    /// Whether the user is disabled.
    #[field(text)]
    pub disabled: Option<bool>,
    /// Whether the user is locked.
    #[field(text)]
    pub locked: Option<bool>,
    /// Grade of trust; the scale is not documented.
    #[field(text)]
    pub grade: Option<i64>,
    /// Attributes of one's own: an object, or JSON text.
    pub extension: Option<Value>,
    /// Whether the password has to be changed at the first login.
    pub pwd_must_modify: Option<bool>,
    /// When the password was last changed, without zone.
    pub pwd_change_at: Option<String>,
    /// When the user was created, without zone.
    pub created_at: Option<String>,
    /// When the user last changed, without zone.
    pub updated_at: Option<String>,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct QueryUserResponse {
    /// Id.
    pub user_id: Option<String>,
    /// Name of the user; `name` is the full one.
    pub user_name: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Number of the mobile phone.
    pub mobile: Option<String>,
    /// Account the user belongs to.
    pub domain_id: Option<String>,
    /// Organisation of the user.
    pub org_id: Option<String>,
    /// All organisations of the user.
    pub user_org_relation_list: Vec<UserOrgRelationListResult>,
    /// Whether the user is disabled.
    pub disabled: Option<bool>,
    /// Whether the user is locked.
    #[field(text)]
    pub locked: Option<bool>,
    /// Grade of trust; the scale is not documented.
    pub grade: Option<i64>,
    /// Attributes of one's own: an object, or JSON text.
    pub extension: Option<Value>,
    /// Whether the password has to be changed at the first login.
    pub pwd_must_modify: Option<bool>,
    /// When the password was last changed, without zone.
    pub pwd_change_at: Option<String>,
    /// When the user was created, without zone.
    pub created_at: Option<String>,
    /// When the user last changed, without zone.
    pub updated_at: Option<String>,
}

/// A user's place in an organisation.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UserOrgRelationListResult {
    /// The organisation.
    pub org_id: Option<String>,
    /// Kind of relation, e.g. `0`, `1` or `1F`; the meanings are not documented.
    pub relation_type: Option<String>,
}

/// Answer that names a user.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UserIdResponse {
    /// Id of the user.
    pub user_id: Option<String>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    const AS_TEXT: &str = r#"{"disabled": "false", "locked": "true", "grade": "1", "extension": "{}",
        "user_org_relation_list": [{"relation_type": "0"}]}"#;
    const AS_PRINTED: &str = r#"{"disabled": false, "locked": true, "grade": 1, "extension": {},
        "user_org_relation_list": [{"relation_type": 0}]}"#;

    #[test]
    fn scalars_of_users_are_read_in_any_form() {
        for json in [AS_TEXT, AS_PRINTED] {
            let listed: UsersDetailsResult = serde_json::from_str(json).unwrap();
            assert_eq!((listed.disabled, listed.locked, listed.grade), (Some(false), Some(true), Some(1)));
            assert_eq!(listed.user_org_relation_list[0].relation_type.as_deref(), Some("0"));
            assert!(listed.extension.is_some());

            let shown: QueryUserResponse = serde_json::from_str(json).unwrap();
            assert_eq!((shown.disabled, shown.locked, shown.grade), (Some(false), Some(true), Some(1)));
            assert_eq!(
                (shown.extension, shown.user_org_relation_list),
                (listed.extension, listed.user_org_relation_list)
            );
        }
    }

    #[test]
    fn times_of_users_stay_text() {
        let user: QueryUserResponse = serde_json::from_str(r#"{"created_at": "2022-03-31 16:46:02.964"}"#).unwrap();
        assert_eq!(user.created_at.as_deref(), Some("2022-03-31 16:46:02.964"));
    }
}
