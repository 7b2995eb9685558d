//! The refusals of IAM and STS. Their codes are not published; these are what has been seen of them.

use csms_sdk::OperationInfo;

use crate::fault::Fault;

/// A parameter cannot be right.
pub(super) fn invalid(problem: &str) -> Fault {
    Fault::new(400, "IAM.0011", format!("Invalid parameter: {problem}"))
}

/// There is no such thing.
pub(super) fn not_found(what: &str, name: &str) -> Fault {
    Fault::new(404, "IAM.0002", format!("Could not find {what}: {name}."))
}

/// The caller may not do this.
pub(super) fn forbidden(info: &OperationInfo) -> Fault {
    match info.path.starts_with("/v3.0/") {
        true => Fault::new(403, "IAM.0003", "Policy doesn't allow iam:credentials:create to be performed."),
        false => Fault::new(403, "IAM.0003", "You are not authorized to perform the requested action."),
    }
}

/// A proof is wrong.
pub(super) fn unauthorized(message: &str) -> Fault {
    Fault::new(401, "IAM.0061", message)
}
