//! Secret versions: the values that a secret has and had.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{
    events,
    page::{self, page},
    record::{CURRENT, MOST_STAGES, Secret, Value, Version},
    refusal,
    secrets::{change, check_enabled, find, invalid, value},
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    clock::Millis,
    fault::Fault,
    kms,
    world::{Project, World},
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateSecretVersion", Handler::Write(create)),
    ("ShowSecretVersion", Handler::Read(show)),
    ("BatchGetSecretValue", Handler::Read(show_many)),
    ("ListSecretVersions", Handler::Read(list)),
    ("UpdateVersion", Handler::Write(update)),
];

fn create(call: &Call, world: &mut World) -> Outcome {
    let shown = change(call, world, |secret, project| {
        check_enabled(secret, "CSMS.0109")?;
        let value = value(call)?;
        let stages = stages(call)?;
        check_key(project, &secret.kms_key_id)?;
        let number = secret.add_version(value, &stages, call.number("expire_time").map(expiry), call.now);
        check_stages(secret)?;
        let version = secret.versions.iter().find(|version| version.number == number);
        Ok(version.map(|version| metadata(secret, version)))
    })?;
    let csms = &mut world.project_mut(&call.project_id)?.csms;
    events::occurred(csms, call.text("secret_name"), events::VERSION_CREATED, call.now);
    Ok(json!({"version_metadata": shown}).into())
}

fn show(call: &Call, world: &World) -> Outcome {
    let project = world.project(&call.project_id)?;
    let secret = find(project, call.text("secret_name"))?;
    check_enabled(secret, "CSMS.0107")?;
    let version = secret.version(call.text("version_id")).ok_or_else(|| refusal("CSMS.0005"))?;
    Ok(json!({"version": with_value(project, secret, version)?}).into())
}

/// Reads the current values of the secrets named. Those that do not exist are left out; without names nothing is read.
fn show_many(call: &Call, world: &World) -> Outcome {
    let project = world.project(&call.project_id)?;
    let names = call.texts("secret_name_list").unwrap_or_default();
    let secrets = names.into_iter().filter_map(|name| project.csms.secrets.get(name));
    let versions = secrets.map(|secret| {
        check_enabled(secret, "CSMS.0107")?;
        let version = secret.current().ok_or_else(|| refusal("CSMS.0005"))?;
        let mut shown = with_value(project, secret, version)?;
        // Here, and nowhere else, a time that is not set is `null`.
        shown["version_metadata"]["expire_time"] = version.expire_time.into();
        Ok(shown)
    });
    let versions = versions.collect::<Result<Vec<_>, Fault>>()?;
    Ok(json!({"total_count": versions.len(), "versions": versions}).into())
}

fn list(call: &Call, world: &World) -> Outcome {
    let secret = find(world.project(&call.project_id)?, call.text("secret_name"))?;
    let after = page::marker(call).map(|marker| number(secret, marker)).transpose()?.unwrap_or_default();
    let versions = secret.versions.iter().filter(|version| version.number > after);
    let page = page(call, versions.map(|version| (version.id(), metadata(secret, version))))?;
    Ok(json!({"version_metadatas": page.items, "page_info": page.info}).into())
}

fn update(call: &Call, world: &mut World) -> Outcome {
    let expire_time = call.number("expire_time").map(expiry);
    let shown = change(call, world, |secret, _| {
        check_enabled(secret, "CSMS.0109")?;
        let number = secret.version(call.text("version_id")).map(|version| version.number);
        let at = secret.versions.iter().position(|version| Some(version.number) == number);
        let at = at.ok_or_else(|| refusal("CSMS.0005"))?;
        let version = &mut secret.versions[at];
        version.expire_time = expire_time;
        // Every update may be told of once.
        version.expiry_told = false;
        Ok(metadata(secret, &secret.versions[at]))
    })?;
    Ok(json!({"version_metadata": shown}).into())
}

/// The number that a marker stands for. The version itself may be gone.
fn number(secret: &Secret, marker: &str) -> Result<u32, Fault> {
    let number = match marker {
        "latest" => secret.current().map(|version| version.number),
        marker => marker.strip_prefix('v').and_then(|digits| digits.parse().ok()),
    };
    number.ok_or_else(|| invalid("`marker` has to be the id of a version"))
}

/// The stages that a new version is to have.
fn stages(call: &Call) -> Result<BTreeSet<&str>, Fault> {
    let Some(names) = call.texts("version_stages") else { return Ok(BTreeSet::from([CURRENT])) };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let fits = |name: &&str| (1..=64).contains(&name.len()) && name.bytes().all(allowed);
    match names.iter().all(fits) {
        true => Ok(names.into_iter().collect()),
        false => Err(invalid("`version_stages` has to hold names of 1 to 64 letters, digits, `_`, `-` or `.`")),
    }
}

/// Refuses a secret that has been given too many stages.
pub(super) fn check_stages(secret: &Secret) -> Result<(), Fault> {
    match secret.stages.len() > MOST_STAGES {
        true => Err(refusal("CSMS.0203")),
        false => Ok(()),
    }
}

/// Refuses to encrypt or decrypt with a key that cannot be used.
fn check_key(project: &Project, id: &str) -> Result<(), Fault> {
    match kms::usable_for_data(&project.kms, id) {
        true => Ok(()),
        false => Err(refusal("CSMS.0401")),
    }
}

/// A time of expiry as it is kept, in whole seconds. The reference asks for seconds and sends milliseconds; what would be
/// before March 1973 in milliseconds is taken for seconds.
fn expiry(time: i64) -> Millis {
    match time < 100_000_000_000 {
        true => time * 1000,
        false => time / 1000 * 1000,
    }
}

/// A version without its value.
fn metadata(secret: &Secret, version: &Version) -> Json {
    let mut shown = json!({
        "id": version.id(),
        "secret_name": secret.name,
        "kms_key_id": version.kms_key_id,
        "create_time": version.create_time,
        "version_stages": secret.stages_of(version.number),
    });
    if let Some(time) = version.expire_time {
        shown["expire_time"] = time.into();
    }
    shown
}

/// A version with its value, which its key has to reveal.
fn with_value(project: &Project, secret: &Secret, version: &Version) -> Result<Json, Fault> {
    check_key(project, &version.kms_key_id)?;
    let (name, text) = match &version.value {
        Value::String(text) => ("secret_string", text),
        Value::Binary(text) => ("secret_binary", text),
    };
    Ok(json!({"version_metadata": metadata(secret, version), name: text.expose()}))
}
