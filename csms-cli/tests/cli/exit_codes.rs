//! Every exit code, reached by a run of the program.

use std::{collections::BTreeSet, fs, process::Stdio, thread, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use wiremock::{Mock, ResponseTemplate, matchers::any};

use crate::{
    program::{Program, Server},
    user::User,
};

/// The codes as the program has them, read from where they are defined: one that is added there needs a run here.
fn defined() -> BTreeSet<i32> {
    let source = include_str!("../../src/error.rs");
    let (_, body) = source.split_once("pub(crate) enum Exit {").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let codes = body.lines().filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = ")?.1.parse().ok());
    codes.collect()
}

fn answered(status: u16, code: &str) -> i32 {
    let server = Server::start();
    let body = json!({"error": {"error_code": code, "error_msg": "no"}});
    server.mount(Mock::given(any()).respond_with(ResponseTemplate::new(status).set_body_json(body)));
    Program::against(&server.mock, ["secret", "describe", "db", "--retries", "0"]).run().code
}

/// A run on this machine by somebody who has a secret called `db`.
fn local(command: &str) -> i32 {
    let user = User::new();
    user.create("db", "hunter2");
    user.run(command).code
}

fn partly_done() -> i32 {
    let user = User::new();
    user.create("db", "value");
    assert_eq!(user.program("secret put db - -r cn-east-3").stdin("in the way").run().code, 0);
    user.run("secret replica add db --to cn-east-3,ap-southeast-1").code
}

fn found() -> i32 {
    let user = User::new();
    user.create("db", "hunter2");
    let file = user.home().join("leaked");
    fs::write(&file, "hunter2").unwrap();
    user.run(&format!("scan {} --secret db", file.display())).code
}

fn not_executable() -> i32 {
    let user = User::new();
    user.create("db", "hunter2");
    user.program("exec --secret db -- ./file").file("file", "no program").run().code
}

fn interrupted() -> i32 {
    let server = Server::start();
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(100));
    server.mount(Mock::given(any()).respond_with(slow));
    let (mut command, _home) = Program::against(&server.mock, ["encrypt", "f", "--key", "k", "--timeout", "90s"])
        .file("f", "text")
        .into_command();
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while server.requests().is_empty() {
        thread::sleep(Duration::from_millis(10));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    child.wait().unwrap().code().unwrap()
}

fn closed_pipe() -> i32 {
    let (mut command, _home) = Program::new(["api", "--list"]).into_command();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer).stderr(Stdio::null()).status().unwrap().code().unwrap()
}

#[test]
fn every_exit_code_is_reached() {
    type Run = fn() -> i32;
    // In the order of the table that the user knows.
    let runs: [(i32, Run); 19] = [
        (1, || answered(400, "CSMS.0001")),
        (2, || local("secret list --no-such-flag")),
        (3, || local("get nothing")),
        (4, || answered(401, "APIGW.0301")),
        (5, || answered(403, "CSMS.0302")),
        (6, || answered(400, "CSMS.0101")),
        (7, || answered(429, "APIGW.0308")),
        (8, || answered(503, "CSMS.0001")),
        (9, || Program::at("http://127.0.0.1:1", ["get", "db", "--retries", "0"]).run().code),
        (10, found),
        (11, || local("wait secret db --for deleted --timeout 100ms")),
        (12, partly_done),
        (13, || Program::new(["--local", "decrypt", "-", "--any-key"]).stdin("nothing that csms has made").run().code),
        (14, || local("secret rm db")),
        (125, || local("exec --secret nothing -- true")),
        (126, not_executable),
        (127, || local("exec --secret db -- no-such-program")),
        (130, interrupted),
        (141, closed_pipe),
    ];
    for (code, run) in runs {
        assert_eq!(run(), code);
    }
    assert_eq!(runs.iter().map(|(code, _)| *code).collect::<BTreeSet<_>>(), defined(), "a code has no run here");
    assert_eq!(local("get db"), 0);
}

#[test]
fn the_status_of_a_command_is_that_of_csms() {
    let user = User::new();
    user.create("db", "hunter2");
    for flags in ["", "--mask"] {
        let ends = |script: &str| user.program(&format!("exec --secret db {flags} -- /bin/sh -c")).arguments([script]);
        assert_eq!(ends("exit 7").run().code, 7);
        let (mut command, _home) = ends("kill -KILL $$").into_command();
        let status = command.stdout(Stdio::null()).status().unwrap();
        // Where csms is in front of it; else the command has its place, and a shell says 128 + n of it.
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        assert_eq!((status.code(), signal), if flags.is_empty() { (None, Some(9)) } else { (Some(137), None) });
    }
}
