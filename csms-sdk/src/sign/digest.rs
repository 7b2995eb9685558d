//! SHA-256 in hexadecimal, and the text that is collected as if it were hashed.

use sha2::{Digest, Sha256, digest::Update};

/// SHA-256 of `body`, for [`Payload::Digest`](super::Payload::Digest): a retry need not hash a large body again.
#[must_use]
pub fn payload_hash(body: &[u8]) -> HexDigest {
    if body.is_empty() {
        return EMPTY;
    }
    HexDigest::new(Sha256::digest(body).into())
}

/// 32 bytes as 64 lower-case hexadecimal digits.
///
/// Has neither `Debug` nor `Display`: the hash of a short secret can be guessed back, and signatures stay out of logs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HexDigest([u8; 64]);

impl HexDigest {
    /// The 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("hexadecimal digits are ASCII")
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn new(bytes: [u8; 32]) -> Self {
        // Arithmetic instead of a table: the compiler makes a few vector instructions of it.
        let digit = |nibble| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = digit(byte >> 4);
            pair[1] = digit(byte & 15);
        }
        Self(digits)
    }
}

/// SHA-256 of nothing.
const EMPTY: HexDigest = HexDigest(*b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

/// Collects what a hasher would have been fed. Thus the texts shown for debugging are the bytes that are signed.
#[derive(Default)]
pub(super) struct Text(Vec<u8>);

impl Text {
    /// The text collected; a lone fragment of a character, which no caller writes, would become U+FFFD.
    pub(super) fn into_string(self) -> String {
        String::from_utf8(self.0).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

impl Update for Text {
    fn update(&mut self, data: &[u8]) {
        self.0.extend_from_slice(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constant_is_the_hash_of_nothing() {
        assert!(EMPTY == HexDigest::new(Sha256::digest(b"").into()));
    }
}
