//! The cache of secrets: what is at hand, what is asked, how often, and what becomes of it when the service fails.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use csms_emulator::Emulator;
use csms_sdk::{
    CallOptions, Client, Error, ErrorKind,
    cache::{Builder, CacheMetrics, SecretCache},
    credentials::Credentials,
    csms,
    env::Env,
    kms,
    reference::Reference,
    retry::RetryPolicy,
};
use csms_tests::{
    calls::{SECRET, VALUE, VERSION, assert_keeps_secrets, client, error_body, json},
    raw_server::{RawServer, Received, Step},
};
use serde_json::json;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// Longer than the pause after a failure.
const SOON: Duration = Duration::from_secs(6);
const STAGE: &str = r#"{"stage":{"name":"SYSCURRENT","secret_name":"demo","version_id":"v1"}}"#;

/// Moves the time of the cache forward. Nothing is on the wire meanwhile.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// An emulator with secrets of these values, and a client that repeats nothing.
async fn with(secrets: &[(&str, &str)]) -> (Emulator, Client) {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().with_options(CallOptions::new().retry(RetryPolicy::none()));
    for (name, value) in secrets {
        csms::CreateSecret::new(*name).secret_string(*value).send(&client).await.unwrap();
    }
    (emulator, client)
}

async fn add_version(client: &Client, name: &str, value: &str) {
    csms::CreateSecretVersion::new(name).secret_string(value).send(client).await.unwrap();
}

async fn text(cache: &SecretCache, reference: &str) -> Result<String, Error> {
    let value = cache.get(reference).await.inspect_err(assert_keeps_secrets)?;
    Ok(value.text().unwrap().expose_secret().to_owned())
}

async fn read(cache: &SecretCache, reference: &str) -> String {
    text(cache, reference).await.unwrap()
}

async fn refused(cache: &SecretCache, reference: &str) -> ErrorKind {
    text(cache, reference).await.unwrap_err().kind()
}

/// For a task of its own.
fn reading(cache: &SecretCache, reference: &'static str) -> impl Future<Output = Result<String, Error>> + use<> {
    let cache = cache.clone();
    async move { text(&cache, reference).await }
}

/// Values asked for, questions whether one is right, and how many of these confirmed it.
fn asked(cache: &SecretCache) -> (u64, u64, u64) {
    let CacheMetrics { fetches, revalidations, unchanged, .. } = cache.metrics();
    (fetches, revalidations, unchanged)
}

/// Lets the tasks of this thread run until it is so.
async fn until(mut is_so: impl FnMut() -> bool) {
    tokio::time::timeout(MINUTE, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
    .unwrap();
}

/// Answers as a service that has a secret of any name, with one version.
fn well(request: &Received) -> Vec<Step> {
    match &request.target {
        target if target.contains("/stages/") => json(200, STAGE),
        target if target.contains("/versions/") => json(200, VERSION),
        _ => json(200, SECRET),
    }
}

/// The same, but a value takes long enough for something to happen meanwhile.
fn slowly(request: &Received) -> Vec<Step> {
    let mut steps = well(request);
    if is_fetch(request) {
        steps.insert(0, Step::Wait(Duration::from_millis(300)));
    }
    steps
}

fn is_fetch(request: &Received) -> bool {
    request.target.contains("/versions/")
}

fn fetches(server: &RawServer) -> usize {
    server.requests().iter().filter(|request| is_fetch(request)).count()
}

#[tokio::test]
async fn a_value_is_fetched_once_however_it_is_written() {
    let (_emulator, client) = with(&[("db", "value")]).await;
    let cache = SecretCache::new(&client);
    let first = cache.get("db").await.unwrap();
    for text in ["db", "db@current", "csms://db", "db@SYSCURRENT", "db"] {
        assert!(Arc::ptr_eq(&cache.get(text).await.unwrap(), &first), "{text}");
    }
    let reference = Reference::new("db").unwrap();
    assert!(Arc::ptr_eq(&cache.get(&reference).await.unwrap(), &first));
    assert_eq!((first.version(), first.stages(), cache.len()), ("v1", &["SYSCURRENT".to_owned()][..], 1));
    let metrics = cache.metrics();
    assert_eq!((metrics.hits, metrics.misses, metrics.waits, metrics.fetches), (6, 1, 0, 1));
}

#[tokio::test]
async fn fields_share_one_value_and_a_missing_one_is_told_without_asking() {
    let (_emulator, client) = with(&[("db", r#"{"user":"me","password":"hunter2"}"#)]).await;
    let cache = SecretCache::new(&client);
    assert_eq!(read(&cache, "db#user").await, "me");
    assert_eq!(read(&cache, "db#password").await, "hunter2");
    let error = cache.get("db#port").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("`password`") && !error.to_string().contains("hunter2"), "{error}");
    let (once, again) = (cache.get("db#user").await.unwrap(), cache.get("csms://db#user").await.unwrap());
    assert!(Arc::ptr_eq(&once, &again), "a field is taken out once");
    assert_eq!((cache.len(), asked(&cache)), (1, (1, 0, 0)));
    pass(HOUR / 2).await;
    assert_eq!(read(&cache, "db#user").await, "me");
    assert_eq!(asked(&cache), (1, 1, 1), "a field is confirmed with its value");
}

#[tokio::test]
async fn two_hundred_tasks_on_a_cold_entry_make_one_call() {
    let server = RawServer::start(well).await;
    let cache = SecretCache::new(&client(server.uri()).build().unwrap());
    let readers: Vec<_> = (0..200).map(|_| tokio::spawn(reading(&cache, "demo"))).collect();
    for reader in readers {
        assert_eq!(reader.await.unwrap().unwrap(), VALUE);
    }
    assert_eq!((fetches(&server), server.requests().len()), (1, 3), "the stage, the secret and the value, once each");
    let metrics = cache.metrics();
    assert_eq!((metrics.misses, metrics.waits, metrics.fetches, metrics.hits), (200, 199, 1, 0));
}

#[tokio::test]
async fn those_who_wait_share_a_failure_and_the_next_asks_again() {
    let is_well = Arc::new(AtomicBool::new(false));
    let server = RawServer::start({
        let is_well = is_well.clone();
        move |request| match is_well.load(SeqCst) {
            true => well(request),
            false => json(503, &error_body("APIGW.0613", "down")),
        }
    })
    .await;
    let cache = SecretCache::new(&client(server.uri()).build().unwrap());
    let readers: Vec<_> = (0..50).map(|_| tokio::spawn(reading(&cache, "demo"))).collect();
    for reader in readers {
        assert_eq!(reader.await.unwrap().unwrap_err().kind(), ErrorKind::Service);
    }
    assert_eq!((server.requests().len(), cache.metrics().failures, cache.len()), (2, 1, 0));
    is_well.store(true, SeqCst);
    assert_eq!(read(&cache, "demo").await, VALUE);
}

/// A server that lets nobody have the value of `slow` before it is told to.
async fn gated() -> (RawServer, Arc<AtomicBool>) {
    let is_open = Arc::new(AtomicBool::new(false));
    let server = RawServer::start({
        let is_open = is_open.clone();
        move |request| match is_fetch(request) && request.target.contains("/slow/") && !is_open.load(SeqCst) {
            true => vec![Step::Wait(HOUR)],
            false => well(request),
        }
    })
    .await;
    (server, is_open)
}

#[tokio::test]
async fn one_secret_does_not_wait_for_another() {
    let (server, _) = gated().await;
    let cache = SecretCache::new(&client(server.uri()).attempt_timeout(HOUR).call_timeout(HOUR).build().unwrap());
    let slow = tokio::spawn(reading(&cache, "slow"));
    until(|| fetches(&server) == 1).await;
    assert_eq!(read(&cache, "fast").await, VALUE);
    assert!(!slow.is_finished());
    slow.abort();
}

#[tokio::test]
async fn a_reader_that_gives_up_leaves_the_attempt_to_the_others() {
    let server = RawServer::start(slowly).await;
    let cache = SecretCache::new(&client(server.uri()).build().unwrap());
    let first = tokio::spawn(reading(&cache, "demo"));
    until(|| fetches(&server) == 1).await;
    let others: Vec<_> = (0..10).map(|_| tokio::spawn(reading(&cache, "demo"))).collect();
    until(|| cache.metrics().misses == 11).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    others[0].abort();
    for other in others.into_iter().skip(1) {
        assert_eq!(other.await.unwrap().unwrap(), VALUE);
    }
    assert_eq!((fetches(&server), cache.metrics().fetches), (1, 1), "it is not begun anew");
}

#[tokio::test]
async fn when_all_readers_give_up_nothing_stays_locked() {
    let (server, is_open) = gated().await;
    let cache = SecretCache::new(&client(server.uri()).attempt_timeout(HOUR).call_timeout(HOUR).build().unwrap());
    let readers: Vec<_> = (0..5).map(|_| tokio::spawn(reading(&cache, "slow"))).collect();
    until(|| fetches(&server) == 1).await;
    for reader in readers {
        reader.abort();
        assert!(reader.await.unwrap_err().is_cancelled());
    }
    assert!(format!("{cache:?}").contains("secrets: []"), "{cache:?}");
    is_open.store(true, SeqCst);
    assert_eq!(read(&cache, "slow").await, VALUE);
    assert_eq!(fetches(&server), 2, "nobody waited for the first any more");
}

#[tokio::test]
async fn a_value_whose_time_is_over_is_confirmed_and_not_fetched_again() {
    let (_emulator, client) = with(&[("db", "value")]).await;
    let cache = SecretCache::builder(&client).ttl(MINUTE).build();
    let first = cache.get("db").await.unwrap();
    pass(MINUTE * 8 / 10).await;
    assert!(Arc::ptr_eq(&cache.get("db").await.unwrap(), &first));
    assert_eq!(asked(&cache), (1, 0, 0), "at most a tenth is left out");
    pass(MINUTE).await;
    assert!(Arc::ptr_eq(&cache.get("db").await.unwrap(), &first));
    assert_eq!(asked(&cache), (1, 1, 1));
    assert!(Arc::ptr_eq(&cache.get("db").await.unwrap(), &first));
    assert_eq!((asked(&cache), cache.metrics().hits), ((1, 1, 1), 2), "it lives on from then");
}

#[tokio::test]
async fn another_version_is_noticed_when_the_time_is_over() {
    let (_emulator, client) = with(&[("db", "one")]).await;
    let cache = SecretCache::builder(&client).ttl(MINUTE).build();
    for reference in ["db", "db@latest", "db@v1"] {
        assert_eq!(read(&cache, reference).await, "one");
    }
    add_version(&client, "db", "two").await;
    assert_eq!(read(&cache, "db").await, "one");
    pass(MINUTE).await;
    assert_eq!((read(&cache, "db").await, read(&cache, "db@latest").await), ("two".to_owned(), "two".to_owned()));
    assert_eq!(read(&cache, "db@v1").await, "one");
    assert_eq!(read(&cache, "db@previous").await, "one");
    assert_eq!(asked(&cache), (6, 3, 1));
}

#[tokio::test]
async fn a_secret_that_was_created_anew_is_not_taken_for_the_old_one() {
    let (_emulator, client) = with(&[("db", "old")]).await;
    let cache = SecretCache::builder(&client).ttl(MINUTE).build();
    assert_eq!((read(&cache, "db").await, read(&cache, "db@v1").await), ("old".to_owned(), "old".to_owned()));
    csms::DeleteSecret::new("db").send(&client).await.unwrap();
    csms::CreateSecret::new("db").secret_string("new").send(&client).await.unwrap();
    pass(MINUTE).await;
    assert_eq!((read(&cache, "db").await, read(&cache, "db@v1").await), ("new".to_owned(), "new".to_owned()));
}

#[tokio::test]
async fn a_secret_that_waits_for_its_deletion_is_not_handed_out_any_more() {
    let (_emulator, client) = with(&[("db", "value")]).await;
    let cache = SecretCache::builder(&client).ttl(MINUTE).stale_on_failure(HOUR).build();
    for reference in ["db", "db@v1"] {
        let held = Arc::downgrade(&cache.get(reference).await.unwrap());
        csms::DeleteSecretForSchedule::new("db", 7).send(&client).await.unwrap();
        pass(MINUTE).await;
        assert_eq!(refused(&cache, reference).await, ErrorKind::Conflict, "{reference}");
        assert!(held.upgrade().is_none(), "the value is dropped");
        csms::RestoreSecret::new("db").send(&client).await.unwrap();
        assert_eq!(read(&cache, reference).await, "value");
    }
    assert_eq!(cache.metrics().stale_hits, 0);
}

#[tokio::test]
async fn what_only_a_fetch_shows_is_noticed_at_the_greatest_age() {
    let (_emulator, client) = with(&[]).await;
    let key = kms::CreateKey::new("demo").send(&client).await.unwrap().into_body();
    let key = key.key_info.unwrap().key_id.unwrap();
    csms::CreateSecret::new("db").secret_string("value").kms_key_id(&key).send(&client).await.unwrap();
    let cache = SecretCache::builder(&client).ttl(MINUTE).max_age(HOUR).build();
    read(&cache, "db").await;
    kms::DisableKey::new(&key).send(&client).await.unwrap();
    pass(HOUR / 2).await;
    assert_eq!(read(&cache, "db").await, "value", "it is confirmed");
    pass(HOUR / 2).await;
    assert!(text(&cache, "db").await.is_err());
    assert_eq!((cache.len(), asked(&cache)), (0, (2, 1, 1)));
}

#[tokio::test]
async fn without_the_permission_to_confirm_a_value_it_is_fetched_each_time() {
    let (emulator, client) = with(&[("db", "value")]).await;
    emulator.set_faults(&json!([{"operation": "ShowSecret", "status": 403}])).unwrap();
    let cache = SecretCache::builder(&client).ttl(MINUTE).build();
    read(&cache, "db").await;
    pass(MINUTE).await;
    read(&cache, "db").await;
    assert_eq!(asked(&cache), (2, 1, 0));
}

#[tokio::test]
async fn without_a_time_to_live_every_read_asks() {
    let (_emulator, client) = with(&[("db", "one")]).await;
    let cache = SecretCache::builder(&client).ttl(Duration::ZERO).build();
    assert_eq!((read(&cache, "db").await, read(&cache, "db").await), ("one".to_owned(), "one".to_owned()));
    add_version(&client, "db", "two").await;
    assert_eq!(read(&cache, "db").await, "two");
    assert_eq!((asked(&cache), cache.metrics().hits), ((2, 2, 1), 0));
}

/// A cache that uses values on for half an hour after a minute.
fn lenient(client: &Client) -> Builder {
    SecretCache::builder(client).ttl(MINUTE).stale_on_failure(HOUR / 2)
}

#[tokio::test]
async fn a_value_is_used_on_while_what_may_pass_goes_on_but_not_beyond_its_bound() {
    for fault in [
        json!({"status": 429}),
        json!({"status": 500}),
        json!({"status": 503}),
        json!({"cut_at": 0}),
        json!({"cut_at": 9}),
    ] {
        let (emulator, client) = with(&[("db", "one")]).await;
        let cache = lenient(&client).build();
        read(&cache, "db").await;
        add_version(&client, "db", "two").await;
        emulator.set_faults(&json!([fault])).unwrap();
        pass(MINUTE).await;
        for _ in 0..3 {
            assert_eq!(read(&cache, "db").await, "one", "{fault}");
        }
        let metrics = cache.metrics();
        assert_eq!((metrics.stale_hits, metrics.failures), (3, 1), "{fault}: the service has a rest");
        pass(SOON).await;
        assert_eq!(read(&cache, "db").await, "one", "{fault}");
        assert_eq!(cache.metrics().failures, 2, "{fault}: then it is asked again");

        pass(HOUR / 2).await;
        let error = text(&cache, "db").await.unwrap_err();
        assert!(error.is_retryable(), "{fault}: {error}");
        emulator.clear_faults();
        assert_eq!(read(&cache, "db").await, "two", "{fault}");
    }
}

#[tokio::test]
async fn a_time_out_may_pass_too() {
    let (emulator, client) = with(&[("db", "value")]).await;
    let hasty =
        client.with_options(CallOptions::new().retry(RetryPolicy::none()).call_timeout(Duration::from_millis(200)));
    let cache = lenient(&hasty).build();
    // On a slow machine the first read may take more than it has.
    while text(&cache, "db").await.is_err() {}
    emulator.set_faults(&json!([{"delay_ms": 3_000_000}])).unwrap();
    pass(MINUTE).await;
    assert_eq!(read(&cache, "db").await, "value");
    assert_eq!(cache.metrics().stale_hits, 1);
}

#[tokio::test]
async fn without_leave_to_use_it_on_a_failure_is_told() {
    let (emulator, client) = with(&[("db", "value")]).await;
    let cache = SecretCache::builder(&client).ttl(MINUTE).build();
    read(&cache, "db").await;
    emulator.set_faults(&json!([{"status": 503, "times": 2}])).unwrap();
    pass(MINUTE).await;
    assert_eq!(refused(&cache, "db").await, ErrorKind::Service);
    emulator.clear_faults();
    assert_eq!(read(&cache, "db").await, "value");
}

#[tokio::test]
async fn what_is_refused_is_never_answered_from_what_is_held() {
    let refusals = [
        (json!({"status": 403}), ErrorKind::PermissionDenied),
        (json!({"status": 401}), ErrorKind::Unauthenticated),
        (json!({"expired_credentials": true}), ErrorKind::Unauthenticated),
        (json!({"status": 404, "code": "CSMS.0106"}), ErrorKind::NotFound),
    ];
    for (fault, kind) in refusals {
        let (emulator, client) = with(&[("db", "value")]).await;
        let cache = lenient(&client).build();
        let held = Arc::downgrade(&cache.get("db").await.unwrap());
        emulator.set_faults(&json!([fault])).unwrap();
        pass(MINUTE).await;
        assert_eq!(refused(&cache, "db").await, kind, "{fault}");
        assert!(held.upgrade().is_none() && cache.is_empty(), "{fault}: the value is dropped");
        // Not even when the service then fails for what may pass.
        emulator.set_faults(&json!([{"status": 503}])).unwrap();
        assert_eq!(refused(&cache, "db").await, ErrorKind::Service, "{fault}");
        emulator.clear_faults();
        assert_eq!(read(&cache, "db").await, "value", "{fault}");
    }
}

#[tokio::test]
async fn a_clock_that_is_off_does_not_matter() {
    let (emulator, client) = with(&[("db", "value")]).await;
    let cache = SecretCache::builder(&client).ttl(MINUTE).build();
    for skew in [-7200, 7200] {
        emulator.set_faults(&json!([{"skew_seconds": skew}])).unwrap();
        assert_eq!(read(&cache, "db").await, "value");
        pass(MINUTE).await;
    }
    assert_eq!(cache.metrics().failures, 0);
}

#[tokio::test]
async fn a_region_that_is_down_leaves_the_others_alone() {
    let (emulator, _) = with(&[("demo", "here")]).await;
    let is_down = Arc::new(AtomicBool::new(false));
    let there = RawServer::start({
        let is_down = is_down.clone();
        move |request| match is_down.load(SeqCst) {
            true => vec![Step::Close],
            false => well(request),
        }
    })
    .await;
    let (access_key, secret_key) = emulator.keys();
    let variables = [
        ("HUAWEICLOUD_SDK_REGION_CSMS_CN_NORTH_4", emulator.endpoint_in("cn-north-4")),
        ("HUAWEICLOUD_SDK_REGION_CSMS_CN_EAST_3", there.uri()),
        ("HUAWEICLOUD_SDK_IAM_ENDPOINT", emulator.endpoint()),
    ];
    let client = Client::builder()
        .env(Env::from_pairs(variables))
        .region("cn-north-4")
        .credentials(Credentials::keys(access_key, secret_key))
        .no_proxy()
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let cache = lenient(&client).build();
    assert_eq!(
        (read(&cache, "demo").await, read(&cache, "demo?region=cn-east-3").await),
        ("here".into(), VALUE.into())
    );
    is_down.store(true, SeqCst);
    pass(MINUTE).await;
    assert_eq!(
        (read(&cache, "demo").await, read(&cache, "demo?region=cn-east-3").await),
        ("here".into(), VALUE.into())
    );
    let metrics = cache.metrics();
    assert_eq!((metrics.unchanged, metrics.stale_hits, metrics.failures), (1, 1, 1));
    cache.invalidate("demo").unwrap();
    assert_eq!(cache.len(), 1, "that of the other region stays");
    cache.invalidate("demo?region=cn-east-3").unwrap();
    assert_eq!(refused(&cache, "demo?region=cn-east-3").await, ErrorKind::Connection);
}

#[tokio::test]
async fn a_refresh_fetches_now_and_a_failed_one_leaves_what_is_held() {
    let (emulator, client) = with(&[("db", r#"{"a":"one"}"#)]).await;
    let cache = SecretCache::new(&client);
    read(&cache, "db#a").await;
    add_version(&client, "db", r#"{"a":"two"}"#).await;
    let refreshed = cache.refresh("db#a").await.unwrap();
    assert_eq!((refreshed.expose_secret(), refreshed.version()), (&b"two"[..], "v2"));
    assert_eq!((read(&cache, "db#a").await, asked(&cache)), ("two".to_owned(), (2, 0, 0)));
    cache.refresh("db").await.unwrap();
    assert_eq!(asked(&cache), (3, 0, 0), "even if nothing changed");

    emulator.set_faults(&json!([{"status": 503}])).unwrap();
    assert_eq!(cache.refresh("db").await.unwrap_err().kind(), ErrorKind::Service);
    assert_eq!(read(&cache, "db#a").await, "two");
    emulator.clear_faults();
    csms::DeleteSecret::new("db").send(&client).await.unwrap();
    assert_eq!(cache.refresh("db").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!((cache.len(), refused(&cache, "db").await), (0, ErrorKind::NotFound));
}

#[tokio::test]
async fn what_is_invalidated_is_fetched_by_the_next_read() {
    let (_emulator, client) = with(&[("db", r#"{"a":"one"}"#), ("other", "stays")]).await;
    let cache = SecretCache::new(&client);
    for reference in ["db", "db#a", "db@v1", "other"] {
        read(&cache, reference).await;
    }
    add_version(&client, "db", r#"{"a":"two"}"#).await;
    cache.invalidate("db@previous").unwrap();
    assert_eq!(cache.len(), 1, "all versions of a secret go");
    assert_eq!((read(&cache, "db#a").await, asked(&cache)), ("two".to_owned(), (4, 0, 0)));
    cache.invalidate_all();
    assert!(cache.is_empty());
    assert_eq!(read(&cache, "other").await, "stays");
    assert_eq!(cache.invalidate("no reference").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(cache.metrics().evictions, 0);
}

#[tokio::test]
async fn what_was_asked_before_an_invalidation_is_not_kept() {
    for all in [false, true] {
        let (server, is_open) = gated().await;
        let cache = SecretCache::new(&client(server.uri()).attempt_timeout(HOUR).call_timeout(HOUR).build().unwrap());
        let before = tokio::spawn(reading(&cache, "slow"));
        until(|| fetches(&server) == 1).await;
        match all {
            true => cache.invalidate_all(),
            false => cache.invalidate("slow").unwrap(),
        }
        is_open.store(true, SeqCst);
        assert_eq!(read(&cache, "slow").await, VALUE);
        assert_eq!(fetches(&server), 2, "it does not join the attempt from before");
        assert!(!before.is_finished());
        before.abort();
    }
    // The same with an attempt that succeeds after the invalidation.
    let server = RawServer::start(slowly).await;
    let cache = SecretCache::new(&client(server.uri()).build().unwrap());
    let before = tokio::spawn(reading(&cache, "demo"));
    until(|| fetches(&server) == 1).await;
    cache.invalidate("demo").unwrap();
    assert_eq!(before.await.unwrap().unwrap(), VALUE, "who asked before gets it");
    assert!(cache.is_empty());
}

#[tokio::test]
async fn a_full_cache_drops_what_is_over_and_then_what_was_not_read_for_long() {
    let (_emulator, client) = with(&[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]).await;
    let cache = SecretCache::builder(&client).ttl(MINUTE).capacity(2).build();
    let first = Arc::downgrade(&cache.get("a").await.unwrap());
    read(&cache, "b").await;
    read(&cache, "a").await;
    read(&cache, "c").await;
    assert_eq!((cache.len(), cache.metrics().evictions), (2, 1));
    assert!(first.upgrade().is_some(), "`b` was not read for longer");
    // `c` is read last, but its time is over first.
    pass(MINUTE / 2).await;
    cache.refresh("a").await.unwrap();
    pass(MINUTE / 2).await;
    read(&cache, "d").await;
    let fetches = asked(&cache).0;
    assert_eq!((read(&cache, "a").await, asked(&cache).0), ("1".to_owned(), fetches));
    assert!(first.upgrade().is_none(), "the refreshed value took the place of the first");
    assert_eq!((cache.len(), cache.metrics().evictions), (2, 2));
}

#[tokio::test]
async fn what_does_not_exist_takes_no_room() {
    let (_emulator, client) = with(&[("a", "1")]).await;
    let cache = SecretCache::builder(&client).capacity(1).build();
    read(&cache, "a").await;
    for name in ["x", "y", "x"] {
        assert_eq!(refused(&cache, name).await, ErrorKind::NotFound);
    }
    assert_eq!(read(&cache, "a").await, "1");
    let metrics = cache.metrics();
    assert_eq!((metrics.hits, metrics.misses, metrics.failures, metrics.evictions), (1, 4, 3, 0));
    assert!(!format!("{cache:?}").contains("csms://x"));
}

#[tokio::test]
async fn a_value_is_renewed_ahead_of_time_only_if_asked_for() {
    let (_emulator, client) = with(&[("db", "one")]).await;
    let cache = SecretCache::builder(&client).ttl(MINUTE).refresh_ahead(MINUTE / 2).build();
    let quiet = SecretCache::builder(&client).ttl(MINUTE).build();
    assert_eq!((read(&cache, "db").await, read(&quiet, "db").await), ("one".to_owned(), "one".to_owned()));
    add_version(&client, "db", "two").await;
    pass(MINUTE * 7 / 10).await;
    for _ in 0..10 {
        assert_eq!(read(&cache, "db").await, "one", "nobody waits");
    }
    while read(&cache, "db").await != "two" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((asked(&cache), cache.metrics().misses), ((2, 1, 0), 1), "one task renews it");
    assert_eq!((read(&quiet, "db").await, asked(&quiet)), ("one".to_owned(), (1, 0, 0)));
}

#[tokio::test]
async fn a_renewal_ends_with_its_cache() {
    let (server, is_open) = gated().await;
    is_open.store(true, SeqCst);
    let client = client(server.uri()).attempt_timeout(HOUR).call_timeout(HOUR).build().unwrap();
    let cache = SecretCache::builder(&client).ttl(MINUTE).max_age(Duration::ZERO).refresh_ahead(MINUTE / 2).build();
    read(&cache, "slow").await;
    is_open.store(false, SeqCst);
    pass(MINUTE * 7 / 10).await;
    let clone = cache.clone();
    read(&cache, "slow").await;
    until(|| fetches(&server) == 2).await;
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    drop(cache);
    tokio::task::yield_now().await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), tasks, "a clone keeps it");
    drop(clone);
    until(|| tokio::runtime::Handle::current().metrics().num_alive_tasks() < tasks).await;
}

#[tokio::test]
async fn many_are_read_ahead_and_each_failure_is_told() {
    let (_emulator, client) = with(&[("a", "1"), ("b", r#"{"x":"2"}"#)]).await;
    let cache = SecretCache::new(&client);
    let outcomes = cache.prefetch(["a", "missing", "b#x", "no reference", "b#y", "b"]).await;
    let kinds: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().err().map(Error::kind)).collect();
    let (missing, invalid) = (Some(ErrorKind::NotFound), Some(ErrorKind::InvalidInput));
    assert_eq!(kinds, [None, missing, None, invalid, missing, None]);
    assert_eq!(outcomes[2].as_ref().unwrap().expose_secret(), b"2");
    assert_eq!((asked(&cache).0, cache.len()), (2, 2));
    assert!(cache.prefetch([""; 0]).await.is_empty());

    let names: Vec<_> = (0..40).map(|number| format!("many-{number}")).collect();
    for name in &names {
        csms::CreateSecret::new(name).secret_string(name.as_str()).send(&client).await.unwrap();
    }
    for (outcome, name) in cache.prefetch(&names).await.into_iter().zip(&names) {
        assert_eq!(outcome.unwrap().expose_secret(), name.as_bytes());
    }
}

#[tokio::test]
async fn a_profile_or_a_project_is_refused_even_if_the_secret_is_held() {
    let (_emulator, client) = with(&[("db", "value")]).await;
    let cache = SecretCache::new(&client);
    read(&cache, "db").await;
    for reference in ["db?project=p", "db?profile=p"] {
        assert_eq!(refused(&cache, reference).await, ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn debug_output_has_names_and_numbers_and_no_values() {
    let (_emulator, client) = with(&[("db", VALUE), ("json", r#"{"a":"hunter2"}"#)]).await;
    let cache = SecretCache::new(&client);
    let values = [cache.get("db").await.unwrap(), cache.get("json#a").await.unwrap()];
    let shown = format!("{cache:?} {cache:#?} {values:?} {:?}", SecretCache::builder(&client));
    assert!(shown.contains("csms://json") && shown.contains("fetches: 2"), "{shown}");
    assert!(!shown.contains(VALUE) && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn no_duration_is_too_long_and_no_capacity_too_small() {
    let (_emulator, client) = with(&[("db", "value")]).await;
    let longest = Duration::MAX;
    let builder = SecretCache::builder(&client).ttl(longest).max_age(longest).refresh_ahead(longest);
    let cache = builder.stale_on_failure(longest).capacity(0).build();
    read(&cache, "db").await;
    pass(HOUR).await;
    assert_eq!((read(&cache, "db").await, cache.len(), asked(&cache)), ("value".to_owned(), 1, (1, 0, 0)));
}
