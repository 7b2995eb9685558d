//! Secret tags. They go by the id of the secret, everything else by its name.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::{
    record::Secret,
    refusal, replicas,
    secrets::{check_enabled, invalid, metadata},
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    fault::Fault,
    tags::{self, Tags},
    world::{Project, World},
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateSecretTag", Handler::Write(create)),
    ("BatchCreateOrDeleteTags", Handler::Write(create_or_delete)),
    ("ListSecretTags", Handler::Read(list)),
    ("ListProjectSecretsTags", Handler::Read(list_of_project)),
    ("ListResourceInstances", Handler::Read(query)),
    ("DeleteSecretTag", Handler::Write(delete)),
];

/// Most tags of a secret.
const MOST: usize = 20;

fn create(call: &Call, world: &mut World) -> Outcome {
    let (key, value) = tag(call.object("tag"))?;
    change(call, world, |tags| {
        tags.insert(key, value.unwrap_or_default());
        Ok(())
    })
}

fn create_or_delete(call: &Call, world: &mut World) -> Outcome {
    let items = call.list("tags").unwrap_or_default();
    let items: Vec<_> = items.iter().map(|item| tag(item.as_object())).collect::<Result<_, _>>()?;
    let keys: BTreeSet<_> = items.iter().map(|(key, _)| key).collect();
    if keys.len() < items.len() {
        return Err(invalid("`tags` has a key twice"));
    }
    match call.text("action") {
        "create" => change(call, world, |tags| {
            tags.extend(items.into_iter().map(|(key, value)| (key, value.unwrap_or_default())));
            Ok(())
        }),
        // What is not there need not be deleted, and what has another value than the one that is given is not meant.
        "delete" => change(call, world, |tags| {
            for (key, value) in items {
                if value.is_none() || tags.get(&key) == value.as_ref() {
                    tags.remove(&key);
                }
            }
            Ok(())
        }),
        _ => Err(invalid("`action` has to be create or delete")),
    }
}

fn list(call: &Call, world: &World) -> Outcome {
    let secret = find(world.project(&call.project_id)?, call.text("secret_id"))?;
    Ok(json!({"tags": tags::shown(&secret.tags), "sys_tags": system_tags(secret)}).into())
}

fn list_of_project(call: &Call, world: &World) -> Outcome {
    let secrets = world.project(&call.project_id)?.csms.secrets.values();
    Ok(json!({"tags": tags::by_key(secrets.map(|secret| &secret.tags))}).into())
}

fn delete(call: &Call, world: &mut World) -> Outcome {
    let key = call.text("key");
    change(call, world, |tags| tags.remove(key).map(drop).ok_or_else(|| refusal("CSMS.0005")))
}

/// Lists or counts the secrets that fulfil all conditions; without any, those are all.
fn query(call: &Call, world: &World) -> Outcome {
    if call.text("resource_instances") != "resource_instances" {
        return Err(invalid("`resource_instances` has to be resource_instances"));
    }
    let conditions = conditions(call)?;
    let secrets = world.project(&call.project_id)?.csms.secrets.values();
    let found = secrets.filter(|secret| conditions.iter().all(|condition| condition.holds(secret)));
    if call.text("action") == "count" {
        return Ok(json!({"total_count": found.count()}).into());
    }
    if call.text("action") != "filter" {
        return Err(invalid("`action` has to be filter or count"));
    }
    let whole = |name, otherwise| usize::try_from(call.number(name).unwrap_or(otherwise)).ok();
    let limit = whole("limit", 10).ok_or_else(|| invalid("`limit` has to be from 1 to 1000"))?;
    let offset = whole("offset", 0).ok_or_else(|| invalid("`offset` must not be negative"))?;
    let found: Vec<_> = found.collect();
    let page = found.iter().skip(offset).take(limit).map(|secret| {
        json!({
            "resource_id": secret.id,
            "resource_name": secret.name,
            "resource_detail": metadata(secret, &call.caller.account_id),
            "tags": tags::shown(&secret.tags),
            "sys_tags": system_tags(secret),
        })
    });
    Ok(json!({"resources": page.collect::<Json>(), "total_count": found.len()}).into())
}

/// What secrets are looked for by.
enum Condition<'a> {
    /// Carries a tag of this key and one of these values; any value will do when there are none.
    Tag(&'a str, &'a [Json]),
    /// Has this in its name. An empty text is in none.
    Name(&'a str),
}

impl Condition<'_> {
    fn holds(&self, secret: &Secret) -> bool {
        match self {
            Self::Tag(key, values) => tags::has(&secret.tags, key, values),
            Self::Name(part) => !part.is_empty() && secret.name.contains(part),
        }
    }
}

fn conditions(call: &Call) -> Result<Vec<Condition<'_>>, Fault> {
    let mut conditions = Vec::new();
    for tag in call.list("tags").unwrap_or_default() {
        let key =
            tag["key"].as_str().filter(|key| !key.is_empty()).ok_or_else(|| invalid("a key of `tags` is missing"))?;
        let values = tag["values"].as_array().map(Vec::as_slice).unwrap_or_default();
        conditions.push(Condition::Tag(key, values));
    }
    for part in call.list("matches").unwrap_or_default() {
        if part["key"].as_str() != Some("resource_name") {
            return Err(invalid("a key of `matches` is not resource_name"));
        }
        conditions.push(Condition::Name(part["value"].as_str().unwrap_or_default()));
    }
    Ok(conditions)
}

/// The secret of this id.
fn find<'a>(project: &'a Project, id: &str) -> Result<&'a Secret, Fault> {
    let secrets = &project.csms.secrets;
    secrets.key_of(id).and_then(|name| secrets.get(name)).ok_or_else(|| refusal("CSMS.0005"))
}

/// Changes the tags of the secret that is called by id. `apply` works on a copy.
fn change(call: &Call, world: &mut World, apply: impl FnOnce(&mut Tags) -> Result<(), Fault>) -> Outcome {
    let project = world.project_mut(&call.project_id)?;
    let secret = find(project, call.text("secret_id"))?;
    replicas::check_writable(secret)?;
    check_enabled(secret, "CSMS.0103")?;
    let (name, mut tags) = (secret.name.clone(), secret.tags.clone());
    apply(&mut tags)?;
    if tags.len() > MOST {
        return Err(refusal("CSMS.0003").because(format!("a secret has at most {MOST} tags")));
    }
    if let Some(secret) = project.csms.secrets.get_mut(&name) {
        secret.tags = tags;
    }
    replicas::follow(world, &call.project_id, &name, call.now);
    Ok(Default::default())
}

/// Key and value of a tag that a call brings.
fn tag(members: Option<&Map<String, Json>>) -> Result<(String, Option<String>), Fault> {
    let text = |name| members.and_then(|members| members.get(name)).and_then(Json::as_str);
    let key = text("key").unwrap_or_default();
    if !(1..=128).contains(&key.chars().count())
        || !key.chars().all(|character| is_allowed(character) && character != '/')
        || key.trim() != key
        || key.starts_with("_sys_")
    {
        return Err(invalid(
            "the key of a tag has to be 1 to 128 letters, digits, spaces or any of `_.:=+-@`, without space at either \
             end and without `_sys_` in front",
        ));
    }
    let value = text("value");
    if value.is_some_and(|value| value.chars().count() > 255 || !value.chars().all(is_allowed)) {
        return Err(invalid("the value of a tag has to be at most 255 letters, digits, spaces or any of `_.:/=+-@`"));
    }
    Ok((key.to_owned(), value.map(str::to_owned)))
}

/// In values; keys have no `/`.
fn is_allowed(character: char) -> bool {
    character.is_alphanumeric()
        || character.is_whitespace() && !character.is_control()
        || "_.:/=+-@".contains(character)
}

/// Tags that the cloud put on it: the enterprise project is one.
fn system_tags(secret: &Secret) -> Json {
    json!([{"key": "_sys_enterprise_project_id", "value": secret.enterprise_project_id}])
}
