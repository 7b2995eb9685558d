//! Small data.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use csms_emulator::Emulator;
use rsa::{Oaep, RsaPublicKey, pkcs8::DecodePublicKey};
use serde_json::json;
use sha2::Sha256;

use crate::{kms_caller::Kms, support::text};

#[tokio::test]
async fn a_ciphertext_tells_its_key_and_is_as_long_as_the_services() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    for spec in ["AES_256", "SM4"] {
        let key = kms.key(spec, "ENCRYPT_DECRYPT").await;
        let sealed = kms.ask("EncryptData", json!({"key_id": key, "plain_text": "four"})).await;
        assert_eq!(text(&sealed, "key_id"), key);
        assert_eq!(text(&sealed, "cipher_text").len(), 188);
        let opened = kms.ask("DecryptData", json!({"cipher_text": sealed["cipher_text"]})).await;
        assert_eq!(opened, json!({"key_id": key, "plain_text": "four", "plain_text_base64": "Zm91cg=="}));
    }
}

#[tokio::test]
async fn plaintexts_have_1_to_4096_bytes_not_characters() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key("AES_256", "ENCRYPT_DECRYPT").await;
    let encrypt = |text: String| json!({"key_id": key, "plain_text": text});
    let longest = "é".repeat(2048);
    let sealed = kms.ask("EncryptData", encrypt(longest.clone())).await;
    let opened = kms.ask("DecryptData", json!({"cipher_text": sealed["cipher_text"]})).await;
    assert_eq!(text(&opened, "plain_text"), longest);
    assert_eq!(kms.refused("EncryptData", encrypt(longest + "x")).await, "KMS.2101");
    assert_eq!(kms.refused("EncryptData", encrypt(String::new())).await, "KMS.2101");
}

#[tokio::test]
async fn authenticated_data_and_contexts_have_to_be_repeated() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key("AES_256", "ENCRYPT_DECRYPT").await;
    let bindings = [
        json!({}),
        json!({"additional_authenticated_data": "shop"}),
        json!({"encryption_context": {"a": "1", "b": "2"}}),
        json!({"additional_authenticated_data": "shop", "encryption_context": {"a": "1"}}),
    ];
    let with = |base: serde_json::Value, binding: &serde_json::Value| {
        let mut request = base;
        request.as_object_mut().unwrap().extend(binding.as_object().unwrap().clone());
        request
    };
    for (at, binding) in bindings.iter().enumerate() {
        let sealed = kms.ask("EncryptData", with(json!({"key_id": key, "plain_text": "text"}), binding)).await;
        for (other, repeated) in bindings.iter().enumerate() {
            let request = with(json!({"cipher_text": sealed["cipher_text"]}), repeated);
            match at == other {
                true => assert_eq!(text(&kms.ask("DecryptData", request).await, "plain_text"), "text"),
                false => assert_eq!(kms.refused("DecryptData", request).await, "KMS.2201", "{binding} {repeated}"),
            }
        }
    }
    let ordered = kms.ask("EncryptData", with(json!({"key_id": key, "plain_text": "text"}), &bindings[2])).await;
    let reversed = json!({"cipher_text": ordered["cipher_text"], "encryption_context": {"b": "2", "a": "1"}});
    assert_eq!(text(&kms.ask("DecryptData", reversed).await, "plain_text"), "text");
    let long = json!({"key_id": key, "plain_text": "text", "additional_authenticated_data": "x".repeat(129)});
    assert_eq!(kms.refused("EncryptData", long).await, "KMS.0308");
    let strange = json!({"key_id": key, "plain_text": "text", "encryption_context": {"a": 1}});
    assert_eq!(kms.refused("EncryptData", strange).await, "KMS.0208");
}

#[tokio::test]
async fn an_altered_ciphertext_is_refused() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key("AES_256", "ENCRYPT_DECRYPT").await;
    let sealed = kms.ask("EncryptData", json!({"key_id": key, "plain_text": "text"})).await;
    let bytes = STANDARD.decode(text(&sealed, "cipher_text")).unwrap();
    for at in (0..bytes.len()).step_by(13) {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let request = json!({"cipher_text": STANDARD.encode(altered)});
        assert_eq!(kms.refused("DecryptData", request).await, "KMS.2201", "byte {at}");
    }
    for nonsense in ["", "no Base64!", "AAAA"] {
        assert_eq!(kms.refused("DecryptData", json!({"cipher_text": nonsense})).await, "KMS.2201");
    }
    let other = kms.key("AES_256", "ENCRYPT_DECRYPT").await;
    let request = json!({"key_id": other, "cipher_text": sealed["cipher_text"]});
    assert_eq!(kms.refused("DecryptData", request).await, "KMS.2201");
}

#[tokio::test]
async fn what_was_encrypted_elsewhere_with_the_public_key_is_decrypted_here() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key("RSA_2048", "ENCRYPT_DECRYPT").await;
    let algorithm = "RSAES_OAEP_SHA_256";
    let most = "x".repeat(190);
    let encrypt = |text: &str| json!({"key_id": key, "plain_text": text, "encryption_algorithm": algorithm});
    let decrypt = |text: &str| json!({"key_id": key, "cipher_text": text, "encryption_algorithm": algorithm});
    let sealed = kms.ask("EncryptData", encrypt(&most)).await;
    assert_eq!(text(&kms.ask("DecryptData", decrypt(text(&sealed, "cipher_text"))).await, "plain_text"), most);
    assert_eq!(kms.refused("EncryptData", encrypt(&(most + "x"))).await, "KMS.2108");

    let without_key = json!({"cipher_text": sealed["cipher_text"], "encryption_algorithm": algorithm});
    assert_eq!(kms.refused("DecryptData", without_key).await, "KMS.0204");
    let symmetric = json!({"key_id": key, "plain_text": "text"});
    assert_eq!(kms.refused("EncryptData", symmetric).await, "KMS.2106");
    let old = json!({"key_id": key, "plain_text": "text", "encryption_algorithm": "RSAES_OAEP_SHA_1"});
    assert_eq!(kms.refused("EncryptData", old).await, "KMS.2106");

    let public = kms.ask("ShowPublicKey", json!({"key_id": key})).await;
    let public = RsaPublicKey::from_public_key_pem(text(&public, "public_key")).unwrap();
    let bytes = public.encrypt(&mut rand_core(), Oaep::<Sha256>::new(), &[0xff, 0x00]).unwrap();
    let opened = kms.ask("DecryptData", decrypt(&STANDARD.encode(bytes))).await;
    assert_eq!(text(&opened, "plain_text_base64"), "/wA=", "bytes that are no text are in the Base64");
}

fn rand_core() -> impl rsa::rand_core::CryptoRng {
    rsa::rand_core::UnwrapErr(getrandom::SysRng)
}

#[tokio::test]
async fn sm2_encrypts_only_as_sm2() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key("SM2", "ENCRYPT_DECRYPT").await;
    let encrypt = |algorithm| json!({"key_id": key, "plain_text": "text", "encryption_algorithm": algorithm});
    let sealed = kms.ask("EncryptData", encrypt("SM2_ENCRYPT")).await;
    let decrypt = json!({"key_id": key, "cipher_text": sealed["cipher_text"], "encryption_algorithm": "SM2_ENCRYPT"});
    assert_eq!(text(&kms.ask("DecryptData", decrypt).await, "plain_text"), "text");
    assert_eq!(kms.refused("EncryptData", encrypt("RSAES_OAEP_SHA_256")).await, "KMS.0308");
    let aes = kms.key("AES_256", "ENCRYPT_DECRYPT").await;
    let wrong = json!({"key_id": aes, "plain_text": "text", "encryption_algorithm": "SM2_ENCRYPT"});
    assert_eq!(kms.refused("EncryptData", wrong).await, "KMS.2105");
}

#[tokio::test]
async fn keys_for_other_uses_do_not_encrypt() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    for (spec, usage, code) in [
        ("EC_P256", "SIGN_VERIFY", "KMS.0335"),
        ("EC_P256", "KEY_AGREEMENT", "KMS.1114"),
        ("HMAC_256", "GENERATE_VERIFY_MAC", "KMS.0341"),
    ] {
        let key = kms.key(spec, usage).await;
        let request = json!({"key_id": key, "plain_text": "text"});
        assert_eq!(kms.refused("EncryptData", request).await, code, "{spec} {usage}");
    }
    let unknown = json!({"key_id": "0d0466b0-e727-4d9c-b35d-f84bb474a37f", "plain_text": "text"});
    assert_eq!(kms.refused("EncryptData", unknown).await, "KMS.0207");
    assert_eq!(kms.refused("EncryptData", json!({"key_id": "key", "plain_text": "text"})).await, "KMS.0205");
}

#[tokio::test]
async fn keys_that_are_not_enabled_neither_encrypt_nor_decrypt() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key("AES_256", "ENCRYPT_DECRYPT").await;
    let sealed = kms.ask("EncryptData", json!({"key_id": key, "plain_text": "text"})).await;
    let decrypt = json!({"cipher_text": sealed["cipher_text"]});
    kms.ask("DisableKey", json!({"key_id": key})).await;
    assert_eq!(kms.refused("EncryptData", json!({"key_id": key, "plain_text": "text"})).await, "KMS.0209");
    assert_eq!(kms.refused("DecryptData", decrypt.clone()).await, "KMS.0209");
    kms.ask("DeleteKey", json!({"key_id": key, "pending_days": "7"})).await;
    assert_eq!(kms.refused("DecryptData", decrypt).await, "KMS.0210");
    let empty = kms.key_of(json!({"origin": "external"})).await;
    assert_eq!(kms.refused("EncryptData", json!({"key_id": empty, "plain_text": "text"})).await, "KMS.1301");
}

#[tokio::test]
async fn a_ciphertext_moves_to_another_key_in_the_form_it_has() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let aes = kms.key("AES_256", "ENCRYPT_DECRYPT").await;
    let sm4 = kms.key("SM4", "ENCRYPT_DECRYPT").await;
    let rsa = kms.key("RSA_2048", "ENCRYPT_DECRYPT").await;

    let request = json!({"key_id": aes, "plain_text": "text", "additional_authenticated_data": "old"});
    let sealed = kms.ask("EncryptData", request).await;
    let request = json!({
        "cipher_text": sealed["cipher_text"],
        "source_additional_authenticated_data": "old",
        "destination_key_id": sm4,
        "destination_additional_authenticated_data": "new",
    });
    let moved = kms.ask("ReEncrypt", request).await;
    assert_eq!((text(&moved, "key_id"), text(&moved, "source_key_id")), (sm4.as_str(), aes.as_str()));
    assert_eq!(text(&moved, "destination_encryption_algorithm"), "SYMMETRIC_DEFAULT");
    let request = json!({"cipher_text": moved["cipher_text"], "additional_authenticated_data": "new"});
    assert_eq!(text(&kms.ask("DecryptData", request).await, "plain_text"), "text");
    let request = json!({"cipher_text": sealed["cipher_text"], "destination_key_id": sm4});
    assert_eq!(kms.refused("ReEncrypt", request).await, "KMS.2201");

    let made = kms.ask("CreateDatakey", json!({"key_id": aes})).await;
    let request = json!({"cipher_text": made["cipher_text"], "destination_key_id": sm4, "datakey_cipher_length": "32"});
    let moved = kms.ask("ReEncrypt", request).await;
    let request = json!({"key_id": sm4, "cipher_text": moved["cipher_text"], "datakey_cipher_length": "32"});
    assert_eq!(kms.ask("DecryptDatakey", request).await["data_key"], made["plain_text"]);

    for algorithm in ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"] {
        let sealed = kms.ask("EncryptData", json!({"key_id": aes, "plain_text": "text"})).await;
        let there = json!({
            "cipher_text": sealed["cipher_text"],
            "destination_key_id": rsa,
            "destination_encryption_algorithm": algorithm,
        });
        let there = kms.ask("ReEncrypt", there).await;
        let back = json!({
            "cipher_text": there["cipher_text"],
            "source_key_id": rsa,
            "source_encryption_algorithm": algorithm,
            "destination_key_id": aes,
        });
        let back = kms.ask("ReEncrypt", back).await;
        let opened = kms.ask("DecryptData", json!({"cipher_text": back["cipher_text"]})).await;
        assert_eq!(text(&opened, "plain_text"), "text", "{algorithm}");
    }
}
