//! Shared secrets.

use super::{CryptoError, Material, material::Key, public::der};
use rsa::pkcs8::DecodePublicKey;
use sm2::elliptic_curve::{CurveArithmetic, PublicKey, SecretKey, ecdh::diffie_hellman};
use zeroize::Zeroizing;

/// The ECDH secret shared with `peer`: the x coordinate, as long as the curve's field.
///
/// `peer` is a public key on the same curve, as SubjectPublicKeyInfo in Base64 or PEM.
///
/// # Errors
/// [`CryptoError::Unsupported`] unless the spec is EC_P256, EC_P384, SECP256K1 or SM2;
/// [`CryptoError::Malformed`] if `peer` is no key on that curve.
pub(crate) fn derive(material: &Material, peer: &str) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    match material.key() {
        Key::P256(key) => shared(key, peer),
        Key::P384(key) => shared(key, peer),
        Key::K256(key) => shared(key, peer),
        Key::Sm2(key) => shared(key, peer),
        Key::Bytes(_) | Key::Rsa(_) | Key::P521(_) | Key::Ed25519(_) => Err(CryptoError::Unsupported),
    }
}

fn shared<C: CurveArithmetic>(key: &SecretKey<C>, peer: &str) -> Result<Zeroizing<Vec<u8>>, CryptoError>
where
    PublicKey<C>: DecodePublicKey,
{
    let der = der(peer)?;
    let peer = PublicKey::<C>::from_public_key_der(&der).map_err(|_| CryptoError::Malformed)?;
    let secret = diffie_hellman(key.to_nonzero_scalar(), peer.as_affine());
    Ok(secret.raw_secret_bytes().to_vec().into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    const SPECS: &[(&str, usize)] = &[("EC_P256", 32), ("EC_P384", 48), ("SECP256K1", 32), ("SM2", 32)];

    fn base64(material: &Material) -> String {
        STANDARD.encode(material.public_key_der().unwrap())
    }

    #[test]
    fn both_sides_derive_the_same() {
        for &(spec, length) in SPECS {
            let (ours, theirs) = (Material::generate(spec).unwrap(), Material::generate(spec).unwrap());
            let secret = derive(&ours, &base64(&theirs)).unwrap();
            assert_eq!(secret.len(), length);
            assert_eq!(derive(&theirs, &base64(&ours)).unwrap(), secret);
            assert_eq!(derive(&theirs, &ours.public_key_pem().unwrap()).unwrap(), secret);
            assert_eq!(derive(&theirs, &ours.public_key_pem().unwrap().replace('\r', "")).unwrap(), secret);
            assert_ne!(derive(&theirs, &base64(&Material::generate(spec).unwrap())).unwrap(), secret);
        }
    }

    #[test]
    fn peers_on_other_curves_or_none_are_refused() {
        for &(spec, _) in SPECS {
            let key = Material::generate(spec).unwrap();
            for other in ["EC_P256", "EC_P384", "SECP256K1", "SM2", "ED25519"].iter().filter(|other| **other != spec) {
                let peer = Material::generate(other).unwrap();
                assert_eq!(derive(&key, &base64(&peer)).unwrap_err(), CryptoError::Malformed);
            }
            let mut off_curve = key.public_key_der().unwrap();
            *off_curve.last_mut().unwrap() ^= 1;
            for peer in ["", "-----BEGIN PUBLIC KEY-----", "AAAA", "no Base64", &STANDARD.encode(off_curve)] {
                assert_eq!(derive(&key, peer).unwrap_err(), CryptoError::Malformed);
            }
        }
        let key = Material::generate("ED25519").unwrap();
        assert_eq!(derive(&key, &base64(&key)).unwrap_err(), CryptoError::Unsupported);
    }

    /// The public key of the API reference's example is a point of P-256.
    #[test]
    fn the_published_example_is_accepted() {
        let peer = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4UPptf7NVo2H+8Mz1V1dMz9x+DGdQSFxwLsqkUSXy4XNgs6bnxMtUB3WuI9GGz\
                    IYw21R/+w4lJvNDxYjd/Q1sQ==";
        assert_eq!(derive(&Material::generate("EC_P256").unwrap(), peer).unwrap().len(), 32);
    }
}
