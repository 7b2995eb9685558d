//! Key rotation: new material from time to time, while what the old has encrypted can still be decrypted.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{
    access::check_enabled,
    keys::{self, find},
    keystores,
    record::{Generation, Key, Kind, Rotation},
    refusal,
};
use crate::{
    call::{Call, Handler, Named, Outcome, Reply},
    clock::{DAY, Millis},
    crypto::Material,
    fault::Fault,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("EnableKeyRotation", Handler::Write(enable)),
    ("DisableKeyRotation", Handler::Write(disable)),
    ("UpdateKeyRotationInterval", Handler::Write(update)),
    ("ShowKeyRotationStatus", Handler::Read(status)),
];

/// Until another interval is set.
const DEFAULT_DAYS: i64 = 365;

fn enable(call: &Call, world: &mut World) -> Outcome {
    keys::change(call, world, |key| {
        check_rotatable(key)?;
        check_enabled(key)?;
        if key.rotation.is_some() {
            return Err(refusal("KMS.2901"));
        }
        key.rotation = Some(Rotation { interval_days: DEFAULT_DAYS, next: call.now + DEFAULT_DAYS * DAY });
        Ok(Reply::default())
    })
}

fn disable(call: &Call, world: &mut World) -> Outcome {
    keys::change(call, world, |key| match key.rotation.take() {
        Some(_) => Ok(Reply::default()),
        None => Err(refusal("KMS.0313")),
    })
}

/// The new interval counts from the last rotation, or from when rotation was switched on.
fn update(call: &Call, world: &mut World) -> Outcome {
    let days = call.number("rotation_interval").ok_or_else(|| refusal("KMS.3001"))?;
    keys::change(call, world, |key| {
        let rotation = key.rotation.as_mut().ok_or_else(|| refusal("KMS.0313"))?;
        let began = rotation.next - rotation.interval_days * DAY;
        *rotation = Rotation { interval_days: days, next: (began + days * DAY).max(call.now) };
        Ok(Reply::default())
    })
}

/// Refuses a key that cannot be rotated by itself, whatever its state.
fn check_rotatable(key: &Key) -> Result<(), Fault> {
    match key.kind() {
        Kind::Symmetric if key.origin != "kms" => Err(refusal("KMS.0312")),
        Kind::Symmetric if key.keystore_id != keystores::DEFAULT => Err(refusal("KMS.0338")),
        Kind::Symmetric => Ok(()),
        Kind::Hmac => Err(refusal("KMS.0341")),
        Kind::Asymmetric if key.spec.starts_with("RSA_") => Err(refusal("KMS.0324")),
        Kind::Asymmetric => Err(refusal("KMS.0325")),
    }
}

fn status(call: &Call, world: &World) -> Outcome {
    let key = find(&world.project(&call.project_id)?.kms, call.text("key_id"))?;
    let mut answer = json!({
        "key_rotation_enabled": key.rotation.is_some(),
        "last_rotation_time": key.rotated.last().map(Millis::to_string).unwrap_or_default(),
        "number_of_rotations": key.rotated.len(),
    });
    // Left out while rotation is off: that is how some clients tell.
    if let Some(rotation) = &key.rotation {
        answer["rotation_interval"] = Json::from(rotation.interval_days);
    }
    Ok(answer.into())
}

/// A key that can be used again makes up for what was due meanwhile, once and now.
pub(super) fn resume(key: &mut Key, now: Millis) {
    if let Some(rotation) = &mut key.rotation {
        rotation.next = rotation.next.max(now);
    }
}

/// Gives a key the material that is due and plans the next rotation. The time is the one it was due at, also where
/// nobody asked for a while.
pub(super) fn rotate(key: &mut Key) {
    let Some(rotation) = &mut key.rotation else { return };
    let time = rotation.next;
    rotation.next += rotation.interval_days * DAY;
    if let Ok(material) = Material::generate(&key.spec) {
        key.generations.push(Generation(Arc::new(material)));
        key.rotated.push(time);
    }
}
