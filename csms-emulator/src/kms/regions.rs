//! Multi-region keys.
//!
//! A replica has an id of its own, as in the reference's example, and the material of its primary: what one encrypted
//! the other decrypts. It follows its primary's state and rotations after a while and takes no changes itself, so it
//! also goes when its primary does.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{
    State as Keys,
    access::check_enabled,
    keys::{check_alias, description, find, new_key},
    keystores,
    record::{Key, Place, Replication, State},
    refusal, tags,
};
use crate::{
    agenda::Errand,
    call::{Call, Handler, Named, Outcome},
    clock::Millis,
    fault::Fault,
    shared::Shared,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("ListSupportRegions", Handler::Read(list_support_regions)),
    ("ReplicateKey", Handler::Slow(replicate_key)),
    ("UpdatePrimaryRegion", Handler::Write(update_primary_region)),
];

/// Regions of a page when no number is asked for.
const PAGE: i64 = 10;

fn list_support_regions(call: &Call, world: &World) -> Outcome {
    let size = |name, default, code| {
        let number = call.number(name).unwrap_or(default);
        usize::try_from(number).map_err(|_| refusal(code))
    };
    let limit = size("limit", PAGE, "KMS.1601")?;
    let offset = size("offset", 0, "KMS.1603")?;
    let projects = world.directory.projects.values();
    let own = projects.filter(|project| project.account_id == call.caller.account_id);
    let regions: BTreeSet<_> = own.map(|project| project.region.as_str()).collect();
    Ok(json!({"regions": regions.into_iter().skip(offset).take(limit).collect::<Vec<_>>()}).into())
}

fn replicate_key(call: &Call, shared: &Shared) -> Outcome {
    shared.write(|world| {
        let (region, project_id) = (call.text("replica_region"), call.text("replica_project_id"));
        // Where nothing is checked a project exists as soon as it is named.
        if !shared.gate.checks && shared.regions.iter().any(|played| played == region) {
            world.add_project(project_id, region, &call.caller.account_id);
        }
        replicate(call, world)
    })
}

fn replicate(call: &Call, world: &mut World) -> Outcome {
    let primary = find(&world.project(&call.project_id)?.kms, call.text("key_id"))?;
    if primary.is_default {
        return Err(refusal("KMS.0211"));
    }
    check_writable(primary)?;
    check_enabled(primary)?;
    if primary.keystore_id != keystores::DEFAULT {
        return Err(refusal("KMS.0340"));
    }
    let place = target(call, world)?;
    let mut places = replicas(primary).to_vec();
    if places.iter().any(|place| place.region == call.text("replica_region")) {
        return Err(refusal("KMS.0308").because("`replica_region` has a replica of this key already"));
    }
    let here = Place { region: call.region.clone(), project_id: call.project_id.clone(), key_id: primary.id.clone() };
    let replica = copy_of(call, primary, here.clone())?;
    let place = Place { key_id: replica.id.clone(), ..place };
    let answer = json!({"key_id": place.key_id, "domain_id": replica.account_id, "region": place.region});

    for member in places.iter().chain([&here]) {
        introduce(world, member, &place);
        introduce(world, &place, member);
    }
    world.project_mut(&place.project_id)?.kms.keys.insert(place.key_id.clone(), replica);
    places.push(place);
    set(world, &here, Replication::Primary(places));
    follow(world, &call.project_id, &here.key_id, call.now);
    Ok(answer.into())
}

/// A replica as it is asked for, still without the material.
fn copy_of(call: &Call, primary: &Key, place: Place) -> Result<Key, Fault> {
    let mut replica = new_key(call.text("key_alias"), &call.caller.account_id, call.now);
    replica.spec = primary.spec.clone();
    replica.usage = primary.usage.clone();
    replica.origin = primary.origin.clone();
    replica.state = State::PendingActivation;
    replica.description = description(call)?;
    replica.tags = call
        .list("tags")
        .unwrap_or_default()
        .iter()
        .filter_map(Json::as_object)
        .map(tags::read)
        .collect::<Result<_, _>>()?;
    if let Some(id) = call.optional("enterprise_project_id") {
        replica.enterprise_project_id = id.to_owned();
    }
    replica.replication = Replication::Replica(place);
    Ok(replica)
}

/// Where the replica is to be, without its id: another region's project of the same account that has room for it.
fn target(call: &Call, world: &World) -> Result<Place, Fault> {
    let (region, project_id) = (call.text("replica_region"), call.text("replica_project_id"));
    let invalid = |problem| Err(refusal("KMS.0308").because(problem));
    if region == call.region {
        return invalid("`replica_region` is that of the key itself");
    }
    match world.directory.projects.get(project_id) {
        Some(project) if project.account_id == call.caller.account_id && project.region == region => {}
        _ => return invalid("`replica_project_id` is no project of this account in `replica_region`"),
    }
    let keys = &world.project(project_id)?.kms;
    check_alias(keys, call.text("key_alias"))?;
    if keys.keys.own() >= world.rules.quotas.keys {
        return Err(refusal("KMS.1105"));
    }
    Ok(Place { region: region.to_owned(), project_id: project_id.to_owned(), key_id: String::new() })
}

fn update_primary_region(call: &Call, world: &mut World) -> Outcome {
    let key = find(&world.project(&call.project_id)?.kms, call.text("key_id"))?;
    check_writable(key)?;
    check_enabled(key)?;
    let (id, region) = (key.id.clone(), call.text("primary_region"));
    let here = Place { region: call.region.clone(), project_id: call.project_id.clone(), key_id: id.clone() };
    let (chosen, mut others): (Vec<_>, Vec<_>) =
        replicas(key).iter().cloned().partition(|place| place.region == region);
    let Some(chosen) = chosen.into_iter().next() else {
        return Err(refusal("KMS.0308").because("`primary_region` has no replica of this key"));
    };
    let rotation = key.rotation.clone();

    // The new primary must not be behind the old one.
    catch_up(world, &chosen.project_id, &chosen.key_id);
    for place in others.iter().chain([&here]) {
        set(world, place, Replication::Replica(chosen.clone()));
    }
    others.push(here);
    set(world, &chosen, Replication::Primary(others));
    // Only the primary rotates.
    if let Some(key) = world.project_mut(&call.project_id)?.kms.keys.get_mut(&id) {
        key.rotation = None;
    }
    if let Some(key) = world.project_mut(&chosen.project_id)?.kms.keys.get_mut(&chosen.key_id) {
        key.rotation = rotation;
        let due = key.due();
        let (project_id, id) = (chosen.project_id.clone(), chosen.key_id.clone());
        world.agenda.add(due, Errand::Key { project_id, id });
    }
    Ok(json!({"key_id": id, "primary_region": region}).into())
}

/// Refuses to change a replica, which only follows its primary.
pub(super) fn check_writable(key: &Key) -> Result<(), Fault> {
    match key.replication {
        Replication::Replica(_) => Err(refusal("KMS.0106")),
        _ => Ok(()),
    }
}

/// The id of the key here that decrypts what the key of this id encrypted: that key itself, or one of its family.
pub(super) fn key_here<'a>(keys: &'a Keys, id: &'a str) -> &'a str {
    keys.relatives.get(id).map_or(id, String::as_str)
}

/// Has the replicas of a key, if it has any, follow what has just changed.
pub(super) fn follow(world: &mut World, project_id: &str, id: &str, now: Millis) {
    let time = now.saturating_add(world.rules.replication_delay);
    for Place { project_id, key_id: id, .. } in replicas_of(world, project_id, id) {
        world.agenda.add(Some(time), Errand::Key { project_id, id });
    }
}

/// Brings a replica to the state of its primary.
pub(super) fn catch_up(world: &mut World, project_id: &str, id: &str) {
    let Some(Key { replication: Replication::Replica(place), .. }) = get(world, project_id, id) else { return };
    let Some(primary) = get(world, &place.project_id, &place.key_id).cloned() else { return };
    let Ok(project) = world.project_mut(project_id) else { return };
    if let Some(replica) = project.kms.keys.get_mut(id) {
        replica.state = primary.state;
        replica.deletion = primary.deletion;
        replica.expiration = primary.expiration;
        replica.generations = primary.generations;
        replica.rotated = primary.rotated;
        replica.imported = primary.imported;
    }
}

/// Has the family forget a key that is gone.
pub(super) fn leave(world: &mut World, project_id: &str, key: &Key) {
    let family = match &key.replication {
        Replication::Single => return,
        Replication::Primary(replicas) => replicas.clone(),
        Replication::Replica(primary) => {
            let mut others = replicas_of(world, &primary.project_id, &primary.key_id);
            others.retain(|place| place.key_id != key.id);
            let replication =
                if others.is_empty() { Replication::Single } else { Replication::Primary(others.clone()) };
            set(world, primary, replication);
            others.push(primary.clone());
            others
        }
    };
    for place in family {
        if let Ok(project) = world.project_mut(&place.project_id) {
            project.kms.relatives.remove(&key.id);
        }
        if let Ok(project) = world.project_mut(project_id) {
            project.kms.relatives.remove(&place.key_id);
        }
    }
}

/// Has a project know a relative of its key.
fn introduce(world: &mut World, key: &Place, relative: &Place) {
    if let Ok(project) = world.project_mut(&key.project_id) {
        project.kms.relatives.insert(relative.key_id.clone(), key.key_id.clone());
    }
}

fn set(world: &mut World, place: &Place, replication: Replication) {
    let Ok(project) = world.project_mut(&place.project_id) else { return };
    if let Some(key) = project.kms.keys.get_mut(&place.key_id) {
        key.replication = replication;
    }
}

fn get<'a>(world: &'a World, project_id: &str, id: &str) -> Option<&'a Key> {
    world.project(project_id).ok()?.kms.keys.get(id)
}

fn replicas(key: &Key) -> &[Place] {
    match &key.replication {
        Replication::Primary(replicas) => replicas,
        _ => &[],
    }
}

fn replicas_of(world: &World, project_id: &str, id: &str) -> Vec<Place> {
    get(world, project_id, id).map(|key| replicas(key).to_vec()).unwrap_or_default()
}
