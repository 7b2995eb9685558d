//! Who is let in, and what is said to those who are not.

use std::time::{Duration, SystemTime};

use csms_emulator::Emulator;
use csms_sdk::{
    ErrorKind, Service,
    client::Signing,
    clock::Clock,
    credentials::{AccessKeys, Credentials},
    csms, iam, kms,
};

use crate::callers::{self, client, http, json};

#[tokio::test]
async fn both_algorithms_are_let_in_by_every_service() {
    let emulator = Emulator::start().await.unwrap();
    let (access_key, secret_key) = emulator.keys();
    for signing in [Signing::SdkHmacSha256, Signing::V11HmacSha256] {
        let client = client(&emulator).credentials(Credentials::keys(access_key, secret_key)).signing(signing);
        let client = client.build().unwrap();
        csms::ListSecrets::new().send(&client).await.unwrap();
        kms::ListKeys::new().send(&client).await.unwrap();
        iam::KeystoneListAuthDomains::new().send(&client).await.unwrap();
        iam::GetCallerIdentity::new().send(&client).await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_secret_key_gets_the_canonical_request_and_the_sixth_locks_the_key() {
    let emulator = Emulator::start().await.unwrap();
    let (access_key, secret_key) = emulator.keys();
    let project = emulator.project_id("cn-north-4").unwrap();
    let call = async |secret_key: &str| {
        let client = client(&emulator).project_id(&project).credentials(Credentials::keys(access_key, secret_key));
        csms::ListSecrets::new().send(&client.build().unwrap()).await.map(|_| ())
    };
    for _ in 0..6 {
        let error = call("wrong").await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthenticated, Some(401)));
        assert_eq!(error.code(), Some("APIGW.0301"));
        let quoted = format!("canonicalRequest:GET|/cn-north-4/v1/{project}/secrets/||");
        assert!(error.message().contains(&quoted), "{}", error.message());
    }
    let error = call(secret_key).await.unwrap_err();
    assert!(error.message().contains("AK access failed to reach the limit"), "{error}");
    let other = callers::with(&emulator, Credentials::keys("UNKNOWN", "wrong"));
    let error = iam::KeystoneListAuthDomains::new().send(&other).await.unwrap_err();
    assert!(error.message().contains("ak not exist"), "{error}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_refused_once_and_corrected_by_the_client() {
    let emulator = Emulator::start().await.unwrap();
    let (access_key, secret_key) = emulator.keys();
    let off = |minutes: u64| {
        let clock = Clock::from_fn(move || SystemTime::now() - Duration::from_secs(minutes * 60));
        client(&emulator).credentials(Credentials::keys(access_key, secret_key)).clock(clock).build().unwrap()
    };
    iam::KeystoneListAuthDomains::new().send(&off(14)).await.unwrap();
    let corrected = off(16);
    iam::KeystoneListAuthDomains::new().send(&corrected).await.unwrap();
    // The Date header tells the time even where the message is not understood.
    let stale = [
        ("authorization", "SDK-HMAC-SHA256 Access=CSMSEMULATOR00000001, SignedHeaders=x-sdk-date, Signature=0"),
        ("x-sdk-date", "20200101T000000Z"),
    ];
    let (status, body) = json(&emulator, "GET", "/v3/auth/domains", &stale, "").await;
    assert_eq!((status, &body["error_code"]), (401, &"APIGW.0301".into()));
    assert!(
        body["error_msg"].as_str().unwrap().contains("signature expired, signature time:20200101T000000Z,server time:")
    );
}

#[tokio::test]
async fn whoever_shows_nothing_is_refused() {
    let emulator = Emulator::start().await.unwrap();
    let project = emulator.project_id("cn-north-4").unwrap();
    let path = format!("/v1/{project}/secrets");
    let (status, body) = json(&emulator, "GET", &path, &[], "").await;
    assert_eq!((status, &body["error_code"]), (401, &"APIGW.0301".into()));
    let (status, body) = json(&emulator, "GET", &path, &[("x-auth-token", "foreign")], "").await;
    assert!(status == 401 && body["error_msg"].as_str().unwrap().ends_with("decrypt token fail"), "{body}");
}

#[tokio::test]
async fn projects_of_other_regions_and_unknown_ones_are_refused() {
    let emulator = Emulator::start().await.unwrap();
    let (access_key, secret_key) = emulator.keys();
    let elsewhere = emulator.project_id("cn-east-3").unwrap();
    for project in [elsewhere.as_str(), "0123456789abcdef0123456789abcdef"] {
        let client = client(&emulator).project_id(project).credentials(Credentials::keys(access_key, secret_key));
        let error = kms::ListKeys::new().send(&client.build().unwrap()).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(403), Some("APIGW.0310")), "{project}");
    }
}

#[tokio::test]
async fn the_project_tells_the_region_where_the_address_does_not() {
    let emulator = Emulator::start().await.unwrap();
    let (access_key, secret_key) = emulator.keys();
    let project = emulator.project_id("cn-east-3").unwrap();
    let elsewhere = client(&emulator).service_endpoint(Service::Csms, emulator.endpoint()).project_id(project);
    let elsewhere = elsewhere.credentials(Credentials::keys(access_key, secret_key)).build().unwrap();
    csms::CreateSecret::new("demo").secret_string("value").send(&elsewhere).await.unwrap();
    let here = emulator.client();
    assert_eq!(csms::ShowSecret::new("demo").send(&here).await.unwrap_err().status(), Some(404));
    csms::ShowSecret::new("demo").send(&here.for_region("cn-east-3").unwrap()).await.unwrap();
}

#[tokio::test]
async fn the_root_lists_the_versions_of_kms_and_at_a_host_of_iam_those_of_iam() {
    let emulator = Emulator::start().await.unwrap();
    let (status, body) = json(&emulator, "GET", "/", &[], "").await;
    assert_eq!((status, &body["versions"][0]["id"]), (200, &"v1.0".into()));
    let host = [("host", "iam.cn-north-4.myhuaweicloud.com")];
    let (status, body) = json(&emulator, "GET", "/", &host, "").await;
    assert_eq!((status, &body["versions"]["values"][0]["id"]), (300, &"v3.6".into()));
}

#[tokio::test]
async fn unchecked_anybody_may_do_anything_in_any_project() {
    let emulator = Emulator::builder().unchecked().start().await.unwrap();
    let project = "0123456789abcdef0123456789abcdef";
    let anybody = client(&emulator).project_id(project).credentials(Credentials::keys("ANY", "thing")).build().unwrap();
    csms::CreateSecret::new("demo").secret_string("value").send(&anybody).await.unwrap();
    let (status, _) = http(&emulator, "GET", &format!("/v1/{project}/secrets/demo"), &[], "").await;
    assert_eq!(status, 200);
    let token = callers::with(&emulator, Credentials::token("any"));
    let error = csms::ShowSecret::new("demo").send(&token).await.unwrap_err();
    assert_eq!(error.status(), Some(404), "the region's own project is another");
}

#[tokio::test]
async fn permanent_keys_need_no_security_token_but_bear_one() {
    let emulator = Emulator::start().await.unwrap();
    let (access_key, secret_key) = emulator.keys();
    let keys = AccessKeys::new(access_key, secret_key).with_security_token("left over");
    csms::ListSecrets::new().send(&callers::with(&emulator, keys)).await.unwrap();
}
