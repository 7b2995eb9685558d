//! Key material.

use super::{CryptoError, random};
use ed25519_dalek::pkcs8::KeypairBytes;
use rsa::{
    RsaPrivateKey,
    pkcs8::{
        self, DecodePrivateKey, Document, EncodePrivateKey, EncodePublicKey, LineEnding, SecretDocument,
        der::pem::PemLabel, spki::SubjectPublicKeyInfoRef,
    },
    traits::PublicKeyParts,
};
use sm2::elliptic_curve::Generate;
use std::fmt;
use zeroize::Zeroizing;

/// One generation of a key. Wiped on drop; never printed.
pub(crate) struct Material {
    spec: &'static str,
    key: Key,
}

/// What a spec comes down to.
pub(super) enum Key {
    Bytes(Zeroizing<Vec<u8>>),
    Rsa(Box<RsaPrivateKey>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    K256(k256::SecretKey),
    Sm2(sm2::SecretKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl Material {
    /// A new random key. `spec` is a key's (`RSA_2048`, `EC_P256`, …) or a data-key pair's (`ECC_NIST_P521`, …).
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] if nobody knows the spec.
    pub(crate) fn generate(spec: &str) -> Result<Self, CryptoError> {
        let (spec, kind) = kind(spec)?;
        let key = match kind {
            Kind::Bytes(length) => Key::Bytes(random::bytes(length)),
            Kind::Rsa(bits) => {
                let key = RsaPrivateKey::new(&mut random::rng(), bits).map_err(|_| CryptoError::Unsupported)?;
                Key::Rsa(Box::new(key))
            }
            Kind::P256 => Key::P256(p256::SecretKey::generate()),
            Kind::P384 => Key::P384(p384::SecretKey::generate()),
            Kind::P521 => Key::P521(p521::SecretKey::generate()),
            Kind::K256 => Key::K256(k256::SecretKey::generate()),
            Kind::Sm2 => Key::Sm2(sm2::SecretKey::generate()),
            Kind::Ed25519 => Key::Ed25519(ed25519_dalek::SigningKey::from_bytes(&Zeroizing::new(Generate::generate()))),
        };
        Ok(Self { spec, key })
    }

    /// A key from what [`to_bytes`](Self::to_bytes) gave or from imported bytes:
    /// the raw key if symmetric, else the private key as PKCS#8 DER.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] if the bytes are no such key, have another length or lie on another curve.
    pub(crate) fn from_bytes(spec: &str, bytes: &[u8]) -> Result<Self, CryptoError> {
        let (spec, kind) = kind(spec)?;
        let key = match kind {
            Kind::Bytes(length) if bytes.len() == length => Key::Bytes(bytes.to_vec().into()),
            Kind::Bytes(_) => return Err(CryptoError::Malformed),
            Kind::Rsa(bits) => {
                let key: RsaPrivateKey = private(bytes)?;
                if key.n().bits_vartime() as usize != bits {
                    return Err(CryptoError::Malformed);
                }
                Key::Rsa(Box::new(key))
            }
            Kind::P256 => Key::P256(private(bytes)?),
            Kind::P384 => Key::P384(private(bytes)?),
            Kind::P521 => Key::P521(private(bytes)?),
            Kind::K256 => Key::K256(private(bytes)?),
            Kind::Sm2 => Key::Sm2(private(bytes)?),
            Kind::Ed25519 => Key::Ed25519(private(bytes)?),
        };
        Ok(Self { spec, key })
    }

    /// The key in the clear: raw if symmetric, else PKCS#8 DER.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] if the key cannot be written as DER, which no key from here runs into.
    pub(crate) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let der: pkcs8::Result<SecretDocument> = match &self.key {
            Key::Bytes(bytes) => return Ok(bytes.clone()),
            Key::Rsa(key) => key.to_pkcs8_der(),
            Key::P256(key) => key.to_pkcs8_der(),
            Key::P384(key) => key.to_pkcs8_der(),
            Key::P521(key) => key.to_pkcs8_der(),
            Key::K256(key) => key.to_pkcs8_der(),
            Key::Sm2(key) => key.to_pkcs8_der(),
            // Without the public key it is version 1 of the format; many readers know no other.
            Key::Ed25519(key) => KeypairBytes { secret_key: key.to_bytes(), public_key: None }.to_pkcs8_der(),
        };
        der.map(|der| der.to_bytes()).map_err(|_| CryptoError::Malformed)
    }

    /// The spec, as a key's name for it (`EC_P256` where `ECC_NIST_P256` was asked for).
    pub(crate) fn spec(&self) -> &'static str {
        self.spec
    }

    /// The public key as SubjectPublicKeyInfo DER.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] if the key is symmetric.
    pub(crate) fn public_key_der(&self) -> Result<Vec<u8>, CryptoError> {
        self.public_key().map(Document::into_vec)
    }

    /// The public key as SubjectPublicKeyInfo PEM with `\r\n` line ends, as the service writes it.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] if the key is symmetric.
    pub(crate) fn public_key_pem(&self) -> Result<String, CryptoError> {
        let label = SubjectPublicKeyInfoRef::PEM_LABEL;
        self.public_key()?.to_pem(label, LineEnding::CRLF).map_err(|_| CryptoError::Malformed)
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    fn public_key(&self) -> Result<Document, CryptoError> {
        match &self.key {
            Key::Bytes(_) => return Err(CryptoError::Unsupported),
            Key::Rsa(key) => key.to_public_key().to_public_key_der(),
            Key::P256(key) => key.public_key().to_public_key_der(),
            Key::P384(key) => key.public_key().to_public_key_der(),
            Key::P521(key) => key.public_key().to_public_key_der(),
            Key::K256(key) => key.public_key().to_public_key_der(),
            Key::Sm2(key) => key.public_key().to_public_key_der(),
            Key::Ed25519(key) => key.verifying_key().to_public_key_der(),
        }
        .map_err(|_| CryptoError::Malformed)
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Material({}, [REDACTED])", self.spec)
    }
}

enum Kind {
    /// Length in bytes.
    Bytes(usize),
    /// Modulus in bits.
    Rsa(usize),
    P256,
    P384,
    P521,
    K256,
    Sm2,
    Ed25519,
}

/// Keys and data-key pairs name the same curves differently.
fn kind(spec: &str) -> Result<(&'static str, Kind), CryptoError> {
    Ok(match spec {
        "AES_256" => ("AES_256", Kind::Bytes(32)),
        "SM4" => ("SM4", Kind::Bytes(16)),
        "HMAC_256" => ("HMAC_256", Kind::Bytes(32)),
        "HMAC_384" => ("HMAC_384", Kind::Bytes(48)),
        "HMAC_512" => ("HMAC_512", Kind::Bytes(64)),
        "HMAC_SM3" => ("HMAC_SM3", Kind::Bytes(32)),
        "RSA_2048" => ("RSA_2048", Kind::Rsa(2048)),
        "RSA_3072" => ("RSA_3072", Kind::Rsa(3072)),
        "RSA_4096" => ("RSA_4096", Kind::Rsa(4096)),
        "EC_P256" | "ECC_NIST_P256" => ("EC_P256", Kind::P256),
        "EC_P384" | "ECC_NIST_P384" => ("EC_P384", Kind::P384),
        "ECC_NIST_P521" => ("ECC_NIST_P521", Kind::P521),
        "SECP256K1" | "ECC_SECG_P256K1" => ("SECP256K1", Kind::K256),
        "SM2" => ("SM2", Kind::Sm2),
        "ED25519" => ("ED25519", Kind::Ed25519),
        _ => return Err(CryptoError::Unsupported),
    })
}

fn private<K: DecodePrivateKey>(der: &[u8]) -> Result<K, CryptoError> {
    K::from_pkcs8_der(der).map_err(|_| CryptoError::Malformed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::crypto::fixtures::RSA_2048;

    const SYMMETRIC: &[(&str, usize)] =
        &[("AES_256", 32), ("SM4", 16), ("HMAC_256", 32), ("HMAC_384", 48), ("HMAC_512", 64), ("HMAC_SM3", 32)];
    const CURVES: &[&str] = &["EC_P256", "EC_P384", "ECC_NIST_P521", "SECP256K1", "SM2", "ED25519"];

    #[test]
    fn symmetric_keys_are_raw_bytes_of_their_length() {
        for &(spec, length) in SYMMETRIC {
            let material = Material::generate(spec).unwrap();
            let bytes = material.to_bytes().unwrap();
            assert_eq!(bytes.len(), length, "{spec}");
            assert_eq!(Material::from_bytes(spec, &bytes).unwrap().to_bytes().unwrap(), bytes);
            assert_eq!(Material::from_bytes(spec, &bytes[1..]).unwrap_err(), CryptoError::Malformed);
            assert_eq!(material.public_key_pem().unwrap_err(), CryptoError::Unsupported);
        }
    }

    #[test]
    fn private_keys_come_back_from_their_bytes_and_fit_no_other_spec() {
        for spec in CURVES {
            let material = Material::generate(spec).unwrap();
            let bytes = material.to_bytes().unwrap();
            let again = Material::from_bytes(spec, &bytes).unwrap();
            assert_eq!(again.public_key_der().unwrap(), material.public_key_der().unwrap(), "{spec}");
            assert_eq!(again.to_bytes().unwrap(), bytes);
            for other in CURVES.iter().chain(&["RSA_2048"]).filter(|other| *other != spec) {
                assert_eq!(
                    Material::from_bytes(other, &bytes).unwrap_err(),
                    CryptoError::Malformed,
                    "{spec} as {other}"
                );
            }
        }
        let bytes = RSA_2048.to_bytes().unwrap();
        let again = Material::from_bytes("RSA_2048", &bytes).unwrap();
        assert_eq!(again.public_key_der().unwrap(), RSA_2048.public_key_der().unwrap());
        assert_eq!(Material::from_bytes("RSA_3072", &bytes).unwrap_err(), CryptoError::Malformed);
    }

    #[test]
    fn larger_rsa_keys_have_their_modulus() {
        for (spec, bits) in [("RSA_3072", 3072), ("RSA_4096", 4096)] {
            let Material { key: Key::Rsa(key), .. } = Material::generate(spec).unwrap() else { panic!("{spec}") };
            assert_eq!(key.n().bits_vartime(), bits);
        }
    }

    #[test]
    fn data_key_pairs_may_use_their_own_names() {
        assert_eq!(Material::generate("ECC_NIST_P384").unwrap().spec(), "EC_P384");
        assert_eq!(Material::generate("ECC_SECG_P256K1").unwrap().spec(), "SECP256K1");
        assert_eq!(Material::generate("DES").unwrap_err(), CryptoError::Unsupported);
    }

    #[test]
    fn public_keys_are_pem_with_crlf() {
        for material in CURVES.iter().map(|spec| Material::generate(spec).unwrap()).chain([Material::from_bytes(
            "RSA_2048",
            &RSA_2048.to_bytes().unwrap(),
        )
        .unwrap()])
        {
            let pem = material.public_key_pem().unwrap();
            assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\r\n"), "{pem}");
            assert!(pem.ends_with("-----END PUBLIC KEY-----\r\n"), "{pem}");
            assert_eq!(pem.matches('\n').count(), pem.matches("\r\n").count());
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", Material::generate("AES_256").unwrap()), "Material(AES_256, [REDACTED])");
    }

    /// Whatever is imported, the answer is a key or a refusal.
    #[test]
    fn altered_private_keys_never_panic() {
        for spec in CURVES.iter().chain(&["RSA_2048"]) {
            let bytes = match *spec {
                "RSA_2048" => RSA_2048.to_bytes().unwrap(),
                spec => Material::generate(spec).unwrap().to_bytes().unwrap(),
            };
            let step = if *spec == "RSA_2048" { 31 } else { 1 };
            for at in (0..bytes.len()).step_by(step) {
                for bit in [0x01, 0x80] {
                    let mut altered = bytes.to_vec();
                    altered[at] ^= bit;
                    let _ = Material::from_bytes(spec, &altered);
                }
                let _ = Material::from_bytes(spec, &bytes[..at]);
            }
        }
    }
}
