//! Key tags: mark keys, and find them by their marks.

use serde_json::{Map, Value as Json, json};

use super::{
    keys::{self, find},
    page::Page,
    queries::details,
    record::Key,
    refusal,
};
use crate::{
    call::{Call, Handler, Named, Outcome, Reply},
    fault::Fault,
    tags,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateKmsTag", Handler::Write(create)),
    ("BatchCreateKmsTags", Handler::Write(batch)),
    ("DeleteTag", Handler::Write(delete)),
    ("ShowKmsTags", Handler::Read(show)),
    ("ListKmsTags", Handler::Read(list)),
    ("ListKmsByTags", Handler::Read(search)),
];

/// Most tags of a key, as the manual says; the tables of the API say 10.
const MOST: usize = 20;

/// Most characters of a tag's key and of its value.
const LONGEST: (usize, usize) = (36, 43);

fn create(call: &Call, world: &mut World) -> Outcome {
    let tag = call.object("tag").ok_or_else(|| refusal("KMS.0204").because("`tag` is required"))?;
    let tag = read(tag)?;
    keys::change(call, world, |key| add(key, [tag]))
}

fn batch(call: &Call, world: &mut World) -> Outcome {
    let tags = call.list("tags").unwrap_or_default().iter().filter_map(Json::as_object);
    let tags = tags.map(read).collect::<Result<Vec<_>, _>>()?;
    match call.text("action") {
        "create" => keys::change(call, world, |key| add(key, tags)),
        "delete" => keys::change(call, world, |key| {
            tags.iter().for_each(|(name, _)| drop(key.tags.remove(name)));
            Ok(Reply::default())
        }),
        _ => Err(refusal("KMS.0404").because("it has to be `create` or `delete`")),
    }
}

/// Adds tags; one whose key is there already gets the new value.
fn add(key: &mut Key, tags: impl IntoIterator<Item = (String, String)>) -> Outcome {
    let mut all = key.tags.clone();
    all.extend(tags);
    if all.len() > MOST {
        return Err(refusal("KMS.0409").because(format!("a key has at most {MOST}")));
    }
    key.tags = all;
    Ok(Reply::default())
}

fn delete(call: &Call, world: &mut World) -> Outcome {
    keys::change(call, world, |key| match key.tags.remove(call.text("key")) {
        Some(_) => Ok(Reply::default()),
        None => Err(refusal("KMS.0416")),
    })
}

/// A tag of a request.
pub(super) fn read(tag: &Map<String, Json>) -> Result<(String, String), Fault> {
    let text = |member| tag.get(member).and_then(Json::as_str).unwrap_or_default();
    let (name, value) = (text("key"), text("value"));
    if name.is_empty() || name.chars().count() > LONGEST.0 {
        return Err(refusal("KMS.0411").because(format!("it has to be 1 to {}", LONGEST.0)));
    }
    if value.chars().count() > LONGEST.1 {
        return Err(refusal("KMS.0410").because(format!("it has to be at most {}", LONGEST.1)));
    }
    let is_allowed = |text: &str| !text.chars().any(|char| char.is_control() || "*<>\\=".contains(char));
    if !is_allowed(name) {
        return Err(refusal("KMS.0406"));
    }
    if !is_allowed(value) {
        return Err(refusal("KMS.0405"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn show(call: &Call, world: &World) -> Outcome {
    let key = find(&world.project(&call.project_id)?.kms, call.text("key_id"))?;
    Ok(json!({"tags": tags::shown(&key.tags), "existTagsNum": key.tags.len()}).into())
}

fn list(call: &Call, world: &World) -> Outcome {
    let keys = world.project(&call.project_id)?.kms.keys.values();
    Ok(json!({"tags": tags::by_key(keys.map(|key| &key.tags))}).into())
}

fn search(call: &Call, world: &World) -> Outcome {
    let names = names(call)?;
    let wanted = call.list("tags").unwrap_or_default();
    let keys = world.project(&call.project_id)?.kms.keys.values();
    let found =
        keys.filter(|key| wanted.iter().all(|tag| has(key, tag)) && names.iter().all(|name| key.alias.contains(name)));
    match call.optional("action").unwrap_or("filter") {
        "count" if call.params.contains_key("offset") => Err(refusal("KMS.0418")),
        "count" => Ok(json!({"total_count": found.count()}).into()),
        "filter" => {
            let number = |name, default| usize::try_from(call.number(name).unwrap_or(default)).ok();
            let start = number("offset", 0).ok_or_else(|| refusal("KMS.0417"))?;
            let limit = number("limit", 10).ok_or_else(|| refusal("KMS.1601"))?;
            let page = Page::cut(found, start, limit);
            let resources: Vec<_> = page.items.iter().map(|key| resource(key, &call.region)).collect();
            Ok(json!({"resources": resources, "total_count": page.total}).into())
        }
        _ => Err(refusal("KMS.0404").because("it has to be `filter` or `count`")),
    }
}

/// The parts that a key's name has to have.
fn names(call: &Call) -> Result<Vec<&str>, Fault> {
    call.list("matches").unwrap_or_default().iter().map(wanted_name).collect()
}

fn wanted_name(item: &Json) -> Result<&str, Fault> {
    if item["key"] != "resource_name" {
        return Err(refusal("KMS.0403").because("it has to be `resource_name`"));
    }
    match item["value"].as_str() {
        Some(value) if (1..=255).contains(&value.chars().count()) => Ok(value),
        _ => Err(refusal("KMS.0402").because("it has to be 1 to 255 characters")),
    }
}

/// Whether a key has a tag that is asked for.
fn has(key: &Key, tag: &Json) -> bool {
    let values = tag["values"].as_array().map(Vec::as_slice).unwrap_or_default();
    tag["key"].as_str().is_some_and(|name| tags::has(&key.tags, name, values))
}

fn resource(key: &Key, region: &str) -> Json {
    json!({
        "resource_id": key.id,
        "resource_name": key.alias,
        "resource_detail": details(key, region),
        "tags": tags::shown(&key.tags),
    })
}
