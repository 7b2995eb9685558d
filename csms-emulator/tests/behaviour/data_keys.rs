//! Data keys.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use csms_emulator::Emulator;
use p256::elliptic_curve::sec1::ToSec1Point;
use rsa::{
    RsaPrivateKey, RsaPublicKey,
    pkcs8::{DecodePrivateKey, DecodePublicKey},
};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use sm3::Sm3;

use crate::{kms_caller::Kms, support::text};

#[tokio::test]
async fn a_data_key_comes_back_with_its_digest() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    for (spec, digest) in [
        ("AES_256", (|key| Sha256::digest(key).to_vec()) as fn(&[u8]) -> Vec<u8>),
        ("SM4", |key| Sm3::digest(key).to_vec()),
    ] {
        let key = kms.key(spec, "ENCRYPT_DECRYPT").await;
        let made = kms.ask("CreateDatakey", json!({"key_id": key, "datakey_length": "512"})).await;
        assert_eq!(text(&made, "key_id"), key);
        assert_eq!((text(&made, "plain_text").len(), text(&made, "cipher_text").len()), (128, 376));
        assert_eq!(text(&made, "plain_text"), text(&made, "plain_text").to_lowercase());
        let request = json!({"key_id": key, "cipher_text": made["cipher_text"], "datakey_cipher_length": "64"});
        let opened = kms.ask("DecryptDatakey", request).await;
        let expected = hex::encode_upper(digest(&hex::decode(text(&made, "plain_text")).unwrap()));
        assert_eq!(
            opened,
            json!({"data_key": made["plain_text"], "datakey_length": "64", "datakey_dgst": expected}),
            "{spec}"
        );
    }
}

#[tokio::test]
async fn the_length_is_told_in_bits_and_wins_over_the_kind() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key("AES_256", "ENCRYPT_DECRYPT").await;
    for (request, bytes) in [
        (json!({}), 32),
        (json!({"key_spec": "AES_128"}), 16),
        (json!({"key_spec": "SM4"}), 16),
        (json!({"key_spec": "HMAC_384"}), 48),
        (json!({"key_spec": "AES_128", "datakey_length": "8"}), 1),
        (json!({"datakey_length": 8192}), 1024),
    ] {
        let request = with_key(request, &key);
        let made = kms.ask("CreateDatakey", request.clone()).await;
        assert_eq!(text(&made, "plain_text").len(), 2 * bytes, "{request}");
        let hidden = kms.ask("CreateDatakeyWithoutPlaintext", request).await;
        assert_eq!(text(&hidden, "cipher_text").len(), text(&made, "cipher_text").len());
        assert_eq!(hidden.get("plain_text"), None);
    }
    for (request, code) in [
        (json!({"datakey_length": "0"}), "KMS.1901"),
        (json!({"datakey_length": "8200"}), "KMS.1901"),
        (json!({"datakey_length": "12"}), "KMS.1903"),
        (json!({"key_spec": "DES"}), "KMS.1902"),
    ] {
        assert_eq!(kms.refused("CreateDatakey", with_key(request.clone(), &key)).await, code, "{request}");
    }
}

#[tokio::test]
async fn a_data_key_of_ones_own_is_taken_with_the_right_digest_only() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key("AES_256", "ENCRYPT_DECRYPT").await;
    let data_key = [7; 24];
    let plain = hex::encode([&data_key[..], &Sha256::digest(data_key)].concat());
    let encrypt = |plain: &str, length: &str| {
        let request = json!({"plain_text": plain, "datakey_plain_length": length});
        with_key(with_aad(request), &key)
    };
    let sealed = kms.ask("EncryptDatakey", encrypt(&plain.to_uppercase(), "24")).await;
    assert_eq!(text(&sealed, "datakey_length"), "24");
    let decrypt = |cipher: &str, length: &str| {
        let request = json!({"cipher_text": cipher, "datakey_cipher_length": length});
        with_key(with_aad(request), &key)
    };
    let cipher = text(&sealed, "cipher_text");
    let opened = kms.ask("DecryptDatakey", decrypt(&cipher.to_uppercase(), "24")).await;
    assert_eq!(text(&opened, "data_key"), hex::encode(data_key));

    assert_eq!(kms.refused("EncryptDatakey", encrypt(&plain, "25")).await, "KMS.2104");
    assert_eq!(kms.refused("EncryptDatakey", encrypt(&plain.replace("07", "08"), "24")).await, "KMS.2103");
    assert_eq!(kms.refused("EncryptDatakey", encrypt("no digits", "24")).await, "KMS.2101");
    assert_eq!(kms.refused("DecryptDatakey", decrypt(cipher, "32")).await, "KMS.2204");
    assert_eq!(kms.refused("DecryptDatakey", decrypt(&cipher[2..], "24")).await, "KMS.2201");
    let without = json!({"key_id": key, "cipher_text": cipher, "datakey_cipher_length": "24"});
    assert_eq!(kms.refused("DecryptDatakey", without).await, "KMS.2201");
    let other = kms.key("AES_256", "ENCRYPT_DECRYPT").await;
    let request = json!({"cipher_text": cipher, "datakey_cipher_length": "24"});
    assert_eq!(kms.refused("DecryptDatakey", with_key(with_aad(request), &other)).await, "KMS.2201");
}

fn with_key(mut request: Json, key: &str) -> Json {
    request["key_id"] = key.into();
    request
}

fn with_aad(mut request: Json) -> Json {
    request["additional_authenticated_data"] = "aad".into();
    request
}

#[tokio::test]
async fn only_symmetric_keys_protect_data_keys() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    for (spec, usage, code) in [
        ("SM2", "ENCRYPT_DECRYPT", "KMS.0325"),
        ("EC_P256", "SIGN_VERIFY", "KMS.0325"),
        ("HMAC_256", "GENERATE_VERIFY_MAC", "KMS.0341"),
    ] {
        let key = kms.key(spec, usage).await;
        assert_eq!(kms.refused("CreateDatakey", json!({"key_id": key})).await, code, "{spec}");
        let pair = json!({"key_id": key, "key_spec": "ECC_NIST_P256"});
        assert_eq!(kms.refused("CreateEcDatakeyPair", pair).await, code, "{spec}");
    }
}

#[tokio::test]
async fn both_halves_of_a_key_pair_belong_together() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key("AES_256", "ENCRYPT_DECRYPT").await;

    let pair = json!({"key_id": key, "key_spec": "RSA_2048", "additional_authenticated_data": "aad"});
    let pair = kms.ask("CreateRsaDatakeyPair", pair).await;
    let private = STANDARD.decode(text(&pair, "private_key_plain_text")).unwrap();
    let public = STANDARD.decode(text(&pair, "public_key")).unwrap();
    let public = RsaPublicKey::from_public_key_der(&public).unwrap();
    assert_eq!(RsaPrivateKey::from_pkcs8_der(&private).unwrap().to_public_key(), public);
    let cipher = STANDARD.encode(hex::decode(text(&pair, "private_key_cipher_text")).unwrap());
    let request = json!({"cipher_text": cipher, "additional_authenticated_data": "aad"});
    let opened = kms.ask("DecryptData", request).await;
    assert_eq!(opened["plain_text_base64"], pair["private_key_plain_text"]);

    let pair = kms.ask("CreateEcDatakeyPair", json!({"key_id": key, "key_spec": "ECC_NIST_P256"})).await;
    let private = STANDARD.decode(text(&pair, "private_key_plain_text")).unwrap();
    let private = p256::SecretKey::from_pkcs8_der(&private).unwrap();
    let public = p256::PublicKey::from_public_key_der(&STANDARD.decode(text(&pair, "public_key")).unwrap()).unwrap();
    assert_eq!(private.public_key().to_sec1_point(true), public.to_sec1_point(true));

    for spec in ["ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "SM2"] {
        let request = json!({"key_id": key, "key_spec": spec, "with_plain_text": false});
        let pair = kms.ask("CreateEcDatakeyPair", request).await;
        assert_eq!(text(&pair, "key_spec"), spec);
        assert_eq!(pair.get("private_key_plain_text"), None);
        assert!(text(&pair, "private_key_cipher_text").starts_with("0200"));
    }
    let wrong = json!({"key_id": key, "key_spec": "RSA_2048"});
    assert_eq!(kms.refused("CreateEcDatakeyPair", wrong).await, "KMS.0308");
}

#[tokio::test]
async fn random_data_and_pins_never_come_twice() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let random = kms.ask("CreateRandom", json!({"random_data_length": "512"})).await;
        assert_eq!(text(&random, "random_data").len(), 128);
        assert!(seen.insert(text(&random, "random_data").to_owned()));
        for request in [json!({"pin_type": "PlainText"}), json!({"keystore_id": "1"})] {
            let pin = kms.ask("CreatePin", request).await;
            assert_eq!(text(&pin, "pin").len(), 64);
            assert!(seen.insert(text(&pin, "pin").to_owned()));
        }
    }
    assert_eq!(kms.refused("CreateRandom", json!({"random_data_length": "9"})).await, "KMS.1802");
    assert_eq!(kms.refused("CreateRandom", json!({})).await, "KMS.0204");
    assert_eq!(kms.refused("CreatePin", json!({})).await, "KMS.0340");
    assert_eq!(kms.refused("CreatePin", json!({"keystore_id": "no such"})).await, "KMS.8003");
}
