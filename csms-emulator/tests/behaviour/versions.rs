//! Versions of secrets and the stages that mark them.

use std::collections::BTreeMap;

use csms_emulator::Emulator;
use csms_sdk::{Client, Error};
use serde_json::{Value as Json, json};

use crate::{
    secrets::key,
    support::{csms, members, refusal},
};

/// A client of an emulator with the secret `demo`, whose `v1` is `one`.
async fn demo() -> (Emulator, Client) {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    csms(&client, "CreateSecret", json!({"name": "demo", "secret_string": "one"})).await.unwrap();
    (emulator, client)
}

async fn ask(client: &Client, name: &str, mut request: Json) -> Result<Json, Error> {
    request["secret_name"] = "demo".into();
    csms(client, name, request).await
}

async fn add(client: &Client, value: &str) -> Json {
    ask(client, "CreateSecretVersion", json!({"secret_string": value})).await.unwrap()["version_metadata"].clone()
}

async fn put(client: &Client, stage: &str, version: &str) -> Result<Json, Error> {
    ask(client, "UpdateSecretStage", json!({"stage_name": stage, "version_id": version})).await
}

async fn value(client: &Client, id: &str) -> Json {
    ask(client, "ShowSecretVersion", json!({"version_id": id})).await.unwrap()["version"]["secret_string"].clone()
}

/// All versions with their stages.
async fn stages(client: &Client) -> BTreeMap<String, Vec<String>> {
    let list = ask(client, "ListSecretVersions", json!({})).await.unwrap();
    let versions = list["version_metadatas"].as_array().unwrap().clone();
    let staged = |version: Json| {
        (version["id"].as_str().unwrap().to_owned(), serde_json::from_value(version["version_stages"].clone()).unwrap())
    };
    versions.into_iter().map(staged).collect()
}

fn staged<const N: usize>(expected: [(&str, &[&str]); N]) -> BTreeMap<String, Vec<String>> {
    let owned = |stages: &[&str]| stages.iter().map(|stage| (*stage).to_owned()).collect();
    expected.into_iter().map(|(id, stages)| (id.to_owned(), owned(stages))).collect()
}

#[tokio::test]
async fn a_new_value_becomes_current_and_the_one_before_previous() {
    let (_emulator, client) = demo().await;
    let second = add(&client, "two").await;
    assert_eq!(members(&second), ["create_time", "id", "kms_key_id", "secret_name", "version_stages"]);
    assert_eq!((&second["id"], &second["version_stages"]), (&json!("v2"), &json!(["SYSCURRENT"])));
    add(&client, "three").await;
    let expected = staged([("v1", &[]), ("v2", &["SYSPREVIOUS"]), ("v3", &["SYSCURRENT"])]);
    assert_eq!(stages(&client).await, expected);
    assert_eq!((value(&client, "v1").await, value(&client, "latest").await), (json!("one"), json!("three")));
}

#[tokio::test]
async fn a_value_under_stages_of_its_own_leaves_the_current_one_in_use() {
    let (_emulator, client) = demo().await;
    let request = json!({"secret_string": "two", "version_stages": ["green", "blue"]});
    let second = ask(&client, "CreateSecretVersion", request).await.unwrap();
    assert_eq!(second["version_metadata"]["version_stages"], json!(["blue", "green"]));
    assert_eq!(value(&client, "latest").await, "one");
    let request = json!({"secret_string": "three", "version_stages": ["blue", "SYSCURRENT"]});
    ask(&client, "CreateSecretVersion", request).await.unwrap();
    let expected = staged([("v1", &["SYSPREVIOUS"]), ("v2", &["green"]), ("v3", &["SYSCURRENT", "blue"])]);
    assert_eq!(stages(&client).await, expected);
    for wrong in [json!([]), json!(["a b"]), json!([""]), json!(["x".repeat(65)])] {
        let request = json!({"secret_string": "four", "version_stages": wrong});
        assert_eq!(refusal(ask(&client, "CreateSecretVersion", request).await), (400, "CSMS.0002".into()));
    }
    assert_eq!(add(&client, "four").await["id"], "v4", "a refused version takes no number");
}

#[tokio::test]
async fn going_back_to_an_older_version_can_be_undone() {
    let (_emulator, client) = demo().await;
    add(&client, "two").await;
    let moved = put(&client, "SYSCURRENT", "v1").await.unwrap()["stage"].clone();
    assert_eq!(members(&moved), ["name", "secret_name", "update_time", "version_id"]);
    assert_eq!(stages(&client).await, staged([("v1", &["SYSCURRENT"]), ("v2", &["SYSPREVIOUS"])]));
    assert_eq!(value(&client, "latest").await, "one");
    put(&client, "SYSCURRENT", "v1").await.unwrap();
    assert_eq!(
        stages(&client).await,
        staged([("v1", &["SYSCURRENT"]), ("v2", &["SYSPREVIOUS"])]),
        "nothing moves twice"
    );
    put(&client, "SYSCURRENT", "v2").await.unwrap();
    assert_eq!(stages(&client).await, staged([("v1", &["SYSPREVIOUS"]), ("v2", &["SYSCURRENT"])]));
}

#[tokio::test]
async fn a_stage_is_created_moved_shown_and_deleted() {
    let (_emulator, client) = demo().await;
    add(&client, "two").await;
    let create = |name: &'static str| ask(&client, "CreateSecretStage", json!({"name": name, "version_id": "v1"}));
    let show = |name: &'static str| ask(&client, "ShowSecretStage", json!({"stage_name": name}));
    let delete = |name: &'static str| ask(&client, "DeleteSecretStage", json!({"stage_name": name}));
    assert_eq!(create("blue").await.unwrap()["stage"]["version_id"], "v1");
    assert_eq!(refusal(create("blue").await), (409, "CSMS.0104".into()));
    assert_eq!(refusal(create("SYSCURRENT").await), (409, "CSMS.0104".into()));
    put(&client, "blue", "v2").await.unwrap();
    put(&client, "made-by-put", "v1").await.unwrap();
    assert_eq!(show("blue").await.unwrap()["stage"]["version_id"], "v2");
    assert_eq!(show("SYSCURRENT").await.unwrap()["stage"]["version_id"], "v2");
    for missing in ["v9", "v01", "2", "latest"] {
        assert_eq!(refusal(put(&client, "blue", missing).await), (404, "CSMS.0005".into()), "{missing}");
    }
    delete("blue").await.unwrap();
    assert_eq!(refusal(show("blue").await), (404, "CSMS.0005".into()));
    assert_eq!(refusal(delete("blue").await), (404, "CSMS.0005".into()));
    for built_in in ["SYSCURRENT", "SYSPREVIOUS"] {
        assert_eq!(refusal(delete(built_in).await), (400, "CSMS.0105".into()));
    }
    let expected = staged([("v1", &["SYSPREVIOUS", "made-by-put"]), ("v2", &["SYSCURRENT"])]);
    assert_eq!(stages(&client).await, expected);
}

#[tokio::test]
async fn a_secret_has_at_most_12_stages() {
    let (_emulator, client) = demo().await;
    for stage in 2..=12 {
        put(&client, &format!("stage-{stage}"), "v1").await.unwrap();
    }
    assert_eq!(refusal(put(&client, "one-more", "v1").await), (400, "CSMS.0203".into()));
    let request = json!({"name": "one-more", "version_id": "v1"});
    assert_eq!(refusal(ask(&client, "CreateSecretStage", request).await), (400, "CSMS.0203".into()));
    let request = json!({"secret_string": "two", "version_stages": ["one-more"]});
    assert_eq!(refusal(ask(&client, "CreateSecretVersion", request).await), (400, "CSMS.0203".into()));
    assert_eq!(stages(&client).await["v1"].len(), 12);
    let request = json!({"secret_string": "two", "version_stages": ["stage-2"]});
    ask(&client, "CreateSecretVersion", request).await.unwrap();
    assert_eq!(stages(&client).await["v2"], ["stage-2"], "a stage that is there can be moved");
}

#[tokio::test]
async fn of_more_than_20_versions_the_oldest_without_a_stage_goes() {
    let (_emulator, client) = demo().await;
    put(&client, "keep", "v1").await.unwrap();
    for number in 2..=21 {
        add(&client, &number.to_string()).await;
    }
    let left = stages(&client).await;
    assert_eq!(left.len(), 20);
    assert_eq!(left["v1"], ["keep"]);
    assert!(!left.contains_key("v2") && left.contains_key("v3"), "{left:?}");
    assert_eq!(add(&client, "22").await["id"], "v22");
    assert!(!stages(&client).await.contains_key("v3"));
}

#[tokio::test]
async fn versions_never_share_a_time_and_stand_in_its_order() {
    let (_emulator, client) = demo().await;
    for number in 2..=15 {
        add(&client, &number.to_string()).await;
    }
    let list = ask(&client, "ListSecretVersions", json!({})).await.unwrap();
    let versions = list["version_metadatas"].as_array().unwrap();
    let times: Vec<_> = versions.iter().map(|version| version["create_time"].as_i64().unwrap()).collect();
    assert!(times.is_sorted_by(|before, after| before < after), "{times:?}");
    assert_eq!(versions[0]["id"], "v1");
}

#[tokio::test]
async fn versions_come_in_pages() {
    let (_emulator, client) = demo().await;
    add(&client, "two").await;
    add(&client, "three").await;
    let page = ask(&client, "ListSecretVersions", json!({"limit": 2})).await.unwrap();
    assert_eq!(page["page_info"], json!({"next_marker": "v2", "previous_marker": "v1", "current_count": 2}));
    let page = ask(&client, "ListSecretVersions", json!({"limit": 2, "marker": "v2"})).await.unwrap();
    assert_eq!(page["page_info"], json!({"next_marker": null, "previous_marker": "v3", "current_count": 1}));
    assert_eq!(page["version_metadatas"][0]["id"], "v3");
    let wrong = ask(&client, "ListSecretVersions", json!({"marker": "three"})).await;
    assert_eq!(refusal(wrong), (400, "CSMS.0002".into()));
}

#[tokio::test]
async fn an_expiry_is_kept_in_whole_seconds() {
    let (_emulator, client) = demo().await;
    let request = json!({"secret_string": "two", "expire_time": 1_893_456_789_123_i64});
    let created = ask(&client, "CreateSecretVersion", request).await.unwrap()["version_metadata"].clone();
    assert_eq!(created["expire_time"], 1_893_456_789_000_i64);
    let update = |id: &str, time: i64| ask(&client, "UpdateVersion", json!({"version_id": id, "expire_time": time}));
    let updated = update("latest", 1_893_456_000_999).await.unwrap()["version_metadata"].clone();
    assert_eq!((&updated["id"], &updated["expire_time"]), (&json!("v2"), &json!(1_893_456_000_000_i64)));
    let seconds = update("v1", 1_581_507_580).await.unwrap()["version_metadata"].clone();
    assert_eq!(seconds["expire_time"], 1_581_507_580_000_i64, "the reference asks for seconds");
    assert_eq!(value(&client, "v1").await, "one", "an expired version can still be read");
    assert_eq!(refusal(update("v9", 0).await), (404, "CSMS.0005".into()));
}

#[tokio::test]
async fn a_changed_key_protects_new_versions_only() {
    let (_emulator, client) = demo().await;
    let key = key(&client, "mine").await;
    ask(&client, "UpdateSecret", json!({"kms_key_id": key})).await.unwrap();
    assert_eq!(add(&client, "two").await["kms_key_id"], json!(key));
    let list = ask(&client, "ListSecretVersions", json!({})).await.unwrap();
    assert_ne!(list["version_metadatas"][0]["kms_key_id"], json!(key));
    assert_eq!(list["version_metadatas"][1]["kms_key_id"], json!(key));
}

#[tokio::test]
async fn many_current_values_are_read_in_one_call() {
    let (_emulator, client) = demo().await;
    add(&client, "two").await;
    let binary = json!({"name": "binary", "secret_binary": "AAEC"});
    csms(&client, "CreateSecret", binary).await.unwrap();
    let request = json!({"secret_name_list": ["binary", "missing", "demo"]});
    let read = csms(&client, "BatchGetSecretValue", request).await.unwrap();
    assert_eq!((&read["total_count"], read["versions"].as_array().unwrap().len()), (&json!(2), 2));
    let [binary, demo] = [&read["versions"][0], &read["versions"][1]];
    assert_eq!((&binary["secret_binary"], binary.get("secret_string")), (&json!("AAEC"), None));
    assert_eq!((&demo["secret_string"], demo.get("secret_binary")), (&json!("two"), None));
    assert_eq!(demo["version_metadata"].get("expire_time"), Some(&Json::Null));
    assert_eq!(demo["version_metadata"]["id"], "v2");
    let names: Vec<_> = (0..21).map(|number| format!("n{number}")).collect();
    let too_many = csms(&client, "BatchGetSecretValue", json!({"secret_name_list": names})).await;
    assert_eq!(refusal(too_many), (400, "CSMS.0002".into()));
    let none = csms(&client, "BatchGetSecretValue", json!({})).await.unwrap();
    assert_eq!(none, json!({"total_count": 0, "versions": []}));
}
