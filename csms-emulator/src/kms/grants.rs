//! Key grants: who else may use a key for what.
//!
//! # Limits
//! A grant is kept, shown and given up as documented, but lends nothing: the gateway lets every user of an account use
//! all keys of the account, and nobody those of another.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    State as Keys,
    access::check_enabled,
    keys::{changeable, find, is_name},
    page::Page,
    refusal,
};
use crate::{
    auth::Identity,
    call::{Call, Handler, Named, Outcome, Reply},
    clock::Millis,
    fault::Fault,
    id,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateGrant", Handler::Write(create)),
    ("ListGrants", Handler::Read(list)),
    ("ListRetirableGrants", Handler::Read(list_retirable)),
    ("CancelGrant", Handler::Write(revoke)),
    ("CancelSelfGrant", Handler::Write(retire)),
];

/// Most grants of a key.
pub(super) const MOST: usize = 100;

const CREATE_GRANT: &str = "create-grant";
const RETIRE_GRANT: &str = "retire-grant";

/// What can be granted.
const OPERATIONS: [&str; 9] = [
    "create-datakey",
    "create-datakey-without-plaintext",
    "encrypt-datakey",
    "decrypt-datakey",
    "describe-key",
    CREATE_GRANT,
    RETIRE_GRANT,
    "encrypt-data",
    "decrypt-data",
];

/// A grant.
#[derive(Serialize, Deserialize)]
pub(crate) struct Grant {
    id: String,
    key_id: String,
    name: Option<String>,
    grantee: String,
    /// Whether the grantee is an account and not a user.
    to_account: bool,
    operations: Vec<String>,
    issuer: String,
    retirer: Option<String>,
    created: Millis,
}

impl Grant {
    /// Whether this caller may give it up: who made it, who was named for that, and the grantee if that was granted.
    fn is_retirable_by(&self, caller: &Identity) -> bool {
        let grantee = if self.to_account { &caller.account_id } else { &caller.user_id };
        self.issuer == caller.user_id
            || self.retirer.as_ref() == Some(&caller.user_id)
            || (self.grantee == *grantee && self.operations.iter().any(|operation| operation == RETIRE_GRANT))
    }
}

fn create(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let key = changeable(keys, call.text("key_id"))?;
    check_enabled(key)?;
    let grant = Grant {
        id: id::digits(32),
        key_id: key.id.clone(),
        name: name(call)?,
        grantee: principal(call.text("grantee_principal"))?,
        to_account: is_to_account(call)?,
        operations: operations(call)?,
        issuer: call.caller.user_id.clone(),
        retirer: call.optional("retiring_principal").map(principal).transpose()?,
        created: call.now,
    };
    if of_key(keys, &key.id).count() >= MOST {
        return Err(refusal("KMS.2404"));
    }
    let answer = json!({"grant_id": grant.id});
    keys.grants.insert(place(&grant.key_id, &grant.id), grant);
    Ok(answer.into())
}

fn name(call: &Call) -> Result<Option<String>, Fault> {
    match call.optional("name") {
        Some(name) if !is_name(name) => {
            Err(refusal("KMS.0308").because("`name` has to be 1 to 255 letters, digits, `:`, `/`, `_` or `-`"))
        }
        name => Ok(name.map(str::to_owned)),
    }
}

fn principal(id: &str) -> Result<String, Fault> {
    match (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => Ok(id.to_owned()),
        false => Err(refusal("KMS.2402").because("it has to be 1 to 64 letters or digits")),
    }
}

fn is_to_account(call: &Call) -> Result<bool, Fault> {
    match call.optional("grantee_principal_type").unwrap_or("user") {
        "user" => Ok(false),
        "domain" => Ok(true),
        _ => Err(refusal("KMS.0308").because("`grantee_principal_type` has to be `user` or `domain`")),
    }
}

fn operations(call: &Call) -> Result<Vec<String>, Fault> {
    let operations = call.texts("operations").unwrap_or_default();
    if !operations.iter().all(|operation| OPERATIONS.contains(operation)) {
        return Err(refusal("KMS.0308").because(format!("`operations` can be {}", OPERATIONS.join(", "))));
    }
    if operations.iter().all(|operation| *operation == CREATE_GRANT) {
        return Err(refusal("KMS.2401"));
    }
    Ok(operations.into_iter().map(str::to_owned).collect())
}

fn list(call: &Call, world: &World) -> Outcome {
    let keys = &world.project(&call.project_id)?.kms;
    let key = find(keys, call.text("key_id"))?;
    listed(call, of_key(keys, &key.id).collect())
}

fn list_retirable(call: &Call, world: &World) -> Outcome {
    let grants = world.project(&call.project_id)?.kms.grants.values();
    listed(call, grants.filter(|grant| grant.is_retirable_by(&call.caller)).collect())
}

/// In the order they were made, so that a page does not shift when one more is.
fn listed(call: &Call, mut grants: Vec<&Grant>) -> Outcome {
    grants.sort_by_key(|grant| (grant.created, &grant.id));
    let page = Page::of(call, grants.into_iter())?;
    page.answer(json!({"grants": page.items.iter().map(|grant| shown(grant)).collect::<Vec<_>>()}))
}

/// The owner of the key is its account, whose users are all that get here.
fn revoke(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let place = called(keys, call)?;
    keys.grants.remove(&place);
    Ok(Reply::default())
}

fn retire(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let place = called(keys, call)?;
    if !keys.grants.get(&place).is_some_and(|grant| grant.is_retirable_by(&call.caller)) {
        return Err(refusal("KMS.0307"));
    }
    keys.grants.remove(&place);
    Ok(Reply::default())
}

/// Where the grant is that a call names, which has to be the key's.
fn called(keys: &Keys, call: &Call) -> Result<String, Fault> {
    let key = find(keys, call.text("key_id"))?;
    let id = call.text("grant_id").to_ascii_lowercase();
    let place = place(&key.id, &id);
    if keys.grants.contains(&place) {
        return Ok(place);
    }
    match keys.grants.values().any(|grant| grant.id == id) {
        true => Err(refusal("KMS.2502")),
        false => Err(refusal("KMS.2501")),
    }
}

/// The grants of a key stand side by side in the table.
fn place(key_id: &str, id: &str) -> String {
    format!("{key_id}/{id}")
}

fn of_key<'a>(keys: &'a Keys, key_id: &str) -> impl Iterator<Item = &'a Grant> + use<'a> {
    let prefix = place(key_id, "");
    let rest = keys.grants.after(Some(&prefix));
    rest.take_while(move |(place, _)| place.starts_with(&prefix)).map(|(_, grant)| grant)
}

/// The number of grants of the key that has most.
pub(super) fn most_of_a_key(keys: &Keys) -> usize {
    let grants: Vec<_> = keys.grants.values().collect();
    grants.chunk_by(|a, b| a.key_id == b.key_id).map(<[_]>::len).max().unwrap_or_default()
}

/// Deletes all grants of a key that is gone.
pub(super) fn forget(keys: &mut Keys, key_id: &str) {
    for id in of_key(keys, key_id).map(|grant| grant.id.clone()).collect::<Vec<_>>() {
        keys.grants.remove(&place(key_id, &id));
    }
}

/// What was not given is left out.
fn shown(grant: &Grant) -> Json {
    let mut shown = json!({
        "grant_id": grant.id,
        "key_id": grant.key_id,
        "grantee_principal": grant.grantee,
        "grantee_principal_type": if grant.to_account { "domain" } else { "user" },
        "operations": grant.operations,
        "issuing_principal": grant.issuer,
        "creation_date": grant.created.to_string(),
    });
    for (member, value) in [("name", &grant.name), ("retiring_principal", &grant.retirer)] {
        if let Some(value) = value {
            shown[member] = value.as_str().into();
        }
    }
    shown
}
