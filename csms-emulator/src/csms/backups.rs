//! Backup and restore of secrets.
//!
//! A backup is a JWE whose content key is encrypted by the KMS key that protects the secret: it can be restored as long
//! as that key can be used, and only where it is. Old versions may be under other keys, which a backup does not need;
//! reading them does, before and after.

use aes_gcm::{
    Aes256Gcm, Nonce, Tag,
    aead::{AeadInOut, KeyInit},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    record::{Replication, Secret, State},
    refusal,
    secrets::{answer, check_enabled, check_room, find, invalid, plan},
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    crypto::{CryptoError, envelope, random},
    fault::Fault,
    kms::{self, Key},
    world::{Project, World},
};

pub(super) const HANDLERS: &[Named] =
    &[("DownloadSecretBlob", Handler::Read(back_up)), ("UploadSecretBlob", Handler::Write(restore))];

const PREFIX: &str = ")CloudSecretManagementBackupV1.com";

/// What a backup says of itself.
#[derive(Serialize, Deserialize)]
struct Header {
    /// The KMS key.
    kid: String,
    alg: String,
    enc: String,
}

fn back_up(call: &Call, world: &World) -> Outcome {
    let project = world.project(&call.project_id)?;
    let secret = find(project, call.text("secret_name"))?;
    check_enabled(secret, "CSMS.0107")?;
    let key = key(project, &secret.kms_key_id)?;
    let plain = serde_json::to_vec(secret).map(Zeroizing::new).map_err(|_| refusal("CSMS.0001"))?;
    let sealed = seal(key, plain).map_err(|_| refusal("CSMS.0401"))?;
    Ok(json!({"secret_blob": format!("{PREFIX}{sealed}")}).into())
}

fn restore(call: &Call, world: &mut World) -> Outcome {
    let quota = world.rules.quotas.secrets;
    let project = world.project_mut(&call.project_id)?;
    let mut secret = open(project, call.text("secret_blob"))?;
    check_room(project, &secret.name, quota)?;
    secret.state = State::Enabled;
    secret.scheduled_delete_time = None;
    secret.update_time = call.now;
    secret.next_rotation_time = secret.rotation_interval().map(|interval| call.now + interval);
    secret.rotation = None;
    // What it had to do with others may be gone by now.
    secret.replication = Replication::Standalone;
    secret.event_subscriptions.retain(|name| project.csms.events.contains(name));
    let name = secret.name.clone();
    project.csms.secrets.insert(&name, secret);
    plan(world, &call.project_id, &name);
    answer(call, world, &name)
}

/// The key that protects a secret, as long as it can be used.
fn key<'a>(project: &'a Project, id: &str) -> Result<&'a Key, Fault> {
    let key = project.kms.keys.get(id).filter(|_| kms::usable_for_data(&project.kms, id));
    key.ok_or_else(|| refusal("CSMS.0401"))
}

/// A JWE in its compact form: header, content key, nonce, content and tag.
fn seal(key: &Key, mut content: Zeroizing<Vec<u8>>) -> Result<String, CryptoError> {
    let header = Header { kid: key.id.clone(), alg: "KMS".to_owned(), enc: "A256GCM".to_owned() };
    let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).map_err(|_| CryptoError::Malformed)?);
    let (content_key, nonce) = (random::bytes(32), random::bytes(12));
    let material = key.material().ok_or(CryptoError::Unsupported)?;
    let generation = key.generations.len() as u64 - 1;
    let sealed_key = envelope::seal(&key.id, generation, material, &content_key, header.as_bytes())?;
    let cipher = Aes256Gcm::new_from_slice(&content_key).map_err(|_| CryptoError::Malformed)?;
    let nonce = Nonce::try_from(&nonce[..]).map_err(|_| CryptoError::Malformed)?;
    let tag = cipher
        .encrypt_inout_detached(&nonce, header.as_bytes(), content.as_mut_slice().into())
        .map_err(|_| CryptoError::TooLong)?;
    let parts = [&sealed_key[..], &nonce, &content, &tag].map(|part| URL_SAFE_NO_PAD.encode(part));
    Ok(format!("{header}.{}", parts.join(".")))
}

/// The secret in a backup. What is no backup, was altered or is another key's is refused.
fn open(project: &Project, blob: &str) -> Result<Secret, Fault> {
    let altered = || invalid("`secret_blob` is not a backup, or was altered");
    let parts: Vec<_> = blob.strip_prefix(PREFIX).ok_or_else(altered)?.split('.').collect();
    let [header, rest @ ..] = &parts[..] else { return Err(altered()) };
    let bytes = |text: &&str| URL_SAFE_NO_PAD.decode(text).ok();
    let said: Header = bytes(header).and_then(|it| serde_json::from_slice(&it).ok()).ok_or_else(altered)?;
    let rest: Vec<_> = rest.iter().map(bytes).collect::<Option<_>>().ok_or_else(altered)?;
    let [sealed_key, nonce, content, tag] = &rest[..] else { return Err(altered()) };
    let key = key(project, &said.kid)?;
    let content = open_with(key, header.as_bytes(), sealed_key, nonce, content, tag).ok_or_else(altered)?;
    serde_json::from_slice(&content).map_err(|_| altered())
}

fn open_with(
    key: &Key,
    header: &[u8],
    sealed_key: &[u8],
    nonce: &[u8],
    content: &[u8],
    tag: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let sealed = envelope::parse(sealed_key).ok()?;
    let generation = key.generations.get(usize::try_from(sealed.generation).ok()?)?;
    let content_key = sealed.open(&generation.0, header).ok()?;
    let cipher = Aes256Gcm::new_from_slice(&content_key).ok()?;
    let (nonce, tag) = (Nonce::try_from(nonce).ok()?, Tag::try_from(tag).ok()?);
    let mut content = Zeroizing::new(content.to_vec());
    cipher.decrypt_inout_detached(&nonce, header, content.as_mut_slice().into(), &tag).ok()?;
    Some(content)
}
