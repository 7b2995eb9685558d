//! The refusals of CSMS: code, status and message, as its error table has them.

use crate::fault::Fault;

/// From the table of error codes. Where the table says 400 for what does not exist, the pages of the operations say 404;
/// clients take both, so 404 is the default and a switch makes it 400.
const CODES: &[(&str, u16, &str)] = &[
    ("CSMS.0001", 500, "An internal error occurred."),
    ("CSMS.0002", 400, "The value of parameter is invalid."),
    ("CSMS.0003", 400, "The request is invalid."),
    ("CSMS.0004", 400, "The requested body format is wrong."),
    ("CSMS.0005", 404, "The resource does not exist."),
    ("CSMS.0101", 409, "The secret name already exists."),
    ("CSMS.0102", 409, "The version id already exists."),
    ("CSMS.0103", 400, "The secret is in the scheduled deletion state."),
    ("CSMS.0104", 409, "The stage name already exists."),
    ("CSMS.0105", 400, "Can not delete the system internal stage."),
    ("CSMS.0106", 404, "The secret name not found in the db."),
    ("CSMS.0107", 400, "The secret is in schedule delete state."),
    ("CSMS.0108", 400, "The secret is not in schedule delete state."),
    ("CSMS.0109", 403, "The secret state is not enabled."),
    ("CSMS.0201", 500, "The number of secret has reached the upper limit."),
    ("CSMS.0202", 400, "The number of secret has reached the upper limit."),
    ("CSMS.0203", 400, "The number of stage has reached the upper limit."),
    ("CSMS.0204", 400, "The number of stage is greater than the quota limit."),
    ("CSMS.0302", 403, "The user role has no permission to access the interface."),
    ("CSMS.0401", 400, "Can not get the protected secret value using the provided KMS key."),
];

/// The refusal with this code.
pub(crate) fn refusal(code: &str) -> Fault {
    Fault::from_table(CODES, code)
}
