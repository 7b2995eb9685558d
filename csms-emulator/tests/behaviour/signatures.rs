//! Signatures.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use csms_emulator::Emulator;
use p256::ecdsa::signature::Verifier;
use rsa::{Pkcs1v15Sign, Pss, RsaPublicKey, pkcs8::DecodePublicKey};
use serde_json::json;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::{kms_caller::Kms, support::text};

#[tokio::test]
async fn others_verify_what_is_signed_here() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let message = b"message";
    let sign = async |key: &str, algorithm: &str| {
        let digest = match algorithm.rsplit('_').next() {
            Some("384") => Sha384::digest(message).to_vec(),
            Some("512") => Sha512::digest(message).to_vec(),
            _ => Sha256::digest(message).to_vec(),
        };
        let request = json!({"key_id": key, "signing_algorithm": algorithm, "message": STANDARD.encode(digest)});
        let signed = kms.ask("Sign", request).await;
        assert_eq!(text(&signed, "key_id"), key);
        STANDARD.decode(text(&signed, "signature")).unwrap()
    };

    let key = kms.key("EC_P256", "SIGN_VERIFY").await;
    let public = kms.ask("ShowPublicKey", json!({"key_id": key})).await;
    let public = p256::ecdsa::VerifyingKey::from_public_key_pem(text(&public, "public_key")).unwrap();
    let signature = p256::ecdsa::Signature::from_der(&sign(&key, "ECDSA_SHA_256").await).unwrap();
    public.verify(message, &signature).unwrap();

    let key = kms.key("RSA_2048", "SIGN_VERIFY").await;
    let public = kms.ask("ShowPublicKey", json!({"key_id": key})).await;
    let public = RsaPublicKey::from_public_key_pem(text(&public, "public_key")).unwrap();
    let digest = Sha256::digest(message);
    let signature = sign(&key, "RSASSA_PKCS1_V1_5_SHA_256").await;
    public.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, &signature).unwrap();
    let signature = sign(&key, "RSASSA_PSS_SHA_512").await;
    public.verify(Pss::<Sha512>::new(), &Sha512::digest(message), &signature).unwrap();
}

#[tokio::test]
async fn a_wrong_signature_is_answered_not_refused() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    for (spec, algorithm, message_type) in [
        ("EC_P256", "ECDSA_SHA_256", "RAW"),
        ("EC_P384", "ECDSA_SHA_384", "RAW"),
        ("EC_P384", "ECDSA_SHA_512", "RAW"),
        ("SECP256K1", "ECDSA_SHA_256", "RAW"),
        ("ED25519", "ED25519_SHA_512", "RAW"),
        ("ED25519", "ED25519_PH_SHA_512", "RAW"),
        ("SM2", "SM2DSA_SM3", "DIGEST"),
    ] {
        let key = kms.key(spec, "SIGN_VERIFY").await;
        let message = STANDARD.encode([7; 32]);
        let request = json!({
            "key_id": key, "signing_algorithm": algorithm, "message": message, "message_type": message_type,
        });
        let signature = kms.ask("Sign", request.clone()).await["signature"].clone();
        let verify = |message: &str, signature: &serde_json::Value| {
            let mut verify = request.clone();
            verify["message"] = message.into();
            verify["signature"] = signature.clone();
            verify
        };
        let answer = kms.ask("ValidateSignature", verify(&message, &signature)).await;
        assert_eq!(answer, json!({"key_id": key, "signature_valid": "true"}), "{algorithm}");
        let other = STANDARD.encode([8; 32]);
        for wrong in [verify(&other, &signature), verify(&message, &STANDARD.encode([1; 72]).into())] {
            assert_eq!(kms.ask("ValidateSignature", wrong).await["signature_valid"], "false", "{algorithm}");
        }
        assert_eq!(kms.refused("ValidateSignature", verify(&message, &"?".into())).await, "KMS.0308");
    }
}

#[tokio::test]
async fn what_is_signed_counts_as_a_digest_unless_it_is_told_otherwise() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let sign = |key: &str, algorithm: &str, bytes: &[u8], kind: Option<&str>| {
        let mut request = json!({"key_id": key, "signing_algorithm": algorithm, "message": STANDARD.encode(bytes)});
        if let Some(kind) = kind {
            request["message_type"] = kind.into();
        }
        request
    };
    let ec = kms.key("EC_P256", "SIGN_VERIFY").await;
    assert_eq!(kms.refused("Sign", sign(&ec, "ECDSA_SHA_256", &[1; 31], None)).await, "KMS.0329");
    kms.ask("Sign", sign(&ec, "ECDSA_SHA_256", &[1; 32], None)).await;
    kms.ask("Sign", sign(&ec, "ECDSA_SHA_256", &[1; 4095], Some("RAW"))).await;
    assert_eq!(kms.refused("Sign", sign(&ec, "ECDSA_SHA_256", &[1; 4096], Some("RAW"))).await, "KMS.0308");
    assert_eq!(kms.refused("Sign", sign(&ec, "ECDSA_SHA_256", &[1; 32], Some("TEXT"))).await, "KMS.0308");
    assert_eq!(kms.refused("Sign", sign(&ec, "ECDSA_SHA_384", &[1; 48], None)).await, "KMS.0332");
    let sm2 = kms.key("SM2", "SIGN_VERIFY").await;
    assert_eq!(kms.refused("Sign", sign(&sm2, "SM2DSA_SM3", b"message", Some("RAW"))).await, "KMS.0308");
    let ed = kms.key("ED25519", "SIGN_VERIFY").await;
    assert_eq!(kms.refused("Sign", sign(&ed, "ED25519_SHA_512", &[1; 64], None)).await, "KMS.0308");
    kms.ask("Sign", sign(&ed, "ED25519_PH_SHA_512", &[1; 64], None)).await;
}

#[tokio::test]
async fn keys_for_other_uses_do_not_sign() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    for (spec, usage, code) in [
        ("AES_256", "ENCRYPT_DECRYPT", "KMS.0331"),
        ("SM2", "ENCRYPT_DECRYPT", "KMS.0334"),
        ("EC_P256", "KEY_AGREEMENT", "KMS.0332"),
        ("HMAC_256", "GENERATE_VERIFY_MAC", "KMS.0341"),
    ] {
        let key = kms.key(spec, usage).await;
        let request = json!({"key_id": key, "signing_algorithm": "ECDSA_SHA_256", "message": "AA=="});
        assert_eq!(kms.refused("Sign", request).await, code, "{spec} {usage}");
    }
}
