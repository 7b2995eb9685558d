//! What goes wrong, in three lines and with the right exit code.

use serde_json::{Value as Json, json};
use wiremock::{Mock, ResponseTemplate, matchers::any};

use crate::{
    program::{Outcome, Program, Server},
    user::User,
};

const SHOW: [&str; 7] = ["api", "csms", "ShowSecret", "--secret_name", "demo", "--retries", "0"];

fn answered(status: u16, code: &str, message: &str) -> Outcome {
    let server = Server::start();
    let answer = ResponseTemplate::new(status)
        .insert_header("x-request-id", "7d018b99")
        .set_body_json(json!({"error": {"error_code": code, "error_msg": message}}));
    server.mount(Mock::given(any()).respond_with(answer));
    Program::against(&server.mock, SHOW).run()
}

#[test]
fn exit_codes_follow_the_code_first_and_the_status_second() {
    for (status, code, exit) in [
        (400, "CSMS.0106", 3),
        (404, "CSMS.9999", 3),
        (401, "APIGW.0301", 4),
        (403, "KMS.0303", 4),
        (403, "CSMS.0302", 5),
        (409, "X.1", 6),
        (400, "CSMS.0101", 6),
        (500, "CSMS.0201", 6),
        (429, "APIGW.0308", 7),
        (500, "CSMS.0001", 8),
        (503, "X.1", 8),
        (400, "CSMS.0001", 1),
        (404, "APIGW.0101", 1),
    ] {
        answered(status, code, "as it is").fails(exit, code);
    }
}

#[test]
fn an_error_says_what_why_and_what_to_do() {
    let text = answered(400, "CSMS.0106", "secret does not exist").stderr;
    assert_eq!(
        text,
        "error: ShowSecret: secret does not exist\n  cause: CSMS.0106, HTTP 400 (request 7d018b99)\n  \
         hint:  check the name; `csms whoami` shows region and project\n"
    );
    answered(403, "CSMS.0302", "no").fails(5, "the caller needs the permission csms:secret:get");
    answered(401, "APIGW.0301", "incorrect IAM authentication information").fails(4, "CSMS_ACCESS_KEY");
}

#[test]
fn control_characters_of_a_message_do_not_reach_the_terminal() {
    let outcome = answered(400, "CSMS.0001", "a\u{1b}[2Jb\nerror: c");
    outcome.fails(1, "a [2Jb error: c");
    assert!(!outcome.stderr.contains('\u{1b}'));
}

#[test]
fn nobody_there_is_9_and_names_the_address() {
    let program = Program::at("http://127.0.0.1:1", SHOW);
    program.run().fails(9, "127.0.0.1");
    let server = Server::start();
    server.mount(
        Mock::given(any()).respond_with(ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(20))),
    );
    Program::against(&server.mock, SHOW).arguments(["--timeout", "200ms"]).run().fails(9, "200ms");
}

#[test]
fn an_answer_that_is_none_is_1() {
    let server = Server::start();
    server.mount(Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string("<html>login</html>")));
    Program::against(&server.mock, SHOW).run().fails(1, "HTML");
}

#[test]
fn without_credentials_it_is_4_and_nothing_is_sent() {
    let server = Server::start();
    for (unset, named) in [("CSMS_SECRET_KEY", "CSMS_SECRET_KEY is not"), ("CSMS_ACCESS_KEY", "CSMS_ACCESS_KEY is not")]
    {
        Program::against(&server.mock, SHOW).without(unset).run().fails(4, named);
    }
    let program = Program::against(&server.mock, SHOW).env("CSMS_AUTH_TOKEN", "t");
    program.run().fails(4, "both set");
    let program = Program::against(&server.mock, SHOW).without("CSMS_SECRET_KEY").without("CSMS_ACCESS_KEY");
    program.run().fails(4, "set CSMS_ACCESS_KEY and CSMS_SECRET_KEY");
    assert!(server.requests().is_empty());
}

#[test]
fn input_that_cannot_be_right_is_2_and_nothing_is_sent() {
    let server = Server::start();
    let cases: [(&[&str], &str); 12] = [
        (&["api", "csms", "ShowSecret"], "`secret_name` is required"),
        (&["api", "csms", "ShowSecret", "--secret_name", "no spaces"], "`secret_name`"),
        (&["api", "csms", "ListSecrets", "--limit", "many"], "whole number"),
        (&["api", "csms", "ShowSecre"], "did you mean ShowSecret?"),
        (&["api", "csms", "ListKeys"], "csms api kms ListKeys"),
        (&["api", "cmss", "ListSecrets"], "csms api csms"),
        (&["api", "csms", "ShowSecret", "--secret_nam", "x"], "did you mean `--secret_name`?"),
        (&["api", "csms", "ShowSecret", "--secret_name"], "--secret_name"),
        (&["api", "csms", "ShowSecret", "--secret_name", "a", "--secret_name", "b"], "--secret_name"),
        (&["api", "csms", "BatchCreateOrDeleteTags", "--tags.1.key", "a"], "--tags.1.key"),
        (&["explai", "ListKeys"], "csms explain"),
        (&["api", "csms"], "an operation is missing"),
    ];
    for (arguments, what) in cases {
        Program::against(&server.mock, arguments).run().fails(2, what);
    }
    let unknown = Program::against(&server.mock, ["api", "csms", "ShowSecret", "--input", "-"])
        .stdin(r#"{"secret_nam":"hunter2"}"#)
        .run();
    unknown.fails(2, "did you mean `secret_name`?");
    assert!(!unknown.stderr.contains("hunter2"));
    assert!(server.requests().is_empty());
}

#[test]
fn a_value_that_a_flag_does_not_take_leads_to_the_help_of_its_verb() {
    for (line, what, help) in [
        ("secret list --limit x", "--limit does not take", "csms secret list --help"),
        ("-r cn-north-4 key random x", "BYTES", "csms key random --help"),
        ("encrypt f --key k --overwrite=1", "--overwrite takes no value", "csms encrypt --help"),
        ("secret list --retries x", "--retries does not take", "csms secret list --help"),
        ("exec --watch=x -- secret --limit", "nothing to give", "csms exec --secret NAME"),
    ] {
        Program::new(line.split(' ')).run().fails(2, what).fails(2, help);
    }
}

#[test]
fn settings_that_cannot_be_right_are_2_and_named() {
    for (name, value, what) in [
        ("CSMS_ENDPOINT", "no url at all", "CSMS_ENDPOINT"),
        ("CSMS_IAM_ENDPOINT", "ftp://x", "CSMS_IAM_ENDPOINT"),
        ("CSMS_REGION", "CN-North-4", "did you mean cn-north-4?"),
        ("CSMS_CA_FILE", "/nowhere.pem", "/nowhere.pem"),
    ] {
        Program::at("http://127.0.0.1:1", SHOW).env(name, value).run().fails(2, what);
    }
    Program::at("http://127.0.0.1:1", SHOW)
        .arguments(["--endpoint", "https://u:hunter2@h"])
        .run()
        .fails(2, "--endpoint");
    Program::new(SHOW)
        .env("CSMS_ACCESS_KEY", "a")
        .env("CSMS_SECRET_KEY", "b")
        .env("CSMS_PROJECT_ID", "p")
        .run()
        .fails(2, "region");
}

#[test]
fn programs_get_errors_as_json() {
    let server = Server::with("csms/ShowSecret/not-found");
    let fixture = wiremock_fixtures::find("csms/ShowSecret/not-found").unwrap();
    let outcome =
        Program::against(&server.mock, ["api", "csms", "ShowSecret", "--error-format", "json", "--input", "-"])
            .stdin(serde_json::to_vec(&fixture.input).unwrap())
            .run();
    assert_eq!(outcome.code, 3);
    let error = &serde_json::from_str::<Json>(&outcome.stderr).unwrap()["error"];
    assert_eq!((&error["kind"], &error["code"], &error["exit"]), (&json!("not_found"), &json!("not_found"), &json!(3)));
    assert_eq!(error["status"], fixture.response.status);
    assert!(error["service_code"].is_string() && error["request_id"].is_string() && error["hint"].is_string());

    let usage = Program::new(["api", "csms", "Nothing", "--error-format=json"]).run();
    let error = &serde_json::from_str::<Json>(&usage.stderr).unwrap()["error"];
    assert_eq!(
        (&error["kind"], &error["code"], &error["exit"]),
        (&json!("usage"), &json!("unknown_operation"), &json!(2))
    );
}

#[test]
fn programs_get_every_failure_in_one_piece_of_json() {
    let user = User::new();
    let outcome = user.run("export --env A=first --env B=second?region=cn-east-3 --error-format json");
    let error = &serde_json::from_str::<Json>(&outcome.stderr).unwrap()["error"];
    assert_eq!(error["message"], "secret \"first\" not found in cn-north-4 (local)");
    assert_eq!(error["also"], json!(["secret \"second\" not found in cn-east-3 (local)"]));
    let text = user.run("export --env A=first --env B=second").fails(3, "secret \"first\"").stderr.clone();
    assert!(text.starts_with("also: secret \"second\" not found"), "{text}");
}

#[test]
fn a_project_of_another_region_is_no_missing_permission() {
    let refused = answered(403, "APIGW.0310", "The project is unavailable");
    assert!(!refused.fails(5, "project and endpoint do not belong together").stderr.contains("permission"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_at_once() {
    use std::{os::unix::process::ExitStatusExt as _, process::Command};
    let server = Server::start();
    server.mount(
        Mock::given(any()).respond_with(ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(20))),
    );
    let (mut command, _home) = Program::against(&server.mock, SHOW).into_command();
    let mut child = command.spawn().unwrap();
    while server.requests().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    // The shell reports a death by signal 2 as 130.
    assert_eq!(child.wait().unwrap().signal(), Some(2));
}
