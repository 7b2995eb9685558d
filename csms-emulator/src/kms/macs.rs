//! Message authentication codes: made and checked with HMAC keys.

use serde_json::json;
use zeroize::Zeroizing;

use super::{
    access::{self, Use},
    refusal, wire,
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    crypto::{CryptoError, mac},
    fault::Fault,
    world::World,
};

pub(super) const HANDLERS: &[Named] =
    &[("GenerateMac", Handler::Read(generate_mac)), ("VerifyMac", Handler::Read(verify_mac))];

fn generate_mac(call: &Call, world: &World) -> Outcome {
    let message = message(call)?;
    let key = access::key(call, world, call.text("key_id"), Use::Mac)?;
    let algorithm = call.text("mac_algorithm");
    let mac = mac::generate(key.material(), algorithm, &message).map_err(unsupported)?;
    Ok(json!({"key_id": key.id, "mac_algorithm": algorithm, "mac": hex::encode(mac)}).into())
}

fn verify_mac(call: &Call, world: &World) -> Outcome {
    let message = message(call)?;
    let mac =
        wire::decode_hex(call.text("mac")).ok_or_else(|| refusal("KMS.0308").because("`mac` is not hexadecimal"))?;
    let key = access::key(call, world, call.text("key_id"), Use::Mac)?;
    let algorithm = call.text("mac_algorithm");
    let valid = mac::verify(key.material(), algorithm, &message, &mac).map_err(unsupported)?;
    Ok(json!({"key_id": key.id, "mac_algorithm": algorithm, "mac_valid": valid}).into())
}

fn message(call: &Call) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let message = wire::from_base64(call, "message")?;
    match (1..=wire::MOST).contains(&message.len()) {
        true => Ok(message),
        false => Err(refusal("KMS.0308").because(format!("`message` has to be 1 to {} bytes long", wire::MOST))),
    }
}

/// No code of its own.
fn unsupported(_: CryptoError) -> Fault {
    refusal("KMS.0308").because("`mac_algorithm` is not that of the key")
}
