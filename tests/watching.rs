//! Noticing that secrets have changed, without reading them.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::time::Duration;

use csms_emulator::Emulator;
use csms_sdk::{
    Client, ErrorKind,
    csms::{CreateSecret, CreateSecretVersion, DeleteSecretForSchedule, UpdateSecretStage},
    store::SecretStore,
    watch::{Watch, Watching},
};
use serde_json::json;

/// Short, so that a test is; nothing is concluded from how long something took.
const SOON: Duration = Duration::from_millis(5);

async fn create(client: &Client, name: &str) {
    CreateSecret::new(name).secret_string("first").send(client).await.unwrap();
}

async fn add_version(client: &Client, name: &str) {
    CreateSecretVersion::new(name).secret_string("next").send(client).await.unwrap();
}

async fn watch(client: &Client, references: &[&str]) -> Watching {
    let watch = Watch::new().every(SOON).quiet(SOON);
    watch.secrets(&SecretStore::new(client), references.iter().copied()).unwrap().begin().await.unwrap()
}

#[tokio::test]
async fn another_current_version_is_a_change_and_an_id_never_is() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create(&client, "db").await;
    let (current, fields, id) =
        (watch(&client, &["db"]).await, watch(&client, &["db#a", "db#b"]).await, watch(&client, &["db@v1"]).await);
    assert!(!current.has_changed().await.unwrap());
    add_version(&client, "db").await;
    for watching in [&current, &fields] {
        assert!(watching.has_changed().await.unwrap());
        watching.changed().await.unwrap();
    }
    assert!(!id.has_changed().await.unwrap());
}

#[tokio::test]
async fn each_version_that_can_be_meant_is_watched() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create(&client, "db").await;
    add_version(&client, "db").await;
    UpdateSecretStage::new("db", "blue", "v1").send(&client).await.unwrap();
    let watching = [
        ("db@latest", watch(&client, &["db@latest"]).await),
        ("db@previous", watch(&client, &["db@previous"]).await),
        ("db@~1", watch(&client, &["db@~1"]).await),
    ];
    let blue = watch(&client, &["db@blue"]).await;
    add_version(&client, "db").await;
    for (name, watching) in watching {
        assert!(watching.has_changed().await.unwrap(), "{name}");
    }
    assert!(!blue.has_changed().await.unwrap());
    UpdateSecretStage::new("db", "blue", "v3").send(&client).await.unwrap();
    assert!(blue.has_changed().await.unwrap());
}

#[tokio::test]
async fn a_secret_that_was_deleted_and_created_anew_is_a_change() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let create_two = async || {
        create(&client, "db").await;
        add_version(&client, "db").await;
    };
    create_two().await;
    let mut all = Vec::new();
    for reference in ["db", "db@latest", "db@~1"] {
        all.push((reference, watch(&client, &[reference]).await));
    }
    csms_sdk::csms::DeleteSecret::new("db").send(&client).await.unwrap();
    for (reference, watching) in &all {
        assert_eq!(watching.has_changed().await.unwrap_err().kind(), ErrorKind::NotFound, "{reference}");
    }
    emulator.advance(Duration::from_secs(1));
    create_two().await;
    for (reference, watching) in &all {
        assert!(watching.has_changed().await.unwrap(), "{reference}");
    }
}

#[tokio::test]
async fn what_changes_while_it_is_waited_for_is_told_once_it_rests() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create(&client, "db").await;
    let watching = watch(&client, &["db"]).await;
    let (changed, ()) = tokio::join!(watching.changed(), async {
        for _ in 0..3 {
            add_version(&client, "db").await;
        }
    });
    changed.unwrap();
    // It stays a change until somebody begins anew.
    watching.changed().await.unwrap();
    assert!(!watch(&client, &["db"]).await.has_changed().await.unwrap());
}

#[tokio::test]
async fn secrets_that_come_or_go_under_a_prefix_are_a_change() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create(&client, "app-a").await;
    let begin = || Watch::new().prefix(&client, "app-").begin();
    let watching = begin().await.unwrap();
    add_version(&client, "app-a").await;
    create(&client, "other").await;
    assert!(!watching.has_changed().await.unwrap());
    create(&client, "app-b").await;
    assert!(watching.has_changed().await.unwrap());
    let watching = begin().await.unwrap();
    DeleteSecretForSchedule::new("app-b", 7).send(&client).await.unwrap();
    assert!(watching.has_changed().await.unwrap());
}

#[tokio::test]
async fn a_look_that_fails_is_told_and_the_next_goes_on() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create(&client, "db").await;
    let watching = watch(&client, &["db"]).await;
    emulator.set_faults(&json!([{"operation": "ShowSecretStage", "status": 403}])).unwrap();
    assert_eq!(watching.changed().await.unwrap_err().kind(), ErrorKind::PermissionDenied);
    emulator.clear_faults();
    add_version(&client, "db").await;
    watching.changed().await.unwrap();
}

#[tokio::test]
async fn other_regions_are_watched_where_they_are() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let there = client.for_region("cn-east-3").unwrap();
    create(&client, "db").await;
    create(&there, "db").await;
    let (here, elsewhere) = (watch(&client, &["db"]).await, watch(&client, &["db", "db?region=cn-east-3"]).await);
    add_version(&there, "db").await;
    assert!(!here.has_changed().await.unwrap());
    assert!(elsewhere.has_changed().await.unwrap());
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_watched() {
    let emulator = Emulator::start().await.unwrap();
    let watch = Watch::new().secrets(&SecretStore::new(&emulator.client()), ["nothing"]).unwrap();
    assert_eq!(watch.begin().await.unwrap_err().kind(), ErrorKind::NotFound);
    let store = SecretStore::new(&emulator.client());
    assert_eq!(Watch::new().secrets(&store, ["not a name"]).unwrap_err().kind(), ErrorKind::InvalidInput);
}
