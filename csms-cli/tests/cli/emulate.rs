//! `csms emulate`: what it prints, and the commands it runs.
#![cfg(unix)] // the commands are those of a Unix shell

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Stdio},
};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::program::{Outcome, Program};

/// The program under test, for the shell.
const CSMS: &str = env!("CARGO_BIN_EXE_csms");

fn around(script: &str) -> Program {
    Program::new(["emulate", "--", "/bin/sh", "-c", script]).env("CSMS", CSMS)
}

/// A running emulator, killed when it is dropped.
struct Server {
    child: Child,
    home: TempDir,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let (mut command, home) = Program::new(["emulate"]).arguments(arguments).into_command();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self { child, home }
    }

    /// The first line of what it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line
    }

    fn json(&mut self) -> Json {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// Sends a signal and waits for the end.
    fn end(&mut self, signal: &str) -> Outcome {
        let kill = std::process::Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        Outcome { code, stdout, stderr }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_command_finds_the_emulator_in_its_variables() {
    let outcome = around("printf 'v1' | $CSMS api csms CreateSecret --name demo --secret-string - -o none && $CSMS api csms ShowSecretVersion --secret-name demo --version-id latest -o raw --query version.secret_string").run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "v1"), "{}", outcome.stderr);
}

#[test]
fn every_region_is_reached() {
    let program = around("$CSMS whoami -r cn-east-3 -o json");
    let program = program.env("CSMS_REGION", "elsewhere").env("HUAWEICLOUD_SDK_SECURITY_TOKEN", "left over");
    let elsewhere = program.run().json();
    assert!(elsewhere["kms_endpoint"]["value"].as_str().unwrap().ends_with("/cn-east-3"), "{elsewhere}");
    let printed = Server::start(&["-o", "json", "--regions", "my-1, my-2"]).json();
    let variables = &printed["variables"];
    assert_eq!(variables["CSMS_REGION"], "my-1");
    assert_eq!(variables["HUAWEICLOUD_SDK_REGION_KMS_MY_2"], printed["regions"]["my-2"]["endpoint"]);
    assert_ne!(printed["regions"]["my-1"]["project_id"], printed["regions"]["my-2"]["project_id"]);
    assert_eq!(variables["HW_AUTH_URL"], format!("{}/v3", printed["endpoint"].as_str().unwrap()));
}

#[test]
fn variables_that_lead_elsewhere_do_not_reach_the_command() {
    let misleading = ["CSMS_PROJECT_ID", "CSMS_LOCAL", "HUAWEICLOUD_SDK_SECURITY_TOKEN", "OS_AUTH_TOKEN"];
    let program = around("env; $CSMS whoami >&2 || true");
    let program = misleading.iter().fold(program, |program, name| program.env(name, "1"));
    let outcome = program.env("HTTPS_PROXY", "http://127.0.0.1:1").env("no_proxy", "example.com").run();
    let is_set = |name: &str| outcome.stdout.lines().any(|line| line.starts_with(&format!("{name}=")));
    assert!(misleading.iter().all(|name| !is_set(name)), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("\nNO_PROXY=example.com,127.0.0.1\n"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("looked up in IAM"), "{}", outcome.stderr);
}

#[test]
fn the_code_of_the_command_is_passed_on() {
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)] {
        let outcome = around(script).run();
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (code, "", ""), "{script}");
    }
}

#[test]
fn a_command_that_cannot_be_run_is_told_from_one_that_fails() {
    Program::new(["emulate", "--", "no-such-program"]).run().fails(127, "`no-such-program` cannot be run");
    Program::new(["emulate", "--", "./file"]).file("file", "no program").run().fails(126, "Permission denied");
    Program::new(["emulate", "--listen", "192.0.2.1:1", "--", "true"]).run().fails(125, "cannot listen");
}

#[test]
fn a_signal_is_passed_on_to_the_command() {
    let mut server =
        Server::start(&["--", "/bin/sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"]);
    assert_eq!(server.line(), "ready\n");
    assert_eq!(server.end("-TERM").code, 9);
}

#[test]
fn it_ends_when_it_is_asked_to() {
    for (signal, code) in [("-TERM", 0), ("-INT", 130)] {
        let mut server = Server::start(&[]);
        assert!(server.line().starts_with("# The emulator listens at http://127.0.0.1:"));
        let outcome = server.end(signal);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (code, ""));
    }
}

#[test]
fn what_it_prints_is_a_script_that_a_shell_can_take() {
    let (mut command, home) = Program::new(["emulate"]).into_command();
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let script: Vec<_> = lines.by_ref().take_while(|line| line != "# }").collect();
    let script = format!("{}\n{CSMS} whoami -o json", script.join("\n"));
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", &script]).env_clear().env("HOME", home.path());
    let output = shell.output().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let facts: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(facts["csms_endpoint"]["origin"], "CSMS_ENDPOINT");
    assert_eq!(facts["project"]["origin"], "looked up in IAM");
}

#[test]
fn https_comes_with_an_authority_to_trust() {
    let outcome = Program::new(["emulate", "--tls", "--", "/bin/sh", "-c"])
        .arguments(["$CSMS whoami -o json && cat $CSMS_CA_FILE >&2 && ls -l $CSMS_CA_FILE >&2"])
        .env("CSMS", CSMS)
        .run();
    let facts = outcome.json();
    assert!(facts["kms_endpoint"]["value"].as_str().unwrap().starts_with("https://127.0.0.1:"), "{facts}");
    assert!(outcome.stderr.contains("BEGIN CERTIFICATE"), "{}", outcome.stderr);
    let mut server = Server::start(&["--tls", "ca.pem", "-o", "json"]);
    assert_eq!(server.json()["ca_file"], "ca.pem");
    assert!(std::fs::read_to_string(server.home.path().join("ca.pem")).unwrap().contains("BEGIN CERTIFICATE"));
}

#[test]
fn replicas_may_follow_at_once() {
    assert_eq!(Program::new(["emulate", "--replication-delay", "0", "--", "true"]).run().code, 0);
}

#[test]
fn everybody_can_reach_more_than_loopback() {
    let outcome = Program::new(["emulate", "--listen", "0.0.0.0:0", "--", "/bin/sh", "-c", "$CSMS whoami"])
        .env("CSMS", CSMS)
        .run();
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.starts_with("warning: everybody who can reach 0.0.0.0"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("http://127.0.0.1:"), "{}", outcome.stdout);
}

#[test]
fn data_are_kept_where_they_are_wanted_and_by_one_at_a_time() {
    let mut first = Server::start(&["--data", "data", "-o", "json"]);
    first.json();
    let file = first.home.path().join("data");
    let file = file.to_str().unwrap();
    Program::new(["emulate", "--data", file]).run().fails(6, "in use");
    Program::new(["emulate", "--data", file, "--", "true"]).run().fails(125, "in use");
    Program::new(["emulate", "--data", file, "--local"]).run().fails(2, "--data and --local");
}

#[test]
fn what_cannot_be_right_is_refused_by_name() {
    for (arguments, what) in [
        (&["--listen", "nowhere"][..], "--listen"),
        (&["--listen", "70000"], "[::1]:8080"),
        (&["--replication-delay", "soon"], "--replication-delay"),
        (&["--seed", "missing.json"], "missing.json"),
        (&["--regions", ""], "region"),
        (&["--regions", "cn-north-4,a b"], "a b"),
        (&["--regions", "a-1,b-1,a-1"], "region a-1 is named twice"),
        (&["--surprise"], "--surprise"),
        (&["word"], "behind `--`"),
    ] {
        Program::new(["emulate"]).arguments(arguments).run().fails(2, what);
    }
    let seed = |text: &str| Program::new(["emulate", "--seed", "seed"]).file("seed", text);
    seed("{").run().fails(2, "line 1, column 1");
    let typo = r#"{"accounts": [{"nmae": "acme"}]}"#;
    seed(typo).run().fails(2, "accounts.0.nmae");
    seed(typo).arguments(["--", "true"]).run().fails(2, "accounts.0.nmae");
}
