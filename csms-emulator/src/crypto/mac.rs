//! Message authentication codes.

use super::{CryptoError, Material, material::Key};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};
use sm3::Sm3;
use subtle::ConstantTimeEq;

/// The algorithm of a spec; none if it is not for MACs.
pub(crate) fn algorithm(spec: &str) -> Option<&'static str> {
    match spec {
        "HMAC_256" => Some("HMAC_SHA_256"),
        "HMAC_384" => Some("HMAC_SHA_384"),
        "HMAC_512" => Some("HMAC_SHA_512"),
        "HMAC_SM3" => Some("HMAC_SM3"),
        _ => None,
    }
}

/// The MAC of `message`, as long as the hash.
///
/// # Errors
/// [`CryptoError::Unsupported`] if the algorithm is not that of the spec.
pub(crate) fn generate(material: &Material, algorithm: &str, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    match material.key() {
        Key::Bytes(key) if self::algorithm(material.spec()) == Some(algorithm) => compute(algorithm, key, message),
        _ => None,
    }
    .ok_or(CryptoError::Unsupported)
}

/// Whether `mac` is that of `message`, in a time that does not tell how much of it is right.
///
/// # Errors
/// As [`generate`].
pub(crate) fn verify(material: &Material, algorithm: &str, message: &[u8], mac: &[u8]) -> Result<bool, CryptoError> {
    Ok(generate(material, algorithm, message)?.ct_eq(mac).into())
}

fn compute(algorithm: &str, key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    fn with<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
        let mac = <M as KeyInit>::new_from_slice(key).ok()?;
        Some(mac.chain_update(message).finalize().into_bytes().to_vec())
    }
    match algorithm {
        "HMAC_SHA_256" => with::<Hmac<Sha256>>(key, message),
        "HMAC_SHA_384" => with::<Hmac<Sha384>>(key, message),
        "HMAC_SHA_512" => with::<Hmac<Sha512>>(key, message),
        "HMAC_SM3" => with::<Hmac<Sm3>>(key, message),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    const SPECS: &[(&str, usize)] = &[("HMAC_256", 32), ("HMAC_384", 48), ("HMAC_512", 64), ("HMAC_SM3", 32)];

    #[test]
    fn every_spec_verifies_its_own_and_nothing_else() {
        for &(spec, length) in SPECS {
            let material = Material::generate(spec).unwrap();
            let algorithm = algorithm(spec).unwrap();
            let mac = generate(&material, algorithm, b"message").unwrap();
            assert_eq!(mac.len(), length);
            assert!(verify(&material, algorithm, b"message", &mac).unwrap());
            assert!(!verify(&material, algorithm, b"massage", &mac).unwrap());
            assert!(!verify(&material, algorithm, b"message", &mac[1..]).unwrap());
            assert!(!verify(&material, algorithm, b"message", b"").unwrap());
            for at in 0..length {
                let mut altered = mac.clone();
                altered[at] ^= 1;
                assert!(!verify(&material, algorithm, b"message", &altered).unwrap());
            }
            for (other, _) in SPECS.iter().filter(|(other, _)| *other != spec) {
                let other = self::algorithm(other).unwrap();
                assert_eq!(generate(&material, other, b"message").unwrap_err(), CryptoError::Unsupported);
            }
        }
        let aes = Material::generate("AES_256").unwrap();
        assert_eq!(generate(&aes, "HMAC_SHA_256", b"message").unwrap_err(), CryptoError::Unsupported);
    }

    /// RFC 4231, test case 2; its key has not the length of a spec.
    #[test]
    fn hmacs_are_as_published() {
        for (algorithm, mac) in [
            ("HMAC_SHA_256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                "HMAC_SHA_384",
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                "HMAC_SHA_512",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                 9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            assert_eq!(hex::encode(compute(algorithm, b"Jefe", b"what do ya want for nothing?").unwrap()), mac);
        }
    }

    /// GB/T 32905, A.1.
    #[test]
    fn sm3_is_as_published() {
        let digest = <Sm3 as sm3::Digest>::digest(b"abc");
        assert_eq!(hex::encode(digest), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    }
}
