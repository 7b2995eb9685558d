//! The secret store: read by reference, one and many, put and go back; with a service that fails in every way it can.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use csms_emulator::{Emulator, Quotas};
use csms_sdk::{
    CallOptions, Client, Error, ErrorKind, SecretBytes, SecretString, Timestamp, csms,
    password::Password,
    reference::VersionRef,
    store::{Change, Difference, PutOutcome, PutPlan, SecretStore, SecretValue},
};
use csms_tests::{
    calls::{self, VALUE, assert_keeps_secrets, quick},
    raw_server::{RawServer, Step},
};
use serde_json::{Value as Json, json};

const ELSEWHERE: &str = "cn-east-3";

struct Fixture {
    emulator: Emulator,
    client: Client,
    store: SecretStore,
}

/// An emulator, and a store whose client repeats quickly.
async fn start() -> Fixture {
    let emulator = Emulator::builder().quotas(Quotas::unlimited()).start().await.unwrap();
    let client = emulator.client().with_options(CallOptions::new().retry(quick()));
    Fixture { store: SecretStore::new(&client), client, emulator }
}

impl Fixture {
    fn fail(&self, rules: Json) {
        self.emulator.set_faults(&rules).unwrap();
    }

    async fn put(&self, name: &str, value: &str) -> PutOutcome {
        self.store.put(name, value).send().await.unwrap()
    }

    async fn text(&self, reference: &str) -> String {
        self.store.get_text(reference).await.unwrap().expose_secret().to_owned()
    }

    async fn versions(&self, name: &str) -> usize {
        csms::ListSecretVersions::new(name).send(&self.client).await.unwrap().version_metadatas.len()
    }
}

fn created(version: &str) -> PutOutcome {
    PutOutcome::Created { version: version.to_owned() }
}

fn updated(version: &str, previous: &str) -> PutOutcome {
    PutOutcome::Updated { version: version.to_owned(), previous: Some(previous.to_owned()) }
}

fn unchanged(version: &str) -> PutOutcome {
    PutOutcome::Unchanged { version: version.to_owned() }
}

/// Values as texts, and errors by their kind.
fn told(outcomes: Vec<Result<SecretValue, Error>>) -> Vec<Result<String, ErrorKind>> {
    let text = |value: SecretValue| value.text().unwrap().expose_secret().to_owned();
    outcomes
        .into_iter()
        .map(|outcome| {
            outcome.map(text).map_err(|error| {
                assert_keeps_secrets(&error);
                error.kind()
            })
        })
        .collect()
}

fn ok(text: &str) -> Result<String, ErrorKind> {
    Ok(text.to_owned())
}

fn is_send<T: Send>(future: T) -> T {
    future
}

#[track_caller]
fn advises(error: &Error, words: &str) {
    assert_keeps_secrets(error);
    assert!(error.help().is_some_and(|help| help.contains(words)), "{error}: {:?}", error.help());
}

#[tokio::test]
async fn a_secret_that_must_not_exist_is_created_once() {
    let fixture = start().await;
    let put = || fixture.store.put("db", "one").if_absent();
    assert_eq!(put().plan().await.unwrap(), PutPlan::Create);
    assert_eq!(put().send().await.unwrap(), created("v1"));
    for error in [put().plan().await.unwrap_err(), put().send().await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_keeps_secrets(&error);
    }
    fixture.fail(json!([{"operation": "CreateSecret", "cut_at": 0, "times": 1}]));
    let lost = fixture.store.put("other", VALUE).if_absent().send().await.unwrap();
    assert_eq!((lost, fixture.versions("other").await), (created("v1"), 1));
}

#[tokio::test]
async fn a_reference_tells_version_and_field() {
    let fixture = start().await;
    for value in [r#"{"port":1.50}"#, "two", "three"] {
        fixture.put("db", value).await;
    }
    fixture.store.put("db", "four").stages(["blue"]).send().await.unwrap();
    for (reference, value) in [
        ("db", "three"),
        ("csms://db@previous", "two"),
        ("db@~1", "two"),
        ("db@~2#port", "1.50"),
        ("db@v1#/port", "1.50"),
        ("db@latest", "four"),
        ("db@blue?region=cn-north-4", "four"),
    ] {
        assert_eq!(fixture.text(reference).await, value, "{reference}");
    }
    for reference in ["missing", "db@v9", "db@green", "db@~3", "db#port", "db@v1#user"] {
        let error = fixture.store.get(reference).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{reference}: {error}");
    }
    for reference in ["db?profile=p", "db?project=p", "d b"] {
        assert_eq!(fixture.store.get(reference).await.unwrap_err().field(), Some("reference"), "{reference}");
    }
}

#[tokio::test]
async fn typed_values_keep_their_secrets() {
    #[derive(Debug)]
    struct Login(SecretString);

    impl<'de> serde::Deserialize<'de> for Login {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let mut members = std::collections::HashMap::<String, SecretString>::deserialize(deserializer)?;
            members.remove("password").map(Self).ok_or_else(|| serde::de::Error::missing_field("password"))
        }
    }

    let fixture = start().await;
    fixture.put("db", &json!({"user": "shop", "password": VALUE}).to_string()).await;
    let login: Login = fixture.store.get_json("db").await.unwrap();
    assert_eq!(login.0.expose_secret(), VALUE);
    assert!(!format!("{login:?}").contains(VALUE));

    fixture.put("plain", VALUE).await;
    assert_keeps_secrets(&fixture.store.get_json::<Login>("plain").await.unwrap_err());
    fixture.store.put("binary", VALUE.as_bytes()).send().await.unwrap();
    let error = fixture.store.get_text("binary").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    advises(&error, "`get`");
    let put = fixture.store.put("db", VALUE);
    let value = fixture.store.get("plain").await.unwrap();
    assert!(!format!("{put:?} {value:?} {:?}", fixture.store).contains(VALUE));
}

#[tokio::test]
async fn many_are_read_in_the_order_given() {
    let fixture = start().await;
    let names: Vec<_> = (0..45).map(|number| format!("secret-{number}")).collect();
    for name in &names {
        fixture.put(name, &format!("value of {name}")).await;
    }
    fixture.put("db", r#"{"a":"1","b":"2"}"#).await;
    fixture.put("db", r#"{"a":"3","b":"4"}"#).await;
    let elsewhere = SecretStore::new(&fixture.client.for_region(ELSEWHERE).unwrap());
    elsewhere.put("db", "elsewhere").send().await.unwrap();

    let mut references =
        vec!["db#a", "missing", "db@previous#b", "d b", "db?region=cn-east-3", "db#b", "db#c", "db@~1#a"];
    references.extend(names.iter().rev().map(String::as_str));
    let outcomes = told(is_send(fixture.store.get_many(references)).await);
    let expected = [
        ok("3"),
        Err(ErrorKind::NotFound),
        ok("2"),
        Err(ErrorKind::InvalidInput),
        ok("elsewhere"),
        ok("4"),
        Err(ErrorKind::NotFound),
        ok("1"),
    ];
    assert_eq!(outcomes[..expected.len()], expected);
    let rest: Vec<_> = names.iter().rev().map(|name| Ok(format!("value of {name}"))).collect();
    assert_eq!(outcomes[expected.len()..], rest);
    assert_eq!(fixture.store.get_many(Vec::<String>::new()).await.len(), 0);
}

#[tokio::test]
async fn current_versions_come_in_batches() {
    let fixture = start().await;
    for name in ["a", "b"] {
        fixture.put(name, name).await;
    }
    fixture.fail(json!([{"operation": "ShowSecretVersion", "status": 403}]));
    let outcomes = told(fixture.store.get_many(["a", "b", "a@v1"]).await);
    assert_eq!(outcomes, [ok("a"), ok("b"), Err(ErrorKind::PermissionDenied)]);
}

#[tokio::test]
async fn what_several_references_mean_is_read_once() {
    let fixture = start().await;
    fixture.put("db", r#"{"a":"1","b":"2"}"#).await;
    // A second read would succeed.
    for operation in ["ShowSecretVersion", "BatchGetSecretValue"] {
        fixture.fail(json!([{"operation": operation, "status": 401, "times": 1}]));
        let outcomes = match operation {
            "ShowSecretVersion" => fixture.store.get_many(["db@v1#a", "db@v1#b"]).await,
            _ => fixture.store.get_many(["db#a", "csms://db@current?region=cn-north-4"]).await,
        };
        assert_eq!(told(outcomes), [Err(ErrorKind::Unauthenticated), Err(ErrorKind::Unauthenticated)]);
    }
}

#[tokio::test]
async fn without_the_batch_call_it_goes_singly_and_that_is_remembered() {
    let fixture = start().await;
    fixture.put("a", "a").await;
    fixture.fail(json!([{"operation": "BatchGetSecretValue", "status": 404}]));
    assert_eq!(told(fixture.store.get_many(["a", "missing"]).await), [ok("a"), Err(ErrorKind::NotFound)]);
    // The batch call would answer now, were it asked.
    fixture.fail(json!([{"operation": "ShowSecretVersion", "status": 403}]));
    assert_eq!(told(fixture.store.clone().get_many(["a"]).await), [Err(ErrorKind::PermissionDenied)]);
}

#[tokio::test]
async fn where_the_batch_call_is_not_permitted_it_goes_singly() {
    let fixture = start().await;
    fixture.put("a", "a").await;
    fixture.fail(json!([{"operation": "BatchGetSecretValue", "status": 403}]));
    assert_eq!(told(fixture.store.get_many(["a"]).await), [ok("a")]);
}

#[tokio::test]
async fn one_secret_does_not_spoil_the_batch_for_the_others() {
    let fixture = start().await;
    for name in ["a", "b", "c"] {
        fixture.put(name, name).await;
    }
    csms::DeleteSecretForSchedule::new("b", 7).send(&fixture.client).await.unwrap();
    let outcomes = told(fixture.store.get_many(["a", "b", "c"]).await);
    assert_eq!(outcomes, [ok("a"), Err(ErrorKind::Conflict), ok("c")]);
}

#[tokio::test]
async fn a_throttled_batch_is_repeated_and_never_broken_up() {
    let fixture = start().await;
    fixture.put("a", "a").await;
    let throttled = |times| json!([{"operation": "BatchGetSecretValue", "status": 429, "times": times}]);
    fixture.fail(throttled(2));
    assert_eq!(told(fixture.store.get_many(["a"]).await), [ok("a")]);
    fixture.fail(throttled(1000));
    assert_eq!(told(fixture.store.get_many(["a", "missing"]).await), [const { Err(ErrorKind::Throttled) }; 2]);
}

#[tokio::test]
async fn a_cut_batch_is_repeated() {
    let fixture = start().await;
    fixture.put("a", "a").await;
    fixture.fail(json!([{"operation": "BatchGetSecretValue", "cut_at": 10, "times": 1}]));
    assert_eq!(told(fixture.store.get_many(["a"]).await), [ok("a")]);
}

#[tokio::test]
async fn a_skewed_clock_is_borne() {
    let fixture = start().await;
    fixture.put("a", "a").await;
    fixture.fail(json!([{"skew_seconds": 3600}]));
    assert_eq!(told(fixture.store.get_many(["a", "a@v1"]).await), [ok("a"), ok("a")]);
    assert_eq!(fixture.put("b", "b").await, created("v1"));
}

#[tokio::test]
async fn expired_credentials_are_told_and_write_nothing() {
    let fixture = start().await;
    fixture.put("a", "a").await;
    fixture.fail(json!([{"expired_credentials": true}]));
    assert_eq!(told(fixture.store.get_many(["a", "a@v1"]).await), [const { Err(ErrorKind::Unauthenticated) }; 2]);
    let error = fixture.store.put("a", VALUE).force_version().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_keeps_secrets(&error);
    fixture.emulator.clear_faults();
    assert_eq!(fixture.versions("a").await, 1);
}

const PROJECTS: &str = r#"{"projects":[{"id":"0123456789abcdef0123456789abcdef","name":"p"}]}"#;

fn batch(versions: &[(&str, &[&str], &str)]) -> String {
    let version = |(id, stages, value): &(&str, &[&str], &str)| json!({"version_metadata": {"id": id, "secret_name": "demo", "version_stages": stages}, "secret_string": value});
    json!({"total_count": versions.len(), "versions": versions.iter().map(version).collect::<Vec<_>>()}).to_string()
}

#[tokio::test]
async fn a_region_that_is_down_does_not_hide_the_others() {
    let server = RawServer::start(|request| match request.target.as_str() {
        target if target.contains("/v3/projects") => calls::json(200, PROJECTS),
        target if target.starts_with("/cn-east-3/") => vec![Step::Close],
        _ => calls::json(200, &batch(&[("v1", &["SYSCURRENT"], "here")])),
    })
    .await;
    let client = calls::client(format!("{}/{{region}}", server.uri())).build().unwrap();
    let store = SecretStore::new(&client);
    let outcomes = store.get_many(["demo?region=cn-east-3", "demo", "demo?region=ap-southeast-1"]).await;
    assert_eq!(told(outcomes), [Err(ErrorKind::Connection), ok("here"), ok("here")]);
}

#[tokio::test]
async fn of_two_versions_in_a_batch_the_current_one_is_taken() {
    let versions = [("v1", &["SYSPREVIOUS"][..], "old"), ("v2", &["SYSCURRENT"], "new"), ("v3", &["blue"], "newest")];
    let server = RawServer::start(move |_| calls::json(200, &batch(&versions))).await;
    let store = SecretStore::new(&calls::client(server.uri()).build().unwrap());
    assert_eq!(told(store.get_many(["demo"]).await), [ok("new")]);
}

#[tokio::test]
async fn putting_creates_then_updates_and_leaves_the_unchanged_alone() {
    let fixture = start().await;
    assert_eq!(fixture.put("db", "one").await, created("v1"));
    assert_eq!(fixture.put("db", "one").await, unchanged("v1"));
    assert_eq!(fixture.put("db", "two").await, updated("v2", "v1"));
    assert_eq!(fixture.put("db", "two").await, unchanged("v2"));
    assert_eq!(fixture.put("db", "one").await, updated("v3", "v2"), "it is compared with the current version alone");
    let forced = is_send(fixture.store.put("db", "one").force_version().send()).await.unwrap();
    assert_eq!((forced, fixture.versions("db").await), (updated("v4", "v3"), 4));
}

#[tokio::test]
async fn a_text_differs_from_the_same_bytes() {
    let fixture = start().await;
    fixture.put("db", "same").await;
    let bytes = SecretBytes::from(b"same".to_vec());
    assert_eq!(fixture.store.put("db", bytes.clone()).send().await.unwrap(), updated("v2", "v1"));
    assert_eq!(fixture.store.put("db", bytes).send().await.unwrap(), unchanged("v2"));
    assert_eq!(fixture.store.get("db").await.unwrap().text(), None);
}

#[tokio::test]
async fn what_creating_takes_is_for_new_secrets_only() {
    let fixture = start().await;
    for (value, described) in [("one", "first"), ("two", "second")] {
        fixture.store.put("db", value).description(described).send().await.unwrap();
    }
    let secret = csms::ShowSecret::new("db").send(&fixture.client).await.unwrap().into_body().secret.unwrap();
    assert_eq!(secret.description.as_deref(), Some("first"));
}

#[tokio::test]
async fn another_version_than_expected_is_not_written_over() {
    let fixture = start().await;
    fixture.put("db", "one").await;
    let put = |value: &str| fixture.store.put("db", value).if_version("v1");
    assert_eq!(put("two").send().await.unwrap(), updated("v2", "v1"));
    for put in [put(VALUE), put("two"), put(VALUE).force_version(), fixture.store.put("new", VALUE).if_version("v1")] {
        let error = put.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        advises(&error, "read it");
    }
    assert_eq!(fixture.versions("db").await, 2);
    assert_eq!(fixture.store.get("new").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn stages_say_what_is_compared_and_what_becomes_current() {
    let fixture = start().await;
    let end = Timestamp::from_seconds(2_000_000_000);
    let put = |value: &str| fixture.store.put("db", value).stages(["blue", "green"]).expires(end);
    assert_eq!(put("one").send().await.unwrap(), created("v1"));
    let first = fixture.store.get("db@green").await.unwrap();
    assert_eq!((first.version(), first.expires()), ("v1", Some(end)));
    assert_eq!(put("one").send().await.unwrap(), unchanged("v1"));
    assert_eq!(put("two").send().await.unwrap(), updated("v2", "v1"));
    assert_eq!((fixture.text("db").await, fixture.text("db@blue").await), ("one".to_owned(), "two".to_owned()));
    let current = fixture.store.put("db", "two").stages(["SYSCURRENT", "blue"]).send().await.unwrap();
    assert_eq!(current, updated("v3", "v1"), "the two stages do not mark the same version");
    let again = fixture.store.put("db", "two").stages(["SYSCURRENT", "blue"]).send().await.unwrap();
    assert_eq!(again, unchanged("v3"));
}

#[tokio::test]
async fn stages_that_cannot_be_right_are_refused_before_anything_is_written() {
    let fixture = start().await;
    let many: Vec<_> = (0..13).map(|stage| format!("s{stage}")).collect();
    for stages in [vec!["blue".to_owned(), "bad stage".to_owned()], many] {
        for name in ["new", "db"] {
            let put = || fixture.store.put(name, "x").stages(&stages);
            let (planned, sent) = (put().plan().await.unwrap_err(), put().send().await.unwrap_err());
            for error in [planned, sent] {
                assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("stages")), "{error}");
            }
        }
    }
    assert_eq!(fixture.store.get("new").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_secret_that_was_created_incompletely_is_told_of_as_created() {
    let fixture = start().await;
    let put = |name: &str| {
        fixture.store.put(name, "x").stages(["blue", "green"]).expires(Timestamp::from_seconds(2_000_000_000))
    };
    for (operation, status, kind, lacks) in [
        ("UpdateVersion", 403, ErrorKind::PermissionDenied, "lacks its expiry, the stage `blue`, the stage `green`: "),
        ("UpdateSecretStage", 403, ErrorKind::PermissionDenied, "lacks the stage `blue`, the stage `green`: "),
        ("UpdateSecretStage", 502, ErrorKind::Service, "may lack the stage `blue`, the stage `green`: "),
        // It is no sign that somebody else was faster.
        ("UpdateSecretStage", 409, ErrorKind::Conflict, "lacks the stage `blue`, the stage `green`: "),
    ] {
        let name = format!("{operation}-{status}");
        fixture.fail(json!([{"operation": operation, "status": status, "code": "CSMS.9999", "message": "m"}]));
        let error = put(&name).send().await.unwrap_err();
        fixture.emulator.clear_faults();
        let told = format!("secret `{name}` was created (v1), but {lacks}");
        assert!(error.message().starts_with(&told), "{error}");
        assert_eq!((error.kind(), fixture.versions(&name).await), (kind, 1), "{error}");
    }
}

#[tokio::test]
async fn a_lost_answer_makes_no_failure_and_no_second_version() {
    let fixture = start().await;
    fixture.fail(json!([{"operation": "CreateSecret", "cut_at": 0, "times": 1}]));
    assert_eq!(fixture.put("db", "one").await, created("v1"));
    fixture.fail(json!([{"operation": "CreateSecretVersion", "cut_at": 5, "times": 1}]));
    assert_eq!(fixture.put("db", "two").await, updated("v2", "v1"));
    fixture.fail(json!([{"operation": "CreateSecretVersion", "cut_at": 0, "times": 1}]));
    let forced = fixture.store.put("db", "two").force_version().send().await.unwrap();
    assert_eq!(forced, updated("v3", "v2"));
    fixture.fail(json!([{"operation": "CreateSecretVersion", "cut_at": 0, "times": 1}]));
    let staged = fixture.store.put("db", "three").stages(["blue"]).send().await.unwrap();
    assert_eq!((staged, fixture.versions("db").await), (updated("v4", "v3"), 4));
}

#[tokio::test]
async fn what_failed_and_was_not_done_is_told_and_can_be_put_again() {
    let fixture = start().await;
    for (operation, name) in [("CreateSecret", "new"), ("CreateSecretVersion", "old")] {
        if name == "old" {
            fixture.put(name, "one").await;
        }
        fixture.fail(json!([{"operation": operation, "status": 502}]));
        let error = fixture.store.put(name, VALUE).send().await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Service, Some(operation)));
        assert_keeps_secrets(&error);
        fixture.emulator.clear_faults();
        assert!(!matches!(fixture.put(name, VALUE).await, PutOutcome::Unchanged { .. }));
    }
}

#[tokio::test]
async fn a_secret_that_somebody_else_creates_meanwhile_is_updated() {
    let fixture = start().await;
    fixture.put("db", "theirs").await;
    let not_there_yet =
        || json!([{"operation": "ShowSecretStage", "status": 400, "code": "CSMS.0106", "message": "m", "times": 1}]);
    fixture.fail(not_there_yet());
    assert_eq!(fixture.put("db", "ours").await, updated("v2", "v1"));
    fixture.fail(not_there_yet());
    assert_eq!(fixture.put("db", "ours").await, unchanged("v2"));
}

#[tokio::test]
async fn who_may_only_write_has_to_force_a_version() {
    let fixture = start().await;
    fixture.put("db", "one").await;
    for unreadable in ["ShowSecretVersion", "ShowSecretStage"] {
        fixture.fail(json!([{"operation": unreadable, "status": 403}]));
        let error = fixture.store.put("db", VALUE).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        advises(&error, "force_version");
    }
    let error = fixture.store.put("db", VALUE).force_version().if_version("v1").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "which version is current cannot be seen");
    let forced = fixture.store.put("db", "one").force_version().send().await.unwrap();
    assert_eq!(forced, PutOutcome::Updated { version: "v2".to_owned(), previous: None });
    assert_eq!(fixture.store.put("new", "one").force_version().send().await.unwrap(), created("v1"));
}

#[tokio::test]
async fn a_state_that_forbids_writing_is_told_with_what_to_do() {
    let fixture = start().await;
    fixture.put("db", "one").await;
    csms::CreateSecretReplica::new("db", ELSEWHERE).send(&fixture.client).await.unwrap();
    let elsewhere = fixture.client.for_region(ELSEWHERE).unwrap();
    let wait = csms_sdk::wait::Wait::new();
    wait.secret_replica(&fixture.client, "db", ELSEWHERE).await.unwrap();
    let replica = SecretStore::new(&elsewhere);
    assert_eq!(replica.put("db", "one").send().await.unwrap(), unchanged("v1"), "nothing has to be written");
    advises(&replica.put("db", VALUE).send().await.unwrap_err(), "primary");

    fixture.put("gone", "one").await;
    csms::DeleteSecretForSchedule::new("gone", 7).send(&fixture.client).await.unwrap();
    for put in [fixture.store.put("gone", VALUE), fixture.store.put("gone", VALUE).force_version()] {
        let error = put.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        advises(&error, "RestoreSecret");
    }
    advises(&fixture.store.rollback("gone", Some(VersionRef::Id("v9".to_owned()))).await.unwrap_err(), "RestoreSecret");
}

#[tokio::test]
async fn going_back_swaps_and_to_a_version_is_idempotent() {
    let fixture = start().await;
    fixture.put("db", "one").await;
    let error = fixture.store.rollback("db", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    advises(&error, "no previous version");

    for value in ["two", "three"] {
        fixture.put("db", value).await;
    }
    for (value, current, replaced) in [("two", "v2", "v3"), ("three", "v3", "v2")] {
        let done = is_send(fixture.store.rollback("db", None)).await.unwrap();
        assert_eq!((done.current.as_str(), done.replaced.as_str(), done.is_changed()), (current, replaced, true));
        assert_eq!(fixture.text("db").await, value);
        assert_eq!(fixture.store.get("db@previous").await.unwrap().version(), replaced);
    }
    for changed in [true, false] {
        let done = fixture.store.rollback("db", Some(VersionRef::Id("v2".to_owned()))).await.unwrap();
        assert_eq!((done.current.as_str(), done.is_changed()), ("v2", changed));
    }
    assert_eq!(fixture.text("db@previous").await, "three");
    assert_eq!(fixture.store.rollback("missing", None).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn the_version_that_was_current_keeps_a_stage_even_if_the_service_forgets_it() {
    let server = RawServer::start(|request| {
        let version = if request.target.ends_with("/SYSPREVIOUS") { "v1" } else { "v2" };
        calls::json(200, &json!({"stage": {"version_id": version}}).to_string())
    })
    .await;
    let store = SecretStore::new(&calls::client(server.uri()).build().unwrap());
    let done = store.rollback("demo", None).await.unwrap();
    assert_eq!((done.current.as_str(), done.replaced.as_str()), ("v1", "v2"));
    let moved: Vec<_> = server.requests().into_iter().filter(|request| request.method == "PUT").collect();
    let moved = moved.iter().map(|request| (request.target.rsplit('/').next().unwrap(), request.body.as_slice()));
    let expected = [("SYSCURRENT", &br#"{"version_id":"v1"}"#[..]), ("SYSPREVIOUS", br#"{"version_id":"v2"}"#)];
    assert_eq!(moved.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_half_done_way_back_is_told() {
    let fixture = start().await;
    for value in ["one", "two"] {
        fixture.put("db", value).await;
    }
    fixture.fail(json!([
        {"operation": "ShowSecretStage", "delay_ms": 0, "times": 2},
        {"operation": "ShowSecretStage", "status": 403},
    ]));
    let error = fixture.store.rollback("db", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    advises(&error, "v1 is the current version now");
}

/// What the rules of [`Password`] say, said otherwise.
fn classes(text: &str) -> [usize; 5] {
    let count = |is: fn(&char) -> bool| text.chars().filter(is).count();
    [
        count(char::is_ascii_lowercase),
        count(char::is_ascii_uppercase),
        count(char::is_ascii_digit),
        count(char::is_ascii_punctuation),
        count(|it| *it == ' '),
    ]
}

#[tokio::test]
async fn passwords_of_the_service_and_of_our_own_obey_the_same_rules() {
    let fixture = start().await;
    // Every set of classes but the empty one.
    for set in 1..32_u32 {
        let has = |class: usize| set >> class & 1 == 1;
        let mut rules = Password::new().length(9).exclude_ambiguous().exclude("a~").require_each();
        rules = if has(0) { rules } else { rules.without_lowercase() };
        rules = if has(1) { rules } else { rules.without_uppercase() };
        rules = if has(2) { rules } else { rules.without_numbers() };
        rules = if has(3) { rules } else { rules.without_punctuation() };
        rules = if has(4) { rules.with_space() } else { rules };
        for password in [rules.generate().unwrap(), is_send(rules.by_service(&fixture.client)).await.unwrap()] {
            let counts = classes(password.expose_secret());
            assert_eq!(counts.iter().sum::<usize>(), 9);
            assert_eq!(counts.map(|count| count > 0), std::array::from_fn(has), "{rules:?}");
            assert!(!password.expose_secret().contains(|it| "0O1lI|a~".contains(it)), "{rules:?}");
        }
    }
}

#[tokio::test]
async fn rules_that_cannot_be_met_are_refused_before_anything_is_sent() {
    let server = RawServer::start(|_| vec![Step::Close]).await;
    let client = calls::client(server.uri()).build().unwrap();
    for rules in [Password::new().length(0), Password::new().require_each().length(3)] {
        assert_eq!(rules.by_service(&client).await.unwrap_err().field(), Some("length"));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_patch_changes_its_fields_and_nothing_else() {
    let fixture = start().await;
    fixture.put("db", "{\n  \"pin\": 1.50,\n  \"user\": \"shop\",\n  \"old\": {}\n}\n").await;
    let patch = || fixture.store.patch("db").set("user", &"a\"b".into()).remove("old");
    let (current, difference) = patch().plan().await.unwrap();
    let names = |difference| match difference {
        Difference::Fields(changes) => changes.into_iter().map(|it| (it.name, it.change)).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let expected = [("old".to_owned(), Change::Removed), ("user".to_owned(), Change::Changed)];
    assert_eq!((current.as_str(), names(difference)), ("v1", expected.to_vec()));
    assert_eq!(fixture.versions("db").await, 1, "a plan changes nothing");

    assert_eq!(is_send(patch().send()).await.unwrap(), updated("v2", "v1"));
    assert_eq!(fixture.text("db").await, "{\n  \"pin\": 1.50,\n  \"user\": \"a\\\"b\"\n}\n");
    let again = fixture.store.patch("db").set("user", &"a\"b".into()).merge(r#"{"old":null}"#);
    assert_eq!(again.send().await.unwrap(), unchanged("v2"));
    let merge = fixture.store.patch("db").merge(r#"{"user":null,"new":{"a":1}}"#);
    assert_eq!(merge.send().await.unwrap(), updated("v3", "v2"));
    assert_eq!(fixture.text("db").await, "{\n  \"pin\": 1.50,\n  \"new\":{\"a\":1}\n}\n");
}

#[tokio::test]
async fn a_patch_changes_the_field_that_a_reference_reads() {
    let fixture = start().await;
    fixture.put("db", r#"{ "a": {"p": "old", "n": 1.0}, "x.y": 1, "l": [1], "m": {"d": {"e/f": 2}} }"#).await;
    for (field, at) in
        [("/a/p", "/a/p"), ("a.p", "/a/p"), ("x.y", "/x.y"), ("/new/b", "/new/b"), ("/m/d/e~1f", "/m/d/e~1f")]
    {
        fixture.store.patch("db").set(field, &"to be replaced".into()).send().await.unwrap();
        fixture.store.patch("db").set(field, &at.into()).send().await.unwrap();
        for name in [field, at] {
            let read = fixture.store.get_text(format!("db#{name}").as_str()).await.unwrap();
            assert_eq!(read.expose_secret(), at, "{name}");
        }
    }
    let expected = r#"{ "a": {"p": "/a/p", "n": 1.0}, "x.y": "/x.y", "l": [1], "m": {"d": {"e/f": "/m/d/e~1f"}}, "new":{"b":"/new/b"} }"#;
    assert_eq!(fixture.text("db").await, expected);
    let remove = fixture.store.patch("db").remove("/a/p").remove("/m/d").remove("l").remove("x.y").remove("/new");
    remove.send().await.unwrap();
    assert_eq!(fixture.text("db").await, r#"{ "a": {"n": 1.0}, "m": {} }"#);
}

#[tokio::test]
async fn a_patch_of_a_field_that_cannot_be_there_writes_nothing() {
    let fixture = start().await;
    fixture.put("db", r#"{"list":[{"a":1}],"text":"hunter2"}"#).await;
    let patch = || fixture.store.patch("db").set("new", &"x".into());
    for (field, barrier) in [("/list/0/a", "`/list`"), ("list.0.a", "`/list`"), ("/text/a", "`/text`")] {
        for patch in [patch().set(field, &"x".into()), patch().remove(field)] {
            let error = patch.send().await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("field")), "{field}");
            let text = error.to_string();
            assert!(text.contains(field) && text.contains(barrier) && !text.contains("hunter2"), "{text}");
        }
    }
    for field in ["none", "/none", "/none/a", "text.a"] {
        let error = patch().remove(field).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{field}");
        assert!(error.to_string().contains(field) && !error.to_string().contains("hunter2"), "{error}");
    }
    let error = patch().set(&"/a".repeat(200), &"x".into()).send().await.unwrap_err();
    assert_eq!(error.field(), Some("patch"), "{error}");
    assert_eq!(fixture.versions("db").await, 1);
}

#[tokio::test]
async fn what_cannot_be_patched_is_told_without_its_value() {
    let fixture = start().await;
    let fails = async |name: &str, object: &str| {
        let error = fixture.store.patch(name).merge(object).send().await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains(VALUE), "{error:?}");
        (error.kind(), error.field().map(str::to_owned))
    };
    let invalid = |field: &str| (ErrorKind::InvalidInput, Some(field.to_owned()));
    assert_eq!(fails("none", "{}").await, (ErrorKind::NotFound, None));
    fixture.put("text", VALUE).await;
    assert_eq!(fails("text", "{}").await, invalid("secret"));
    fixture.store.put("bytes", b"{}".as_slice()).send().await.unwrap();
    assert_eq!(fails("bytes", "{}").await, invalid("secret"));
    fixture.put("db", "{}").await;
    assert_eq!(fails("db", VALUE).await, invalid("patch"));
    let error = fixture.store.patch("db").set("a", &"1".into()).if_version("v7").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let patch = fixture.store.patch("db").set("password", &VALUE.into());
    assert!(!format!("{patch:?}").contains(VALUE));
}

#[tokio::test]
async fn fields_are_not_lost_where_they_are_to_be_kept() {
    let fixture = start().await;
    fixture.put("db", r#"{"a":1,"b":2}"#).await;
    for value in [r#"{"a":1}"#, VALUE] {
        for force in [false, true] {
            let put = fixture.store.put("db", value).keep_fields();
            let put = if force { put.force_version() } else { put };
            let error = put.plan().await.unwrap_err();
            assert_eq!(error.field(), Some("value"));
            let error = put.send().await.unwrap_err();
            assert!(error.to_string().contains('b') && !error.to_string().contains(VALUE), "{error}");
        }
    }
    assert_eq!(fixture.versions("db").await, 1);
    let more = fixture.store.put("db", r#"{"b":2,"a":1,"c":3}"#).keep_fields();
    assert_eq!(more.send().await.unwrap(), updated("v2", "v1"));
    assert_eq!(fixture.put("db", r#"{"a":1}"#).await, updated("v3", "v2"), "unless it is asked for, they are");
}

#[tokio::test]
async fn a_plan_says_what_sending_does() {
    let fixture = start().await;
    let plan = async |value: &str| fixture.store.put("db", value).plan().await.unwrap();
    assert_eq!(plan("one").await, PutPlan::Create);
    fixture.put("db", "one").await;
    assert_eq!(plan("one").await, PutPlan::Unchanged { version: "v1".to_owned() });
    assert_eq!(plan("two").await, PutPlan::Update { current: Some("v1".to_owned()) });
    assert_eq!(fixture.versions("db").await, 1);
    assert_eq!(fixture.store.version_id("db", &VersionRef::Current).await.unwrap(), "v1");
}
