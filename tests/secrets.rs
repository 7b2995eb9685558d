//! No secret value, key, token or signature is printed or logged, whatever is sent and whatever comes back.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{collections::BTreeSet, error::Error as _, fmt::Write as _};

use csms_sdk::{
    CallOptions, Error, SecretBytes, SecretString,
    credentials::{AccessKeys, Credentials},
    model::{Kind, Shape},
};
use csms_tests::support::{
    capture,
    recorded::{self, Replay, client_of},
    typed,
};
use serde_json::Value as Json;
use wiremock_fixtures::{ACCESS_KEY, Fixture, SECRET_KEY, all};

const SECURITY_TOKEN: &str = "made-up-security-token-of-temporary-keys";

#[test]
fn nothing_that_is_printed_or_logged_holds_a_secret() {
    capture::start();
    let mut printed = Printed::default();
    let mut secrets = Secrets::default();
    secrets.add(SECRET_KEY);
    secrets.add(SECURITY_TOKEN);

    let typed = typed::all();
    let mut replay = Replay::start();
    for fixture in all() {
        secrets.add_all_of(fixture);
        let operation = typed::of(&typed, recorded::info(fixture));
        let request = || (operation.request)(Json::Object(fixture.input.clone())).unwrap();
        printed.add(&request());

        replay.answer(fixture);
        let client = replay.client(fixture);
        let unchecked = client.with_options(CallOptions::new().without_validation());
        match replay.wait(unchecked.send_json(operation.info, &fixture.input)) {
            Ok(answer) => printed.add(&answer),
            Err(error) => printed.add_error(&error),
        }
        match replay.wait(request().send(&client)) {
            Ok(answer) => printed.text.push_str(&answer.shown),
            Err(error) => printed.add_error(&error),
        }
        for prepared in
            [replay.wait(request().prepare(&client)), replay.wait(client.prepare_json(operation.info, &fixture.input))]
        {
            match prepared {
                Ok(prepared) => {
                    secrets.add_signature_of(prepared.headers());
                    printed.add(&prepared);
                }
                Err(error) => printed.add_error(&error),
            }
        }
        for received in replay.received() {
            secrets.add_signature_of(&received.headers);
        }
    }
    temporary_keys(&mut replay, &mut printed, &mut secrets);

    let logged = capture::text();
    assert!(logged.contains("operation=CreateSecret"), "the log lines of the client are captured");
    assert!(logged.contains("rpc.method=csms/CreateSecret"), "its spans are captured");
    assert!(logged.contains("reqwest"), "those of the HTTP layer are captured");
    assert!(printed.text.contains("CreateSecret") && printed.text.contains("CSMS.0106"));
    assert!(secrets.values.len() > 300, "{}", secrets.values.len());
    secrets.assert_none_in(&printed.text);
    secrets.assert_none_in(&logged);
}

#[test]
fn a_secret_would_be_found_in_every_form_in_which_it_could_be_printed() {
    let value = "say \"hidden\"\nü";
    let mut secrets = Secrets::default();
    secrets.add(value);
    let body = SecretBytes::from(value.as_bytes().to_vec());
    for leak in [
        value.to_owned(),
        format!("{value:?}"),
        format!("{:?}", Json::from(value)),
        Json::from(value).to_string(),
        format!("{:?}", value.as_bytes()),
        format!("{:?}", bytes::Bytes::from(body)),
    ] {
        assert_eq!(secrets.found_in(&format!("before {leak} after")), [value], "{leak}");
    }
    assert!(secrets.found_in(&format!("{:?}", SecretString::from(value))).is_empty());

    capture::start();
    tracing::trace!(target: "any", value, "planted");
    log::trace!(target: "any", "planted {value}");
    let logged = capture::text();
    assert_eq!(logged.lines().filter(|line| line.contains("planted")).count(), 2);
    assert_eq!(secrets.found_in(&logged), [value]);
}

/// Keys with a security token, and everything that holds credentials.
fn temporary_keys(replay: &mut Replay, printed: &mut Printed, secrets: &mut Secrets) {
    let keys = AccessKeys::new(ACCESS_KEY, SECRET_KEY).with_security_token(SECURITY_TOKEN);
    printed.add(&keys);
    for name in ["csms/CreateSecret/success", "csms/DeleteSecret/wrong-signature", "kms/CreateDatakey/success"] {
        let fixture = wiremock_fixtures::find(name).unwrap();
        replay.answer_leniently(fixture);
        let builder = client_of(fixture, &replay.uri()).credentials(Credentials::from(keys.clone()));
        printed.add(&builder);
        let client = builder.build().unwrap();
        match replay.wait(client.send_json(recorded::info(fixture), &fixture.input)) {
            Ok(answer) => printed.add(&answer),
            Err(error) => printed.add_error(&error),
        }
        let prepared = replay.wait(client.prepare_json(recorded::info(fixture), &fixture.input)).unwrap();
        assert_eq!(prepared.headers()["x-security-token"], SECURITY_TOKEN);
        secrets.add_signature_of(prepared.headers());
        printed.add(&prepared);
        printed.add(&replay.wait(client.credentials()).unwrap());
        printed.add(&client);
        for received in replay.received() {
            secrets.add_signature_of(&received.headers);
        }
    }
}

/// Everything that a program could print of the SDK's values.
#[derive(Default)]
struct Printed {
    text: String,
}

impl Printed {
    fn add(&mut self, value: &dyn std::fmt::Debug) {
        writeln!(self.text, "{value:?}\n{value:#?}").unwrap();
    }

    fn add_error(&mut self, error: &Error) {
        self.add(error);
        writeln!(self.text, "{error}\n{error:#}").unwrap();
        let mut source = error.source();
        while let Some(error) = source {
            self.add(&error);
            writeln!(self.text, "{error}").unwrap();
            source = error.source();
        }
    }
}

#[derive(Default)]
struct Secrets {
    values: BTreeSet<String>,
}

impl Secrets {
    fn add(&mut self, value: &str) {
        // An empty text is everywhere.
        if !value.is_empty() {
            self.values.insert(value.to_owned());
        }
    }

    /// Sensitive fields of request and answer, and the tokens in headers.
    fn add_all_of(&mut self, fixture: &Fixture) {
        let info = recorded::info(fixture);
        self.add_fields(info.request, &Json::Object(fixture.input.clone()));
        if let (Some(shape), Some(body)) = (info.response, &fixture.response.body) {
            self.add_fields(shape, body);
        }
        for headers in [&fixture.request.headers, &fixture.response.headers] {
            for header in ["x-auth-token", "x-subject-token", "x-security-token", "authorization"] {
                headers.get(header).into_iter().for_each(|token| self.add(token));
            }
        }
    }

    fn add_fields(&mut self, shape: &'static Shape, json: &Json) {
        match json {
            Json::Array(items) => items.iter().for_each(|item| self.add_fields(shape, item)),
            Json::Object(members) => {
                for field in shape.fields {
                    let names = std::iter::once(&field.name).chain(field.aliases);
                    for value in names.filter_map(|name| members.get(*name)) {
                        self.add_value(&field.kind, value);
                    }
                }
            }
            _ => {}
        }
    }

    fn add_value(&mut self, kind: &Kind, json: &Json) {
        match (kind, json) {
            (Kind::Secret | Kind::SecretJson, Json::String(text)) => self.add(text),
            (Kind::SecretJson, Json::Array(items)) => items.iter().for_each(|item| self.add_value(kind, item)),
            (Kind::SecretJson, Json::Object(members)) => members.values().for_each(|item| self.add_value(kind, item)),
            (Kind::List(item), Json::Array(items)) => items.iter().for_each(|json| self.add_value(item, json)),
            (Kind::List(item), json) => self.add_value(item, json),
            (Kind::Object(shape), json) => self.add_fields(shape, json),
            _ => {}
        }
    }

    fn add_signature_of(&mut self, headers: &http::HeaderMap) {
        let authorization = headers.get("authorization").map(|value| value.to_str().unwrap());
        if let Some((_, signature)) = authorization.and_then(|value| value.split_once("Signature=")) {
            assert_eq!(signature.len(), 64);
            self.add(signature);
        }
    }

    fn found_in(&self, text: &str) -> Vec<&str> {
        let inner = |printed: String| printed[1..printed.len() - 1].to_owned();
        let holds = |value: &&String| {
            let forms = BTreeSet::from([
                (*value).clone(),
                inner(format!("{value:?}")),
                inner(Json::from(value.as_str()).to_string()),
                inner(format!("{:?}", value.as_bytes())),
                value.as_bytes().escape_ascii().to_string(),
            ]);
            forms.iter().any(|form| text.contains(form))
        };
        self.values.iter().filter(holds).map(String::as_str).collect()
    }

    fn assert_none_in(&self, text: &str) {
        if let Some(value) = self.found_in(text).first() {
            let at = text.find(value).unwrap_or_default();
            let start = text.floor_char_boundary(at.saturating_sub(300));
            let end = text.ceil_char_boundary((at + value.len() + 100).min(text.len()));
            panic!("{value} is in: {}", &text[start..end]);
        }
    }
}
