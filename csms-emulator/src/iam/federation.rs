//! Tokens for the id tokens of identity providers.
//!
//! # Limits
//! There are no rules that map users to groups: everybody a provider vouches for is in the group `admin`.

use serde_json::{Value as Json, json};

use super::{
    codes::{not_found, unauthorized},
    directory::Directory,
    session::{Principal, Session, issue_token, scope},
    tokens::{catalog, with_token},
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    fault::Fault,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateTokenWithIdToken", Handler::Write(with_scope)),
    ("CreateUnscopedTokenWithIdToken", Handler::Write(without_scope)),
];

/// The one protocol there is.
pub(super) const PROTOCOL: &str = "oidc";

fn with_scope(call: &Call, world: &mut World) -> Outcome {
    let auth = call.params.get("auth").unwrap_or(&Json::Null);
    let id_token = auth["id_token"]["id"].as_str().unwrap_or_default();
    let principal = prove(call, &world.directory, call.text("X-Idp-Id"), id_token)
        .map_err(|refusal| refusal.into_fault("The ID token is invalid."))?;
    let scope = match &auth["scope"] {
        Json::Null => None,
        wanted => Some(scope(&world.directory, &principal.account_id, wanted)?),
    };
    let session = Session::token(principal, &["mapped"], scope, call.now);
    let mut shown = session.shown(&world.directory);
    if session.scope.is_some() {
        // Here, and only here, the endpoints are not grouped by service.
        let services = catalog(call, &world.directory, &session);
        let endpoints = services.as_array().into_iter().flatten().filter_map(|service| service["endpoints"].get(0));
        shown["catalog"] = endpoints.cloned().collect();
    }
    Ok(with_token(json!({"token": shown}).into(), issue_token(world, session)))
}

fn without_scope(call: &Call, world: &mut World) -> Outcome {
    let protocol = call.text("protocol_id");
    if protocol != PROTOCOL {
        return Err(not_found("protocol", protocol));
    }
    let header = call.text("Authorization");
    let id_token = header.strip_prefix("Bearer ").unwrap_or_default().trim();
    let principal = prove(call, &world.directory, call.text("idp_id"), id_token)
        .map_err(|refusal| refusal.into_fault("The request you have made requires authentication."))?;
    let session = Session::token(principal, &["mapped"], None, call.now);
    let mut shown = session.shown(&world.directory);
    shown["catalog"] = catalog(call, &world.directory, &session);
    Ok(with_token(json!({"token": shown}).into(), issue_token(world, session)))
}

/// Why an id token buys nothing.
enum Refusal {
    NoProvider(Fault),
    BadToken(&'static str),
}

impl Refusal {
    fn into_fault(self, message: &str) -> Fault {
        match self {
            Self::NoProvider(fault) => fault,
            Self::BadToken(reason) => unauthorized(message).because(reason),
        }
    }
}

fn prove(call: &Call, directory: &Directory, provider: &str, id_token: &str) -> Result<Principal, Refusal> {
    let found = directory.provider(provider);
    let (account, provider) = found.ok_or_else(|| Refusal::NoProvider(not_found("identity provider", provider)))?;
    let claims = provider.verify(id_token, call.time).map_err(Refusal::BadToken)?;
    Ok(Principal::federated(account, provider, &claims))
}
