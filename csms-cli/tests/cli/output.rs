//! Forms of output.

use serde_json::json;
use wiremock::{Mock, ResponseTemplate, matchers::any};

use crate::{
    program::{Outcome, Program, Server},
    user::User,
};

const VALUE: &str = "hunter2-correct-horse";

fn show(arguments: &[&str]) -> Outcome {
    let server = Server::start();
    let body = json!({"secret": {"name": "de\"mo", "state": "yes", "create_time": 1, "list": [["a", 1], ["b", null]]}});
    server.mount(Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(body)));
    Program::against(&server.mock, ["api", "csms", "ShowSecret", "--secret_name", "x"]).arguments(arguments).run()
}

#[test]
fn a_pipe_gets_json_in_one_line_in_the_order_it_came() {
    let line =
        "{\"secret\":{\"name\":\"de\\\"mo\",\"state\":\"yes\",\"create_time\":1,\"list\":[[\"a\",1],[\"b\",null]]}}\n";
    assert_eq!(show(&[]).stdout, line);
    assert_eq!(show(&["-o", "json"]).stdout, line);
    assert_eq!(show(&["-o", "none"]).stdout, "");
}

#[test]
fn a_query_picks_and_the_form_applies_after_it() {
    assert_eq!(show(&["-q", "secret.name"]).stdout, "\"de\\\"mo\"\n");
    assert_eq!(show(&["-q", "secret.name", "-o", "raw"]).stdout, "de\"mo");
    assert_eq!(show(&["-q", "secret.create_time", "-o", "raw"]).stdout, "1\n");
    assert_eq!(show(&["-q", "secret.list", "-o", "tsv"]).stdout, "a\t1\nb\t\n");
    assert_eq!(show(&["--query", "nothing"]).stdout, "null\n");
    assert_eq!(show(&["-q", "secret.state", "-o", "yaml"]).stdout, "\"yes\"\n");
    show(&["-q", "secret."]).fails(2, "--query is not JMESPath");
    show(&["-q", "abs(secret)"]).fails(1, "--query cannot be applied");
}

#[test]
fn a_query_that_no_answer_fits_changes_nothing() {
    let user = User::new();
    for line in [
        "secret put db - -q foo(secret_name)",
        "key create k -q length(key_info,`1`)",
        "api kms CreateKey --key_alias k -q abs()",
        "secret list -q [::0]",
    ] {
        user.program(line).stdin("x").run().fails(2, "--query is not JMESPath");
    }
    let deep = format!("{}a{}", "(".repeat(2000), ")".repeat(2000));
    user.run(&format!("secret list -q {deep}")).fails(2, "too long");
    assert_eq!((user.does("secret list"), user.does("key list")), (String::new(), String::new()));
}

#[test]
fn a_query_that_fails_on_the_answer_to_a_change_loses_no_id_and_shows_no_value() {
    let user = User::new();
    let put = user.program("secret put db - -q abs(secret_name)").stdin(VALUE).run();
    put.fails(
        1,
        r#"the work is over, and only its answer could not be shown: {"secret_name":"db","outcome":"created""#,
    );
    assert!(!put.stderr.contains(VALUE));
    for (line, name) in
        [("key create one -q abs(key_info)", "one"), ("api kms CreateKey --key_alias two -q abs(key_info)", "two")]
    {
        let failed = user.run(line);
        let id = user.run(&format!("key describe {name} -q key_info.key_id -o raw")).stdout;
        assert_eq!(id.len(), 36, "{id}");
        failed.fails(1, &id);
    }
    // Another data key does as well.
    let id = user.run("key describe one -q key_info.key_id -o raw").stdout;
    let datakey = user.run(&format!("api kms CreateDatakey --key_id {id} --datakey_length 256 -q abs(plain_text)"));
    datakey.fails(1, "run it without --query");
    let rm = user.run("secret rm db -y -q abs(results)");
    rm.fails(1, "do not run it again");
    let get = {
        user.says("secret restore db");
        user.run("get db -o json -q abs(id)")
    };
    assert!(!get.fails(1, "run it without --query").stderr.contains(VALUE));
}

#[test]
fn a_faulty_query_or_form_sends_nothing() {
    let server = Server::start();
    for arguments in [["-q", "a["], ["-o", "xml"]] {
        let outcome = Program::against(&server.mock, ["api", "csms", "ListSecrets"]).arguments(arguments).run();
        assert_eq!(outcome.code, 2);
    }
    Program::against(&server.mock, ["api", "csms", "ListSecrets"])
        .env("CSMS_OUTPUT", "xml")
        .run()
        .fails(2, "CSMS_OUTPUT");
    assert!(server.requests().is_empty());
}

#[test]
fn yaml_is_yaml() {
    let outcome = show(&["-o", "yaml"]);
    let back: serde_json::Value = serde_saphyr::from_str(&outcome.stdout).unwrap();
    assert_eq!(back["secret"]["state"], "yes");
    let by_variable = show(&[]).stdout;
    assert_ne!(by_variable, outcome.stdout);
}

#[test]
fn success_without_content_says_so() {
    let server = Server::with("csms/DeleteSecret/success");
    let name = &wiremock_fixtures::find("csms/DeleteSecret/success").unwrap().input["secret_name"];
    let delete = |form: &str| {
        Program::against(
            &server.mock,
            ["api", "csms", "DeleteSecret", "--secret_name", name.as_str().unwrap(), "-o", form],
        )
        .run()
    };
    let outcome = delete("json");
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("{}\n", "DeleteSecret: done\n"));
    assert_eq!(delete("raw").stdout, "");
    assert_eq!((delete("none").stdout.as_str(), delete("none").stderr.as_str()), ("", ""));
}

#[test]
fn colour_follows_the_flag_then_the_variables() {
    let error = |arguments: &[&str], variables: &[(&str, &str)]| {
        let program = Program::new(["api", "nothing"]).arguments(arguments);
        variables.iter().fold(program, |program, (name, value)| program.env(name, value)).run().stderr
    };
    let colored = |text: String| text.contains('\x1b');
    assert!(!colored(error(&[], &[])), "stderr is no terminal");
    assert!(colored(error(&[], &[("CLICOLOR_FORCE", "1")])));
    assert!(!colored(error(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")])));
    assert!(colored(error(&["--color", "always"], &[("NO_COLOR", "1")])));
    assert!(!colored(error(&["--color=never"], &[("CLICOLOR_FORCE", "1")])));
    assert!(colored(Program::new(["--help", "--color", "always"]).run().stdout));
    assert!(!colored(Program::new(["--help"]).run().stdout));
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_colour_unless_it_is_not_wanted() {
    use crate::terminal::Terminal;
    let colored = |variables: &[(&str, &str)], arguments: &[&str]| {
        let program = Program::new(["api", "nothing"]).arguments(arguments).env("TERM", "xterm");
        let program = variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        Terminal::open(program, 80).ends().1.contains('\x1b')
    };
    assert!(colored(&[], &[]));
    assert!(!colored(&[("NO_COLOR", "1")], &[]) && !colored(&[("TERM", "dumb")], &[]));
    assert!(!colored(&[], &["--color", "never"]) && colored(&[("NO_COLOR", "1")], &["--color", "always"]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_given_no_control_characters() {
    use crate::terminal::Terminal;
    let server = Server::start();
    let body = json!({"secret": {"name": "a\u{1b}[31mb\u{9b}c", "plain": "two\nlines", "state": "\u{7}"}});
    server.mount(Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(body)));
    let show = |query: &str, form: &str| {
        let arguments = ["api", "csms", "ShowSecret", "--secret_name", "x", "--color=never", "-q", query, "-o", form];
        Program::against(&server.mock, arguments)
    };
    let shown = |query: &str, form: &str| Terminal::open(show(query, form), 80).ends();
    let (code, text) = shown("secret.name", "raw");
    assert!(code == 2 && text.contains("control characters, and stdout is a terminal"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{9b}']), "{text:?}");
    assert_eq!(shown("secret.plain", "raw"), (0, "two\r\nlines\r\n".to_owned()));
    assert_eq!(shown("[secret.[name, state, plain]]", "tsv"), (0, "a [31mb c\t \ttwo lines\r\n".to_owned()));
    // A pipe gets them as they are.
    assert_eq!(show("secret.name", "raw").run().stdout, "a\u{1b}[31mb\u{9b}c");
    assert_eq!(show("[secret.[name, state]]", "tsv").run().stdout, "a\u{1b}[31mb\u{9b}c\t\u{7}\n");
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    use std::process::Stdio;
    let (mut command, _home) = Program::new(["api", "--list", "-o", "json"]).into_command();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
