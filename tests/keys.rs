//! Keys: created, and given material of one's own.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::time::{Duration, UNIX_EPOCH};

use csms_emulator::Emulator;
use csms_sdk::{
    Client, ErrorKind, SecretBytes, Timestamp,
    keys::{self, Import},
    kms::{
        CreateKey, CreateParametersForImport, DeleteImportedKeyMaterial, DeleteKey, EncryptData, ImportKeyMaterial,
        KeyOrigin, KeySpec, KeyState, KeyUsage, ListKeyDetail,
    },
    testing::Script,
};
use rsa::pkcs8::EncodePrivateKey as _;
use serde_json::json;

const MATERIAL: [u8; 32] = *b"hunter2 hunter2 hunter2 hunter2 ";

async fn external(client: &Client, spec: KeySpec, usage: KeyUsage) -> String {
    let request = CreateKey::new("k").key_spec(spec).key_usage(usage).origin(KeyOrigin::External);
    keys::create(client, request).await.unwrap().key_id.unwrap()
}

async fn state(client: &Client, id: &str) -> Option<KeyState> {
    ListKeyDetail::new(id).send(client).await.unwrap().into_body().key_info.unwrap().key_state
}

fn material() -> SecretBytes {
    MATERIAL.to_vec().into()
}

#[tokio::test]
async fn imported_material_makes_a_symmetric_key_work() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = external(&client, KeySpec::Aes256, KeyUsage::EncryptDecrypt).await;
    assert_eq!(state(&client, &id).await, Some(KeyState::PendingImport));
    Import::new(&id, material()).send(&client).await.unwrap();
    assert_eq!(state(&client, &id).await, Some(KeyState::Enabled));
    EncryptData::new(&id, "text").send(&client).await.unwrap();

    DeleteImportedKeyMaterial::new(&id).send(&client).await.unwrap();
    let other: SecretBytes = vec![7; 32].into();
    assert_eq!(Import::new(&id, other).send(&client).await.unwrap_err().code(), Some("KMS.2606"));
    Import::new(&id, material()).send(&client).await.unwrap();
    assert_eq!(state(&client, &id).await, Some(KeyState::Enabled));
}

#[tokio::test]
async fn imported_material_expires_when_it_should() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = external(&client, KeySpec::Aes256, KeyUsage::EncryptDecrypt).await;
    let now = UNIX_EPOCH.elapsed().unwrap().as_secs();
    let expiry = Timestamp::from_seconds(i64::try_from(now).unwrap() + 3600);
    Import::new(&id, material()).expires(expiry).send(&client).await.unwrap();
    emulator.advance(Duration::from_secs(2 * 3600));
    assert_eq!(state(&client, &id).await, Some(KeyState::PendingImport));
}

#[tokio::test]
async fn private_keys_are_imported_from_der_and_pem() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = external(&client, KeySpec::EcP256, KeyUsage::SignVerify).await;
    let key = <p256::SecretKey as p256::elliptic_curve::Generate>::generate();
    let pem = p256::pkcs8::EncodePrivateKey::to_pkcs8_pem(&key, p256::pkcs8::LineEnding::LF).unwrap();
    Import::new(&id, pem.as_bytes().to_vec()).send(&client).await.unwrap();
    assert_eq!(state(&client, &id).await, Some(KeyState::Enabled));

    let rsa = rsa::RsaPrivateKey::new(&mut getrandom::rand_core::UnwrapErr(getrandom::SysRng), 2048).unwrap();
    let request = CreateKey::new("r").key_spec(KeySpec::Rsa2048).origin(KeyOrigin::External);
    let id = keys::create(&client, request).await.unwrap().key_id.unwrap();
    Import::new(&id, rsa.to_pkcs8_der().unwrap().as_bytes().to_vec()).send(&client).await.unwrap();
    assert_eq!(state(&client, &id).await, Some(KeyState::Enabled));
}

#[tokio::test]
async fn nothing_is_asked_for_where_material_cannot_be_imported() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    // So that asking would be noticed.
    emulator.set_faults(&json!([{"operation": "CreateParametersForImport", "status": 403}])).unwrap();
    let own = keys::create(&client, CreateKey::new("own")).await.unwrap().key_id.unwrap();
    let error = Import::new(&own, material()).send(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.last_state()), (ErrorKind::Conflict, None), "{error}");
    let id = external(&client, KeySpec::Aes256, KeyUsage::EncryptDecrypt).await;
    let error = Import::new(&id, b"hunter2".to_vec()).send(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("material")), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    DeleteKey::new(&id, 7).send(&client).await.unwrap();
    let error = Import::new(&id, material()).send(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.last_state()), (ErrorKind::Conflict, Some("4")), "{error}");
}

#[tokio::test]
async fn a_wrapping_key_that_is_none_is_an_unexpected_answer() {
    let script = Script::new();
    let key = json!({"key_info": {"key_id": "k", "key_spec": "AES_256", "origin": "external", "key_state": "5"}});
    for answer in [json!({}), json!({"import_token": "dG9rZW4=", "public_key": "AAEC"})] {
        script.on::<ListKeyDetail>().answer(key.clone());
        script.on::<CreateParametersForImport>().answer(answer);
        let error =
            Import::new("0d0466b0-e727-4d9c-b35d-f84bb474a37f", material()).send(&script.client()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer, "{error}");
    }
    assert!(script.sent_to::<ImportKeyMaterial>().is_empty());
}

#[tokio::test]
async fn a_key_that_is_to_be_deleted_is_not_taken_for_a_new_one() {
    // Refused, as most regions do it.
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = keys::create(&client, CreateKey::new("k")).await.unwrap().key_id.unwrap();
    let error = keys::create(&client, CreateKey::new("k")).await.unwrap_err();
    assert_eq!((error.kind(), error.last_state()), (ErrorKind::Conflict, None), "{error}");
    DeleteKey::new(&id, 7).send(&client).await.unwrap();
    let error = keys::create(&client, CreateKey::new("k")).await.unwrap_err();
    assert_eq!((error.kind(), error.last_state()), (ErrorKind::Conflict, Some("4")), "{error}");
    assert!(error.help().unwrap().contains(&id));

    // Answered with the old id, as some do it.
    let script = Script::new();
    script.on::<CreateKey>().answer(json!({"key_info": {"key_id": "old"}}));
    script.on::<ListKeyDetail>().answer(json!({"key_info": {"key_id": "old", "key_state": "4"}}));
    let error = keys::create(&script.client(), CreateKey::new("k")).await.unwrap_err();
    assert_eq!((error.kind(), error.last_state()), (ErrorKind::Conflict, Some("4")), "{error}");
    assert!(error.help().unwrap().contains("old"));
}

#[tokio::test]
async fn a_key_that_may_not_be_looked_at_was_created_all_the_same() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    emulator.set_faults(&json!([{"operation": "ListKeyDetail", "status": 403}])).unwrap();
    let details = keys::create(&client, CreateKey::new("k")).await.unwrap();
    assert_eq!(keys::find(&client, "k").await.unwrap(), details.key_id.unwrap());
}
