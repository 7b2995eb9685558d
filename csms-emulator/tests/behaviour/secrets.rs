//! The life of a secret.

use csms_emulator::{Emulator, Quotas};
use csms_sdk::{Client, kms};
use serde_json::{Value as Json, json};

use crate::support::{csms, members, pass_days, refusal};

const FUNCTION: &str = "urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:function:default:rotate-rds:latest";
const CONFIG: &str = r#"{"InstanceId":"63616bceef2c45409575d762a498318bin01","SecretSubType":"MultiUser"}"#;

async fn create(client: &Client, name: &str) -> Json {
    csms(client, "CreateSecret", json!({"name": name, "secret_string": "value"})).await.unwrap()["secret"].clone()
}

async fn show(client: &Client, name: &str) -> Json {
    csms(client, "ShowSecret", json!({"secret_name": name})).await.unwrap()["secret"].clone()
}

fn names(page: &Json) -> Vec<&str> {
    page["secrets"].as_array().unwrap().iter().map(|secret| secret["name"].as_str().unwrap()).collect()
}

/// The id of a new key.
pub(crate) async fn key(client: &Client, alias: &str) -> String {
    let answer = kms::CreateKey::new(alias).send(client).await.unwrap();
    answer.key_info.as_ref().unwrap().key_id.clone().unwrap()
}

#[tokio::test]
async fn a_plain_secret_has_the_defaults_and_nothing_that_is_not_set() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let created = create(&client, "demo.one").await;
    assert_eq!(
        members(&created),
        [
            "auto_rotation",
            "create_time",
            "description",
            "domain_id",
            "enterprise_project_id",
            "event_subscriptions",
            "id",
            "kms_key_id",
            "name",
            "replica_type",
            "replicas",
            "secret_type",
            "state",
            "update_time",
        ]
    );
    assert_eq!(created["name"], "demo.one", "dots are allowed");
    assert_eq!((&created["state"], &created["secret_type"]), (&json!("ENABLED"), &json!("COMMON")));
    assert_eq!((&created["description"], &created["event_subscriptions"]), (&json!(""), &json!([])));
    assert_eq!((&created["replica_type"], &created["enterprise_project_id"]), (&json!("STANDALONE"), &json!("0")));
    assert_eq!(show(&client, "demo.one").await, created);
    let default = kms::ListKeyDetail::new(created["kms_key_id"].as_str().unwrap()).send(&client).await.unwrap();
    assert_eq!(default.key_info.as_ref().unwrap().key_alias.as_deref(), Some("csms/default"));
    assert_eq!(create(&client, "other").await["kms_key_id"], created["kms_key_id"], "made once");
}

#[tokio::test]
async fn a_database_secret_needs_its_settings_of_rotation() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let full = json!({
        "name": "db", "secret_string": "{}", "secret_type": "RDS-FG", "auto_rotation": true, "rotation_period": "1d",
        "rotation_config": CONFIG, "rotation_func_urn": FUNCTION, "description": "account of the shop",
    });
    for needed in ["rotation_config", "rotation_func_urn", "rotation_period"] {
        let mut request = full.clone();
        request.as_object_mut().unwrap().remove(needed);
        let error = csms(&client, "CreateSecret", request).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(400), Some("CSMS.0002")), "{needed}");
        assert!(error.message().contains(needed), "{}", error.message());
    }
    let secret = csms(&client, "CreateSecret", full).await.unwrap()["secret"].clone();
    assert_eq!(secret["rotation_config"], CONFIG);
    assert_eq!(secret["rotation_func_urn"], FUNCTION);
    let created = secret["create_time"].as_i64().unwrap();
    assert_eq!(secret["next_rotation_time"], created + 86_400_000);

    let off = json!({"secret_name": "db", "auto_rotation": false, "rotation_period": "12h"});
    let secret = csms(&client, "UpdateSecret", off).await.unwrap()["secret"].clone();
    assert_eq!((&secret["rotation_period"], secret.get("next_rotation_time")), (&json!("12h"), None));
    let on = json!({"secret_name": "db", "auto_rotation": true});
    let secret = csms(&client, "UpdateSecret", on).await.unwrap()["secret"].clone();
    assert_eq!(secret["next_rotation_time"], secret["update_time"].as_i64().unwrap() + 43_200_000);
    let clear = json!({"secret_name": "db", "rotation_func_urn": ""});
    assert_eq!(refusal(csms(&client, "UpdateSecret", clear).await), (400, "CSMS.0002".into()));
    assert_eq!(show(&client, "db").await["rotation_func_urn"], FUNCTION);
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_and_leaves_nothing_behind() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let wrong = [
        (json!({"name": "a b", "secret_string": ""}), "name"),
        (json!({"name": "demo"}), "secret_string"),
        (json!({"name": "demo", "secret_string": "", "secret_binary": ""}), "secret_string"),
        (json!({"name": "demo", "secret_binary": "no Base64"}), "secret_binary"),
        (json!({"name": "demo", "secret_string": "x".repeat(65_537)}), "secret_string"),
        (json!({"name": "demo", "secret_string": "", "description": "x".repeat(2049)}), "description"),
        (json!({"name": "demo", "secret_string": "", "secret_type": "RDS"}), "secret_type"),
        (json!({"name": "demo", "secret_string": "", "auto_rotation": true}), "auto_rotation"),
        (json!({"name": "demo", "secret_string": "", "rotation_period": "1h"}), "rotation_period"),
        (json!({"name": "demo", "secret_string": "", "event_subscriptions": ["none"]}), "event_subscriptions"),
    ];
    for (request, field) in wrong {
        let error = csms(&client, "CreateSecret", request).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(400), Some("CSMS.0002")), "{field}");
        assert!(error.message().contains(&format!("`{field}`")), "{field}: {}", error.message());
    }
    let unknown = json!({"name": "demo", "secret_string": "", "kms_key_id": "0d0466b0-e727-4d9c-b35d-f84bb474a37f"});
    assert_eq!(refusal(csms(&client, "CreateSecret", unknown).await), (400, "CSMS.0401".into()));
    let page = csms(&client, "ListSecrets", json!({})).await.unwrap();
    assert_eq!(page["secrets"], json!([]));
    assert_eq!(page["page_info"], json!({"next_marker": null, "previous_marker": null, "current_count": 0}));
    create(&client, "demo").await;
    let again = csms(&client, "CreateSecret", json!({"name": "demo", "secret_string": ""})).await;
    assert_eq!(refusal(again), (409, "CSMS.0101".into()));
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_empty_values_clear() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let created = create(&client, "demo").await;
    let key = key(&client, "mine").await;
    let request = json!({"secret_name": "demo", "kms_key_id": key, "description": "new"});
    let updated = csms(&client, "UpdateSecret", request).await.unwrap()["secret"].clone();
    assert_eq!((&updated["kms_key_id"], &updated["description"]), (&json!(key), &json!("new")));
    let request = json!({"secret_name": "demo", "description": "", "event_subscriptions": []});
    let cleared = csms(&client, "UpdateSecret", request).await.unwrap()["secret"].clone();
    assert_eq!((&cleared["kms_key_id"], &cleared["description"]), (&json!(key), &json!("")));
    assert_eq!(cleared["create_time"], created["create_time"]);
    assert!(cleared["update_time"].as_i64() >= created["update_time"].as_i64());
    let missing = json!({"secret_name": "other", "description": ""});
    assert_eq!(refusal(csms(&client, "UpdateSecret", missing).await), (404, "CSMS.0106".into()));
}

#[tokio::test]
async fn pages_follow_each_other_to_the_last_which_names_no_next() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    for name in ["c", "a", "e", "b", "d"] {
        create(&client, name).await;
    }
    let first = csms(&client, "ListSecrets", json!({"limit": 2})).await.unwrap();
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["page_info"], json!({"next_marker": "b", "previous_marker": "a", "current_count": 2}));
    let last = csms(&client, "ListSecrets", json!({"limit": 3, "marker": "b"})).await.unwrap();
    assert_eq!(names(&last), ["c", "d", "e"]);
    assert_eq!(last["page_info"], json!({"next_marker": null, "previous_marker": "c", "current_count": 3}));
    let beyond = csms(&client, "ListSecrets", json!({"limit": 3, "marker": "e"})).await.unwrap();
    assert_eq!(beyond["secrets"], json!([]));
    for limit in [0, 1001] {
        let refused = csms(&client, "ListSecrets", json!({"limit": limit})).await;
        assert_eq!(refusal(refused), (400, "CSMS.0002".into()), "{limit}");
    }
}

#[tokio::test]
async fn a_scheduled_deletion_can_be_cancelled_until_its_time_comes() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create(&client, "demo").await;
    let request = |days: i64| json!({"secret_name": "demo", "recovery_window_in_days": days});
    for days in [6, 31] {
        let refused = csms(&client, "DeleteSecretForSchedule", request(days)).await;
        assert_eq!(refusal(refused), (400, "CSMS.0002".into()), "{days}");
    }
    let cancel = || csms(&client, "RestoreSecret", json!({"secret_name": "demo"}));
    assert_eq!(refusal(cancel().await), (400, "CSMS.0108".into()));

    let pending = csms(&client, "DeleteSecretForSchedule", request(7)).await.unwrap()["secret"].clone();
    assert_eq!(pending["state"], "PENDING_DELETE");
    let scheduled = pending["scheduled_delete_time"].as_i64().unwrap();
    assert_eq!(scheduled, pending["update_time"].as_i64().unwrap() + 7 * 86_400_000);
    let restored = cancel().await.unwrap()["secret"].clone();
    assert_eq!((&restored["state"], restored.get("scheduled_delete_time")), (&json!("ENABLED"), None));
    pass_days(&emulator, 8);
    assert_eq!(show(&client, "demo").await["state"], "ENABLED", "the cancelled time has no effect");

    csms(&client, "DeleteSecretForSchedule", request(8)).await.unwrap();
    pass_days(&emulator, 7);
    assert_eq!(show(&client, "demo").await["state"], "PENDING_DELETE");
    pass_days(&emulator, 1);
    let gone = csms(&client, "ShowSecret", json!({"secret_name": "demo"})).await;
    assert_eq!(refusal(gone), (404, "CSMS.0106".into()));
    create(&client, "demo").await;
}

#[tokio::test]
async fn while_its_deletion_is_pending_a_secret_is_only_looked_at() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create(&client, "demo").await;
    csms(&client, "DeleteSecretForSchedule", json!({"secret_name": "demo", "recovery_window_in_days": 7}))
        .await
        .unwrap();
    let refused = [
        ("UpdateSecret", json!({"description": ""}), 400, "CSMS.0107"),
        ("DeleteSecretForSchedule", json!({"recovery_window_in_days": 7}), 400, "CSMS.0103"),
        ("DeleteSecret", json!({}), 400, "CSMS.0103"),
        ("CreateSecretVersion", json!({"secret_string": ""}), 403, "CSMS.0109"),
        ("UpdateVersion", json!({"version_id": "v1", "expire_time": 0}), 403, "CSMS.0109"),
        ("ShowSecretVersion", json!({"version_id": "latest"}), 400, "CSMS.0107"),
        ("CreateSecretStage", json!({"name": "blue", "version_id": "v1"}), 400, "CSMS.0107"),
        ("UpdateSecretStage", json!({"stage_name": "blue", "version_id": "v1"}), 400, "CSMS.0107"),
        ("DeleteSecretStage", json!({"stage_name": "blue"}), 400, "CSMS.0107"),
        ("DownloadSecretBlob", json!({}), 400, "CSMS.0107"),
    ];
    for (name, mut request, status, code) in refused {
        request["secret_name"] = "demo".into();
        assert_eq!(refusal(csms(&client, name, request).await), (status, code.to_owned()), "{name}");
    }
    let taken = csms(&client, "CreateSecret", json!({"name": "demo", "secret_string": ""})).await;
    assert_eq!(refusal(taken), (409, "CSMS.0101".into()));
    assert_eq!(names(&csms(&client, "ListSecrets", json!({})).await.unwrap()), ["demo"]);
    let versions = csms(&client, "ListSecretVersions", json!({"secret_name": "demo"})).await.unwrap();
    assert_eq!(versions["version_metadatas"][0]["id"], "v1");
}

#[tokio::test]
async fn a_deleted_name_is_free_at_once_and_versions_begin_anew() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = create(&client, "demo").await["id"].clone();
    csms(&client, "CreateSecretVersion", json!({"secret_name": "demo", "secret_string": "2"})).await.unwrap();
    csms(&client, "DeleteSecret", json!({"secret_name": "demo"})).await.unwrap();
    let gone = csms(&client, "DeleteSecret", json!({"secret_name": "demo"})).await;
    assert_eq!(refusal(gone), (404, "CSMS.0106".into()));
    assert_ne!(create(&client, "demo").await["id"], id);
    let missing = csms(&client, "ShowSecretVersion", json!({"secret_name": "demo", "version_id": "v2"})).await;
    assert_eq!(refusal(missing), (404, "CSMS.0005".into()));
}

#[tokio::test]
async fn a_project_holds_as_many_secrets_as_its_quota() {
    let mut quotas = Quotas::default();
    quotas.secrets = 1;
    let emulator = Emulator::builder().quotas(quotas).start().await.unwrap();
    let client = emulator.client();
    create(&client, "demo").await;
    let one_more = csms(&client, "CreateSecret", json!({"name": "more", "secret_string": ""})).await;
    assert_eq!(refusal(one_more), (500, "CSMS.0201".into()));
    create(&client.for_region("cn-east-3").unwrap(), "more").await;
}
