//! When a call is repeated, how often, how long it waits, and when it is not.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant, SystemTime},
};

use chrono::{DateTime, Utc};
use csms_sdk::{
    CallOptions, Client, Error, ErrorKind,
    clock::Clock,
    credentials::{
        AccessKeys, BoxFuture, Context, Credentials, ProvideCredentials, ProvideResult, Provided, UserToken,
    },
    csms::{CreateSecret, ShowSecret},
    retry::RetryPolicy,
    sign,
};
use csms_tests::{
    calls::{
        ACCESS_KEY, SECRET, SECRET_KEY, SECURITY_TOKEN, VALUE, answer, assert_keeps_secrets, client, error_body, json,
        quick, refusing_endpoint, stepping_clock,
    },
    raw_server::{RawServer, Received, Step},
};

/// No call of these tests may take longer, however slow the machine.
const HANG: Duration = Duration::from_secs(10);

async fn read(client: &Client) -> Result<u32, Error> {
    let outcome = ShowSecret::new("demo").send(client).await;
    outcome.map(|answer| answer.attempts()).inspect_err(assert_keeps_secrets)
}

async fn create(client: &Client) -> Result<u32, Error> {
    let outcome = CreateSecret::new("demo").secret_string(VALUE).send(client).await;
    outcome.map(|answer| answer.attempts()).inspect_err(assert_keeps_secrets)
}

/// Answers the first request so, and all others well.
async fn failing_once(steps: Vec<Step>) -> RawServer {
    RawServer::start(move |request| if request.number == 0 { steps.clone() } else { json(200, SECRET) }).await
}

async fn always(steps: Vec<Step>) -> RawServer {
    RawServer::start(move |_| steps.clone()).await
}

fn retrying(server: &RawServer) -> Client {
    client(server.uri()).retry(quick()).build().unwrap()
}

#[tokio::test]
async fn what_may_pass_is_repeated_where_repeating_changes_nothing() {
    for status in [429, 500, 502, 503, 504] {
        let server = failing_once(json(status, "{}")).await;
        assert_eq!(read(&retrying(&server)).await.unwrap(), 2, "{status}");
        assert_eq!(server.requests().len(), 2);
    }
    let server = failing_once(vec![Step::Close]).await;
    assert_eq!(read(&retrying(&server)).await.unwrap(), 2);
}

#[tokio::test]
async fn what_cannot_pass_is_not_repeated() {
    for (status, code) in
        [(500, "CSMS.0201"), (400, "CSMS.0401"), (404, "X.1"), (501, "X.1"), (403, "X.1"), (301, "X.1")]
    {
        let server = failing_once(json(status, &error_body(code, "no"))).await;
        let error = read(&retrying(&server)).await.unwrap_err();
        assert_eq!((error.attempts(), server.requests().len()), (1, 1), "{error}");
        assert!(!error.is_retryable());
    }
    for steps in [json(200, "{"), vec![Step::Send(b"SSH-2.0\r\n\r\n".to_vec()), Step::Close]] {
        let server = failing_once(steps).await;
        assert_eq!(read(&retrying(&server)).await.unwrap_err().kind(), ErrorKind::UnexpectedAnswer);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn what_may_have_been_carried_out_is_not_repeated_where_that_would_matter() {
    for steps in [json(500, ""), json(502, ""), json(503, ""), json(504, ""), vec![Step::Close]] {
        let server = failing_once(steps).await;
        let error = create(&retrying(&server)).await.unwrap_err();
        assert_eq!((error.attempts(), server.requests().len()), (1, 1), "{error}");
        assert!(error.is_retryable(), "the caller may decide otherwise");
    }
    let server = failing_once(vec![Step::Wait(HANG)]).await;
    let client = client(server.uri()).retry(quick()).attempt_timeout(Duration::from_millis(100)).build().unwrap();
    assert_eq!(create(&client).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_was_not_carried_out_is_always_repeated() {
    let server = failing_once(json(429, &error_body("APIGW.0308", "busy"))).await;
    assert_eq!(create(&retrying(&server)).await.unwrap(), 2);

    let nobody = client(refusing_endpoint()).retry(quick()).build().unwrap();
    assert_eq!(create(&nobody).await.unwrap_err().attempts(), 4);
    let moved = client(format!("{},{}", refusing_endpoint(), server.uri())).retry(quick()).build().unwrap();
    assert_eq!(create(&moved).await.unwrap(), 2);
}

#[tokio::test]
async fn the_attempts_are_counted_whatever_the_outcome() {
    let server = always(json(503, "")).await;
    let error = read(&retrying(&server)).await.unwrap_err();
    assert_eq!((error.attempts(), server.requests().len()), (4, 4));
    assert!(error.to_string().contains("4 attempts"), "{error}");
    let server = RawServer::start(|request| match request.number {
        0 => json(503, ""),
        _ => json(200, "{"),
    })
    .await;
    assert_eq!(read(&retrying(&server)).await.unwrap_err().attempts(), 2);
}

#[tokio::test]
async fn every_attempt_is_signed_anew_over_the_same_body() {
    let server = RawServer::start(|request| match request.number {
        0..3 => json(429, ""),
        _ => json(200, SECRET),
    })
    .await;
    let clock = stepping_clock(1_767_323_045, Duration::from_secs(7));
    let client = client(server.uri()).retry(quick()).clock(clock).build().unwrap();
    assert_eq!(create(&client).await.unwrap(), 4);
    let requests = server.requests();
    let dates: BTreeSet<_> = requests.iter().filter_map(|request| request.header("x-sdk-date")).collect();
    let signatures: BTreeSet<_> = requests.iter().filter_map(|request| request.header("authorization")).collect();
    assert_eq!((dates.len(), signatures.len()), (4, 4));
    for request in &requests {
        assert_eq!(request.verify_signature(SECRET_KEY), Ok(()));
        assert_eq!(request.body, requests[0].body);
        assert!(!request.body.is_empty());
    }
}

#[tokio::test]
async fn the_service_says_how_long_to_wait_in_seconds() {
    let server = failing_once(answer(429, "retry-after: 1\r\n", b"")).await;
    let began = Instant::now();
    assert_eq!(read(&retrying(&server)).await.unwrap(), 2);
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn the_service_says_how_long_to_wait_with_a_date() {
    let server = failing_once(answer(503, "retry-after: Fri, 02 Jan 2026 03:04:06 GMT\r\n", b"")).await;
    let clock = Clock::from_fn(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045));
    let client = client(server.uri()).retry(quick()).clock(clock).build().unwrap();
    let began = Instant::now();
    assert_eq!(read(&client).await.unwrap(), 2);
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_wait_beyond_the_time_of_the_call_is_not_begun() {
    for (asked, told) in [
        ("3600", Some(Duration::from_secs(3600))),
        ("18446744073709551615", Some(Duration::from_secs(u64::MAX))),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
    ] {
        let mut steps = answer(429, &format!("retry-after: {asked}\r\n"), b"");
        // Time that has passed must not overflow together with the time asked for.
        steps.insert(0, Step::Wait(Duration::from_millis(1100)));
        let server = failing_once(steps).await;
        let began = Instant::now();
        let error = read(&retrying(&server)).await.unwrap_err();
        assert!(began.elapsed() < HANG);
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Throttled, 1));
        assert!(told.is_none() || error.retry_after() == told);
    }
}

#[tokio::test]
async fn a_wait_that_is_none_is_passed_over() {
    for odd in ["soon", "-1", "", "Fri, 02 Jan 1970 03:04:06 GMT", "1.5", "31 Dec 262142 23:59:59 GMT"] {
        let server = failing_once(answer(429, &format!("retry-after: {odd}\r\n"), b"")).await;
        let client = retrying(&server);
        let _ = tokio::time::timeout(HANG, read(&client)).await.unwrap();
    }
}

#[tokio::test]
async fn the_policy_belongs_to_the_client_or_to_the_call() {
    let server = always(json(503, "")).await;
    let client = client(server.uri()).retry(RetryPolicy::none()).build().unwrap();
    assert_eq!(read(&client).await.unwrap_err().attempts(), 1);
    let patient = client.with_options(CallOptions::new().retry(quick().with_max_retries(5)));
    assert_eq!(read(&patient).await.unwrap_err().attempts(), 6);
    assert_eq!(read(&client).await.unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn a_dead_service_costs_a_client_a_bounded_number_of_requests() {
    let server = always(json(503, "")).await;
    let client = client(server.uri())
        .retry(RetryPolicy::standard().with_backoff(Duration::ZERO, Duration::ZERO))
        .build()
        .unwrap();
    for _ in 0..1000 {
        // Clones and other options draw on the same budget.
        let clone = client.clone().with_options(CallOptions::new());
        assert_eq!(read(&clone).await.unwrap_err().kind(), ErrorKind::Service);
    }
    assert_eq!(server.requests().len(), 1100);
}

#[tokio::test]
async fn a_service_that_recovers_gets_its_repetitions_back() {
    let server = RawServer::start(|request| match request.number {
        0..500 => json(503, ""),
        number if number >= 600 && number % 2 == 0 => json(503, ""),
        _ => json(200, SECRET),
    })
    .await;
    let client = client(server.uri())
        .retry(RetryPolicy::standard().with_backoff(Duration::ZERO, Duration::ZERO))
        .build()
        .unwrap();
    while server.requests().len() < 600 {
        let _ = read(&client).await;
    }
    for _ in 0..50 {
        assert_eq!(read(&client).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_given_up_and_repeated() {
    let server = failing_once(vec![Step::Wait(HANG)]).await;
    let client = client(server.uri()).retry(quick()).attempt_timeout(Duration::from_millis(200)).build().unwrap();
    assert_eq!(read(&client).await.unwrap(), 2);
    let server = failing_once(vec![Step::Wait(HANG)]).await;
    let client = retrying(&server).with_options(CallOptions::new().attempt_timeout(Duration::from_millis(200)));
    assert_eq!(read(&client).await.unwrap(), 2);
}

#[tokio::test]
async fn a_call_ends_in_its_time_however_many_attempts_are_left() {
    let server = always(vec![Step::Wait(HANG)]).await;
    let options = CallOptions::new()
        .retry(quick().with_max_retries(1000))
        .attempt_timeout(Duration::from_millis(100))
        .call_timeout(Duration::from_millis(450));
    let began = Instant::now();
    let error = read(&retrying(&server).with_options(options)).await.unwrap_err();
    assert!(began.elapsed() < HANG);
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.operation(), Some("ShowSecret"));
    assert!(error.attempts() > 0, "they were sent and are counted");
    assert!(error.help().is_some_and(|help| help.contains("time")));
}

#[tokio::test]
async fn the_longest_times_and_waits_are_no_panic() {
    let server = failing_once(json(503, "")).await;
    let client = client(server.uri())
        .connect_timeout(Duration::MAX)
        .attempt_timeout(Duration::MAX)
        .call_timeout(Duration::MAX)
        .retry(RetryPolicy::standard().with_backoff(Duration::ZERO, Duration::MAX).with_max_retries(u32::MAX))
        .build()
        .unwrap();
    assert_eq!(read(&client).await.unwrap(), 2);
}

/// The time of a server that refuses signatures of another quarter of an hour.
const SERVER_TIME: u64 = 1_767_323_045;

fn strict_about_time(request: &Received) -> Vec<Step> {
    let now = DateTime::<Utc>::from(SystemTime::UNIX_EPOCH + Duration::from_secs(SERVER_TIME));
    let signed = request.header("x-sdk-date").and_then(sign::parse_timestamp).unwrap();
    if (now - signed).num_minutes().abs() < 15 {
        return json(200, SECRET);
    }
    let message = format!(
        "Incorrect IAM authentication information: calc aksk signature fail:signature expired, \
         signature time:{},server time:{}",
        sign::timestamp(signed),
        sign::timestamp(now)
    );
    json(401, &error_body("APIGW.0301", &message))
}

fn clock_off_by(seconds: i64) -> Clock {
    let time = SERVER_TIME.checked_add_signed(seconds).unwrap();
    stepping_clock(time, Duration::from_millis(10))
}

#[tokio::test]
async fn a_clock_that_is_off_is_corrected_once_and_for_all_calls() {
    for off in [3600, -3600, 16 * 60, -40 * 365 * 86_400] {
        let server = RawServer::start(strict_about_time).await;
        let client = client(server.uri()).clock(clock_off_by(off)).build().unwrap();
        assert_eq!(read(&client).await.unwrap(), 2, "corrected even where nothing else is repeated");
        assert_eq!(read(&client).await.unwrap(), 1);
        assert_eq!(create(&client.clone()).await.unwrap(), 1);
        assert_eq!(read(&client.for_region("cn-north-4").unwrap()).await.unwrap(), 1);
        assert_eq!(server.requests().len(), 5);
    }
}

#[tokio::test]
async fn calls_refused_together_do_not_add_up_their_corrections() {
    let server = RawServer::start(|request| {
        let mut steps = vec![Step::Wait(Duration::from_millis(200))];
        steps.extend(strict_about_time(request));
        steps
    })
    .await;
    let client = client(server.uri()).clock(clock_off_by(-3600)).build().unwrap();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let client = client.clone();
                async move { read(&client).await }
            })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap().unwrap() <= 2);
    }
    assert_eq!(read(&client).await.unwrap(), 1);
}

#[tokio::test]
async fn a_clock_that_cannot_be_corrected_is_named() {
    // Always an hour ahead of what was signed, whatever was signed.
    let server = RawServer::start(|request| {
        let signed = request.header("x-sdk-date").and_then(sign::parse_timestamp).unwrap();
        let now = sign::timestamp(signed + Duration::from_secs(3600));
        json(401, &error_body("APIGW.0301", &format!("signature expired, signature time:x,server time:{now}")))
    })
    .await;
    let error = read(&retrying(&server)).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Unauthenticated, 2));
    assert!(error.help().is_some_and(|help| help.contains("the clock here is 1")), "{:?}", error.help());
    assert!(error.to_string().contains("minutes behind"), "{error}");
}

#[tokio::test]
async fn a_time_beyond_belief_is_not_taken_over() {
    let server = RawServer::start(|_| answer(401, "date: 31 Dec 262142 23:59:59 GMT\r\n", b"")).await;
    let client = client(server.uri()).clock(stepping_clock(SERVER_TIME, Duration::from_secs(1))).build().unwrap();
    for sent in 1..4 {
        assert_eq!(read(&client).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
        assert_eq!(server.requests().len(), sent);
    }
}

#[tokio::test]
async fn refused_permanent_keys_are_sent_exactly_once() {
    for body in [
        error_body("APIGW.0301", "verify aksk signature fail"),
        error_body("APIGW.0301", "AK access failed to reach the limit,forbidden"),
        error_body("APIGW.0307", "The token must be updated"),
        String::new(),
    ] {
        let server = always(json(401, &body)).await;
        let error = read(&retrying(&server)).await.unwrap_err();
        assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Unauthenticated, 1));
        assert!(error.to_string().contains("given by the program"), "{error}");
    }
    // A token whose end is not known cannot be known to have expired.
    let server = always(json(401, "")).await;
    let client = client(server.uri()).retry(quick()).credentials(Credentials::token(SECURITY_TOKEN)).build().unwrap();
    assert_eq!(read(&client).await.unwrap_err().attempts(), 1);
    assert_eq!(server.requests().len(), 1);
}

/// Temporary credentials, numbered by how often they were asked for.
#[derive(Debug)]
struct Renewing {
    asked: Arc<AtomicUsize>,
    tokens: bool,
}

impl ProvideCredentials for Renewing {
    fn provide<'a>(&'a self, _: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        let number = self.asked.fetch_add(1, SeqCst) + 1;
        let end = DateTime::<Utc>::from(SystemTime::now() + Duration::from_secs(24 * 3600));
        let token = format!("{SECURITY_TOKEN}-{number}");
        let credentials: Credentials = match self.tokens {
            true => UserToken::new(token).with_expiry(end.into()).into(),
            false => AccessKeys::new(ACCESS_KEY, SECRET_KEY).with_security_token(token).with_expiry(end.into()).into(),
        };
        Box::pin(async { Ok(Provided::new(credentials, "the test")) })
    }
}

#[tokio::test]
async fn refused_temporary_credentials_are_renewed_once() {
    for tokens in [false, true] {
        let name = if tokens { "x-auth-token" } else { "x-security-token" };
        let server = RawServer::start(move |request| match request.header(name) {
            Some(token) if token.ends_with("-2") => json(200, SECRET),
            _ => json(401, &error_body("APIGW.0301", "decrypt token fail")),
        })
        .await;
        let asked = Arc::new(AtomicUsize::new(0));
        let provider = Renewing { asked: Arc::clone(&asked), tokens };
        let client = client(server.uri()).retry(quick()).credentials(provider).build().unwrap();
        assert_eq!(read(&client).await.unwrap(), 2);
        assert_eq!(read(&client).await.unwrap(), 1);
        assert_eq!((asked.load(SeqCst), server.requests().len()), (2, 3));
    }
}

#[tokio::test]
async fn temporary_credentials_that_stay_refused_are_not_tried_a_third_time() {
    let server = always(json(401, &error_body("APIGW.0301", "decrypt token fail"))).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let provider = Renewing { asked: Arc::clone(&asked), tokens: false };
    let client = client(server.uri()).retry(quick()).credentials(provider).build().unwrap();
    let error = read(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unauthenticated, 2));
    assert_eq!((asked.load(SeqCst), server.requests().len()), (2, 2));
    assert!(error.to_string().contains("the test"), "the origin is named: {error}");
}

#[tokio::test]
async fn the_header_that_was_changed_on_the_way_is_named() {
    // What a gateway quotes that sits behind a proxy which rewrites the host.
    let server = RawServer::start(|request| {
        let signed = ["host", "x-project-id", "x-sdk-date", "x-security-token"]
            .map(|name| (name, if name == "host" { "internal" } else { request.header(name).unwrap() }));
        let quoted = sign::canonical_request(&sign::Request {
            method: &request.method,
            path: &request.target,
            query: "",
            headers: &signed,
            payload: sign::Payload::Bytes(&request.body),
        });
        let message = format!("verify aksk signature fail, canonicalRequest:{}", quoted.replace('\n', "|"));
        json(401, &error_body("APIGW.0301", &message))
    })
    .await;
    let keys = AccessKeys::new(ACCESS_KEY, SECRET_KEY).with_security_token(SECURITY_TOKEN);
    let client = client(server.uri()).credentials(Credentials::from(keys)).build().unwrap();
    let error = read(&client).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
    assert!(error.help().is_some_and(|help| help.contains("the header host")), "{error}");
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_reached_gives_way_to_the_next_for_good() {
    let server = always(json(200, SECRET)).await;
    let list = format!("{},{}", refusing_endpoint(), server.uri());
    let client = client(list).retry(quick()).build().unwrap();
    assert_eq!(read(&client).await.unwrap(), 2);
    assert_eq!(read(&client).await.unwrap(), 1, "the first is not asked again");
    assert_eq!(create(&client.clone()).await.unwrap(), 1);
    for request in server.requests() {
        assert_eq!(request.verify_signature(SECRET_KEY), Ok(()), "signed for the host it went to");
    }
}

#[tokio::test]
async fn an_endpoint_with_a_name_or_certificate_that_is_wrong_gives_way_too() {
    let server = always(json(200, SECRET)).await;
    let client = client(format!("https://kms.nowhere.invalid,{}", server.uri())).retry(quick()).build().unwrap();
    assert_eq!(read(&client).await.unwrap(), 2);
}

#[tokio::test]
async fn an_endpoint_that_answers_does_not_give_way() {
    for status in [503, 404, 401, 429, 301] {
        let first = always(json(status, "")).await;
        let second = always(json(200, SECRET)).await;
        let client = client(format!("{},{}", first.uri(), second.uri())).retry(quick()).build().unwrap();
        assert_eq!(read(&client).await.unwrap_err().status(), Some(status));
        assert!(second.requests().is_empty());
    }
}
