//! `csms exec --watch`: real commands, and secrets that change under them.

use std::{
    io::{BufRead as _, BufReader, Read},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use csms_sdk::csms::CreateSecret;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use wiremock::{
    Mock, Request, Respond, ResponseTemplate,
    matchers::{path_regex, query_param_is_missing},
};

use crate::{
    cloud::Cloud,
    program::{Program, Server},
    user::User,
};

/// For the slowest machine; without an end, a failure would hang.
const PATIENCE: Duration = Duration::from_secs(120);

impl Cloud {
    /// A shell that is watched over.
    fn watch(&self, flags: &str, script: &str) -> Watched {
        self.watch_with(&flags.split_whitespace().collect::<Vec<_>>(), script)
    }

    fn watch_with(&self, flags: &[&str], script: &str) -> Watched {
        Watched::start(self.program([""; 0]), flags, script)
    }
}

/// A command that runs, and what is printed.
struct Watched {
    csms: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    _home: TempDir,
}

impl Watched {
    fn start(program: Program, flags: &[&str], script: &str) -> Self {
        let program = program.arguments(["exec", "--watch=20ms", "--settle", "20ms"]).arguments(flags);
        let (mut command, home) =
            program.arguments(["--", "/bin/sh", "-c", script]).env("PATH", "/usr/bin:/bin").into_command();
        // Where these tests are started from a terminal it must not seem to have sent their signals.
        command.process_group(0);
        let mut csms = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (lines(csms.stdout.take().unwrap()), lines(csms.stderr.take().unwrap()));
        Self { csms, stdout, stderr, _home: home }
    }

    #[track_caller]
    fn prints(&self, expected: &str) {
        assert_eq!(self.stdout.recv_timeout(PATIENCE).as_deref(), Ok(expected), "{:?}", self.says_all());
    }

    #[track_caller]
    fn says(&self, expected: &str) {
        let said = self.stderr.recv_timeout(PATIENCE).unwrap();
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("hunter"), "{said}");
    }

    fn says_all(&self) -> Vec<String> {
        self.stderr.try_iter().collect()
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.csms.id().to_string()]).status().unwrap().success());
    }

    /// It has ended with this code, with nothing printed or said that was not looked at.
    #[track_caller]
    fn ends_with(mut self, code: i32) {
        assert_eq!(self.csms.wait().unwrap().code(), Some(code), "{:?}", self.says_all());
        assert_eq!(
            (self.stdout.iter().collect::<String>(), self.stderr.iter().collect::<String>()),
            Default::default()
        );
    }
}

/// A failed test leaves nothing running.
impl Drop for Watched {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = Command::new("kill").args(["-TERM", &self.csms.id().to_string()]).status();
        }
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

/// Prints the value, and goes on until a signal ends it.
const LOOP: &str = "while :; do sleep 0.02; done";

#[test]
fn a_command_is_restarted_with_the_new_values() {
    let cloud = Cloud::with("db", "hunter1");
    let watched = cloud.watch("--secret db --file F=db", &format!("echo $DB; cat $F; echo; {LOOP}"));
    watched.prints("hunter1");
    watched.prints("hunter1");
    for value in ["hunter2", "hunter3"] {
        cloud.change("db", value);
        watched.prints(value);
        watched.prints(value);
        watched.says("changed; the command is restarted");
    }
    watched.signal("-TERM");
    watched.ends_with(128 + 15);
}

#[test]
fn only_values_that_were_given_matter() {
    let cloud = Cloud::with("db", r#"{"user":"a","password":"hunter1"}"#);
    let watched = cloud.watch("--env P=db#password -vv", &format!("echo $P; {LOOP}"));
    watched.prints("hunter1");
    // The log tells that everything was read again.
    let reads = || while !watched.stderr.recv_timeout(PATIENCE).unwrap().contains("BatchGetSecretValue") {};
    reads();
    cloud.change("db", r#"{"user":"b","password":"hunter1"}"#);
    reads();
    cloud.change("db", r#"{"user":"b","password":"hunter2"}"#);
    watched.prints("hunter2");
    watched.signal("-TERM");
    let mut watched = watched;
    assert_eq!(watched.csms.wait().unwrap().code(), Some(128 + 15));
    let log: Vec<_> = watched.stderr.iter().collect();
    assert!(log.iter().all(|line| !line.contains("hunter")), "{log:?}");
    assert_eq!(log.iter().filter(|line| line.starts_with("P changed;")).count(), 1, "{log:?}");
}

#[test]
fn a_secret_that_comes_under_a_prefix_is_given_too() {
    let cloud = Cloud::with("app-a", "hunter1");
    let watched = cloud.watch("--prefix app-", &format!("echo $APP_A$APP_B; {LOOP}"));
    watched.prints("hunter1");
    let client = cloud.client();
    cloud.runtime.block_on(CreateSecret::new("app-b").secret_string("hunter2").send(&client)).unwrap();
    watched.prints("hunter1hunter2");
    watched.says("APP_B changed");
    watched.signal("-TERM");
    watched.ends_with(128 + 15);
}

#[test]
fn a_secret_that_comes_under_a_prefix_while_watching_begins_is_watched_too() {
    let server = Server::start();
    let list = |names: &[&str]| {
        let secrets: Vec<_> = names.iter().map(|name| json!({"id": name, "name": name})).collect();
        let answer = ResponseTemplate::new(200).set_body_json(json!({"secrets": secrets, "page_info": {}}));
        Mock::given(path_regex("/secrets$")).respond_with(answer)
    };
    server.mount(list(&["app-a"]).up_to_n_times(1).with_priority(1));
    server.mount(list(&["app-a", "app-b"]).with_priority(2));
    let stage = |id: &str| {
        let stage = json!({"stage": {"name": "SYSCURRENT", "version_id": id}});
        ResponseTemplate::new(200).set_body_json(stage)
    };
    let looks = Arc::new(AtomicUsize::new(0));
    let current = {
        let looks = Arc::clone(&looks);
        move || if looks.load(Ordering::SeqCst) < 2 { "v1" } else { "v2" }
    };
    let value = current.clone();
    let look = move |_: &Request| {
        looks.fetch_add(1, Ordering::SeqCst);
        stage(current())
    };
    server.mount(Mock::given(path_regex("app-b/stages")).respond_with(look).with_priority(3));
    server.mount(Mock::given(path_regex("app-a/stages")).respond_with(stage("v1")).with_priority(3));
    let values = move |_: &Request| {
        let version = |name: &str, id: &str| {
            json!({"secret_string": format!("hunter {id}"),
                "version_metadata": {"id": id, "secret_name": name, "version_stages": ["SYSCURRENT"]}})
        };
        let versions = [version("app-a", "v1"), version("app-b", value())];
        ResponseTemplate::new(200).set_body_json(json!({"versions": versions}))
    };
    server.mount(Mock::given(path_regex("secrets")).respond_with(values).with_priority(4));
    let script = format!("echo $APP_A, $APP_B; {LOOP}");
    let watched = Watched::start(Program::against(&server.mock, [""; 0]), &["--prefix", "app-"], &script);
    watched.prints("hunter v1, hunter v1");
    watched.prints("hunter v1, hunter v2");
    watched.says("APP_B changed; the command is restarted");
    watched.signal("-TERM");
    watched.ends_with(128 + 15);
}

#[test]
fn a_ci_system_is_told_of_new_values_in_lines_of_their_own() {
    let cloud = Cloud::with("db", "hunter1");
    let program = cloud.program([""; 0]).env("GITHUB_ACTIONS", "true");
    let watched =
        Watched::start(program, &["--secret", "db", "--ci-mask"], &format!("printf 'ready\\n%s.' $DB >&2; {LOOP}"));
    let said = || watched.stderr.recv_timeout(PATIENCE).unwrap();
    assert_eq!([said(), said()], ["::add-mask::hunter1", "ready"]);
    cloud.change("db", "hunter2");
    assert_eq!([said(), said()], ["hunter1.", "::add-mask::hunter2"]);
    watched.says("restarted");
    watched.signal("-TERM");
    let mut watched = watched;
    assert_eq!(watched.csms.wait().unwrap().code(), Some(128 + 15));
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_comes_after_the_files_are_renewed_and_the_command_goes_on() {
    let cloud = Cloud::with("db", "a much longer hunter1");
    let script = format!("trap 'echo told $DB; cat $F; echo' HUP; echo $$; {LOOP}");
    let watched = cloud.watch("--secret db --file F=db --on-change signal:HUP", &script);
    let before = watched.stdout.recv_timeout(PATIENCE).unwrap();
    cloud.change("db", "hunter2");
    watched.prints("told a much longer hunter1");
    watched.prints("hunter2");
    watched.says("DB, F changed; the command gets a signal");
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", watched.csms.id())).unwrap();
    assert_eq!(children.trim(), before);
    watched.signal("-TERM");
    watched.ends_with(128 + 15);
}

#[test]
fn a_command_can_be_run_beside_it() {
    let cloud = Cloud::with("db", "hunter1");
    let script = format!("echo $DB; trap 'exit 4' USR1; {LOOP}");
    let flags = ["--secret", "db", "--on-change", "exec:echo beside $DB; cat; exit 3"];
    let command = cloud.watch_with(&flags, &script);
    command.prints("hunter1");
    for value in ["hunter2", "hunter3"] {
        cloud.change("db", value);
        command.says("DB changed; the command of --on-change is run");
        command.prints(&format!("beside {value}"));
        command.says("has ended with 3");
    }
    command.signal("-USR1");
    command.ends_with(4);
}

#[test]
fn what_is_run_beside_a_command_ends_with_it() {
    for stubborn in ["", "trap '' TERM; "] {
        let cloud = Cloud::with("db", "hunter1");
        let helper = format!("exec:{stubborn}echo beside $DB; sleep 1000; echo never");
        let command = cloud
            .watch_with(&["--secret", "db", "--on-change", &helper], &format!("trap 'exit 4' USR1; echo on; {LOOP}"));
        command.prints("on");
        cloud.change("db", "hunter2");
        command.says("DB changed");
        command.prints("beside hunter2");
        command.signal("-USR1");
        // Whatever still runs would hold it open.
        assert_eq!(command.stdout.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
        command.ends_with(4);
    }
}

#[test]
fn what_cannot_be_read_is_warned_of_once_and_the_command_goes_on() {
    let cloud = Cloud::with("db", "hunter1");
    let watched = cloud.watch("--secret db", &format!("echo $DB; {LOOP}"));
    watched.prints("hunter1");
    let refused = |operation: &str, times: u32| json!({"operation": operation, "status": 403, "times": times});
    // Looks, and then reads: each that is refused is followed by others.
    cloud.emulator.set_faults(&json!([refused("ShowSecretStage", 4)])).unwrap();
    watched.says("warning: the command goes on with what it has");
    watched.says("the secrets can be read again");
    let reads = [refused("BatchGetSecretValue", 4), refused("ShowSecretVersion", 4)];
    cloud.emulator.set_faults(&json!(reads)).unwrap();
    cloud.change("db", "hunter2");
    watched.says("warning: the command goes on with what it has");
    watched.says("the secrets can be read again");
    watched.prints("hunter2");
    watched.says("DB changed; the command is restarted");
    watched.signal("-TERM");
    watched.ends_with(128 + 15);
}

#[test]
fn values_that_cannot_be_given_are_warned_of_and_the_command_goes_on() {
    let cloud = Cloud::with("db", "hunter1");
    let watched = cloud.watch("--secret db", &format!("echo $DB; {LOOP}"));
    watched.prints("hunter1");
    cloud.change("db", "hunter2\0");
    watched.says("warning: the command goes on with what it has: DB cannot be a variable");
    cloud.change("db", "hunter3");
    watched.prints("hunter3");
    watched.says("restarted");
    watched.signal("-TERM");
    watched.ends_with(128 + 15);
}

#[test]
fn the_end_of_the_command_is_that_of_csms() {
    let cloud = Cloud::with("db", "hunter1");
    let watched = cloud.watch("--secret db", "echo $DB; exit 7");
    watched.prints("hunter1");
    watched.ends_with(7);
    let watched = cloud.watch("--secret db", "kill -KILL $$");
    watched.ends_with(128 + 9);
}

#[test]
fn a_command_that_does_not_stop_is_killed() {
    let cloud = Cloud::with("db", "hunter1");
    let script = format!("[ $DB = hunter1 ] && trap '' TERM; echo $DB; {LOOP}");
    let watched = cloud.watch("--secret db --grace 50ms", &script);
    watched.prints("hunter1");
    cloud.change("db", "hunter2");
    watched.prints("hunter2");
    watched.says("restarted");
    watched.signal("-TERM");
    watched.ends_with(128 + 15);
}

#[test]
fn who_asks_for_the_end_while_a_command_is_stopped_gets_it() {
    let cloud = Cloud::with("db", "hunter1");
    let script = format!(r#"trap 'n=$((n+1)); echo "asked $n"; [ $n = 2 ] && exit 5' INT TERM; echo $DB; {LOOP}"#);
    for asked in ["-TERM", "-INT"] {
        let watched = cloud.watch("--secret db --grace 100s --stop-signal SIGINT", &script);
        let value = watched.stdout.recv_timeout(PATIENCE).unwrap();
        cloud.change("db", &format!("{value}x"));
        watched.prints("asked 1");
        watched.says("restarted");
        watched.signal(asked);
        watched.prints("asked 2");
        watched.ends_with(5);
    }
}

#[test]
fn a_command_that_was_asked_to_end_is_not_restarted() {
    let cloud = Cloud::with("db", "hunter1");
    // It takes its time, and does not end before it is asked to in another way.
    let script = format!("trap 'echo asked' TERM; trap 'exit 6' USR1; echo $DB; {LOOP}");
    let watched = cloud.watch("--secret db -vv", &script);
    watched.prints("hunter1");
    watched.signal("-TERM");
    watched.prints("asked");
    while watched.stderr.try_recv().is_ok() {}
    cloud.change("db", "hunter2");
    while !watched.stderr.recv_timeout(PATIENCE).unwrap().contains("BatchGetSecretValue") {}
    watched.signal("-USR1");
    let mut watched = watched;
    assert_eq!(watched.csms.wait().unwrap().code(), Some(6));
    assert_eq!(watched.stdout.iter().count(), 0);
}

/// Answers of a service with one secret, whose version is another one with each look.
struct Versions {
    looks: AtomicUsize,
    of_looks: &'static [&'static str],
}

impl Respond for Versions {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let answer = |body: Json| ResponseTemplate::new(200).set_body_json(body);
        let path = request.url.path();
        if path.contains("/stages/") {
            let at = self.looks.fetch_add(1, Ordering::SeqCst).min(self.of_looks.len() - 1);
            return answer(json!({"stage": {"name": "SYSCURRENT", "version_id": self.of_looks[at]}}));
        }
        let at = self.looks.load(Ordering::SeqCst).min(self.of_looks.len()) - 1;
        let id = self.of_looks[at];
        answer(json!({"versions": [{
            "secret_string": format!("hunter {id}"),
            "version_metadata": {"id": id, "secret_name": "db", "version_stages": ["SYSCURRENT"]}
        }]}))
    }
}

#[test]
fn several_changes_make_one_restart() {
    let server = Server::start();
    let versions = Versions { looks: AtomicUsize::new(0), of_looks: &["v1", "v1", "v2", "v3", "v4", "v4"] };
    server.mount(Mock::given(path_regex("secrets")).respond_with(versions));
    let watched =
        Watched::start(Program::against(&server.mock, [""; 0]), &["--secret", "db"], &format!("echo $DB; {LOOP}"));
    watched.prints("hunter v1");
    watched.prints("hunter v4");
    watched.says("DB changed; the command is restarted");
    watched.signal("-TERM");
    watched.ends_with(128 + 15);
}

#[test]
fn the_end_of_the_command_does_not_wait_for_a_look() {
    let server = Server::start();
    let slow = ResponseTemplate::new(200).set_delay(PATIENCE);
    server.mount(Mock::given(path_regex("stages")).respond_with(slow).with_priority(2));
    let versions = || Versions { looks: AtomicUsize::new(1), of_looks: &["v1"] };
    server.mount(Mock::given(path_regex("stages")).respond_with(versions()).up_to_n_times(1).with_priority(1));
    server.mount(Mock::given(query_param_is_missing("x")).respond_with(versions()).with_priority(3));
    let script = format!("trap 'exit 3' USR1; echo $DB; {LOOP}");
    let watched =
        Watched::start(Program::against(&server.mock, [""; 0]), &["--secret", "db", "--timeout", "100s"], &script);
    watched.prints("hunter v1");
    while server.requests().iter().filter(|request| request.url.path().contains("stages")).count() < 2 {
        thread::sleep(Duration::from_millis(10));
    }
    watched.signal("-USR1");
    watched.ends_with(3);
}

#[test]
fn what_cannot_be_watched_is_told_before_the_command_starts() {
    let cloud = Cloud::with("db", "hunter1");
    let mut watched = cloud.watch("--secret db --env A=nothing", "echo started");
    assert_eq!(watched.csms.wait().unwrap().code(), Some(125));
    watched.says("secret \"nothing\" not found");
    assert_eq!(watched.stdout.iter().count(), 0);

    let user = User::new();
    user.create("db", "hunter1");
    for (flags, what) in [
        ("--watch", "--watch and --local exclude each other"),
        ("--watch --mask", "--watch and --mask exclude each other"),
        ("--on-change restart", "--watch is missing"),
    ] {
        user.run(&format!("exec --secret db {flags} -- true")).fails(2, what);
    }
    let server = Server::start();
    for (flags, what) in [
        ("--watch=soon", "--watch is no time"),
        ("--watch --on-change signal:NOTHING", "--on-change signal takes the name of a signal"),
        ("--watch --on-change often", "write restart, signal:HUP or exec:COMMAND"),
        ("--watch --on-change exec:", "write restart, signal:HUP or exec:COMMAND"),
        ("--watch --stop-signal 99", "--stop-signal takes the name of a signal"),
        ("--watch --grace x", "--grace is no time"),
        ("--watch --settle 0", "--settle is no time"),
    ] {
        let line = format!("exec --secret db {flags} -- true");
        Program::against(&server.mock, line.split_whitespace()).run().fails(2, what);
    }
    assert!(server.requests().is_empty());
}
