//! Access points of key spaces: the workloads that may open capsules.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use zeroize::Zeroizing;

use super::{
    key_spaces::{check_exists, check_length, check_name, missing, page},
    record::Generation,
    refusal,
};
use crate::{
    call::{Call, Handler, Named, Outcome, Reply},
    clock::{self, Millis},
    crypto::{Material, PublicKey},
    fault::Fault,
    id,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateAccessPoint", Handler::Write(create)),
    ("ListAccessPoint", Handler::Read(list)),
    ("DownloadAccessPointPrivateKey", Handler::Read(private_key)),
    ("EnableAccessPoint", Handler::Write(enable)),
    ("DisableAccessPoint", Handler::Write(disable)),
    ("DeleteAccessPoint", Handler::Write(delete)),
];

/// A workload that may use a key space. Has no `Debug`: it may hold a private key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccessPoint {
    pub(super) id: String,
    name: String,
    pub(super) keyspace_id: String,
    pub(super) workload: Workload,
    pub(super) enabled: bool,
    /// Taken and kept; no answer shows it.
    description: Option<String>,
    created_by: String,
    created: Millis,
    modified: Millis,
}

/// What a workload proves itself by.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Workload {
    /// An ECS instance, by its id.
    Ecs { instance_id: String },
    /// A CCE cluster, by the public key that its tokens are signed with.
    Cce { cluster_id: String, public_key: String },
    /// Anything else, by the key pair that was made for it.
    Custom { key_pair: Generation },
}

impl Workload {
    fn code(&self) -> i64 {
        match self {
            Self::Ecs { .. } => 1,
            Self::Cce { .. } => 2,
            Self::Custom { .. } => 3,
        }
    }
}

fn create(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let (name, keyspace_id) = (call.text("access_point_name"), call.text("keyspace_id"));
    check_name(call, "access_point_name", 255)?;
    if call.optional("description").is_some() {
        check_length(call, "description", 1, 255)?;
    }
    let workload = workload(call)?;
    check_exists(keys, keyspace_id)?;
    if keys.access_points.values().any(|point| point.keyspace_id == keyspace_id && point.name == name) {
        return Err(refusal("KMS.0308").because("`access_point_name` is that of another access point"));
    }
    let point = AccessPoint {
        id: id::uuid(),
        name: name.to_owned(),
        keyspace_id: keyspace_id.to_owned(),
        workload,
        enabled: true,
        description: call.optional("description").map(str::to_owned),
        created_by: call.caller.user_id.clone(),
        created: call.now,
        modified: call.now,
    };
    let answer = json!({"access_point_id": point.id});
    keys.access_points.insert(point.id.clone(), point);
    Ok(answer.into())
}

fn workload(call: &Call) -> Result<Workload, Fault> {
    let kind = call.number("type").unwrap_or_default();
    let needed = |name: &str| match call.text(name) {
        "" => Err(refusal("KMS.0308").because(format!("`{name}` is required for type {kind}"))),
        text => Ok(text.to_owned()),
    };
    match kind {
        1 => Ok(Workload::Ecs { instance_id: needed("identity")? }),
        2 => {
            let (cluster_id, public_key) = (needed("cluster_id")?, needed("identity")?);
            PublicKey::parse(&public_key)
                .map_err(|_| refusal("KMS.0308").because("`identity` is no public key of RSA or P-256"))?;
            Ok(Workload::Cce { cluster_id, public_key })
        }
        3 => {
            let material = Material::generate("EC_P256").map_err(|error| refusal("KMS.0308").because(error))?;
            Ok(Workload::Custom { key_pair: Generation(Arc::new(material)) })
        }
        _ => Err(refusal("KMS.0308").because("`type` is none of 1, 2 and 3")),
    }
}

fn list(call: &Call, world: &World) -> Outcome {
    let keys = &world.project(&call.project_id)?.kms;
    let keyspace_id = call.text("keyspace_id");
    check_exists(keys, keyspace_id)?;
    page(call, "access_points", &keys.access_points, |point| point.keyspace_id == keyspace_id, details)
}

/// The private key is PKCS#8 in Base64. The reference does not say in which form it comes.
fn private_key(call: &Call, world: &World) -> Outcome {
    let points = &world.project(&call.project_id)?.kms.access_points;
    let point = points.get(call.text("access_point_id")).ok_or_else(|| missing("access point"))?;
    let Workload::Custom { key_pair } = &point.workload else {
        return Err(refusal("KMS.0308").because("only access points of type 3 have a private key here"));
    };
    let der = key_pair.0.to_bytes().map_err(|error| refusal("KMS.0308").because(error))?;
    let text = Zeroizing::new(STANDARD.encode(&*der));
    Ok(json!({"access_point_id": point.id, "private_key": *text}).into())
}

fn enable(call: &Call, world: &mut World) -> Outcome {
    switch(call, world, true)
}

fn disable(call: &Call, world: &mut World) -> Outcome {
    switch(call, world, false)
}

fn switch(call: &Call, world: &mut World, enabled: bool) -> Outcome {
    let points = &mut world.project_mut(&call.project_id)?.kms.access_points;
    let point = points.get_mut(call.text("access_point_id")).ok_or_else(|| missing("access point"))?;
    point.enabled = enabled;
    point.modified = call.now;
    Ok(Reply::default())
}

/// Policies may go on naming it: nothing proves to be it any more.
fn delete(call: &Call, world: &mut World) -> Outcome {
    let points = &mut world.project_mut(&call.project_id)?.kms.access_points;
    points.remove(call.text("access_point_id")).ok_or_else(|| missing("access point"))?;
    Ok(Reply::default())
}

/// An access point as it is shown.
fn details(point: &AccessPoint) -> Json {
    json!({
        "access_point_id": point.id,
        "access_point_name": point.name,
        "keyspace_id": point.keyspace_id,
        "type": point.workload.code(),
        // The codes are not published: 1 is seen after the creation, 2 is ours.
        "state": if point.enabled { 1 } else { 2 },
        "created_by": point.created_by,
        "create_time": clock::text(point.created),
        // The service's spelling.
        "lsat_modify_time": clock::text(point.modified),
    })
}
