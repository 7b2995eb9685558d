//! Secrets come from where nobody looks, and go nowhere else.

use serde_json::{Value as Json, json};
use wiremock::{Mock, ResponseTemplate, matchers::any};

use crate::{
    program::{Outcome, Program, Server},
    user::User,
};

const CREATE: [&str; 5] = ["api", "csms", "CreateSecret", "--name", "demo"];

/// Creates a secret and tells what was sent.
fn sent(prepare: impl FnOnce(Program) -> Program) -> (Json, Outcome) {
    let server = Server::start();
    server.mount(Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(json!({}))));
    let outcome = prepare(Program::against(&server.mock, CREATE)).run();
    let requests = server.requests();
    let body = requests.first().map_or(Json::Null, |request| serde_json::from_slice(&request.body).unwrap());
    (body, outcome)
}

#[test]
fn a_literal_is_refused_unless_insisted_on() {
    let (body, outcome) = sent(|program| program.arguments(["--secret_string", "hunter2"]));
    outcome.fails(2, "file://PATH");
    assert!(body.is_null() && !outcome.stderr.contains("hunter2"));

    let (body, outcome) = sent(|program| program.arguments(["--secret_string", "hunter2", "--allow-argv-secrets"]));
    assert_eq!((outcome.code, &body["secret_string"]), (0, &json!("hunter2")));
    assert!(outcome.stderr.starts_with("warning: --secret_string"), "{}", outcome.stderr);

    // In JSON as well, and in lists of objects.
    let import = ["api", "csms", "BatchImportSecrets", "--secrets", r#"[{"name":"a","secret_string":"hunter2"}]"#];
    let outcome = Program::new(import).run();
    outcome.fails(2, "--secrets is secret");
    let nested =
        ["api", "iam", "KeystoneCreateUserTokenByPassword", "--auth.identity.password.user.password", "hunter2"];
    let outcome = Program::new(nested).run();
    outcome.fails(2, "file://PATH");
    assert!(!outcome.stderr.contains("hunter2"));
}

#[test]
fn words_that_may_be_parts_of_a_secret_are_not_repeated() {
    for words in [&["--secret_string", "file://x", "hunter2"][..], &["--secret_strin=hunter2"], &["--limit", "hunter2"]]
    {
        let (_, outcome) = sent(|program| program.arguments(words));
        assert_eq!(outcome.code, 2);
        assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    }
}

#[test]
fn files_and_variables_are_sent_as_they_are() {
    let (body, _) = sent(|program| program.arguments(["--secret_string", "file://v"]).file("v", "one line\n"));
    assert_eq!(body["secret_string"], "one line\n");
    let (body, _) = sent(|program| program.arguments(["--secret-binary", "fileb://v"]).file("v", [0, 159, 255]));
    assert_eq!(body["secret_binary"], "AJ//");
    let (body, _) = sent(|program| program.arguments(["--secret_string", "env://V"]).env("V", "väl\n"));
    assert_eq!(body["secret_string"], "väl\n");
}

#[test]
fn one_line_of_stdin_loses_its_newline_with_a_note() {
    for (text, expected, noted) in [
        ("a\n", "a", true),
        ("a\r\n", "a", true),
        ("a", "a", false),
        ("a\nb\n", "a\nb\n", false),
        (" a\n\n", " a\n\n", false),
    ] {
        let (body, outcome) = sent(|program| program.arguments(["--secret_string", "-"]).stdin(text));
        assert_eq!(body["secret_string"], expected, "{text:?}");
        assert_eq!(outcome.stderr.contains("newline"), noted, "{text:?}");
    }
    let (body, outcome) = sent(|program| program.arguments(["--secret_string", "-", "--verbatim"]).stdin("a\n"));
    assert_eq!((body["secret_string"].as_str(), outcome.stderr.as_str()), (Some("a\n"), ""));
}

#[test]
fn an_empty_secret_is_refused_unless_allowed() {
    let (body, outcome) = sent(|program| program.arguments(["--secret_string", "-"]).stdin("\n"));
    outcome.fails(2, "--allow-empty");
    assert!(body.is_null());
    let (body, _) = sent(|program| program.arguments(["--secret_string", "-", "--allow-empty"]).stdin(""));
    assert_eq!(body["secret_string"], "");
}

#[test]
fn sources_that_cannot_be_read_are_named() {
    let cases: [(&[&str], &str); 9] = [
        (&["--secret_string", "file://nowhere"], "nowhere cannot be read"),
        (&["--secret_string", "env://NOWHERE"], "NOWHERE is not set"),
        (&["--secret_string", "file://bytes"], "bytes is not UTF-8"),
        (&["--input", "bytes"], "bytes is not UTF-8"),
        (&["--input", "broken.json"], "line 1, column 26"),
        (&["--input", "list.json"], "no object"),
        (&["--input", "nowhere"], "nowhere cannot be read"),
        (&["--input", "-", "--secret_string", "-"], "both read stdin"),
        (&["--event_subscriptions", "[1", "--secret_string", "file://list.json"], "--event_subscriptions"),
    ];
    for (arguments, what) in cases {
        let (body, outcome) = sent(|program| {
            program
                .arguments(arguments)
                .stdin("{}")
                .file("bytes", [b'a', 255])
                .file("broken.json", r#"{"secret_string":"hunter2""#)
                .file("list.json", "[1]")
        });
        outcome.fails(2, what);
        assert!(body.is_null() && !outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    }
}

#[test]
fn no_log_level_shows_keys_or_values() {
    let server = Server::with("csms/CreateSecret/success");
    let fixture = wiremock_fixtures::find("csms/CreateSecret/success").unwrap();
    let outcome = Program::against(&server.mock, ["api", "csms", "CreateSecret", "--input", "-", "-vvv", "-o", "none"])
        .env("CSMS_SECURITY_TOKEN", "made-up-security-token")
        .stdin(serde_json::to_vec(&fixture.input).unwrap())
        .run();
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("region: cn-north-4 (from CSMS_REGION)"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("credentials: environment (CSMS_ACCESS_KEY)"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("answered"), "{}", outcome.stderr);
    let value = fixture.input["secret_string"].as_str().unwrap();
    for hidden in [wiremock_fixtures::ACCESS_KEY, wiremock_fixtures::SECRET_KEY, "made-up-security-token", value] {
        assert!(!outcome.stderr.contains(hidden), "{}", outcome.stderr);
    }
}

#[test]
fn answers_print_their_secrets() {
    let server = Server::with("csms/ShowSecretVersion/success");
    let fixture = wiremock_fixtures::find("csms/ShowSecretVersion/success").unwrap();
    let input = serde_json::to_vec(&fixture.input).unwrap();
    let outcome = Program::against(&server.mock, ["api", "csms", "ShowSecretVersion", "--input", "-"])
        .arguments(["-q", "version.secret_string", "-o", "raw"])
        .stdin(input)
        .run();
    let body = fixture.response.body.as_ref().unwrap();
    assert_eq!(outcome.stdout, body["version"]["secret_string"].as_str().unwrap());
}

#[test]
fn several_secrets_are_read_in_one_call_and_every_fault_is_told() {
    let user = User::new();
    user.create("a", "1");
    user.create("b", "2");
    let outcome = user.run("-vv get a b a -o json");
    let values: Vec<_> = outcome.json().as_array().unwrap().iter().map(|it| it["secret_string"].clone()).collect();
    assert_eq!(values, ["1", "2", "1"]);
    let calls = |name: &str| outcome.stderr.matches(&format!("operation=\"{name}\"")).count();
    assert_eq!((calls("BatchGetSecretValue"), calls("ShowSecretVersion")), (1, 0), "{}", outcome.stderr);
    let outcome = user.run("get a none nobody -o json");
    outcome.fails(3, "\"none\" not found");
    assert!(outcome.stderr.contains("also: secret \"nobody\" not found"), "{}", outcome.stderr);
}
