//! Secret lifecycle: create, look at, change, rotate, back up, delete and bring back secrets.

use csms_sdk_macros::Model;
use serde_json::{Map, Value};

use crate::{
    operation::{Chapter, Paging, Service},
    secret::SecretString,
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Csms, group: "Secret lifecycle" };

/// Creates a secret and stores its first value as version `v1`, staged `SYSCURRENT`.
///
/// Choosing a KMS key needs the permission `kms:dek:create` on it as well.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets",
    permission = "csms:secret:create", needs("kms:cmk:createDataKey"),
    response = SecretResponseBody,
    exactly_one("secret_string", "secret_binary"),
)]
#[non_exhaustive]
pub struct CreateSecret {
    /// Name: 1 to 64 letters, digits, `_`, `-` or `.`. Unique in the project and region.
    #[field(check(Name))]
    pub name: String,
    /// Text value, at most 64 KB (older documents: 32 KB). Excludes `secret_binary`.
    #[field(check(MaxBytes(65_536)))]
    pub secret_string: Option<SecretString>,
    /// Binary value in Base64, at most 64 KB as sent. Excludes `secret_string`.
    #[field(check(MaxBytes(65_536)))]
    pub secret_binary: Option<SecretString>,
    /// Symmetric KMS key that protects the value; default `csms/default`, made on first use.
    pub kms_key_id: Option<String>,
    /// Description, at most 2048 bytes.
    pub description: Option<String>,
    /// Kind of secret; default `COMMON`. Cannot be changed later.
    pub secret_type: Option<SecretType>,
    /// Whether the service rotates it by itself; default false. Not for `COMMON`.
    pub auto_rotation: Option<bool>,
    /// Time between rotations: a number and `d`, `h`, `m` or `s`, from 4 hours to 365 days. Needed with
    /// `auto_rotation`.
    #[field(check(Period(14_400, 31_536_000)))]
    pub rotation_period: Option<String>,
    /// JSON text `{"InstanceId": "…", "SecretSubType": "SingleUser|MultiUser"}`, at most 1024 characters. Needed for
    /// `RDS-FG` and `GaussDB-FG`.
    pub rotation_config: Option<String>,
    /// URN of the FunctionGraph function that rotates it. Needed with `auto_rotation`.
    pub rotation_func_urn: Option<String>,
    /// Names of the events it subscribes to, at present at most one.
    #[field(check(Items(0, 1)))]
    pub event_subscriptions: Option<Vec<String>>,
    /// Enterprise project; default `0` where enterprise projects are in use.
    pub enterprise_project_id: Option<String>,
}

/// Reads a secret's metadata, not its value.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/secrets/{secret_name}",
    permission = "csms:secret:get",
    response = SecretResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowSecret {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
}

/// Lists the metadata of the project's secrets, not their values.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/secrets",
    permission = "csms:secret:list",
    response = ListSecretResponseBody,
    paging = Paging::Marker { items: "secrets", next: "page_info.next_marker", more: None, size: Some(50) },
    item = Secret,
    idempotent,
)]
#[non_exhaustive]
pub struct ListSecrets {
    /// Most secrets of a page, at most 1000; default 50. Needed with `marker`.
    pub limit: Option<i32>,
    /// Name of the last secret of the page before.
    pub marker: Option<String>,
    /// Only secrets that subscribe to this event.
    pub event_name: Option<String>,
}

/// Changes a secret's metadata, never its value. What is left out stays as it is; an empty text or list clears.
#[derive(Clone, Debug, Model)]
#[operation(
    PUT, "/v1/{project_id}/secrets/{secret_name}",
    permission = "csms:secret:update",
    response = SecretResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct UpdateSecret {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
    /// KMS key for new versions; those that exist stay under the key they have.
    pub kms_key_id: Option<String>,
    /// Description, at most 2048 bytes.
    pub description: Option<String>,
    /// Whether the service rotates it by itself. Not for `COMMON`.
    pub auto_rotation: Option<bool>,
    /// Time between rotations: a number and `d`, `h`, `m` or `s`, from 4 hours to 365 days (older documents:
    /// from 6 hours). Needed with `auto_rotation`.
    #[field(check(Period(14_400, 31_536_000)))]
    pub rotation_period: Option<String>,
    /// Names of the events it subscribes to, at present at most one.
    #[field(check(Items(0, 1)))]
    pub event_subscriptions: Option<Vec<String>>,
    /// URN of the FunctionGraph function that rotates it. Needed with `auto_rotation`.
    pub rotation_func_urn: Option<String>,
}

/// Deletes a secret with all its versions at once. Only a backup brings it back; [`DeleteSecretForSchedule`] can
/// be undone.
#[derive(Clone, Debug, Model)]
#[operation(
    DELETE,
    "/v1/{project_id}/secrets/{secret_name}",
    permission = "csms:secret:delete",
    success = 200,
    idempotent
)]
#[non_exhaustive]
pub struct DeleteSecret {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
}

/// Deletes a secret after some days; until then [`RestoreSecret`] undoes it.
///
/// While deletion is pending the metadata cannot be changed and values cannot be read.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/{secret_name}/scheduled-deleted-tasks/create",
    permission = "csms:secret:scheduleDeletion",
    response = SecretResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct DeleteSecretForSchedule {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
    /// Days until deletion, 7 to 30. The reference names a default of 30 and yet requires the field.
    #[field(check(Range(7, 30)))]
    pub recovery_window_in_days: i32,
}

/// Cancels the scheduled deletion of a secret.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/{secret_name}/scheduled-deleted-tasks/cancel",
    permission = "csms:secret:restoreSecret",
    response = SecretResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct RestoreSecret {
    /// Name of the secret; its deletion has to be pending.
    #[field(check(Name))]
    pub secret_name: String,
}

/// Rotates a secret now: the service stores a new random value as a new version staged `SYSCURRENT`.
///
/// Not for `COMMON`. Carried out in the background; [`ListSecretTask`](super::ListSecretTask) tells how it goes.
/// Needs the database's password permission and KMS list, describe and data-key permissions as well.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/{secret_name}/rotate",
    permission = "csms:secret:rotate", needs("rds:password:update", "kms:cmk:createGrant", "kms:cmk:retireGrant"),
    response = VersionRotateResponse,
)]
#[non_exhaustive]
pub struct RotateSecret {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
}

/// Downloads an encrypted backup of a secret with all its versions.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/{secret_name}/backup",
    permission = "csms:secret:get", needs("kms:cmk:createDataKey", "kms:cmk:decryptDataKey", "kms:cmk:list"),
    response = DownloadSecretBlobResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct DownloadSecretBlob {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
}

/// Restores a secret from a backup. No secret of its name may exist, and the key that protects it has to be
/// usable.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/restore",
    permission = "csms:secret:create", needs("kms:cmk:decryptDataKey"),
    response = SecretResponseBody,
)]
#[non_exhaustive]
pub struct UploadSecretBlob {
    /// The backup as [`DownloadSecretBlob`] gave it.
    pub secret_blob: SecretString,
}

/// Creates several secrets in one call.
///
/// Success of the call does not mean that every secret was created: look at [`ImportResponse::error_list`].
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/batch-import",
    response = ImportResponse,
)]
#[non_exhaustive]
pub struct BatchImportSecrets {
    /// The secrets to create.
    pub secrets: Vec<CreateSecret>,
}

/// Deletes at once, and beyond recall, every secret that is bound to an instance of a cloud service.
///
/// What the service does without an `instance_id` is not documented, so it is required here.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/batch-delete",
    permission = "csms:secret:delete",
    response = BatchDeleteSecretsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct BatchDeleteSecrets {
    /// The instance, e.g. of RDS.
    pub instance_id: String,
    /// Kind of the instance.
    pub instance_type: Option<InstanceType>,
}

/// Answer with one secret's metadata.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct SecretResponseBody {
    /// The secret.
    pub secret: Option<Secret>,
}

/// Metadata of a secret.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Secret {
    /// Id (UUID). Tags are addressed by it, everything else by `name`.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// State; only `ENABLED` secrets can be read and written.
    pub state: Option<SecretState>,
    /// KMS key that protects new versions: a UUID, or 32 digits without dashes.
    pub kms_key_id: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// When it was created.
    pub create_time: Option<Timestamp>,
    /// When its metadata last changed.
    pub update_time: Option<Timestamp>,
    /// When it will be deleted; `None` unless deletion is pending.
    pub scheduled_delete_time: Option<Timestamp>,
    /// Kind of secret.
    pub secret_type: Option<SecretType>,
    /// Whether the service rotates it by itself.
    pub auto_rotation: Option<bool>,
    /// Time between rotations: a number and `d`, `h`, `m` or `s`.
    pub rotation_period: Option<String>,
    /// Rotation settings as the service keeps them: mostly JSON, at times with single quotes. Not to be parsed.
    pub rotation_config: Option<String>,
    /// When it was last rotated.
    pub rotation_time: Option<Timestamp>,
    /// When it will be rotated next.
    pub next_rotation_time: Option<Timestamp>,
    /// When its value was last read (printed in the 2026-06 page only).
    pub last_used_time: Option<Timestamp>,
    /// Names of the events it subscribes to. The service at times sends empty texts here.
    pub event_subscriptions: Vec<String>,
    /// Enterprise project; `0` is the default one.
    pub enterprise_project_id: Option<String>,
    /// URN of the FunctionGraph function that rotates it.
    pub rotation_func_urn: Option<String>,
    /// Account that owns it.
    pub domain_id: Option<String>,
    /// Whether it has replicas, or is one.
    pub replica_type: Option<ReplicaType>,
    /// Its replicas.
    pub replicas: Vec<Replica>,
}

/// A replica of a secret in another region.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Replica {
    /// Id of the replica.
    pub id: Option<String>,
    /// KMS key that protects it in its region.
    pub kms_key_id: Option<String>,
    /// Project it belongs to.
    pub project_id: Option<String>,
    /// Region it lives in.
    pub region: Option<String>,
    /// Primary or replica.
    pub replica_type: Option<ReplicaType>,
    /// How far it has followed the primary.
    pub status: Option<ReplicaStatus>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

/// One page of secrets.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListSecretResponseBody {
    /// Metadata of the secrets.
    pub secrets: Vec<Secret>,
    /// Where the next page begins.
    pub page_info: Option<PageInfo>,
}

/// Where a page stands in its list.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct PageInfo {
    /// Last item of this page, to be sent as `marker` for the next; may be there on the last page too.
    pub next_marker: Option<String>,
    /// First item of this page.
    pub previous_marker: Option<String>,
    /// Number of items in this page.
    pub current_count: Option<i32>,
}

/// A rotation that has begun.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct VersionRotateResponse {
    /// Task that carries it out.
    pub rotation_task_id: Option<String>,
    /// Name of the secret.
    pub secret_name: Option<String>,
    /// The new version, if it is known already.
    pub version_id: Option<String>,
}

/// A backup.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct DownloadSecretBlobResponseBody {
    /// Encrypted and opaque, at most 5 MiB; [`UploadSecretBlob`] takes it back.
    pub secret_blob: Option<SecretString>,
}

/// What became of a [`BatchImportSecrets`].
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ImportResponse {
    /// Number of secrets sent.
    pub total: Option<i32>,
    /// Number of secrets created.
    pub success: Option<i32>,
    /// Number of secrets not created.
    pub failed: Option<i32>,
    /// Why, for each that was not created.
    pub error_list: Vec<ErrorInfo>,
}

/// Why a secret was not created.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ErrorInfo {
    /// Name of the secret.
    pub name: Option<String>,
    /// The reason.
    pub error_msg: Option<String>,
}

/// What became of a [`BatchDeleteSecrets`].
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct BatchDeleteSecretsResponseBody {
    /// Number of secrets bound to the instance.
    pub total: Option<i64>,
    /// Names of those deleted.
    pub success_secrets: Vec<String>,
    /// Those that could not be deleted.
    pub failed_secrets: Vec<FailedDeletedSecrets>,
}

/// A secret that could not be deleted.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct FailedDeletedSecrets {
    /// Name of the secret.
    pub secret_name: Option<String>,
    /// Whatever else the service tells; the names of these members are not published.
    #[field(rest)]
    pub other: Map<String, Value>,
}

/// Kind of secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum SecretType {
    /// Any value.
    #[wire("COMMON")]
    Common,
    /// An RDS account; withdrawn in favour of `RDS-FG`, still to be read.
    #[wire("RDS")]
    Rds,
    /// An RDS account.
    #[wire("RDS-FG")]
    RdsFg,
    /// A TaurusDB account.
    #[wire("GaussDB-FG")]
    GaussDbFg,
    /// A kind that is not known here yet.
    Other(String),
}

/// State of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum SecretState {
    /// In use.
    #[wire("ENABLED")]
    Enabled,
    /// Disabled by the service.
    #[wire("DISABLED")]
    Disabled,
    /// Waiting for its deletion.
    #[wire("PENDING_DELETE")]
    PendingDelete,
    /// Frozen, e.g. for arrears.
    #[wire("FROZEN")]
    Frozen,
    /// A state that is not known here yet.
    Other(String),
}

/// Part of a secret in replication.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum ReplicaType {
    /// Has no replicas.
    #[wire("STANDALONE")]
    Standalone,
    /// Has replicas.
    #[wire("PRIMARY")]
    Primary,
    /// Is a replica.
    #[wire("REPLICA")]
    Replica,
    /// A part that is not known here yet.
    Other(String),
}

/// How far a replica has followed its primary.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum ReplicaStatus {
    /// Not yet up to date.
    #[wire("IN_PROGRESS")]
    InProgress,
    /// Up to date.
    #[wire("IN_SYNC")]
    InSync,
    /// Could not be brought up to date.
    #[wire("FAILED")]
    Failed,
    /// A status that is not known here yet.
    Other(String),
}

/// Cloud service an instance belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum InstanceType {
    /// Relational Database Service.
    #[wire("RDS")]
    Rds,
    /// TaurusDB.
    #[wire("TaurusDB")]
    TaurusDb,
    /// GaussDB.
    #[wire("GaussDB")]
    GaussDb,
    /// API Gateway.
    #[wire("APIG")]
    Apig,
    /// A service that is not known here yet.
    Other(String),
}
