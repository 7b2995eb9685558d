//! Key lifecycle: keys are made, named, disabled, and deleted after some days.

use std::sync::Arc;

use serde_json::json;

use super::{
    State as Keys, aliases, grants, r#import, keystores,
    record::{Generation, Imported, Key, Kind, Replication, State},
    refusal, regions, rotation,
};
use crate::{
    agenda::Errand,
    call::{Call, Handler, Named, Outcome},
    clock::{DAY, Millis},
    crypto::Material,
    fault::Fault,
    id,
    shared::Shared,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateKey", Handler::Slow(create)),
    ("EnableKey", Handler::Write(enable)),
    ("DisableKey", Handler::Write(disable)),
    ("UpdateKeyAlias", Handler::Write(rename)),
    ("UpdateKeyDescription", Handler::Write(describe)),
    ("DeleteKey", Handler::Write(schedule_deletion)),
    ("CancelKeyDeletion", Handler::Write(cancel_deletion)),
];

/// What each spec can be used for, the default first.
const USAGES: &[(&str, &[&str])] = &[
    ("AES_256", &["ENCRYPT_DECRYPT"]),
    ("SM4", &["ENCRYPT_DECRYPT"]),
    ("RSA_2048", &["SIGN_VERIFY", "ENCRYPT_DECRYPT"]),
    ("RSA_3072", &["SIGN_VERIFY", "ENCRYPT_DECRYPT"]),
    ("RSA_4096", &["SIGN_VERIFY", "ENCRYPT_DECRYPT"]),
    ("EC_P256", &["SIGN_VERIFY", "KEY_AGREEMENT"]),
    ("EC_P384", &["SIGN_VERIFY", "KEY_AGREEMENT"]),
    ("SECP256K1", &["SIGN_VERIFY", "KEY_AGREEMENT"]),
    ("ED25519", &["SIGN_VERIFY"]),
    ("SM2", &["SIGN_VERIFY", "ENCRYPT_DECRYPT", "KEY_AGREEMENT"]),
    ("HMAC_256", &["GENERATE_VERIFY_MAC"]),
    ("HMAC_384", &["GENERATE_VERIFY_MAC"]),
    ("HMAC_512", &["GENERATE_VERIFY_MAC"]),
    ("HMAC_SM3", &["GENERATE_VERIFY_MAC"]),
];

fn create(call: &Call, shared: &Shared) -> Outcome {
    let (spec, usage) = spec_and_usage(call)?;
    let origin = call.optional("origin").unwrap_or("kms");
    if !["kms", "external"].contains(&origin) {
        return Err(refusal("KMS.0308").because("`origin` has to be `kms` or `external`"));
    }
    let description = description(call)?;
    // What is refused need not wait for the material, which takes long for RSA and so is made outside the world.
    shared.read(|world| check_creatable(call, world))?;
    let material = match origin {
        "kms" => Some(Material::generate(spec).map_err(|error| refusal("KMS.1110").because(error))?),
        _ => None,
    };
    shared.write(|world| {
        check_creatable(call, world)?;
        let keys = &mut world.project_mut(&call.project_id)?.kms;
        let mut key = new_key(call.text("key_alias"), &call.caller.account_id, call.now);
        key.spec = spec.to_owned();
        key.usage = usage.to_owned();
        key.origin = origin.to_owned();
        key.description = description;
        key.keystore_id = call.optional("keystore_id").unwrap_or(keystores::DEFAULT).to_owned();
        if let Some(id) = call.optional("enterprise_project_id") {
            key.enterprise_project_id = id.to_owned();
        }
        match material {
            Some(material) => key.generations.push(Generation(Arc::new(material))),
            None => key.state = State::PendingImport,
        }
        let answer = json!({"key_info": {"key_id": key.id, "domain_id": key.account_id, "region_id": call.region}});
        keys.keys.insert(key.id.clone(), key);
        Ok(answer.into())
    })
}

/// What the key is to be, which has to go together.
fn spec_and_usage(call: &Call) -> Result<(&str, &str), Fault> {
    let spec = call.optional("key_spec").unwrap_or("AES_256");
    let Some((_, usages)) = USAGES.iter().find(|(name, _)| *name == spec) else {
        return Err(refusal("KMS.1110").because("`key_spec` is none that is known here"));
    };
    let usage = call.optional("key_usage").unwrap_or(usages[0]);
    if !usages.contains(&usage) {
        return Err(
            refusal("KMS.0308").because(format!("`key_usage` of {spec} has to be one of {}", usages.join(", ")))
        );
    }
    Ok((spec, usage))
}

/// Refuses a key whose name cannot be had, whose keystore cannot hold it, or that there is no room for.
fn check_creatable(call: &Call, world: &World) -> Result<(), Fault> {
    let keys = &world.project(&call.project_id)?.kms;
    check_alias(keys, call.text("key_alias"))?;
    let keystore = call.optional("keystore_id").unwrap_or(keystores::DEFAULT);
    keystores::check_usable(keys, keystore)?;
    if keystore != keystores::DEFAULT && call.text("origin") == "external" {
        return Err(refusal("KMS.0339"));
    }
    match keys.keys.own() >= world.rules.quotas.keys {
        true => Err(refusal("KMS.1105")),
        false => Ok(()),
    }
}

/// Refuses a name for a key that is malformed, reserved or taken, be it by a key that is about to be deleted.
pub(super) fn check_alias(keys: &Keys, alias: &str) -> Result<(), Fault> {
    if !is_name(alias) {
        return Err(refusal("KMS.1101").because("it has to be 1 to 255 letters, digits, `:`, `/`, `_` or `-`"));
    }
    if alias.ends_with("/default") {
        return Err(refusal("KMS.1101").because("names ending in `/default` are those of default keys"));
    }
    match keys.keys.named(alias) {
        Some(_) => Err(refusal("KMS.1104")),
        None => Ok(()),
    }
}

/// Whether keys, aliases and grants can have this name.
pub(super) fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte))
}

/// The description that a call gives a key.
pub(super) fn description(call: &Call) -> Result<String, Fault> {
    let text = call.text("key_description");
    match text.chars().count() > 255 {
        true => Err(refusal("KMS.1103").because("it has more than 255 characters")),
        false => Ok(text.to_owned()),
    }
}

fn enable(call: &Call, world: &mut World) -> Outcome {
    change(call, world, |key| {
        if key.state != State::Disabled {
            return Err(refusal("KMS.1201"));
        }
        key.state = State::Enabled;
        rotation::resume(key, call.now);
        Ok(json!({"key_info": {"key_id": key.id, "key_state": key.state.as_str()}}).into())
    })
}

fn disable(call: &Call, world: &mut World) -> Outcome {
    change(call, world, |key| {
        if key.state != State::Enabled {
            return Err(refusal("KMS.1301"));
        }
        key.state = State::Disabled;
        Ok(json!({"key_info": {"key_id": key.id, "key_state": key.state.as_str()}}).into())
    })
}

fn rename(call: &Call, world: &mut World) -> Outcome {
    let alias = call.text("key_alias");
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let key = changeable(keys, call.text("key_id"))?;
    check_not_pending_deletion(key)?;
    if key.alias != alias {
        check_alias(keys, alias)?;
    }
    let id = key.id.clone();
    keys.keys.rename(&id, alias);
    Ok(json!({"key_info": {"key_id": id, "key_alias": alias}}).into())
}

fn describe(call: &Call, world: &mut World) -> Outcome {
    let description = description(call)?;
    change(call, world, |key| {
        check_not_pending_deletion(key)?;
        key.description = description;
        Ok(json!({"key_info": {"key_id": key.id, "key_description": key.description}}).into())
    })
}

fn schedule_deletion(call: &Call, world: &mut World) -> Outcome {
    let days = call.number("pending_days").ok_or_else(|| refusal("KMS.1401"))?;
    change(call, world, |key| {
        if key.state == State::PendingDeletion {
            return Err(refusal("KMS.1402"));
        }
        key.state = State::PendingDeletion;
        key.deletion = Some(call.now + days * DAY);
        Ok(json!({"key_id": key.id, "key_state": key.state.as_str()}).into())
    })
}

fn cancel_deletion(call: &Call, world: &mut World) -> Outcome {
    change(call, world, |key| {
        if key.state != State::PendingDeletion {
            return Err(refusal("KMS.1501"));
        }
        key.state = if key.is_complete() { State::Disabled } else { State::PendingImport };
        key.deletion = None;
        Ok(json!({"key_id": key.id, "key_state": key.state.as_str()}).into())
    })
}

/// Changes the key that a call is about, unless it must not be or `change` refuses to.
pub(super) fn change(call: &Call, world: &mut World, change: impl FnOnce(&mut Key) -> Outcome) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let id = changeable(keys, call.text("key_id"))?.id.clone();
    let key = keys.keys.get_mut(&id).ok_or_else(|| refusal("KMS.0207"))?;
    let answer = change(key)?;
    let due = key.due();
    regions::follow(world, &call.project_id, &id, call.now);
    world.agenda.add(due, Errand::Key { project_id: call.project_id.clone(), id });
    Ok(answer)
}

/// The key of this id, which is neither a service's default key nor a replica.
pub(super) fn changeable<'a>(keys: &'a Keys, id: &str) -> Result<&'a Key, Fault> {
    let key = find(keys, id)?;
    if key.is_default {
        return Err(refusal("KMS.0211"));
    }
    regions::check_writable(key)?;
    Ok(key)
}

/// Refuses a key that is about to be deleted.
pub(super) fn check_not_pending_deletion(key: &Key) -> Result<(), Fault> {
    match key.state {
        State::PendingDeletion => Err(refusal("KMS.0210")),
        _ => Ok(()),
    }
}

/// An enabled AES key without material.
pub(super) fn new_key(alias: &str, account_id: &str, now: Millis) -> Key {
    Key {
        id: id::uuid(),
        alias: alias.to_owned(),
        description: String::new(),
        account_id: account_id.to_owned(),
        spec: "AES_256".to_owned(),
        usage: "ENCRYPT_DECRYPT".to_owned(),
        origin: "kms".to_owned(),
        state: State::Enabled,
        is_default: false,
        keystore_id: keystores::DEFAULT.to_owned(),
        enterprise_project_id: "0".to_owned(),
        created: now,
        deletion: None,
        expiration: None,
        generations: Vec::new(),
        tags: Default::default(),
        rotation: None,
        rotated: Vec::new(),
        replication: Replication::Single,
        imported: Imported::default(),
    }
}

/// The key of this id, or that an alias stands for: `alias/…` or the alias's resource name.
pub(super) fn find<'a>(keys: &'a Keys, id: &str) -> Result<&'a Key, Fault> {
    let id = match aliases::target(keys, id) {
        Some(target) => target?,
        None if id::is_uuid(id) => id,
        None => return Err(refusal("KMS.0205")),
    };
    keys.keys.get(id).ok_or_else(|| refusal("KMS.0207"))
}

/// The id of a service's default key, which is made on first use.
pub(crate) fn default_key(keys: &mut Keys, alias: &str, account_id: &str, now: Millis) -> String {
    if let Some(key) = keys.keys.named(alias) {
        return key.id.clone();
    }
    let mut key = new_key(alias, account_id, now);
    key.is_default = true;
    key.description = format!("Default Master Key for {}", alias.trim_end_matches("/default"));
    key.generations.extend(Material::generate("AES_256").ok().map(|material| Generation(Arc::new(material))));
    let id = key.id.clone();
    keys.keys.insert(id.clone(), key);
    id
}

/// Whether a service can protect data with this key: it is there, enabled and symmetric.
pub(crate) fn usable_for_data(keys: &Keys, id: &str) -> bool {
    keys.keys
        .get(id)
        .is_some_and(|key| key.state == State::Enabled && key.kind() == Kind::Symmetric && key.material().is_some())
}

/// Does what is due for a key.
pub(crate) fn settle(world: &mut World, project_id: &str, id: &str, now: Millis) {
    regions::catch_up(world, project_id, id);
    let Ok(project) = world.project_mut(project_id) else { return };
    let Some(key) = project.kms.keys.get(id) else { return };
    let is_due = |time: Option<Millis>| time.is_some_and(|time| time <= now);
    if is_due(key.deletion) {
        delete(world, project_id, id);
        return;
    }
    let happens: Option<fn(&mut Key)> = match (is_due(key.expiration), is_due(key.next_rotation())) {
        (true, _) => Some(r#import::delete_material),
        (_, true) => Some(rotation::rotate),
        _ => None,
    };
    if let (Some(happens), Some(key)) = (happens, project.kms.keys.get_mut(id)) {
        happens(key);
        regions::follow(world, project_id, id, now);
    }
    let Ok(project) = world.project(project_id) else { return };
    let due = project.kms.keys.get(id).and_then(Key::due);
    world.agenda.add(due, Errand::Key { project_id: project_id.to_owned(), id: id.to_owned() });
}

/// Deletes a key and all that was about it.
fn delete(world: &mut World, project_id: &str, id: &str) {
    let Ok(project) = world.project_mut(project_id) else { return };
    let Some(key) = project.kms.keys.remove(id) else { return };
    aliases::forget(&mut project.kms, id);
    grants::forget(&mut project.kms, id);
    regions::leave(world, project_id, &key);
}
