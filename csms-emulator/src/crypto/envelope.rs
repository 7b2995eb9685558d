//! Ciphertexts of symmetric keys.
//!
//! The frame is the service's, so that lengths match and the key is found from the ciphertext:
//!
//! ```text
//! 02 00 | L: u16 | inner: L - 40 bytes | key id: 36 characters, up to offset L | 00 00 00 00 | SHA-256 of all before
//! ```
//!
//! The inner part is ours, 48 bytes and the payload. Integers are little-endian:
//!
//! ```text
//! "csms" | generation: u64 | length: u64 | nonce: 12 | tag: 16 | ciphertext: length rounded up to 16
//! ```
//!
//! The payload is encrypted with AES-256-GCM, or GCM over SM4. Frame, key id, generation and length are
//! authenticated along with the caller's data. The checksum proves nothing; it only tells a damaged ciphertext
//! before a key has been looked for.

use super::{CryptoError, Material, material::Key, random};
use aes_gcm::{
    Aes256Gcm, AesGcm,
    aead::{AeadInOut, KeyInit, consts::U12},
};
use sha2::{Digest, Sha256};
use sm4::Sm4;
use zeroize::Zeroizing;

/// A ciphertext taken apart, its checksum verified but nothing decrypted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sealed<'a> {
    /// The key that sealed it, 36 ASCII characters.
    pub(crate) key_id: &'a str,
    /// Which generation of the key's material, as [`seal`] was told.
    pub(crate) generation: u64,
    length: usize,
    /// Everything up to the nonce.
    header: &'a [u8],
    nonce: &'a [u8],
    tag: &'a [u8],
    payload: &'a [u8],
}

/// Encrypts `plaintext`. Its ciphertext has 124 bytes more than the plaintext rounded up to 16.
///
/// # Errors
/// [`CryptoError::Unsupported`] unless the material is AES_256 or SM4, [`CryptoError::TooLong`] from 64 KiB on,
/// [`CryptoError::Malformed`] if `key_id` is not 36 ASCII characters.
pub(crate) fn seal(
    key_id: &str,
    generation: u64,
    material: &Material,
    plaintext: &[u8],
    aad: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    if key_id.len() != KEY_ID || !key_id.is_ascii() {
        return Err(CryptoError::Malformed);
    }
    let mut payload = Zeroizing::new(plaintext.to_vec());
    payload.resize(plaintext.len().next_multiple_of(BLOCK), 0);
    let end = u16::try_from(PAYLOAD + payload.len() + KEY_ID).map_err(|_| CryptoError::TooLong)?;

    let mut blob = Vec::with_capacity(usize::from(end) + TRAILER);
    blob.extend(VERSION);
    blob.extend(end.to_le_bytes());
    blob.extend(MARKER);
    blob.extend(generation.to_le_bytes());
    blob.extend((plaintext.len() as u64).to_le_bytes());
    let nonce = random::bytes(NONCE);
    let tag = encrypt(material, &nonce, &associated(&blob, key_id, aad), &mut payload)?;
    blob.extend(&*nonce);
    blob.extend(tag);
    blob.extend(&*payload);
    blob.extend(key_id.as_bytes());
    blob.extend(ZEROS);
    let checksum = Sha256::digest(&blob);
    blob.extend(checksum);
    Ok(blob)
}

/// Takes a ciphertext apart.
///
/// # Errors
/// [`CryptoError::Invalid`] if it is damaged or never came from [`seal`].
pub(crate) fn parse(blob: &[u8]) -> Result<Sealed<'_>, CryptoError> {
    take_apart(blob).ok_or(CryptoError::Invalid)
}

impl Sealed<'_> {
    /// Decrypts with the material of this key and generation.
    ///
    /// # Errors
    /// [`CryptoError::Invalid`] if the material or `aad` are not those it was sealed with, or it was altered.
    pub(crate) fn open(&self, material: &Material, aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let associated = associated(self.header, self.key_id, aad);
        let mut payload = Zeroizing::new(self.payload.to_vec());
        decrypt(material, self.nonce, &associated, &mut payload, self.tag)?;
        payload.truncate(self.length);
        Ok(payload)
    }
}

const VERSION: [u8; 2] = [0x02, 0x00];
/// Tells our inner layout from the service's, which nobody outside it can read.
const MARKER: [u8; 4] = *b"csms";
const ZEROS: [u8; 4] = [0; 4];
const BLOCK: usize = 16;
const NONCE: usize = 12;
const TAG: usize = 16;
const KEY_ID: usize = 36;
/// Version, L, marker, generation and length.
const HEADER: usize = 2 + 2 + 4 + 8 + 8;
/// Where the payload starts.
const PAYLOAD: usize = HEADER + NONCE + TAG;
/// What follows offset L.
const TRAILER: usize = 4 + 32;

fn take_apart(blob: &[u8]) -> Option<Sealed<'_>> {
    let (body, checksum) = blob.split_at_checked(blob.len().checked_sub(32)?)?;
    if Sha256::digest(body).as_slice() != checksum {
        return None;
    }
    let body = body.strip_suffix(&ZEROS)?;
    let (rest, key_id) = body.split_at_checked(body.len().checked_sub(KEY_ID)?)?;
    let (header, rest) = rest.split_at_checked(HEADER)?;
    let (nonce, rest) = rest.split_at_checked(NONCE)?;
    let (tag, payload) = rest.split_at_checked(TAG)?;

    let end = header.strip_prefix(&VERSION)?.first_chunk()?;
    let fields = header.get(4..)?.strip_prefix(&MARKER)?;
    let (generation, length) = fields.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length.first_chunk()?)).ok()?;
    let consistent = usize::from(u16::from_le_bytes(*end)) == body.len()
        && length.checked_next_multiple_of(BLOCK) == Some(payload.len());
    let key_id = std::str::from_utf8(key_id).ok().filter(|id| id.is_ascii())?;
    consistent.then(|| Sealed {
        key_id,
        generation: u64::from_le_bytes(*generation),
        length,
        header,
        nonce,
        tag,
        payload,
    })
}

/// The caller's data comes last: all before it has a fixed length, so no two inputs give the same bytes.
fn associated(header: &[u8], key_id: &str, aad: &[u8]) -> Vec<u8> {
    [header, key_id.as_bytes(), aad].concat()
}

fn encrypt(material: &Material, nonce: &[u8], associated: &[u8], payload: &mut [u8]) -> Result<Vec<u8>, CryptoError> {
    fn with<A: AeadInOut + KeyInit>(
        key: &[u8],
        nonce: &[u8],
        associated: &[u8],
        payload: &mut [u8],
    ) -> Option<Vec<u8>> {
        let cipher = A::new_from_slice(key).ok()?;
        let tag = cipher.encrypt_inout_detached(nonce.try_into().ok()?, associated, payload.into()).ok()?;
        Some(tag.to_vec())
    }
    match (material.spec(), material.key()) {
        ("AES_256", Key::Bytes(key)) => with::<Aes256Gcm>(key, nonce, associated, payload),
        ("SM4", Key::Bytes(key)) => with::<Sm4Gcm>(key, nonce, associated, payload),
        _ => None,
    }
    .ok_or(CryptoError::Unsupported)
}

fn decrypt(
    material: &Material,
    nonce: &[u8],
    associated: &[u8],
    payload: &mut [u8],
    tag: &[u8],
) -> Result<(), CryptoError> {
    fn with<A: AeadInOut + KeyInit>(
        key: &[u8],
        nonce: &[u8],
        associated: &[u8],
        payload: &mut [u8],
        tag: &[u8],
    ) -> Option<()> {
        let cipher = A::new_from_slice(key).ok()?;
        cipher.decrypt_inout_detached(nonce.try_into().ok()?, associated, payload.into(), tag.try_into().ok()?).ok()
    }
    match (material.spec(), material.key()) {
        ("AES_256", Key::Bytes(key)) => with::<Aes256Gcm>(key, nonce, associated, payload, tag),
        ("SM4", Key::Bytes(key)) => with::<Sm4Gcm>(key, nonce, associated, payload, tag),
        _ => return Err(CryptoError::Unsupported),
    }
    .ok_or(CryptoError::Invalid)
}

/// GCM asks of its cipher only blocks of 128 bits (RFC 8998 pairs it with SM4).
type Sm4Gcm = AesGcm<Sm4, U12>;

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    const ID: &str = "0d0466b0-e727-4d9c-b35d-f84bb474a37f";

    fn key(spec: &str) -> Material {
        Material::generate(spec).unwrap()
    }

    /// As a forger would: whoever alters a ciphertext can compute the checksum too.
    fn with_checksum(mut blob: Vec<u8>) -> Vec<u8> {
        let body = blob.len() - 32;
        let checksum = Sha256::digest(&blob[..body]);
        blob[body..].copy_from_slice(&checksum);
        blob
    }

    #[test]
    fn every_length_comes_back_in_a_ciphertext_of_the_published_size() {
        for spec in ["AES_256", "SM4"] {
            let key = key(spec);
            for length in (0..70).chain([1024, 4095, 4096]) {
                let plaintext = random::bytes(length);
                let blob = seal(ID, 3, &key, &plaintext, b"aad").unwrap();
                assert_eq!(blob.len(), 124 + 16 * length.div_ceil(16));
                let sealed = parse(&blob).unwrap();
                assert_eq!((sealed.key_id, sealed.generation), (ID, 3));
                assert_eq!(sealed.open(&key, b"aad").unwrap(), plaintext);
            }
        }
    }

    /// Four characters take 188 of Base64; data keys of 256 and 512 bits take 156 and 188 bytes.
    #[test]
    fn sizes_are_those_of_published_ciphertexts() {
        let key = key("AES_256");
        for (length, total) in [(4, 140), (32, 156), (64, 188)] {
            let blob = seal(ID, 1, &key, &vec![7; length], b"").unwrap();
            assert_eq!(blob.len(), total);
            let end = usize::from(u16::from_le_bytes([blob[2], blob[3]]));
            assert_eq!(total, end + 36);
            assert_eq!(blob[..2], [2, 0]);
            assert_eq!(&blob[end - 36..end], ID.as_bytes());
            assert_eq!(blob[end..end + 4], [0; 4]);
            assert_eq!(blob[end + 4..], Sha256::digest(&blob[..end + 4])[..]);
        }
    }

    #[test]
    fn any_altered_byte_fails_even_with_a_new_checksum() {
        for spec in ["AES_256", "SM4"] {
            let key = key(spec);
            let blob = seal(ID, 1, &key, b"four", b"aad").unwrap();
            for at in 0..blob.len() {
                for flip in [0x01, 0x80, 0xff] {
                    let mut altered = blob.clone();
                    altered[at] ^= flip;
                    assert_eq!(parse(&altered).unwrap_err(), CryptoError::Invalid, "byte {at}");
                    if at < blob.len() - 32 {
                        let altered = with_checksum(altered);
                        let opened = parse(&altered).and_then(|sealed| sealed.open(&key, b"aad"));
                        assert_eq!(opened.unwrap_err(), CryptoError::Invalid, "byte {at}");
                    }
                }
            }
            for length in 0..blob.len() {
                assert!(parse(&blob[..length]).is_err());
                if length >= 32 {
                    assert!(parse(&with_checksum(blob[..length].to_vec())).is_err());
                }
            }
        }
    }

    #[test]
    fn other_keys_and_other_data_fail() {
        let right = key("AES_256");
        let blob = seal(ID, 1, &right, b"text", b"aad").unwrap();
        let sealed = parse(&blob).unwrap();
        for aad in ["", "aa", "aadd", "AAD"] {
            assert_eq!(sealed.open(&right, aad.as_bytes()).unwrap_err(), CryptoError::Invalid);
        }
        assert_eq!(sealed.open(&key("AES_256"), b"aad").unwrap_err(), CryptoError::Invalid);
        assert_eq!(sealed.open(&key("HMAC_256"), b"aad").unwrap_err(), CryptoError::Unsupported);
    }

    /// GB/T 32907, A.1, of the cipher, and RFC 8998, A.1, of GCM over it.
    #[test]
    fn sm4_is_as_published() {
        use sm4::cipher::BlockCipherEncrypt;

        let bytes = |text: &str| hex::decode(text).unwrap();
        let key = bytes("0123456789abcdeffedcba9876543210");
        let mut block = key.as_slice().try_into().unwrap();
        <Sm4 as KeyInit>::new_from_slice(&key).unwrap().encrypt_block(&mut block);
        assert_eq!(hex::encode(block), "681edf34d206965e86b3e94f536e4246");

        let mut payload = bytes(
            "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd\
             eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
        );
        let aad = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let material = Material::from_bytes("SM4", &key).unwrap();
        let tag = encrypt(&material, &bytes("00001234567800000000abcd"), &aad, &mut payload).unwrap();
        assert_eq!(
            hex::encode(payload),
            "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
             d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        );
        assert_eq!(hex::encode(tag), "83de3541e4c2b58177e065a9bf7b62ec");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let key = key("AES_256");
        let most = usize::from(u16::MAX) - PAYLOAD - KEY_ID;
        let most = most - most % BLOCK;
        assert!(seal(ID, 1, &key, &vec![0; most], b"").is_ok());
        assert_eq!(seal(ID, 1, &key, &vec![0; most + 1], b"").unwrap_err(), CryptoError::TooLong);
        assert_eq!(seal("short", 1, &key, b"", b"").unwrap_err(), CryptoError::Malformed);
        assert_eq!(seal(ID, 1, &Material::generate("SM2").unwrap(), b"", b"").unwrap_err(), CryptoError::Unsupported);
    }
}
