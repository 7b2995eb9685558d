//! Where to call, as whom, and who said so.

use serde_json::json;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{any, header, path},
};

use crate::program::{Program, Server};

#[test]
fn whoami_tells_where_every_setting_comes_from_and_no_secret() {
    let outcome = Program::at("http://127.0.0.1:1", ["whoami", "-o", "json", "--region", "cn-south-1"]).run();
    let facts = outcome.json();
    assert_eq!(
        facts["credentials"],
        json!({"value": "permanent access key", "origin": "environment (CSMS_ACCESS_KEY)"})
    );
    assert_eq!(facts["access_key"]["value"], "FIXT…0001");
    assert_eq!(facts["region"], json!({"value": "cn-south-1", "origin": "--region"}));
    assert_eq!(facts["project"], json!({"value": wiremock_fixtures::PROJECT_ID, "origin": "CSMS_PROJECT_ID"}));
    assert_eq!(facts["kms_endpoint"], json!({"value": "http://127.0.0.1:1/", "origin": "CSMS_ENDPOINT"}));
    assert_eq!(facts["sts_endpoint"]["origin"], "CSMS_STS_ENDPOINT");
    for hidden in [wiremock_fixtures::ACCESS_KEY, wiremock_fixtures::SECRET_KEY] {
        assert!(!outcome.stdout.contains(hidden));
    }
    let rows = Program::at("http://127.0.0.1:1", ["whoami"]).run().stdout;
    assert!(rows.contains("region\tcn-north-4\tCSMS_REGION\n"), "{rows}");
}

#[test]
fn whoami_looks_the_project_up_unless_told_not_to() {
    let server = Server::start();
    let answer = ResponseTemplate::new(200).set_body_json(json!({"projects": [{"id": "p7", "name": "cn-north-4"}]}));
    server.mount(Mock::given(path("/v3/projects")).respond_with(answer));
    let whoami = |arguments: &[&str]| {
        Program::against(&server.mock, ["whoami", "-o", "json"])
            .without("CSMS_PROJECT_ID")
            .arguments(arguments)
            .run()
            .json()
    };
    assert_eq!(whoami(&[])["project"], json!({"value": "p7", "origin": "looked up in IAM"}));
    assert_eq!(whoami(&["--no-lookup"])["project"], json!({"value": null, "origin": null}));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn whoami_without_credentials_shows_the_rest_and_fails() {
    let outcome = Program::new(["whoami", "-r", "eu-west-101"]).run();
    assert_eq!(outcome.code, 4);
    assert!(
        outcome.stdout.contains("credentials\tnone") && outcome.stdout.contains("myhuaweicloud.eu"),
        "{}",
        outcome.stdout
    );
    assert!(outcome.stderr.starts_with("error: no credentials"), "{}", outcome.stderr);
}

#[test]
fn a_flag_wins_over_a_variable_and_ours_over_the_common_ones() {
    let region = |arguments: &[&str], variables: &[(&str, &str)]| {
        let program =
            Program::new(["whoami", "-o", "json", "-q", "[region.value, region.origin]"]).arguments(arguments);
        let program = program.env("CSMS_AUTH_TOKEN", "t");
        variables
            .iter()
            .fold(program, |program, (name, value)| program.env(name, value))
            .arguments(["--no-lookup"])
            .run()
            .json()
    };
    let all = [("CSMS_REGION", "b-1"), ("HW_REGION_NAME", "c-1"), ("OS_REGION_NAME", "d-1")];
    assert_eq!(region(&["-r", "a-1"], &all), json!(["a-1", "--region"]));
    assert_eq!(region(&[], &all), json!(["b-1", "CSMS_REGION"]));
    assert_eq!(region(&[], &all[1..]), json!(["c-1", "HW_REGION_NAME"]));
    assert_eq!(region(&[], &all[2..]), json!(["d-1", "OS_REGION_NAME"]));
    assert_eq!(region(&[], &[("CSMS_REGION", ""), ("OS_REGION_NAME", "d-1")]), json!(["d-1", "OS_REGION_NAME"]));
}

#[test]
fn global_flags_stand_anywhere() {
    for arguments in [
        ["-r", "a-1", "api", "csms", "ListSecrets", "--dry-run"],
        ["api", "-r", "a-1", "csms", "ListSecrets", "--dry-run"],
        ["api", "csms", "-r", "a-1", "ListSecrets", "--dry-run"],
        ["api", "csms", "ListSecrets", "--dry-run", "-r", "a-1"],
    ] {
        let shown = Program::new(arguments).run().json();
        assert_eq!(shown["url"], "https://kms.a-1.myhuaweicloud.com/v1/{project_id}/secrets", "{arguments:?}");
    }
}

#[test]
fn a_user_token_is_sent_as_one() {
    let server = Server::start();
    server.mount(
        Mock::given(header("x-auth-token", "made-up"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"secrets": []}))),
    );
    let program = Program::against(&server.mock, ["api", "csms", "ListSecrets"]).env("CSMS_AUTH_TOKEN", "made-up");
    let program = program.without("CSMS_ACCESS_KEY").without("CSMS_SECRET_KEY");
    assert_eq!(program.run().json(), json!({"secrets": []}));

    let dry = Program::new(["api", "csms", "ListSecrets", "--dry-run", "-r", "a-1"])
        .env("CSMS_AUTH_TOKEN", "made-up")
        .run()
        .json();
    assert_eq!(dry["headers"]["x-auth-token"], "***");
}

#[test]
fn retries_are_as_many_as_asked_for() {
    let server = Server::start();
    server.mount(Mock::given(any()).respond_with(ResponseTemplate::new(503)));
    let outcome = Program::against(&server.mock, ["api", "csms", "ListSecrets", "--retries", "1"]).run();
    outcome.fails(8, "2 attempts");
    assert_eq!(server.requests().len(), 2);
    Program::new(["api", "csms", "ListSecrets", "--retries", "x"]).run().fails(2, "--retries");
    Program::new(["api", "csms", "ListSecrets", "--timeout", "soon"]).run().fails(2, "--timeout");
}
