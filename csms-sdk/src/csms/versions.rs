//! Secret versions: store, read and list the values of a secret.

use csms_sdk_macros::Model;

use super::PageInfo;
use crate::{
    operation::{Chapter, Paging, Service},
    secret::SecretString,
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Csms, group: "Secret versions" };

/// Stores a new value as the next version (`v2`, `v3`, …) of a secret.
///
/// The secret has to be `ENABLED` and holds at most 20 versions. Unless `version_stages` says otherwise, the new
/// version becomes `SYSCURRENT` and the one that was becomes `SYSPREVIOUS`. Sending it twice makes two versions.
/// Needs the permission `kms:cmk:createDataKey` as well.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/{secret_name}/versions",
    permission = "csms:secret:createVersion", role = "csms:secretVersion:create", needs("kms:cmk:createDataKey"),
    response = CreateSecretVersionResponseBody,
    exactly_one("secret_string", "secret_binary"),
)]
#[non_exhaustive]
pub struct CreateSecretVersion {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
    /// Text value, at most 64 KB (older documents: 32 KB). Excludes `secret_binary`.
    #[field(check(MaxBytes(65_536)))]
    pub secret_string: Option<SecretString>,
    /// Binary value in Base64, at most 64 KB as sent. Excludes `secret_string`.
    #[field(check(MaxBytes(65_536)))]
    pub secret_binary: Option<SecretString>,
    /// Stages to put on it, taken from the versions they mark now: 1 to 12 names of 1 to 64 characters; default
    /// `SYSCURRENT`.
    #[field(check(Items(1, 12)))]
    pub version_stages: Option<Vec<String>>,
    /// When it expires; default never. Sent as milliseconds, kept in whole seconds. All it is documented to do is
    /// to trigger an event.
    #[field(check(Range(0, 9_999_999_999_999)))]
    pub expire_time: Option<Timestamp>,
}

/// Reads a version with its value.
///
/// The secret has to be `ENABLED`. Needs the permission `kms:cmk:decryptDataKey` as well.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/secrets/{secret_name}/versions/{version_id}",
    permission = "csms:secret:getVersion", role = "csms:secretVersion:get", needs("kms:cmk:decryptDataKey"),
    response = ShowSecretVersionResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowSecretVersion {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
    /// Id, e.g. `v3`, or `latest`: the newest, by other documents the one staged `SYSCURRENT`. Where they may
    /// differ, ask [`ShowSecretStage`](super::ShowSecretStage) for the id.
    pub version_id: String,
}

/// Reads the current values of up to 20 secrets: of each the version staged `SYSCURRENT`.
///
/// Also documented as `BatchShowSecretVersion`. What becomes of names that do not exist is not documented, so
/// look for each name in the answer. Needs the permission `kms:cmk:decryptDataKey` as well.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/batch-get-secret-value",
    permission = "csms:secret:batchGetSecretValue", role = "csms:secretVersion:batchGetSecretValue",
    needs("kms:cmk:decryptDataKey"),
    response = BatchGetSecretValueResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct BatchGetSecretValue {
    /// Names of the secrets, at most 20. What is read without any is not documented.
    #[field(check(Items(0, 20)))]
    pub secret_name_list: Option<Vec<String>>,
}

/// Lists the metadata of a secret's versions, not their values.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/secrets/{secret_name}/versions",
    permission = "csms:secret:listVersion", role = "csms:secretVersion:list",
    response = ListSecretVersionsResponseBody,
    paging = Paging::Marker {
        items: "version_metadatas",
        next: "page_info.next_marker",
        more: None,
        size: Some(50),
    },
    item = VersionMetadata,
    idempotent,
)]
#[non_exhaustive]
pub struct ListSecretVersions {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
    /// Most versions of a page, 1 to 1000; default 50, which is more than a secret has.
    #[field(check(Range(1, 1000)))]
    pub limit: Option<i32>,
    /// Id of the last version of the page before.
    pub marker: Option<String>,
}

/// Changes when a version expires. A new value is a new version.
///
/// The secret has to be `ENABLED`. If it subscribes to the expiry event, each change leads to at most one
/// notification.
#[derive(Clone, Debug, Model)]
#[operation(
    PUT, "/v1/{project_id}/secrets/{secret_name}/versions/{version_id}",
    permission = "csms:secret:updateVersion", role = "csms:secretVersion:update",
    response = UpdateVersionMetadataResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct UpdateVersion {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
    /// Id, e.g. `v3`, or `latest`.
    pub version_id: String,
    /// When it expires. Sent as milliseconds, kept in whole seconds.
    #[field(check(Range(0, 9_999_999_999_999)))]
    pub expire_time: Timestamp,
}

/// Answer with a new version's metadata.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateSecretVersionResponseBody {
    /// The version, without its value.
    pub version_metadata: Option<VersionMetadata>,
}

/// Metadata of a version.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct VersionMetadata {
    /// Id: `v` and a number that counts up within the secret.
    pub id: Option<String>,
    /// Name of the secret.
    pub secret_name: Option<String>,
    /// Stages that mark it, at most 12. The service may delete a version without any at any time.
    pub version_stages: Vec<String>,
    /// When it was created.
    pub create_time: Option<Timestamp>,
    /// When it expires; `None` for never.
    pub expire_time: Option<Timestamp>,
    /// KMS key that protects it, not always the secret's present one: a UUID, or 32 digits without dashes.
    pub kms_key_id: Option<String>,
}

/// Answer with one version.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ShowSecretVersionResponseBody {
    /// The version, with its value.
    pub version: Option<Version>,
}

/// A version with its value, which is either text or binary.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Version {
    /// Text value.
    pub secret_string: Option<SecretString>,
    /// Binary value in Base64.
    pub secret_binary: Option<SecretString>,
    /// Everything but the value.
    pub version_metadata: Option<VersionMetadata>,
}

/// Current versions of several secrets.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct BatchGetSecretValueResponseBody {
    /// Number of versions read.
    pub total_count: Option<i32>,
    /// The versions; `secret_name` in the metadata tells whose.
    pub versions: Vec<Version>,
}

/// One page of versions.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListSecretVersionsResponseBody {
    /// Metadata of the versions.
    pub version_metadatas: Vec<VersionMetadata>,
    /// Where the next page begins.
    pub page_info: Option<PageInfo>,
}

/// Answer with a changed version's metadata.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct UpdateVersionMetadataResponseBody {
    /// The version, without its value.
    pub version_metadata: Option<VersionMetadata>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::{
        encode::{Encoded, Validation, encode},
        error::Error,
        model::Object,
        operation::Operation,
    };

    fn encoded(request: &UpdateVersion) -> Result<Encoded, Error> {
        encode(UpdateVersion::INFO, &Object::Typed(request), Some("p1"), Validation::On)
    }

    #[test]
    fn times_are_read_in_seconds_and_in_milliseconds() {
        let read = |json| serde_json::from_str::<VersionMetadata>(json).unwrap();
        let documented = read(r#"{"create_time": 1581507580, "expire_time": null}"#);
        let sent = read(r#"{"create_time": 1581507580000}"#);
        assert_eq!(documented.create_time, Some(Timestamp::from_seconds(1_581_507_580)));
        assert_eq!(documented, sent);
    }

    #[test]
    fn an_expiry_is_sent_in_milliseconds_and_checked_as_sent() {
        let request = |time| UpdateVersion::new("demo", "v3", time);
        let body = encoded(&request(Timestamp::from_seconds(1_696_838_472))).unwrap().body.unwrap();
        assert_eq!(body.expose_secret(), br#"{"expire_time":1696838472000}"#);
        for millis in [-1, 10_000_000_000_000] {
            let error = encoded(&request(Timestamp::from_millis(millis))).unwrap_err();
            assert_eq!(error.field(), Some("expire_time"));
        }
    }
}
