//! Key rotation: let the service renew the material of a key from time to time.
//!
//! For symmetric keys whose material KMS made; not for default keys or keys of an own keystore. The id of a key stays
//! the same and earlier material is kept, so that what it has encrypted can still be decrypted.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Key rotation" };

/// Switches on the rotation of a key, every 365 days unless changed. Refused where it is on (`KMS.2901`).
///
/// Only for symmetric keys whose material KMS made, and not for default keys or keys of an own keystore. A key that is
/// disabled or pending deletion is not rotated; what was due is made up for as soon as it is back.
#[derive(Clone, Debug, Model)]
#[operation(
    POST,
    "/v1.0/{project_id}/kms/enable-key-rotation",
    permission = "kms:cmk:enableRotation",
    success = 200,
    idempotent
)]
#[non_exhaustive]
pub struct EnableKeyRotation {
    /// The key (UUID).
    pub key_id: String,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Reads whether, how often and when last a key is rotated.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/kms/get-key-rotation-status",
    permission = "kms:cmk:getRotation",
    response = GetkeyRotationStatusResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowKeyRotationStatus {
    /// The key (UUID).
    pub key_id: String,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Changes how often a key is rotated. Its rotation has to be on.
#[derive(Clone, Debug, Model)]
#[operation(
    POST,
    "/v1.0/{project_id}/kms/update-key-rotation-interval",
    permission = "kms:cmk:updateRotation",
    success = 200,
    idempotent
)]
#[non_exhaustive]
pub struct UpdateKeyRotationInterval {
    /// The key (UUID).
    pub key_id: String,
    /// Days between rotations, 30 to 365.
    #[field(check(Range(30, 365)))]
    pub rotation_interval: i32,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// Switches off the rotation of a key. Earlier material is kept.
#[derive(Clone, Debug, Model)]
#[operation(
    POST,
    "/v1.0/{project_id}/kms/disable-key-rotation",
    permission = "kms:cmk:disableRotation",
    success = 200,
    idempotent
)]
#[non_exhaustive]
pub struct DisableKeyRotation {
    /// The key (UUID).
    pub key_id: String,
    /// Serial number of the request, 36 characters. Never sent back.
    pub sequence: Option<String>,
}

/// How a key is rotated.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GetkeyRotationStatusResponseBody {
    /// Whether it is rotated by itself.
    pub key_rotation_enabled: Option<bool>,
    /// Days between rotations; `None` while rotation is off.
    pub rotation_interval: Option<i32>,
    /// When it was last rotated; `None` if never.
    #[field(text)]
    pub last_rotation_time: Option<Timestamp>,
    /// How many times it was rotated.
    pub number_of_rotations: Option<i32>,
    /// The material it has now and has had.
    pub key_materials: Vec<GetkeyRotationStatusResponseBodyKeyMaterials>,
}

/// Material of a key.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct GetkeyRotationStatusResponseBodyKeyMaterials {
    /// Id of the material.
    pub material_id: Option<String>,
    /// State as a code whose values are not published.
    pub state: Option<i64>,
    /// When it was made or imported.
    #[field(text)]
    pub create_time: Option<Timestamp>,
    /// When it expires; `None` where it does not.
    #[field(text)]
    pub expiration_time: Option<Timestamp>,
    /// Id under which it is billed.
    pub charge_id: Option<String>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn the_flag_is_real_here_and_a_key_never_rotated_has_no_time() {
        let status: GetkeyRotationStatusResponseBody =
            serde_json::from_str(r#"{"key_rotation_enabled":false,"last_rotation_time":"","number_of_rotations":0}"#)
                .unwrap();
        assert_eq!((status.key_rotation_enabled, status.number_of_rotations), (Some(false), Some(0)));
        assert_eq!((status.last_rotation_time, status.rotation_interval), (None, None));
    }
}
