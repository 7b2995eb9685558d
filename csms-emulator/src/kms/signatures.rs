//! Signatures: made and checked with asymmetric keys.

use serde_json::json;
use zeroize::Zeroizing;

use super::{
    access::{self, Fit, Use},
    refusal, wire,
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    crypto::{
        CryptoError,
        signature::{self, Message},
    },
    fault::Fault,
    shared::Shared,
};

/// RSA takes its time, so neither holds the world.
pub(super) const HANDLERS: &[Named] =
    &[("Sign", Handler::Slow(sign)), ("ValidateSignature", Handler::Slow(validate_signature))];

fn sign(call: &Call, shared: &Shared) -> Outcome {
    let bytes = message(call)?;
    let key = key(call, shared)?;
    let message = typed(call, &bytes)?;
    let signature = signature::sign(key.material(), call.text("signing_algorithm"), message).map_err(refused)?;
    Ok(json!({"key_id": key.id, "signature": wire::base64(&signature)}).into())
}

fn validate_signature(call: &Call, shared: &Shared) -> Outcome {
    let bytes = message(call)?;
    let signature = wire::from_base64(call, "signature")?;
    let key = key(call, shared)?;
    let message = typed(call, &bytes)?;
    let algorithm = call.text("signing_algorithm");
    let valid = signature::verify(key.material(), algorithm, message, &signature).map_err(refused)?;
    Ok(json!({"key_id": key.id, "signature_valid": valid.to_string()}).into())
}

/// What is signed, below 4096 bytes.
fn message(call: &Call) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let message = wire::from_base64(call, "message")?;
    match message.len() < wire::MOST {
        true => Ok(message),
        false => Err(refusal("KMS.0308").because(format!("`message` has to be shorter than {} bytes", wire::MOST))),
    }
}

/// The key that signs, with an algorithm it has.
fn key(call: &Call, shared: &Shared) -> Result<Fit, Fault> {
    let key = shared.read(|world| access::key(call, world, call.text("key_id"), Use::Sign))?;
    match signature::algorithms(key.spec()).contains(&call.text("signing_algorithm")) {
        true => Ok(key),
        false => Err(refusal("KMS.0332")),
    }
}

/// The message as a digest, unless it is told to be the message itself.
///
/// Two algorithms take one of them only: with SM2 the caller computes the digest, and Ed25519 without a prehash signs
/// messages.
fn typed<'a>(call: &Call, message: &'a [u8]) -> Result<Message<'a>, Fault> {
    let only = |what| refusal("KMS.0308").because(format!("`message_type` can only be {what} with this algorithm"));
    match (call.optional("message_type").unwrap_or("DIGEST"), call.text("signing_algorithm")) {
        ("RAW", "SM2DSA_SM3") => Err(only("DIGEST")),
        ("DIGEST", "ED25519_SHA_512") => Err(only("RAW")),
        ("RAW", _) => Ok(Message::Raw(message)),
        ("DIGEST", _) => Ok(Message::Digest(message)),
        _ => Err(refusal("KMS.0308").because("`message_type` has to be DIGEST or RAW")),
    }
}

fn refused(error: CryptoError) -> Fault {
    match error {
        CryptoError::DigestLength => refusal("KMS.0329"),
        _ => refusal("KMS.0332"),
    }
}
