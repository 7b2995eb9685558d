//! The control path, faults, seeds, and the versions of IAM.

use std::time::{Duration, Instant};

use csms_emulator::Emulator;
use csms_sdk::{ErrorKind, csms, iam, kms};
use serde_json::json;

use crate::callers::{client, http, json, plain, with};

#[tokio::test]
async fn the_overview_tells_what_there_is() {
    let emulator = Emulator::start().await.unwrap();
    csms::CreateSecret::new("demo").secret_string("value").send(&emulator.client()).await.unwrap();
    let (status, body) = json(&emulator, "GET", "/_emulator", &[], "").await;
    assert_eq!((status, &body["version"]), (200, &env!("CARGO_PKG_VERSION").into()));
    let regions = body["regions"].as_array().unwrap();
    assert_eq!(regions.len(), emulator.regions().len());
    for (shown, region) in regions.iter().zip(emulator.regions()) {
        assert_eq!(shown["endpoint"], emulator.endpoint_in(region));
        assert_eq!(shown["project_id"].as_str(), emulator.project_id(region).as_deref());
    }
    assert_eq!(body["counts"]["secrets"], 1);
}

#[tokio::test]
async fn the_time_is_moved_and_shown() {
    let emulator = Emulator::start().await.unwrap();
    let (_, before) = json(&emulator, "GET", "/_emulator/clock", &[], "").await;
    assert_eq!(before["advanced_seconds"], 0);
    let (status, body) = json(&emulator, "POST", "/_emulator/clock", &[], r#"{"advance_seconds":86400}"#).await;
    assert_eq!((status, &body["advanced_seconds"]), (200, &86_400.into()));
    emulator.advance(Duration::from_secs(1));
    let (_, after) = json(&emulator, "GET", "/cn-east-3/_emulator/clock/", &[], "").await;
    assert_eq!(after["advanced_seconds"], 86_401);
    csms::CreateSecret::new("demo").secret_string("value").send(&emulator.client()).await.unwrap();
    let secret = csms::ShowSecret::new("demo").send(&emulator.client()).await.unwrap().into_body().secret.unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    let ahead = secret.create_time.unwrap().as_seconds() - now;
    assert!((86_390..=86_410).contains(&ahead), "{ahead}");
}

#[tokio::test]
async fn mistakes_are_named() {
    let emulator = Emulator::start().await.unwrap();
    for (method, path, body, status, problem) in [
        ("POST", "/_emulator/clock", "{}", 400, "`advance_seconds`: a whole number from 0 to"),
        ("POST", "/_emulator/clock", r#"{"advance_seconds":-1}"#, 400, "`advance_seconds`: a whole number from 0 to"),
        ("POST", "/_emulator/clock", r#"{"seconds":1}"#, 400, "`seconds` is not known here"),
        ("POST", "/_emulator/clock", "[]", 400, "an object is wanted"),
        ("POST", "/_emulator/clock", "{", 400, "the body is not JSON: line 1, column 1"),
        ("PUT", "/_emulator/faults", r#"[{"cut_at":1},{"cut":1}]"#, 400, "rule 1: exactly one of"),
        ("PUT", "/_emulator/clock", "{}", 405, "allowed here: GET, POST"),
        ("DELETE", "/_emulator", "", 405, "allowed here: GET"),
        ("GET", "/_emulator/effect", "", 404, "there is no control path /_emulator/effect"),
    ] {
        let (got, body) = json(&emulator, method, path, &[], body).await;
        assert_eq!(got, status, "{method} {path}");
        assert!(body["error"].as_str().unwrap().contains(problem), "{body}");
    }
    assert_eq!(http(&emulator, "GET", "/_emulators/faults", &[], "").await.0, 404);
}

#[tokio::test]
async fn faults_are_set_shown_used_up_and_removed() {
    let emulator = Emulator::start().await.unwrap();
    let once = client(&emulator).credentials(emulator_keys(&emulator)).build().unwrap();
    let rules = json!([{"operation": "ListSecrets", "status": 503, "times": 2}]);
    let (status, set) = json(&emulator, "PUT", "/_emulator/faults", &[], &rules.to_string()).await;
    assert_eq!((status, &set), (200, &rules));
    assert_eq!(csms::ListSecrets::new().send(&once).await.unwrap_err().status(), Some(503));
    let (_, left) = json(&emulator, "GET", "/_emulator/faults", &[], "").await;
    assert_eq!(left[0]["times"], 1);
    // A client that retries does not notice.
    csms::ListSecrets::new().send(&emulator.client()).await.unwrap();
    let (_, left) = json(&emulator, "GET", "/_emulator/faults", &[], "").await;
    assert_eq!(left[0]["times"], 0);
    assert_eq!(json(&emulator, "DELETE", "/_emulator/faults", &[], "").await, (200, json!([])));

    emulator.set_faults(&json!([{"operation": "csms/*", "status": 429}])).unwrap();
    let error = emulator.set_faults(&json!([{"status": 1}])).unwrap_err();
    assert!(error.to_string().starts_with("rule 0, `status`"), "{error}");
    assert_eq!(csms::ListSecrets::new().send(&once).await.unwrap_err().kind(), ErrorKind::Throttled);
    emulator.clear_faults();
    csms::ListSecrets::new().send(&once).await.unwrap();
}

fn emulator_keys(emulator: &Emulator) -> csms_sdk::credentials::Credentials {
    let (access_key, secret_key) = emulator.keys();
    csms_sdk::credentials::Credentials::keys(access_key, secret_key)
}

#[tokio::test]
async fn the_client_overcomes_a_skewed_clock_expired_credentials_and_cut_answers() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    csms::ListSecrets::new().send(&client).await.unwrap();
    emulator.set_faults(&json!([{"skew_seconds": -1200}])).unwrap();
    csms::ListSecrets::new().send(&client).await.unwrap();
    csms::ListSecrets::new().send(&client).await.unwrap();
    emulator.clear_faults();
    csms::ListSecrets::new().send(&client).await.unwrap();

    emulator.set_faults(&json!([{"operation": "ListSecrets", "cut_at": 3, "times": 1}])).unwrap();
    csms::ListSecrets::new().send(&client).await.unwrap();

    let login = csms_sdk::credentials::Password::new("developer", "emulator-password", "emulator");
    let by_token = crate::callers::client(&emulator).credentials(login).build().unwrap();
    csms::ListSecrets::new().send(&by_token).await.unwrap();
    emulator.set_faults(&json!([{"operation": "ListSecrets", "expired_credentials": true, "times": 1}])).unwrap();
    csms::ListSecrets::new().send(&by_token).await.unwrap();
    emulator.set_faults(&json!([{"operation": "ListSecrets", "expired_credentials": true}])).unwrap();
    let error = csms::ListSecrets::new().send(&by_token).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(401), Some("APIGW.0307")));
}

#[tokio::test]
async fn a_delay_is_waited_for() {
    let emulator = Emulator::start().await.unwrap();
    emulator.set_faults(&json!([{"operation": "ListSecrets", "delay_ms": 300, "times": 1}])).unwrap();
    let client = with(&emulator, emulator_keys(&emulator));
    let start = Instant::now();
    csms::ListSecrets::new().send(&client).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_seed_brings_its_own_accounts_and_faults() {
    let id = "0123456789abcdef0123456789abcdef";
    let seed = json!({
        "accounts": [{
            "name": "acme",
            "users": [{"name": "alice", "access_keys": [{"access": "AKALICE", "secret": "SKALICE"}]}],
            "projects": [{"region": "cn-north-4", "name": "cn-north-4", "id": id}],
        }],
        "faults": [{"operation": "ListSecrets", "status": 500, "times": 1}],
        "quotas": {"secrets": 1},
    });
    let emulator = Emulator::builder().seed(seed).start().await.unwrap();
    assert_eq!(emulator.keys(), ("AKALICE", "SKALICE"));
    assert_eq!(emulator.project_id("cn-north-4").as_deref(), Some(id));
    let once = client(&emulator).credentials(emulator_keys(&emulator)).build().unwrap();
    assert_eq!(csms::ListSecrets::new().send(&once).await.unwrap_err().status(), Some(500));
    csms::CreateSecret::new("one").secret_string("value").send(&once).await.unwrap();
    let error = csms::CreateSecret::new("two").secret_string("value").send(&once).await.unwrap_err();
    assert_eq!(error.code(), Some("CSMS.0201"));
}

#[tokio::test]
async fn a_mistake_in_a_seed_is_named_at_the_start() {
    let seed = json!({"accounts": [{"name": "acme", "usres": []}]});
    let error = Emulator::builder().seed(seed).start().await.unwrap_err();
    assert_eq!(error.to_string(), "the seed: accounts.0.usres: is not known here; did you mean `users`?");
}

#[tokio::test]
async fn clients_of_openstack_find_the_version_of_iam() {
    let emulator = Emulator::start().await.unwrap();
    let (status, body) = json(&emulator, "GET", "/", &[("host", "iam.cn-north-4.example.com")], "").await;
    assert_eq!((status, &body["versions"]["values"][0]["id"]), (300, &"v3.6".into()));
    for (path, address) in [("/v3", "/v3/"), ("/v3/", "/v3/"), ("/cn-east-3/v3", "/cn-east-3/v3/")] {
        let (status, body) = json(&emulator, "GET", path, &[], "").await;
        assert_eq!((status, &body["version"]["status"]), (200, &"stable".into()));
        assert_eq!(body["version"]["links"][0]["href"], format!("{}{address}", emulator.endpoint()));
    }
    // KMS has versions there, too.
    let versions = kms::ShowVersions::new().send(&emulator.client()).await.unwrap().into_body().versions;
    assert!(versions.iter().all(|version| version.id.as_deref() != Some("v3.6")));
}

#[tokio::test]
async fn answers_of_iam_carry_its_trace_id() {
    let emulator = Emulator::start().await.unwrap();
    let http = plain();
    let answer = http.get(format!("{}/v3/auth/domains", emulator.endpoint())).send().await.unwrap();
    assert!(answer.headers()["x-iam-trace-id"].to_str().unwrap().starts_with("token_cn-north-4_null_"));
    let domains = iam::KeystoneListAuthDomains::new().send(&emulator.client()).await.unwrap().into_body().domains;
    assert_eq!(domains[0].name.as_deref(), Some("emulator"));
}
