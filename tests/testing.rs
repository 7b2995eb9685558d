//! Scripts for the tests of users: answers in their order, faults, recordings, and what is told of what was sent.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Duration,
};

use csms_sdk::{
    CallOptions, ErrorKind, SecretString, Service,
    csms::{CreateSecret, ListSecrets, SecretState, ShowSecret, ShowSecretVersion},
    iam::{KeystoneCreateUserTokenByPassword, KeystoneListProjects},
    kms::CreateKey,
    operation::Method,
    retry::RetryPolicy,
    testing::Script,
    wait::Wait,
};
use csms_tests::support::recorded;
use serde_json::{Value as Json, json};

const VALUE: &str = "value-that-no-message-may-hold";

/// What it says when it panics.
fn panic_of<T>(work: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).map(drop).unwrap_err();
    panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap()
}

fn secret(state: &str) -> Json {
    json!({"secret": {"name": "demo", "state": state}})
}

#[tokio::test]
async fn answers_to_one_operation_come_in_their_order_and_between_operations_there_is_none() {
    let script = Script::new();
    script.on::<ShowSecret>().answer(secret("DISABLED")).answer(secret("ENABLED"));
    script.on::<CreateKey>().answer(json!({"key_info": {"key_id": "k"}}));
    let client = script.client();

    let key = CreateKey::new("demo").send(&client).await.unwrap();
    assert_eq!(key.key_info.as_ref().unwrap().key_id.as_deref(), Some("k"));
    for state in [SecretState::Disabled, SecretState::Enabled] {
        let answer = ShowSecret::new("demo").send(&client).await.unwrap();
        assert_eq!((answer.status(), answer.secret.as_ref().unwrap().state.as_ref()), (200, Some(&state)));
    }
    script.assert_done();

    let sent = script.sent();
    let names: Vec<_> = sent.iter().map(|sent| sent.operation().unwrap().name).collect();
    assert_eq!(names, ["CreateKey", "ShowSecret", "ShowSecret"]);
    assert_eq!(sent[1].host(), "kms.cn-north-4.myhuaweicloud.com");
    assert_eq!(sent[1].path(), "/v1/0123456789abcdef0123456789abcdef/secrets/demo");
    let authorization = sent[1].header("authorization").unwrap();
    assert!(authorization.to_str().unwrap().starts_with("SDK-HMAC-SHA256 Access=SCRIPTED, "));
}

#[tokio::test]
async fn all_fields_of_a_request_stand_in_one_object() {
    let script = Script::new();
    script.on::<ListSecrets>().answer(json!({}));
    script.on::<CreateSecret>().answer(secret("ENABLED"));
    script.on::<ShowSecretVersion>().answer(json!({}));
    let client = script.client();
    ListSecrets::new().limit(5).send(&client).await.unwrap();
    CreateSecret::new("demo").secret_string(VALUE).send(&client).await.unwrap();
    ShowSecretVersion::new("demo", "latest").send(&client).await.unwrap();

    script.sent_once::<ListSecrets>().assert_fields(json!({"limit": "5"}));
    let created = script.sent_once::<CreateSecret>();
    created.assert_field("name", "demo").assert_fields(json!({"name": "demo", "secret_string": VALUE}));
    assert_eq!(*created.body().expose_secret(), json!({"name": "demo", "secret_string": VALUE}));
    assert_eq!(created.fields().expose_secret()["secret_string"], VALUE);
    let shown = script.sent_once::<ShowSecretVersion>();
    shown.assert_fields(json!({"secret_name": "demo", "version_id": "latest"}));
    assert_eq!(*shown.body().expose_secret(), Json::Null);
}

#[tokio::test]
async fn a_request_without_an_answer_is_told_and_not_repeated_even_when_the_error_is_swallowed() {
    let script = Script::new();
    script.on::<CreateKey>().answer(json!({}));
    let error = ShowSecret::new("demo").send(&script.client()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Configuration, 1), "{error}");
    assert!(!error.is_retryable());
    for part in ["kms/CreateKey", r#"csms/ShowSecret {"secret_name":"demo"}"#] {
        assert!(error.to_string().contains(part), "{error}");
        assert!(panic_of(|| script.assert_done()).contains(part));
    }
}

#[tokio::test]
async fn an_answer_that_was_not_used_is_told() {
    let script = Script::new();
    script.on::<ShowSecret>().answer(secret("ENABLED")).cut();
    script.on_raw(Method::PUT, "/v9/new").answer(Json::Null);
    ShowSecret::new("demo").send(&script.client()).await.unwrap();
    assert_eq!(panic_of(|| script.assert_done()), "left in the script: csms/ShowSecret, PUT /v9/new");
}

#[tokio::test]
async fn faults_are_repeated_where_the_client_repeats_them() {
    let script = Script::new();
    let client = script.client();
    script.on::<CreateSecret>().throttle().unreachable().answer(secret("ENABLED"));
    let answer = CreateSecret::new("demo").secret_string(VALUE).send(&client).await.unwrap();
    assert_eq!((answer.attempts(), script.sent_to::<CreateSecret>().len()), (3, 3));

    script.on::<ShowSecret>().cut().time_out().refuse(503, "KMS.0104", "busy").answer(secret("ENABLED"));
    assert_eq!(ShowSecret::new("demo").send(&client).await.unwrap().attempts(), 4);

    // Whether these were carried out is not known, and a second one would change something.
    script.on::<CreateSecret>().cut().time_out();
    for kind in [ErrorKind::Connection, ErrorKind::Timeout] {
        let error = CreateSecret::new("demo").secret_string(VALUE).send(&client).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (kind, 1), "{error}");
    }
    script.assert_done();
}

#[tokio::test]
async fn a_refusal_is_the_error_of_the_service() {
    let script = Script::new();
    script.on::<ShowSecret>().refuse(404, "CSMS.0005", "no such secret");
    let error = ShowSecret::new("demo").send(&script.client()).await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.code()), (ErrorKind::NotFound, Some(404), Some("CSMS.0005")));
    assert_eq!((error.message(), error.request_id()), ("no such secret", Some("1")));
}

#[tokio::test]
async fn an_answer_carries_in_headers_what_belongs_there_and_null_is_no_body() {
    let script = Script::new();
    script.on::<KeystoneCreateUserTokenByPassword>().answer(json!({"X-Subject-Token": VALUE, "token": {}}));
    script.on_raw(Method::DELETE, "/v1/{project_id}/thing/a%20b?x=1").answer(Json::Null);
    let client = script.client().with_options(CallOptions::new().without_validation());
    let info = csms_sdk::operation(Service::Iam, "KeystoneCreateUserTokenByPassword").unwrap();
    let answer = client.send_json(info, json!({"auth": {}}).as_object().unwrap()).await.unwrap();
    assert_eq!((answer.status(), &answer.expose_secret()["X-Subject-Token"]), (201, &json!(VALUE)));

    let path = "/v1/{project_id}/thing/a%20b?marker=2";
    let answer = client.raw(Service::Csms, Method::DELETE, path, Some(&json!({"a": 1}))).await.unwrap();
    assert_eq!(*answer.expose_secret(), Json::Null);
    script.assert_done();
    let sent = &script.sent()[1];
    assert!(sent.operation().is_none());
    sent.assert_fields(json!({"marker": "2", "a": 1}));
}

#[tokio::test]
async fn nothing_that_is_printed_holds_a_secret() {
    let script = Script::new();
    script.on::<CreateSecret>().answer(json!({"secret": {}})).answer(json!({"secret": {"secret_string": VALUE}}));
    let client = script.client();
    let request = || CreateSecret::new("demo").secret_string(VALUE);
    let body = json!({"anything": VALUE});
    request().send(&client).await.unwrap();
    request().send(&client.with_options(CallOptions::new().retry(RetryPolicy::none()))).await.unwrap();
    let unexpected = request().send(&client).await.unwrap_err();
    let raw = client.raw(Service::Csms, Method::POST, "/v1/x", Some(&body)).await.unwrap_err();

    let sent = &script.sent()[0];
    let authorization = sent.header("authorization").unwrap();
    let printed = [
        format!("{sent:?}"),
        format!("{:#?}", script.sent()),
        format!("{script:?} {client:?} {authorization:?} {:?} {:?}", sent.fields(), sent.body()),
        format!("{unexpected} {unexpected:?} {raw} {raw:?}"),
        panic_of(|| script.assert_done()),
        panic_of(|| script.sent_once::<CreateSecret>()),
        panic_of(|| sent.assert_field("secret_string", "another")),
        panic_of(|| sent.assert_fields(json!({"secret_string": "another", "no-such-field": VALUE}))),
        panic_of(|| script.sent().remove(3).assert_field("anything", "another").clone()),
    ];
    let signature = authorization.to_str().unwrap().rsplit_once('=').unwrap().1;
    for text in &printed {
        assert!(!text.contains(VALUE) && !text.contains(signature) && !text.contains("another"), "{text}");
    }
    assert_eq!(printed[0], r#"csms/CreateSecret {"name":"demo","secret_string":"[REDACTED]"}"#);
}

#[tokio::test]
async fn a_failed_assertion_names_every_field_that_differs() {
    let script = Script::new();
    script.on::<CreateSecret>().answer(json!({}));
    CreateSecret::new("demo").secret_string(VALUE).description("one").send(&script.client()).await.unwrap();
    let sent = script.sent_once::<CreateSecret>();
    assert_eq!(
        panic_of(|| sent.assert_fields(json!({"name": "demo", "secret_string": "x", "secret_type": "COMMON"}))),
        "csms/CreateSecret: `description` is \"one\", expected is absent; `secret_string` is \"[REDACTED]\", expected is \
         \"[REDACTED]\"; `secret_type` is absent, expected is \"COMMON\""
    );
    assert_eq!(
        panic_of(|| sent.assert_field("description", "two")),
        "csms/CreateSecret: `description` is \"one\", expected is \"two\""
    );
    let again = panic_of(|| script.sent_once::<ShowSecret>());
    assert!(again.starts_with("csms/ShowSecret was sent 0 times, expected is once"), "{again}");
}

#[tokio::test]
async fn another_region_asks_for_its_project() {
    let script = Script::new();
    script.on::<KeystoneListProjects>().answer(json!({"projects": [{"id": "f".repeat(32), "name": "cn-east-3"}]}));
    script.on::<ShowSecret>().answer(secret("ENABLED"));
    let elsewhere = script.client().for_region("cn-east-3").unwrap();
    ShowSecret::new("demo").send(&elsewhere).await.unwrap();
    script.assert_done();
    assert_eq!(script.sent_once::<ShowSecret>().host(), "kms.cn-east-3.myhuaweicloud.com");
    script.sent_once::<KeystoneListProjects>().assert_field("name", "cn-east-3");
}

#[tokio::test]
async fn a_workflow_runs_on_a_script() {
    let script = Script::new();
    script.on::<ShowSecret>().answer(secret("CREATING")).throttle().answer(secret("ENABLED"));
    let wait = Wait::new().between(Duration::from_millis(1), Duration::from_millis(2));
    wait.secret(&script.client(), "demo", SecretState::Enabled).await.unwrap();
    script.assert_done();
}

#[tokio::test]
async fn every_recorded_exchange_can_be_replayed_from_its_file() {
    let mut count = 0;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wiremock-fixtures");
    for service in ["csms", "kms", "iam"] {
        for operation in fs::read_dir(folder.join(service)).unwrap() {
            for file in fs::read_dir(operation.unwrap().path()).unwrap() {
                replay(&fs::read_to_string(file.unwrap().path()).unwrap()).await;
                count += 1;
            }
        }
    }
    assert_eq!(count, wiremock_fixtures::all().len());
}

async fn replay(text: &str) {
    let head: Json = serde_json::from_str(text).unwrap();
    let name = format!("{}/{}", head["operation"].as_str().unwrap(), head["case"].as_str().unwrap());
    let fixture = wiremock_fixtures::find(&name).unwrap();
    let script = Script::new();
    script.replay(text).unwrap();
    if fixture.response.status == 401 {
        // A client that learns from the answer that its clock is off asks again.
        script.replay(text).unwrap();
    }
    let options = CallOptions::new().without_validation().retry(RetryPolicy::none());
    let client = script.client().with_options(options);
    let outcome = client.send_json(recorded::info(fixture), &fixture.input).await;
    let sent = &script.sent()[0];
    match outcome {
        Ok(answer) => {
            assert_eq!((answer.status(), fixture.is_success()), (fixture.response.status, true), "{name}");
            let mut expected = fixture.response.body.clone().unwrap_or_default();
            if let Some(token) = fixture.response.headers.get("x-subject-token") {
                expected["X-Subject-Token"] = token.as_str().into();
            }
            assert_eq!(*answer.expose_secret(), expected, "{name}");
            script.assert_done();
        }
        Err(error) => {
            assert_eq!(
                (error.status(), fixture.is_success()),
                (Some(fixture.response.status), false),
                "{name}: {error}"
            );
            assert_eq!(error.request_id(), fixture.response.headers.get("x-request-id").map(String::as_str), "{name}");
        }
    }
    // What was sent is the input again, as far as it is told in texts and JSON.
    let sent: Vec<_> = sent.fields().expose_secret().as_object().unwrap().keys().cloned().collect();
    assert!(fixture.input.keys().all(|field| sent.contains(field)), "{name}: {sent:?}");
}

#[tokio::test]
async fn a_request_other_than_the_recorded_one_is_refused_and_the_difference_named() {
    let text = |path: &str, query: Json, body: Option<Json>| {
        let mut exchange = json!({
            "operation": "csms/ListSecrets",
            "request": {"method": "GET", "path": path, "query": query},
            "response": {"status": 200, "body": {"secrets": []}}
        });
        if let Some(body) = body {
            exchange["request"]["body"] = body;
        }
        exchange.to_string()
    };
    for (recording, difference) in [
        (text("/v1/p/secrets", json!({"limit": "6"}), None), "in the query `limit` is \"5\", expected is \"6\""),
        (text("/v1/p/secrets", json!({}), None), "in the query `limit` is \"5\", expected is absent"),
        (text("/v1/p/secrets", json!({"limit": "5"}), Some(json!({}))), "there is no body, recorded is one"),
    ] {
        let script = Script::new();
        script.replay(&recording).unwrap();
        let error = ListSecrets::new().limit(5).send(&script.client()).await.unwrap_err();
        assert!(error.message().contains(difference), "{error}");
        let told = panic_of(|| script.assert_done());
        assert!(told.contains(difference) && told.contains("left in the script: csms/ListSecrets"), "{told}");
    }

    let script = Script::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../wiremock-fixtures/csms");
    script.replay(&fs::read_to_string(format!("{folder}/CreateSecret/minimal.json")).unwrap()).unwrap();
    script.replay(&fs::read_to_string(format!("{folder}/ShowSecret/success.json")).unwrap()).unwrap();
    let error = CreateSecret::new("demo").secret_string(VALUE).send(&script.client()).await.unwrap_err();
    let difference = r#"in the body `secret_string` is "[REDACTED]", expected is "[REDACTED]""#;
    assert!(error.message().contains(difference) && !error.to_string().contains(VALUE), "{error}");
    let error = ShowSecret::new("other").send(&script.client()).await.unwrap_err();
    assert!(error.message().contains("recorded is GET /v1/0123456789abcdef0123456789abcdef/secrets/demo"), "{error}");
}

#[test]
fn what_is_no_recording_is_refused_with_what_is_wrong() {
    let good = json!({
        "operation": "csms/ShowSecret",
        "request": {"method": "GET", "path": "/v1/p/secrets/demo"},
        "response": {"status": 200}
    });
    Script::new().replay(&good.to_string()).unwrap();
    let with = |pointer: &str, value: Json| {
        let mut exchange = good.clone();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        exchange.pointer_mut(parent).unwrap()[member] = value;
        exchange.to_string()
    };
    for (text, problem) in [
        ("{".to_owned(), "EOF"),
        ("[]".to_owned(), "it is no object"),
        (with("/operation", json!("csms/Nothing")), "no operation csms/Nothing"),
        (with("/operation", json!(1)), "it lacks the text `operation`"),
        (with("/querry", json!({})), "it has an unknown member `querry`"),
        (with("/request/querry", json!({})), "request has an unknown member `querry`"),
        (with("/request/query", json!([])), "request.query is no object"),
        (with("/request/method", json!("POST")), "not POST /v1/p/secrets/demo"),
        (with("/request/path", json!("/v1/p/keys")), "csms/ShowSecret is GET /v1/{project_id}/secrets/{secret_name}"),
        (with("/response/status", json!("200")), "response.status is no HTTP status"),
        (with("/response/status", json!(70_000)), "response.status is no HTTP status"),
        (with("/response/headers", json!({"a b": "c"})), "response.headers.a b is no header"),
        (with("/response", json!(null)), "response is no object"),
    ] {
        let error = Script::new().replay(&text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[tokio::test]
async fn clones_and_clients_share_one_script() {
    let script = Script::new();
    let client = script.client_builder().region("ap-southeast-1").build().unwrap();
    let clone = script.clone();
    clone.on::<ShowSecretVersion>().answer(json!({"version": {"secret_string": VALUE}}));
    let task = tokio::spawn(async move { ShowSecretVersion::new("demo", "latest").send(&client).await });
    let answer = task.await.unwrap().unwrap().into_body();
    assert_eq!(answer.version.unwrap().secret_string, Some(SecretString::from(VALUE)));
    assert_eq!(script.sent_once::<ShowSecretVersion>().host(), "kms.ap-southeast-1.myhuaweicloud.com");
}
