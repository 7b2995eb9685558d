//! The spans of a call and of its attempts: how many, under which names, and what they tell of failures.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{cell::RefCell, collections::BTreeMap, fmt, sync::Once, time::Duration};

use csms_emulator::Emulator;
use csms_sdk::{
    Client, ErrorKind, Service,
    csms::{CreateSecret, ShowSecret},
    operation::Method,
};
use csms_tests::{
    calls::{SECRET, client, json as answer, quick},
    raw_server::{RawServer, Step},
};
use serde_json::json;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// A name that paths, queries and bodies hold, and no span may.
const NAME: &str = "name-of-a-secret";
const VALUE: &str = "value-of-a-secret";

/// One span as it was when it ended, or is now.
#[derive(Clone, Debug, Default)]
struct Seen {
    name: &'static str,
    target: &'static str,
    level: Option<Level>,
    parent: Option<usize>,
    fields: BTreeMap<&'static str, String>,
    /// Messages of the log lines inside.
    lines: Vec<String>,
    ended: bool,
}

impl Seen {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// Collects the spans of the SDK, those of every test on the thread of that test.
///
/// One for the whole process: whether a span is wanted is remembered per span, and for subscribers of single threads the
/// answer of the wrong one can be remembered.
#[derive(Clone, Copy)]
struct Collector;

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

#[derive(Debug, Default)]
struct State {
    spans: Vec<Seen>,
    handles: Vec<usize>,
    entered: Vec<usize>,
}

impl Collector {
    /// Forgets what was seen on this thread before.
    fn start() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| tracing::subscriber::set_global_default(Self).unwrap());
        Self::with(|state| *state = State::default());
        Self
    }

    fn with<T>(work: impl FnOnce(&mut State) -> T) -> T {
        STATE.with_borrow_mut(work)
    }

    fn spans(self) -> Vec<Seen> {
        Self::with(|state| state.spans.clone())
    }

    /// The calls, each with its attempts.
    fn calls(self) -> Vec<(Seen, Vec<Seen>)> {
        let spans = self.spans();
        let attempts =
            |call| spans.iter().filter(move |span| span.name == "attempt" && span.parent == Some(call)).cloned();
        let calls = spans.iter().enumerate().filter(|(_, span)| span.name == "call");
        calls.map(|(index, call)| (call.clone(), attempts(index).collect())).collect()
    }

    fn only_call(self) -> (Seen, Vec<Seen>) {
        let mut calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:#?}");
        calls.remove(0)
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("csms_sdk")
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let metadata = span.metadata();
        let (name, target, level) = (metadata.name(), metadata.target(), Some(*metadata.level()));
        let mut seen = Seen { name, target, level, ..Seen::default() };
        span.record(&mut Into(&mut seen.fields));
        Self::with(|state| {
            seen.parent = state.entered.last().copied();
            state.spans.push(seen);
            state.handles.push(1);
            span::Id::from_u64(state.spans.len() as u64)
        })
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        Self::with(|state| values.record(&mut Into(&mut state.spans[index(id)].fields)));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Into(&mut fields));
        Self::with(|state| {
            if let (Some(current), Some(message)) = (state.entered.last().copied(), fields.remove("message")) {
                state.spans[current].lines.push(message);
            }
        });
    }

    fn enter(&self, id: &span::Id) {
        Self::with(|state| state.entered.push(index(id)));
    }

    fn exit(&self, id: &span::Id) {
        let left = Self::with(|state| state.entered.pop());
        assert_eq!(left, Some(index(id)), "spans are left in the order in which they were entered");
    }

    fn clone_span(&self, id: &span::Id) -> span::Id {
        Self::with(|state| state.handles[index(id)] += 1);
        id.clone()
    }

    fn try_close(&self, id: span::Id) -> bool {
        Self::with(|state| {
            let index = index(&id);
            state.handles[index] -= 1;
            state.spans[index].ended = state.handles[index] == 0;
            state.spans[index].ended
        })
    }
}

fn index(id: &span::Id) -> usize {
    usize::try_from(id.into_u64()).unwrap() - 1
}

struct Into<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Into<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

/// An emulator, and a client of it that has looked its project up.
async fn emulator() -> (Emulator, Client) {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    client.project_id().await.unwrap();
    (emulator, client)
}

/// A client of a server that answers the first request so, and all others well.
async fn failing_once(steps: Vec<Step>) -> (RawServer, Client) {
    let server = RawServer::start(move |request| match request.number {
        0 => steps.clone(),
        _ => answer(200, SECRET),
    })
    .await;
    let client = client(server.uri()).retry(quick()).build().unwrap();
    (server, client)
}

#[tokio::test]
async fn a_call_is_one_span_with_one_attempt_inside() {
    let (emulator, client) = emulator().await;
    let collector = Collector::start();
    let created = CreateSecret::new(NAME).secret_string(VALUE).send(&client).await.unwrap();
    let (call, attempts) = collector.only_call();
    let port = emulator.address().port().to_string();
    let request_id = created.request_id().unwrap();

    assert_eq!((call.level, call.target, call.parent, call.ended), (Some(Level::INFO), "csms_sdk", None, true));
    let expected = BTreeMap::from([
        ("otel.name", "csms/CreateSecret"),
        ("otel.kind", "client"),
        ("rpc.system.name", "huaweicloud"),
        ("rpc.method", "csms/CreateSecret"),
        ("cloud.region", "cn-north-4"),
        ("server.address", "127.0.0.1"),
        ("server.port", &port),
        ("http.response.status_code", "200"),
        ("csms.request_id", request_id),
    ]);
    assert_eq!(call.fields, expected.into_iter().map(|(name, value)| (name, value.to_owned())).collect());

    let [attempt] = attempts.as_slice() else { panic!("{attempts:#?}") };
    assert_eq!((attempt.level, attempt.target, attempt.ended), (Some(Level::DEBUG), "csms_sdk", true));
    let expected = BTreeMap::from([
        ("otel.name", "POST"),
        ("otel.kind", "client"),
        ("http.request.method", "POST"),
        ("server.address", "127.0.0.1"),
        ("server.port", &port),
        ("http.response.status_code", "200"),
        ("csms.request_id", request_id),
    ]);
    assert_eq!(attempt.fields, expected.into_iter().map(|(name, value)| (name, value.to_owned())).collect());
    assert_eq!(attempt.lines, ["answered"]);
}

#[tokio::test]
async fn the_second_attempt_is_a_span_of_its_own_and_tells_that_it_is_a_repetition() {
    for (steps, status, kind) in [(answer(503, "{}"), Some("503"), "service"), (vec![Step::Close], None, "connection")]
    {
        let (_server, client) = failing_once(steps).await;
        let collector = Collector::start();
        ShowSecret::new(NAME).send(&client).await.unwrap();
        let (call, attempts) = collector.only_call();
        assert_eq!((call.field("otel.status_code"), call.field("error.type")), (None, None));
        assert_eq!(call.field("http.response.status_code"), Some("200"));
        let [first, second] = attempts.as_slice() else { panic!("{attempts:#?}") };
        assert_eq!((first.field("otel.status_code"), first.field("error.type")), (Some("ERROR"), Some(kind)));
        assert_eq!(first.field("http.response.status_code"), status);
        assert_eq!((second.field("otel.status_code"), second.field("error.type")), (None, None));
        let resent = |attempt: &Seen| attempt.field("http.request.resend_count").map(str::to_owned);
        assert_eq!((resent(first), resent(second)), (None, Some("1".to_owned())));
        assert_eq!(
            (first.lines.as_slice(), second.lines.as_slice()),
            (&["failed".into()][..], &["answered".into()][..])
        );
    }
}

#[tokio::test]
async fn the_wait_after_an_attempt_is_a_part_of_the_call_alone() {
    let busy = csms_tests::calls::answer(503, "retry-after: 30\r\n", b"{}");
    let (_server, client) = failing_once(busy).await;
    let collector = Collector::start();
    let attempt_ends = async {
        while !collector.calls().iter().any(|(_, attempts)| attempts.iter().any(|attempt| attempt.ended)) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        outcome = ShowSecret::new(NAME).send(&client) => panic!("it waits: {outcome:?}"),
        () = attempt_ends => {}
    }
    // The call was given up, and with it its span.
    assert!(collector.only_call().0.ended);
}

#[tokio::test]
async fn a_refused_call_tells_the_class_the_code_and_the_request_of_the_error() {
    let (_emulator, client) = emulator().await;
    let collector = Collector::start();
    let error = ShowSecret::new(NAME).send(&client).await.unwrap_err();
    let (call, attempts) = collector.only_call();
    for span in [&call, &attempts[0]] {
        assert_eq!(span.field("otel.status_code"), Some("ERROR"));
        assert_eq!(span.field("error.type"), Some("not_found"));
        assert_eq!(span.field("http.response.status_code"), error.status().map(|status| status.to_string()).as_deref());
        assert_eq!((span.field("csms.error_code"), span.field("csms.request_id")), (error.code(), error.request_id()));
        assert!(error.code().is_some() && error.request_id().is_some() && span.ended);
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_fails_the_call_and_not_the_attempt() {
    for is_raw in [false, true] {
        let (_server, client) = failing_once(answer(200, if is_raw { "<html>" } else { "{" })).await;
        let collector = Collector::start();
        let error = match is_raw {
            false => ShowSecret::new(NAME).send(&client).await.unwrap_err(),
            true => client.raw(Service::Csms, Method::GET, "/v1/x", None).await.unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer, "{error}");
        let (call, attempts) = collector.only_call();
        let told =
            |span: &Seen| (span.field("otel.status_code").is_some(), span.field("error.type").map(str::to_owned));
        assert_eq!(told(&call), (true, Some("unexpected_answer".to_owned())));
        assert_eq!(told(&attempts[0]), (false, None));
        assert!(call.ended);
    }
}

#[tokio::test]
async fn no_span_tells_a_path_a_query_or_a_value() {
    let (emulator, client) = emulator().await;
    emulator.set_faults(&json!([{"status": 503, "times": 1}])).unwrap();
    let collector = Collector::start();
    let path = format!("/v1/{{project_id}}/secrets/{NAME}?marker={VALUE}");
    ShowSecret::new(NAME).send(&client).await.unwrap_err();
    CreateSecret::new(NAME).secret_string(VALUE).send(&client).await.unwrap();
    CreateSecret::new(NAME).secret_string(VALUE).send(&client).await.unwrap_err();
    client.raw(Service::Csms, Method::GET, &path, None).await.unwrap();
    let calls = collector.calls();
    let names: Vec<_> = calls.iter().filter_map(|(call, _)| call.field("otel.name")).collect();
    assert_eq!(names, ["csms/ShowSecret", "csms/CreateSecret", "csms/CreateSecret", "csms/raw"]);
    let project = emulator.project_id("cn-north-4").unwrap();
    let hidden = [NAME, VALUE, &project, emulator.keys().0, "/v1", "Signature"];
    for span in &collector.spans() {
        for value in span.fields.values() {
            let found = hidden.iter().find(|part| value.contains(**part));
            assert_eq!(found, None, "{span:?}");
        }
    }
}

#[tokio::test]
async fn calls_at_the_same_time_keep_their_attempts_apart() {
    let (_server, client) = failing_once(answer(200, SECRET)).await;
    let collector = Collector::start();
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { ShowSecret::new(NAME).send(&client).await.map(|_| ()) })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let calls = collector.calls();
    assert_eq!(calls.len(), 8);
    for (call, attempts) in calls {
        assert_eq!((attempts.len(), call.parent), (1, None), "{call:?} {attempts:?}");
    }
}

#[tokio::test]
async fn a_look_up_on_the_way_is_a_span_of_its_own() {
    let emulator = Emulator::start().await.unwrap();
    let collector = Collector::start();
    CreateSecret::new(NAME).secret_string(VALUE).send(&emulator.client()).await.unwrap();
    let calls = collector.calls();
    let names: Vec<_> = calls.iter().filter_map(|(call, _)| call.field("rpc.method")).collect();
    assert_eq!(names, ["iam/KeystoneListProjects", "csms/CreateSecret"]);
}

#[tokio::test]
async fn what_is_refused_before_it_is_sent_has_no_span() {
    let (_emulator, client) = emulator().await;
    let collector = Collector::start();
    let error = ShowSecret::new("no/name").send(&client).await.unwrap_err();
    assert_eq!((error.kind(), collector.calls().len()), (ErrorKind::InvalidInput, 0));
}
