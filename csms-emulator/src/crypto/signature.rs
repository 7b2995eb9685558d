//! Signatures.

use super::{CryptoError, Material, material::Key, random};
use ed25519_dalek::{
    Signer, Verifier,
    ed25519::signature::{
        SignatureEncoding,
        hazmat::{PrehashSigner, PrehashVerifier},
    },
};
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey, traits::SignatureScheme};
use sha2::{
    Digest, Sha256, Sha384, Sha512,
    digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update, consts::U64},
};

/// What is signed.
#[derive(Clone, Copy)]
pub(crate) enum Message<'a> {
    /// A message, to be hashed here.
    Raw(&'a [u8]),
    /// The hash of a message. For SM2 that is SM3(Z‖M), with Z made from the user id `1234567812345678`.
    Digest(&'a [u8]),
}

/// The algorithms a spec can sign with; none if it cannot.
pub(crate) fn algorithms(spec: &str) -> &'static [&'static str] {
    match spec {
        "RSA_2048" | "RSA_3072" | "RSA_4096" => &[
            "RSASSA_PSS_SHA_256",
            "RSASSA_PSS_SHA_384",
            "RSASSA_PSS_SHA_512",
            "RSASSA_PKCS1_V1_5_SHA_256",
            "RSASSA_PKCS1_V1_5_SHA_384",
            "RSASSA_PKCS1_V1_5_SHA_512",
        ],
        "EC_P256" | "SECP256K1" => &["ECDSA_SHA_256"],
        "EC_P384" => &["ECDSA_SHA_384", "ECDSA_SHA_512"],
        "SM2" => &["SM2DSA_SM3"],
        "ED25519" => &["ED25519_SHA_512", "ED25519_PH_SHA_512"],
        _ => &[],
    }
}

/// Signs. ECDSA and SM2 signatures are DER; the salt of PSS is as long as the hash.
///
/// # Errors
/// [`CryptoError::Unsupported`] if the spec has not the algorithm, or for a digest and `ED25519_SHA_512`, which signs
/// messages only; [`CryptoError::DigestLength`].
pub(crate) fn sign(material: &Material, algorithm: &str, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
    let input = prepare(material, algorithm, message)?;
    match material.key() {
        Key::Rsa(key) => rsa_sign(key, algorithm, &input),
        Key::P256(key) => prehash_sign::<p256::ecdsa::DerSignature>(&p256::ecdsa::SigningKey::from(key), &input),
        Key::P384(key) => prehash_sign::<p384::ecdsa::DerSignature>(&p384::ecdsa::SigningKey::from(key), &input),
        Key::K256(key) => prehash_sign::<k256::ecdsa::DerSignature>(&k256::ecdsa::SigningKey::from(key), &input),
        Key::Sm2(key) => sm2_sign(key, message),
        Key::Ed25519(key) if algorithm == "ED25519_PH_SHA_512" => {
            key.sign_prehashed(Finished::new(&input), None).ok().map(|signature| signature.to_vec())
        }
        Key::Ed25519(key) => Some(key.sign(&input).to_vec()),
        Key::Bytes(_) | Key::P521(_) => None,
    }
    .ok_or(CryptoError::Unsupported)
}

/// Whether `signature` is the key's over the message. False for bytes that are no signature at all.
///
/// # Errors
/// As [`sign`].
pub(crate) fn verify(
    material: &Material,
    algorithm: &str,
    message: Message<'_>,
    signature: &[u8],
) -> Result<bool, CryptoError> {
    let input = prepare(material, algorithm, message)?;
    Ok(match material.key() {
        Key::Rsa(key) => rsa_verify(key, algorithm, &input, signature),
        Key::P256(key) => {
            let key = p256::ecdsa::VerifyingKey::from(key.public_key());
            p256::ecdsa::Signature::from_der(signature).is_ok_and(|it| key.verify_prehash(&input, &it).is_ok())
        }
        Key::P384(key) => {
            let key = p384::ecdsa::VerifyingKey::from(key.public_key());
            p384::ecdsa::Signature::from_der(signature).is_ok_and(|it| key.verify_prehash(&input, &it).is_ok())
        }
        Key::K256(key) => {
            let key = k256::ecdsa::VerifyingKey::from(key.public_key());
            // ECDSA allows s and n - s; this crate, with blockchains in mind, only the smaller.
            k256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|it| key.verify_prehash(&input, &it.normalize_s()).is_ok())
        }
        Key::Sm2(key) => sm2_verify(key, message, signature),
        Key::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature).is_ok_and(|it| match algorithm {
            "ED25519_PH_SHA_512" => key.verify_prehashed(Finished::new(&input), None, &it).is_ok(),
            _ => key.verify(&input, &it).is_ok(),
        }),
        Key::Bytes(_) | Key::P521(_) => return Err(CryptoError::Unsupported),
    })
}

/// The user id the standard gives to those who have none (GM/T 0009).
const SM2_USER_ID: &str = "1234567812345678";

/// What the algorithm takes: a digest of its length, or the message where the algorithm hashes more than the message.
fn prepare(material: &Material, algorithm: &str, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
    if !algorithms(material.spec()).contains(&algorithm) {
        return Err(CryptoError::Unsupported);
    }
    let length = digest_length(algorithm);
    match (algorithm, message) {
        ("ED25519_SHA_512", Message::Digest(_)) => Err(CryptoError::Unsupported),
        ("ED25519_SHA_512" | "SM2DSA_SM3", Message::Raw(message)) => Ok(message.to_vec()),
        (_, Message::Digest(digest)) if digest.len() == length => Ok(digest.to_vec()),
        (_, Message::Digest(_)) => Err(CryptoError::DigestLength),
        (_, Message::Raw(message)) => Ok(match length {
            48 => Sha384::digest(message).to_vec(),
            64 => Sha512::digest(message).to_vec(),
            _ => Sha256::digest(message).to_vec(),
        }),
    }
}

/// In bytes; SHA-256 and SM3 have 32.
fn digest_length(algorithm: &str) -> usize {
    match algorithm.rsplit('_').next() {
        Some("384") => 48,
        Some("512") => 64,
        _ => 32,
    }
}

fn prehash_sign<S: SignatureEncoding>(key: &impl PrehashSigner<S>, digest: &[u8]) -> Option<Vec<u8>> {
    key.sign_prehash(digest).ok().map(|signature| signature.to_vec())
}

fn rsa_sign(key: &RsaPrivateKey, algorithm: &str, digest: &[u8]) -> Option<Vec<u8>> {
    fn with(key: &RsaPrivateKey, scheme: impl SignatureScheme, digest: &[u8]) -> Option<Vec<u8>> {
        key.sign_with_rng(&mut random::rng(), scheme, digest).ok()
    }
    match algorithm {
        "RSASSA_PSS_SHA_256" => with(key, Pss::<Sha256>::new(), digest),
        "RSASSA_PSS_SHA_384" => with(key, Pss::<Sha384>::new(), digest),
        "RSASSA_PSS_SHA_512" => with(key, Pss::<Sha512>::new(), digest),
        _ => with(key, pkcs1(algorithm), digest),
    }
}

fn rsa_verify(key: &RsaPrivateKey, algorithm: &str, digest: &[u8], signature: &[u8]) -> bool {
    let key = key.as_public_key();
    match algorithm {
        "RSASSA_PSS_SHA_256" => key.verify(Pss::<Sha256>::new(), digest, signature),
        "RSASSA_PSS_SHA_384" => key.verify(Pss::<Sha384>::new(), digest, signature),
        "RSASSA_PSS_SHA_512" => key.verify(Pss::<Sha512>::new(), digest, signature),
        _ => key.verify(pkcs1(algorithm), digest, signature),
    }
    .is_ok()
}

fn pkcs1(algorithm: &str) -> Pkcs1v15Sign {
    match digest_length(algorithm) {
        48 => Pkcs1v15Sign::new::<Sha384>(),
        64 => Pkcs1v15Sign::new::<Sha512>(),
        _ => Pkcs1v15Sign::new::<Sha256>(),
    }
}

fn sm2_sign(key: &sm2::SecretKey, message: Message<'_>) -> Option<Vec<u8>> {
    let key = sm2::dsa::SigningKey::new(SM2_USER_ID, key).ok()?;
    let signature = match message {
        Message::Raw(message) => key.try_sign(message),
        Message::Digest(digest) => key.sign_prehash(digest),
    };
    signature.ok().map(|signature| signature.to_der().to_bytes().into_vec())
}

fn sm2_verify(key: &sm2::SecretKey, message: Message<'_>, signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) =
        (sm2::dsa::VerifyingKey::new(SM2_USER_ID, key.public_key()), sm2::dsa::Signature::from_der(signature))
    else {
        return false;
    };
    match message {
        Message::Raw(message) => key.verify(message, &signature),
        Message::Digest(digest) => key.verify_prehash(digest, &signature),
    }
    .is_ok()
}

/// A digest computed elsewhere, where a crate asks for the hash in progress.
#[derive(Clone, Default)]
struct Finished(Output<Sha512>);

impl Finished {
    /// `digest` has 64 bytes; [`prepare`] saw to it.
    fn new(digest: &[u8]) -> Self {
        let mut finished = Self::default();
        finished.0.copy_from_slice(digest);
        finished
    }
}

impl OutputSizeUser for Finished {
    type OutputSize = U64;
}

impl HashMarker for Finished {}

impl Update for Finished {
    /// Nothing can be added to a finished digest, and nobody tries.
    fn update(&mut self, _: &[u8]) {}
}

impl FixedOutput for Finished {
    fn finalize_into(self, out: &mut Output<Self>) {
        out.copy_from_slice(&self.0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::crypto::fixtures::RSA_2048;
    use rsa::pkcs8::DecodePublicKey;
    use sm3::Sm3;

    const SPECS: &[&str] = &["EC_P256", "EC_P384", "SECP256K1", "SM2", "ED25519"];

    fn each(test: impl Fn(&Material, &str)) {
        let curves: Vec<_> = SPECS.iter().map(|spec| Material::generate(spec).unwrap()).collect();
        for material in curves.iter().chain([&*RSA_2048]) {
            for algorithm in algorithms(material.spec()) {
                test(material, algorithm);
            }
        }
    }

    #[test]
    fn every_algorithm_verifies_what_it_signed_and_nothing_else() {
        each(|material, algorithm| {
            let signature = sign(material, algorithm, Message::Raw(b"message")).unwrap();
            assert!(verify(material, algorithm, Message::Raw(b"message"), &signature).unwrap(), "{algorithm}");
            assert!(!verify(material, algorithm, Message::Raw(b"massage"), &signature).unwrap(), "{algorithm}");
            assert!(!verify(material, algorithm, Message::Raw(b"message"), b"").unwrap());
            assert!(!verify(material, algorithm, Message::Raw(b"message"), &vec![0; signature.len()]).unwrap());
            assert!(!verify(material, algorithm, Message::Raw(b"message"), &vec![0xff; signature.len()]).unwrap());
            for at in (0..signature.len()).step_by(5) {
                let mut altered = signature.clone();
                altered[at] ^= 1;
                let valid = verify(material, algorithm, Message::Raw(b"message"), &altered).unwrap();
                assert!(!valid, "{algorithm} byte {at}");
            }
        });
    }

    #[test]
    fn a_message_and_its_digest_are_the_same() {
        each(|material, algorithm| {
            let digest = match algorithm {
                "ED25519_SHA_512" | "SM2DSA_SM3" => return,
                _ if algorithm.ends_with("256") => Sha256::digest(b"message").to_vec(),
                _ if algorithm.ends_with("384") => Sha384::digest(b"message").to_vec(),
                _ => Sha512::digest(b"message").to_vec(),
            };
            let of_message = sign(material, algorithm, Message::Raw(b"message")).unwrap();
            assert!(verify(material, algorithm, Message::Digest(&digest), &of_message).unwrap(), "{algorithm}");
            let of_digest = sign(material, algorithm, Message::Digest(&digest)).unwrap();
            assert!(verify(material, algorithm, Message::Raw(b"message"), &of_digest).unwrap(), "{algorithm}");
        });
    }

    #[test]
    fn digests_of_another_length_are_refused() {
        each(|material, algorithm| {
            let expected = match algorithm {
                "ED25519_SHA_512" => CryptoError::Unsupported,
                _ => CryptoError::DigestLength,
            };
            for length in [0, 20, digest_length(algorithm) - 1, digest_length(algorithm) + 1] {
                let digest = Message::Digest(&[1; 65][..length]);
                assert_eq!(sign(material, algorithm, digest).unwrap_err(), expected, "{algorithm}");
                assert_eq!(verify(material, algorithm, digest, b"").unwrap_err(), expected, "{algorithm}");
            }
        });
    }

    #[test]
    fn specs_refuse_algorithms_of_others() {
        each(|material, _| {
            for algorithm in ["", "SHA_256", "ECDSA_SHA_1", "HMAC_SHA_256"] {
                let refused = sign(material, algorithm, Message::Raw(b"message"));
                assert_eq!(refused.unwrap_err(), CryptoError::Unsupported);
            }
        });
        for spec in ["AES_256", "ECC_NIST_P521"] {
            let refused = sign(&Material::generate(spec).unwrap(), "ECDSA_SHA_256", Message::Raw(b""));
            assert_eq!(refused.unwrap_err(), CryptoError::Unsupported);
        }
    }

    /// SM3(Z‖M) put together by hand from the curve's published parameters.
    #[test]
    fn an_sm2_digest_covers_the_user_id_and_the_public_key() {
        let material = Material::generate("SM2").unwrap();
        let key = sm2::PublicKey::from_public_key_der(&material.public_key_der().unwrap()).unwrap();
        let hex = |text: &str| hex::decode(text).unwrap();
        let z = Sm3::new()
            .chain_update(128u16.to_be_bytes())
            .chain_update("1234567812345678")
            .chain_update(hex("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"))
            .chain_update(hex("28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"))
            .chain_update(hex("32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"))
            .chain_update(hex("BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"))
            .chain_update(&key.to_sec1_bytes()[1..])
            .finalize();
        let digest = Sm3::new().chain_update(z).chain_update(b"message").finalize();
        let signature = sign(&material, "SM2DSA_SM3", Message::Digest(&digest)).unwrap();
        assert!(verify(&material, "SM2DSA_SM3", Message::Raw(b"message"), &signature).unwrap());
    }

    /// RFC 8032, 7.1 TEST 3 and 7.3.
    #[test]
    fn ed25519_signs_as_published() {
        let material = |seed: &str| {
            // PKCS#8 of RFC 8410: a fixed head, then the seed.
            let der = hex::decode(format!("302e020100300506032b657004220420{seed}")).unwrap();
            Material::from_bytes("ED25519", &der).unwrap()
        };
        let plain = material("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
        assert_eq!(
            hex::encode(sign(&plain, "ED25519_SHA_512", Message::Raw(&[0xaf, 0x82])).unwrap()),
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        );
        let prehashed = material("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42");
        for message in [Message::Raw(b"abc"), Message::Digest(&Sha512::digest(b"abc"))] {
            assert_eq!(
                hex::encode(sign(&prehashed, "ED25519_PH_SHA_512", message).unwrap()),
                "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
                 31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
            );
        }
    }

    /// RFC 6979, A.2.5: deterministic, so the signature is known to the byte.
    #[test]
    fn ecdsa_signs_as_published() {
        let secret = p256::SecretKey::from_slice(
            &hex::decode("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721").unwrap(),
        )
        .unwrap();
        let der = rsa::pkcs8::EncodePrivateKey::to_pkcs8_der(&secret).unwrap();
        let material = Material::from_bytes("EC_P256", der.as_bytes()).unwrap();
        let signature = sign(&material, "ECDSA_SHA_256", Message::Raw(b"sample")).unwrap();
        assert_eq!(
            hex::encode_upper(p256::ecdsa::Signature::from_der(&signature).unwrap().to_bytes()),
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
             F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
        );
        assert!(verify(&material, "ECDSA_SHA_256", Message::Raw(b"sample"), &signature).unwrap());
    }

    #[test]
    fn secp256k1_accepts_the_larger_s_of_other_signers() {
        let material = Material::generate("SECP256K1").unwrap();
        let low = sign(&material, "ECDSA_SHA_256", Message::Raw(b"message")).unwrap();
        let low = k256::ecdsa::Signature::from_der(&low).unwrap();
        let high = k256::ecdsa::Signature::from_scalars(low.r(), -low.s()).unwrap();
        assert_ne!(high.normalize_s(), high);
        let high = high.to_der().to_bytes();
        assert!(verify(&material, "ECDSA_SHA_256", Message::Raw(b"message"), &high).unwrap());
    }
}
