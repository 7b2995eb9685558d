//! Key material of one's own.

use std::time::Duration;

use aes_kw::{KeyInit, KwpAes256};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use csms_emulator::Emulator;
use csms_sdk::clock::Clock;
use p256::{
    ecdsa::signature::Verifier,
    elliptic_curve::Generate,
    pkcs8::{EncodePrivateKey, EncodePublicKey},
};
use rsa::{Oaep, RsaPublicKey, pkcs8::DecodePublicKey};
use serde_json::{Value as Json, json};
use sha2::Sha256;

use crate::{
    kms_caller::Kms,
    support::{pass_days, text},
};

/// Parameters for the import into a key.
async fn parameters(kms: &Kms, key: &str) -> Json {
    let request = json!({"key_id": key, "wrapping_algorithm": "RSAES_OAEP_SHA_256"});
    kms.ask("CreateParametersForImport", request).await
}

/// The import of this material.
pub(crate) fn import(parameters: &Json, material: &[u8]) -> Json {
    let public = STANDARD.decode(text(parameters, "public_key")).unwrap();
    let public = RsaPublicKey::from_public_key_der(&public).unwrap();
    let mut rng = rsa::rand_core::UnwrapErr(getrandom::SysRng);
    let wrapped = public.encrypt(&mut rng, Oaep::<Sha256>::new(), material).unwrap();
    json!({
        "key_id": parameters["key_id"],
        "import_token": parameters["import_token"],
        "encrypted_key_material": STANDARD.encode(wrapped),
    })
}

async fn state(kms: &Kms, key: &str) -> String {
    let answer = kms.ask("ListKeyDetail", json!({"key_id": key})).await;
    text(&answer["key_info"], "key_state").to_owned()
}

#[tokio::test]
async fn a_key_works_once_its_material_is_imported_and_again_after_its_return() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key_of(json!({"origin": "external"})).await;
    assert_eq!(state(&kms, &key).await, "5");
    let parameters = parameters(&kms, &key).await;
    assert!(parameters["expiration_time"].as_i64().unwrap() < 10_000_000_000, "these are seconds");
    assert_eq!(kms.ask("ImportKeyMaterial", import(&parameters, &[1; 32])).await, json!({}));
    assert_eq!(state(&kms, &key).await, "2");
    let sealed = kms.ask("EncryptData", json!({"key_id": key, "plain_text": "text"})).await;
    let decrypt = json!({"cipher_text": sealed["cipher_text"]});

    kms.ask("DeleteImportedKeyMaterial", json!({"key_id": key})).await;
    assert_eq!(state(&kms, &key).await, "5");
    assert_eq!(kms.refused("DecryptData", decrypt.clone()).await, "KMS.1301");
    assert_eq!(kms.refused("DeleteImportedKeyMaterial", json!({"key_id": key})).await, "KMS.2701");
    assert_eq!(kms.refused("ImportKeyMaterial", import(&parameters, &[2; 32])).await, "KMS.2606");
    kms.ask("ImportKeyMaterial", import(&parameters, &[1; 32])).await;
    assert_eq!(text(&kms.ask("DecryptData", decrypt).await, "plain_text"), "text");
}

#[tokio::test]
async fn an_import_is_refused_for_what_is_wrong_with_it() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key_of(json!({"origin": "external"})).await;
    let other = kms.key_of(json!({"origin": "external"})).await;
    let parameters = parameters(&kms, &key).await;
    let good = import(&parameters, &[1; 32]);
    let changed = |name: &str, value: Json| {
        let mut request = good.clone();
        request[name] = value;
        request
    };
    let mut token = STANDARD.decode(text(&parameters, "import_token")).unwrap();
    token[100] ^= 1;
    for (request, code) in [
        (changed("key_id", other.into()), "KMS.2603"),
        (changed("import_token", STANDARD.encode(token).into()), "KMS.2605"),
        (changed("import_token", "AAAA".into()), "KMS.2605"),
        (changed("expiration_time", 1_500_000_000.into()), "KMS.2602"),
        (changed("encrypted_key_material", STANDARD.encode([1; 256]).into()), "KMS.0311"),
        (import(&parameters, &[1; 31]), "KMS.2604"),
    ] {
        assert_eq!(kms.refused("ImportKeyMaterial", request).await, code);
    }
    assert_eq!(state(&kms, &key).await, "5");
    let own = kms.key("AES_256", "ENCRYPT_DECRYPT").await;
    let request = json!({"key_id": own, "wrapping_algorithm": "RSAES_OAEP_SHA_256"});
    assert_eq!(kms.refused("CreateParametersForImport", request).await, "KMS.0309");
}

#[tokio::test]
async fn a_private_key_comes_under_a_temporary_key_and_stays() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key_of(json!({"origin": "external", "key_spec": "EC_P256"})).await;
    let parameters = parameters(&kms, &key).await;
    let private = p256::SecretKey::generate();
    let der = private.to_pkcs8_der().unwrap();
    let mut wrapped = vec![0; der.as_bytes().len().next_multiple_of(8) + 8];
    KwpAes256::new_from_slice(&[9; 32]).unwrap().wrap_key(der.as_bytes(), &mut wrapped).unwrap();

    let mut request = import(&parameters, &[9; 32]);
    assert_eq!(kms.refused("ImportKeyMaterial", request.clone()).await, "KMS.2608");
    request["encrypted_privatekey"] = STANDARD.encode(&wrapped[8..]).into();
    assert_eq!(kms.refused("ImportKeyMaterial", request.clone()).await, "KMS.2609");
    let mut short = import(&parameters, &[9; 24]);
    short["encrypted_privatekey"] = STANDARD.encode(&wrapped).into();
    assert_eq!(kms.refused("ImportKeyMaterial", short).await, "KMS.2610");
    request["encrypted_privatekey"] = STANDARD.encode(&wrapped).into();
    kms.ask("ImportKeyMaterial", request).await;

    let request = json!({
        "key_id": key, "signing_algorithm": "ECDSA_SHA_256", "message_type": "RAW",
        "message": STANDARD.encode("message"),
    });
    let signed = kms.ask("Sign", request).await;
    let signature = STANDARD.decode(text(&signed, "signature")).unwrap();
    let public = p256::ecdsa::VerifyingKey::from(private.public_key());
    public.verify(b"message", &p256::ecdsa::Signature::from_der(&signature).unwrap()).unwrap();
    let shown = kms.ask("ShowPublicKey", json!({"key_id": key})).await;
    let expected = private.public_key().to_public_key_pem(p256::pkcs8::LineEnding::CRLF).unwrap();
    assert_eq!(text(&shown, "public_key"), expected);
    assert_eq!(kms.refused("DeleteImportedKeyMaterial", json!({"key_id": key})).await, "KMS.2702");
}

#[tokio::test]
async fn a_rotation_on_demand_brings_new_material_into_use_and_keeps_the_old() {
    let emulator = Emulator::start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key_of(json!({"origin": "external"})).await;
    let parameters = parameters(&kms, &key).await;
    kms.ask("ImportKeyMaterial", import(&parameters, &[1; 32])).await;
    assert_eq!(kms.refused("RotateOnDemand", json!({"key_id": key})).await, "KMS.0310");
    let encrypt = json!({"key_id": key, "plain_text": "text"});
    let old = kms.ask("EncryptData", encrypt.clone()).await;
    kms.ask("ImportKeyMaterial", import(&parameters, &[2; 32])).await;
    assert_eq!(kms.ask("RotateOnDemand", json!({"key_id": key})).await, json!({"key_id": key}));
    let new = kms.ask("EncryptData", encrypt).await;
    let opened = async |sealed: &Json| {
        let opened = kms.ask("DecryptData", json!({"cipher_text": sealed["cipher_text"]})).await;
        text(&opened, "plain_text").to_owned()
    };
    assert_eq!((opened(&old).await, opened(&new).await), ("text".to_owned(), "text".to_owned()));

    // All that was deleted has to come back, the oldest first.
    kms.ask("DeleteImportedKeyMaterial", json!({"key_id": key})).await;
    assert_eq!(kms.refused("ImportKeyMaterial", import(&parameters, &[2; 32])).await, "KMS.2606");
    kms.ask("ImportKeyMaterial", import(&parameters, &[1; 32])).await;
    assert_eq!(state(&kms, &key).await, "5");
    kms.ask("DeleteKey", json!({"key_id": key, "pending_days": "7"})).await;
    kms.ask("CancelKeyDeletion", json!({"key_id": key})).await;
    assert_eq!(state(&kms, &key).await, "5", "a deletion that is cancelled does not bring it back");
    kms.ask("ImportKeyMaterial", import(&parameters, &[2; 32])).await;
    assert_eq!((opened(&old).await, opened(&new).await), ("text".to_owned(), "text".to_owned()));
}

#[tokio::test]
async fn tokens_outlive_a_restart_and_expire_after_a_day_as_material_does_when_it_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data");
    let start = || Emulator::builder().data(&file).start();

    let emulator = start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.key_of(json!({"origin": "external"})).await;
    let parameters = parameters(&kms, &key).await;
    drop(kms);
    emulator.shutdown().await;

    let emulator = start().await.unwrap();
    let kms = Kms::of(&emulator);
    let expiration = Clock::system().now().timestamp() + 3600;
    let mut request = import(&parameters, &[1; 32]);
    request["expiration_time"] = expiration.into();
    kms.ask("ImportKeyMaterial", request).await;
    let shown = kms.ask("ListKeyDetail", json!({"key_id": key})).await;
    assert_eq!(text(&shown["key_info"], "expiration_time"), (expiration * 1000).to_string());
    assert_eq!(state(&kms, &key).await, "2");
    emulator.advance(Duration::from_secs(3601));
    assert_eq!(state(&kms, &key).await, "5");
    kms.ask("ImportKeyMaterial", import(&parameters, &[1; 32])).await;
    assert_eq!(state(&kms, &key).await, "2");
    pass_days(&emulator, 1);
    assert_eq!(kms.refused("ImportKeyMaterial", import(&parameters, &[1; 32])).await, "KMS.2601");
}
