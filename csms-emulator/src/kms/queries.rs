//! Key queries: what keys there are, their public halves, and how many there may be.

use serde_json::{Value as Json, json};

use super::{
    access::check_enabled,
    grants,
    keys::find,
    page::Page,
    record::{Key, Kind},
    refusal,
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    fault::Fault,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("ListKeys", Handler::Read(list)),
    ("ListKeyDetail", Handler::Read(describe)),
    ("ShowPublicKey", Handler::Read(public_key)),
    ("ShowUserInstances", Handler::Read(count)),
    ("ShowUserQuotas", Handler::Read(quotas)),
];

fn list(call: &Call, world: &World) -> Outcome {
    let spec = call.optional("key_spec").unwrap_or("AES_256");
    let state = state(call)?;
    let enterprise_project = call.optional("enterprise_project_id").unwrap_or("all");
    let matching = |key: &&Key| {
        (spec == "ALL" || key.spec == spec)
            && state.is_none_or(|state| key.state.as_str() == state)
            && (enterprise_project == "all" || key.enterprise_project_id == enterprise_project)
    };
    let keys = world.project(&call.project_id)?.kms.keys.values();
    let page = Page::of(call, keys.filter(matching))?;
    page.answer(json!({
        "keys": page.items.iter().map(|key| &key.id).collect::<Vec<_>>(),
        "key_details": page.items.iter().map(|key| details(key, &call.region)).collect::<Vec<_>>(),
    }))
}

/// The state that is asked for, if one is.
fn state(call: &Call) -> Result<Option<&str>, Fault> {
    match call.optional("key_state") {
        None | Some("") => Ok(None),
        Some(state @ ("1" | "2" | "3" | "4" | "5")) => Ok(Some(state)),
        Some(_) => Err(refusal("KMS.0308").because("`key_state` has to be 1 to 5")),
    }
}

fn describe(call: &Call, world: &World) -> Outcome {
    let key = find(&world.project(&call.project_id)?.kms, call.text("key_id"))?;
    Ok(json!({"key_info": details(key, &call.region)}).into())
}

fn public_key(call: &Call, world: &World) -> Outcome {
    let key = find(&world.project(&call.project_id)?.kms, call.text("key_id"))?;
    match key.kind() {
        Kind::Symmetric => return Err(refusal("KMS.0331")),
        Kind::Hmac => return Err(refusal("KMS.0341")),
        Kind::Asymmetric => check_enabled(key)?,
    }
    let pem = key.material().and_then(|material| material.public_key_pem().ok());
    let pem = pem.ok_or_else(|| refusal("KMS.1301"))?;
    Ok(json!({"key_id": key.id, "public_key": pem}).into())
}

fn count(call: &Call, world: &World) -> Outcome {
    Ok(json!({"instance_num": world.project(&call.project_id)?.kms.keys.own()}).into())
}

fn quotas(call: &Call, world: &World) -> Outcome {
    let keys = &world.project(&call.project_id)?.kms;
    // Clients read 32 bits, which is as good as no limit.
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let resource = |kind, quota, used| json!({"type": kind, "quota": number(quota), "used": number(used)});
    Ok(json!({"quotas": {"resources": [
        resource("CMK", world.rules.quotas.keys, keys.keys.own()),
        resource("grant_per_CMK", grants::MOST, grants::most_of_a_key(keys)),
    ]}})
    .into())
}

/// A key as it is shown. Numbers, flags and times are texts here, and a time that is not set is an empty one.
pub(super) fn details(key: &Key, region: &str) -> Json {
    let time = |time: Option<i64>| time.map(|time| time.to_string()).unwrap_or_default();
    json!({
        "key_id": key.id,
        "domain_id": key.account_id,
        "key_alias": key.alias,
        "realm": region,
        "key_spec": key.spec,
        "key_usage": key.usage,
        "key_description": key.description,
        "creation_date": key.created.to_string(),
        "scheduled_deletion_date": time(key.deletion),
        "key_state": key.state.as_str(),
        "default_key_flag": if key.is_default { "1" } else { "0" },
        "key_type": "1",
        "expiration_time": time(key.expiration),
        "origin": key.origin,
        "key_rotation_enabled": key.rotation.is_some().to_string(),
        "sys_enterprise_project_id": key.enterprise_project_id,
        "keystore_id": key.keystore_id,
    })
}
