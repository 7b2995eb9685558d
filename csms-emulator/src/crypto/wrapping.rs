//! Unwrapping of imported key material.
//!
//! A symmetric key arrives encrypted with the wrapping key. A private key arrives encrypted with a temporary AES key
//! by RFC 5649, and the temporary key encrypted with the wrapping key.

use super::{CryptoError, Material, asymmetric, material::Key};
use aes_kw::{IV_LEN, KeyInit, KwpAes256};
use rsa::Pkcs1v15Encrypt;
use zeroize::Zeroizing;

/// Decrypts what was encrypted with the public half of a wrapping key.
///
/// `algorithm` is `RSAES_OAEP_SHA_256`, `RSAES_OAEP_SHA_1`, `RSAES_PKCS1_V1_5` or `SM2_ENCRYPT`.
///
/// # Errors
/// [`CryptoError::Unsupported`]; [`CryptoError::Invalid`] if altered or made for another key. `RSAES_PKCS1_V1_5` can
/// rarely tell: it then gives random bytes of a random length.
pub(crate) fn unwrap_key(
    wrapping: &Material,
    algorithm: &str,
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    match (algorithm, wrapping.key()) {
        ("RSAES_PKCS1_V1_5", Key::Rsa(key)) => asymmetric::rsa_decrypt(key, Pkcs1v15Encrypt, wrapped),
        _ => asymmetric::decrypt(wrapping, algorithm, wrapped),
    }
}

/// Decrypts a private key (PKCS#8 DER) with the temporary AES-256 key, by AES key wrap with padding.
///
/// # Errors
/// [`CryptoError::Malformed`] unless the temporary key has 32 bytes;
/// [`CryptoError::Invalid`] if altered or made with another key.
pub(crate) fn unwrap_private_key(temporary_key: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let cipher = KwpAes256::new_from_slice(temporary_key).map_err(|_| CryptoError::Malformed)?;
    // One block of key at least.
    if wrapped.len() < 2 * IV_LEN {
        return Err(CryptoError::Invalid);
    }
    let mut key = Zeroizing::new(vec![0; wrapped.len() - IV_LEN]);
    let length = cipher.unwrap_key(wrapped, &mut key).map_err(|_| CryptoError::Invalid)?.len();
    key.truncate(length);
    Ok(key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::crypto::{fixtures::RSA_2048, random};
    use aes_kw::KwpAes192;

    fn wrap(key: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mut wrapped = vec![0; bytes.len().next_multiple_of(IV_LEN) + IV_LEN];
        KwpAes256::new_from_slice(key).unwrap().wrap_key(bytes, &mut wrapped).unwrap();
        wrapped
    }

    #[test]
    fn symmetric_keys_come_out_of_every_wrapping() {
        let sm2 = Material::generate("SM2").unwrap();
        let key = random::bytes(32);
        for (wrapping, algorithm) in
            [(&*RSA_2048, "RSAES_OAEP_SHA_256"), (&*RSA_2048, "RSAES_OAEP_SHA_1"), (&sm2, "SM2_ENCRYPT")]
        {
            let wrapped = asymmetric::encrypt(wrapping, algorithm, &key).unwrap();
            assert_eq!(unwrap_key(wrapping, algorithm, &wrapped).unwrap(), key);
        }
        let Key::Rsa(rsa) = RSA_2048.key() else { panic!("an RSA key") };
        let wrapped = rsa.as_public_key().encrypt(&mut random::rng(), Pkcs1v15Encrypt, &key).unwrap();
        assert_eq!(unwrap_key(&RSA_2048, "RSAES_PKCS1_V1_5", &wrapped).unwrap(), key);
        assert_eq!(unwrap_key(&RSA_2048, "RSAES_PKCS1_V1_5", &wrapped[1..]).unwrap_err(), CryptoError::Invalid);
        assert_eq!(unwrap_key(&sm2, "RSAES_PKCS1_V1_5", &wrapped).unwrap_err(), CryptoError::Unsupported);
    }

    #[test]
    fn private_keys_come_out_of_the_temporary_key() {
        let temporary = random::bytes(32);
        for spec in ["EC_P256", "EC_P384", "SECP256K1", "SM2", "ED25519", "RSA_2048"] {
            let der = match spec {
                "RSA_2048" => RSA_2048.to_bytes().unwrap(),
                _ => Material::generate(spec).unwrap().to_bytes().unwrap(),
            };
            let unwrapped = unwrap_private_key(&temporary, &wrap(&temporary, &der)).unwrap();
            assert_eq!(Material::from_bytes(spec, &unwrapped).unwrap().to_bytes().unwrap(), der);
        }
    }

    #[test]
    fn an_altered_wrapped_key_fails() {
        let temporary = random::bytes(32);
        for length in [1, 8, 9, 40] {
            let wrapped = wrap(&temporary, &random::bytes(length));
            for at in 0..wrapped.len() {
                let mut altered = wrapped.clone();
                altered[at] ^= 1;
                assert_eq!(unwrap_private_key(&temporary, &altered).unwrap_err(), CryptoError::Invalid);
                assert_eq!(unwrap_private_key(&temporary, &wrapped[..at]).unwrap_err(), CryptoError::Invalid);
            }
            assert_eq!(unwrap_private_key(&random::bytes(32), &wrapped).unwrap_err(), CryptoError::Invalid);
            assert_eq!(unwrap_private_key(&temporary[1..], &wrapped).unwrap_err(), CryptoError::Malformed);
        }
    }

    /// RFC 5649, 6. Its keys have 192 bits, so this is the crate's part alone.
    #[test]
    fn key_wrap_with_padding_is_as_published() {
        let cipher =
            KwpAes192::new_from_slice(&hex::decode("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8").unwrap())
                .unwrap();
        for (key, wrapped) in [
            (
                "c37b7e6492584340bed12207808941155068f738",
                "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
            ),
            ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
        ] {
            let mut buffer = [0; 64];
            let wrapped = hex::decode(wrapped).unwrap();
            assert_eq!(hex::encode(cipher.unwrap_key(&wrapped, &mut buffer).unwrap()), key);
        }
    }
}
