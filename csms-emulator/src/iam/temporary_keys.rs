//! Temporary access keys: for an agency, or for a token.
//!
//! # Limits
//! A policy narrows nothing: permissions are not modelled.

use serde_json::{Value as Json, json};

use super::{
    codes::unauthorized,
    session::{Principal, Scope, assumable, issue_keys},
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateTemporaryAccessKeyByAgency", Handler::Write(by_agency)),
    ("CreateTemporaryAccessKeyByToken", Handler::Write(by_token)),
];

/// Life of keys for which none is named, in seconds.
const DEFAULT_LIFE: i64 = 900;

fn by_agency(call: &Call, world: &mut World) -> Outcome {
    let role = &identity(call)["assume_role"];
    let caller = world.directory.principal(&call.caller);
    let (account, agency) = assumable(call, &world.directory, role, &caller)?;
    let session = role["session_user"]["name"].as_str().unwrap_or(&caller.name);
    let principal = Principal::agency(account, agency, session, Some(caller.clone()));
    answer(call, world, principal, None, role)
}

fn by_token(call: &Call, world: &mut World) -> Outcome {
    let wanted = &identity(call)["token"];
    // Where both are sent, the header counts.
    let token = call.auth_token.as_ref().map(|token| token.expose_secret()).or(wanted["id"].as_str());
    let Some(session) = token.and_then(|token| world.directory.token(token, call.now)) else {
        return Err(unauthorized("The token is invalid."));
    };
    // Keys reach as far as the token that bought them; without a project that is the account.
    let scope = session.scope.clone().filter(|scope| matches!(scope, Scope::Project(_)));
    answer(call, world, session.principal.clone(), scope, wanted)
}

/// What stands in `auth.identity`; the gateway has refused the call without it.
fn identity(call: &Call) -> &Json {
    call.params.get("auth").and_then(|auth| auth.get("identity")).unwrap_or(&Json::Null)
}

fn answer(call: &Call, world: &mut World, principal: Principal, scope: Option<Scope>, wanted: &Json) -> Outcome {
    let seconds = wanted["duration_seconds"].as_i64().unwrap_or(DEFAULT_LIFE);
    let issued = issue_keys(world, principal, scope, seconds, (&call.region, call.now));
    Ok(json!({"credential": issued.shown()}).into())
}
