//! Events: what secrets tell, and to whom it was told.
//!
//! # Limits
//! Nothing is delivered, there is no SMN here: a notification is the record of it. It counts as delivered where the
//! target is the URN of a topic, and as `INVALID` where it is none. `SECRET_VERSION_NEAR_EXPIRY` is taken but never
//! happens, since nowhere is said how near.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    State,
    page::{self, page},
    record::CURRENT,
    refusal,
    secrets::invalid,
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    clock::{self, DAY, Millis},
    fault::Fault,
    id,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateSecretEvent", Handler::Write(create)),
    ("ShowSecretEvent", Handler::Read(show)),
    ("ListSecretEvents", Handler::Read(list)),
    ("UpdateSecretEvent", Handler::Write(update)),
    ("DeleteSecretEvent", Handler::Write(delete)),
    ("ListNotificationRecords", Handler::Read(list_records)),
];

pub(super) const VERSION_CREATED: &str = "SECRET_VERSION_CREATED";
pub(super) const VERSION_EXPIRED: &str = "SECRET_VERSION_EXPIRED";
pub(super) const ROTATED: &str = "SECRET_ROTATED";
pub(super) const ROTATED_FAILED: &str = "SECRET_ROTATED_FAILED";
pub(super) const DELETED: &str = "SECRET_DELETED";

/// What an event may be about. That an expiry is near is in examples only.
const TYPES: &[&str] =
    &[VERSION_CREATED, VERSION_EXPIRED, ROTATED, ROTATED_FAILED, DELETED, "SECRET_VERSION_NEAR_EXPIRY"];
/// Most events of a project.
const QUOTA: usize = 30;
/// How long records are kept: three months.
const KEPT: Millis = 90 * DAY;
/// Most records of an answer.
const MOST_RECORDS: usize = 1000;

/// A choice of happenings, and who is told of them. Kept as it is shown.
#[derive(Serialize, Deserialize)]
pub(crate) struct Event {
    name: String,
    event_id: String,
    event_types: Vec<String>,
    state: String,
    create_time: Millis,
    update_time: Millis,
    notification: Notification,
}

/// Who is told.
#[derive(Serialize, Deserialize)]
struct Notification {
    target_type: String,
    target_id: String,
    target_name: String,
}

/// A notification that was sent. Kept as it is shown.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    event_name: String,
    trigger_event_type: String,
    secret_name: String,
    secret_type: String,
    notification_target_name: String,
    notification_target_id: String,
    notification_content: String,
    notification_status: String,
    create_time: Millis,
}

fn create(call: &Call, world: &mut World) -> Outcome {
    let events = &mut world.project_mut(&call.project_id)?.csms.events;
    let name = call.text("name");
    if events.contains(name) {
        return Err(Fault::new(409, "CSMS.0101", "The event name already exists."));
    }
    if events.len() >= QUOTA {
        return Err(refusal("CSMS.0003").because(format!("a project has at most {QUOTA} events")));
    }
    let event = Event {
        name: name.to_owned(),
        event_id: id::uuid(),
        event_types: event_types(call)?.unwrap_or_default(),
        state: state(call)?.unwrap_or_default(),
        create_time: call.now,
        update_time: call.now,
        notification: notification(call)?.ok_or_else(|| refusal("CSMS.0002"))?,
    };
    let answer = json!({"event": event});
    events.insert(name, event);
    Ok(answer.into())
}

fn show(call: &Call, world: &World) -> Outcome {
    let events = &world.project(&call.project_id)?.csms.events;
    let event = events.get(call.text("event_name")).ok_or_else(|| refusal("CSMS.0005"))?;
    Ok(json!({"event": event}).into())
}

fn list(call: &Call, world: &World) -> Outcome {
    let events = world.project(&call.project_id)?.csms.events.after(page::marker(call));
    let page = page(call, events.map(|(name, event)| (name.clone(), event)))?;
    Ok(json!({"events": page.items, "page_info": page.info}).into())
}

fn update(call: &Call, world: &mut World) -> Outcome {
    let (event_types, state, notification) = (event_types(call)?, state(call)?, notification(call)?);
    let events = &mut world.project_mut(&call.project_id)?.csms.events;
    let event = events.get_mut(call.text("event_name")).ok_or_else(|| refusal("CSMS.0005"))?;
    if let Some(event_types) = event_types {
        event.event_types = event_types;
    }
    if let Some(state) = state {
        event.state = state;
    }
    if let Some(notification) = notification {
        event.notification = notification;
    }
    event.update_time = call.now;
    Ok(json!({"event": event}).into())
}

fn delete(call: &Call, world: &mut World) -> Outcome {
    let state = &mut world.project_mut(&call.project_id)?.csms;
    let name = call.text("event_name");
    if !state.events.contains(name) {
        return Err(refusal("CSMS.0005"));
    }
    if let Some(secret) = state.secrets.values().find(|secret| secret.event_subscriptions.iter().any(|it| it == name)) {
        return Err(refusal("CSMS.0003").because(format!("the secret `{}` subscribes to the event", secret.name)));
    }
    state.events.remove(name);
    Ok(Default::default())
}

/// The newest first. There is one page only, because no parameter asks for another.
fn list_records(call: &Call, world: &World) -> Outcome {
    let records = &world.project(&call.project_id)?.csms.records;
    let records: Vec<_> =
        records.values().rev().take_while(|record| is_kept(record, call.now)).take(MOST_RECORDS).collect();
    let page_info = json!({
        "next_marker": null,
        "previous_marker": records.first().map(|record| &record.event_name),
        "current_count": records.len(),
    });
    Ok(json!({"records": records, "page_info": page_info}).into())
}

fn event_types(call: &Call) -> Result<Option<Vec<String>>, Fault> {
    let Some(types) = call.texts("event_types") else { return Ok(None) };
    for (index, event_type) in types.iter().enumerate() {
        let problem = match event_type {
            unknown if !TYPES.contains(unknown) => "is none that is known",
            repeated if types[..index].contains(repeated) => "is there twice",
            _ => continue,
        };
        return Err(invalid(format!("`event_types.{index}` {problem}")));
    }
    Ok(Some(types.into_iter().map(str::to_owned).collect()))
}

fn state(call: &Call) -> Result<Option<String>, Fault> {
    match call.optional("state") {
        Some(state @ ("ENABLED" | "DISABLED")) => Ok(Some(state.to_owned())),
        Some(_) => Err(invalid("`state` has to be ENABLED or DISABLED")),
        None => Ok(None),
    }
}

fn notification(call: &Call) -> Result<Option<Notification>, Fault> {
    let Some(members) = call.object("notification") else { return Ok(None) };
    let notification: Notification = serde_json::from_value(Json::Object(members.clone()))
        .map_err(|_| invalid("`notification` has texts for members"))?;
    if notification.target_type != "SMN" {
        return Err(invalid("`notification.target_type` has to be SMN"));
    }
    if !(1..=256).contains(&notification.target_id.len()) {
        return Err(invalid("`notification.target_id` has to be 1 to 256 characters"));
    }
    Ok(Some(notification))
}

/// Has those told who subscribe to what has happened to a secret. To be called while the secret is there, and once it
/// is as it is told.
pub(super) fn occurred(state: &mut State, secret: &str, event_type: &str, now: Millis) {
    let Some(record) = state.secrets.get(secret) else { return };
    let version = match (event_type, record.stages.get(CURRENT)) {
        (VERSION_CREATED, _) | (_, None) => record.last_version,
        (_, Some(stage)) => stage.version,
    };
    tell(state, secret, event_type, version, now);
}

fn tell(state: &mut State, secret: &str, event_type: &str, version: u32, now: Millis) {
    let State { secrets, events, records, .. } = state;
    let Some(secret) = secrets.get(secret) else { return };
    let old: Vec<_> =
        records.iter().take_while(|(_, record)| !is_kept(record, now)).map(|(key, _)| key.clone()).collect();
    for key in old {
        records.remove(&key);
    }
    let subscribed = secret.event_subscriptions.iter().filter_map(|name| events.get(name));
    for event in subscribed.filter(|event| event.state == "ENABLED") {
        if !event.event_types.iter().any(|known| known == event_type) {
            continue;
        }
        let content = json!({
            "eventName": event.name,
            "eventType": event_type,
            "secretName": secret.name,
            "secretType": secret.secret_type,
            "secretVersion": format!("v{version}"),
            "eventTime": clock::text(now),
        });
        let target = &event.notification;
        let record = Record {
            event_name: event.name.clone(),
            trigger_event_type: event_type.to_owned(),
            secret_name: secret.name.clone(),
            secret_type: secret.secret_type.clone(),
            notification_target_name: target.target_name.clone(),
            notification_target_id: target.target_id.clone(),
            notification_content: content.to_string(),
            notification_status: if target.target_id.starts_with("urn:smn:") { "SUCCESS" } else { "INVALID" }
                .to_owned(),
            create_time: now,
        };
        // Behind those of the same millisecond.
        let time = format!("{now:020}");
        let key = format!("{time}-{:06}", records.after(Some(&time)).count());
        records.insert(key, record);
    }
}

fn is_kept(record: &Record, now: Millis) -> bool {
    record.create_time >= now - KEPT
}

/// Tells of versions that have expired.
pub(super) fn settle(world: &mut World, project_id: &str, secret: &str, now: Millis) {
    let Ok(project) = world.project_mut(project_id) else { return };
    let state = &mut project.csms;
    let Some(record) = state.secrets.get(secret) else { return };
    let is_due = |time: Option<Millis>| time.is_some_and(|time| time <= now);
    if !record.versions.iter().any(|version| !version.expiry_told && is_due(version.expire_time)) {
        return;
    }
    let mut expired = Vec::new();
    if let Some(record) = state.secrets.get_mut(secret) {
        for version in record.versions.iter_mut().filter(|version| !version.expiry_told && is_due(version.expire_time))
        {
            version.expiry_told = true;
            expired.push(version.number);
        }
    }
    for version in expired {
        tell(state, secret, VERSION_EXPIRED, version, now);
    }
}
