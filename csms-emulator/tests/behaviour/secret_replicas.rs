//! Replicas of secrets in other regions.

use std::time::Duration;

use csms_emulator::{Builder, Emulator};
use csms_sdk::{
    Client, Error,
    csms::{self, ReplicaStatus, ReplicaType, TagItem},
    kms,
};

const ELSEWHERE: &str = "cn-east-3";

fn at_once() -> Builder {
    Emulator::builder().replication_delay(Duration::ZERO)
}

async fn create(client: &Client, name: &str) {
    csms::CreateSecret::new(name).secret_string("value").send(client).await.unwrap();
}

async fn replicate(client: &Client, name: &str, region: &str) -> Result<String, Error> {
    let created = csms::CreateSecretReplica::new(name, region).send(client).await?;
    Ok(created.replica_id.clone().unwrap())
}

async fn secret(client: &Client, name: &str) -> csms::Secret {
    csms::ShowSecret::new(name).send(client).await.unwrap().secret.clone().unwrap()
}

async fn value(client: &Client, name: &str) -> Result<String, Error> {
    let version = csms::ShowSecretVersion::new(name, "latest").send(client).await?;
    Ok(version.version.as_ref().unwrap().secret_string.as_ref().unwrap().expose_secret().to_owned())
}

fn refusal(error: &Error) -> (Option<u16>, Option<&str>) {
    (error.status(), error.code())
}

#[tokio::test]
async fn a_replica_appears_elsewhere_and_catches_up_when_the_delay_is_over() {
    let emulator = Emulator::builder().replication_delay(Duration::from_secs(60)).start().await.unwrap();
    let client = emulator.client();
    let elsewhere = client.for_region(ELSEWHERE).unwrap();
    create(&client, "demo").await;
    assert_eq!(secret(&client, "demo").await.replica_type, Some(ReplicaType::Standalone));
    let id = replicate(&client, "demo", ELSEWHERE).await.unwrap();

    let primary = secret(&client, "demo").await;
    let replica = &primary.replicas[0];
    assert_eq!((primary.replica_type, primary.replicas.len()), (Some(ReplicaType::Primary), 1));
    assert_eq!((replica.id.as_ref(), replica.region.as_deref()), (Some(&id), Some(ELSEWHERE)));
    assert_eq!(
        (&replica.status, &replica.replica_type),
        (&Some(ReplicaStatus::InProgress), &Some(ReplicaType::Replica))
    );
    assert_eq!(replica.project_id, emulator.project_id(ELSEWHERE));
    let copy = secret(&elsewhere, "demo").await;
    assert_eq!((copy.id.as_ref(), copy.replica_type), (Some(&id), Some(ReplicaType::Replica)));
    assert_eq!(copy.kms_key_id, replica.kms_key_id);
    assert_eq!(value(&elsewhere, "demo").await.unwrap_err().status(), Some(404), "it has no version yet");

    emulator.advance(Duration::from_secs(60));
    assert_eq!(secret(&client, "demo").await.replicas[0].status, Some(ReplicaStatus::InSync));
    assert_eq!(value(&elsewhere, "demo").await.unwrap(), "value");

    csms::CreateSecretVersion::new("demo").secret_string("next").send(&client).await.unwrap();
    assert_eq!(secret(&client, "demo").await.replicas[0].status, Some(ReplicaStatus::InProgress));
    assert_eq!(value(&elsewhere, "demo").await.unwrap(), "value");
    emulator.advance(Duration::from_secs(60));
    assert_eq!(secret(&client, "demo").await.replicas[0].status, Some(ReplicaStatus::InSync));
    assert_eq!(value(&elsewhere, "demo").await.unwrap(), "next");
}

#[tokio::test]
async fn a_replica_follows_versions_stages_metadata_and_tags_under_its_own_key() {
    let emulator = at_once().start().await.unwrap();
    let client = emulator.client();
    let elsewhere = client.for_region(ELSEWHERE).unwrap();
    let key = kms::CreateKey::new("own").send(&elsewhere).await.unwrap();
    let key = key.key_info.as_ref().unwrap().key_id.clone().unwrap();
    create(&client, "demo").await;
    csms::CreateSecretReplica::new("demo", ELSEWHERE).kms_key_id(&key).send(&client).await.unwrap();
    csms::CreateSecretVersion::new("demo").secret_string("next").send(&client).await.unwrap();
    csms::UpdateSecretStage::new("demo", "mine", "v1").send(&client).await.unwrap();
    csms::UpdateSecret::new("demo").description("followed").send(&client).await.unwrap();
    let id = secret(&client, "demo").await.id.unwrap();
    csms::CreateSecretTag::new(id, TagItem::new("team").value("shop")).send(&client).await.unwrap();

    let versions = csms::ListSecretVersions::new("demo").send(&elsewhere).await.unwrap();
    assert_eq!(versions.version_metadatas.len(), 2);
    assert!(versions.version_metadatas.iter().all(|version| version.kms_key_id.as_ref() == Some(&key)));
    let stage = csms::ShowSecretStage::new("demo", "mine").send(&elsewhere).await.unwrap();
    assert_eq!(stage.stage.as_ref().unwrap().version_id.as_deref(), Some("v1"));
    let copy = secret(&elsewhere, "demo").await;
    assert_eq!((copy.description.as_deref(), copy.kms_key_id.as_ref()), (Some("followed"), Some(&key)));
    let tags = csms::ListSecretTags::new(copy.id.unwrap()).send(&elsewhere).await.unwrap();
    assert_eq!(tags.tags, [TagItem::new("team").value("shop")]);
}

#[tokio::test]
async fn a_replica_refuses_to_be_written() {
    let emulator = at_once().start().await.unwrap();
    let client = emulator.client();
    let elsewhere = client.for_region(ELSEWHERE).unwrap();
    create(&client, "demo").await;
    let id = replicate(&client, "demo", ELSEWHERE).await.unwrap();
    let refusals = [
        csms::CreateSecretVersion::new("demo").secret_string("own").send(&elsewhere).await.unwrap_err(),
        csms::UpdateSecret::new("demo").description("own").send(&elsewhere).await.unwrap_err(),
        csms::UpdateSecretStage::new("demo", "own", "v1").send(&elsewhere).await.unwrap_err(),
        csms::CreateSecretTag::new(id, TagItem::new("own")).send(&elsewhere).await.unwrap_err(),
        csms::DeleteSecret::new("demo").send(&elsewhere).await.unwrap_err(),
        csms::DeleteSecretForSchedule::new("demo", 7).send(&elsewhere).await.unwrap_err(),
        csms::RotateSecret::new("demo").send(&elsewhere).await.unwrap_err(),
        replicate(&elsewhere, "demo", "ap-southeast-1").await.unwrap_err(),
    ];
    for refused in &refusals {
        assert_eq!(refusal(refused), (Some(400), Some("CSMS.0003")));
        assert!(refused.to_string().contains("cn-north-4"), "{refused}");
    }
    assert_eq!(value(&elsewhere, "demo").await.unwrap(), "value");
}

#[tokio::test]
async fn with_its_last_replica_gone_a_secret_stands_alone_and_can_be_deleted() {
    let emulator = at_once().start().await.unwrap();
    let client = emulator.client();
    create(&client, "demo").await;
    for region in [ELSEWHERE, "ap-southeast-1"] {
        replicate(&client, "demo", region).await.unwrap();
    }
    for region in [ELSEWHERE, "ap-southeast-1"] {
        assert_eq!(secret(&client, "demo").await.replica_type, Some(ReplicaType::Primary));
        let refused = csms::DeleteSecret::new("demo").send(&client).await.unwrap_err();
        assert_eq!(refusal(&refused), (Some(400), Some("CSMS.0003")));
        csms::DeleteSecretReplica::new("demo", region).send(&client).await.unwrap();
        let gone = csms::ShowSecret::new("demo").send(&client.for_region(region).unwrap()).await.unwrap_err();
        assert_eq!(gone.status(), Some(404));
    }
    let alone = secret(&client, "demo").await;
    assert_eq!((alone.replica_type, alone.replicas.len()), (Some(ReplicaType::Standalone), 0));
    let missing = csms::DeleteSecretReplica::new("demo", ELSEWHERE).send(&client).await.unwrap_err();
    assert_eq!(refusal(&missing), (Some(404), Some("CSMS.0005")));
    csms::DeleteSecret::new("demo").send(&client).await.unwrap();
}

#[tokio::test]
async fn a_region_that_cannot_take_the_replica_leaves_all_as_it_was() {
    let emulator = at_once().start().await.unwrap();
    let client = emulator.client();
    let elsewhere = client.for_region(ELSEWHERE).unwrap();
    create(&client, "demo").await;
    create(&client, "taken").await;
    create(&elsewhere, "taken").await;
    for region in ["cn-north-4", "cn-test-x"] {
        let refused = replicate(&client, "demo", region).await.unwrap_err();
        assert_eq!(refusal(&refused), (Some(400), Some("CSMS.0002")), "{region}");
    }
    let taken = replicate(&client, "taken", ELSEWHERE).await.unwrap_err();
    assert_eq!(refusal(&taken), (Some(409), Some("CSMS.0101")));
    let missing = replicate(&client, "missing", ELSEWHERE).await.unwrap_err();
    assert_eq!(refusal(&missing), (Some(404), Some("CSMS.0106")));
    let here = secret(&client, "demo").await.kms_key_id.unwrap();
    let foreign = csms::CreateSecretReplica::new("demo", ELSEWHERE).kms_key_id(here).send(&client).await.unwrap_err();
    assert_eq!(refusal(&foreign), (Some(400), Some("CSMS.0401")), "a key of another region");
    assert_eq!(secret(&client, "demo").await.replica_type, Some(ReplicaType::Standalone));
    assert_eq!(csms::ShowSecret::new("demo").send(&elsewhere).await.unwrap_err().status(), Some(404));

    csms::DeleteSecretForSchedule::new("demo", 7).send(&client).await.unwrap();
    let pending = replicate(&client, "demo", ELSEWHERE).await.unwrap_err();
    assert_eq!(refusal(&pending), (Some(403), Some("CSMS.0109")));
}

#[tokio::test]
async fn a_replica_whose_key_is_disabled_fails_until_it_can_follow_again() {
    let emulator = at_once().start().await.unwrap();
    let client = emulator.client();
    let elsewhere = client.for_region(ELSEWHERE).unwrap();
    let key = kms::CreateKey::new("own").send(&elsewhere).await.unwrap();
    let key = key.key_info.as_ref().unwrap().key_id.clone().unwrap();
    create(&client, "demo").await;
    csms::CreateSecretReplica::new("demo", ELSEWHERE).kms_key_id(&key).send(&client).await.unwrap();
    assert_eq!(secret(&client, "demo").await.replicas[0].status, Some(ReplicaStatus::InSync));
    kms::DisableKey::new(&key).send(&elsewhere).await.unwrap();
    csms::CreateSecretVersion::new("demo").secret_string("missed").send(&client).await.unwrap();
    assert_eq!(secret(&client, "demo").await.replicas[0].status, Some(ReplicaStatus::Failed));
    kms::EnableKey::new(&key).send(&elsewhere).await.unwrap();
    assert_eq!(value(&elsewhere, "demo").await.unwrap(), "value");
    csms::CreateSecretVersion::new("demo").secret_string("caught up").send(&client).await.unwrap();
    assert_eq!(value(&elsewhere, "demo").await.unwrap(), "caught up");
}

#[tokio::test]
async fn the_other_regions_take_replicas() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let answer = csms::ListSupportRegions::new().send(&client).await.unwrap();
    assert_eq!(
        (answer.regions.clone(), answer.total),
        (vec!["ap-southeast-1".to_owned(), ELSEWHERE.to_owned()], Some(2))
    );
}

#[tokio::test]
async fn replicas_go_on_following_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let start = || at_once().data(directory.path().join("data")).start();
    let emulator = start().await.unwrap();
    let client = emulator.client();
    create(&client, "demo").await;
    replicate(&client, "demo", ELSEWHERE).await.unwrap();
    drop(client);
    emulator.shutdown().await;
    let emulator = start().await.unwrap();
    let client = emulator.client();
    csms::CreateSecretVersion::new("demo").secret_string("next").send(&client).await.unwrap();
    assert_eq!(value(&client.for_region(ELSEWHERE).unwrap(), "demo").await.unwrap(), "next");
}
