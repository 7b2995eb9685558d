//! Version stages: names that mark the versions of a secret.
//!
//! Where `SYSCURRENT` is put on another version, `SYSPREVIOUS` follows to the one that was in use: by this chapter's
//! operations just as by a new version. So no value that was in use loses its last stage by going back to an older one.

use serde_json::{Value as Json, json};

use super::{
    record::{CURRENT, PREVIOUS, Secret},
    refusal,
    secrets::{change, check_enabled, find},
    versions::check_stages,
};
use crate::{
    call::{Call, Handler, Named, Outcome, Reply},
    fault::Fault,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateSecretStage", Handler::Write(create)),
    ("ShowSecretStage", Handler::Read(show)),
    ("UpdateSecretStage", Handler::Write(update)),
    ("DeleteSecretStage", Handler::Write(delete)),
];

fn create(call: &Call, world: &mut World) -> Outcome {
    let name = call.text("name");
    put(call, world, name, |secret| match secret.stages.contains_key(name) {
        true => Err(refusal("CSMS.0104")),
        false => Ok(()),
    })
}

fn show(call: &Call, world: &World) -> Outcome {
    let secret = find(world.project(&call.project_id)?, call.text("secret_name"))?;
    Ok(json!({"stage": stage(secret, call.text("stage_name"))?}).into())
}

fn update(call: &Call, world: &mut World) -> Outcome {
    put(call, world, call.text("stage_name"), |_| Ok(()))
}

fn delete(call: &Call, world: &mut World) -> Outcome {
    let name = call.text("stage_name");
    change(call, world, |secret, _| {
        check_enabled(secret, "CSMS.0107")?;
        if [CURRENT, PREVIOUS].contains(&name) {
            return Err(refusal("CSMS.0105"));
        }
        secret.stages.remove(name).ok_or_else(|| refusal("CSMS.0005"))
    })?;
    Ok(Reply::default())
}

/// Puts a stage on the version that the call names.
fn put(call: &Call, world: &mut World, name: &str, check: impl FnOnce(&Secret) -> Result<(), Fault>) -> Outcome {
    let shown = change(call, world, |secret, _| {
        check_enabled(secret, "CSMS.0107")?;
        check(secret)?;
        // Unlike where values are read, the definitions take no `latest` here.
        let id = Some(call.text("version_id")).filter(|id| *id != "latest");
        let version = id.and_then(|id| secret.version(id)).ok_or_else(|| refusal("CSMS.0005"))?;
        secret.mark(name, version.number, call.now);
        check_stages(secret)?;
        stage(secret, name)
    })?;
    Ok(json!({"stage": shown}).into())
}

/// A stage as it is shown.
fn stage(secret: &Secret, name: &str) -> Result<Json, Fault> {
    let stage = secret.stages.get(name).ok_or_else(|| refusal("CSMS.0005"))?;
    Ok(json!({
        "name": name,
        "secret_name": secret.name,
        "version_id": format!("v{}", stage.version),
        "update_time": stage.update_time,
    }))
}
