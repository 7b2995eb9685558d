//! Keystores.

use csms_emulator::Emulator;
use csms_sdk::{
    Client, Error, ErrorKind,
    kms::{
        CreateKeyStore, CreateTrustedKeySpace, DeleteKeyStore, DeleteTrustedKeySpace, DisableKeyStore, EnableKeyStore,
        KeySpaceType, KeystoreState, KeystoreType, ListKeyStores, ShowKeyStore,
    },
};

async fn create(client: &Client, alias: &str) -> String {
    let answer = CreateKeyStore::new(alias).send(client).await.unwrap();
    answer.keystore.as_ref().unwrap().keystore_id.clone().unwrap()
}

fn refusal(error: &Error) -> (Option<u16>, Option<&str>) {
    (error.status(), error.code())
}

#[tokio::test]
async fn a_keystore_is_shown_with_its_cluster_and_can_be_switched_on_and_off() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let create = CreateKeyStore::new("vault").keystore_type(KeystoreType::Dhsm).hsm_cluster_id("cluster-1");
    let created = create.send(&client).await.unwrap().keystore.clone().unwrap();
    let id = created.keystore_id.unwrap();

    let shown = ShowKeyStore::new(&id).send(&client).await.unwrap().keystore.clone().unwrap();
    assert_eq!(shown.keystore_alias.as_deref(), Some("vault"));
    assert_eq!(shown.keystore_type, Some(KeystoreType::Dhsm));
    assert_eq!(shown.hsm_cluster_id.as_deref(), Some("cluster-1"));
    assert_eq!(shown.cluster_id.as_deref(), Some("cluster-1"));
    assert_eq!(shown.domain_id, created.domain_id);
    assert!(shown.create_time.is_some());

    for _ in 0..2 {
        let enabled = EnableKeyStore::new(&id).send(&client).await.unwrap().keystore.clone().unwrap();
        assert_eq!(
            (enabled.keystore_id.as_deref(), enabled.keystore_state),
            (Some(&*id), Some(KeystoreState::Enabled))
        );
    }
    let disabled = DisableKeyStore::new(&id).send(&client).await.unwrap().keystore.clone().unwrap();
    assert_eq!(disabled.keystore_state, Some(KeystoreState::Disabled));
}

#[tokio::test]
async fn names_and_hsm_clusters_belong_to_one_keystore() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    CreateKeyStore::new("vault").hsm_cluster_id("cluster-1").send(&client).await.unwrap();
    let error = CreateKeyStore::new("vault").send(&client).await.unwrap_err();
    assert_eq!(refusal(&error), (Some(400), Some("KMS.0318")));
    let error = CreateKeyStore::new("other").cluster_id("cluster-1").send(&client).await.unwrap_err();
    assert_eq!(refusal(&error), (Some(400), Some("KMS.0308")));
    assert!(error.to_string().contains("cluster"), "{error}");
    for alias in ["", "a b", &"a".repeat(256)] {
        let error = CreateKeyStore::new(alias).send(&client).await.unwrap_err();
        assert_eq!(refusal(&error), (Some(400), Some("KMS.0308")), "{alias}");
    }
    let elsewhere = client.for_region("cn-east-3").unwrap();
    CreateKeyStore::new("vault").hsm_cluster_id("cluster-1").send(&elsewhere).await.unwrap();
}

#[tokio::test]
async fn keystores_are_listed_by_offset() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let mut ids = Vec::new();
    for alias in ["a", "b", "c"] {
        ids.push(create(&client, alias).await);
    }
    let mut listed = Vec::new();
    for offset in 0..4 {
        let page = ListKeyStores::new().limit(1).offset(offset).send(&client).await.unwrap();
        assert_eq!(page.total, Some(3));
        assert_eq!(page.keystores.len(), usize::from(offset < 3));
        listed.extend(page.keystores.iter().filter_map(|keystore| keystore.keystore_id.clone()));
    }
    ids.sort();
    listed.sort();
    assert_eq!(listed, ids);
    let error = ListKeyStores::new().offset(-1).send(&client).await.unwrap_err();
    assert_eq!(refusal(&error), (Some(400), Some("KMS.0308")));
}

#[tokio::test]
async fn a_keystore_has_to_be_empty_to_be_deleted_and_is_gone_then() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = create(&client, "vault").await;
    let space = CreateTrustedKeySpace::new("space").r#type(KeySpaceType::DedicatedHsm).keystore_id(&id);
    let space = space.send(&client).await.unwrap().keyspace_id.clone().unwrap();
    let error = DeleteKeyStore::new(&id).send(&client).await.unwrap_err();
    assert_eq!(refusal(&error), (Some(400), Some("KMS.0308")));
    DeleteTrustedKeySpace::new(space).send(&client).await.unwrap();
    DeleteKeyStore::new(&id).send(&client).await.unwrap();

    let error = ShowKeyStore::new(&id).send(&client).await.unwrap_err();
    assert_eq!((error.kind(), refusal(&error)), (ErrorKind::NotFound, (Some(400), Some("KMS.8003"))));
    let error = EnableKeyStore::new(&id).send(&client).await.unwrap_err();
    assert_eq!(refusal(&error), (Some(400), Some("KMS.8003")));
    let error = DeleteKeyStore::new(&id).send(&client).await.unwrap_err();
    assert_eq!(refusal(&error), (Some(400), Some("KMS.8003")));
}
