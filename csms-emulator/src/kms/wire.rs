//! How bytes travel in parameters.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

use super::refusal;
use crate::{call::Call, fault::Fault};

/// Most bytes that are encrypted, signed or authenticated at once.
pub(super) const MOST: usize = 4096;
/// Most bytes of additional authenticated data.
const MOST_AUTHENTICATED: usize = 128;
/// Most characters of an encryption context, in JSON.
const MOST_CONTEXT: usize = 8192;

/// Base64 as the service writes it.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Base64 that was sent for a parameter.
pub(super) fn from_base64(call: &Call, name: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    decode_base64(call.text(name)).ok_or_else(|| refusal("KMS.0308").because(format!("`{name}` is not Base64")))
}

/// The bytes of some Base64; none if it is not.
pub(super) fn decode_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    STANDARD.decode(text).ok().map(Zeroizing::new)
}

/// The bytes of hexadecimal digits of either case; none if they are not.
pub(super) fn decode_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    hex::decode(text).ok().map(Zeroizing::new)
}

/// What a ciphertext is bound to: `additional_authenticated_data`, and the `encryption_context` of older clients.
pub(super) fn authenticated(call: &Call) -> Result<Vec<u8>, Fault> {
    let text = authenticated_text(call, "additional_authenticated_data")?;
    let Some(context) = call.params.get("encryption_context") else { return Ok(text.as_bytes().to_vec()) };
    let invalid = || refusal("KMS.0208");
    let context: BTreeMap<_, _> = context.as_object().ok_or_else(invalid)?.iter().collect();
    if context.values().any(|value| !value.is_string()) {
        return Err(invalid());
    }
    let context = json!(context).to_string();
    if context.chars().count() > MOST_CONTEXT {
        return Err(invalid());
    }
    // No context is as good as an empty one. No text has the first byte, so a text alone is never taken for both.
    match context.as_str() {
        "{}" => Ok(text.as_bytes().to_vec()),
        _ => Ok([&[0xff], json!([text, context]).to_string().as_bytes()].concat()),
    }
}

/// Additional authenticated data under this name. An empty text is as good as none.
pub(super) fn authenticated_text<'a>(call: &'a Call, name: &str) -> Result<&'a str, Fault> {
    let text = call.optional(name).unwrap_or_default();
    match text.len() <= MOST_AUTHENTICATED {
        true => Ok(text),
        false => Err(refusal("KMS.0308").because(format!("`{name}` is longer than {MOST_AUTHENTICATED} bytes"))),
    }
}
