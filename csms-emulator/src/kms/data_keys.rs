//! Data keys: made here and used elsewhere, where they are kept encrypted.
//!
//! # Limits
//! A PIN binds nothing: PINs belong to deployments with certified hardware. They are made and taken, but no decryption
//! asks for one.

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use sm3::Sm3;
use zeroize::Zeroizing;

use super::{
    access::{self, Fit, Use},
    keystores, refusal, wire,
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    crypto::{CryptoError, Material, random},
    fault::Fault,
    shared::Shared,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateDatakey", Handler::Read(create_datakey)),
    ("CreateDatakeyWithoutPlaintext", Handler::Read(create_datakey_without_plaintext)),
    ("EncryptDatakey", Handler::Read(encrypt_datakey)),
    ("DecryptDatakey", Handler::Read(decrypt_datakey)),
    ("CreateRsaDatakeyPair", Handler::Slow(create_rsa_pair)),
    ("CreateEcDatakeyPair", Handler::Slow(create_ec_pair)),
    ("CreatePin", Handler::Read(create_pin)),
    ("CreateRandom", Handler::Read(create_random)),
];

/// Lengths of data keys in bytes, by kind. Older regions know the first two only.
const LENGTHS: &[(&str, usize)] = &[
    ("AES_256", 32),
    ("AES_128", 16),
    ("SM4", 16),
    ("HMAC_256", 32),
    ("HMAC_384", 48),
    ("HMAC_512", 64),
    ("HMAC_SM3", 32),
];
/// When neither kind nor length is told.
const LENGTH: usize = 32;
/// Of a digest, in bytes; SHA-256 and SM3 agree.
const DIGEST: usize = 32;
const RSA_PAIRS: &[&str] = &["RSA_2048", "RSA_3072", "RSA_4096"];
const EC_PAIRS: &[&str] = &["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "SM2"];

fn create_datakey(call: &Call, world: &World) -> Outcome {
    let (mut answer, data_key) = new_datakey(call, world)?;
    answer["plain_text"] = hex::encode(&*data_key).into();
    Ok(answer.into())
}

fn create_datakey_without_plaintext(call: &Call, world: &World) -> Outcome {
    Ok(new_datakey(call, world)?.0.into())
}

/// A new data key, and what is answered about it in any case.
fn new_datakey(call: &Call, world: &World) -> Result<(Json, Zeroizing<Vec<u8>>), Fault> {
    let length = datakey_length(call)?;
    let aad = wire::authenticated(call)?;
    let key = access::key(call, world, call.text("key_id"), Use::DataKey)?;
    let data_key = random::bytes(length);
    let answer = json!({"key_id": key.id, "cipher_text": seal(&key, &data_key, &aad)?});
    Ok((answer, data_key))
}

/// In bytes. A length that is told wins over a kind.
fn datakey_length(call: &Call) -> Result<usize, Fault> {
    if let Some(bits) = call.number("datakey_length") {
        return bytes(bits).ok_or_else(|| refusal("KMS.1901"));
    }
    let Some(spec) = call.optional("key_spec") else { return Ok(LENGTH) };
    let known = LENGTHS.iter().find(|(name, _)| *name == spec);
    known.map(|(_, length)| *length).ok_or_else(|| refusal("KMS.1902"))
}

fn encrypt_datakey(call: &Call, world: &World) -> Outcome {
    let aad = wire::authenticated(call)?;
    let key = access::key(call, world, call.text("key_id"), Use::DataKey)?;
    let plaintext = wire::decode_hex(call.text("plain_text")).ok_or_else(|| refusal("KMS.2101"))?;
    let length = call.number("datakey_plain_length").and_then(|length| usize::try_from(length).ok());
    let split = length.filter(|length| length + DIGEST == plaintext.len()).ok_or_else(|| refusal("KMS.2104"))?;
    let (data_key, digest) = plaintext.split_at(split);
    if self::digest(&key, data_key) != digest {
        return Err(refusal("KMS.2103"));
    }
    let ciphertext = seal(&key, data_key, &aad)?;
    Ok(json!({"key_id": key.id, "cipher_text": ciphertext, "datakey_length": split.to_string()}).into())
}

fn decrypt_datakey(call: &Call, world: &World) -> Outcome {
    let aad = wire::authenticated(call)?;
    let key = access::key(call, world, call.text("key_id"), Use::DataKey)?;
    let ciphertext = wire::decode_hex(call.text("cipher_text")).ok_or_else(|| refusal("KMS.2201"))?;
    let data_key = key.open(&ciphertext, &aad)?;
    // Called after the ciphertext, it is the length of the data key.
    if call.number("datakey_cipher_length").is_none_or(|length| usize::try_from(length) != Ok(data_key.len())) {
        return Err(refusal("KMS.2204"));
    }
    Ok(json!({
        "data_key": hex::encode(&*data_key),
        "datakey_length": data_key.len().to_string(),
        "datakey_dgst": hex::encode_upper(digest(&key, &data_key)),
    })
    .into())
}

fn create_rsa_pair(call: &Call, shared: &Shared) -> Outcome {
    create_pair(call, shared, RSA_PAIRS)
}

fn create_ec_pair(call: &Call, shared: &Shared) -> Outcome {
    create_pair(call, shared, EC_PAIRS)
}

/// A key pair for use elsewhere. The reference does not tell its encodings; here keys in plain are DER (PKCS#8 and
/// SubjectPublicKeyInfo) in Base64, and the ciphertext is hexadecimal as that of every data key.
fn create_pair(call: &Call, shared: &Shared, specs: &[&str]) -> Outcome {
    let spec = call.text("key_spec");
    if !specs.contains(&spec) {
        return Err(refusal("KMS.0308").because(format!("`key_spec` has to be one of {}", specs.join(", "))));
    }
    let aad = wire::authenticated(call)?;
    let key = shared.read(|world| access::key(call, world, call.text("key_id"), Use::DataKey))?;
    let failed = |error: CryptoError| refusal("KMS.0101").because(error);
    let pair = Material::generate(spec).map_err(failed)?;
    let private = pair.to_bytes().map_err(failed)?;
    let mut answer = json!({
        "key_id": key.id,
        "key_spec": spec,
        "public_key": wire::base64(&pair.public_key_der().map_err(failed)?),
        "private_key_cipher_text": seal(&key, &private, &aad)?,
    });
    if call.flag("with_plain_text").unwrap_or(true) {
        answer["private_key_plain_text"] = wire::base64(&private).into();
    }
    Ok(answer.into())
}

fn create_pin(call: &Call, world: &World) -> Outcome {
    if call.optional("pin_type") != Some("PlainText") {
        // What encrypts it: a cluster of the service, or a keystore of the project. The default keystore cannot.
        match call.text("keystore_id") {
            "1" | "2" => {}
            "" | keystores::DEFAULT => return Err(refusal("KMS.0340")),
            id => keystores::check_usable(&world.project(&call.project_id)?.kms, id)?,
        }
    }
    Ok(json!({"pin": hex::encode_upper(random::bytes(DIGEST))}).into())
}

fn create_random(call: &Call, _: &World) -> Outcome {
    let length = call.number("random_data_length").and_then(bytes).ok_or_else(|| refusal("KMS.1802"))?;
    Ok(json!({"random_data": hex::encode(&*random::bytes(length))}).into())
}

/// Whole bytes of so many bits; the gateway has refused what is out of range.
fn bytes(bits: i64) -> Option<usize> {
    usize::try_from(bits / 8).ok().filter(|_| bits % 8 == 0)
}

/// The ciphertext of a data key, in lower-case digits.
fn seal(key: &Fit, data_key: &[u8], aad: &[u8]) -> Result<String, Fault> {
    key.seal(data_key, aad).map(hex::encode).map_err(|error| refusal("KMS.2101").because(error))
}

/// The digest that goes with a data key.
fn digest(key: &Fit, data_key: &[u8]) -> Vec<u8> {
    match key.spec() {
        "SM4" => Sm3::digest(data_key).to_vec(),
        _ => Sha256::digest(data_key).to_vec(),
    }
}
