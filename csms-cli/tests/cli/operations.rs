//! Every operation, by the registry.

use csms_sdk::{
    OperationInfo, Service,
    model::{Kind, Shape},
    operation, operations,
};
use serde_json::Value as Json;
use wiremock_fixtures::Fixture;

use crate::program::{Program, Server};

fn service_of(info: &OperationInfo) -> &'static str {
    if info.service == Service::Sts { "iam" } else { info.service.as_str() }
}

/// Does something for every operation, two at a time.
fn for_all(check: impl Fn(&'static OperationInfo) + Sync) {
    let all: Vec<_> = operations().collect();
    let (left, right) = all.split_at(all.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| left.iter().for_each(|info| check(info)));
        right.iter().for_each(|info| check(info));
    });
}

#[test]
fn every_recorded_success_is_answered_as_recorded() {
    let server = Server::start();
    server.block_on(wiremock_fixtures::mount_success(&server.mock));
    let fixtures: Vec<_> = wiremock_fixtures::all().iter().filter(|fixture| fixture.is_success()).collect();
    let mut called: Vec<_> = fixtures.iter().map(|fixture| &fixture.operation).collect();
    called.dedup();
    assert_eq!(called.len(), operations().count());

    let (left, right) = fixtures.split_at(fixtures.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| left.iter().for_each(|fixture| calls(&server, fixture)));
        right.iter().for_each(|fixture| calls(&server, fixture));
    });
}

fn calls(server: &Server, fixture: &Fixture) {
    let name = format!("{}/{}", fixture.operation, fixture.case);
    let service = match fixture.service() {
        "csms" => Service::Csms,
        "kms" => Service::Kms,
        "iam" => Service::Iam,
        _ => Service::Sts,
    };
    let info = operation(service, fixture.name()).unwrap();
    let mut expected = fixture.response.body.clone().unwrap_or_else(|| serde_json::json!({}));
    for field in info.response.map_or(&[][..], |shape| shape.fields).iter().filter(|field| field.place.header) {
        if let Some(value) = fixture.response.headers.get(&field.name.to_ascii_lowercase()) {
            expected[field.name] = value.as_str().into();
        }
    }

    let one_page: &[&str] = if info.paging.is_some() { &["--no-paginate"] } else { &[] };
    let outcome = Program::against(&server.mock, ["api", fixture.service(), fixture.name(), "--input", "-"])
        .arguments(one_page)
        .stdin(serde_json::to_vec(&fixture.input).unwrap())
        .run();
    assert_eq!(outcome.code, 0, "{name}: {}", outcome.stderr);
    assert_eq!(outcome.json(), expected, "{name}");
    let without_content =
        if fixture.response.body.is_none() { format!("{}: done\n", info.name) } else { String::new() };
    assert_eq!(outcome.stderr, without_content, "{name}");
}

#[test]
fn every_skeleton_names_every_field() {
    for_all(|info| {
        let skeleton = Program::new(["api", service_of(info), info.name, "--skeleton"]).run().json();
        names(info.request, &skeleton, info.name);
        let members: Vec<_> = skeleton.as_object().unwrap().keys().collect();
        let required = info.request.fields.iter().filter(|field| field.required).count();
        assert!(members[..required].iter().all(|name| info.field(name).unwrap().required), "{}", info.name);
    });
}

fn names(shape: &Shape, json: &Json, at: &str) {
    for field in shape.fields {
        let value = json.get(field.name).unwrap_or_else(|| panic!("{at} lacks {}", field.name));
        match field.kind {
            Kind::Object(inner) => names(inner, value, at),
            Kind::List(Kind::Object(inner)) => names(inner, &value[0], at),
            _ => assert!(!value.is_null()),
        }
    }
}

#[test]
fn every_dry_run_shows_the_recorded_request_and_no_secret() {
    for_all(|info| {
        let fixture = wiremock_fixtures::find(&format!("{}/success", info.id())).unwrap();
        let outcome = Program::new(["api", service_of(info), info.name, "--input", "-", "--dry-run"])
            .env("CSMS_REGION", wiremock_fixtures::REGION)
            .env("CSMS_ACCESS_KEY", wiremock_fixtures::ACCESS_KEY)
            .env("CSMS_SECRET_KEY", wiremock_fixtures::SECRET_KEY)
            .stdin(serde_json::to_vec(&fixture.input).unwrap())
            .run();
        let shown = outcome.json();
        assert_eq!(shown["method"], fixture.request.method, "{}", info.name);
        let path = fixture.request.path.replace(wiremock_fixtures::PROJECT_ID, "{project_id}");
        let url = shown["url"].as_str().unwrap();
        assert!(url.starts_with("https://") && url.split('?').next().unwrap().ends_with(&path), "{url}");
        assert_eq!(url.contains('?'), !fixture.request.query.is_empty(), "{url}");
        assert_eq!(shown["body"].is_null(), fixture.request.body.is_none(), "{}", info.name);

        let text = outcome.stdout + &outcome.stderr;
        assert!(!text.contains(wiremock_fixtures::ACCESS_KEY) && !text.contains(wiremock_fixtures::SECRET_KEY));
        let input = Json::Object(fixture.input.clone());
        let mut secrets = Vec::new();
        collect_secrets(&Kind::Object(info.request), &input, &mut secrets);
        for secret in secrets {
            assert!(!text.contains(&secret), "{}: {text}", info.name);
        }
    });
}

/// The texts that the shape of a request declares secret.
fn collect_secrets(kind: &Kind, json: &Json, secrets: &mut Vec<String>) {
    match (kind, json) {
        (Kind::Secret | Kind::SecretJson, Json::String(text)) => secrets.push(text.clone()),
        (Kind::SecretJson, Json::Object(members)) => {
            members.values().for_each(|json| collect_secrets(&Kind::SecretJson, json, secrets));
        }
        (Kind::List(item), Json::Array(items)) => items.iter().for_each(|json| collect_secrets(item, json, secrets)),
        (Kind::Object(shape), Json::Object(members)) => {
            for (name, json) in members {
                collect_secrets(&shape.field(name).unwrap().kind, json, secrets);
            }
        }
        _ => {}
    }
}

#[test]
fn every_operation_has_help_and_an_explanation() {
    for_all(|info| {
        let kebab = kebab(info.name);
        let help = Program::new(["api", service_of(info), &kebab, "--help"]).run();
        assert_eq!((help.code, help.stderr.as_str()), (0, ""), "{}", info.name);
        for field in info.request.fields {
            assert!(help.stdout.contains(&format!("--{}", field.name)) || field.name == "region", "{}", info.name);
        }
        let explained = Program::new(["explain", service_of(info), &kebab]).run();
        assert_eq!((explained.code, explained.stderr.as_str()), (0, ""), "{}", info.name);
        assert!(explained.stdout.contains(info.path), "{}", info.name);
        assert!(!help.stdout.contains("[`") && !explained.stdout.contains("[`"), "{}", info.name);
        let longest =
            explained.stdout.lines().take_while(|line| *line != "Example").map(|line| line.chars().count()).max();
        // A path or URL has no place to break.
        assert!(longest.unwrap() <= 130, "{}", explained.stdout);
    });
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}

#[test]
fn the_list_has_every_operation_once() {
    let list = Program::new(["api", "--list"]).run();
    let expected: Vec<_> = operations().map(|info| format!("{}\t{}\t", info.service, info.name)).collect();
    let lines: Vec<_> = list.stdout.lines().collect();
    assert_eq!(lines.len(), expected.len());
    assert!(lines.iter().zip(&expected).all(|(line, start)| line.starts_with(start)));

    let kms = Program::new(["api", "--list", "kms", "-o", "json"]).run().json();
    assert!(kms.as_array().unwrap().iter().all(|entry| entry["service"] == "kms"));
    assert_eq!(Program::new(["api", "--list=sts"]).run().stdout.lines().count(), 3);
    Program::new(["api", "--list", "kmss"]).run().fails(2, "csms api kms");
}

#[test]
fn parameters_come_as_flags_in_any_spelling() {
    let dry = |arguments: &[&str]| {
        let outcome = Program::new(["api", "csms"])
            .arguments(arguments)
            .arguments(["--dry-run", "-r", "cn-north-4", "--project", "p1"])
            .file("tags.json", r#"[{"key":"a"}]"#)
            .run();
        outcome.json()
    };
    for flags in [["--secret_name", "db"], ["--secret-name", "db"], ["--param:secret_name", "db"]] {
        let shown = dry(&["show-secret", flags[0], flags[1]]);
        assert_eq!(shown["url"], "https://kms.cn-north-4.myhuaweicloud.com/v1/p1/secrets/db");
    }
    let tags = serde_json::json!([{"key": "a", "value": "1"}, {"key": "b"}]);
    let start = ["BatchCreateOrDeleteTags", "--secret_id", "s", "--action=create"];
    for flags in [
        &["--tags", r#"[{"key":"a","value":"1"},{"key":"b"}]"#][..],
        &["--tags", r#"{"key":"a","value":"1"}"#, "--tags", r#"{"key":"b"}"#],
        &["--tags.0.key", "a", "--tags.0.value=1", "--tags.1.key", "b"],
        &["--tags.1.key", "b", "--tags.0.value=1", "--tags", "file://tags.json"],
    ] {
        assert_eq!(dry(&[&start, flags].concat())["body"]["tags"], tags, "{flags:?}");
    }
    let start = ["UpdateSecret", "--secret_name", "s"];
    for (flags, expected) in [
        (&["--event_subscriptions", "a"][..], serde_json::json!({"event_subscriptions": ["a"]})),
        (&["--event_subscriptions", r#"["a"]"#], serde_json::json!({"event_subscriptions": ["a"]})),
        (&["--event_subscriptions", "[]"], serde_json::json!({"event_subscriptions": []})),
        (&["--auto_rotation"], serde_json::json!({"auto_rotation": true})),
        (&["--auto_rotation", "false"], serde_json::json!({"auto_rotation": false})),
        (&["--description", ""], serde_json::json!({"description": ""})),
        (&["--description=--dry-run"], serde_json::json!({"description": "--dry-run"})),
        (&["--no-validate", "--rotation_period", "x"], serde_json::json!({"rotation_period": "x"})),
    ] {
        assert_eq!(dry(&[&start, flags].concat())["body"], expected, "{flags:?}");
    }
}

#[test]
fn a_parameter_named_like_a_global_flag_is_reachable() {
    let shown =
        Program::new(["api", "csms", "CreateSecretReplica", "--secret_name", "s", "--param:region", "cn-south-1"])
            .arguments(["--kms_key_id", "k", "--region", "cn-north-4", "--dry-run", "--no-validate"])
            .run()
            .json();
    assert_eq!(shown["body"]["region"], "cn-south-1");
    assert!(shown["url"].as_str().unwrap().contains("kms.cn-north-4."));
}

#[test]
fn flags_override_the_input() {
    let shown = Program::new(["api", "csms", "CreateSecret", "--input", "request.json", "--name", "b", "--dry-run"])
        .arguments(["-r", "cn-north-4"])
        .file("request.json", r#"{"name": "a", "secret_string": "hunter2", "description": "kept"}"#)
        .run();
    assert!(!shown.stdout.contains("hunter2"));
    assert_eq!(shown.json()["body"], serde_json::json!({"name": "b", "secret_string": "****", "description": "kept"}));
}

#[test]
fn permissions_are_shown() {
    let shown = Program::new(["api", "csms", "CreateSecret", "--show-permissions"]).run();
    assert_eq!((shown.code, shown.stdout.as_str()), (0, "csms:secret:create\n"));
    let shown = Program::new(["api", "csms", "CreateSecret", "--show-permissions", "-o", "json"]).run();
    assert_eq!(shown.stdout, "[\"csms:secret:create\"]\n");
    let none = Program::new(["api", "iam", "KeystoneListRegions", "--show-permissions"]).run();
    assert_eq!((none.code, none.stdout.as_str()), (0, ""));
    assert!(none.stderr.contains("no permission"));
}

#[test]
fn an_explanation_tells_what_the_registry_knows() {
    let text = Program::new(["explain", "ListSecrets"]).run().stdout;
    for part in [
        "csms:secret:list",
        "GET /v1/{project_id}/secrets",
        "page_info.next_marker",
        "yes: ",
        "limit",
        "secrets.N.name",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.ends_with("csms api csms ListSecrets\n"));
    let json = Program::new(["explain", "csms", "CreateSecret", "-o", "json"]).run().json();
    assert_eq!(json["parameters"][0]["name"], "name");
    assert_eq!(json["exactly_one"][0][1], "secret_binary");
    let both = Program::new(["explain", "list-grants"]).run();
    both.fails(2, "csms explain csms ListGrants or csms explain kms ListGrants");
    Program::new(["explain", "CreateSecrte"]).run().fails(2, "did you mean CreateSecret?");
    Program::new(["explain", "csms", "ListKeys"]).run().fails(2, "csms api kms ListKeys");
}
