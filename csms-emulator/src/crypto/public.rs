//! Public keys of others.

use super::{CryptoError, random};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::{
    Oaep, Pkcs1v15Sign, RsaPublicKey,
    pkcs8::DecodePublicKey,
    traits::{PaddingScheme, SignatureScheme},
};
use sha2::{Digest, Sha256};

/// A public key that somebody sent.
pub(crate) enum PublicKey {
    Rsa(RsaPublicKey),
    P256(p256::PublicKey),
}

impl PublicKey {
    /// Reads SubjectPublicKeyInfo, as [`der`] takes it.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] if it is none of RSA or P-256.
    pub(crate) fn parse(text: &str) -> Result<Self, CryptoError> {
        let der = der(text)?;
        RsaPublicKey::from_public_key_der(&der)
            .map(Self::Rsa)
            .or_else(|_| p256::PublicKey::from_public_key_der(&der).map(Self::P256))
            .map_err(|_| CryptoError::Malformed)
    }

    /// Encrypts by `RSAES_OAEP_SHA_256`.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] unless it is an RSA key, [`CryptoError::TooLong`].
    pub(crate) fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match self {
            Self::Rsa(key) => {
                Oaep::<Sha256>::new().encrypt(&mut random::rng(), key, plaintext).map_err(|_| CryptoError::TooLong)
            }
            Self::P256(_) => Err(CryptoError::Unsupported),
        }
    }

    /// Whether the key signed a JSON web token: `RS256` or `ES256`, whichever the key is for.
    pub(crate) fn verify_token(&self, signed: &[u8], signature: &[u8]) -> bool {
        let digest = Sha256::digest(signed);
        match self {
            Self::Rsa(key) => Pkcs1v15Sign::new::<Sha256>().verify(key, &digest, signature).is_ok(),
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| {
                p256::ecdsa::VerifyingKey::from(key).verify_prehash(&digest, &signature).is_ok()
            }),
        }
    }
}

/// The bytes of a public key: Base64, with or without the frame of PEM, however its lines end.
///
/// # Errors
/// [`CryptoError::Malformed`] if it is no Base64.
pub(super) fn der(text: &str) -> Result<Vec<u8>, CryptoError> {
    let inner = text.lines().filter(|line| !line.starts_with("-----"));
    let base64: String = inner.flat_map(str::split_whitespace).collect();
    STANDARD.decode(base64).map_err(|_| CryptoError::Malformed)
}
