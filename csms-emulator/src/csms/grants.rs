//! Secret grants: who else may use a secret.
//!
//! # Limits
//! A grant is kept and shown. It opens nothing: whoever can sign for a project can use all of its secrets anyway.
//! Groups of secrets are known by their grants only, since no operation makes one.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{State, record::Secret, refusal, secrets::invalid};
use crate::{
    call::{Call, Handler, Named, Outcome},
    clock::{DAY, Millis},
    fault::Fault,
    id,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateGrants", Handler::Write(create)),
    ("ListGrants", Handler::Read(list)),
    ("UpdateGrant", Handler::Write(update)),
    ("DeleteGrant", Handler::Write(delete)),
];

/// Who may use a secret or a group of secrets.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Granted {
    resource_type: String,
    create_time: Millis,
    update_time: Millis,
    /// By user or group of users.
    grants: BTreeMap<String, Grant>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Grant {
    id: String,
    create_time: Millis,
    update_time: Millis,
    /// In its last day, at its begin unless the client was more exact.
    validity_time: Option<Millis>,
}

/// Gives a grant, anew if there is one that has ended.
fn create(call: &Call, world: &mut World) -> Outcome {
    let (resource_type, validity_time) = request(call)?;
    let state = &mut world.project_mut(&call.project_id)?.csms;
    let resource = resource(call, state, resource_type)?;
    let grantee = call.text("grantee_target_id");
    let mut granted = state.grants.get(&resource).cloned().unwrap_or_else(|| Granted {
        resource_type: resource_type.to_owned(),
        create_time: call.now,
        update_time: call.now,
        grants: BTreeMap::new(),
    });
    if granted.grants.get(grantee).is_some_and(|grant| grant.holds(call.now)) {
        return Err(refusal("CSMS.0003").because("who is named has such a grant, which can be updated"));
    }
    let grant = Grant { id: id::uuid(), create_time: call.now, update_time: call.now, validity_time };
    let answer = grant.shown(&resource, resource_type, grantee);
    granted.grants.insert(grantee.to_owned(), grant);
    granted.update_time = call.now;
    state.grants.insert(resource, granted);
    Ok(answer.into())
}

fn list(call: &Call, world: &World) -> Outcome {
    let state = &world.project(&call.project_id)?.csms;
    let id = call.text("resource_id");
    let secret = secret(state, id);
    let id = secret.map_or(id, |secret| &secret.id);
    let none = || Granted {
        resource_type: "SECRET".to_owned(),
        create_time: secret.map(|secret| secret.create_time).unwrap_or_default(),
        update_time: secret.map(|secret| secret.update_time).unwrap_or_default(),
        grants: BTreeMap::new(),
    };
    let known = state.grants.get(id).cloned();
    let granted = known.or_else(|| secret.map(|_| none())).ok_or_else(|| refusal("CSMS.0005"))?;
    let users = || world.directory.accounts.iter().flat_map(|account| &account.users);
    let name = |id: &str| users().find(|user| user.id == id).map_or_else(|| id.to_owned(), |user| user.name.clone());
    let grantees = granted.grants.iter().filter(|(_, grant)| grant.holds(call.now)).map(|(grantee, grant)| {
        json!({
            "user_id": grantee,
            "user_name": name(grantee),
            "create_time": grant.create_time,
            "validity_time": grant.validity_time,
        })
    });
    let data = json!({
        "id": id,
        "name": secret.map(|secret| &secret.name),
        "type": granted.resource_type,
        "grantee_user": grantees.collect::<Json>(),
        "create_time": granted.create_time,
        "update_time": granted.update_time,
    });
    Ok(json!({"data": data}).into())
}

fn update(call: &Call, world: &mut World) -> Outcome {
    let (resource_type, validity_time) = request(call)?;
    let state = &mut world.project_mut(&call.project_id)?.csms;
    let resource = resource(call, state, resource_type)?;
    let grantee = call.text("grantee_target_id");
    let mut granted = state.grants.get(&resource).cloned().ok_or_else(|| refusal("CSMS.0005"))?;
    let grant = granted.grants.get_mut(grantee).ok_or_else(|| refusal("CSMS.0005"))?;
    grant.validity_time = validity_time.or(grant.validity_time);
    grant.update_time = call.now;
    let answer = grant.shown(&resource, resource_type, grantee);
    granted.update_time = call.now;
    state.grants.insert(resource, granted);
    Ok(answer.into())
}

/// Takes one grant away; all grants of the resource when nobody is named, which the definitions leave open.
fn delete(call: &Call, world: &mut World) -> Outcome {
    let state = &mut world.project_mut(&call.project_id)?.csms;
    let id = call.text("resource_id");
    let id = secret(state, id).map_or(id, |secret| &secret.id).to_owned();
    let grantee = call.optional("grantee_user").filter(|grantee| !grantee.is_empty());
    let mut granted = state.grants.get(&id).cloned().ok_or_else(|| refusal("CSMS.0005"))?;
    match grantee {
        Some(grantee) => drop(granted.grants.remove(grantee).ok_or_else(|| refusal("CSMS.0005"))?),
        None => granted.grants.clear(),
    }
    granted.update_time = call.now;
    match granted.grants.is_empty() {
        true => drop(state.grants.remove(&id)),
        false => state.grants.insert(id, granted),
    }
    Ok(Default::default())
}

/// What a call says of a grant: for what kind of resource it is, and when it ends.
fn request(call: &Call) -> Result<(&'static str, Option<Millis>), Fault> {
    // One example spells it in lower case.
    let resource_type = match call.text("type").to_ascii_uppercase().as_str() {
        "SECRET" => "SECRET",
        "GROUP" => "GROUP",
        _ => return Err(invalid("`type` has to be SECRET or GROUP")),
    };
    if !matches!(call.text("grantee_type"), "0" | "2") {
        return Err(invalid("`grantee_type` has to be 0 for a user or 2 for a group"));
    }
    if !(1..=64).contains(&call.text("grantee_target_id").len()) {
        return Err(invalid("`grantee_target_id` has to be 1 to 64 characters"));
    }
    let Some(text) = call.optional("validity_time") else { return Ok((resource_type, None)) };
    let last_day = last_day(text).ok_or_else(|| invalid("`validity_time` has to be a day, as YYYY-MM-DD"))?;
    match last_day.saturating_add(DAY) > call.now {
        true => Ok((resource_type, Some(last_day))),
        false => Err(invalid("`validity_time` is over")),
    }
}

/// When the day begins. Some clients send the milliseconds that answers have.
fn last_day(text: &str) -> Option<Millis> {
    match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(day) => Some(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis()),
        Err(_) => text.parse().ok(),
    }
}

/// The id of the resource that a call names.
fn resource(call: &Call, state: &State, resource_type: &str) -> Result<String, Fault> {
    let id = call.text("resource_id");
    if resource_type == "GROUP" {
        return Ok(id.to_owned());
    }
    secret(state, id).map(|secret| secret.id.clone()).ok_or_else(|| refusal("CSMS.0106"))
}

/// The secret of this id, or of this name: examples have both.
fn secret<'a>(state: &'a State, id: &str) -> Option<&'a Secret> {
    state.secrets.get(state.secrets.key_of(id).unwrap_or(id))
}

impl Grant {
    fn holds(&self, now: Millis) -> bool {
        self.validity_time.is_none_or(|day| now < day.saturating_add(DAY))
    }

    /// As the operations that change one show it; a list has other names.
    fn shown(&self, resource: &str, resource_type: &str, grantee: &str) -> Json {
        json!({"data": {
            "uuid": self.id,
            "resourceId": resource,
            "type": resource_type,
            "granteeUser": grantee,
            "state": 0,
            "signature": "",
            "createTime": self.create_time,
            "updateTime": self.update_time,
            "validityTime": self.validity_time,
        }})
    }
}
