//! Every recorded exchange, sent as JSON and by its type: the request is the recorded one, nothing of the
//! answer is lost, and errors say what their bodies say.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::collections::{BTreeMap, BTreeSet};

use csms_sdk::{CallOptions, Error, ErrorKind, operations};
use csms_tests::support::{
    compare,
    recorded::{self, Replay, name},
    typed,
};
use serde_json::{Map, Value as Json};
use wiremock::Request;
use wiremock_fixtures::{Fixture, all};

/// Exchanges whose request the SDK refuses on purpose.
const REFUSED: &[&str] = &["csms/BatchDeleteSecrets/permission-denied"];

/// Exchanges whose answer has a value in another form than the reference declares: a number where it
/// declares text, a list where it declares an object. Written back, it is in the declared form.
const OTHER_FORMS: &[&str] = &[
    "csms/CreateGrants/success",
    "csms/ListGrants/success",
    "csms/ListUsers/success-scalars",
    "csms/UpdateGrant/success",
    "kms/ListAliases/success-list",
    "kms/ListKeyStores/success-number",
    "kms/ListKmsByTags/success-scalars",
];

#[test]
fn every_exchange_sent_as_json_is_the_recorded_one() {
    let mut replay = Replay::start();
    let mut seen = BTreeSet::new();
    for fixture in all() {
        let info = recorded::info(fixture);
        seen.insert(info.id());
        replay.answer(fixture);
        let mut client = replay.client(fixture);
        if REFUSED.contains(&name(fixture).as_str()) {
            let refusal = replay.wait(client.send_json(info, &fixture.input)).unwrap_err();
            assert_eq!(refusal.kind(), ErrorKind::InvalidInput, "{refusal}");
            client = client.with_options(CallOptions::new().without_validation());
        }
        let outcome = replay.wait(client.send_json(info, &fixture.input));
        assert_sent_as_recorded(fixture, &replay.received());
        match outcome {
            Err(error) => assert_tells(fixture, &error),
            Ok(answer) => {
                assert_envelope(fixture, answer.status(), answer.request_id());
                let mut expected = fixture.response.body.clone().unwrap_or_default();
                for (header, value) in token_headers(fixture) {
                    expected[header] = value.into();
                }
                assert_eq!(*answer.expose_secret(), expected, "{}", name(fixture));
            }
        }
    }
    assert_eq!(seen, operations().map(|info| info.id()).collect());
}

#[test]
fn every_exchange_sent_by_type_is_the_recorded_one_and_no_declared_field_is_lost() {
    let typed = typed::all();
    let mut replay = Replay::start();
    let mut seen = BTreeSet::new();
    let mut other_forms = BTreeSet::new();
    for fixture in all().iter().filter(|fixture| !REFUSED.contains(&name(fixture).as_str())) {
        let operation = typed::of(&typed, recorded::info(fixture));
        seen.insert(operation.info.id());
        replay.answer(fixture);
        let client = replay.client(fixture);
        let request = (operation.request)(Json::Object(fixture.input.clone())).unwrap();
        let outcome = replay.wait(request.send(&client));
        assert_sent_as_recorded(fixture, &replay.received());
        let answer = match outcome {
            Err(error) => {
                assert_tells(fixture, &error);
                continue;
            }
            Ok(answer) => answer,
        };
        let (status, request_id) = answer.envelope.unwrap();
        assert_envelope(fixture, status, request_id.as_deref());
        let headers: Vec<_> = answer.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(headers, token_headers(fixture), "{}", name(fixture));
        let Some(shape) = operation.info.response else { continue };
        let nothing = Json::Object(Map::new());
        let body = fixture.response.body.as_ref().unwrap_or(&nothing);
        let comparison = compare::answers(shape, body, &answer.body.unwrap());
        assert_eq!(comparison.losses, Vec::<String>::new(), "{}", name(fixture));
        if comparison.other_forms {
            other_forms.insert(name(fixture));
        }
    }
    assert_eq!(seen.len(), 144);
    assert_eq!(other_forms, OTHER_FORMS.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn requests_made_for_the_real_endpoints_are_the_recorded_ones() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut clients = BTreeMap::new();
    for fixture in all() {
        let token = fixture.request.headers.get("x-auth-token");
        let client = clients.entry(token).or_insert_with(|| {
            recorded::client(fixture).build().unwrap().with_options(CallOptions::new().without_validation())
        });
        let request = runtime.block_on(client.prepare_json(recorded::info(fixture), &fixture.input)).unwrap();
        let (head, body) = request.into_parts();
        if fixture.request.headers.contains_key("host") {
            assert_eq!(head.uri.host(), Some(fixture.request.headers["host"].as_str()), "{}", name(fixture));
        }
        assert_eq!(head.uri.scheme_str(), Some("https"));
        assert_eq!(head.uri.path(), fixture.request.path, "{}", name(fixture));
        let received = Request {
            url: head.uri.to_string().parse().unwrap(),
            method: head.method,
            headers: head.headers,
            body: body.expose_secret().to_vec(),
        };
        assert_eq!(received.headers["host"], received.url.host_str().unwrap(), "{}", name(fixture));
        assert_eq!(fixture.check_strictly(&received), Ok(()), "{}", name(fixture));
    }
}

/// The first request is the recorded one to the letter. There is a second one only after the clock was
/// corrected, and it differs in nothing else.
fn assert_sent_as_recorded(fixture: &Fixture, received: &[Request]) {
    let name = name(fixture);
    let (first, others) = received.split_first().unwrap_or_else(|| panic!("{name} was not sent"));
    assert_eq!(fixture.check_strictly(first), Ok(()), "{name}");
    if others.is_empty() {
        return;
    }
    let may_repeat = !fixture.is_success() && kind(fixture) == ErrorKind::Unauthenticated && others.len() == 1;
    assert!(may_repeat, "{name} was sent {} times", received.len());
    let second = &others[0];
    assert_eq!((&first.method, &first.url, &first.body), (&second.method, &second.url, &second.body), "{name}");
    for (header, value) in first.headers.iter().filter(|(header, _)| *header != "authorization") {
        assert_eq!(second.headers.get(header) == Some(value), header != "x-sdk-date", "{name}: {header}");
    }
    let signature = wiremock_fixtures::verify_signature(second, wiremock_fixtures::SECRET_KEY);
    assert_eq!(signature, Ok(()), "{name}");
}

fn assert_envelope(fixture: &Fixture, status: u16, request_id: Option<&str>) {
    assert_eq!(status, fixture.response.status, "{}", name(fixture));
    assert_eq!(request_id, fixture.response.headers.get("x-request-id").map(String::as_str), "{}", name(fixture));
}

/// The tokens that an answer carries in its headers.
fn token_headers(fixture: &Fixture) -> Vec<(&'static str, &str)> {
    let token = fixture.response.headers.get("x-subject-token");
    token.map(|token| ("X-Subject-Token", token.as_str())).into_iter().collect()
}

fn assert_tells(fixture: &Fixture, error: &Error) {
    let name = name(fixture);
    assert!(!fixture.is_success(), "{name}: {error}");
    assert_eq!(error.kind(), kind(fixture), "{name}: {error}");
    assert_eq!(error.operation(), Some(fixture.name()), "{name}");
    assert_envelope(fixture, error.status().unwrap(), error.request_id());
    let said = |names: &[&str]| fixture.response.body.as_ref().and_then(|body| leaf(body, names));
    assert_eq!(error.code(), said(&["error_code", "errorCode", "code"]).as_deref(), "{name}");
    assert_eq!(error.authorization_message(), said(&["encoded_authorization_message"]).as_deref(), "{name}");
    let message = match fixture.case.as_str() {
        "bad-gateway" => "an HTML page came instead of an answer: 502 Bad Gateway".to_owned(),
        "not-json" => "Internal Server Error".to_owned(),
        "empty-body" => "the answer has no body".to_owned(),
        _ => said(&["error_msg", "errorMsg", "message"]).unwrap(),
    };
    assert_eq!(error.message(), message, "{name}");
}

/// The first scalar of one of these names, at any depth.
fn leaf(json: &Json, names: &[&str]) -> Option<String> {
    match json {
        Json::Array(items) => items.iter().find_map(|item| leaf(item, names)),
        Json::Object(members) => {
            let own = members.iter().find(|(name, _)| names.contains(&name.as_str()));
            match own {
                Some((_, Json::String(text))) => Some(text.clone()),
                Some((_, Json::Number(number))) => Some(number.to_string()),
                _ => members.values().find_map(|member| leaf(member, names)),
            }
        }
        _ => None,
    }
}

/// What class of error an exchange shows, by the name of its case.
fn kind(fixture: &Fixture) -> ErrorKind {
    match fixture.case.as_str() {
        "not-found" | "agency-not-found" => ErrorKind::NotFound,
        "already-pending"
        | "conflict"
        | "default-key"
        | "key-disabled"
        | "not-disabled"
        | "not-enabled"
        | "not-pending-deletion"
        | "not-pending-import"
        | "pending-deletion"
        | "replica-read-only"
        | "other-material"
        | "rotation-off"
        | "rotation-on"
        | "service-frozen"
        | "system-stage" => ErrorKind::Conflict,
        "expired-signature" | "invalid-token" | "locked-access-key" | "not-authenticated" | "token-expired"
        | "unknown-access-key" | "wrong-passcode" | "wrong-password" | "wrong-signature" => ErrorKind::Unauthenticated,
        "no-such-api" => ErrorKind::NotOffered,
        "permission-denied"
        | "not-authorized"
        | "project-unavailable"
        | "real-name-required"
        | "region-forbidden"
        | "user-locked" => ErrorKind::PermissionDenied,
        "quota" | "stage-limit" => ErrorKind::QuotaExceeded,
        "throttled" => ErrorKind::Throttled,
        _ => match fixture.response.status {
            401 => ErrorKind::Unauthenticated,
            403 => ErrorKind::PermissionDenied,
            500.. => ErrorKind::Service,
            _ => ErrorKind::Rejected,
        },
    }
}
