//! Aliases: further names of keys, which can be pointed at another key.
//!
//! # Limits
//! An alias is unique in its project, not in all projects that an account has in the region.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    State as Keys,
    keys::{check_not_pending_deletion, find, is_name},
    page, refusal,
};
use crate::{
    call::{Call, Handler, Named, Outcome, Reply},
    clock::{self, Millis},
    fault::Fault,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateAlias", Handler::Write(create)),
    ("ListAliases", Handler::Read(list)),
    ("AssociateAlias", Handler::Write(associate)),
    ("DeleteAlias", Handler::Write(delete)),
];

/// Most aliases of a key.
const MOST: usize = 50;

/// An alias.
#[derive(Serialize, Deserialize)]
pub(crate) struct Alias {
    /// With `alias/` in front, or not: as it was given.
    alias: String,
    urn: String,
    key_id: String,
    account_id: String,
    created: Millis,
    updated: Millis,
}

fn create(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let name = call.text("alias");
    if !is_name(name) {
        return Err(refusal("KMS.1101").because("it has to be 1 to 255 letters, digits, `:`, `/`, `_` or `-`"));
    }
    let key_id = with_room(keys, call.text("key_id"), name)?;
    if keys.aliases.contains(name) {
        return Err(refusal("KMS.1104"));
    }
    let account_id = call.caller.account_id.clone();
    let alias = Alias {
        alias: name.to_owned(),
        urn: format!("kms:{}:{account_id}:alias:{name}", call.region),
        key_id,
        account_id,
        created: call.now,
        updated: call.now,
    };
    let answer = shown(&alias);
    keys.aliases.insert(name, alias);
    Ok(answer.into())
}

fn list(call: &Call, world: &World) -> Outcome {
    let keys = &world.project(&call.project_id)?.kms;
    let limit = page::limit(call)?;
    let key_id = call.optional("key_id").map(|id| find(keys, id)).transpose()?.map(|key| key.id.as_str());
    let mut aliases = keys
        .aliases
        .after(call.optional("marker"))
        .map(|(_, alias)| alias)
        .filter(|alias| key_id.is_none_or(|id| alias.key_id == id));
    let page: Vec<_> = aliases.by_ref().take(limit).collect();
    let next = match (aliases.next(), page.last()) {
        (Some(_), Some(last)) => last.alias.as_str(),
        _ => "",
    };
    Ok(json!({
        "aliases": page.iter().map(|alias| shown(alias)).collect::<Vec<_>>(),
        "page_info": {"next_marker": next, "current_count": page.len()},
    })
    .into())
}

fn associate(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let name = call.text("alias");
    let key_id = with_room(keys, call.text("target_key_id"), name)?;
    let alias = keys.aliases.get_mut(name).ok_or_else(|| unknown(name))?;
    alias.key_id = key_id;
    alias.updated = call.now;
    Ok(shown(alias).into())
}

/// Deletes all of them, or none where one is not the key's.
fn delete(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let key = find(keys, call.text("key_id"))?;
    let names = call.texts("aliases").unwrap_or_default();
    let belongs = |name: &&str| keys.aliases.get(name).is_some_and(|alias| alias.key_id == key.id);
    if let Some(name) = names.iter().find(|name| !belongs(name)) {
        return Err(unknown(name));
    }
    for name in names {
        keys.aliases.remove(name);
    }
    Ok(Reply::default())
}

/// The id of a key that can be given this alias.
fn with_room(keys: &Keys, id: &str, name: &str) -> Result<String, Fault> {
    let key = find(keys, id)?;
    if key.is_default {
        return Err(refusal("KMS.0211"));
    }
    check_not_pending_deletion(key)?;
    // There are few aliases, so that they can be counted.
    let others = keys.aliases.values().filter(|alias| alias.key_id == key.id && alias.alias != name);
    if others.count() >= MOST {
        return Err(refusal("KMS.0308").because(format!("a key has at most {MOST} aliases")));
    }
    Ok(key.id.clone())
}

/// The table of codes has none for an alias that does not exist. Clients take 404 for gone.
fn unknown(name: &str) -> Fault {
    refusal("KMS.0207").because(format!("`{name}` is no alias of it"))
}

/// The id of the key that is meant by `alias/…` or by an alias's resource name; `None` when `text` is neither.
pub(super) fn target<'a>(keys: &'a Keys, text: &str) -> Option<Result<&'a str, Fault>> {
    let found = match (text.strip_prefix("alias/"), text.split_once(":alias:")) {
        (Some(bare), _) => keys.aliases.get(text).or_else(|| keys.aliases.get(bare)),
        (None, Some((_, name))) => keys.aliases.get(name).filter(|alias| alias.urn == text),
        (None, None) => return None,
    };
    Some(found.map(|alias| alias.key_id.as_str()).ok_or_else(|| refusal("KMS.0207")))
}

/// Deletes all aliases of a key that is gone.
pub(super) fn forget(keys: &mut Keys, key_id: &str) {
    let of_key = keys.aliases.values().filter(|alias| alias.key_id == key_id);
    for name in of_key.map(|alias| alias.alias.clone()).collect::<Vec<_>>() {
        keys.aliases.remove(&name);
    }
}

fn shown(alias: &Alias) -> Json {
    json!({
        "alias": alias.alias,
        "alias_urn": alias.urn,
        "key_id": alias.key_id,
        "domain_id": alias.account_id,
        "create_time": clock::text(alias.created),
        "update_time": clock::text(alias.updated),
    })
}
