//! Looking before calling: what answers at an address, and what is in the files that hold keys.

#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::time::{Duration, SystemTime};

use csms_sdk::{
    CallOptions, Client, ErrorKind, Service,
    clock::Clock,
    credentials::{Credentials, KeyFileState, inspect_files},
    env::Env,
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

/// 2026-01-02T03:04:05Z.
const NOW: u64 = wiremock_fixtures::UNIX_TIME;
const HIDDEN: &str = "hunter2-hidden";

fn client(address: &str) -> Client {
    Client::builder()
        .region("cn-north-4")
        .endpoint(address)
        .credentials(Credentials::keys("AK", HIDDEN))
        .clock(Clock::from_fn(|| SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)))
        .no_proxy()
        .build()
        .unwrap()
}

#[tokio::test]
async fn every_answer_counts_and_tells_the_services_time() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(503).insert_header("date", "Fri, 02 Jan 2026 03:00:05 GMT");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let probe = client(&server.uri()).probe(Service::Kms).await.unwrap();
    assert_eq!((probe.status, probe.clock_ahead.map(|ahead| ahead.num_seconds())), (503, Some(-240)));
    let requests = server.received_requests().await.unwrap();
    assert_eq!((requests.len(), requests[0].url.path()), (1, "/"), "it is not repeated");
    let told = format!("{:?}", requests[0].headers);
    assert!(!told.contains("authorization") && !told.contains(HIDDEN), "nobody says who is asking: {told}");
}

#[tokio::test]
async fn a_date_that_is_none_is_no_time() {
    let server = MockServer::start().await;
    for date in ["soon", "31 Dec 262142 23:59:59 GMT"] {
        server.reset().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200).insert_header("date", date)).mount(&server).await;
        assert_eq!(client(&server.uri()).probe(Service::Csms).await.unwrap().clock_ahead, None, "{date}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_reached_or_not_known_is_told() {
    // Nobody listens where somebody did a moment ago.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = client(&format!("http://{address}")).probe(Service::Kms).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_delay(Duration::from_secs(60))).mount(&server).await;
    let hasty = CallOptions::new().attempt_timeout(Duration::from_millis(100));
    let error = client(&server.uri()).with_options(hasty).probe(Service::Kms).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let lost = Client::builder().env(Env::from_pairs([("", ""); 0])).build().unwrap();
    assert_eq!(lost.probe(Service::Kms).await.unwrap_err().kind(), ErrorKind::Configuration);
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_looked_at_without_a_word_of_what_is_in_them() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = std::env::temp_dir().join(format!("csms-looking-{}", std::process::id()));
    let place = home.to_str().unwrap().to_owned();
    let env = Env::from_pairs([("HOME", place.as_str())]);
    assert!(inspect_files(&env).await.is_empty(), "what is not there is not missed");
    let write = |name: &str, content: &str, mode| {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let told = |states: &[KeyFileState]| {
        assert!(!format!("{states:?}").contains(HIDDEN), "{states:?}");
        let tell = |state: &KeyFileState| match state {
            KeyFileState::Sound(path) => format!("sound {path}"),
            KeyFileState::OpenToGroup(path) => format!("open {path}"),
            KeyFileState::Broken(error) => format!("broken {}", error.message()),
            _ => String::new(),
        };
        states.iter().map(tell).collect::<Vec<_>>()
    };
    write(".huaweicloud/credentials", &format!("[basic]\nak = AK\nsk = {HIDDEN}\n"), 0o640);
    write(
        ".hcloud/config.json",
        &format!(r#"{{"profiles": [{{"name": "default", "accessKeyId": "AK", "secretAccessKey": "{HIDDEN}"}}]}}"#),
        0o600,
    );
    assert_eq!(told(&inspect_files(&env).await), ["open ~/.huaweicloud/credentials", "sound ~/.hcloud/config.json"]);
    write(".huaweicloud/credentials", HIDDEN, 0o644);
    write(
        ".hcloud/config.json",
        &format!(
            r#"{{"authEncrypt": true, "profiles": [{{"name": "default", "accessKeyId": "x+", "secretAccessKey": "{HIDDEN}"}}]}}"#
        ),
        0o600,
    );
    let states = told(&inspect_files(&env).await);
    assert!(states[0].contains("open to everybody") && states[1].contains("encrypted"), "{states:?}");
    let named = Env::from_pairs([("HOME", place.as_str()), ("HW_SHARED_CONFIG_FILE", "/nowhere")]);
    assert!(told(&inspect_files(&named).await)[1].contains("no such file"), "a file that was named has to be there");
    std::fs::remove_dir_all(&home).unwrap();
}
