//! Key grants: lend operations of a key to users and accounts.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Paging, Service},
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Key grants" };

/// Grants a user or an account operations on a key.
///
/// The key has to be enabled and cannot be a default key (KMS.0211); it has at most 100 grants (KMS.2404).
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/create-grant",
    permission = "kms:cmk:createGrant", role = "kms:grant:create",
    response = CreateGrantResponseBody,
)]
#[non_exhaustive]
pub struct CreateGrant {
    /// Id (UUID) of the key.
    pub key_id: String,
    /// Id of the user or account that receives the grant: 1 to 64 letters or digits.
    pub grantee_principal: String,
    /// What the grantee may do, 1 to 10 operations. `create-grant` cannot stand alone (KMS.2401).
    #[field(check(Items(1, 10)))]
    pub operations: Vec<GrantOperation>,
    /// What `grantee_principal` is; default `user`.
    pub grantee_principal_type: Option<PrincipalType>,
    /// Id of a user that may retire the grant: 1 to 64 letters or digits.
    pub retiring_principal: Option<String>,
    /// Name: 1 to 255 letters, digits, `:`, `/`, `_` or `-`.
    pub name: Option<String>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Lists the grants of a key.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/list-grants",
    permission = "kms:grant:list",
    response = ListGrantsResponseBody,
    paging = Paging::Marker { items: "grants", next: "next_marker", more: Some("truncated"), size: None },
    item = Grants,
    idempotent,
)]
#[non_exhaustive]
pub struct ListGrants {
    /// Id (UUID) of the key.
    pub key_id: String,
    /// Most grants of a page.
    #[field(text)]
    pub limit: Option<i32>,
    /// `next_marker` of the page before: a position in the list.
    pub marker: Option<String>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Lists the grants that the caller may retire, of all keys.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/list-retirable-grants",
    permission = "kms:grant:list",
    response = ListRetirableGrantsResponseBody,
    paging = Paging::Marker { items: "grants", next: "next_marker", more: Some("truncated"), size: None },
    item = Grants,
    idempotent,
)]
#[non_exhaustive]
pub struct ListRetirableGrants {
    /// Most grants of a page.
    #[field(text)]
    pub limit: Option<i32>,
    /// `next_marker` of the page before: a position in the list.
    pub marker: Option<String>,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Revokes a grant, as the owner of the key.
///
/// Grants that the grantee has given on by it remain.
#[derive(Clone, Debug, Model)]
#[operation(POST, "/v1.0/{project_id}/kms/revoke-grant", permission = "kms:grant:revoke", success = 200, idempotent)]
#[non_exhaustive]
pub struct CancelGrant {
    /// Id (UUID) of the key.
    pub key_id: String,
    /// Id of the grant: 64 hexadecimal digits. Has to be one of the key's (KMS.2502).
    pub grant_id: String,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// Retires a grant, as one who is done with it.
///
/// For the grant's creator, its `retiring_principal`, and its grantee if `retire-grant` was granted. Grants that
/// the grantee has given on by it remain.
#[derive(Clone, Debug, Model)]
#[operation(
    POST,
    "/v1.0/{project_id}/kms/retire-grant",
    permission = "kms:cmk:retireGrant",
    role = "kms:grant:retire",
    success = 200,
    idempotent
)]
#[non_exhaustive]
pub struct CancelSelfGrant {
    /// Id (UUID) of the key.
    pub key_id: String,
    /// Id of the grant: 64 hexadecimal digits. Has to be one of the key's (KMS.2502).
    pub grant_id: String,
    /// Serial number of the request, 36 characters (a UUID); the answer does not repeat it.
    pub sequence: Option<String>,
}

/// A new grant.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateGrantResponseBody {
    /// Id of the grant: 64 hexadecimal digits.
    pub grant_id: Option<String>,
}

/// One page of a key's grants.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListGrantsResponseBody {
    /// The grants.
    pub grants: Vec<Grants>,
    /// To be sent as `marker` for the next page; empty on the last.
    pub next_marker: Option<String>,
    /// Whether more pages follow.
    #[field(text)]
    pub truncated: Option<bool>,
    /// Number of all grants.
    pub total: Option<i32>,
}

/// One page of the grants that the caller may retire.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListRetirableGrantsResponseBody {
    /// The grants.
    pub grants: Vec<Grants>,
    /// To be sent as `marker` for the next page; empty on the last.
    pub next_marker: Option<String>,
    /// Whether more pages follow.
    #[field(text)]
    pub truncated: Option<bool>,
    /// Number of all grants.
    pub total: Option<i32>,
}

/// One grant, for all its name.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Grants {
    /// Id of the grant: 64 hexadecimal digits.
    pub grant_id: Option<String>,
    /// Id of the key.
    pub key_id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Id of the user or account that received it.
    pub grantee_principal: Option<String>,
    /// What `grantee_principal` is.
    pub grantee_principal_type: Option<PrincipalType>,
    /// What the grantee may do.
    pub operations: Vec<GrantOperation>,
    /// Id of the user that made it.
    pub issuing_principal: Option<String>,
    /// Id of the user that may retire it.
    pub retiring_principal: Option<String>,
    /// When it was made.
    #[field(text)]
    pub creation_date: Option<Timestamp>,
}

/// Who receives a grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum PrincipalType {
    /// A user.
    #[wire("user")]
    User,
    /// An account.
    #[wire("domain")]
    Domain,
    /// A kind that is not known here yet.
    Other(String),
}

/// An operation that can be granted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum GrantOperation {
    /// [`CreateDatakey`](super::CreateDatakey).
    #[wire("create-datakey")]
    CreateDatakey,
    /// [`CreateDatakeyWithoutPlaintext`](super::CreateDatakeyWithoutPlaintext).
    #[wire("create-datakey-without-plaintext")]
    CreateDatakeyWithoutPlaintext,
    /// [`EncryptDatakey`](super::EncryptDatakey).
    #[wire("encrypt-datakey")]
    EncryptDatakey,
    /// [`DecryptDatakey`](super::DecryptDatakey).
    #[wire("decrypt-datakey")]
    DecryptDatakey,
    /// [`EncryptData`](super::EncryptData).
    #[wire("encrypt-data")]
    EncryptData,
    /// [`DecryptData`](super::DecryptData).
    #[wire("decrypt-data")]
    DecryptData,
    /// Reading the key's details.
    #[wire("describe-key")]
    DescribeKey,
    /// [`CreateGrant`]: giving the grant on.
    #[wire("create-grant")]
    CreateGrant,
    /// [`CancelSelfGrant`]: giving the grant back.
    #[wire("retire-grant")]
    RetireGrant,
    /// An operation that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn flags_numbers_and_times_that_travel_as_text_are_read_as_what_they_are() {
        let text = r#"{"grants":[{"creation_date":"1597062260000"},{"creation_date":"1597062260"},{"creation_date":""}],
            "next_marker":"","total":3,"truncated":"false"}"#;
        let page: ListGrantsResponseBody = serde_json::from_str(text).unwrap();
        let time = Some(Timestamp::from_millis(1_597_062_260_000));
        assert_eq!(page.grants.iter().map(|grant| grant.creation_date).collect::<Vec<_>>(), [time, time, None]);
        assert_eq!((page.truncated, page.total), (Some(false), Some(3)));
    }

    #[test]
    fn operations_that_are_not_known_are_kept() {
        let grant: Grants = serde_json::from_str(r#"{"operations":["create-grant","sign"]}"#).unwrap();
        assert_eq!(grant.operations, [GrantOperation::CreateGrant, GrantOperation::Other("sign".into())]);
    }
}
