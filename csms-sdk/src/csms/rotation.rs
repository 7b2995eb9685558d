//! Rotation: the agencies and functions it needs, and the tasks that carry it out.

use csms_sdk_macros::Model;

use super::SecretType;
use crate::{
    operation::{Chapter, Paging, Service},
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Csms, group: "Rotation" };

/// Creates the agencies that let CSMS and FunctionGraph rotate secrets of a kind.
///
/// Success of the call does not mean that every agency was created: look at [`Agency::error_msg`].
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/csms/agencies",
    response = CreateAgencyResoponseBody,
)]
#[non_exhaustive]
pub struct CreateAgency {
    /// Kind of secret to be rotated: `RDS-FG` or `GaussDB-FG`.
    pub secret_type: SecretType,
}

/// Tells whether the agencies for rotating secrets of a kind exist.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/csms/agencies",
    response = ShowAgencyResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowAgency {
    /// Kind of secret to be rotated: `RDS-FG` or `GaussDB-FG`.
    pub secret_type: SecretType,
}

/// Shows the source of a function that rotates secrets, to be deployed in FunctionGraph.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/csms/function-templates",
    response = ShowFunctionTemplatesResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowSecretFunctionTemplates {
    /// Kind of secret to be rotated: `RDS-FG` or `GaussDB-FG`.
    pub secret_type: SecretType,
    /// How many accounts take part.
    pub secret_sub_type: SecretSubType,
    /// Database engine. Needed for `RDS-FG`, not supported for other kinds.
    pub engine: Option<DatabaseEngine>,
}

/// Lists rotations and how they went, e.g. one begun by [`RotateSecret`](super::RotateSecret).
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/csms/tasks",
    permission = "csms::listTasks", role = "csms:task:list",
    response = ListSecretTaskResponseBody,
    paging = Paging::Marker { items: "tasks", next: "next_marker", more: None, size: Some(50) },
    item = SecretTask,
    idempotent,
)]
#[non_exhaustive]
pub struct ListSecretTask {
    /// Only tasks of this secret.
    #[field(check(Name))]
    pub secret_name: Option<String>,
    /// Only tasks that ended like this.
    pub status: Option<TaskStatus>,
    /// Only this task (UUID). Excludes the other filters.
    pub task_id: Option<String>,
    /// Most tasks of a page, at most 1000; default 50.
    pub limit: Option<i32>,
    /// Id of the last task of the page before.
    pub marker: Option<String>,
}

/// What became of a [`CreateAgency`].
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateAgencyResoponseBody {
    /// The agencies, those included that could not be created.
    pub agencies: Vec<Agency>,
}

/// An agency, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Agency {
    /// Id; `None` when it could not be created.
    pub agency_id: Option<String>,
    /// Name.
    pub agency_name: Option<String>,
    /// Why it could not be created; `None` when it was.
    pub error_msg: Option<String>,
}

/// Whether agencies exist.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ShowAgencyResponseBody {
    /// Whether they do.
    #[field(text)]
    pub agency_granted: Option<bool>,
}

/// Source of a function.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ShowFunctionTemplatesResponseBody {
    /// The source text.
    pub function_templates: Option<String>,
}

/// One page of rotations.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListSecretTaskResponseBody {
    /// The tasks.
    pub tasks: Vec<SecretTask>,
    /// Number of all tasks.
    pub total: Option<i32>,
    /// Id of the last task of this page, to be sent as `marker` for the next.
    pub next_marker: Option<String>,
}

/// A rotation of a secret.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct SecretTask {
    /// Id.
    pub task_id: Option<String>,
    /// Name of the secret.
    pub secret_name: Option<String>,
    /// How it ended; anything but success and failure means that it still runs.
    pub task_status: Option<TaskStatus>,
    /// When it was made.
    pub task_time: Option<Timestamp>,
    /// Accounts that take part, as text: `MULTI_USER` here is `MultiUser` elsewhere.
    pub operate_type: Option<String>,
    /// URN of the FunctionGraph function that carries it out.
    pub rotation_func_urn: Option<String>,
    /// How often it has been tried.
    pub attempt_nums: Option<i32>,
    /// Code of the error it failed with.
    pub task_error_code: Option<String>,
    /// Text of the error it failed with.
    pub task_error_msg: Option<String>,
}

/// How many database accounts take part in a rotation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum SecretSubType {
    /// One, whose password is replaced; for a moment the old value is of no use and the new one not yet stored.
    #[wire("SingleUser")]
    SingleUser,
    /// Two, used in turn.
    #[wire("MultiUser")]
    MultiUser,
    /// A mode that is not known here yet.
    Other(String),
}

/// Database engine of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum DatabaseEngine {
    /// MySQL.
    #[wire("mysql")]
    MySql,
    /// PostgreSQL.
    #[wire("postgresql")]
    PostgreSql,
    /// SQL Server.
    #[wire("sqlserver")]
    SqlServer,
    /// An engine that is not known here yet.
    Other(String),
}

/// How a rotation ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum TaskStatus {
    /// The new value is in use.
    #[wire("SUCCESS")]
    Success,
    /// The new value could not be put in use.
    #[wire("FAILED")]
    Failed,
    /// A status that is not known here yet; the rotation runs.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn agency_granted_is_read_from_text_and_boolean() {
        for (json, granted) in [(r#""true""#, true), (r#""false""#, false), ("true", true), ("false", false)] {
            let json = format!(r#"{{"agency_granted": {json}}}"#);
            let answer: ShowAgencyResponseBody = serde_json::from_str(&json).unwrap();
            assert_eq!(answer.agency_granted, Some(granted), "{json}");
        }
    }
}
