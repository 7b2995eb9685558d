//! Version stages: names of which each marks one version of a secret.
//!
//! Moving a stage takes it from the version it marked. `SYSCURRENT` and `SYSPREVIOUS` are built in; a secret has at
//! most 12 stages. The service may delete a version that has lost its last stage at any time.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Csms, group: "Version stages" };

/// Creates a stage and puts it on a version.
///
/// A name that the secret already has is refused. Documented since 2026-05 only; where a region does not know this
/// operation, [`UpdateSecretStage`] creates stages too.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/secrets/{secret_name}/stages",
    permission = "csms:secret:createStage", role = "csms:secretStage:create",
    response = SecretStageResponseBody,
)]
#[non_exhaustive]
pub struct CreateSecretStage {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
    /// Name of the new stage: 1 to 64 letters, digits, `_`, `-` or `.`.
    #[field(check(Name))]
    pub name: String,
    /// Id of the version it is to mark, e.g. `v3`.
    pub version_id: String,
}

/// Tells which version a stage marks.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/secrets/{secret_name}/stages/{stage_name}",
    permission = "csms:secret:getStage", role = "csms:secretStage:get",
    response = SecretStageResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowSecretStage {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
    /// Name of the stage, e.g. `SYSCURRENT`.
    #[field(check(Name))]
    pub stage_name: String,
}

/// Moves a stage to another version, or creates it there (seen, not documented).
///
/// Putting `SYSCURRENT` back on an older version undoes a change of the value. Whether `SYSPREVIOUS` then follows
/// is not documented.
#[derive(Clone, Debug, Model)]
#[operation(
    PUT, "/v1/{project_id}/secrets/{secret_name}/stages/{stage_name}",
    permission = "csms:secret:updateStage", role = "csms:secretStage:update",
    response = SecretStageResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct UpdateSecretStage {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
    /// Name of the stage.
    #[field(check(Name))]
    pub stage_name: String,
    /// Id of the version it is to mark, e.g. `v3`.
    pub version_id: String,
}

/// Deletes a stage, not the version it marks. `SYSCURRENT` and `SYSPREVIOUS` cannot be deleted.
#[derive(Clone, Debug, Model)]
#[operation(
    DELETE,
    "/v1/{project_id}/secrets/{secret_name}/stages/{stage_name}",
    permission = "csms:secret:deleteStage",
    role = "csms:secretStage:delete",
    idempotent
)]
#[non_exhaustive]
pub struct DeleteSecretStage {
    /// Name of the secret.
    #[field(check(Name))]
    pub secret_name: String,
    /// Name of the stage.
    #[field(check(Name))]
    pub stage_name: String,
}

/// Answer with one stage.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct SecretStageResponseBody {
    /// The stage.
    pub stage: Option<Stage>,
}

/// A stage and the version it marks.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Stage {
    /// Name.
    pub name: Option<String>,
    /// Name of the secret.
    pub secret_name: Option<String>,
    /// Id of the version it marks, e.g. `v3`.
    pub version_id: Option<String>,
    /// When it last moved.
    pub update_time: Option<Timestamp>,
}
