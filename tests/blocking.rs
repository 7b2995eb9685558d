//! The client for programs without `async`: calls, lists, threads, and runtimes in which it must not wait.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use csms_emulator::Emulator;
use csms_sdk::{
    CallOptions, Client, Error, ErrorKind, Service, blocking,
    csms::{CreateSecret, ListSecrets, SecretState, ShowSecret},
    envelope::EnvelopeError,
    operation::Method,
    testing::Script,
    wait::Wait,
};
use csms_tests::{
    calls::{SECRET, client as client_of, json as answer},
    raw_server::{RawServer, Step},
};
use serde_json::{Map, json};
use tokio::{runtime::Runtime, sync::Barrier};

/// A runtime with a thread of its own, for servers.
fn elsewhere() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn scripted() -> blocking::Client {
    blocking::Client::new(Script::new().client()).unwrap()
}

#[track_caller]
fn assert_misplaced<T>(outcome: Result<T, Error>) {
    let error = outcome.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    assert!(error.to_string().contains("inside an async runtime"), "{error}");
}

#[test]
fn calls_lists_and_workflows_go_as_with_the_async_client() {
    let runtime = elsewhere();
    let emulator = runtime.block_on(Emulator::start()).unwrap();
    let client = blocking::Client::new(emulator.client()).unwrap();
    for number in 0..5 {
        client.send(CreateSecret::new(format!("demo-{number}")).secret_string("made up")).unwrap();
    }
    let items = || client.as_async().items(ListSecrets::new()).page_size(2);
    let mut walk = client.iter(items());
    let first = walk.next().unwrap().unwrap();
    assert!(walk.marker().is_none(), "on the first page");
    let mut names: Vec<_> = walk.map(|secret| secret.unwrap().name.unwrap()).chain(first.name).collect();
    names.sort();
    assert_eq!(names, ["demo-0", "demo-1", "demo-2", "demo-3", "demo-4"]);
    assert_eq!(client.items(ListSecrets::new()).count(), 5);
    assert_eq!(client.iter(items().max_items(3)).count(), 3);

    let found =
        client.block_on(async |client| Wait::new().secret(client, "demo-0", SecretState::Enabled).await).unwrap();
    assert_eq!(found.name.as_deref(), Some("demo-0"));
    let info = csms_sdk::operation(Service::Csms, "ListSecrets").unwrap();
    let listed = client.send_json(info, &Map::new()).unwrap();
    let raw = client.raw(Service::Csms, Method::GET, "/v1/{project_id}/secrets", None).unwrap();
    assert_eq!(listed.expose_secret(), raw.expose_secret());

    let there = client.for_region("cn-east-3").unwrap();
    assert_eq!(there.send(ShowSecret::new("demo-0")).unwrap_err().kind(), ErrorKind::NotFound);
    let hasty = client.with_options(CallOptions::new().call_timeout(Duration::ZERO));
    assert_eq!(hasty.send(ShowSecret::new("demo-0")).unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn a_list_ends_after_its_first_error() {
    let outcomes: Vec<_> = scripted().items(ListSecrets::new()).take(10).collect();
    assert!(matches!(outcomes.as_slice(), [Err(error)] if error.kind() == ErrorKind::Configuration), "{outcomes:?}");
}

#[test]
fn threads_wait_at_the_same_time() {
    fn is_shared<T: Send + Sync + Clone>(_: &T) {}
    let client = scripted();
    is_shared(&client);
    // Nobody passes before both are there.
    let barrier = Arc::new(Barrier::new(2));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                client.block_on(async |_| {
                    barrier.wait().await;
                    Ok::<_, Error>(())
                })
            });
        }
    });
}

#[test]
fn threads_share_the_connections_of_a_client() {
    let runtime = elsewhere();
    let emulator = runtime.block_on(Emulator::start()).unwrap();
    emulator.set_faults(&json!([{"delay_ms": 5, "probability": 0.5}])).unwrap();
    let client = blocking::Client::new(emulator.client()).unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let client = client.clone();
            scope.spawn(move || {
                for number in 0..10 {
                    let name = format!("demo-{thread}-{number}");
                    client.send(CreateSecret::new(&name).secret_string("made up")).unwrap();
                    assert_eq!(client.send(ShowSecret::new(&name)).unwrap().secret.as_ref().unwrap().name, Some(name));
                }
            });
        }
    });
    assert_eq!(client.items(ListSecrets::new()).count(), 40);
}

#[test]
fn a_connection_that_was_closed_between_two_calls_costs_no_call() {
    let runtime = elsewhere();
    // The call has returned by the time that the connection is closed.
    let closing = [answer(200, SECRET), vec![Step::Wait(Duration::from_millis(50)), Step::Close]].concat();
    let server = runtime.block_on(RawServer::start(move |_| closing.clone()));
    let client = blocking::Client::new(client_of(server.uri()).build().unwrap()).unwrap();
    for _ in 0..5 {
        // Not repeated when it fails, since it may have been carried out.
        let created = client.send(CreateSecret::new("demo").secret_string("made up")).unwrap();
        assert_eq!(created.attempts(), 1);
        let started = Instant::now();
        while server.open() > 0 {
            assert!(started.elapsed() < Duration::from_secs(10), "the server closes its connections");
            thread::sleep(Duration::from_millis(1));
        }
    }
    assert_eq!(server.accepted(), 5);
}

#[test]
fn inside_a_runtime_every_call_answers_an_error() {
    let client = scripted();
    let misplaced = || {
        let info = csms_sdk::operation(Service::Csms, "ListSecrets").unwrap();
        assert_misplaced(client.send(ShowSecret::new("demo")));
        assert_misplaced(client.send_json(info, &Map::new()));
        assert_misplaced(client.raw(Service::Csms, Method::GET, "/v1/x", None));
        assert_misplaced(client.block_on(async |_| Ok::<_, Error>(())));
        assert_misplaced(client.items(ListSecrets::new()).next().unwrap());
        let typed = client.block_on(async |_| Ok::<_, EnvelopeError>(()));
        assert!(matches!(typed, Err(EnvelopeError::Kms(_))));
    };
    let runtime = elsewhere();
    runtime.block_on(async { misplaced() });
    misplaced_in_threads(&runtime);
    // Inside its own, too.
    let inside = async |_: &Client| {
        misplaced();
        Ok::<_, Error>(())
    };
    client.block_on(inside).unwrap();
}

fn misplaced_in_threads(runtime: &Runtime) {
    let client = scripted();
    let task = runtime.spawn_blocking(move || assert_misplaced(client.send(ShowSecret::new("demo"))));
    runtime.block_on(task).unwrap();
}

#[test]
fn a_client_can_be_dropped_inside_a_runtime() {
    let runtime = elsewhere();
    let emulator = runtime.block_on(Emulator::start()).unwrap();
    let client = blocking::Client::new(emulator.client()).unwrap();
    client.send(CreateSecret::new("demo").secret_string("made up")).unwrap();
    runtime.block_on(async move { drop(client) });
}
