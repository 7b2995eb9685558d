//! The payload, chunk by chunk. Pure.
//!
//! Every chunk is sealed with AES-256-GCM under the payload key of the file. The nonce is the number of the chunk, and
//! says whether it is the last one:
//!
//! ```text
//! 0x00 0x00 0x00 | number: u64, big-endian | last: 0 or 1
//! ```
//!
//! so a chunk opens in its own place only, and only the last one opens as the last. No nonce is used twice: the key
//! belongs to one file.

use aes_gcm::{
    Aes256Gcm,
    aead::{AeadInOut as _, KeyInit as _},
};

use super::{EnvelopeError, FileKeys};

/// Bytes that a sealed chunk has more than its plaintext.
pub(super) const TAG: usize = 16;

/// Seals or opens the chunks of one file in their order.
pub(super) struct Chunks {
    cipher: Aes256Gcm,
    next: u64,
}

impl Chunks {
    pub(super) fn new(keys: &FileKeys) -> Self {
        Self { cipher: Aes256Gcm::new((&*keys.payload).into()), next: 0 }
    }

    /// Encrypts the next chunk in place and puts its tag behind it, for which there has to be room.
    pub(super) fn seal(&mut self, chunk: &mut Vec<u8>, is_last: bool) -> Result<(), EnvelopeError> {
        let nonce = self.nonce(is_last);
        let tag = self.cipher.encrypt_inout_detached(&nonce.into(), b"", chunk.as_mut_slice().into());
        // The cipher takes 64 GiB at once; a chunk has at most 16 MiB.
        chunk.extend(tag.map_err(|_| EnvelopeError::TooLarge("a chunk of 64 GiB"))?);
        self.next += 1;
        Ok(())
    }

    /// Decrypts the next chunk in place and takes its tag off; one that does not open stays as it is.
    ///
    /// A chunk that opens as one in the middle is genuine, but what should follow it is missing.
    pub(super) fn open(&mut self, chunk: &mut Vec<u8>, is_last: bool) -> Result<(), EnvelopeError> {
        match self.open_as(chunk, is_last) {
            Err(EnvelopeError::Altered { .. }) if is_last && self.open_as(chunk, false).is_ok() => {
                Err(EnvelopeError::Truncated)
            }
            outcome => outcome,
        }
    }

    fn open_as(&mut self, chunk: &mut Vec<u8>, is_last: bool) -> Result<(), EnvelopeError> {
        let altered = EnvelopeError::Altered { chunk: self.next };
        let Some(length) = chunk.len().checked_sub(TAG) else {
            return Err(EnvelopeError::Truncated);
        };
        let nonce = self.nonce(is_last);
        let (sealed, tag) = chunk.split_at_mut(length);
        let Ok(tag) = <[u8; TAG]>::try_from(&*tag) else { return Err(altered) };
        if self.cipher.decrypt_inout_detached(&nonce.into(), b"", sealed.into(), &tag.into()).is_err() {
            return Err(altered);
        }
        chunk.truncate(length);
        self.next += 1;
        Ok(())
    }

    fn nonce(&self, is_last: bool) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.next.to_be_bytes());
        nonce[11] = u8::from(is_last);
        nonce
    }
}
