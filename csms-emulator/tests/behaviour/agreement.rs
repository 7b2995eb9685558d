//! Key agreement.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use csms_emulator::Emulator;
use p256::{
    elliptic_curve::Generate,
    pkcs8::{DecodePublicKey, EncodePublicKey},
};
use serde_json::json;

use crate::{kms_caller::Kms, support::text};

#[tokio::test]
async fn both_sides_find_the_same_secret() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key("EC_P256", "KEY_AGREEMENT").await;
    let public = kms.ask("ShowPublicKey", json!({"key_id": key})).await;
    let public = p256::PublicKey::from_public_key_pem(text(&public, "public_key")).unwrap();
    let ours = p256::SecretKey::generate();
    let expected = p256::ecdh::diffie_hellman(ours.to_nonzero_scalar(), public.as_affine());

    let peer = STANDARD.encode(ours.public_key().to_public_key_der().unwrap());
    let request = json!({"key_id": key, "key_agreement_algorithm": "ECDH", "public_key": peer});
    let derived = kms.ask("DeriveSharedSecret", request.clone()).await;
    assert_eq!(
        derived,
        json!({
            "key_id": key,
            "key_agreement_algorithm": "ECDH",
            "shared_secret": STANDARD.encode(expected.raw_secret_bytes()),
        })
    );

    let mut attested = request.clone();
    attested["recipient"] = json!({"attestation_document": "AAAA"});
    assert_eq!(kms.refused("DeriveSharedSecret", attested).await, "KMS.3804");
    let mut malformed = request;
    malformed["public_key"] = "AAAA".into();
    assert_eq!(kms.refused("DeriveSharedSecret", malformed).await, "KMS.0308");
}

#[tokio::test]
async fn keys_for_other_uses_agree_on_nothing() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    for (spec, usage, code) in [
        ("AES_256", "ENCRYPT_DECRYPT", "KMS.0331"),
        ("EC_P256", "SIGN_VERIFY", "KMS.0335"),
        ("SM2", "ENCRYPT_DECRYPT", "KMS.0334"),
        ("HMAC_256", "GENERATE_VERIFY_MAC", "KMS.0341"),
    ] {
        let key = kms.key(spec, usage).await;
        let request = json!({"key_id": key, "key_agreement_algorithm": "ECDH", "public_key": "AAAA"});
        assert_eq!(kms.refused("DeriveSharedSecret", request).await, code, "{spec} {usage}");
    }
}
