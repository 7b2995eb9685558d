//! Key import: keys whose material was made elsewhere.
//!
//! A token carries all that an import needs, the private half of the wrapping key included, sealed with a key of the
//! project: nothing is kept for a token, and it outlives a restart.
//!
//! # Limits
//! The temporary key that wraps a private key has to have 32 bytes; the service also speaks of 16.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    access::check_enabled,
    keys::find,
    keystores,
    record::{Generation, Key, Kind, State},
    refusal, regions, wire,
};
use crate::{
    agenda::Errand,
    call::{Call, Handler, Named, Outcome, Reply},
    clock::{DAY, Millis},
    crypto::{CryptoError, Material, envelope, wrapping},
    fault::Fault,
    shared::Shared,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateParametersForImport", Handler::Slow(create_parameters_for_import)),
    ("ImportKeyMaterial", Handler::Slow(import_key_material)),
    ("DeleteImportedKeyMaterial", Handler::Write(delete_imported_key_material)),
    ("RotateOnDemand", Handler::Write(rotate_on_demand)),
];

/// How long a token and its wrapping key are good for.
const VALIDITY: Millis = DAY;
/// The name of the one key that seals tokens.
const TOKEN_KEY: &str = "1";
/// Keeps tokens and other ciphertexts apart.
const TOKEN: &[u8] = b"import token";
/// Ways to wrap, and what kind of key wraps that way. Newer regions know the first two only.
const WRAPPINGS: &[(&str, &str)] = &[
    ("RSAES_OAEP_SHA_256", "RSA_2048"),
    ("SM2_ENCRYPT", "SM2"),
    ("RSAES_OAEP_SHA_1", "RSA_2048"),
    ("RSAES_PKCS1_V1_5", "RSA_2048"),
];

/// What a token says. The key it is for is in its frame. Has no `Debug`: it holds the wrapping key.
#[derive(Serialize, Deserialize)]
struct Token {
    expires: Millis,
    algorithm: String,
    wrapping: Generation,
}

fn create_parameters_for_import(call: &Call, shared: &Shared) -> Outcome {
    let algorithm = call.text("wrapping_algorithm");
    let id = shared.read(|world| {
        let key = find(&world.project(&call.project_id)?.kms, call.text("key_id"))?;
        check_importable(key).map(|()| key.id.clone())
    })?;
    let spec = WRAPPINGS.iter().find(|(name, _)| *name == algorithm).map(|(_, spec)| spec);
    let spec = spec.ok_or_else(|| refusal("KMS.0308").because("`wrapping_algorithm` is not known"))?;
    let wrapping = Material::generate(spec).map_err(failed)?;
    let public_key = wire::base64(&wrapping.public_key_der().map_err(failed)?);

    let expires = call.now.saturating_add(VALIDITY);
    let token = Token { expires, algorithm: algorithm.to_owned(), wrapping: Generation(Arc::new(wrapping)) };
    let token = Zeroizing::new(serde_json::to_vec(&token).map_err(|_| refusal("KMS.0101"))?);
    let sealer = shared.write(|world| token_key(call, world))?;
    let token = envelope::seal(&id, 0, &sealer.0, &token, TOKEN).map_err(failed)?;
    Ok(json!({
        "key_id": id,
        "import_token": wire::base64(&token),
        // Seconds here, unlike everywhere else.
        "expiration_time": expires / 1000,
        "public_key": public_key,
    })
    .into())
}

fn import_key_material(call: &Call, shared: &Shared) -> Outcome {
    let (id, spec, sealer) = shared.read(|world| {
        let keys = &world.project(&call.project_id)?.kms;
        let key = find(keys, call.text("key_id"))?;
        check_importable(key)?;
        Ok((key.id.clone(), key.spec.clone(), keys.token_keys.get(TOKEN_KEY).cloned()))
    })?;
    let token = open_token(call, &id, sealer.as_ref())?;
    let expiration = call.number("expiration_time").map(|seconds| seconds.saturating_mul(1000));
    if expiration.is_some_and(|time| time <= call.now) {
        return Err(refusal("KMS.2602"));
    }
    let material = unwrap(call, &spec, &token)?;
    shared.write(|world| {
        let keys = &mut world.project_mut(&call.project_id)?.kms;
        let key = find(keys, &id)?;
        check_importable(key)?;
        let fingerprint = fingerprint(&material)?;
        let place = place(key, &fingerprint)?;
        let Some(key) = keys.keys.get_mut(&id) else { return Err(refusal("KMS.0207")) };
        take(key, place, Generation(Arc::new(material)), fingerprint);
        key.expiration = expiration;
        let due = key.due();
        world.agenda.add(due, Errand::Key { project_id: call.project_id.clone(), id: id.clone() });
        regions::follow(world, &call.project_id, &id, call.now);
        Ok(json!({}).into())
    })
}

/// What becomes of imported material.
#[derive(Clone, Copy)]
enum Place {
    /// It is the next that the key waits for.
    Missing,
    /// The key has it already.
    Present,
    /// It waits for a rotation on demand.
    Next,
}

/// Where this material belongs. What was deleted has to come back first, in its order, so that every generation keeps
/// its number.
fn place(key: &Key, fingerprint: &str) -> Result<Place, Fault> {
    let known = &key.imported.fingerprints;
    match key.state {
        State::PendingImport => match known.get(key.generations.len()) {
            Some(deleted) if deleted != fingerprint => Err(refusal("KMS.2606")),
            _ => Ok(Place::Missing),
        },
        _ if known.last().is_some_and(|last| last == fingerprint) => Ok(Place::Present),
        // Only these can be rotated.
        _ if key.kind() == Kind::Symmetric => Ok(Place::Next),
        _ => Err(refusal("KMS.0310")),
    }
}

fn take(key: &mut Key, place: Place, generation: Generation, fingerprint: String) {
    match place {
        Place::Present => {}
        Place::Next => key.imported.next = Some(generation),
        Place::Missing => {
            key.generations.push(generation);
            if key.imported.fingerprints.len() < key.generations.len() {
                key.imported.fingerprints.push(fingerprint);
            }
            if key.is_complete() {
                key.state = State::Enabled;
            }
        }
    }
}

fn delete_imported_key_material(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let key = find(keys, call.text("key_id"))?;
    check_external(key)?;
    regions::check_writable(key)?;
    if key.kind() == Kind::Asymmetric {
        return Err(refusal("KMS.2702"));
    }
    if !matches!(key.state, State::Enabled | State::Disabled) {
        return Err(refusal("KMS.2701"));
    }
    let id = key.id.clone();
    if let Some(key) = keys.keys.get_mut(&id) {
        delete_material(key);
    }
    regions::follow(world, &call.project_id, &id, call.now);
    Ok(Reply::default())
}

fn rotate_on_demand(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let key = find(keys, call.text("key_id"))?;
    check_external(key)?;
    regions::check_writable(key)?;
    match key.kind() {
        Kind::Symmetric => {}
        Kind::Hmac => return Err(refusal("KMS.0341")),
        Kind::Asymmetric => return Err(refusal("KMS.0325")),
    }
    check_enabled(key)?;
    let next = key.imported.next.clone();
    let next = next.ok_or_else(|| refusal("KMS.0310").because("no new material has been imported"))?;
    let fingerprint = fingerprint(&next.0)?;
    let id = key.id.clone();
    if let Some(key) = keys.keys.get_mut(&id) {
        key.imported.next = None;
        key.imported.fingerprints.push(fingerprint);
        key.generations.push(next);
        key.rotated.push(call.now);
    }
    regions::follow(world, &call.project_id, &id, call.now);
    Ok(json!({"key_id": id}).into())
}

/// Takes its material from a key, which waits for the same again.
pub(super) fn delete_material(key: &mut Key) {
    key.generations.clear();
    key.imported.next = None;
    key.expiration = None;
    if key.state != State::PendingDeletion {
        key.state = State::PendingImport;
    }
}

/// Refuses keys whose material is made here.
fn check_external(key: &Key) -> Result<(), Fault> {
    match (key.is_default, key.origin.as_str()) {
        (true, _) => Err(refusal("KMS.0211")),
        (_, "external") => Ok(()),
        _ => Err(refusal("KMS.0309")),
    }
}

/// Refuses keys that take no material.
fn check_importable(key: &Key) -> Result<(), Fault> {
    check_external(key)?;
    if key.keystore_id != keystores::DEFAULT {
        return Err(refusal("KMS.0339"));
    }
    regions::check_writable(key).map_err(|_| refusal("KMS.1404"))?;
    match key.state {
        State::PendingDeletion => Err(refusal("KMS.0210")),
        _ => Ok(()),
    }
}

/// What seals the tokens of a project.
fn token_key(call: &Call, world: &mut World) -> Result<Generation, Fault> {
    let keys = &mut world.project_mut(&call.project_id)?.kms.token_keys;
    if let Some(key) = keys.get(TOKEN_KEY) {
        return Ok(key.clone());
    }
    let key = Generation(Arc::new(Material::generate("AES_256").map_err(failed)?));
    keys.insert(TOKEN_KEY, key.clone());
    Ok(key)
}

fn open_token(call: &Call, id: &str, sealer: Option<&Generation>) -> Result<Token, Fault> {
    let wrong = || refusal("KMS.2605");
    let bytes = wire::decode_base64(call.text("import_token")).ok_or_else(wrong)?;
    let sealed = envelope::parse(&bytes).map_err(|_| wrong())?;
    let token = sealed.open(&sealer.ok_or_else(wrong)?.0, TOKEN).map_err(|_| wrong())?;
    if sealed.key_id != id {
        return Err(refusal("KMS.2603"));
    }
    let token: Token = serde_json::from_slice(&token).map_err(|_| wrong())?;
    match token.expires > call.now {
        true => Ok(token),
        false => Err(refusal("KMS.2601")),
    }
}

/// The material that was sent.
fn unwrap(call: &Call, spec: &str, token: &Token) -> Result<Material, Fault> {
    let wrapped = wire::from_base64(call, "encrypted_key_material")?;
    let bytes = wrapping::unwrap_key(&token.wrapping.0, &token.algorithm, &wrapped).map_err(|_| refusal("KMS.0311"))?;
    if Kind::of(spec) != Kind::Asymmetric {
        return Material::from_bytes(spec, &bytes).map_err(|_| refusal("KMS.2604"));
    }
    let private = call.optional("encrypted_privatekey").filter(|text| !text.is_empty());
    private.ok_or_else(|| refusal("KMS.2608"))?;
    let private = wire::from_base64(call, "encrypted_privatekey")?;
    let private = wrapping::unwrap_private_key(&bytes, &private).map_err(|error| match error {
        CryptoError::Malformed => refusal("KMS.2610"),
        _ => refusal("KMS.2609"),
    })?;
    Material::from_bytes(spec, &private).map_err(|_| refusal("KMS.2609"))
}

/// Tells material from other material without keeping it.
fn fingerprint(material: &Material) -> Result<String, Fault> {
    Ok(hex::encode(Sha256::digest(&*material.to_bytes().map_err(failed)?)))
}

fn failed(error: CryptoError) -> Fault {
    refusal("KMS.0101").because(error)
}
