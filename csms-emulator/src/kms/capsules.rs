//! Data keys in capsules.
//!
//! A capsule is a ciphertext of the key that protects it; the data key and the policy that guards it are sealed together.
//! It opens for whoever proves to be an access point that the policy names, in one of these ways:
//!
//! - A custom access point signs `<datakey_capsule>\n<expire_time>`, the expiry empty where none is sent, with ECDSA and
//!   SHA-256; `custom_signature` is the DER of it in Base64.
//! - A CCE cluster sends a JSON web token in `service_token`, signed with the key of the access point: RS256 or ES256.
//! - An ECS instance sends its instance document in `ecs_signature`, in Base64.
//!
//! No source says what the service takes; these are the plainest readings of the members' names.
//!
//! # Limits
//! - There are no ECS instances here, so nobody can sign an instance document: it only has to name the instance.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use zeroize::Zeroizing;

use super::{
    State as Keys,
    access::{self, Fit, Use},
    access_points::{AccessPoint, Workload},
    key_policies::Policy,
    key_spaces::missing,
    refusal, wire,
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    clock::Millis,
    crypto::{
        PublicKey, random,
        signature::{self, Message},
    },
    fault::Fault,
    world::World,
};

pub(super) const HANDLERS: &[Named] =
    &[("CreateDatakeyCapsule", Handler::Write(create)), ("DecryptDatakeyCapsule", Handler::Write(decrypt))];

/// Keeps capsules apart from other ciphertexts of the same key: as this is no text, no caller can send it as theirs, so
/// nothing but [`decrypt`] opens a capsule.
const CONTEXT: &[u8] = b"\xffdata-key capsule";

/// What a capsule holds. Has no `Debug`: it is the data key.
#[derive(Serialize, Deserialize)]
struct Capsule {
    datakey: Zeroizing<String>,
    guard: Guard,
}

/// The policy that guards a capsule.
#[derive(Serialize, Deserialize)]
enum Guard {
    /// A key policy, as it is when the capsule is opened.
    Named(String),
    /// A policy of its own, which nothing changes any more.
    Inline(Policy),
}

fn create(call: &Call, world: &mut World) -> Outcome {
    let key = access::key(call, world, call.text("key_id"), Use::DataKey)?;
    // The table names kinds, its text lengths.
    let length = match call.text("datakey_length") {
        "AES_256" | "256" => 32,
        "SM4" | "128" => 16,
        _ => return Err(refusal("KMS.0308").because("`datakey_length` is neither AES_256 nor SM4")),
    };
    let guard = match (call.optional("policy_id"), call.optional("key_policy")) {
        (Some(id), None) => Guard::Named(id.to_owned()),
        (None, Some(policy)) => Guard::Inline(Policy::parse("key_policy", policy)?),
        (None, None) => return Err(refusal("KMS.0204").because("`policy_id` or `key_policy` is required")),
        _ => return Err(refusal("KMS.0308").because("`policy_id` and `key_policy` exclude each other")),
    };
    let datakey = random::bytes(length);
    let mut answer = handed_over(call, &key, &datakey)?;
    let content = Capsule { datakey: hex::encode(&*datakey).into(), guard };
    let plain = serde_json::to_vec(&content).map(Zeroizing::new).map_err(|_| refusal("KMS.3805"))?;
    let sealed = key.seal(&plain, CONTEXT).map_err(|_| refusal("KMS.3805"))?;
    answer["datakey_capsule"] = hex::encode(sealed).into();
    touch(&mut world.project_mut(&call.project_id)?.kms, &content.guard, call.now)?;
    Ok(answer.into())
}

fn decrypt(call: &Call, world: &mut World) -> Outcome {
    let key = access::key(call, world, call.text("key_id"), Use::DataKey)?;
    let content = open(&key, call.text("datakey_capsule"))?;
    let proof = Proof::read(call)?;
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let instance_id = proof.prover(keys, &content.guard, call.now)?;
    let datakey = wire::decode_hex(&content.datakey).ok_or_else(|| refusal("KMS.2201"))?;
    let mut answer = handed_over(call, &key, &datakey)?;
    answer["instance_id"] = instance_id.into();
    touch(keys, &content.guard, call.now)?;
    Ok(answer.into())
}

/// What a capsule of this key holds.
fn open(key: &Fit, capsule: &str) -> Result<Capsule, Fault> {
    let invalid = || refusal("KMS.2201").because("`datakey_capsule` is none of this key, or altered");
    let sealed = wire::decode_hex(capsule).ok_or_else(invalid)?;
    let plain = key.open(&sealed, CONTEXT).map_err(|_| invalid())?;
    serde_json::from_slice(&plain).map_err(|_| invalid())
}

/// An answer with a data key: in hexadecimal, or encrypted for the public key that was sent.
fn handed_over(call: &Call, key: &Fit, datakey: &[u8]) -> Result<Json, Fault> {
    let Some(public_key) = call.optional("public_key") else {
        return Ok(json!({"key_id": key.id, "datakey": hex::encode(datakey)}));
    };
    let encrypted = PublicKey::parse(public_key)
        .and_then(|recipient| recipient.encrypt(datakey))
        .map_err(|_| refusal("KMS.0308").because("`public_key` is no RSA public key"))?;
    Ok(json!({"key_id": key.id, "datakey_cipher": wire::base64(&encrypted)}))
}

/// Notes that a key policy was used.
fn touch(keys: &mut Keys, guard: &Guard, now: Millis) -> Result<(), Fault> {
    if let Guard::Named(id) = guard {
        keys.key_policies.get_mut(id).ok_or_else(|| missing("key policy"))?.accessed = Some(now);
    }
    Ok(())
}

/// The proof of a workload, its validity checked. Has no `Debug`: a token can be used again.
struct Proof<'a> {
    document: &'a Map<String, Json>,
    /// What a custom access point signs.
    message: String,
}

impl<'a> Proof<'a> {
    fn read(call: &'a Call) -> Result<Self, Fault> {
        let document = call.object("attestation_document").ok_or_else(|| refusal("KMS.3804"))?;
        let expire_time = text(document, "expire_time").unwrap_or_default();
        if !expire_time.is_empty() {
            let time = DateTime::parse_from_rfc3339(expire_time)
                .map_err(|_| refusal("KMS.3804").because("`expire_time` is not like 2026-01-01T00:00:00Z"))?;
            if time.timestamp_millis() <= call.now {
                return Err(refusal("KMS.0306").because("the attestation document has expired"));
            }
        }
        Ok(Self { document, message: format!("{}\n{expire_time}", call.text("datakey_capsule")) })
    }

    /// Whose proof it is, out of those the policy allows: the ECS instance, the CCE cluster or the access point.
    fn prover(&self, keys: &Keys, guard: &Guard, now: Millis) -> Result<String, Fault> {
        let policy = match guard {
            Guard::Named(id) => &keys.key_policies.get(id).ok_or_else(|| missing("key policy"))?.policy,
            Guard::Inline(policy) => policy,
        };
        let allowed = policy.access_points(now).iter().filter_map(|id| keys.access_points.get(id));
        allowed.filter(|point| point.enabled).find_map(|point| self.proves(point)).ok_or_else(|| {
            refusal("KMS.0306")
                .because("the attestation document proves no access point that the key policy allows now")
        })
    }

    /// The id of the workload, if this proves to be it.
    fn proves(&self, point: &AccessPoint) -> Option<String> {
        match &point.workload {
            Workload::Ecs { instance_id } => {
                let document = wire::decode_base64(text(self.document, "ecs_signature")?)?;
                let mut windows = document.windows(instance_id.len());
                windows.any(|window| window == instance_id.as_bytes()).then(|| instance_id.clone())
            }
            Workload::Cce { cluster_id, public_key } => {
                let (signed, signature) = text(self.document, "service_token")?.rsplit_once('.')?;
                let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
                let key = PublicKey::parse(public_key).ok()?;
                key.verify_token(signed.as_bytes(), &signature).then(|| cluster_id.clone())
            }
            Workload::Custom { key_pair } => {
                let material = &key_pair.0;
                if let Some(key) = text(self.document, "custom_public_key")
                    && key != wire::base64(&material.public_key_der().ok()?)
                {
                    return None;
                }
                let signature = wire::decode_base64(text(self.document, "custom_signature")?)?;
                let message = Message::Raw(self.message.as_bytes());
                signature::verify(material, "ECDSA_SHA_256", message, &signature).ok()?.then(|| point.id.clone())
            }
        }
    }
}

fn text<'a>(document: &'a Map<String, Json>, name: &str) -> Option<&'a str> {
    document.get(name)?.as_str()
}
