//! Waiting until something is in a state: it comes there, comes too late, or will not come.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{
    future::ready,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use csms_emulator::{Builder, Emulator};
use csms_sdk::{
    CallOptions, Client, Error, ErrorKind,
    csms::{self, ReplicaStatus, SecretState, SecretType, TaskStatus},
    kms::{self, KeyState},
    retry::RetryPolicy,
    wait::{Progress, Wait},
};
use serde_json::json;
use tokio::time::Instant;

const ELSEWHERE: &str = "cn-east-3";
const NOWHERE: &str = "00000000-0000-4000-8000-000000000000";
const DAY: Duration = Duration::from_secs(86_400);

/// Long enough for every slow machine.
fn patient() -> Wait {
    Wait::new().deadline(Duration::from_secs(60)).between(Duration::from_millis(5), Duration::from_millis(20))
}

/// Gives up soon.
fn hasty() -> Wait {
    patient().deadline(Duration::from_millis(200))
}

fn replicating_in(delay: Duration) -> Builder {
    Emulator::builder().replication_delay(delay)
}

async fn create(client: &Client, name: &str) {
    csms::CreateSecret::new(name).secret_string("value").send(client).await.unwrap();
}

async fn create_key(client: &Client) -> String {
    let key = kms::CreateKey::new("demo").send(client).await.unwrap();
    key.key_info.as_ref().unwrap().key_id.clone().unwrap()
}

#[track_caller]
fn assert_too_late(error: &Error, state: Option<&str>) {
    assert_eq!((error.kind(), error.last_state()), (ErrorKind::Timeout, state), "{error}");
    assert!(error.to_string().contains(state.unwrap_or("unknown")), "{error}");
    assert!(error.is_retryable());
}

#[track_caller]
fn assert_failed(error: &Error, state: &str) {
    assert_eq!((error.kind(), error.last_state()), (ErrorKind::Conflict, Some(state)), "{error}");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_replica_comes_into_sync_while_it_is_waited_for() {
    let emulator = replicating_in(Duration::from_millis(300)).start().await.unwrap();
    let client = emulator.client();
    create(&client, "demo").await;
    csms::CreateSecretReplica::new("demo", ELSEWHERE).send(&client).await.unwrap();
    let replica = patient().secret_replica(&client, "demo", ELSEWHERE).await.unwrap();
    assert_eq!((replica.status, replica.region.as_deref()), (Some(ReplicaStatus::InSync), Some(ELSEWHERE)));
}

#[tokio::test]
async fn a_replica_that_comes_too_late_is_told_with_its_last_state() {
    let emulator = replicating_in(DAY).start().await.unwrap();
    let client = emulator.client();
    create(&client, "demo").await;
    let error = hasty().secret_replica(&client, "demo", ELSEWHERE).await.unwrap_err();
    assert_too_late(&error, Some("not found"));
    csms::CreateSecretReplica::new("demo", ELSEWHERE).send(&client).await.unwrap();
    let error = hasty().secret_replica(&client, "demo", ELSEWHERE).await.unwrap_err();
    assert_too_late(&error, Some("IN_PROGRESS"));
    let error = patient().secret_replica(&client, "missing", ELSEWHERE).await.unwrap_err();
    assert_eq!((error.kind(), error.last_state()), (ErrorKind::NotFound, None), "no secret, no replica");
}

#[tokio::test]
async fn a_replica_that_failed_ends_the_waiting() {
    let emulator = replicating_in(Duration::ZERO).start().await.unwrap();
    let client = emulator.client();
    let elsewhere = client.for_region(ELSEWHERE).unwrap();
    let key = create_key(&elsewhere).await;
    create(&client, "demo").await;
    csms::CreateSecretReplica::new("demo", ELSEWHERE).kms_key_id(&key).send(&client).await.unwrap();
    kms::DisableKey::new(&key).send(&elsewhere).await.unwrap();
    csms::CreateSecretVersion::new("demo").secret_string("missed").send(&client).await.unwrap();
    assert_failed(&patient().secret_replica(&client, "demo", ELSEWHERE).await.unwrap_err(), "FAILED");
}

#[tokio::test]
async fn a_replica_of_a_key_is_waited_for_in_its_region() {
    let emulator = replicating_in(Duration::from_millis(300)).start().await.unwrap();
    let client = emulator.client();
    let elsewhere = client.for_region(ELSEWHERE).unwrap();
    let key = create_key(&client).await;
    let project = emulator.project_id(ELSEWHERE).unwrap();
    let created = kms::ReplicateKey::new(&key, ELSEWHERE, "copy", project).send(&client).await.unwrap();
    let id = created.key_id.clone().unwrap();
    let copy = patient().key_replica(&elsewhere, &id).await.unwrap();
    assert_eq!((copy.key_id, copy.key_state), (Some(id), Some(KeyState::Enabled)));
    assert_too_late(&hasty().key_replica(&elsewhere, NOWHERE).await.unwrap_err(), Some("not found"));
}

fn database() -> csms::CreateSecret {
    csms::CreateSecret::new("database")
        .secret_string(r#"{"users":[{"name":"shop","password":"first-password"}],"port":3306}"#)
        .secret_type(SecretType::RdsFg)
        .rotation_config(r#"{"InstanceId":"63616bceef2c45409575d762a498318bin01","SecretSubType":"SingleUser"}"#)
        .rotation_func_urn("urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:function:default:rotate:latest")
}

async fn rotate(client: &Client) -> String {
    csms::RotateSecret::new("database").send(client).await.unwrap().rotation_task_id.clone().unwrap()
}

#[tokio::test]
async fn a_rotation_is_waited_for_until_it_succeeds_or_fails() {
    let emulator = Emulator::builder().rotation_delay(Duration::from_millis(300)).start().await.unwrap();
    let client = emulator.client();
    let key = create_key(&client).await;
    database().kms_key_id(&key).send(&client).await.unwrap();
    let id = rotate(&client).await;
    let task = patient().rotation(&client, &id).await.unwrap();
    assert_eq!((task.task_id, task.task_status), (Some(id), Some(TaskStatus::Success)));

    let id = rotate(&client).await;
    kms::DisableKey::new(key).send(&client).await.unwrap();
    assert_failed(&patient().rotation(&client, &id).await.unwrap_err(), "FAILED (CSMS.0401)");
    assert_too_late(&hasty().rotation(&client, NOWHERE).await.unwrap_err(), Some("not found"));
}

#[tokio::test]
async fn a_scheduled_deletion_is_waited_for_until_the_secret_is_gone() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create(&client, "demo").await;
    csms::DeleteSecretForSchedule::new("demo", 7).send(&client).await.unwrap();
    let secret = patient().secret(&client, "demo", SecretState::PendingDelete).await.unwrap();
    assert_eq!(secret.name.as_deref(), Some("demo"));
    assert_too_late(&hasty().secret_deleted(&client, "demo").await.unwrap_err(), Some("PENDING_DELETE"));
    let (outcome, ()) = tokio::join!(patient().secret_deleted(&client, "demo"), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        emulator.advance(8 * DAY);
    });
    outcome.unwrap();
    patient().secret_deleted(&client, "demo").await.unwrap();
}

#[tokio::test]
async fn a_deletion_that_is_cancelled_ends_the_waiting() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create(&client, "demo").await;
    csms::DeleteSecretForSchedule::new("demo", 7).send(&client).await.unwrap();
    let (outcome, ()) = tokio::join!(patient().secret_deleted(&client, "demo"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        csms::RestoreSecret::new("demo").send(&client).await.unwrap();
    });
    assert_failed(&outcome.unwrap_err(), "ENABLED");
}

#[tokio::test]
async fn a_key_is_waited_for_through_its_states_until_it_is_gone() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let key = create_key(&client).await;
    patient().key(&client, &key, KeyState::Enabled).await.unwrap();
    assert_too_late(&hasty().key(&client, &key, KeyState::Disabled).await.unwrap_err(), Some("2"));
    kms::DeleteKey::new(&key, 7).send(&client).await.unwrap();
    patient().key(&client, &key, KeyState::PendingDeletion).await.unwrap();
    assert_too_late(&hasty().key_deleted(&client, &key).await.unwrap_err(), Some("4"));

    // Who waits for it to be enabled learns that it is gone.
    let (enabled, ()) = tokio::join!(patient().key(&client, &key, KeyState::Enabled), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        emulator.advance(8 * DAY);
    });
    assert_failed(&enabled.unwrap_err(), "gone");
    patient().key_deleted(&client, &key).await.unwrap();
}

#[tokio::test]
async fn a_secret_that_is_not_there_yet_is_waited_for() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let (outcome, ()) = tokio::join!(patient().secret(&client, "late", SecretState::Enabled), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        create(&client, "late").await;
    });
    assert_eq!(outcome.unwrap().name.as_deref(), Some("late"));
    assert_too_late(&hasty().secret(&client, "never", SecretState::Enabled).await.unwrap_err(), Some("not found"));
}

#[tokio::test]
async fn what_may_pass_is_borne_and_what_cannot_ends_the_waiting() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().with_options(CallOptions::new().retry(RetryPolicy::none()));
    create(&client, "demo").await;
    emulator.set_faults(&json!([{"operation": "ShowSecret", "status": 503, "times": 3}])).unwrap();
    patient().secret(&client, "demo", SecretState::Enabled).await.unwrap();

    emulator.set_faults(&json!([{"operation": "ShowSecret", "status": 503}])).unwrap();
    let error = hasty().secret(&client, "demo", SecretState::Enabled).await.unwrap_err();
    assert_too_late(&error, None);
    let cause = std::error::Error::source(&error).unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(cause.status(), Some(503), "the last failure is told");

    emulator.set_faults(&json!([{"operation": "ShowSecret", "status": 403}])).unwrap();
    let error = patient().secret(&client, "demo", SecretState::Enabled).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn looks_come_ever_more_seldom() {
    let millis = Duration::from_millis;
    let wait = Wait::new().deadline(millis(900)).between(millis(10), millis(160));
    let mut looks = Vec::new();
    let read = || {
        looks.push(Instant::now());
        ready(Ok("state"))
    };
    let error = wait.until("it", read, |state: &&str| Progress::Pending((*state).to_owned())).await.unwrap_err();
    assert_too_late(&error, Some("state"));
    let waits: Vec<_> = looks.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // The last wait is what is left of the time. A slow machine makes waits longer, never shorter.
    for (wait, bound) in waits[..waits.len() - 1].iter().zip([10, 20, 40, 80, 160, 160, 160, 160, 160, 160]) {
        assert!(*wait >= millis(bound / 2), "{waits:?}");
    }
    assert!((3..=15).contains(&looks.len()), "{waits:?}");
}

#[tokio::test]
async fn a_look_that_takes_too_long_is_broken_off() {
    let looks = AtomicUsize::new(0);
    let read = || async {
        looks.fetch_add(1, SeqCst);
        std::future::pending::<()>().await;
        Ok(())
    };
    let error = hasty().until("it", read, |()| Progress::Done).await.unwrap_err();
    assert_too_late(&error, None);
    assert_eq!(looks.load(SeqCst), 1);
}
