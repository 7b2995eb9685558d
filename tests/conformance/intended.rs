//! Where the SDK differs from the reference on purpose.

/// A difference as the test prints it, and why it is right.
pub(crate) const INTENDED: &[(&str, &str)] = &[
    (
        "csms/BatchDeleteSecrets.instance_id: required: true",
        "what an empty body deletes is not documented, so the instance has to be named",
    ),
    (
        "csms/Secret.last_used_time: not in the reference",
        "the 2026-06 page of CreateSecret prints it; the inventory is older",
    ),
];
