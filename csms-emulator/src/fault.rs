//! What the services answer when they refuse, in the body shape of whoever refuses.

use csms_sdk::{OperationInfo, Service};
use http::StatusCode;
use serde_json::{Value as Json, json};

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

/// CSMS operations that nest their errors; the others send them flat.
const NESTED: &[&str] = &[
    "CreateSecretEvent",
    "ShowSecretEvent",
    "ListSecretEvents",
    "UpdateSecretEvent",
    "DeleteSecretEvent",
    "ListNotificationRecords",
    "CreateSecretTag",
    "DeleteSecretTag",
    "ListSecretTags",
    "BatchCreateOrDeleteTags",
    "ListProjectSecretsTags",
    "ListResourceInstances",
    "ListUsers",
    "RotateSecret",
];

impl Fault {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// The refusal with this code of a table of codes, statuses and messages.
    pub(crate) fn from_table(table: &[(&str, u16, &str)], code: &str) -> Self {
        match table.iter().find(|(known, ..)| *known == code) {
            Some((_, status, message)) => Self::new(*status, code, *message),
            None => Self::new(500, code, "An internal error occurred."),
        }
    }

    /// The same refusal with a reason behind its message.
    pub(crate) fn because(mut self, reason: impl std::fmt::Display) -> Self {
        self.message = format!("{}: {reason}", self.message.trim_end_matches('.'));
        self
    }

    /// The body in the shape that this operation, or the gateway in its place, sends.
    pub(crate) fn body(&self, info: Option<&OperationInfo>, request_id: &str) -> Json {
        let Self { status, code, message } = self;
        if code.starts_with("APIGW.") {
            return json!({"error_msg": message, "error_code": code, "request_id": request_id});
        }
        let flat = json!({"error_code": code, "error_msg": message});
        match info {
            Some(info) => match info.service {
                Service::Csms if !NESTED.contains(&info.name) => flat,
                Service::Csms | Service::Kms => json!({"error": flat}),
                Service::Iam if info.path.starts_with("/v3/") => {
                    let title = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
                    json!({"error": {"code": status, "message": message, "title": title}})
                }
                _ => flat,
            },
            None => flat,
        }
    }
}
