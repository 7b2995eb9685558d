//! Copying secrets and keys to several regions: what is done, what is left alone, and what is told of it.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use csms_emulator::{Builder, Emulator};
use csms_sdk::{
    CallOptions, Client, ErrorKind,
    csms::{
        CreateSecret, CreateSecretReplica, CreateSecretVersion, DeleteSecretForSchedule, ReplicaType, Secret,
        SecretState, ShowSecret, ShowSecretVersion,
    },
    kms::{self, KeySpec, KeyUsage},
    replicate::{
        Concurrency, Event, Exception, RemoveRegionsFromReplication, ReplicaKeyRegion, ReplicaRegion,
        ReplicateKeyToRegions, ReplicateSecretToRegions, Replicated, Replication, ReplicationStatus, StatusType, Step,
    },
    retry::RetryPolicy,
    wait::Wait,
};
use csms_tests::{
    calls::{client as bare, json as answer},
    raw_server::{RawServer, Step as Sent},
};
use futures_core::Stream;
use serde_json::json;

const EAST: &str = "cn-east-3";
const SOUTH: &str = "ap-southeast-1";
const BOTH: [&str; 2] = [EAST, SOUTH];
const NOWHERE: &str = "eu-west-0";
const VALUE: &str = "the-value-that-must-not-leak";
const DAY: Duration = Duration::from_secs(86_400);

/// Long enough for every slow machine.
fn patient() -> Wait {
    Wait::new().deadline(Duration::from_secs(60)).between(Duration::from_millis(5), Duration::from_millis(20))
}

/// Gives up soon.
fn hasty() -> Wait {
    patient().deadline(Duration::from_millis(200))
}

/// An emulator with a secret, and a client that repeats nothing.
async fn with_secret(builder: Builder) -> (Emulator, Client) {
    let emulator = builder.start().await.unwrap();
    let client = emulator.client().with_options(CallOptions::new().retry(RetryPolicy::none()));
    create(&client, VALUE).await;
    (emulator, client)
}

fn at_once() -> Builder {
    Emulator::builder().replication_delay(Duration::ZERO)
}

fn never() -> Builder {
    Emulator::builder().replication_delay(DAY)
}

async fn create(client: &Client, value: &str) {
    CreateSecret::new("demo").secret_string(value).send(client).await.unwrap();
}

async fn show(client: &Client) -> Secret {
    ShowSecret::new("demo").send(client).await.unwrap().into_body().secret.unwrap()
}

async fn value(client: &Client) -> String {
    let answer = ShowSecretVersion::new("demo", "latest").send(client).await.unwrap().into_body();
    answer.version.unwrap().secret_string.unwrap().expose_secret().to_owned()
}

async fn replicate(client: &Client, regions: &[&str]) -> Replicated {
    ReplicateSecretToRegions::new("demo", regions.iter().copied()).wait(patient()).send(client).await.unwrap()
}

fn forced(region: impl Into<ReplicaRegion>) -> ReplicateSecretToRegions {
    ReplicateSecretToRegions::new("demo", [region.into()]).force_overwrite_replica_secret(true)
}

fn statuses(answer: &Replicated) -> Vec<(&str, &StatusType)> {
    answer.replication_status.iter().map(|status| (status.region.as_str(), &status.status)).collect()
}

#[track_caller]
fn assert_in_sync(answer: &Replicated, regions: &[&str]) {
    let expected: Vec<_> = regions.iter().map(|region| (*region, &StatusType::InSync)).collect();
    assert_eq!(statuses(answer), expected, "{answer:?}");
}

#[track_caller]
fn assert_failed(status: &ReplicationStatus, exception: Option<Exception>, words: &str) {
    assert_eq!(status.status, StatusType::Failed);
    let message = status.status_message.as_deref().unwrap();
    assert!(message.contains(words), "{message}");
    assert_eq!(Exception::of(status.error.as_ref().unwrap()), exception, "{message}");
}

async fn events(replication: &mut Replication) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = replication.next().await {
        events.push(event);
    }
    events
}

/// What happened in a region, in short.
fn steps(events: &[Event], region: &str) -> Vec<String> {
    let of_region = events.iter().filter(|event| event.region == region);
    of_region
        .map(|event| match &event.step {
            Step::Ended(status) => format!("Ended({})", status.status),
            Step::Seen(status) => format!("Seen({status})"),
            step => format!("{step:?}"),
        })
        .collect()
}

#[tokio::test]
async fn a_secret_comes_into_sync_in_every_region_while_it_is_waited_for() {
    let (_emulator, client) = with_secret(Emulator::builder().replication_delay(Duration::from_millis(300))).await;
    let begun = ReplicateSecretToRegions::new("demo", BOTH).send(&client).await.unwrap();
    assert_eq!(statuses(&begun), [(EAST, &StatusType::InProgress), (SOUTH, &StatusType::InProgress)]);
    let done = replicate(&client, &BOTH).await;
    assert_in_sync(&done, &BOTH);
    assert_eq!(done.arn, begun.arn);
    assert_eq!(done.failed().count(), 0);
    for (region, status) in BOTH.into_iter().zip(&done.replication_status) {
        let there = client.for_region(region).unwrap();
        assert_eq!(value(&there).await, VALUE);
        assert_eq!(show(&there).await.id, status.replica_id);
    }
    assert_eq!(show(&client).await.replica_type, Some(ReplicaType::Primary));
}

#[tokio::test]
async fn asking_again_touches_nothing_not_even_when_forced() {
    let (_emulator, client) = with_secret(at_once()).await;
    let first = replicate(&client, &BOTH).await;
    let before = show(&client).await;
    // By what the first answer calls it.
    let again = ReplicateSecretToRegions::new(&first.arn, BOTH).force_overwrite_replica_secret(true);
    let again = again.send(&client).await.unwrap();
    assert_in_sync(&again, &BOTH);
    for (first, again) in first.replication_status.iter().zip(&again.replication_status) {
        assert_eq!(first.replica_id, again.replica_id);
        assert!(again.kms_key_id.is_some());
    }
    assert_eq!(show(&client).await, before);
}

#[tokio::test]
async fn a_region_is_added_beside_those_that_are_there() {
    let (_emulator, client) = with_secret(at_once()).await;
    replicate(&client, &[EAST]).await;
    assert_in_sync(&replicate(&client, &[SOUTH, EAST]).await, &[SOUTH, EAST]);
}

#[tokio::test]
async fn the_key_of_a_replica_is_the_one_that_was_named() {
    let (_emulator, client) = with_secret(at_once()).await;
    let key = create_key(&client.for_region(EAST).unwrap(), "there").await;
    let target = ReplicaRegion::new(EAST).kms_key_id(&key);
    let answer = ReplicateSecretToRegions::new("demo", [target]).send(&client).await.unwrap();
    assert_eq!(answer.replication_status[0].kms_key_id.as_deref(), Some(key.as_str()));
    assert_eq!(show(&client.for_region(EAST).unwrap()).await.kms_key_id, Some(key));
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_and_the_secret_there_is_kept() {
    let (_emulator, client) = with_secret(at_once()).await;
    let there = client.for_region(EAST).unwrap();
    create(&there, "of somebody else").await;
    let answer = replicate(&client, &BOTH).await;
    let [east, south] = answer.replication_status.as_slice() else { panic!("{answer:?}") };
    assert_failed(east, Some(Exception::InvalidRequestException), "force");
    let message = east.status_message.as_deref().unwrap();
    assert!(message.contains("CSMS.0101") && message.contains("request "), "{message}");
    assert_eq!(south.status, StatusType::InSync, "one region does not hide another");
    assert_eq!(answer.failed().count(), 1);
    assert_eq!(value(&there).await, "of somebody else");
}

#[tokio::test]
async fn a_name_that_is_taken_is_overwritten_when_forced() {
    let (_emulator, client) = with_secret(at_once()).await;
    let there = client.for_region(EAST).unwrap();
    create(&there, "of somebody else").await;
    let mut replication = forced(EAST).wait(patient()).start(&client);
    let events = events(&mut replication).await;
    assert_eq!(steps(&events, EAST), ["Started", "Removed", "Created", "Seen(InSync)", "Ended(InSync)"]);
    assert_in_sync(&replication.finish().await.unwrap(), &[EAST]);
    assert_eq!(value(&there).await, VALUE);
    assert_eq!(show(&there).await.replica_type, Some(ReplicaType::Replica));
}

/// Forces a replica, which has to fail, and has to leave the secret there as it is.
async fn refuses_to_overwrite(client: &Client, request: ReplicateSecretToRegions, words: &str) {
    let there = client.for_region(EAST).unwrap();
    let before = show(&there).await;
    let answer = request.send(client).await.unwrap();
    assert_failed(&answer.replication_status[0], Some(Exception::InvalidRequestException), words);
    assert_eq!(show(&there).await, before);
}

#[tokio::test]
async fn nothing_is_overwritten_for_a_key_that_cannot_protect_the_replica() {
    let (emulator, client) = with_secret(at_once()).await;
    let there = client.for_region(EAST).unwrap();
    create(&there, "of somebody else").await;
    let disabled = create_key(&there, "disabled").await;
    kms::DisableKey::new(&disabled).send(&there).await.unwrap();
    let rsa = kms::CreateKey::new("rsa").key_spec(KeySpec::Rsa2048).send(&there).await.unwrap().into_body();
    for key in [disabled, rsa.key_info.unwrap().key_id.unwrap()] {
        // Should the service look at the name before it looks at the key.
        emulator.set_faults(&name_taken()).unwrap();
        let target = ReplicaRegion::new(EAST).kms_key_id(key);
        refuses_to_overwrite(&client, forced(target), "not enabled or not symmetric").await;
    }
}

#[tokio::test]
async fn nothing_is_overwritten_that_belongs_to_another_replication() {
    let (_emulator, client) = with_secret(at_once()).await;
    let there = client.for_region(EAST).unwrap();
    create(&there, "of somebody else").await;
    CreateSecretReplica::new("demo", SOUTH).send(&there).await.unwrap();
    refuses_to_overwrite(&client, forced(EAST), "PRIMARY of another replication").await;
    let south = client.for_region(SOUTH).unwrap();
    let before = show(&south).await;
    let answer = forced(SOUTH).send(&client).await.unwrap();
    assert_failed(&answer.replication_status[0], Some(Exception::InvalidRequestException), "REPLICA of another");
    assert_eq!(show(&south).await, before);
}

#[tokio::test]
async fn nothing_is_overwritten_where_replicas_are_not_offered_or_that_is_not_known() {
    let (_emulator, client) = with_secret(Emulator::builder().regions(["cn-north-4", EAST])).await;
    create(&client.for_region(EAST).unwrap(), "of somebody else").await;
    let list = "/csms/replica-regions";
    for (offered, exception) in [
        (answer(200, r#"{"regions":["ap-southeast-1"],"total":1}"#), Some(Exception::InvalidRequestException)),
        (answer(403, r#"{"error_code":"CSMS.0302","error_msg":"no"}"#), None),
    ] {
        let server = RawServer::start(move |request| match (request.method.as_str(), &request.target) {
            ("GET", target) if target.ends_with(list) => offered.clone(),
            ("GET", _) => answer(200, r#"{"secret":{"id":"i","name":"demo","state":"ENABLED"}}"#),
            ("POST", _) => answer(409, r#"{"error_code":"CSMS.0101","error_msg":"The secret name already exists."}"#),
            _ => answer(204, ""),
        })
        .await;
        let client = everywhere(&server);
        let answer = forced(EAST).send(&client).await.unwrap();
        assert_failed(&answer.replication_status[0], exception, "ListSupportRegions");
        assert!(server.requests().iter().all(|request| request.method != "DELETE"));
    }
}

/// A client whose regions are all played by this server.
fn everywhere(server: &RawServer) -> Client {
    bare(format!("{}/{{region}}", server.uri())).build().unwrap()
}

/// The refusal that a region gives whose name is taken, before it looks at the key.
fn name_taken() -> serde_json::Value {
    json!([{"operation": "CreateSecretReplica", "status": 409, "code": "CSMS.0101", "times": 1}])
}

#[tokio::test]
async fn a_deletion_that_is_pending_there_is_told_with_advice() {
    let (_emulator, client) = with_secret(at_once()).await;
    let there = client.for_region(EAST).unwrap();
    create(&there, "of somebody else").await;
    DeleteSecretForSchedule::new("demo", 7).send(&there).await.unwrap();
    refuses_to_overwrite(&client, forced(EAST), "restore it and ask again").await;
    assert_eq!(show(&there).await.state, Some(SecretState::PendingDelete));
}

#[tokio::test]
async fn a_source_that_is_no_longer_enabled_stops_the_overwriting() {
    let shown = AtomicUsize::new(0);
    let server = RawServer::start(move |request| match request.method.as_str() {
        "GET" if shown.fetch_add(1, SeqCst) == 0 => {
            answer(200, r#"{"secret":{"id":"i","name":"demo","state":"ENABLED"}}"#)
        }
        "GET" => answer(200, r#"{"secret":{"id":"i","name":"demo","state":"PENDING_DELETE"}}"#),
        "POST" => answer(409, r#"{"error_code":"CSMS.0101","error_msg":"The secret name already exists."}"#),
        _ => answer(204, ""),
    })
    .await;
    let answer = forced(EAST).send(&everywhere(&server)).await.unwrap();
    assert_failed(&answer.replication_status[0], Some(Exception::InvalidRequestException), "PENDING_DELETE");
    assert!(server.requests().iter().all(|request| request.method != "DELETE"));
}

#[tokio::test]
async fn the_secret_itself_is_not_overwritten_should_both_regions_be_one_place() {
    let server = RawServer::start(|request| match (request.method.as_str(), &request.target) {
        ("GET", target) if target.ends_with("/replica-regions") => answer(200, r#"{"regions":["cn-east-3"]}"#),
        ("GET", target) if target.contains("/v3/projects") => answer(200, r#"{"projects":[{"id":"p"}]}"#),
        ("GET", _) => answer(200, r#"{"secret":{"id":"i","name":"demo","state":"ENABLED"}}"#),
        ("POST", _) => answer(409, r#"{"error_code":"CSMS.0101","error_msg":"The secret name already exists."}"#),
        _ => answer(204, ""),
    })
    .await;
    let answer = forced(EAST).send(&everywhere(&server)).await.unwrap();
    assert_failed(&answer.replication_status[0], Some(Exception::InvalidRequestException), "check the endpoints");
    assert!(server.requests().iter().all(|request| request.method != "DELETE"));
}

#[tokio::test]
async fn a_replica_that_fails_after_the_removal_says_that_the_old_secret_is_gone() {
    let (emulator, client) = with_secret(at_once()).await;
    let there = client.for_region(EAST).unwrap();
    create(&there, "of somebody else").await;
    let mut replication = forced(EAST).start(&client);
    while let Some(event) = replication.next().await {
        if matches!(event.step, Step::Removed) {
            emulator.set_faults(&json!([{"operation": "CreateSecretReplica", "status": 503}])).unwrap();
        }
    }
    let answer = replication.finish().await.unwrap();
    assert_failed(&answer.replication_status[0], Some(Exception::InternalServiceError), "HAS BEEN DELETED");
    let error = ShowSecret::new("demo").send(&there).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    emulator.clear_faults();
    assert_in_sync(&replicate(&client, &[EAST]).await, &[EAST]);
}

#[tokio::test]
async fn one_region_that_is_down_does_not_hide_another() {
    let (emulator, client) = with_secret(at_once()).await;
    emulator.set_faults(&json!([{"operation": "CreateSecretReplica", "status": 503, "times": 1}])).unwrap();
    let request = ReplicateSecretToRegions::new("demo", [EAST, SOUTH, NOWHERE]).wait(patient()).concurrency(1);
    let answer = request.send(&client).await.unwrap();
    let [east, south, nowhere] = answer.replication_status.as_slice() else { panic!("{answer:?}") };
    assert_failed(east, Some(Exception::InternalServiceError), "HTTP 503");
    assert_eq!(south.status, StatusType::InSync);
    assert_failed(nowhere, Some(Exception::InvalidParameterException), "CSMS.0002");
}

#[tokio::test]
async fn all_regions_may_fail_and_that_is_an_answer() {
    let (emulator, client) = with_secret(at_once()).await;
    emulator.set_faults(&json!([{"operation": "CreateSecretReplica", "status": 429}])).unwrap();
    let answer = ReplicateSecretToRegions::new("demo", BOTH).wait(patient()).send(&client).await.unwrap();
    assert_eq!(answer.failed().count(), 2);
    assert_failed(&answer.replication_status[0], None, "APIGW.0308");
}

#[tokio::test]
async fn throttled_calls_are_repeated() {
    let (emulator, client) = with_secret(at_once()).await;
    let quick = RetryPolicy::standard().with_backoff(Duration::from_millis(1), Duration::from_millis(5));
    emulator.set_faults(&json!([{"operation": "CreateSecretReplica", "status": 429, "times": 3}])).unwrap();
    let client = client.with_options(CallOptions::new().retry(quick));
    assert_in_sync(&replicate(&client, &BOTH).await, &BOTH);
}

#[tokio::test]
async fn a_connection_that_is_cut_after_the_creation_is_no_failure() {
    let (emulator, client) = with_secret(at_once()).await;
    emulator.set_faults(&json!([{"operation": "CreateSecretReplica", "cut_at": 0}])).unwrap();
    assert_in_sync(&replicate(&client, &BOTH).await, &BOTH);
    emulator.set_faults(&json!([{"operation": "CreateSecretReplica", "cut_at": 5}])).unwrap();
    RemoveRegionsFromReplication::new("demo", [EAST]).send(&client).await.unwrap();
    assert_in_sync(&replicate(&client, &[EAST]).await, &[EAST]);
}

#[tokio::test]
async fn an_outcome_that_cannot_be_looked_up_is_told_as_unknown() {
    let (emulator, client) = with_secret(at_once()).await;
    let mut replication = ReplicateSecretToRegions::new("demo", [EAST]).start(&client);
    assert!(matches!(replication.next().await.unwrap().step, Step::Started));
    let faults =
        json!([{"operation": "CreateSecretReplica", "status": 502}, {"operation": "ShowSecret", "status": 502}]);
    emulator.set_faults(&faults).unwrap();
    let answer = replication.finish().await.unwrap();
    assert_failed(&answer.replication_status[0], Some(Exception::InternalServiceError), "not known");
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_before_anything_is_sent() {
    let server = RawServer::start(|_| answer(500, "")).await;
    let client = everywhere(&server);
    let secret = |id: &str, regions: Vec<&str>| ReplicateSecretToRegions::new(id, regions);
    let with_key = |key: &str| ReplicateSecretToRegions::new("demo", [ReplicaRegion::new(EAST).kms_key_id(key)]);
    for (request, field) in [
        (secret("demo", vec![]), "add_replica_regions"),
        (secret("demo", vec![""]), "add_replica_regions.0"),
        (secret("demo", vec!["../x"]), "add_replica_regions.0"),
        (secret("demo", vec![EAST, SOUTH, EAST]), "add_replica_regions.2"),
        (secret("demo", vec![EAST, "cn-north-4"]), "add_replica_regions.1"),
        (secret("", vec![EAST]), "secret_id"),
        (secret("no name", vec![EAST]), "secret_id"),
        (secret("csms:cn-east-3:a:secret:demo:i", vec![EAST]), "secret_id"),
        (secret("kms:cn-north-4:a:key:k", vec![EAST]), "secret_id"),
        (with_key(""), "add_replica_regions.0.kms_key_id"),
    ] {
        let error = request.send(&client).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some(field)), "{error}");
        assert_eq!(Exception::of(&error), Some(Exception::InvalidParameterException));
    }
    for (regions, field) in [(vec![], "remove_replica_regions"), (vec!["cn-north-4"], "remove_replica_regions.0")] {
        let error = RemoveRegionsFromReplication::new("demo", regions).send(&client).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some(field)), "{error}");
    }
    for (request, field) in [
        (ReplicateKeyToRegions::new("k", Vec::<&str>::new()), "add_replica_regions"),
        (ReplicateKeyToRegions::new("", vec![EAST]), "key_id"),
        (ReplicateKeyToRegions::new("k", [ReplicaKeyRegion::new(EAST).alias("")]), "add_replica_regions.0.alias"),
        (
            ReplicateKeyToRegions::new("k", [ReplicaKeyRegion::new(EAST).project_id("")]),
            "add_replica_regions.0.project_id",
        ),
    ] {
        let error = request.send(&client).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some(field)), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn nothing_is_begun_with_a_secret_that_cannot_be_replicated() {
    let (emulator, client) = with_secret(at_once()).await;
    replicate(&client, &[EAST]).await;
    // A replica, one that does not exist, one of another id, one that may not be read, one that is to be deleted.
    let there = client.for_region(EAST).unwrap();
    let error = ReplicateSecretToRegions::new("demo", [SOUTH]).send(&there).await.unwrap_err();
    assert_eq!(Exception::of(&error), Some(Exception::InvalidRequestException));
    assert!(error.help().unwrap().contains("primary"), "{error}");
    let error = RemoveRegionsFromReplication::new("demo", [SOUTH]).send(&there).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);

    for secret in ["missing", "csms:cn-north-4::secret:demo:another-id"] {
        let error = ReplicateSecretToRegions::new(secret, [SOUTH]).send(&client).await.unwrap_err();
        assert_eq!(Exception::of(&error), Some(Exception::ResourceNotFoundException), "{error}");
    }
    emulator.set_faults(&json!([{"operation": "ShowSecret", "status": 403, "code": "CSMS.0302"}])).unwrap();
    let error = ReplicateSecretToRegions::new("demo", [SOUTH]).send(&client).await.unwrap_err();
    assert_eq!((error.kind(), Exception::of(&error)), (ErrorKind::PermissionDenied, None));
    emulator.clear_faults();

    RemoveRegionsFromReplication::new("demo", [EAST]).send(&client).await.unwrap();
    DeleteSecretForSchedule::new("demo", 7).send(&client).await.unwrap();
    let error = ReplicateSecretToRegions::new("demo", [SOUTH]).send(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.last_state()), (ErrorKind::Conflict, Some("PENDING_DELETE")));
}

#[tokio::test]
async fn the_target_region_is_not_called_unless_something_is_to_be_overwritten() {
    let server = RawServer::start(|request| match request.method.as_str() {
        "GET" => answer(200, r#"{"secret":{"id":"i","name":"demo","state":"ENABLED"}}"#),
        _ => answer(200, r#"{"replica_id":"r"}"#),
    })
    .await;
    // An endpoint that serves one region.
    let client = bare(server.uri()).build().unwrap();
    let begun = ReplicateSecretToRegions::new("demo", [EAST]).send(&client).await.unwrap();
    assert_eq!(begun.replication_status[0].replica_id.as_deref(), Some("r"));

    let server = RawServer::start(|request| match request.method.as_str() {
        "GET" => answer(200, r#"{"secret":{"id":"i","name":"demo","state":"ENABLED"}}"#),
        _ => answer(409, r#"{"error_code":"CSMS.0101","error_msg":"The secret name already exists."}"#),
    })
    .await;
    let client = bare(server.uri()).build().unwrap();
    let answer = forced(EAST).send(&client).await.unwrap();
    let serves_one = "serves one region";
    assert_failed(&answer.replication_status[0], Some(Exception::InvalidParameterException), serves_one);
}

#[tokio::test]
async fn replicas_that_are_there_tell_when_they_were_last_read_if_asked() {
    let server = RawServer::start(|request| match request.target.starts_with("/cn-east-3/") {
        true if request.target.contains("/v3/projects") => answer(200, r#"{"projects":[{"id":"p"}]}"#),
        true => answer(200, r#"{"secret":{"id":"r","name":"demo","state":"ENABLED","last_used_time":1581507580000}}"#),
        false => answer(
            200,
            r#"{"secret":{"id":"i","name":"demo","state":"ENABLED","domain_id":"d","replica_type":"PRIMARY","replicas":[
                {"id":"r","region":"cn-east-3","status":"IN_SYNC"},
                {"id":"s","region":"ap-southeast-1","status":"ODD"}]}}"#,
        ),
    })
    .await;
    let client = everywhere(&server);
    let request = ReplicateSecretToRegions::new("demo", BOTH);
    let answer = request.clone().send(&client).await.unwrap();
    assert_eq!(answer.arn, "csms:cn-north-4:d:secret:demo:i");
    assert_eq!(statuses(&answer), [(EAST, &StatusType::InSync), (SOUTH, &StatusType::Other("ODD".to_owned()))]);
    assert!(answer.replication_status.iter().all(|status| status.last_accessed_date.is_none()));
    assert_eq!(server.requests().len(), 1);
    let answer = request.last_accessed_dates(true).send(&client).await.unwrap();
    let last = answer.replication_status[0].last_accessed_date.unwrap();
    assert_eq!(last.as_millis(), 1_581_507_580_000);
}

#[tokio::test]
async fn what_comes_too_late_is_told_as_it_is() {
    let (_emulator, client) = with_secret(never()).await;
    let mut replication = ReplicateSecretToRegions::new("demo", BOTH).wait(hasty()).start(&client);
    let events = events(&mut replication).await;
    assert_eq!(steps(&events, EAST), ["Started", "Created", "Ended(InProgress)"]);
    let answer = replication.finish().await.unwrap();
    for status in &answer.replication_status {
        assert_eq!(status.status, StatusType::InProgress);
        let error = status.error.as_ref().unwrap();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.last_state().unwrap().contains(&status.region), "{error}");
    }
}

#[tokio::test]
async fn a_replica_that_cannot_follow_has_failed_and_is_not_made_anew() {
    let (_emulator, client) = with_secret(at_once()).await;
    let there = client.for_region(EAST).unwrap();
    let key = create_key(&there, "there").await;
    let target = || ReplicaRegion::new(EAST).kms_key_id(&key);
    let targets = || [target(), SOUTH.into()];
    ReplicateSecretToRegions::new("demo", targets()).wait(patient()).send(&client).await.unwrap();
    kms::DisableKey::new(&key).send(&there).await.unwrap();
    CreateSecretVersion::new("demo").secret_string("missed").send(&client).await.unwrap();
    let before = show(&client).await;
    let answer = ReplicateSecretToRegions::new("demo", targets()).wait(patient()).force_overwrite_replica_secret(true);
    let answer = answer.send(&client).await.unwrap();
    assert_failed(&answer.replication_status[0], Some(Exception::InvalidRequestException), "its KMS key");
    assert!(answer.replication_status[0].replica_id.is_some());
    assert_eq!(answer.replication_status[1].status, StatusType::InSync);
    assert_eq!(show(&client).await.replicas[0].id, before.replicas[0].id);
}

#[tokio::test]
async fn events_come_in_order_and_end_with_the_statuses_of_the_answer() {
    let (_emulator, client) = with_secret(Emulator::builder().replication_delay(Duration::from_millis(200))).await;
    replicate(&client, &[SOUTH]).await;
    let mut replication = ReplicateSecretToRegions::new("demo", [EAST, SOUTH, NOWHERE]).wait(patient()).start(&client);
    let events = events(&mut replication).await;
    assert_eq!(steps(&events, EAST), ["Started", "Created", "Seen(InSync)", "Ended(InSync)"]);
    assert_eq!(steps(&events, SOUTH), ["Started", "Seen(InSync)", "Ended(InSync)"]);
    assert_eq!(steps(&events, NOWHERE), ["Started", "Ended(Failed)"]);
    assert!(replication.next().await.is_none(), "the end stays the end");
    let answer = replication.finish().await.unwrap();
    for status in &answer.replication_status {
        let ended = events.iter().rev().find(|event| event.region == status.region).unwrap();
        assert!(matches!(&ended.step, Step::Ended(ended) if ended.status == status.status));
    }
}

#[tokio::test]
async fn events_are_a_stream_and_nothing_happens_once_it_is_dropped() {
    fn is_stream<S: Stream<Item = Event> + Send + Unpin>(_: &S) {}

    let (_emulator, client) = with_secret(at_once()).await;
    let mut replication = ReplicateSecretToRegions::new("demo", BOTH).concurrency(1).start(&client);
    is_stream(&replication);
    while let Some(event) =
        std::future::poll_fn(|context| std::pin::Pin::new(&mut replication).poll_next(context)).await
    {
        if matches!(event.step, Step::Created) {
            break;
        }
    }
    drop(replication);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(show(&client).await.replicas.len(), 1);
    drop(ReplicateSecretToRegions::new("demo", BOTH).start(&client));
    assert_eq!(show(&client).await.replicas.len(), 1);
}

#[tokio::test]
async fn an_error_ends_the_events_and_is_the_outcome() {
    let emulator = Emulator::start().await.unwrap();
    let mut replication = ReplicateSecretToRegions::new("missing", BOTH).start(&emulator.client());
    assert!(replication.next().await.is_none());
    assert_eq!(replication.finish().await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_allowed_however_many_share_the_bound() {
    // Creations are never answered, so that all of them stay under way.
    let server = RawServer::start(|request| match request.method.as_str() {
        "GET" => answer(200, r#"{"secret":{"id":"i","name":"demo","state":"ENABLED"}}"#),
        _ => vec![Sent::Wait(DAY)],
    })
    .await;
    let client = everywhere(&server);
    let most = Concurrency::new(3);
    let regions: Vec<_> = (0..4).map(|number| format!("region-{number}")).collect();
    let mut work = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let request = ReplicateSecretToRegions::new("demo", regions.clone()).concurrency(&most);
        work.spawn(request.start(&client).finish());
    }
    let creations = || server.requests().iter().filter(|request| request.method == "POST").count();
    within_a_minute(|| creations() == 3).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(creations(), 3);
}

async fn within_a_minute(is_so: impl Fn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.unwrap();
}

#[tokio::test]
async fn regions_are_removed_and_the_others_are_told() {
    let (_emulator, client) = with_secret(at_once()).await;
    replicate(&client, &BOTH).await;
    let mut replication = RemoveRegionsFromReplication::new("demo", [EAST, NOWHERE]).wait(patient()).start(&client);
    let events = events(&mut replication).await;
    assert_eq!(steps(&events, EAST), ["Started", "Removed", "Absent"]);
    assert_eq!(steps(&events, NOWHERE), ["Started", "Absent"]);
    assert_in_sync(&replication.finish().await.unwrap(), &[SOUTH]);
    let error = ShowSecret::new("demo").send(&client.for_region(EAST).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    for _ in 0..2 {
        let left = RemoveRegionsFromReplication::new("demo", BOTH).send(&client).await.unwrap();
        assert!(left.replication_status.is_empty());
    }
    assert_eq!(show(&client).await.replica_type, Some(ReplicaType::Standalone));
}

#[tokio::test]
async fn a_replica_that_could_not_be_removed_is_left_in_the_answer() {
    let (emulator, client) = with_secret(at_once()).await;
    replicate(&client, &BOTH).await;
    emulator.set_faults(&json!([{"operation": "DeleteSecretReplica", "status": 403, "times": 1}])).unwrap();
    let removal = RemoveRegionsFromReplication::new("demo", BOTH).concurrency(1).wait(patient());
    let left = removal.send(&client).await.unwrap();
    assert_eq!(statuses(&left), [(EAST, &StatusType::Failed)]);
    assert_failed(&left.replication_status[0], None, "csms:secret:deleteReplica");
    assert_eq!(show(&client).await.replicas.len(), 1);
}

#[tokio::test]
async fn a_replica_that_does_not_go_in_time_is_left_in_the_answer() {
    let server = RawServer::start(|request| match request.method.as_str() {
        "GET" => answer(
            200,
            r#"{"secret":{"id":"i","name":"demo","state":"ENABLED","replica_type":"PRIMARY",
                "replicas":[{"id":"r","region":"cn-east-3","status":"IN_SYNC"}]}}"#,
        ),
        _ => answer(204, ""),
    })
    .await;
    let removal = RemoveRegionsFromReplication::new("demo", [EAST]).wait(hasty());
    let left = removal.send(&everywhere(&server)).await.unwrap();
    assert_eq!(statuses(&left), [(EAST, &StatusType::InProgress)]);
    assert_eq!(left.replication_status[0].error.as_ref().unwrap().kind(), ErrorKind::Timeout);
}

async fn create_key(client: &Client, alias: &str) -> String {
    let key = kms::CreateKey::new(alias).key_description("of the tests").send(client).await.unwrap();
    key.key_info.as_ref().unwrap().key_id.clone().unwrap()
}

async fn details(client: &Client, key_id: &str) -> kms::KeyDetails {
    kms::ListKeyDetail::new(key_id).send(client).await.unwrap().into_body().key_info.unwrap()
}

#[tokio::test]
async fn a_key_goes_to_two_regions_with_alias_description_and_tags() {
    let emulator = Emulator::builder().replication_delay(Duration::from_millis(200)).start().await.unwrap();
    let client = emulator.client();
    let key = create_key(&client, "orders").await;
    kms::CreateKmsTag::new(&key).tag(kms::TagItem::new("team").value("shop")).send(&client).await.unwrap();
    let project = emulator.project_id(SOUTH).unwrap();
    let targets = [EAST.into(), ReplicaKeyRegion::new(SOUTH).alias("orders-south").project_id(project)];
    let request = ReplicateKeyToRegions::new(&key, targets.clone()).wait(patient());
    let mut replication = request.start(&client);
    let events = events(&mut replication).await;
    assert_eq!(steps(&events, EAST), ["Started", "Created", "Seen(InSync)", "Ended(InSync)"]);
    let answer = replication.finish().await.unwrap();
    assert_in_sync(&answer, &BOTH);
    assert!(
        answer.arn.starts_with("kms:cn-north-4:") && answer.arn.ends_with(&format!(":key:{key}")),
        "{}",
        answer.arn
    );
    let sealed = kms::EncryptData::new(&key, "text").send(&client).await.unwrap().into_body().cipher_text.unwrap();
    for (status, alias) in answer.replication_status.iter().zip(["orders", "orders-south"]) {
        let there = client.for_region(&status.region).unwrap();
        let copy = status.replica_id.as_deref().unwrap();
        let found = details(&there, copy).await;
        assert_eq!((found.key_alias.as_deref(), found.key_description.as_deref()), (Some(alias), Some("of the tests")));
        let tags = kms::ShowKmsTags::new(copy).send(&there).await.unwrap().into_body().tags;
        assert_eq!(tags, [kms::TagItem::new("team").value("shop")]);
        kms::DecryptData::new(&sealed).send(&there).await.unwrap();
    }

    // By what the answer calls it.
    let again = ReplicateKeyToRegions::new(&answer.arn, targets).send(&client).await.unwrap();
    assert_in_sync(&again, &BOTH);
    for (first, again) in answer.replication_status.iter().zip(&again.replication_status) {
        assert_eq!(first.replica_id, again.replica_id);
    }
}

#[tokio::test]
async fn a_copy_is_waited_for_in_the_project_that_was_named() {
    let key = r#"{"key_info":{"key_id":"k","key_alias":"orders","key_state":"2","key_spec":"AES_256"}}"#;
    let server = RawServer::start(move |request| match request.target.as_str() {
        target if target.ends_with("/describe-key") => answer(200, key),
        target if target.ends_with("/tags") => answer(200, r#"{"tags":[]}"#),
        _ => answer(200, r#"{"key_id":"copy"}"#),
    })
    .await;
    let target = ReplicaKeyRegion::new(EAST).project_id("named");
    let done = ReplicateKeyToRegions::new("k", [target]).wait(patient()).send(&everywhere(&server)).await.unwrap();
    assert_in_sync(&done, &[EAST]);
    let there: Vec<_> = server.requests().into_iter().filter(|request| request.target.contains(EAST)).collect();
    let targets: Vec<_> = there.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(targets, ["/cn-east-3/v1.0/named/kms/describe-key"]);
}

#[tokio::test]
async fn an_asymmetric_copy_is_known_by_its_public_key() {
    let emulator = at_once().start().await.unwrap();
    let client = emulator.client();
    let request = kms::CreateKey::new("signing").key_spec(KeySpec::EcP256).key_usage(KeyUsage::SignVerify);
    let key = request.clone().send(&client).await.unwrap().into_body().key_info.unwrap().key_id.unwrap();
    // In the south the alias is another key's.
    request.send(&client.for_region(SOUTH).unwrap()).await.unwrap();
    for _ in 0..2 {
        let answer = ReplicateKeyToRegions::new(&key, BOTH).wait(patient()).send(&client).await.unwrap();
        assert_eq!(answer.replication_status[0].status, StatusType::InSync, "{answer:?}");
        let words = "not known to be a copy";
        assert_failed(&answer.replication_status[1], Some(Exception::InvalidRequestException), words);
    }
}

#[tokio::test]
async fn another_key_of_the_same_alias_is_not_taken_for_a_copy() {
    let emulator = at_once().start().await.unwrap();
    let client = emulator.client();
    let key = create_key(&client, "orders").await;
    let there = client.for_region(EAST).unwrap();
    let other = create_key(&there, "orders").await;
    let replicate = || ReplicateKeyToRegions::new(&key, BOTH).wait(patient()).send(&client);
    let answer = replicate().await.unwrap();
    let words = "not known to be a copy";
    assert_failed(&answer.replication_status[0], Some(Exception::InvalidRequestException), words);
    assert_eq!(answer.replication_status[1].status, StatusType::InSync);
    kms::DisableKey::new(&other).send(&there).await.unwrap();
    let answer = replicate().await.unwrap();
    assert_failed(&answer.replication_status[0], Some(Exception::InvalidRequestException), "not enabled");
}

#[tokio::test]
async fn a_key_whose_copying_was_cut_off_is_found_by_its_alias() {
    let emulator = Emulator::builder().replication_delay(Duration::from_millis(200)).start().await.unwrap();
    let client = emulator.client();
    let key = create_key(&client, "orders").await;
    emulator.set_faults(&json!([{"operation": "ReplicateKey", "cut_at": 0}])).unwrap();
    let begun = ReplicateKeyToRegions::new(&key, [EAST]).send(&client).await.unwrap();
    assert_eq!(statuses(&begun), [(EAST, &StatusType::InProgress)]);
    let done = ReplicateKeyToRegions::new(&key, [EAST]).wait(patient()).send(&client).await.unwrap();
    assert_in_sync(&done, &[EAST]);
    assert_eq!(done.replication_status[0].replica_id, begun.replication_status[0].replica_id);
}

#[tokio::test]
async fn keys_that_cannot_be_copied_are_refused_before_anything_is_begun() {
    let emulator = at_once().start().await.unwrap();
    let client = emulator.client();
    let key = create_key(&client, "orders").await;
    kms::DisableKey::new(&key).send(&client).await.unwrap();
    let error = ReplicateKeyToRegions::new(&key, BOTH).send(&client).await.unwrap_err();
    assert_eq!(Exception::of(&error), Some(Exception::InvalidRequestException));
    create(&client, VALUE).await;
    let default = show(&client).await.kms_key_id.unwrap();
    let error = ReplicateKeyToRegions::new(default, BOTH).send(&client).await.unwrap_err();
    assert!(error.to_string().contains("default key"), "{error}");
    let missing = "00000000-0000-4000-8000-000000000000";
    let error = ReplicateKeyToRegions::new(missing, BOTH).send(&client).await.unwrap_err();
    assert_eq!(Exception::of(&error), Some(Exception::ResourceNotFoundException));
}

#[tokio::test]
async fn a_key_that_comes_too_late_or_goes_to_no_region_is_told_for_its_region() {
    let emulator = never().start().await.unwrap();
    let client = emulator.client();
    let key = create_key(&client, "orders").await;
    let answer = ReplicateKeyToRegions::new(&key, [EAST, NOWHERE]).wait(hasty()).send(&client).await.unwrap();
    let [east, nowhere] = answer.replication_status.as_slice() else { panic!("{answer:?}") };
    assert_eq!((&east.status, east.error.as_ref().unwrap().kind()), (&StatusType::InProgress, ErrorKind::Timeout));
    assert_eq!(nowhere.status, StatusType::Failed);
}

#[tokio::test]
async fn nothing_that_is_printed_holds_a_secret() {
    let (emulator, client) = with_secret(at_once()).await;
    create(&client.for_region(EAST).unwrap(), VALUE).await;
    let request = ReplicateSecretToRegions::new("demo", [EAST, SOUTH, NOWHERE]).wait(patient());
    let mut replication = request.clone().start(&client);
    let mut printed = format!("{request:?} {replication:?}");
    while let Some(event) = replication.next().await {
        printed += &format!("{event:?}");
    }
    printed += &format!("{replication:?}");
    printed += &format!("{:?}", replication.finish().await);
    let key = create_key(&client, "orders").await;
    printed += &format!("{:?}", ReplicateKeyToRegions::new(key, BOTH).wait(patient()).send(&client).await);
    assert!(printed.contains("CSMS.0101") && printed.contains("InSync"), "{printed}");
    let (_, secret_key) = emulator.keys();
    for secret in [VALUE, secret_key, "Signature=", "copy?"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
