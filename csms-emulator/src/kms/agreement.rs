//! Key agreement: a secret shared with whoever has the other key.
//!
//! # Limits
//! There are no enclaves here, so no attestation document is a true one: a `recipient` is refused with KMS.3804.

use serde_json::json;

use super::{
    access::{self, Use},
    refusal, wire,
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    crypto::agreement,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[("DeriveSharedSecret", Handler::Read(derive_shared_secret))];

fn derive_shared_secret(call: &Call, world: &World) -> Outcome {
    let algorithm = call.text("key_agreement_algorithm");
    if algorithm != "ECDH" {
        return Err(refusal("KMS.0308").because("`key_agreement_algorithm` has to be ECDH"));
    }
    let key = access::key(call, world, call.text("key_id"), Use::Agreement)?;
    if call.object("recipient").is_some() {
        return Err(refusal("KMS.3804"));
    }
    let secret = agreement::derive(key.material(), call.text("public_key"))
        .map_err(|_| refusal("KMS.0308").because("`public_key` is not a key on the same curve"))?;
    Ok(json!({"key_id": key.id, "key_agreement_algorithm": algorithm, "shared_secret": wire::base64(&secret)}).into())
}
