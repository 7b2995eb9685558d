//! Where the SDK differs from the reference on purpose.

/// A difference as the test prints it, and why it is right.
pub(crate) const INTENDED: &[(&str, &str)] = &[
    (
        "csms/BatchDeleteSecrets.instance_id: required: true",
        "what an empty body deletes is not documented, so the instance has to be named",
    ),
    (
        "csms/CreateSecretReplica.kms_key_id: required: false",
        "the table requires it, the text twice names the default that holds without it",
    ),
    (
        "csms/Secret.last_used_time: not in the reference",
        "the 2026-06 page of CreateSecret prints it; the inventory is older",
    ),
    ("csms/GrantData.createTime: Text Plain instead of integer(int64)", GRANT_TIME),
    ("csms/GrantData.updateTime: Text Plain instead of integer(int64)", GRANT_TIME),
    ("csms/GrantData.validityTime: Text Plain instead of integer(int64)", GRANT_TIME),
    ("csms/GrantDTO.create_time: Text Plain instead of integer(int64)", GRANT_TIME),
    ("csms/GrantDTO.update_time: Text Plain instead of integer(int64)", GRANT_TIME),
    ("csms/GrantUserInfo.create_time: Text Plain instead of integer(int64)", GRANT_TIME),
    ("csms/GrantUserInfo.validity_time: Text Plain instead of integer(int64)", GRANT_TIME),
    (
        "csms/UsersDetailsResult.extension: Json Plain instead of string",
        "declared as text, printed as an object: any JSON is taken",
    ),
    (
        "kms/CreateAccessPoint.type: no enumeration of {}",
        "a number on the wire, and enumerations are texts; its documentation names the three values",
    ),
    (
        "kms/CreateDatakeyCapsule.datakey_length: no enumeration of {\"AES_256\", \"SM4\"}",
        "its text speaks of 128 and 256 instead, so it is free text",
    ),
    (
        "kms/ListTrustedKeySpace.type: Enum([\"1\", \"2\", \"3\"]) Plain instead of integer",
        "the same enumeration as on creation; a number in the query is text all the same",
    ),
    ("sts/AssumeAgency.X-Security-Token: missing", SECURITY_TOKEN),
    ("sts/GetCallerIdentity.X-Security-Token: missing", SECURITY_TOKEN),
];

const SECURITY_TOKEN: &str = "belongs to the credentials, which the client adds";
const GRANT_TIME: &str = "declared as a number, printed as text without a zone: either is kept as text";
