//! What a program sees when the service, the network or something in between fails: a typed error with advice,
//! in time, without a secret and without a panic.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use csms_sdk::{
    Client, Error, ErrorKind,
    credentials::{AccessKeys, Credentials},
    csms::{CreateSecret, DeleteSecret, ShowSecretVersion},
};
use csms_tests::{
    calls::{
        SECRET_KEY, SECURITY_TOKEN, VALUE, VERSION, answer, assert_keeps_secrets, client, error_body, json,
        refusing_endpoint,
    },
    raw_server::{RawServer, Step},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer};

/// No call of these tests may take longer, however slow the machine.
const HANG: Duration = Duration::from_secs(10);

const ATTEMPT: Duration = Duration::from_millis(400);

async fn call(client: &Client) -> Result<(), Error> {
    let began = Instant::now();
    let outcome = ShowSecretVersion::new("demo", "latest").send(client).await;
    assert!(began.elapsed() < HANG);
    let outcome = outcome.map(|answer| assert_eq!(answer.status(), 200));
    if let Err(error) = &outcome {
        assert_keeps_secrets(error);
        assert_eq!(error.operation(), Some("ShowSecretVersion"));
        assert_eq!(error.attempts(), 1);
    }
    outcome
}

async fn outcome_of(steps: Vec<Step>) -> Result<(), Error> {
    let server = RawServer::start(move |_| steps.clone()).await;
    call(&client(server.uri()).attempt_timeout(ATTEMPT).build().unwrap()).await
}

async fn error_of(steps: Vec<Step>) -> Error {
    outcome_of(steps).await.unwrap_err()
}

fn send(text: &str) -> Step {
    Step::Send(text.into())
}

fn has(error: &Error, words: &str) {
    assert!(error.message().contains(words), "{error}");
}

fn advises(error: &Error, words: &str) {
    assert!(error.help().is_some_and(|help| help.contains(words)), "{error}: {:?}", error.help());
}

#[tokio::test]
async fn an_empty_body_is_no_answer() {
    let error = error_of(answer(200, "", b"")).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::UnexpectedAnswer, Some(200)));
    has(&error, "the JSON ends too early");
    advises(&error, "endpoint");
}

#[tokio::test]
async fn an_empty_body_will_do_where_none_is_documented() {
    let server = RawServer::start(|_| answer(204, "", b"")).await;
    let answer = DeleteSecret::new("demo").send(&client(server.uri()).build().unwrap()).await.unwrap();
    assert_eq!(answer.status(), 204);
}

#[tokio::test]
async fn truncated_json_is_told_with_its_place_and_without_its_content() {
    let cut = &VERSION[..VERSION.len() - 3];
    let error = error_of(json(200, cut)).await;
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    has(&error, "line 2");
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_told_with_its_path() {
    let error =
        error_of(json(200, &VERSION.replace(r#"["SYSCURRENT"]"#, r#"{"a":"the-value-that-must-not-leak"}"#))).await;
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    has(&error, "version.version_metadata.version_stages");
}

#[tokio::test]
async fn invalid_utf8_is_no_answer_and_no_panic() {
    let error = error_of(answer(200, "", b"{\"version\":{\"secret_string\":\"\xff\xfe\"}}")).await;
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    let error = error_of(answer(500, "", b"\xff\xfe\x1b[2J")).await;
    assert_eq!(error.kind(), ErrorKind::Service);
}

#[tokio::test]
async fn a_page_of_a_proxy_is_recognised_whatever_its_status() {
    let page = b"<html><head><title>Please log in</title></head></html>";
    let error = error_of(answer(200, "content-type: text/html\r\n", page)).await;
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    has(&error, "HTML page");
    advises(&error, "proxy");
    let error = error_of(answer(502, "content-type: text/html\r\n", page)).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Service, Some(502)));
    has(&error, "Please log in");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_page_is_not_taken_for_the_success_of_a_deletion() {
    let server = RawServer::start(|_| answer(200, "", b"\n <html>")).await;
    let error = DeleteSecret::new("demo").send(&client(server.uri()).build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
}

#[tokio::test]
async fn good_json_is_read_whatever_its_content_type() {
    for kind in ["content-type: text/html\r\n", "content-type: \r\n", ""] {
        outcome_of(answer(200, kind, VERSION.as_bytes())).await.unwrap();
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = RawServer::start(|_| json(200, VERSION)).await;
    for status in [301, 302, 303, 307, 308] {
        let error = error_of(answer(status, &format!("location: {}/\r\n", elsewhere.uri()), b"")).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::UnexpectedAnswer, Some(status)));
        advises(&error, "endpoint");
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn an_answer_of_100_mb_is_not_collected() {
    const SIZE: usize = 100_000_000;
    let lengths = [format!("content-length: {SIZE}\r\n"), String::new(), "transfer-encoding: chunked\r\n".to_owned()];
    for (length, most) in lengths.into_iter().zip([SIZE / 10, SIZE / 2, SIZE / 2]) {
        let part = match length.contains("chunked") {
            true => [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat(),
            false => vec![b' '; 0x10000],
        };
        let head = format!("HTTP/1.1 200 OK\r\n{length}\r\n");
        let server = RawServer::start(move |_| vec![send(&head), Step::Flood(part.clone())]).await;
        let error = call(&client(server.uri()).build().unwrap()).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::UnexpectedAnswer, Some(200)), "{error}");
        has(&error, "larger than 16777216 bytes");
        advises(&error, "endpoint");
        // Far from everything was taken off the wire: the limit, and what the system holds in its buffers.
        assert!(server.sent() < most, "{} bytes", server.sent());
    }
}

#[tokio::test]
async fn a_length_that_cannot_be_is_neither_believed_nor_a_panic() {
    let error = error_of(vec![send("HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551614\r\n\r\n{")]).await;
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer, "{error}");
    let server = RawServer::start(|_| {
        vec![send("HTTP/1.1 200 OK\r\ncontent-length: 9000000000000000000\r\n\r\n{"), Step::Close]
    })
    .await;
    let client = client(server.uri()).max_answer_bytes(usize::MAX).build().unwrap();
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
}

#[tokio::test]
async fn a_refused_connection_names_the_host() {
    let error = call(&client(refusing_endpoint()).build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Connection, None));
    has(&error, "127.0.0.1");
    has(&error, "refused");
    advises(&error, "endpoint");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_connection_that_is_cut_is_told_wherever_it_happens() {
    let cuts = ["", "HTT", "HTTP/1.1 200 OK\r\ncontent-le", "HTTP/1.1 200 OK\r\ncontent-length: 300\r\n\r\n{\"ver"];
    for cut in cuts {
        let error = error_of(vec![send(cut), Step::Close]).await;
        assert_eq!(error.kind(), ErrorKind::Connection, "{cut}: {error}");
        has(&error, "broke before the answer was complete");
        assert!(error.is_retryable() && error.help().is_some());
    }
}

#[tokio::test]
async fn silence_ends_in_a_time_out_wherever_it_begins() {
    let starts = ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-length: 300\r\n\r\n", "HTTP/1.1 102 P\r\n\r\n"];
    for start in starts {
        let error = error_of(vec![send(start), Step::Wait(HANG)]).await;
        assert_eq!(error.kind(), ErrorKind::Timeout, "{start}: {error}");
        advises(&error, "allow more time");
    }
}

#[tokio::test]
async fn slow_bytes_end_in_a_time_out() {
    let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n".to_vec();
    for steps in [
        vec![Step::Drip(bytes.clone(), Duration::from_millis(50))],
        vec![Step::Send(std::mem::take(&mut bytes)), Step::Drip(vec![b' '; 500], Duration::from_millis(50))],
    ] {
        assert_eq!(error_of(steps).await.kind(), ErrorKind::Timeout);
    }
}

#[tokio::test]
async fn endless_headers_are_given_up() {
    for steps in [
        vec![send("HTTP/1.1 200 OK\r\n"), Step::Flood(b"x-more: and more\r\n".repeat(1000))],
        vec![send("HTTP/1.1 200 OK\r\nx-long: "), Step::Flood(vec![b'x'; 10_000])],
        vec![Step::Flood(b"HTTP/1.1 103 Early\r\n\r\n".repeat(1000))],
    ] {
        let server = RawServer::start(move |_| steps.clone()).await;
        let client = client(server.uri()).attempt_timeout(Duration::from_secs(1)).build().unwrap();
        let error = call(&client).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::UnexpectedAnswer | ErrorKind::Timeout), "{error:?}");
        assert!(error.help().is_some());
    }
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    let error = error_of(vec![send("SSH-2.0-OpenSSH_9.9\r\n\r\n"), Step::Close]).await;
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer, "{error}");
    advises(&error, "endpoint");
}

#[tokio::test]
async fn an_unknown_error_shape_is_quoted() {
    let error = error_of(json(503, r#"{"fault":"tired"}"#)).await;
    assert_eq!((error.kind(), error.code(), error.status()), (ErrorKind::Service, None, Some(503)));
    has(&error, r#"{"fault":"tired"}"#);
    let error = error_of(answer(418, "x-request-id: r7\r\n", b"short\nand stout")).await;
    assert_eq!((error.kind(), error.request_id()), (ErrorKind::Rejected, Some("r7")));
    has(&error, "short and stout");
    let error = error_of(answer(504, "", b"")).await;
    has(&error, "no body");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(error_of(json(500, &deep)).await.kind(), ErrorKind::Service);
}

#[tokio::test]
async fn an_error_of_one_megabyte_is_shortened() {
    let megabyte = "x".repeat(1_000_000);
    for body in [megabyte.clone(), error_body("CSMS.0999", &megabyte), error_body(&megabyte, "no")] {
        let error = error_of(json(500, &body)).await;
        assert_eq!(error.kind(), ErrorKind::Service);
        assert!(error.to_string().len() < 20_000, "{}", error.to_string().len());
    }
}

#[tokio::test]
async fn an_error_quotes_no_token_that_the_gateway_quotes() {
    let quotation = format!("verify aksk signature fail, canonicalRequest:GET|/||x-security-token:{SECURITY_TOKEN}||x");
    let error = error_of(json(401, &error_body("APIGW.0301", &quotation))).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthenticated, Some("APIGW.0301")));
    let plain = format!("X-Auth-Token: {SECURITY_TOKEN}\r\nwas sent");
    let _ = error_of(json(401, &error_body("APIGW.0301", &plain))).await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_named() {
    let error = call(&client("https://kms.nowhere.invalid").build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    has(&error, "kms.nowhere.invalid cannot be resolved");
    advises(&error, "region");
}

#[tokio::test]
async fn a_plain_server_behind_https_is_a_tls_failure() {
    let server = RawServer::start(|_| json(200, VERSION)).await;
    // A record of TLS is no request, so the server waits for more; a server of this kind answers 400.
    let error = call(&client(format!("https://{}", server.authority())).attempt_timeout(ATTEMPT).build().unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let answering = PlainAnswer::start().await;
    let error = call(&client(answering.0.clone()).build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    has(&error, "TLS");
    advises(&error, "certificate authority");
}

/// Answers 400 in plain text to whatever comes.
struct PlainAnswer(String);

impl PlainAnswer {
    async fn start() -> Self {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("https://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 2000]).await;
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
        Self(uri)
    }
}

#[tokio::test]
async fn an_unknown_authority_is_refused_until_it_is_trusted() {
    let authority = Authority::new();
    let server = RawServer::start_tls(authority.server_config("localhost"), |_| json(200, VERSION)).await;
    let error = call(&client(server.uri()).build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    has(&error, "no trusted TLS connection to localhost");
    advises(&error, "certificate authority");
    assert!(!error.is_retryable(), "the certificate will be the same the next time");
    assert!(server.requests().is_empty());

    let trusting = client(server.uri()).root_certificates_pem(authority.pem()).build().unwrap();
    call(&trusting).await.unwrap();
    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.requests()[0].verify_signature(SECRET_KEY), Ok(()));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let server = RawServer::start_tls(authority.server_config("elsewhere.example"), |_| json(200, VERSION)).await;
    let trusting = client(server.uri()).root_certificates_pem(authority.pem()).build().unwrap();
    let error = call(&trusting).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    has(&error, "no trusted TLS connection to localhost");
}

#[test]
fn what_is_no_certificate_is_refused_at_once() {
    for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let error = client("https://localhost").root_certificates_pem(pem).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{pem}");
    }
    let missing = client("https://localhost").root_certificates_file("/no/such/file").unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Configuration);
}

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn server_config(&self, name: &str) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .unwrap()
    }
}

#[tokio::test]
async fn settings_that_no_header_can_hold_are_errors_and_nothing_is_sent() {
    let server = RawServer::start(|_| json(200, VERSION)).await;
    for project_id in ["p\nx-evil: 1", "", "..", "a/b", "pröject", "p\0"] {
        let error = client(server.uri()).project_id(project_id).build().unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("project_id")), "{project_id:?}");
        assert_keeps_secrets(&error);
    }
    let keys = |access: &str| AccessKeys::new(access, SECRET_KEY);
    for credentials in [
        Credentials::from(keys("AK\r\nx-evil: 1")),
        Credentials::from(keys("AK").with_security_token(format!("{SECURITY_TOKEN}\n"))),
        Credentials::token(format!("{SECURITY_TOKEN}\n")),
    ] {
        let error = ShowSecretVersion::new("demo", "latest")
            .send(&client(server.uri()).credentials(credentials).build().unwrap())
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Configuration, 0));
        assert_keeps_secrets(&error);
    }
    assert_eq!(client(server.uri()).user_agent("a\nb").build().unwrap_err().kind(), ErrorKind::Configuration);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_value_that_was_sent_is_in_no_error() {
    for steps in [json(400, &error_body("CSMS.0401", "no")), vec![Step::Close], json(200, "{"), json(401, "")] {
        let server = RawServer::start(move |_| steps.clone()).await;
        let client = client(server.uri()).build().unwrap();
        let error = CreateSecret::new("demo").secret_string(VALUE).send(&client).await.unwrap_err();
        assert_keeps_secrets(&error);
        assert!(String::from_utf8_lossy(&server.requests()[0].body).contains(VALUE));
    }
}
