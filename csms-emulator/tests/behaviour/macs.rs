//! Message authentication codes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use csms_emulator::Emulator;
use serde_json::json;

use crate::{kms_caller::Kms, support::text};

#[tokio::test]
async fn a_mac_is_valid_for_its_message_and_key_only() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    for (spec, algorithm, digits) in [
        ("HMAC_256", "HMAC_SHA_256", 64),
        ("HMAC_384", "HMAC_SHA_384", 96),
        ("HMAC_512", "HMAC_SHA_512", 128),
        ("HMAC_SM3", "HMAC_SM3", 64),
    ] {
        let key = kms.key_of(json!({"key_spec": spec})).await;
        let request = json!({"key_id": key, "mac_algorithm": algorithm, "message": "bWVzc2FnZQ=="});
        let made = kms.ask("GenerateMac", request).await;
        assert_eq!((text(&made, "mac").len(), text(&made, "mac_algorithm")), (digits, algorithm));
        let verify = |key: &str, message: &str, mac: &str| json!({"key_id": key, "mac_algorithm": algorithm, "message": message, "mac": mac});
        let mac = text(&made, "mac");
        let valid = kms.ask("VerifyMac", verify(&key, "bWVzc2FnZQ==", &mac.to_uppercase())).await;
        assert_eq!(valid, json!({"key_id": key, "mac_algorithm": algorithm, "mac_valid": true}));
        let other = kms.key_of(json!({"key_spec": spec})).await;
        for wrong in [
            verify(&key, "bWFzc2FnZQ==", mac),
            verify(&other, "bWVzc2FnZQ==", mac),
            verify(&key, "bWVzc2FnZQ==", &mac[2..]),
        ] {
            assert_eq!(kms.ask("VerifyMac", wrong).await["mac_valid"], json!(false));
        }
    }
}

#[tokio::test]
async fn macs_take_the_keys_own_algorithm_and_1_to_4096_bytes() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key_of(json!({"key_spec": "HMAC_256"})).await;
    let request = |message: &str, algorithm| json!({"key_id": key, "mac_algorithm": algorithm, "message": message});
    let longest = vec![1; 4096];
    kms.ask("GenerateMac", request(&STANDARD.encode(&longest), "HMAC_SHA_256")).await;
    let longer = STANDARD.encode([&longest[..], &[1]].concat());
    for refused in [
        request(&longer, "HMAC_SHA_256"),
        request("", "HMAC_SHA_256"),
        request("?", "HMAC_SHA_256"),
        request("AA==", "HMAC_SHA_512"),
    ] {
        assert_eq!(kms.refused("GenerateMac", refused).await, "KMS.0308");
    }
    for (spec, usage, code) in [("AES_256", "ENCRYPT_DECRYPT", "KMS.0334"), ("EC_P256", "SIGN_VERIFY", "KMS.0325")] {
        let key = kms.key(spec, usage).await;
        let request = json!({"key_id": key, "mac_algorithm": "HMAC_SHA_256", "message": "AA=="});
        assert_eq!(kms.refused("GenerateMac", request).await, code);
    }
}
