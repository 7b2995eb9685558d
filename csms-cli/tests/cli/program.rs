//! Running the program.

use std::{
    ffi::OsStr,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value as Json;
use tempfile::TempDir;
use wiremock::MockServer;

/// A call of the program: arguments and an environment of its own.
pub(crate) struct Program {
    command: Command,
    home: TempDir,
    stdin: Option<Vec<u8>>,
}

/// What a call left behind.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    /// A call that finds nothing in its environment.
    pub(crate) fn new<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_csms"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", home.path())
            .env("CSMS_METADATA_ENDPOINT", "off")
            .current_dir(home.path());
        Self { command, home, stdin: None }
    }

    /// A call with the credentials of the fixtures to a server.
    pub(crate) fn against<S: AsRef<OsStr>>(server: &MockServer, arguments: impl IntoIterator<Item = S>) -> Self {
        Self::at(&server.uri(), arguments)
    }

    /// A call with the credentials of the fixtures to an address.
    pub(crate) fn at<S: AsRef<OsStr>>(address: &str, arguments: impl IntoIterator<Item = S>) -> Self {
        let program = Self::new(arguments);
        let names = ["CSMS_ENDPOINT", "CSMS_IAM_ENDPOINT", "CSMS_STS_ENDPOINT"];
        names
            .iter()
            .fold(program, |program, name| program.env(name, address))
            .env("CSMS_REGION", wiremock_fixtures::REGION)
            .env("CSMS_PROJECT_ID", wiremock_fixtures::PROJECT_ID)
            .env("CSMS_ACCESS_KEY", wiremock_fixtures::ACCESS_KEY)
            .env("CSMS_SECRET_KEY", wiremock_fixtures::SECRET_KEY)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn arguments<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Puts a file where the call runs.
    pub(crate) fn file(self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.home.path().join(name), content).unwrap();
        self
    }

    /// The command, for tests that start it themselves; the folder lives as long as the second value.
    pub(crate) fn into_command(self) -> (Command, TempDir) {
        (self.command, self.home)
    }

    pub(crate) fn run(mut self) -> Outcome {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let Some(bytes) = self.stdin {
            // A call that refuses its arguments does not read.
            let _ = child.stdin.take().unwrap().write_all(&bytes);
        }
        let output = child.wait_with_output().unwrap();
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Outcome {
    /// The JSON on stdout of a call that succeeded.
    pub(crate) fn json(&self) -> Json {
        assert_eq!(self.code, 0, "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// Checks that a call failed like this, in three lines, with nothing on stdout.
    pub(crate) fn fails(&self, code: i32, what: &str) -> &Self {
        assert_eq!(self.code, code, "{}", self.stderr);
        assert_eq!(self.stdout, "");
        let lines: Vec<_> = self.stderr.lines().skip_while(|line| !line.starts_with("error: ")).collect();
        assert_eq!(lines.len(), 3, "{}", self.stderr);
        assert!(lines[1].starts_with("  cause: ") && lines[1].len() > 10, "{}", self.stderr);
        assert!(lines[2].starts_with("  hint:  ") && lines[2].len() > 10, "{}", self.stderr);
        assert!(lines.concat().contains(what), "{what}: {}", self.stderr);
        self
    }
}

/// A server, and the runtime that those who mount on it need.
pub(crate) struct Server {
    runtime: tokio::runtime::Runtime,
    pub(crate) mock: MockServer,
}

impl Server {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mock = runtime.block_on(MockServer::start());
        Self { runtime, mock }
    }

    /// A server that answers one fixture.
    pub(crate) fn with(name: &str) -> Self {
        let server = Self::start();
        let fixture = wiremock_fixtures::find(name).unwrap();
        server.runtime.block_on(fixture.mount(&server.mock));
        server
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    pub(crate) fn mount(&self, mock: wiremock::Mock) {
        self.runtime.block_on(mock.mount(&self.mock));
    }

    pub(crate) fn requests(&self) -> Vec<wiremock::Request> {
        self.runtime.block_on(self.mock.received_requests()).unwrap_or_default()
    }
}
