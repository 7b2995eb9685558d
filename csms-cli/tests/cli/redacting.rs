//! `csms redact` and `csms scan`.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::Path,
    process::Stdio,
};

use serde_json::json;

use crate::{program::Outcome, user::User};

const PASSWORD: &str = "it's <hunter2>";
/// The same in Base64, in a URL and in JSON.
const FORMS: [&str; 3] = ["aXQncyA8aHVudGVyMj4=", "it%27s%20%3Chunter2%3E", r"it's \u003chunter2\u003e"];

fn user() -> User {
    let user = User::new();
    user.create("db", &json!({"user": "admin", "password": PASSWORD, "port": 54321, "tls": true}).to_string());
    user.create("app-a", r#"{"key":"first-key"}"#);
    user.create("app-b", r#"{"key":"second-key"}"#);
    user
}

fn redacted(user: &User, command: &str, text: &str) -> Outcome {
    let outcome = user.program(command).stdin(text).run();
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    outcome
}

/// A folder with files in it, beside what the program keeps.
fn folder(user: &User, files: &[(&str, &[u8])]) -> String {
    let folder = user.home().join("files");
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder.display().to_string()
}

/// Checks that nothing that was printed holds a value in one of its forms.
fn tells_no_value(outcome: &Outcome) {
    for form in FORMS.iter().chain([&PASSWORD]) {
        assert!(!outcome.stdout.contains(form) && !outcome.stderr.contains(form), "{form}");
    }
}

#[test]
fn values_are_hidden_in_all_their_forms() {
    let user = user();
    let text = format!("login admin:54321 true\n{PASSWORD}|{}|{}|{}\nend", FORMS[0], FORMS[1], FORMS[2]);
    let outcome = redacted(&user, "redact --secret db", &text);
    // Padding is no part of what is hidden.
    assert_eq!(outcome.stdout, "login ****:**** true\n****|****=|****|****\nend");
    assert_eq!(outcome.stderr, "");
    tells_no_value(&outcome);
    assert_eq!(redacted(&user, "redact --env A=db#user", "admin 54321").stdout, "**** 54321");
}

#[test]
fn all_of_several_values_under_one_name_are_hidden() {
    let user = user();
    let outcome = redacted(&user, "redact --prefix app-", "first-key second-key");
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("**** ****", ""));
    user.create("sly", r#"{"PATH":"/evil","":"nameless"}"#);
    assert_eq!(redacted(&user, "redact --secret sly", "/evil nameless").stdout, "**** ****");
}

#[test]
fn files_and_projects_name_values_as_well() {
    let user = user();
    let program = user.program("redact --env-file vars").file("vars", "A=plain-one\nB=csms://db#user\n");
    assert_eq!(program.stdin("plain-one admin").run().stdout, "**** ****");
    let program = user.program("redact").file("csms.toml", "secrets = ['app-a']\n[env]\nLEVEL = 'info'\n");
    assert_eq!(program.stdin("info first-key second-key").run().stdout, "info **** second-key");
    let program = user.program("redact").file("csms.toml", "[env]\nLEVEL = 'info'\n");
    program.stdin("info").run().fails(2, "csms redact --secret NAME");
}

#[test]
fn what_is_clear_is_passed_on_before_the_end_and_values_may_come_in_pieces() {
    let user = user();
    let (mut command, _home) = user.program("redact --secret app-a").into_command();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut expect = |expected: &str| {
        let mut read = vec![0; expected.len()];
        stdout.read_exact(&mut read).unwrap();
        assert_eq!(String::from_utf8(read).unwrap(), expected);
    };
    stdin.write_all(b"a first").unwrap();
    expect("a ");
    stdin.write_all(b"-key b firs").unwrap();
    expect("**** b ");
    stdin.write_all(b"t-aid").unwrap();
    expect("first-aid");
    drop(stdin);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("", Some(0)));
}

#[test]
fn a_value_is_hidden_wherever_a_large_stream_is_cut() {
    let user = user();
    let text: String = (0..4000).map(|n| format!("{}{PASSWORD}\n", "x".repeat(n % 37))).collect();
    let outcome = redacted(&user, "redact --secret db#password", &text);
    assert_eq!(outcome.stdout, text.replace(PASSWORD, "****"));
}

#[test]
fn without_all_values_nothing_is_passed_on() {
    let user = user();
    let run = |command: &str| user.program(command).stdin(PASSWORD).run();
    let outcome = run("redact");
    outcome.fails(2, "csms redact --secret NAME");
    tells_no_value(&outcome);
    run("redact --secret nothing --secret db").fails(3, "secret \"nothing\" not found");
    run("redact --prefix nothing").fails(3, "no secret begins");
    run("redact db").fails(2, "behind their flags");
}

#[test]
fn what_is_too_short_to_be_hidden_is_warned_about() {
    let user = user();
    user.create("short", r#"{"pin":"x7","on":true}"#);
    let outcome = redacted(&user, "redact --secret short#pin --secret short", "x7 true");
    assert_eq!(outcome.stdout, "x7 true");
    assert_eq!(outcome.stderr.matches("is not looked for").count(), 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("the value of --secret short#pin"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("the field `pin` of --secret short"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("x7"), "{}", outcome.stderr);
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let user = user();
    let (mut command, _home) = user.program("redact --secret db").into_command();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    // It may be gone before it has read all of this.
    let _ = stdin.write_all(&b"line\n".repeat(50_000));
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(141), b"".as_slice()));
}

#[cfg(unix)]
#[test]
fn a_stream_that_breaks_off_is_no_success() {
    let user = user();
    let (mut command, _home) = user.program("redact --secret db").into_command();
    // A folder can be opened, and not be read.
    let output = command.stdin(fs::File::open(user.home()).unwrap()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let outcome =
        Outcome { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) };
    outcome.fails(1, "stdin cannot be read");
}

#[test]
fn places_are_told_and_values_are_not() {
    let user = user();
    let long = format!("{}{PASSWORD}", "x".repeat(40_000));
    let folder = folder(
        &user,
        &[
            ("b.txt", format!("ü\n key={PASSWORD} {}\n", FORMS[0]).as_bytes()),
            ("a/c.json", format!("{{\"url\":\"x://u:{}@h\",\"p\":\"{}\"}}", FORMS[1], FORMS[2]).as_bytes()),
            ("a/long", long.as_bytes()),
            ("clean", b"nothing here"),
        ],
    );
    let outcome = user.run(&format!("scan {folder} --secret db#password --env KEY=app-a#key"));
    let origin = "--secret db#password";
    let expected = [("a/c.json", 1, 15), ("a/c.json", 1, 46), ("a/long", 1, 40_001), ("b.txt", 2, 6), ("b.txt", 2, 21)];
    let lines: String =
        expected.iter().map(|(file, line, column)| format!("{folder}/{file}:{line}:{column}\t{origin}\n")).collect();
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (10, lines.as_str(), ""));
    tells_no_value(&outcome);
    let outcome = user.run(&format!("scan {folder}/b.txt --secret db#password -o json"));
    let place = |column: u64| json!({"file": format!("{folder}/b.txt"), "line": 2, "column": column, "origin": origin});
    assert_eq!((outcome.code, outcome.stdout.trim_end()), (10, &*json!([place(6), place(21)]).to_string()));
}

#[test]
fn nothing_found_is_0() {
    let user = user();
    let folder = folder(&user, &[("clean", b"nothing here")]);
    let outcome = user.run(&format!("scan {folder} --secret db"));
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (0, "", ""));
    assert_eq!(user.run(&format!("scan {folder} --secret db -o json")).json(), json!([]));
}

#[test]
fn each_value_that_stands_somewhere_is_named() {
    let user = user();
    let folder = folder(&user, &[("f", b"second-key in-file")]);
    let command = format!("scan {folder} --prefix app- --env A=app-b#key --env-file vars");
    let outcome = user.program(&command).file("vars", "X=1234\nY=in-file\n").run();
    let expected = format!(
        "{folder}/f:1:1\t--prefix app- (app-b)\n{folder}/f:1:1\t--env A\n{folder}/f:1:12\t--env-file vars, Y\n"
    );
    assert_eq!((outcome.code, outcome.stdout), (10, expected), "{}", outcome.stderr);
}

#[test]
fn what_people_do_not_write_is_left_out_unless_all_is_wanted() {
    let user = user();
    let mut large = vec![b'\n'; 16 << 20];
    large.extend_from_slice(b"first-key");
    let folder = folder(&user, &[("binary", b"\0first-key"), ("large", &large), (".git/config", b"first-key")]);
    let outcome = user.run(&format!("scan {folder} --secret app-a"));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""));
    assert_eq!(outcome.stderr, "not read, as binary or over 16 MiB: 2; --all reads them as well\n");
    let outcome = user.run(&format!("scan {folder} --secret app-a --all"));
    let expected =
        format!("{folder}/binary:1:2\t--secret app-a\n{folder}/large:{}:1\t--secret app-a\n", (16 << 20) + 1);
    assert_eq!((outcome.code, outcome.stdout, outcome.stderr.as_str()), (10, expected, ""));
    assert_eq!(user.run(&format!("scan {folder}/.git --secret app-a")).code, 10);
}

#[cfg(unix)]
#[test]
fn links_are_followed_only_where_they_are_named() {
    let user = user();
    let folder = folder(&user, &[("f", b"clean")]);
    let outside = user.home().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("key"), "first-key").unwrap();
    for (target, name) in [(outside.as_path(), "folder"), (&outside.join("key"), "file"), (Path::new("."), "loop")] {
        std::os::unix::fs::symlink(target, Path::new(&folder).join(name)).unwrap();
    }
    assert_eq!(user.run(&format!("scan {folder} --secret app-a")).code, 0);
    assert_eq!(user.run(&format!("scan {folder}/folder --secret app-a")).code, 10);
    assert_eq!(user.run(&format!("scan {folder}/file --secret app-a")).code, 10);
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_read_is_warned_about_and_is_no_success() {
    let user = user();
    let folder = folder(&user, &[("key", b"first-key"), ("clean", b"clean")]);
    // The memory of a process has nothing at its beginning, whoever reads it.
    let outcome = user.run(&format!("scan {folder}/clean /proc/self/mem --secret app-a"));
    outcome.fails(1, "cannot be read: 1");
    assert!(outcome.stderr.contains("warning: /proc/self/mem cannot be read: "), "{}", outcome.stderr);
    let outcome = user.run(&format!("scan {folder} /proc/self/mem --secret app-a"));
    assert_eq!((outcome.code, outcome.stdout), (10, format!("{folder}/key:1:1\t--secret app-a\n")));
    assert!(outcome.stderr.contains("/proc/self/mem"), "{}", outcome.stderr);
}

#[test]
fn a_line_that_cannot_be_right_reads_nothing() {
    let user = user();
    let folder = folder(&user, &[("key", b"first-key")]);
    user.run(&format!("scan {folder}")).fails(2, "csms scan PATH --secret NAME");
    user.run("scan --secret app-a").fails(2, "PATH");
    user.run(&format!("scan {folder} {folder}/none --secret app-a")).fails(2, "none cannot be read");
    user.run(&format!("scan {folder} --secret nothing")).fails(3, "secret \"nothing\" not found");
}

#[test]
fn a_name_that_is_a_value_is_hidden() {
    let user = user();
    let folder = folder(&user, &[("first-key", b"first-key")]);
    let outcome = user.run(&format!("scan {folder} --secret app-a"));
    assert_eq!((outcome.code, outcome.stdout), (10, format!("{folder}/****:1:1\t--secret app-a\n")));
}
