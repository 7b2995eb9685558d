//! Secret lifecycle: secrets are made, changed and deleted, at once or after some days.
//!
//! # Limits
//! - `last_used_time` is not told: reading a value changes nothing here.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::{
    State as Csms, events,
    page::{self, page},
    record::{CURRENT, Replication, Secret, State, Value},
    refusal, replicas, rotation,
};
use crate::{
    agenda::Errand,
    call::{Call, Handler, Named, Outcome, Reply},
    clock::{DAY, Millis},
    fault::Fault,
    id, kms,
    world::{Project, World},
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateSecret", Handler::Write(create)),
    ("ShowSecret", Handler::Read(show)),
    ("ListSecrets", Handler::Read(list)),
    ("UpdateSecret", Handler::Write(update)),
    ("DeleteSecret", Handler::Write(delete)),
    ("DeleteSecretForSchedule", Handler::Write(schedule_deletion)),
    ("RestoreSecret", Handler::Write(cancel_deletion)),
];

fn create(call: &Call, world: &mut World) -> Outcome {
    add(call, world)?;
    answer(call, world, call.text("name"))
}

/// Adds the secret that a call describes.
pub(super) fn add(call: &Call, world: &mut World) -> Result<(), Fault> {
    let quota = world.rules.quotas.secrets;
    let project = world.project_mut(&call.project_id)?;
    let name = call.text("name");
    check_room(project, name, quota)?;
    let mut secret = Secret {
        id: id::uuid(),
        name: name.to_owned(),
        state: State::Enabled,
        kms_key_id: String::new(),
        description: String::new(),
        secret_type: call.optional("secret_type").unwrap_or("COMMON").to_owned(),
        auto_rotation: false,
        rotation_period: None,
        rotation_config: limited(call, "rotation_config", 1024)?.map(str::to_owned),
        rotation_func_urn: None,
        event_subscriptions: Vec::new(),
        enterprise_project_id: limited(call, "enterprise_project_id", 36)?.unwrap_or("0").to_owned(),
        create_time: call.now,
        update_time: call.now,
        scheduled_delete_time: None,
        rotation_time: None,
        next_rotation_time: None,
        versions: Vec::new(),
        last_version: 0,
        stages: Default::default(),
        tags: Default::default(),
        replication: Replication::Standalone,
        rotation: None,
    };
    take_over(call, project, &mut secret)?;
    let value = value(call)?;
    secret.kms_key_id = protecting_key(project, call.optional("kms_key_id"), call)?;
    secret.add_version(value, &BTreeSet::from([CURRENT]), None, call.now);
    project.csms.secrets.insert(name, secret);
    plan(world, &call.project_id, name);
    Ok(())
}

fn show(call: &Call, world: &World) -> Outcome {
    answer(call, world, call.text("secret_name"))
}

fn list(call: &Call, world: &World) -> Outcome {
    let event = call.optional("event_name");
    let listed =
        |secret: &Secret| event.is_none_or(|event| secret.event_subscriptions.iter().any(|name| name == event));
    let secrets = world.project(&call.project_id)?.csms.secrets.after(page::marker(call));
    let secrets = secrets.filter(|(_, secret)| listed(secret)).map(|(name, secret)| (name.clone(), secret));
    let page = page(call, secrets)?;
    let account_id = &call.caller.account_id;
    let secrets: Json = page.items.into_iter().map(|secret| metadata(secret, account_id)).collect();
    Ok(json!({"secrets": secrets, "page_info": page.info}).into())
}

fn update(call: &Call, world: &mut World) -> Outcome {
    change(call, world, |secret, project| {
        check_enabled(secret, "CSMS.0107")?;
        take_over(call, project, secret)?;
        if let Some(id) = call.optional("kms_key_id") {
            secret.kms_key_id = protecting_key(project, Some(id), call)?;
        }
        secret.update_time = call.now;
        Ok(())
    })?;
    show(call, world)
}

/// Deletes at once. A deletion that is pending has to be cancelled before: only then does the service's console delete at
/// once, and what somebody may still want back is not lost by a slip.
fn delete(call: &Call, world: &mut World) -> Outcome {
    let project = world.project_mut(&call.project_id)?;
    let name = call.text("secret_name");
    check_deletable(find(project, name)?)?;
    remove(&mut project.csms, name, call.now);
    Ok(Reply::default())
}

fn schedule_deletion(call: &Call, world: &mut World) -> Outcome {
    let days = call.number("recovery_window_in_days").unwrap_or(30);
    change(call, world, |secret, _| {
        check_deletable(secret)?;
        secret.state = State::PendingDelete;
        secret.scheduled_delete_time = Some(call.now + days * DAY);
        secret.update_time = call.now;
        Ok(())
    })?;
    show(call, world)
}

fn cancel_deletion(call: &Call, world: &mut World) -> Outcome {
    change(call, world, |secret, _| {
        if secret.state != State::PendingDelete {
            return Err(refusal("CSMS.0108"));
        }
        secret.state = State::Enabled;
        secret.scheduled_delete_time = None;
        secret.update_time = call.now;
        Ok(())
    })?;
    show(call, world)
}

/// The secret of this name.
pub(super) fn find<'a>(project: &'a Project, name: &str) -> Result<&'a Secret, Fault> {
    project.csms.secrets.get(name).ok_or_else(|| refusal("CSMS.0106"))
}

/// Changes the secret that is called by name. `apply` works on a copy, so that a refusal leaves everything as it was.
pub(super) fn change<R>(
    call: &Call,
    world: &mut World,
    apply: impl FnOnce(&mut Secret, &mut Project) -> Result<R, Fault>,
) -> Result<R, Fault> {
    let name = call.text("secret_name");
    let project = world.project_mut(&call.project_id)?;
    let mut secret = find(project, name)?.clone();
    replicas::check_writable(&secret)?;
    let result = apply(&mut secret, project)?;
    project.csms.secrets.insert(name, secret);
    replicas::follow(world, &call.project_id, name, call.now);
    plan(world, &call.project_id, name);
    Ok(result)
}

/// Takes a secret away.
pub(super) fn remove(csms: &mut Csms, name: &str, now: Millis) {
    // Told first: the secret knows who subscribes.
    events::occurred(csms, name, events::DELETED, now);
    if let Some(secret) = csms.secrets.remove(name) {
        csms.grants.remove(&secret.id);
        rotation::abandon(csms, &secret);
    }
}

/// Refuses a new secret whose name is taken, also by one whose deletion is pending, or for which there is no room.
pub(super) fn check_room(project: &Project, name: &str, quota: usize) -> Result<(), Fault> {
    if project.csms.secrets.contains(name) {
        return Err(refusal("CSMS.0101"));
    }
    match project.csms.secrets.len() >= quota {
        true => Err(refusal("CSMS.0201")),
        false => Ok(()),
    }
}

/// Refuses, with this code, while deletion is pending.
pub(super) fn check_enabled(secret: &Secret, otherwise: &str) -> Result<(), Fault> {
    match secret.state {
        State::Enabled => Ok(()),
        State::PendingDelete => Err(refusal(otherwise)),
    }
}

/// Refuses to delete a secret whose deletion is pending, or that has to do with replicas.
pub(super) fn check_deletable(secret: &Secret) -> Result<(), Fault> {
    check_enabled(secret, "CSMS.0103")?;
    replicas::check_deletable(secret)
}

/// Takes over what a call says of a secret. What it leaves out stays as it is; empty texts and lists clear.
fn take_over(call: &Call, project: &Project, secret: &mut Secret) -> Result<(), Fault> {
    let interval = secret.rotation_interval();
    if let Some(description) = limited(call, "description", 2048)? {
        secret.description = description.to_owned();
    }
    if let Some(rotates) = call.flag("auto_rotation") {
        secret.auto_rotation = rotates;
    }
    let given = |name| call.optional(name).map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()));
    if let Some(period) = given("rotation_period") {
        secret.rotation_period = period;
    }
    if let Some(urn) = given("rotation_func_urn") {
        secret.rotation_func_urn = urn;
    }
    if let Some(names) = call.texts("event_subscriptions") {
        secret.event_subscriptions = subscriptions(names, project)?;
    }
    check_rotation(secret)?;
    if secret.rotation_interval() != interval {
        secret.next_rotation_time = secret.rotation_interval().map(|interval| call.now + interval);
    }
    Ok(())
}

/// A text of at most so many bytes.
fn limited<'a>(call: &'a Call, name: &str, most: usize) -> Result<Option<&'a str>, Fault> {
    match call.optional(name) {
        Some(text) if text.len() > most => {
            let length = text.len();
            Err(invalid(format!("`{name}` is {length} bytes long, the service takes {most}")))
        }
        text => Ok(text),
    }
}

/// The events of these names, which have to be there. Some clients send empty names.
fn subscriptions(names: Vec<&str>, project: &Project) -> Result<Vec<String>, Fault> {
    let names = names.into_iter().filter(|name| !name.is_empty());
    names
        .map(|name| match project.csms.events.contains(name) {
            true => Ok(name.to_owned()),
            false => Err(invalid("`event_subscriptions` names an event that does not exist")),
        })
        .collect()
}

/// Refuses settings of rotation that do not go with the type of the secret. `RDS` has been replaced by `RDS-FG`.
fn check_rotation(secret: &Secret) -> Result<(), Fault> {
    let secret_type = secret.secret_type.as_str();
    match secret_type {
        "COMMON" if secret.auto_rotation => return Err(invalid("`auto_rotation` is not for COMMON secrets")),
        "COMMON" => return Ok(()),
        "RDS-FG" | "GaussDB-FG" => {}
        _ => return Err(invalid("`secret_type` has to be COMMON, RDS-FG or GaussDB-FG")),
    }
    let needed = [
        ("rotation_config", &secret.rotation_config, true),
        ("rotation_func_urn", &secret.rotation_func_urn, true),
        ("rotation_period", &secret.rotation_period, secret.auto_rotation),
    ];
    let missing = needed.into_iter().find(|(_, value, needed)| *needed && value.is_none());
    match missing {
        Some((name, ..)) => Err(invalid(format!("`{name}` is required for this {secret_type} secret"))),
        None => Ok(()),
    }
}

/// The key that will protect a value: the one named, which has to be fit for it, or `csms/default`.
pub(super) fn protecting_key(project: &mut Project, named: Option<&str>, call: &Call) -> Result<String, Fault> {
    match named.filter(|id| !id.is_empty()) {
        Some(id) => match kms::usable_for_data(&project.kms, id) {
            true => Ok(id.to_owned()),
            false => Err(refusal("CSMS.0401")),
        },
        None => Ok(kms::default_key(&mut project.kms, "csms/default", &call.caller.account_id, call.now)),
    }
}

/// The value that a call brings.
pub(super) fn value(call: &Call) -> Result<Value, Fault> {
    match (call.optional("secret_string"), call.optional("secret_binary")) {
        (Some(text), None) => Ok(Value::String(text.into())),
        (None, Some(text)) => match STANDARD.decode(text).map(Zeroizing::new) {
            Ok(_) => Ok(Value::Binary(text.into())),
            Err(_) => Err(invalid("`secret_binary` is not Base64")),
        },
        _ => Err(refusal("CSMS.0002")),
    }
}

/// A parameter that is refused.
pub(super) fn invalid(reason: impl std::fmt::Display) -> Fault {
    refusal("CSMS.0002").because(reason)
}

/// A secret as it is answered with.
pub(super) fn answer(call: &Call, world: &World, name: &str) -> Outcome {
    let secret = find(world.project(&call.project_id)?, name)?;
    Ok(json!({"secret": metadata(secret, &call.caller.account_id)}).into())
}

/// A secret as it is shown. What is not set is left out.
pub(super) fn metadata(secret: &Secret, account_id: &str) -> Json {
    let mut shown = json!({
        "id": secret.id,
        "name": secret.name,
        "state": secret.state.as_str(),
        "kms_key_id": secret.kms_key_id,
        "description": secret.description,
        "create_time": secret.create_time,
        "update_time": secret.update_time,
        "scheduled_delete_time": secret.scheduled_delete_time,
        "secret_type": secret.secret_type,
        "auto_rotation": secret.auto_rotation,
        "rotation_period": secret.rotation_period,
        "rotation_config": secret.rotation_config,
        "rotation_func_urn": secret.rotation_func_urn,
        "rotation_time": secret.rotation_time,
        "next_rotation_time": secret.next_rotation_time,
        "event_subscriptions": secret.event_subscriptions,
        "enterprise_project_id": secret.enterprise_project_id,
        "domain_id": account_id,
        "replica_type": replicas::kind(secret),
        "replicas": replicas::shown(secret),
    });
    if let Json::Object(members) = &mut shown {
        members.retain(|_, value| !value.is_null());
    }
    shown
}

/// Does what is due for a secret.
pub(crate) fn settle(world: &mut World, project_id: &str, name: &str, now: Millis) {
    let Ok(project) = world.project_mut(project_id) else { return };
    let Some(secret) = project.csms.secrets.get(name) else { return };
    if secret.scheduled_delete_time.is_some_and(|time| time <= now) {
        remove(&mut project.csms, name, now);
        return;
    }
    events::settle(world, project_id, name, now);
    rotation::settle(world, project_id, name, now);
    replicas::settle(world, project_id, name, now);
    plan(world, project_id, name);
}

/// Has the agenda know when something is next due for a secret. To be called after whatever may have changed that.
pub(super) fn plan(world: &mut World, project_id: &str, name: &str) {
    let secret = world.project(project_id).ok().and_then(|project| project.csms.secrets.get(name));
    let due = secret.and_then(Secret::due);
    world.agenda.add(due, Errand::Secret { project_id: project_id.to_owned(), name: name.to_owned() });
}
