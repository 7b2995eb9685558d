//! Encryption with RSA and SM2 keys.

use super::{CryptoError, Material, material::Key, random};
use rsa::{Oaep, RsaPrivateKey, traits::PaddingScheme};
use sha1::Sha1;
use sha2::Sha256;
use sm2::pke::{DecryptingKey, EncryptingKey};
use zeroize::Zeroizing;

/// Encrypts with the public half.
///
/// `algorithm` is `RSAES_OAEP_SHA_256`, `RSAES_OAEP_SHA_1` or `SM2_ENCRYPT`. OAEP takes at most the modulus less two
/// hashes and two bytes: with SHA-256, 190 bytes in RSA_2048. SM2 has no limit of its own and takes at least one byte;
/// its ciphertext is the ASN.1 sequence of GM/T 0009, in the order C1, C3, C2.
///
/// # Errors
/// [`CryptoError::Unsupported`], [`CryptoError::TooLong`]; [`CryptoError::Malformed`] for SM2 and no plaintext.
pub(crate) fn encrypt(material: &Material, algorithm: &str, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    match (algorithm, material.key()) {
        ("RSAES_OAEP_SHA_256", Key::Rsa(key)) => rsa_encrypt(key, Oaep::<Sha256>::new(), plaintext),
        ("RSAES_OAEP_SHA_1", Key::Rsa(key)) => rsa_encrypt(key, Oaep::<Sha1>::new(), plaintext),
        ("SM2_ENCRYPT", Key::Sm2(key)) => EncryptingKey::new(key.public_key())
            .encrypt_der(&mut random::rng(), plaintext)
            .map_err(|_| CryptoError::Malformed),
        _ => Err(CryptoError::Unsupported),
    }
}

/// Decrypts what [`encrypt`] made. SM2 also accepts the bare concatenation C1‖C3‖C2 with an uncompressed point.
///
/// # Errors
/// [`CryptoError::Unsupported`]; [`CryptoError::Invalid`] if altered or made for another key.
pub(crate) fn decrypt(
    material: &Material,
    algorithm: &str,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    match (algorithm, material.key()) {
        ("RSAES_OAEP_SHA_256", Key::Rsa(key)) => rsa_decrypt(key, Oaep::<Sha256>::new(), ciphertext),
        ("RSAES_OAEP_SHA_1", Key::Rsa(key)) => rsa_decrypt(key, Oaep::<Sha1>::new(), ciphertext),
        ("SM2_ENCRYPT", Key::Sm2(key)) => {
            let key = DecryptingKey::new(key.clone());
            // A sequence starts with 30, an uncompressed point with 04.
            match ciphertext.first() {
                Some(0x30) => key.decrypt_der(ciphertext),
                Some(0x04) => key.decrypt(ciphertext),
                _ => return Err(CryptoError::Invalid),
            }
            .map(Zeroizing::new)
            .map_err(|_| CryptoError::Invalid)
        }
        _ => Err(CryptoError::Unsupported),
    }
}

pub(super) fn rsa_decrypt(
    key: &RsaPrivateKey,
    padding: impl PaddingScheme,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    key.decrypt_blinded(&mut random::rng(), padding, ciphertext).map(Zeroizing::new).map_err(|_| CryptoError::Invalid)
}

fn rsa_encrypt(key: &RsaPrivateKey, padding: impl PaddingScheme, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    // With a sound key and a working source of randomness, length is all that can be wrong.
    key.as_public_key().encrypt(&mut random::rng(), padding, plaintext).map_err(|_| CryptoError::TooLong)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::crypto::fixtures::RSA_2048;

    #[test]
    fn oaep_takes_as_much_as_its_padding_leaves() {
        for (algorithm, most) in [("RSAES_OAEP_SHA_256", 190), ("RSAES_OAEP_SHA_1", 214)] {
            for length in [0, 1, most] {
                let plaintext = random::bytes(length);
                let ciphertext = encrypt(&RSA_2048, algorithm, &plaintext).unwrap();
                assert_eq!(ciphertext.len(), 256);
                assert_eq!(decrypt(&RSA_2048, algorithm, &ciphertext).unwrap(), plaintext);
            }
            let longer = vec![0; most + 1];
            assert_eq!(encrypt(&RSA_2048, algorithm, &longer).unwrap_err(), CryptoError::TooLong);
        }
    }

    #[test]
    fn an_rsa_ciphertext_fails_when_altered_or_read_otherwise() {
        let ciphertext = encrypt(&RSA_2048, "RSAES_OAEP_SHA_256", b"text").unwrap();
        for at in (0..ciphertext.len()).step_by(17) {
            let mut altered = ciphertext.clone();
            altered[at] ^= 1;
            assert_eq!(decrypt(&RSA_2048, "RSAES_OAEP_SHA_256", &altered).unwrap_err(), CryptoError::Invalid);
        }
        for other in [&ciphertext[1..], &[], &[0xff; 256], &[0; 256]] {
            assert_eq!(decrypt(&RSA_2048, "RSAES_OAEP_SHA_256", other).unwrap_err(), CryptoError::Invalid);
        }
        assert_eq!(decrypt(&RSA_2048, "RSAES_OAEP_SHA_1", &ciphertext).unwrap_err(), CryptoError::Invalid);
    }

    #[test]
    fn sm2_round_trips_in_both_encodings() {
        let material = Material::generate("SM2").unwrap();
        let Key::Sm2(key) = material.key() else { panic!("an SM2 key") };
        for length in [1, 31, 32, 33, 4096] {
            let plaintext = random::bytes(length);
            let sequence = encrypt(&material, "SM2_ENCRYPT", &plaintext).unwrap();
            assert_eq!(sequence[0], 0x30);
            assert_eq!(decrypt(&material, "SM2_ENCRYPT", &sequence).unwrap(), plaintext);
            let bare = EncryptingKey::new(key.public_key()).encrypt(&mut random::rng(), &plaintext).unwrap();
            assert_eq!(bare.len(), 65 + 32 + length);
            assert_eq!(decrypt(&material, "SM2_ENCRYPT", &bare).unwrap(), plaintext);
        }
        assert_eq!(encrypt(&material, "SM2_ENCRYPT", b"").unwrap_err(), CryptoError::Malformed);
    }

    #[test]
    fn an_altered_sm2_ciphertext_fails() {
        let material = Material::generate("SM2").unwrap();
        let Key::Sm2(key) = material.key() else { panic!("an SM2 key") };
        let bare = EncryptingKey::new(key.public_key()).encrypt(&mut random::rng(), b"text").unwrap();
        for ciphertext in [encrypt(&material, "SM2_ENCRYPT", b"text").unwrap(), bare] {
            for at in 0..ciphertext.len() {
                let mut altered = ciphertext.clone();
                altered[at] ^= 1;
                assert_eq!(decrypt(&material, "SM2_ENCRYPT", &altered).unwrap_err(), CryptoError::Invalid, "byte {at}");
                assert!(decrypt(&material, "SM2_ENCRYPT", &ciphertext[..at]).is_err());
            }
        }
    }

    #[test]
    fn keys_take_only_their_own_algorithms() {
        let curve = Material::generate("EC_P256").unwrap();
        for (material, algorithm) in [
            (&*RSA_2048, "SM2_ENCRYPT"),
            (&*RSA_2048, "SYMMETRIC_DEFAULT"),
            (&curve, "SM2_ENCRYPT"),
            (&curve, "RSAES_OAEP_SHA_256"),
        ] {
            assert_eq!(encrypt(material, algorithm, b"text").unwrap_err(), CryptoError::Unsupported);
            assert_eq!(decrypt(material, algorithm, b"text").unwrap_err(), CryptoError::Unsupported);
        }
    }
}
