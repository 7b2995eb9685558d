//! Many secrets in one call.

use csms_emulator::{Emulator, Quotas};
use serde_json::{Value as Json, json};

use crate::support::{csms, refusal};

fn database(name: &str, secret_type: &str, config: &str) -> Json {
    json!({
        "name": name, "secret_string": "{}", "secret_type": secret_type, "rotation_config": config,
        "rotation_func_urn": "urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:function:default:rotate:latest",
    })
}

#[tokio::test]
async fn an_import_creates_what_it_can_and_tells_of_the_rest() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    csms(&client, "CreateSecret", json!({"name": "taken", "secret_string": "old"})).await.unwrap();
    let secrets = json!([
        {"name": "taken", "secret_string": "new"},
        {"name": "text", "secret_string": "a", "description": "imported"},
        {"name": "binary", "secret_binary": "AAEC"},
        {"name": "text", "secret_string": "b"},
    ]);
    let answer = csms(&client, "BatchImportSecrets", json!({"secrets": secrets})).await.unwrap();
    assert_eq!((&answer["total"], &answer["success"], &answer["failed"]), (&json!(4), &json!(2), &json!(2)));
    let error = |name: &str| json!({"name": name, "error_msg": "The secret name already exists."});
    assert_eq!(answer["error_list"], json!([error("taken"), error("text")]));
    for (name, value) in [("taken", "old"), ("text", "a")] {
        let version =
            csms(&client, "ShowSecretVersion", json!({"secret_name": name, "version_id": "v1"})).await.unwrap();
        assert_eq!(version["version"]["secret_string"], value, "{name}");
    }
    let shown = csms(&client, "ShowSecret", json!({"secret_name": "text"})).await.unwrap();
    assert_eq!(shown["secret"]["description"], "imported");
}

#[tokio::test]
async fn an_import_stops_at_the_quota() {
    let mut quotas = Quotas::default();
    quotas.secrets = 1;
    let emulator = Emulator::builder().quotas(quotas).start().await.unwrap();
    let client = emulator.client();
    let secrets = json!([{"name": "a", "secret_string": ""}, {"name": "b", "secret_string": ""}]);
    let answer = csms(&client, "BatchImportSecrets", json!({"secrets": secrets})).await.unwrap();
    assert_eq!((&answer["success"], &answer["error_list"][0]["name"]), (&json!(1), &json!("b")));
    let full = csms(&client, "BatchImportSecrets", json!({"secrets": secrets})).await;
    assert_eq!(refusal(full), (400, "CSMS.0202".into()));
}

#[tokio::test]
async fn the_secrets_of_an_instance_go_together() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let secrets = json!([
        {"name": "common", "secret_string": "", "rotation_config": r#"{"InstanceId":"one"}"#},
        database("first", "RDS-FG", r#"{"InstanceId":"one","SecretSubType":"SingleUser"}"#),
        database("quoted", "RDS-FG", "{'InstanceId':'one','SecretSubType':'SingleUser'}"),
        database("pending", "RDS-FG", r#"{"InstanceId":"one","SecretSubType":"SingleUser"}"#),
        database("taurus", "GaussDB-FG", r#"{"InstanceId":"one","SecretSubType":"SingleUser"}"#),
        database("other", "RDS-FG", r#"{"InstanceId":"two","SecretSubType":"SingleUser"}"#),
    ]);
    let imported = csms(&client, "BatchImportSecrets", json!({"secrets": secrets})).await.unwrap();
    assert_eq!(imported["success"], 6, "{imported}");
    let pending = json!({"secret_name": "pending", "recovery_window_in_days": 7});
    csms(&client, "DeleteSecretForSchedule", pending).await.unwrap();
    let of = |kind: &str| json!({"instance_id": "one", "instance_type": kind});
    let none = csms(&client, "BatchDeleteSecrets", of("APIG")).await.unwrap();
    assert_eq!(none, json!({"total": 0, "success_secrets": [], "failed_secrets": []}));
    let deleted = csms(&client, "BatchDeleteSecrets", of("RDS")).await.unwrap();
    assert_eq!(
        deleted,
        json!({"total": 3, "success_secrets": ["first", "quoted"], "failed_secrets": [{"secret_name": "pending"}]})
    );
    let left = csms(&client, "ListSecrets", json!({})).await.unwrap();
    let left: Vec<_> = left["secrets"].as_array().unwrap().iter().map(|secret| &secret["name"]).collect();
    assert_eq!(left, ["common", "other", "pending", "taurus"]);
}
