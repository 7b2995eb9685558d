//! What a client sends, over which connections, and what can be done with one.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{sync::Arc, time::Duration};

use csms_sdk::{
    Client, ErrorKind, Service,
    client::Signing,
    credentials::{AccessKeys, Credentials},
    csms::{CreateSecret, ListSecrets, ShowSecret},
    operation::Method,
    sign::{self, Payload, SigningKey},
};
use csms_tests::{
    calls::{
        ACCESS_KEY, PROJECT_ID, SECRET, SECRET_KEY, SECURITY_TOKEN, VALUE, assert_keeps_secrets, client, error_body,
        json, quick, refusing_endpoint, stepping_clock,
    },
    raw_server::{RawServer, Step},
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json as object;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer},
};
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn good() -> RawServer {
    RawServer::start(|_| json(200, SECRET)).await
}

#[tokio::test]
async fn a_client_and_its_futures_go_from_thread_to_thread() {
    fn is_shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    fn is_sent<T: Send>(future: T) -> T {
        future
    }
    let server = good().await;
    let client = client(server.uri()).build().unwrap();
    is_shared(&client);
    is_sent(client.send(ShowSecret::new("demo"))).await.unwrap();
    is_sent(ShowSecret::new("demo").send(&client)).await.unwrap();
    is_sent(client.prepare(ShowSecret::new("demo"))).await.unwrap();
    is_sent(client.raw(Service::Csms, Method::GET, "/", None)).await.unwrap();
    is_sent(client.project_id()).await.unwrap();
    is_sent(client.credentials()).await.unwrap();
    assert!(!format!("{client:?}").contains(SECRET_KEY));
}

#[tokio::test]
async fn a_prepared_request_is_not_sent_and_is_good_for_any_http_client() {
    let server = MockServer::start().await;
    Mock::given(|request: &wiremock::Request| wiremock_fixtures::verify_signature(request, SECRET_KEY).is_ok())
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let client = client(server.uri()).build().unwrap();
    // It asks for one, though it needs none. Another test may have been faster.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    let prepared = [
        client.prepare(CreateSecret::new("demo").secret_string(VALUE)).await.unwrap(),
        client.prepare(ShowSecret::new("demo")).await.unwrap(),
        client.prepare(ListSecrets::new().limit(2).marker("a b/ü+*~")).await.unwrap(),
    ];
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
    assert_eq!(prepared[0].method(), "POST");
    assert!(prepared[0].headers()["authorization"].is_sensitive());
    assert!(!format!("{:?}", prepared[0].headers()).contains("Signature="));
    for request in prepared {
        let answer = plain.execute(request.map(bytes::Bytes::from).try_into().unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let info = csms_sdk::operation(Service::Csms, "ShowSecret").unwrap();
    let request = object!({ "secret_name": "demo" });
    let prepared = client.prepare_json(info, request.as_object().unwrap()).await.unwrap();
    assert_eq!(prepared.uri().path(), format!("/v1/{PROJECT_ID}/secrets/demo"));
}

#[tokio::test]
async fn a_raw_call_is_signed_repeated_and_judged_like_any_other() {
    let server = RawServer::start(|request| match request.number {
        0 => json(503, ""),
        1 => json(200, r#"{"a":1}"#),
        2 => json(503, ""),
        3 => json(204, ""),
        _ => json(404, &error_body("CSMS.0106", "no")),
    })
    .await;
    let client = client(server.uri()).retry(quick()).build().unwrap();
    let answer = client.raw(Service::Csms, Method::GET, "/v9/{project_id}/new?x=1&y=a%20b", None).await.unwrap();
    assert_eq!((answer.attempts(), answer.status()), (2, 200));
    assert_eq!(answer.into_body().expose_secret(), &object!({ "a": 1 }));
    assert_eq!(server.requests()[1].target, format!("/v9/{PROJECT_ID}/new?x=1&y=a%20b"));

    let body = object!({ "value": VALUE });
    let error = client.raw(Service::Kms, Method::POST, "/v1.0/x", Some(&body)).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Service, 1));
    assert_eq!(server.requests()[2].body, body.to_string().into_bytes());
    let answer = client.raw(Service::Kms, Method::DELETE, "/v1.0/x", None).await.unwrap();
    assert!(answer.expose_secret().is_null());
    let error = client.raw(Service::Csms, Method::PUT, "/v1/x", None).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("CSMS.0106")));
    assert_keeps_secrets(&error);
    for request in server.requests() {
        assert_eq!(request.verify_signature(SECRET_KEY), Ok(()));
        assert_eq!(request.header("x-project-id"), Some(PROJECT_ID));
    }
}

#[tokio::test]
async fn a_raw_answer_that_cannot_be_read_counts_its_attempts() {
    let server = RawServer::start(|request| if request.number == 0 { json(503, "") } else { json(200, "{") }).await;
    let client = client(server.uri()).retry(quick()).build().unwrap();
    let error = client.raw(Service::Csms, Method::GET, "/", None).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::UnexpectedAnswer, 2));
}

#[tokio::test]
async fn a_raw_path_reaches_the_service_as_it_was_given_or_not_at_all() {
    let server = good().await;
    let client = client(server.uri()).build().unwrap();
    for path in [
        "",
        "v1",
        "/v1/../x",
        "/v1/.",
        "/..",
        "/v1/%2e%2e/x",
        "/v1/.%2E/x",
        "/v1/%2E",
        "/v1\\..\\x",
        "/v1/.\t./x",
        "/v1/a\nb",
        "/v1/a#b",
        "/v1?x=1#b",
        "http://elsewhere.example/",
    ] {
        let error = client.raw(Service::Csms, Method::GET, path, None).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("path")), "{path}");
    }
    assert!(server.requests().is_empty());
    for path in ["/v1/..a/...", "/v1/a%20b/?q=../x", "//elsewhere.example/x", "/v1/x/", "/@b:c;d,e"] {
        client.raw(Service::Csms, Method::GET, path, None).await.unwrap();
        let request = server.requests().pop().unwrap();
        assert_eq!(request.target, path);
        assert_eq!(request.verify_signature(SECRET_KEY), Ok(()), "{path}");
    }
}

#[tokio::test]
async fn a_token_is_sent_instead_of_a_signature() {
    let server = good().await;
    let client = client(server.uri()).credentials(Credentials::token(SECURITY_TOKEN)).build().unwrap();
    CreateSecret::new("demo").secret_string(VALUE).send(&client).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.header("x-auth-token"), Some(SECURITY_TOKEN));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("x-project-id"), Some(PROJECT_ID));
    assert_eq!((request.header("authorization"), request.header("x-sdk-date")), (None, None));
}

#[tokio::test]
async fn a_security_token_is_sent_and_signed() {
    let server = good().await;
    let keys = AccessKeys::new(ACCESS_KEY, SECRET_KEY).with_security_token(SECURITY_TOKEN);
    let client = client(server.uri()).credentials(Credentials::from(keys)).build().unwrap();
    ShowSecret::new("demo").send(&client).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.header("x-security-token"), Some(SECURITY_TOKEN));
    assert!(request.header("authorization").unwrap().contains(";x-security-token,"));
    assert_eq!(request.verify_signature(SECRET_KEY), Ok(()));
}

#[tokio::test]
async fn v11_signs_with_the_key_of_the_day_the_region_and_the_service() {
    let server = good().await;
    let client = client(server.uri())
        .signing(Signing::V11HmacSha256)
        .clock(stepping_clock(1_767_323_045, Duration::ZERO))
        .build()
        .unwrap();
    ShowSecret::new("demo").send(&client).await.unwrap();
    let request = &server.requests()[0];
    let expected = sign::sign(
        &SigningKey::v11(ACCESS_KEY, SECRET_KEY.as_bytes(), "20260102", "cn-north-4", "csms"),
        &sign::Request {
            method: "GET",
            path: &request.target,
            query: "",
            headers: &[("host", &server.authority()), ("x-project-id", PROJECT_ID), ("x-sdk-date", "20260102T030405Z")],
            payload: Payload::Bytes(b""),
        },
        "20260102T030405Z",
    );
    assert!(expected.starts_with(&format!("V11-HMAC-SHA256 Credential={ACCESS_KEY}/20260102/cn-north-4/csms")));
    assert_eq!(request.header("authorization"), Some(expected.as_str()));
}

#[tokio::test]
async fn a_body_is_sent_with_its_type_and_only_where_there_is_one() {
    let server = good().await;
    let client = client(server.uri()).user_agent("demo/1.0").build().unwrap();
    CreateSecret::new("demo").secret_string(VALUE).send(&client).await.unwrap();
    ShowSecret::new("demo").send(&client).await.unwrap();
    let [create, show] = &server.requests()[..] else { panic!("two requests") };
    assert_eq!(create.header("content-type"), Some("application/json"));
    assert_eq!(create.header("content-length"), Some(create.body.len().to_string().as_str()));
    assert_eq!((show.header("content-type"), show.body.len()), (None, 0));
    assert!(show.header("user-agent").unwrap().starts_with("demo/1.0 csms-sdk-rust/"));
    assert_eq!(show.header("x-language"), Some("en-us"));
}

#[tokio::test]
async fn requests_go_through_the_proxy_that_was_set() {
    let proxy = good().await;
    let direct = good().await;
    let through = client("http://kms.nowhere.invalid").proxy(proxy.uri()).build().unwrap();
    ShowSecret::new("demo").send(&through).await.unwrap();
    let request = &proxy.requests()[0];
    assert_eq!(request.target, format!("http://kms.nowhere.invalid/v1/{PROJECT_ID}/secrets/demo"));
    assert_eq!(request.header("host"), Some("kms.nowhere.invalid"));

    let around = client(direct.uri()).proxy(proxy.uri()).no_proxy().build().unwrap();
    ShowSecret::new("demo").send(&around).await.unwrap();
    assert_eq!((proxy.requests().len(), direct.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_proxy_that_fails_is_an_error_and_not_passed_by() {
    let server = good().await;
    let dead = client(server.uri()).proxy(refusing_endpoint()).build().unwrap();
    let error = ShowSecret::new("demo").send(&dead).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.help().is_some_and(|help| help.contains("proxy")));
    assert!(server.requests().is_empty());

    // For https the proxy is asked for a tunnel first.
    let strict = RawServer::start(|_| json(407, "")).await;
    let refused = client("https://kms.nowhere.invalid").proxy(strict.uri()).build().unwrap();
    let error = ShowSecret::new("demo").send(&refused).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    let request = &strict.requests()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("CONNECT", "kms.nowhere.invalid:443"));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(client("https://h").proxy("http://:").build().unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn http_2_is_spoken_where_the_endpoint_offers_it() {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let server = tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut signed_hosts = Vec::new();
        let stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            assert_eq!(request.version(), http::Version::HTTP_2);
            signed_hosts.push(request.uri().authority().unwrap().to_string());
            let mut body = respond.send_response(http::Response::new(()), false).unwrap();
            body.send_data(bytes::Bytes::from_static(SECRET.as_bytes()), true).unwrap();
        }
        signed_hosts
    });
    let client = client(endpoint.clone()).root_certificates_pem(cert.pem()).build().unwrap();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { ShowSecret::new("demo").send(&client).await.map(drop) })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    drop(client);
    let hosts = server.await.unwrap();
    assert_eq!(hosts.len(), 20, "all over one connection");
    assert!(hosts.iter().all(|host| endpoint.ends_with(host)));
}

#[tokio::test]
async fn ten_thousand_calls_keep_a_few_connections_open() {
    const TASKS: usize = 20;
    let server = good().await;
    let client = client(server.uri()).build().unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..10_000 / TASKS {
                    ShowSecret::new("demo").send(&client).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(server.requests().len(), 10_000);
    assert!(server.open() <= TASKS, "{}", server.open());
    assert!(server.accepted() <= 2 * TASKS, "{}", server.accepted());
}

#[tokio::test]
async fn failed_calls_leave_no_connection_behind() {
    let server = RawServer::start(|_| vec![Step::Wait(Duration::from_secs(30))]).await;
    let client = client(server.uri()).attempt_timeout(Duration::from_millis(5)).build().unwrap();
    for _ in 0..100 {
        let _ = ShowSecret::new("demo").send(&client).await.unwrap_err();
    }
    for _ in 0..500 {
        if server.open() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} connections are open", server.open());
}

#[tokio::test]
async fn a_clone_shares_the_connections() {
    let server = good().await;
    let client: Client = client(server.uri()).build().unwrap();
    for _ in 0..5 {
        ShowSecret::new("demo").send(&client.clone()).await.unwrap();
    }
    assert_eq!(server.accepted(), 1);
}
