//! What holds for any input and any answer, not only for the recorded ones.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::cell::Cell;

use csms_sdk::{
    Client, Error, ErrorKind, OperationInfo, SecretBytes,
    model::{Kind, Shape},
    operation::Method,
};
use csms_tests::support::{recorded, typed};
use proptest::{
    collection::{hash_map, vec},
    prelude::*,
    sample::select,
    strategy::Union,
    test_runner::TestRunner,
};
use serde_json::{Map, Value as Json};
use tokio::runtime::Runtime;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any as any_request};

/// Stands in answers where something else belongs; nothing that is printed may hold it.
const MARKER: &str = "what nobody may see";

#[test]
fn any_json_is_refused_by_field_or_makes_a_sound_request() {
    let sender = Sender::new();
    let strategy = operation().prop_flat_map(|info| (Just(info), input(info.request, wild_of)));
    check(1500, strategy, |(info, input)| match sender.prepare_json(info, &input) {
        Ok(request) => assert_sound(info, &request),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert!(error.field().is_some(), "{error}");
            assert_eq!(error.operation(), Some(info.name), "{error}");
        }
    });
}

#[test]
fn without_validation_any_json_is_sent_or_the_path_is_to_blame() {
    let sender = Sender::new();
    let client = sender.client.with_options(csms_sdk::CallOptions::new().without_validation());
    let strategy = operation().prop_flat_map(|info| (Just(info), input(info.request, wild_of)));
    check(1000, strategy, |(info, input)| match sender.runtime.block_on(client.prepare_json(info, &input)) {
        Ok(request) => assert_sound(info, &request),
        Err(error) => {
            let field = info.field(error.field().unwrap()).unwrap();
            assert!(field.place.path || field.place.header, "{error}");
        }
    });
}

#[test]
fn text_that_no_header_can_carry_is_refused_by_field() {
    let sender = Sender::new();
    let info = csms_sdk::operation(csms_sdk::Service::Iam, "KeystoneValidateToken").unwrap();
    let input = serde_json::json!({"X-Subject-Token": format!("{MARKER}\r\nx-other: 1")});
    let error = sender.prepare_json(info, input.as_object().unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("X-Subject-Token")));
    assert_eq!(error.operation(), Some("KeystoneValidateToken"));
    assert!(!error.to_string().contains(MARKER), "{error}");
}

#[test]
fn a_struct_and_the_same_json_are_the_same_request_or_the_same_refusal() {
    let sender = Sender::new();
    let typed = typed::all();
    let strategy = operation().prop_flat_map(|info| (Just(info), input(info.request, plausible_of)));
    check(1500, strategy, |(info, input)| {
        let from_json = sender.prepare_json(info, &input);
        let request = (typed::of(&typed, info).request)(Json::Object(input.clone())).unwrap();
        let from_struct = sender.runtime.block_on(request.prepare(&sender.client));
        match (from_json, from_struct) {
            (Ok(left), Ok(right)) => {
                let head = |request: &http::Request<SecretBytes>| {
                    (request.method().clone(), request.uri().clone(), request.headers().clone())
                };
                assert_eq!(head(&left), head(&right));
                assert_eq!(text(left.body()), text(right.body()));
            }
            (Err(left), Err(right)) => assert_eq!(left.to_string(), right.to_string()),
            (Err(error), Ok(_)) => panic!("only JSON is refused: {error} {input:?}"),
            (Ok(_), Err(error)) => panic!("only the struct is refused: {error} {input:?}"),
        }
    });
}

#[test]
fn any_answer_is_read_or_refused_without_telling_what_it_holds() {
    let typed = typed::all();
    let with_answer: Vec<_> = csms_sdk::operations().filter_map(|info| Some((info, info.response?))).collect();
    let strategy = select(with_answer).prop_flat_map(|(info, shape)| {
        (Just(info), input(shape, marked_of), any::<prop::sample::Index>(), any::<bool>())
    });
    let refused = Cell::new(0);
    check(2000, strategy, |(info, answer, cut, is_cut)| {
        let text = Json::Object(answer).to_string();
        let end = if is_cut { text.floor_char_boundary(cut.index(text.len())) } else { text.len() };
        if let Err(error) = (typed::of(&typed, info).answer)(&text.as_bytes()[..end]) {
            assert!(!format!("{error:?} {error:#?}").contains(MARKER), "{error:?}");
            refused.set(refused.get() + 1);
        }
    });
    assert!(refused.get() > 500, "only {} answers were refused", refused.get());
}

#[test]
fn any_bytes_are_read_or_refused_by_every_operation() {
    let typed = typed::all();
    let bytes = prop_oneof![vec(any::<u8>(), 0..64), wild().prop_map(|json| json.to_string().into_bytes())];
    check(100, bytes, |bytes| {
        for operation in &typed {
            let _ = (operation.answer)(&bytes);
        }
    });
}

#[test]
fn the_error_of_an_unreadable_answer_tells_where_and_not_what() {
    let runtime = runtime();
    let fixture = wiremock_fixtures::find("csms/ShowSecretVersion/success").unwrap();
    let typed = typed::all();
    let operation = typed::of(&typed, recorded::info(fixture));
    for (body, place) in [
        (format!(r#"{{"version": {{"secret_string": ["{MARKER}"]}}}}"#), "version.secret_string"),
        (format!(r#"{{"version": {{"version_metadata": {{"create_time": "{MARKER}"}}}}}}"#), "create_time"),
        (format!(r#"{{"version": "{MARKER}"}}"#), "version"),
        (format!(r#"{{"version": {{"secret_string": "{MARKER}"#), "version.secret_string"),
        (format!(r#""{MARKER}""#), "."),
        (MARKER.to_owned(), "."),
    ] {
        let error: Error = runtime.block_on(async {
            let server = MockServer::start().await;
            Mock::given(any_request())
                .respond_with(ResponseTemplate::new(200).set_body_raw(body.clone(), "application/json"))
                .mount(&server)
                .await;
            let client = recorded::client_of(fixture, &server.uri()).build().unwrap();
            let request = (operation.request)(Json::Object(fixture.input.clone())).unwrap();
            request.send(&client).await.err().unwrap()
        });
        assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer, "{error}");
        let printed = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
        assert!(printed.contains(place), "{printed}");
        assert!(!printed.contains(MARKER), "{printed}");
    }
}

/// A client for the real endpoints, of which nothing is asked.
struct Sender {
    runtime: Runtime,
    client: Client,
}

impl Sender {
    fn new() -> Self {
        let fixture = wiremock_fixtures::find("csms/CreateSecret/success").unwrap();
        Self { runtime: runtime(), client: recorded::client(fixture).build().unwrap() }
    }

    fn prepare_json(
        &self,
        info: &'static OperationInfo,
        input: &Map<String, Json>,
    ) -> Result<http::Request<SecretBytes>, Error> {
        self.runtime.block_on(self.client.prepare_json(info, input))
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The path is that of the operation whatever stands in it, and the body is JSON where there is one.
fn assert_sound(info: &OperationInfo, request: &http::Request<SecretBytes>) {
    let path = request.uri().path();
    assert_eq!(path.split('/').count(), info.path.split('/').count(), "{path}");
    for (segment, template) in path.split('/').zip(info.path.split('/')).skip(1) {
        let is_value = template.starts_with('{') && !matches!(segment, "" | "." | "..");
        assert!(is_value || template == segment, "{path}");
    }
    match info.has_body {
        true => assert!(serde_json::from_str::<Map<String, Json>>(text(request.body())).is_ok()),
        false => assert!(request.body().expose_secret().is_empty()),
    }
    assert_eq!(request.method() == http::Method::GET, info.method == Method::GET);
}

fn text(body: &SecretBytes) -> &str {
    std::str::from_utf8(body.expose_secret()).unwrap()
}

/// Runs a property as often as it says, without files for failures.
fn check<S: Strategy>(cases: u32, strategy: S, property: impl Fn(S::Value)) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&strategy, |value| {
        property(value);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

fn operation() -> impl Strategy<Value = &'static OperationInfo> {
    select(csms_sdk::operations().collect::<Vec<_>>())
}

/// Values for the fields of a struct, each as `of` makes them; optional ones now and then.
fn input(shape: &'static Shape, of: fn(&'static Kind) -> BoxedStrategy<Json>) -> BoxedStrategy<Map<String, Json>> {
    shape
        .fields
        .iter()
        .filter(|field| !matches!(field.kind, Kind::Rest))
        .map(|field| {
            let value = match field.required {
                true => of(&field.kind).prop_map(Some).boxed(),
                false => prop::option::weighted(0.4, of(&field.kind)).boxed(),
            };
            (Just(field.name), value)
        })
        .collect::<Vec<_>>()
        .prop_map(|members| members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
        .boxed()
}

/// What the reference declares, in any content.
fn plausible_of(kind: &'static Kind) -> BoxedStrategy<Json> {
    match kind {
        Kind::Text | Kind::Secret => "[a-zA-Z0-9_.-]{1,12}|\\PC{0,12}|[0-9]{1,3}[dh]".prop_map(Json::from).boxed(),
        Kind::Enum(known) => {
            prop_oneof![select(*known).prop_map(Json::from), "[A-Z]{1,9}".prop_map(Json::from)].boxed()
        }
        Kind::Integer => prop_oneof![(0..2000_i64), (1..65_i64).prop_map(|n| n * 8)].prop_map(Json::from).boxed(),
        Kind::Boolean => any::<bool>().prop_map(Json::from).boxed(),
        Kind::Time => (0..4_000_000_000_000_i64).prop_map(Json::from).boxed(),
        Kind::List(item) => vec(plausible_of(item), 0..3).prop_map(Json::from).boxed(),
        Kind::Object(shape) => input(shape, plausible_of).prop_map(Json::Object).boxed(),
        _ => hash_map("[a-z]{1,5}", "[a-z]{1,5}", 1..3)
            .prop_map(|members| {
                members.into_iter().map(|(name, value)| (name, Json::from(value))).collect::<Map<_, _>>()
            })
            .prop_map(Json::Object)
            .boxed(),
    }
}

/// What is declared, or anything else.
fn wild_of(kind: &'static Kind) -> BoxedStrategy<Json> {
    let declared = match kind {
        Kind::List(item) => vec(wild_of(item), 0..3).prop_map(Json::from).boxed(),
        Kind::Object(shape) => input(shape, wild_of).prop_map(Json::Object).boxed(),
        Kind::Text | Kind::Secret => prop_oneof![plausible_of(kind), hostile().prop_map(Json::from)].boxed(),
        _ => plausible_of(kind),
    };
    Union::new_weighted(vec![(6, declared), (1, wild().boxed())]).boxed()
}

/// What is declared, or the marker in every form.
fn marked_of(kind: &'static Kind) -> BoxedStrategy<Json> {
    let declared = match kind {
        Kind::List(item) => vec(marked_of(item), 0..3).prop_map(Json::from).boxed(),
        Kind::Object(shape) => input(shape, marked_of).prop_map(Json::Object).boxed(),
        Kind::Text | Kind::Secret | Kind::Enum(_) => Just(Json::from(MARKER)).boxed(),
        _ => plausible_of(kind),
    };
    let marked = select(vec![
        Json::from(MARKER),
        serde_json::json!([MARKER]),
        serde_json::json!({"a": MARKER}),
        serde_json::json!([[MARKER, 1.5, {"b": [MARKER]}]]),
    ]);
    Union::new_weighted(vec![(12, declared), (1, marked.boxed())]).boxed()
}

/// Texts that would be another path, another header or another query if they were not escaped or refused.
fn hostile() -> impl Strategy<Value = &'static str> {
    select(vec!["", ".", "..", "../..", "a/../b", "%2e%2e", "a\r\nb: c", "\u{7f}", "?x=1", "#", "a&b=c"])
}

/// Any JSON.
fn wild() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
        hostile().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            hash_map(any::<String>(), inner, 0..4).prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}
