//! Small-data encryption: some kilobytes at once, and from one key to another.

use serde_json::json;
use zeroize::Zeroizing;

use super::{
    access::{self, Fit, Use},
    refusal, wire,
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    crypto::{CryptoError, asymmetric},
    fault::Fault,
    shared::Shared,
};

/// RSA takes its time, so none of them holds the world.
pub(super) const HANDLERS: &[Named] = &[
    ("EncryptData", Handler::Slow(encrypt_data)),
    ("DecryptData", Handler::Slow(decrypt_data)),
    ("ReEncrypt", Handler::Slow(re_encrypt)),
];

const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";
/// Only re-encryption still takes it.
const UNSAFE: &str = "RSAES_OAEP_SHA_1";

fn encrypt_data(call: &Call, shared: &Shared) -> Outcome {
    let plaintext = call.text("plain_text").as_bytes();
    if !(1..=wire::MOST).contains(&plaintext.len()) {
        return Err(refusal("KMS.2101").because(format!("it has to be 1 to {} bytes long", wire::MOST)));
    }
    let algorithm = safe_algorithm(call)?;
    let aad = wire::authenticated(call)?;
    let key = shared.read(|world| access::key(call, world, call.text("key_id"), Use::Data))?;
    check_algorithm(&key, algorithm)?;
    let ciphertext = encrypt(&key, algorithm, plaintext, &aad)?;
    Ok(json!({"key_id": key.id, "cipher_text": wire::base64(&ciphertext)}).into())
}

fn decrypt_data(call: &Call, shared: &Shared) -> Outcome {
    let ciphertext = wire::decode_base64(call.text("cipher_text")).ok_or_else(|| refusal("KMS.2201"))?;
    let algorithm = safe_algorithm(call)?;
    let aad = wire::authenticated(call)?;
    let key = source(call, shared, &ciphertext, "key_id", algorithm)?;
    let plaintext = decrypt(&key, algorithm, &ciphertext, &aad)?;
    Ok(json!({
        "key_id": key.id,
        "plain_text": String::from_utf8_lossy(&plaintext),
        "plain_text_base64": wire::base64(&plaintext),
    })
    .into())
}

fn re_encrypt(call: &Call, shared: &Shared) -> Outcome {
    let text = call.text("cipher_text");
    // Ciphertexts of data keys are hexadecimal and remain so. No Base64 of a symmetric key's looks like that: it begins
    // with `AgB`, and that of an asymmetric key is too long to do so by chance.
    let (ciphertext, encode): (_, fn(&[u8]) -> String) = match wire::decode_hex(text) {
        Some(bytes) => (Some(bytes), |bytes| hex::encode(bytes)),
        None => (wire::decode_base64(text), wire::base64),
    };
    let ciphertext = ciphertext.ok_or_else(|| refusal("KMS.2201"))?;
    let from = call.optional("source_encryption_algorithm").unwrap_or(SYMMETRIC);
    let to = call.optional("destination_encryption_algorithm").unwrap_or(SYMMETRIC);
    let old_aad = wire::authenticated_text(call, "source_additional_authenticated_data")?.as_bytes();
    let new_aad = wire::authenticated_text(call, "destination_additional_authenticated_data")?.as_bytes();
    let destination = shared.read(|world| access::key(call, world, call.text("destination_key_id"), Use::Data))?;
    check_algorithm(&destination, to)?;
    let source = source(call, shared, &ciphertext, "source_key_id", from)?;
    let plaintext = decrypt(&source, from, &ciphertext, old_aad)?;
    if call.number("datakey_cipher_length").is_some_and(|length| usize::try_from(length) != Ok(plaintext.len())) {
        return Err(refusal("KMS.2204"));
    }
    let ciphertext = encrypt(&destination, to, &plaintext, new_aad)?;
    Ok(json!({
        "cipher_text": encode(&ciphertext),
        "key_id": destination.id,
        "source_key_id": source.id,
        "source_encryption_algorithm": from,
        "destination_encryption_algorithm": to,
    })
    .into())
}

/// The key of a ciphertext: that of the parameter `name`, or the symmetric one that the ciphertext tells.
fn source(call: &Call, shared: &Shared, ciphertext: &[u8], name: &str, algorithm: &str) -> Result<Fit, Fault> {
    let key = match call.optional(name) {
        Some(id) => shared.read(|world| access::key(call, world, id, Use::Data))?,
        None if algorithm == SYMMETRIC => shared.read(|world| access::key_of(call, world, ciphertext, Use::Data))?,
        None => return Err(refusal("KMS.0204").because(format!("`{name}` is required with {algorithm}"))),
    };
    check_algorithm(&key, algorithm)?;
    Ok(key)
}

fn encrypt(key: &Fit, algorithm: &str, plaintext: &[u8], aad: &[u8]) -> Result<Vec<u8>, Fault> {
    match algorithm {
        SYMMETRIC => key.seal(plaintext, aad),
        _ => asymmetric::encrypt(key.material(), algorithm, plaintext),
    }
    .map_err(|error| match error {
        CryptoError::TooLong => refusal("KMS.2108"),
        _ => refusal("KMS.2101").because(error),
    })
}

fn decrypt(key: &Fit, algorithm: &str, ciphertext: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    match algorithm {
        SYMMETRIC => key.open(ciphertext, aad),
        _ => asymmetric::decrypt(key.material(), algorithm, ciphertext).map_err(|_| refusal("KMS.2201")),
    }
}

/// Refuses an algorithm that is not the key's.
fn check_algorithm(key: &Fit, algorithm: &str) -> Result<(), Fault> {
    let (fits, code) = match key.spec() {
        "AES_256" | "SM4" => (algorithm == SYMMETRIC, "KMS.2105"),
        // No code of its own.
        "SM2" => (algorithm == "SM2_ENCRYPT", "KMS.0308"),
        _ => (matches!(algorithm, "RSAES_OAEP_SHA_256" | UNSAFE), "KMS.2106"),
    };
    match fits {
        true => Ok(()),
        false => Err(refusal(code).because(format!("the key is {}", key.spec()))),
    }
}

/// The algorithm of a call that no longer takes all of them.
fn safe_algorithm(call: &Call) -> Result<&str, Fault> {
    match call.optional("encryption_algorithm") {
        Some(UNSAFE) => Err(refusal("KMS.2106").because("only ReEncrypt takes SHA-1")),
        algorithm => Ok(algorithm.unwrap_or(SYMMETRIC)),
    }
}
