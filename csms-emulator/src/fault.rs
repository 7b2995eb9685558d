//! What the services answer when they refuse, in the body shape of whoever refuses.

use csms_sdk::{OperationInfo, Service};
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
                    json!({"error": {"code": status, "message": message, "title": code}})
                }
                _ => flat,
            },
            None => flat,
        }
    }
}
