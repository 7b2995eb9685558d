//! What the emulated KMS computes: keys, ciphertexts, signatures, MACs and shared secrets.
//!
//! Pure functions of bytes. Key states, usages and the service's refusals belong to whoever calls.
//! Specs and algorithms go by the names the API gives them; a name nobody knows is [`CryptoError::Unsupported`].

pub(crate) mod agreement;
pub(crate) mod asymmetric;
pub(crate) mod envelope;
pub(crate) mod mac;
mod material;
mod public;
pub(crate) mod random;
pub(crate) mod signature;
pub(crate) mod wrapping;

pub(crate) use material::Material;
pub(crate) use public::PublicKey;

use std::fmt;

/// Why nothing was computed. Never carries what it was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CryptoError {
    /// There is no such spec or algorithm, or they do not go together.
    Unsupported,
    /// The bytes are not a key, or not one of the spec asked for.
    Malformed,
    /// The ciphertext was altered, or belongs to another key or other authenticated data.
    Invalid,
    /// The plaintext is longer than the algorithm can take.
    TooLong,
    /// The digest does not have the length of the algorithm's hash.
    DigestLength,
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsupported => "the key does not support the algorithm",
            Self::Malformed => "not a key of the required spec",
            Self::Invalid => "altered, or made with another key or other authenticated data",
            Self::TooLong => "longer than the algorithm can take",
            Self::DigestLength => "the digest has not the length the algorithm requires",
        })
    }
}

impl std::error::Error for CryptoError {}

/// Keys for tests that do not care which key it is; RSA keys take long to make.
#[cfg(test)]
mod fixtures {
    use super::Material;
    use std::sync::LazyLock;

    pub(super) static RSA_2048: LazyLock<Material> =
        LazyLock::new(|| Material::generate("RSA_2048").expect("a known spec"));
}
