//! Multi-region secrets: copies that follow a secret in other regions.
//!
//! A replica is there as soon as it has been asked for, takes its primary's versions over when the delay is over, and
//! is `IN_PROGRESS` until then. Tags and everything else that describes the secret follow too. Events are a region's
//! own, so subscriptions do not; nor is a replica rotated, its primary is.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{
    record::{Replica, Replication, Secret, State, Status, Version},
    refusal,
    secrets::{check_room, find, invalid, plan, protecting_key},
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    clock::Millis,
    fault::Fault,
    id, kms,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateSecretReplica", Handler::Write(create)),
    ("ListSupportRegions", Handler::Read(list_regions)),
    ("DeleteSecretReplica", Handler::Write(delete)),
];

fn create(call: &Call, world: &mut World) -> Outcome {
    let (name, region) = (call.text("secret_name"), call.text("region"));
    let quota = world.rules.quotas.secrets;
    let until = call.now.saturating_add(world.rules.replication_delay);
    let primary = find(world.project(&call.project_id)?, name)?;
    check_writable(primary)?;
    if primary.state != State::Enabled {
        return Err(refusal("CSMS.0109"));
    }
    if region == call.region {
        return Err(invalid("`region` has to be another one than that of the secret"));
    }
    let target_id = world.project_in(&call.caller.account_id, region).map(str::to_owned);
    let target_id = target_id.ok_or_else(|| invalid("`region` is none that takes replicas"))?;

    let mut copy = Secret {
        id: id::uuid(),
        event_subscriptions: Vec::new(),
        create_time: call.now,
        update_time: call.now,
        versions: Vec::new(),
        last_version: 0,
        stages: BTreeMap::new(),
        replication: Replication::Replica { primary_region: call.region.clone() },
        rotation: None,
        ..primary.clone()
    };
    let target = world.project_mut(&target_id)?;
    check_room(target, name, quota)?;
    // The pages say that a key which does not exist is made. That can only mean `csms/default`: ids are given by KMS.
    copy.kms_key_id = protecting_key(target, call.optional("kms_key_id"), call)?;
    let replica = Replica {
        id: copy.id.clone(),
        project_id: target_id,
        kms_key_id: copy.kms_key_id.clone(),
        created: call.now,
        updated: call.now,
        status: Status::InProgress(until),
    };
    let answer = json!({"replica_id": copy.id});
    target.csms.secrets.insert(name, copy);
    if let Some(primary) = world.project_mut(&call.project_id)?.csms.secrets.get_mut(name) {
        match &mut primary.replication {
            Replication::Primary(replicas) => drop(replicas.insert(region.to_owned(), replica)),
            other => *other = Replication::Primary([(region.to_owned(), replica)].into()),
        }
    }
    plan(world, &call.project_id, name);
    Ok(answer.into())
}

/// The other regions in which the account has a project.
fn list_regions(call: &Call, world: &World) -> Outcome {
    let projects = world.directory.projects.values().filter(|project| project.account_id == call.caller.account_id);
    let mut regions: Vec<_> =
        projects.map(|project| &project.region).filter(|region| **region != call.region).collect();
    regions.sort_unstable();
    regions.dedup();
    Ok(json!({"regions": regions, "total": regions.len()}).into())
}

fn delete(call: &Call, world: &mut World) -> Outcome {
    let (name, region) = (call.text("secret_name"), call.text("region_name"));
    let project = world.project_mut(&call.project_id)?;
    let primary = find(project, name)?;
    check_writable(primary)?;
    let replica = primary.replicas().find(|(known, _)| *known == region).map(|(_, replica)| replica.project_id.clone());
    let replica = replica.ok_or_else(|| refusal("CSMS.0005"))?;
    if let Some(primary) = project.csms.secrets.get_mut(name)
        && let Replication::Primary(replicas) = &mut primary.replication
    {
        replicas.remove(region);
        if replicas.is_empty() {
            primary.replication = Replication::Standalone;
        }
    }
    if let Ok(project) = world.project_mut(&replica)
        && project.csms.secrets.get(name).is_some_and(Secret::is_replica)
    {
        project.csms.secrets.remove(name);
    }
    Ok(Default::default())
}

/// Refuses to write to a replica, which only follows its primary.
pub(super) fn check_writable(secret: &Secret) -> Result<(), Fault> {
    match &secret.replication {
        Replication::Replica { primary_region } => Err(refusal("CSMS.0003")
            .because(format!("the secret is a replica, its primary in {primary_region} can be written to"))),
        _ => Ok(()),
    }
}

/// Refuses to delete a secret that has replicas, or is one: replicas go by `DeleteSecretReplica`, before their primary.
pub(super) fn check_deletable(secret: &Secret) -> Result<(), Fault> {
    check_writable(secret)?;
    match secret.replicas().next() {
        Some((region, _)) => Err(refusal("CSMS.0003").because(format!("the secret has a replica in {region}"))),
        None => Ok(()),
    }
}

/// A secret's part in replication, as it is shown.
pub(super) fn kind(secret: &Secret) -> &'static str {
    match &secret.replication {
        Replication::Standalone => "STANDALONE",
        Replication::Primary(_) => "PRIMARY",
        Replication::Replica { .. } => "REPLICA",
    }
}

/// The replicas of a secret, as they are shown.
pub(super) fn shown(secret: &Secret) -> Json {
    let replicas = secret.replicas().map(|(region, replica)| {
        json!({
            "id": replica.id,
            "kms_key_id": replica.kms_key_id,
            "project_id": replica.project_id,
            "region": region,
            "replica_type": "REPLICA",
            "status": match replica.status {
                Status::InProgress(_) => "IN_PROGRESS",
                Status::InSync => "IN_SYNC",
                Status::Failed => "FAILED",
            },
            "created_at": replica.created,
            "updated_at": replica.updated,
        })
    });
    replicas.collect()
}

/// Has the replicas of a secret follow what has just changed. Those that are about to catch up anyway take it along.
pub(super) fn follow(world: &mut World, project_id: &str, name: &str, now: Millis) {
    let until = now.saturating_add(world.rules.replication_delay);
    let Ok(project) = world.project_mut(project_id) else { return };
    if project.csms.secrets.get(name).is_none_or(|secret| secret.replicas().next().is_none()) {
        return;
    }
    let Some(secret) = project.csms.secrets.get_mut(name) else { return };
    if let Replication::Primary(replicas) = &mut secret.replication {
        for replica in replicas.values_mut().filter(|it| !matches!(it.status, Status::InProgress(_))) {
            replica.status = Status::InProgress(until);
            replica.updated = now;
        }
    }
    plan(world, project_id, name);
}

/// Has replicas catch up whose time has come.
pub(super) fn settle(world: &mut World, project_id: &str, name: &str, now: Millis) {
    let Some(primary) = world.project(project_id).ok().and_then(|project| project.csms.secrets.get(name)) else {
        return;
    };
    let is_due = |replica: &Replica| matches!(replica.status, Status::InProgress(until) if until <= now);
    if !primary.replicas().any(|(_, replica)| is_due(replica)) {
        return;
    }
    let mut primary = primary.clone();
    let Replication::Primary(replicas) = &mut primary.replication else { return };
    let mut replicas = std::mem::take(replicas);
    for replica in replicas.values_mut().filter(|replica| is_due(replica)) {
        replica.status = match catch_up(world, replica, &primary) {
            Some(()) => Status::InSync,
            None => Status::Failed,
        };
        replica.updated = now;
        plan(world, &replica.project_id, name);
    }
    primary.replication = Replication::Primary(replicas);
    if let Ok(project) = world.project_mut(project_id) {
        project.csms.secrets.insert(name, primary);
    }
}

/// Makes a replica what its primary is, unless the key that protects it cannot be used.
fn catch_up(world: &mut World, replica: &Replica, primary: &Secret) -> Option<()> {
    let project = world.project_mut(&replica.project_id).ok()?;
    if !kms::usable_for_data(&project.kms, &replica.kms_key_id) {
        return None;
    }
    let secret = project.csms.secrets.get_mut(&primary.name).filter(|secret| secret.is_replica())?;
    let protect = |version: &Version| Version { kms_key_id: replica.kms_key_id.clone(), ..version.clone() };
    *secret = Secret {
        id: secret.id.clone(),
        kms_key_id: replica.kms_key_id.clone(),
        create_time: secret.create_time,
        event_subscriptions: std::mem::take(&mut secret.event_subscriptions),
        replication: secret.replication.clone(),
        rotation: None,
        versions: primary.versions.iter().map(protect).collect(),
        ..primary.clone()
    };
    Some(())
}
