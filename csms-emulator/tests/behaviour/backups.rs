//! Backup and restore of secrets.

use csms_emulator::Emulator;
use csms_sdk::Client;
use serde_json::{Value as Json, json};

use crate::{
    secrets::key,
    support::{csms, refusal},
};

const PREFIX: &str = ")CloudSecretManagementBackupV1.com";

async fn back_up(client: &Client) -> String {
    let answer = csms(client, "DownloadSecretBlob", json!({"secret_name": "demo"})).await.unwrap();
    answer["secret_blob"].as_str().unwrap().to_owned()
}

async fn restore(client: &Client, blob: &str) -> Result<Json, csms_sdk::Error> {
    csms(client, "UploadSecretBlob", json!({"secret_blob": blob})).await
}

async fn versions(client: &Client) -> Json {
    csms(client, "ListSecretVersions", json!({"secret_name": "demo"})).await.unwrap()
}

#[tokio::test]
async fn a_backup_brings_a_deleted_secret_back_with_all_its_versions() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let request = json!({"name": "demo", "secret_string": "a value to be found", "description": "kept"});
    csms(&client, "CreateSecret", request).await.unwrap();
    csms(&client, "CreateSecretVersion", json!({"secret_name": "demo", "secret_string": "two"})).await.unwrap();
    csms(&client, "UpdateSecretStage", json!({"secret_name": "demo", "stage_name": "blue", "version_id": "v1"}))
        .await
        .unwrap();
    let before = versions(&client).await;
    let blob = back_up(&client).await;
    assert!(blob.starts_with(PREFIX));
    assert_ne!(blob, back_up(&client).await, "sealed anew each time");
    assert_eq!(refusal(restore(&client, &blob).await), (409, "CSMS.0101".into()));

    csms(&client, "DeleteSecret", json!({"secret_name": "demo"})).await.unwrap();
    let restored = restore(&client, &blob).await.unwrap()["secret"].clone();
    assert_eq!((&restored["name"], &restored["state"]), (&json!("demo"), &json!("ENABLED")));
    assert_eq!(restored["description"], "kept");
    assert_eq!(versions(&client).await, before);
    let first = csms(&client, "ShowSecretVersion", json!({"secret_name": "demo", "version_id": "v1"})).await.unwrap();
    assert_eq!(first["version"]["secret_string"], "a value to be found");
    let next =
        csms(&client, "CreateSecretVersion", json!({"secret_name": "demo", "secret_string": "3"})).await.unwrap();
    assert_eq!(next["version_metadata"]["id"], "v3");
}

#[tokio::test]
async fn an_altered_backup_is_refused() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    csms(&client, "CreateSecret", json!({"name": "demo", "secret_string": "value"})).await.unwrap();
    let blob = back_up(&client).await;
    csms(&client, "DeleteSecret", json!({"secret_name": "demo"})).await.unwrap();
    let parts: Vec<_> = blob[PREFIX.len()..].split('.').collect();
    assert_eq!(parts.len(), 5);
    for part in 1..parts.len() {
        let mut altered: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
        let other = if altered[part].starts_with('A') { "B" } else { "A" };
        altered[part].replace_range(..1, other);
        let refused = restore(&client, &format!("{PREFIX}{}", altered.join("."))).await;
        assert_eq!(refusal(refused), (400, "CSMS.0002".into()), "part {part}");
    }
    for wrong in ["", "value", PREFIX, &blob[..blob.len() - 1], &format!("{PREFIX}{}", parts[..4].join("."))] {
        assert_eq!(refusal(restore(&client, wrong).await), (400, "CSMS.0002".into()), "{wrong}");
    }
    restore(&client, &blob).await.unwrap();
}

#[tokio::test]
async fn a_backup_opens_only_where_its_key_is() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let request = json!({"name": "demo", "secret_string": "value", "kms_key_id": key(&client, "mine").await});
    csms(&client, "CreateSecret", request).await.unwrap();
    let blob = back_up(&client).await;
    let elsewhere = client.for_region("cn-east-3").unwrap();
    assert_eq!(refusal(restore(&elsewhere, &blob).await), (400, "CSMS.0401".into()));
}
