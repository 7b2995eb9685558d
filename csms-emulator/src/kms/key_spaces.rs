//! Trusted key spaces, and what all chapters about them have in common.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    State as Keys,
    keys::is_name,
    keystores::{self, DEFAULT},
    refusal,
};
use crate::{
    call::{Call, Handler, Named, Outcome, Reply},
    clock::{self, Millis},
    fault::Fault,
    id,
    table::Table,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateTrustedKeySpace", Handler::Write(create)),
    ("ListTrustedKeySpace", Handler::Read(list)),
    ("DeleteTrustedKeySpace", Handler::Write(delete)),
];

/// What access points and key policies belong to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeySpace {
    id: String,
    name: String,
    /// `1`, `2` or `3`.
    kind: String,
    pub(super) keystore_id: String,
    description: Option<String>,
    created_by: String,
    created: Millis,
}

fn create(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let name = call.text("keyspace_name");
    check_length(call, "keyspace_name", 1, 255)?;
    let kind = call.optional("type").unwrap_or("1");
    let keystore_id = keystore(keys, kind, call.optional("keystore_id"))?;
    if keys.key_spaces.values().any(|space| space.name == name) {
        return Err(refusal("KMS.0308").because("`keyspace_name` is that of another key space"));
    }
    let space = KeySpace {
        id: id::uuid(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        keystore_id,
        description: call.optional("description").map(str::to_owned),
        created_by: call.caller.user_id.clone(),
        created: call.now,
    };
    let answer = json!({"keyspace_id": space.id});
    keys.key_spaces.insert(space.id.clone(), space);
    Ok(answer.into())
}

/// The keystore of a key space, which has to be of the kind that its type asks for.
fn keystore(keys: &Keys, kind: &str, named: Option<&str>) -> Result<String, Fault> {
    let wanted = match (kind, named) {
        ("1", None | Some(DEFAULT)) => return Ok(DEFAULT.to_owned()),
        ("1", Some(_)) => "DEFAULT",
        ("2", _) => "DHSM",
        ("3", _) => "CDMS",
        _ => return Err(refusal("KMS.0308").because("`type` is none of 1, 2 and 3")),
    };
    let id = named.ok_or_else(|| refusal("KMS.0204").because(format!("`keystore_id` is required for type {kind}")))?;
    match keystores::find(keys, id)?.kind == wanted {
        true => Ok(id.to_owned()),
        false => Err(refusal("KMS.0308").because(format!("type {kind} needs a keystore of type {wanted}"))),
    }
}

fn list(call: &Call, world: &World) -> Outcome {
    let spaces = &world.project(&call.project_id)?.kms.key_spaces;
    let id = optional_uuid(call, "keyspace_id")?;
    let kind = call.number("type").map(|kind| kind.to_string());
    let wanted = |space: &KeySpace| {
        id.is_none_or(|id| space.id.eq_ignore_ascii_case(id)) && kind.as_ref().is_none_or(|kind| space.kind == *kind)
    };
    page(call, "keyspaces", spaces, wanted, |space| {
        // Only the first two names are published; the others are those of the request and of access points.
        let mut shown = json!({
            "keyspace_id": space.id,
            "keyspace_name": space.name,
            "type": space.kind,
            "keystore_id": space.keystore_id,
            "created_by": space.created_by,
            "create_time": clock::text(space.created),
        });
        if let Some(description) = &space.description {
            shown["description"] = description.as_str().into();
        }
        shown
    })
}

fn delete(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let id = call.text("key_space_id");
    check_exists(keys, id)?;
    let points = keys.access_points.values().map(|point| &point.keyspace_id);
    if points.chain(keys.key_policies.values().map(|policy| &policy.keyspace_id)).any(|owner| owner == id) {
        return Err(Fault::new(400, "KMS.0308", "The key space is not empty."));
    }
    keys.key_spaces.remove(id);
    Ok(Reply::default())
}

/// Refuses unless there is such a key space.
pub(super) fn check_exists(keys: &Keys, id: &str) -> Result<(), Fault> {
    match keys.key_spaces.contains(id) {
        true => Ok(()),
        false => Err(missing("key space")),
    }
}

/// What does not exist. These chapters have no codes of their own.
pub(super) fn missing(what: &str) -> Fault {
    Fault::new(404, "KMS.0308", format!("The {what} does not exist."))
}

/// One page of a list by marker: the wanted records after it, in the order of their ids.
pub(super) fn page<T>(
    call: &Call,
    items: &str,
    table: &Table<T>,
    wanted: impl Fn(&T) -> bool,
    show: impl Fn(&T) -> Json,
) -> Outcome {
    let limit = match call.number("limit").unwrap_or(50) {
        limit @ 1..=100 => usize::try_from(limit).unwrap_or(100),
        _ => return Err(refusal("KMS.0308").because("`limit` is not from 1 to 100")),
    };
    let marker = optional_uuid(call, "marker")?;
    let mut rest = table.after(marker).filter(|(_, record)| wanted(record));
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let next = page.last().filter(|_| rest.next().is_some()).map_or("", |(id, _)| id.as_str());
    let shown: Vec<_> = page.iter().map(|(_, record)| show(record)).collect();
    Ok(json!({items: shown, "page_info": {"current_count": page.len(), "next_marker": next}}).into())
}

/// An id, if one was given. An empty one stands for none: the last page of a list ends with one.
fn optional_uuid<'a>(call: &'a Call, name: &str) -> Result<Option<&'a str>, Fault> {
    match call.optional(name).filter(|id| !id.is_empty()) {
        Some(id) if !id::is_uuid(id) => Err(refusal("KMS.0308").because(format!("`{name}` is no UUID"))),
        id => Ok(id),
    }
}

/// Refuses a name that has other characters than letters, digits, `:`, `/`, `_` and `-`, or too many.
pub(super) fn check_name(call: &Call, name: &str, most: usize) -> Result<(), Fault> {
    check_length(call, name, 1, most)?;
    match is_name(call.text(name)) {
        true => Ok(()),
        false => {
            Err(refusal("KMS.0308").because(format!("`{name}` has other characters than letters, digits, : / _ -")))
        }
    }
}

/// Refuses a text that is too short or too long.
pub(super) fn check_length(call: &Call, name: &str, least: usize, most: usize) -> Result<(), Fault> {
    match (least..=most).contains(&call.text(name).chars().count()) {
        true => Ok(()),
        false => Err(refusal("KMS.0308").because(format!("`{name}` has not {least} to {most} characters"))),
    }
}
