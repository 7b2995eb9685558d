//! Many secrets in one call.

use csms_sdk::{Service, operation};
use serde_json::{Value as Json, json};

use super::{
    record::Secret,
    refusal,
    secrets::{add, check_deletable, remove},
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    world::World,
};

pub(super) const HANDLERS: &[Named] =
    &[("BatchImportSecrets", Handler::Write(import)), ("BatchDeleteSecrets", Handler::Write(delete))];

/// Creates what can be created. With no room for even one, the call is refused.
fn import(call: &Call, world: &mut World) -> Outcome {
    let quota = world.rules.quotas.secrets;
    if world.project(&call.project_id)?.csms.secrets.len() >= quota {
        return Err(refusal("CSMS.0202"));
    }
    let info = operation(Service::Csms, "CreateSecret").ok_or_else(|| refusal("CSMS.0001"))?;
    let items = call.list("secrets").unwrap_or_default();
    let mut errors = Vec::new();
    for item in items.iter().filter_map(Json::as_object) {
        let one = call.part(info, item.clone());
        if let Err(fault) = add(&one, world) {
            errors.push(json!({"name": one.text("name"), "error_msg": fault.message}));
        }
    }
    let (total, failed) = (items.len(), errors.len());
    Ok(json!({"total": total, "success": total - failed, "failed": failed, "error_list": errors}).into())
}

/// Deletes the secrets bound to an instance, but for those that cannot be deleted by themselves either.
fn delete(call: &Call, world: &mut World) -> Outcome {
    let csms = &mut world.project_mut(&call.project_id)?.csms;
    let instance = (call.text("instance_id"), call.optional("instance_type"));
    let bound: Vec<_> = csms.secrets.values().filter(|secret| is_bound(secret, instance)).collect();
    let (deletable, others): (Vec<_>, Vec<_>) = bound.into_iter().partition(|secret| check_deletable(secret).is_ok());
    let failed: Vec<_> = others.into_iter().map(|secret| json!({"secret_name": secret.name})).collect();
    let names: Vec<_> = deletable.into_iter().map(|secret| secret.name.clone()).collect();
    for name in &names {
        remove(csms, name, call.now);
    }
    Ok(json!({"total": names.len() + failed.len(), "success_secrets": names, "failed_secrets": failed}).into())
}

/// Whether a secret is that of an instance. A kind of instance that no type of secret is for has none.
fn is_bound(secret: &Secret, (id, kind): (&str, Option<&str>)) -> bool {
    let of_kind = match secret.secret_type.as_str() {
        "RDS-FG" => kind.is_none_or(|kind| kind == "RDS"),
        "GaussDB-FG" => kind.is_none_or(|kind| kind == "TaurusDB"),
        _ => false,
    };
    of_kind && secret.instance_id().as_deref() == Some(id)
}
