//! Accounts: the caller's own.

use serde_json::json;

use crate::{
    call::{Call, Handler, Named, Outcome},
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[("KeystoneListAuthDomains", Handler::Read(list))];

fn list(call: &Call, world: &World) -> Outcome {
    let id = call.caller.account_id.as_str();
    let domains: Vec<_> = world
        .directory
        .account(Some(id), None)
        .map(|account| {
            json!({
                "id": account.id,
                "name": account.name,
                "description": "",
                "enabled": true,
                "links": {"self": format!("{}/v3/domains/{id}", call.base)},
            })
        })
        .into_iter()
        .collect();
    Ok(json!({"domains": domains, "links": {"self": format!("{}/v3/auth/domains", call.base)}}).into())
}
