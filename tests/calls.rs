//! Clients and answers of the tests.

use std::{
    error::Error as _,
    net::TcpListener,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use csms_sdk::{Client, ClientBuilder, Error, clock::Clock, credentials::Credentials, env::Env, retry::RetryPolicy};
pub use wiremock_fixtures::{ACCESS_KEY, PROJECT_ID, SECRET_KEY};

use crate::raw_server::Step;

/// A name of a secret that no error needs to hold, and a value that none may.
pub const VALUE: &str = "the-value-that-must-not-leak";

/// The security token of the tests' temporary keys.
pub const SECURITY_TOKEN: &str = "the-token-that-must-not-leak";

/// The answer of `ShowSecretVersion`.
pub const VERSION: &str = r#"{"version":{"version_metadata":{"id":"v1","create_time":1,"kms_key_id":"k",
    "secret_name":"demo","version_stages":["SYSCURRENT"]},"secret_string":"the-value-that-must-not-leak"}}"#;

/// The answer of `CreateSecret` and `ShowSecret`.
pub const SECRET: &str = r#"{"secret":{"id":"i","name":"demo","state":"ENABLED"}}"#;

/// A client for these endpoints that repeats nothing and reads nothing from its surroundings.
pub fn client(endpoint: impl Into<String>) -> ClientBuilder {
    bare_client(endpoint).project_id(PROJECT_ID).credentials(Credentials::keys(ACCESS_KEY, SECRET_KEY))
}

/// The same without a project and without credentials.
pub fn bare_client(endpoint: impl Into<String>) -> ClientBuilder {
    let endpoint = endpoint.into();
    Client::builder()
        .env(Env::from_pairs::<&str, &str>([]))
        .region("cn-north-4")
        .endpoint(endpoint.clone())
        .iam_endpoint(endpoint)
        .no_proxy()
        .retry(RetryPolicy::none())
}

/// The usual policy with waits that a test can bear.
#[must_use]
pub fn quick() -> RetryPolicy {
    RetryPolicy::standard().with_backoff(Duration::from_millis(1), Duration::from_millis(5))
}

/// An answer with a JSON body.
#[must_use]
pub fn json(status: u16, body: &str) -> Vec<Step> {
    answer(status, "content-type: application/json\r\n", body.as_bytes())
}

/// An answer with a body and further header lines, each ended by CR and LF.
#[must_use]
pub fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<Step> {
    let length = body.len();
    let mut bytes = format!("HTTP/1.1 {status} Told\r\n{headers}content-length: {length}\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    vec![Step::Send(bytes)]
}

/// The gateway's body of an error.
#[must_use]
pub fn error_body(code: &str, message: &str) -> String {
    serde_json::json!({ "error_code": code, "error_msg": message, "request_id": "r" }).to_string()
}

/// An endpoint where nobody listens.
#[must_use]
pub fn refusing_endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

/// A clock that starts at this second of the epoch and goes on by `step` whenever it is read.
pub fn stepping_clock(start: u64, step: Duration) -> Clock {
    let reads = AtomicU64::new(0);
    Clock::from_fn(move || {
        let reads = u32::try_from(reads.fetch_add(1, Ordering::SeqCst)).expect("few reads");
        SystemTime::UNIX_EPOCH + Duration::from_secs(start) + step * reads
    })
}

/// Fails when a value, key, token or signature can be seen anywhere in an error.
pub fn assert_keeps_secrets(error: &Error) {
    let mut texts = vec![format!("{error} {error:?} {error:#?} {:?}", error.help())];
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(format!("{cause} {cause:?}"));
        source = cause.source();
    }
    for text in texts {
        for secret in [SECRET_KEY, VALUE, SECURITY_TOKEN, "Signature="] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(!text.contains('\u{1b}'), "{text}");
    }
    assert!(!error.to_string().contains('\n'), "an error is one line: {error}");
}
