//! Key rotation.

use serde_json::{Value as Json, json};

use crate::{
    kms_caller::{Kms, START, Timed},
    support::DAY,
};

async fn status(kms: &Kms, id: &str) -> Json {
    kms.ask("ShowKeyRotationStatus", json!({"key_id": id})).await
}

#[tokio::test]
async fn rotation_is_switched_on_and_off() {
    let kms = Timed::start().await;
    let id = kms.named("demo").await;
    let key = json!({"key_id": id});
    let off = json!({"key_rotation_enabled": false, "last_rotation_time": "", "number_of_rotations": 0});
    assert_eq!(status(&kms, &id).await, off);
    let interval = |days: i32| json!({"key_id": id, "rotation_interval": days});
    assert_eq!(kms.refused("DisableKeyRotation", key.clone()).await, "KMS.0313");
    assert_eq!(kms.refused("UpdateKeyRotationInterval", interval(30)).await, "KMS.0313");
    kms.ask("EnableKeyRotation", key.clone()).await;
    assert_eq!(kms.refused("EnableKeyRotation", key.clone()).await, "KMS.2901");
    assert_eq!(status(&kms, &id).await["rotation_interval"], 365);
    assert_eq!(kms.details(&id).await["key_rotation_enabled"], "true");
    for days in [29, 366] {
        assert_eq!(kms.refused("UpdateKeyRotationInterval", interval(days)).await, "KMS.3001");
    }
    kms.ask("UpdateKeyRotationInterval", interval(30)).await;
    assert_eq!(status(&kms, &id).await["rotation_interval"], 30);
    kms.ask("DisableKeyRotation", key).await;
    assert_eq!(status(&kms, &id).await, off);
    kms.pass(1000);
    assert_eq!(status(&kms, &id).await, off);
}

#[tokio::test]
async fn a_key_is_rotated_each_time_its_interval_is_over() {
    let kms = Timed::start().await;
    let id = kms.named("demo").await;
    kms.ask("EnableKeyRotation", json!({"key_id": id})).await;
    kms.ask("UpdateKeyRotationInterval", json!({"key_id": id, "rotation_interval": 30})).await;
    kms.pass(29);
    assert_eq!(status(&kms, &id).await["number_of_rotations"], 0);
    kms.pass(1);
    let rotated = json!({
        "key_rotation_enabled": true, "rotation_interval": 30,
        "last_rotation_time": (START + 30 * DAY).to_string(), "number_of_rotations": 1,
    });
    assert_eq!(status(&kms, &id).await, rotated);
    kms.pass(65);
    let late = status(&kms, &id).await;
    assert_eq!(late["number_of_rotations"], 3, "also those that nobody looked at happen, at their time");
    assert_eq!(late["last_rotation_time"], (START + 90 * DAY).to_string());
}

#[tokio::test]
async fn a_disabled_key_is_rotated_once_it_is_back() {
    let kms = Timed::start().await;
    let id = kms.named("demo").await;
    let key = json!({"key_id": id});
    kms.ask("EnableKeyRotation", key.clone()).await;
    kms.ask("DeleteKey", json!({"key_id": id, "pending_days": "1000"})).await;
    kms.pass(800);
    kms.ask("CancelKeyDeletion", key.clone()).await;
    let disabled = status(&kms, &id).await;
    assert_eq!((&disabled["number_of_rotations"], &disabled["key_rotation_enabled"]), (&json!(0), &json!(true)));
    kms.ask("EnableKey", key).await;
    let enabled = status(&kms, &id).await;
    assert_eq!(enabled["number_of_rotations"], 1);
    assert_eq!(enabled["last_rotation_time"], (START + 800 * DAY).to_string());
}

#[tokio::test]
async fn only_enabled_symmetric_keys_of_the_service_are_rotated() {
    let kms = Timed::start().await;
    for (request, code) in [
        (json!({"origin": "external"}), "KMS.0312"),
        (json!({"key_spec": "EC_P256"}), "KMS.0325"),
        (json!({"key_spec": "RSA_2048", "origin": "external"}), "KMS.0324"),
        (json!({"key_spec": "HMAC_256"}), "KMS.0341"),
    ] {
        let mut create = request.clone();
        create["key_alias"] = code.replace('.', "-").into();
        let id = kms.key_of(create).await;
        assert_eq!(kms.refused("EnableKeyRotation", json!({"key_id": id})).await, code, "{request}");
    }
    let keystore = kms.keystore().await;
    let id = kms.key_of(json!({"key_alias": "elsewhere", "keystore_id": keystore})).await;
    assert_eq!(kms.refused("EnableKeyRotation", json!({"key_id": id})).await, "KMS.0338");
    let id = kms.named("disabled").await;
    kms.ask("DisableKey", json!({"key_id": id})).await;
    assert_eq!(kms.refused("EnableKeyRotation", json!({"key_id": id})).await, "KMS.0209");
}

#[tokio::test]
async fn what_was_encrypted_before_a_rotation_is_decrypted_after_it() {
    let kms = Timed::start().await;
    let id = kms.named("demo").await;
    let before = kms.ask("EncryptData", json!({"key_id": id, "plain_text": "old"})).await;
    kms.ask("EnableKeyRotation", json!({"key_id": id})).await;
    kms.pass(366);
    let after = kms.ask("EncryptData", json!({"key_id": id, "plain_text": "new"})).await;
    assert_eq!(status(&kms, &id).await["number_of_rotations"], 1);
    for (sealed, plain_text) in [(before, "old"), (after, "new")] {
        let opened = kms.ask("DecryptData", json!({"cipher_text": sealed["cipher_text"]})).await;
        assert_eq!((&opened["plain_text"], &opened["key_id"]), (&json!(plain_text), &json!(id)));
    }
}
