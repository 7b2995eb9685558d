//! Keystores: where keys are kept.
//!
//! # Limits
//! - There are no HSM clusters here: a keystore keeps its state and its cluster's name, the certificate is not looked at,
//!   and its keys are computed with like all others.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{State as Keys, key_spaces::check_name, refusal};
use crate::{
    call::{Call, Handler, Named, Outcome, Reply},
    clock::Millis,
    fault::Fault,
    id,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateKeyStore", Handler::Write(create)),
    ("ShowKeyStore", Handler::Read(show)),
    ("ListKeyStores", Handler::Read(list)),
    ("EnableKeyStore", Handler::Write(enable)),
    ("DisableKeyStore", Handler::Write(disable)),
    ("DeleteKeyStore", Handler::Write(delete)),
];

/// The id of the keystore of KMS, which is no record of its own.
pub(super) const DEFAULT: &str = "0";

/// A keystore of one's own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Keystore {
    pub(super) id: String,
    pub(super) alias: String,
    /// `DEFAULT`, `DHSM` or `CDMS`.
    pub(super) kind: String,
    hsm_cluster_id: Option<String>,
    cluster_id: Option<String>,
    account_id: String,
    enabled: bool,
    created: Millis,
}

impl Keystore {
    /// The codes that examples show; no others are known.
    fn state(&self) -> &'static str {
        if self.enabled { "2" } else { "3" }
    }

    fn clusters(&self) -> impl Iterator<Item = &String> {
        self.hsm_cluster_id.iter().chain(&self.cluster_id)
    }
}

/// Refuses a keystore that no key can be made in: it does not exist, or is disabled.
pub(super) fn check_usable(keys: &Keys, id: &str) -> Result<(), Fault> {
    match id == DEFAULT || find(keys, id)?.enabled {
        true => Ok(()),
        // The table of codes has one for what it calls partitions, which is the older name.
        false => Err(refusal("KMS.0317").because("the keystore is disabled")),
    }
}

fn create(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let alias = call.text("keystore_alias");
    check_name(call, "keystore_alias", 255)?;
    // What is left out is what keystores were before there were kinds: an HSM cluster.
    let kind = call.optional("keystore_type").unwrap_or("DHSM");
    let given = |name| call.optional(name).map(str::to_owned);
    let (hsm_cluster_id, cluster_id) = match (kind, given("hsm_cluster_id"), given("cluster_id")) {
        ("DEFAULT", ..) => (None, Some("0".to_owned())),
        ("CDMS", hsm, cluster) => (hsm, Some(cluster.unwrap_or_else(|| "1".to_owned()))),
        ("DHSM", Some(hsm), Some(cluster)) if hsm != cluster => {
            return Err(refusal("KMS.0308").because("`hsm_cluster_id` and `cluster_id` name different clusters"));
        }
        ("DHSM", hsm, cluster) => {
            let one = hsm.or(cluster);
            (one.clone(), one)
        }
        _ => return Err(refusal("KMS.0308").because("`keystore_type` is none of DEFAULT, DHSM and CDMS")),
    };
    if keys.keystores.values().any(|keystore| keystore.alias == alias) {
        return Err(refusal("KMS.0318").because("`keystore_alias` is that of another keystore"));
    }
    let keystore = Keystore {
        id: id::uuid(),
        alias: alias.to_owned(),
        kind: kind.to_owned(),
        hsm_cluster_id,
        cluster_id,
        account_id: call.caller.account_id.clone(),
        enabled: false,
        created: call.now,
    };
    let taken = |cluster: &String| keystore.clusters().any(|own| own == cluster);
    if kind == "DHSM" && keys.keystores.values().flat_map(Keystore::clusters).any(taken) {
        return Err(refusal("KMS.0308").because("`hsm_cluster_id` already carries a keystore"));
    }
    let answer = json!({"keystore": {"keystore_id": keystore.id, "domain_id": keystore.account_id}});
    keys.keystores.insert(keystore.id.clone(), keystore);
    Ok(answer.into())
}

fn show(call: &Call, world: &World) -> Outcome {
    let keystore = find(&world.project(&call.project_id)?.kms, call.text("keystore_id"))?;
    Ok(json!({"keystore": details(keystore)}).into())
}

fn list(call: &Call, world: &World) -> Outcome {
    let keystores = &world.project(&call.project_id)?.kms.keystores;
    let number = |name, least, default| match call.number(name).unwrap_or(default) {
        number if number < least => Err(refusal("KMS.0308").because(format!("`{name}` is less than {least}"))),
        number => Ok(usize::try_from(number).unwrap_or(usize::MAX)),
    };
    let (limit, offset) = (number("limit", 1, 10)?, number("offset", 0, 0)?);
    let page: Vec<_> = keystores.values().skip(offset).take(limit).map(details).collect();
    Ok(json!({"keystores": page, "total": keystores.len()}).into())
}

fn enable(call: &Call, world: &mut World) -> Outcome {
    switch(call, world, true)
}

fn disable(call: &Call, world: &mut World) -> Outcome {
    switch(call, world, false)
}

/// No code says that a keystore is in its state already, so that is no mistake.
fn switch(call: &Call, world: &mut World, enabled: bool) -> Outcome {
    let keystores = &mut world.project_mut(&call.project_id)?.kms.keystores;
    let keystore = keystores.get_mut(call.text("keystore_id")).ok_or_else(missing)?;
    keystore.enabled = enabled;
    Ok(json!({"keystore": {"keystore_id": keystore.id, "keystore_state": keystore.state()}}).into())
}

fn delete(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let id = call.text("keystore_id");
    find(keys, id)?;
    if keys.keys.values().any(|key| key.keystore_id == id) {
        return Err(refusal("KMS.0308").because("the keystore still holds keys"));
    }
    if keys.key_spaces.values().any(|space| space.keystore_id == id) {
        return Err(refusal("KMS.0308").because("the keystore still holds key spaces"));
    }
    keys.keystores.remove(id);
    Ok(Reply::default())
}

/// The keystore of this id.
pub(super) fn find<'a>(keys: &'a Keys, id: &str) -> Result<&'a Keystore, Fault> {
    keys.keystores.get(id).ok_or_else(missing)
}

fn missing() -> Fault {
    refusal("KMS.8003")
}

/// A keystore as it is shown. Its time is text, as declared; an example shows a number.
fn details(keystore: &Keystore) -> Json {
    let mut details = json!({
        "keystore_id": keystore.id,
        "domain_id": keystore.account_id,
        "keystore_alias": keystore.alias,
        "keystore_type": keystore.kind,
        "create_time": keystore.created.to_string(),
    });
    for (name, cluster) in [("hsm_cluster_id", &keystore.hsm_cluster_id), ("cluster_id", &keystore.cluster_id)] {
        if let Some(cluster) = cluster {
            details[name] = cluster.as_str().into();
        }
    }
    details
}
