//! What stands in front of the chunks, byte by byte. Pure.

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use super::{EnvelopeError, FileKeys};
use crate::sign::keyed;

/// The first bytes of every file.
pub(super) const MAGIC: [u8; 7] = *b"CSMSENV";
/// The version of the format that is written.
pub(super) const VERSION: u8 = 1;
/// AES-256-GCM in chunks; the only algorithm there is.
const AES_256_GCM: u8 = 1;
/// Magic, version and length.
pub(super) const PREFIX: usize = 12;
/// A header is never longer, so that a foreign length cannot make us read for ever.
const MOST_HEADER: usize = 64 << 10;
/// HMAC-SHA256.
const MAC: usize = 32;
/// Chunks have from 4 KiB to 16 MiB.
const CHUNK_BITS: std::ops::RangeInclusive<u8> = 12..=24;
/// Master keys of one file.
pub(super) const MOST_SLOTS: usize = 16;

/// A header without its MAC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// A chunk has 2 to the power of so many bytes.
    pub(super) chunk_bits: u8,
    /// Random; makes the keys of every file its own.
    pub(super) salt: [u8; 32],
    /// Tells a wrong context before a key is asked for.
    pub(super) context_check: [u8; 32],
    /// The data key, once under each master key.
    pub(super) slots: Vec<Slot>,
}

/// The data key under one master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) region: String,
    pub(super) key_id: String,
    /// As KMS gave it, in bytes.
    pub(super) data_key: Vec<u8>,
}

/// A header as it was read.
pub(super) struct Read {
    pub(super) header: Header,
    /// Everything before the MAC.
    bytes: Vec<u8>,
    mac: [u8; MAC],
}

impl Header {
    /// Bytes of a chunk's plaintext.
    pub(super) fn chunk_size(&self) -> usize {
        1 << self.chunk_bits
    }

    /// What the keys of the file are bound to: everything but the slots, which may be exchanged.
    pub(super) fn fixed(&self) -> Vec<u8> {
        let mut fixed = vec![VERSION, AES_256_GCM, self.chunk_bits];
        fixed.extend(self.salt);
        fixed.extend(self.context_check);
        fixed
    }

    /// The header with its MAC.
    pub(super) fn write(&self, keys: &FileKeys) -> Result<Vec<u8>, EnvelopeError> {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend(MAGIC);
        bytes.push(VERSION);
        bytes.extend([0; 4]);
        bytes.extend([AES_256_GCM, self.chunk_bits]);
        bytes.extend(self.salt);
        bytes.extend(self.context_check);
        bytes.push(u8::try_from(self.slots.len()).map_err(|_| EnvelopeError::TooLarge("more than 16 master keys"))?);
        for slot in &self.slots {
            for part in [slot.region.as_bytes(), slot.key_id.as_bytes(), &slot.data_key] {
                let length = u16::try_from(part.len()).map_err(|_| EnvelopeError::TooLarge("a name of 64 KiB"))?;
                bytes.extend(length.to_be_bytes());
                bytes.extend(part);
            }
        }
        let length = bytes.len() + MAC;
        if length > MOST_HEADER {
            return Err(EnvelopeError::TooLarge("a header of more than 64 KiB"));
        }
        bytes[8..PREFIX].copy_from_slice(&(length as u32).to_be_bytes());
        let mac = mac(keys, &bytes).finalize().into_bytes();
        bytes.extend(mac);
        Ok(bytes)
    }
}

/// The length of the whole header, from its first [`PREFIX`] bytes.
pub(super) fn length(prefix: &[u8; PREFIX]) -> Result<usize, EnvelopeError> {
    let (magic, rest) = prefix.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(EnvelopeError::Foreign);
    }
    match rest[0] {
        VERSION => {}
        0 => return Err(EnvelopeError::Foreign),
        version => return Err(EnvelopeError::Newer { version }),
    }
    let length = u32::from_be_bytes([rest[1], rest[2], rest[3], rest[4]]) as usize;
    if length <= PREFIX + MAC || length > MOST_HEADER {
        return Err(EnvelopeError::Header("has an impossible length"));
    }
    Ok(length)
}

impl Read {
    /// Reads a header of the length that its prefix tells. Nothing in it can be trusted before
    /// [`verify`](Self::verify).
    pub(super) fn parse(mut bytes: Vec<u8>) -> Result<Self, EnvelopeError> {
        let too_short = EnvelopeError::Header("has an impossible length");
        let mac = bytes.split_off(bytes.len().checked_sub(MAC).ok_or(too_short)?);
        let mac = mac.try_into().map_err(|_| EnvelopeError::Header("has no seal"))?;
        let header = fields(bytes.get(PREFIX..).unwrap_or_default()).ok_or(EnvelopeError::Header("cannot be read"))?;
        if !CHUNK_BITS.contains(&header.chunk_bits) {
            return Err(EnvelopeError::Header("names an impossible chunk size"));
        }
        Ok(Self { header, bytes, mac })
    }

    /// Whether the header is the one that was written with this data key.
    pub(super) fn verify(&self, keys: &FileKeys) -> Result<(), EnvelopeError> {
        mac(keys, &self.bytes)
            .verify_slice(&self.mac)
            .map_err(|_| EnvelopeError::Header("was altered, or belongs to another data key"))
    }
}

fn mac(keys: &FileKeys, bytes: &[u8]) -> Hmac<Sha256> {
    keyed(&*keys.header).chain_update(bytes)
}

/// Everything between prefix and MAC; `None` unless it is a header and nothing else.
fn fields(mut rest: &[u8]) -> Option<Header> {
    let [algorithm, chunk_bits] = *take(&mut rest, 2)? else { return None };
    if algorithm != AES_256_GCM {
        return None;
    }
    let salt = take(&mut rest, 32)?.try_into().ok()?;
    let context_check = take(&mut rest, 32)?.try_into().ok()?;
    let count = usize::from(*take(&mut rest, 1)?.first()?);
    if count == 0 || count > MOST_SLOTS {
        return None;
    }
    let mut slots = Vec::with_capacity(count);
    for _ in 0..count {
        let (region, key_id) = (name(&mut rest)?, name(&mut rest)?);
        slots.push(Slot { region, key_id, data_key: part(&mut rest)?.to_vec() });
    }
    rest.is_empty().then_some(Header { chunk_bits, salt, context_check, slots })
}

/// A text that can be put into a message as it is: who wrote it is not known yet.
fn name(rest: &mut &[u8]) -> Option<String> {
    let bytes = part(rest)?;
    let is_printable = bytes.iter().all(u8::is_ascii_graphic);
    is_printable.then(|| bytes.iter().copied().map(char::from).collect())
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u16::from_be_bytes(take(rest, 2)?.try_into().ok()?);
    take(rest, usize::from(length))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

/// A digest of the context that tells nothing about it without the salt of the file, and is another in every file.
pub(super) fn context_check(salt: &[u8; 32], context: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(b"csms envelope context").chain_update(salt).chain_update(context).finalize().into()
}
