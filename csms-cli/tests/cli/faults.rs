//! A machine that does not do its part: no room, no home, somebody who does not wait.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use wiremock::{Mock, ResponseTemplate, matchers::any};

use crate::{
    cloud::Cloud,
    local::local,
    program::{Outcome, Program, Server},
    user::User,
};

/// For the slowest machine; without an end, a failure would hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a folder holds.
fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != ".local").collect();
    names.sort();
    names
}

fn waits_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        thread::sleep(Duration::from_millis(5));
    }
}

fn interrupt(child: &Child) {
    signal(child, Signal::INT);
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn a_full_disk_behind_stdout_is_told() {
    let user = User::new();
    user.create("db", "hunter2");
    for line in [
        "get db",
        "export db",
        "secret list",
        "secret describe db",
        "key list",
        "--help",
        "api --list",
        "explain ListKeys",
        "exec --mask --env A=db -- echo hello",
    ] {
        let (mut command, _home) = user.program(line).into_command();
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = command.stdin(Stdio::null()).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let outcome = Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::new(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        outcome.fails(1, "No space left on device");
        assert!(!outcome.stderr.contains("hunter2"));
    }
}

/// A call whose files cannot have more than so many blocks of 512 bytes, as on a disk that is full.
fn with_room_for(blocks: u32, program: Program, folder: &Path) -> Outcome {
    let (command, _home) = program.into_command();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""), "sh"]);
    shell.arg(command.get_program()).args(command.get_args()).env_clear().current_dir(folder);
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("PATH", "/usr/bin:/bin");
    let output = shell.stdin(Stdio::null()).output().unwrap();
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_full_disk_leaves_no_half_written_file_and_what_was_there() {
    let cloud = Cloud::with("db", &"hunter2".repeat(1000));
    let folder = tempfile::tempdir().unwrap();
    let created = cloud.program(["key", "create", "k"]).run();
    assert_eq!(created.code, 0, "{}", created.stderr);
    fs::write(folder.path().join("plain"), vec![7; 3 << 20]).unwrap();
    fs::write(folder.path().join("old"), "old").unwrap();
    let sealed = with_room_for(1 << 20, cloud.program(["encrypt", "plain", "--key", "k"]), folder.path());
    assert_eq!(sealed.code, 0, "{}", sealed.stderr);
    let before = names(folder.path());
    for line in [
        "get db --to-file new",
        "get db --to-file old --overwrite",
        "export db --to-file new",
        "encrypt plain --key k --to-file new",
        "encrypt plain --key k --to-file old --overwrite",
        "decrypt plain.enc --key k --to-file new",
        "decrypt plain.enc --key k --to-file old --overwrite",
        "rewrap plain.enc --from k --key k",
        "secret backup db --to-file new",
        "key random 1024 --to-file new",
    ] {
        let blocks = if line.contains("plain") { 64 } else { 1 };
        let full = with_room_for(blocks, cloud.program(line.split(' ')), folder.path());
        full.fails(1, "File too large").fails(1, "room");
        assert!(!full.stderr.contains("hunter2"), "{}", full.stderr);
        assert_eq!(names(folder.path()), before, "{line}");
        assert_eq!(fs::read_to_string(folder.path().join("old")).unwrap(), "old", "{line}");
    }
    let opened =
        cloud.program(["decrypt", "-", "--key", "k"]).stdin(fs::read(folder.path().join("plain.enc")).unwrap());
    assert_eq!(opened.run().code, 0);
}

#[test]
fn a_full_disk_ends_an_edit_and_leaves_no_copy() {
    let cloud = Cloud::with("db", &"hunter2".repeat(1000));
    let folder = tempfile::tempdir().unwrap();
    let edit = cloud.program(["secret", "edit", "db"]).env("EDITOR", "true").env("XDG_RUNTIME_DIR", "/dev/shm/none");
    let before = copies();
    let full = with_room_for(1, edit, folder.path());
    full.fails(1, "File too large");
    assert!(!full.stderr.contains("hunter2"), "{}", full.stderr);
    assert!(copies().iter().all(|copy| before.contains(copy)), "{:?}", copies());
}

/// Folders of edits, of this test and of others that run now.
fn copies() -> Vec<String> {
    names(Path::new("/dev/shm")).into_iter().filter(|name| name.starts_with("csms-edit-")).collect()
}

#[test]
fn without_a_home_that_can_be_written_only_local_data_are_missing() {
    for home in ["/proc/none", "/dev/null/none", "/dev/null"] {
        let refused = Program::new(["--local", "secret", "list"]).env("HOME", home).run();
        refused.fails(1, &format!("{home}/.local/share/csms cannot be made")).fails(1, "XDG_DATA_HOME");
        let cloud = Cloud::with("db", "value");
        let read = cloud.program(["get", "db"]).env("HOME", home).run();
        assert_eq!((read.code, read.stdout.as_str(), read.stderr.as_str()), (0, "value", ""));
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let elsewhere = Program::new(["--local", "secret", "list"])
        .env("HOME", "/dev/null")
        .env("XDG_DATA_HOME", elsewhere.path())
        .run();
    assert_eq!((elsewhere.code, elsewhere.stderr.as_str()), (0, ""));
}

#[test]
fn an_interrupt_in_the_middle_of_a_file_leaves_what_was_there() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    assert_eq!(local(home.path(), &["key", "create", "k"]).run().code, 0);
    fs::write(path("plain"), vec![7; 5 << 20]).unwrap();
    let run = |words: &str| {
        let (mut command, kept) = local(home.path(), &words.split(' ').collect::<Vec<_>>()).into_command();
        (
            command
                .current_dir(home.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
            kept,
        )
    };
    let (child, _kept) = run("encrypt plain --key k");
    assert!(child.wait_with_output().unwrap().status.success());
    fs::write(path("old"), "old").unwrap();
    let before = names(home.path());
    for (verb, input, target, asked) in [
        ("encrypt", "plain", "new", Signal::INT),
        ("encrypt", "plain", "old --overwrite", Signal::TERM),
        ("decrypt", "plain.enc", "new", Signal::HUP),
        ("decrypt", "plain.enc", "old --overwrite", Signal::INT),
    ] {
        let (mut child, _kept) = run(&format!("{verb} - --key k --to-file {target}"));
        // All but the end, which never comes.
        let bytes = fs::read(path(input)).unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&bytes[..bytes.len() - 1]).unwrap();
        waits_until("a draft", || names(home.path()).len() > before.len());
        signal(&child, asked);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(names(home.path()), before, "{verb} {target}");
        assert_eq!(fs::read_to_string(path("old")).unwrap(), "old");
        drop(stdin);
    }
}

#[test]
fn a_signal_that_was_to_be_ignored_ends_nothing() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(local(home.path(), &["key", "create", "k"]).run().code, 0);
    for (name, asked) in [("INT", Signal::INT), ("HUP", Signal::HUP), ("TERM", Signal::TERM)] {
        let target = format!("{name}.enc");
        let (command, _kept) = local(home.path(), &["encrypt", "-", "--key", "k", "--to-file", &target]).into_command();
        // As a shell does it for what a script runs in the background, and `nohup`.
        let mut ignoring = Command::new("/bin/sh");
        ignoring.args(["-c", &format!("trap '' {name}; exec \"$@\""), "sh"]).arg(command.get_program());
        ignoring.args(command.get_args()).env_clear().current_dir(home.path());
        ignoring.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let before = names(home.path());
        let mut child = ignoring.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&[7; 3 << 20]).unwrap();
        waits_until("a draft", || names(home.path()).len() > before.len());
        signal(&child, asked);
        // One that is heard ends it before it can be done.
        thread::sleep(Duration::from_millis(50));
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(home.path().join(target).exists());
    }
}

#[test]
fn an_interrupt_while_somebody_edits_leaves_no_copy_and_changes_nothing() {
    let user = User::new();
    user.create("db", "hunter2");
    let editor = user.home().join("editor");
    fs::write(&editor, "#!/bin/sh\necho \"$1\" > \"$HOME/edited\"\nwhile :; do sleep 0.02; done\n").unwrap();
    fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let edited = user.home().join("edited");
    let program = user.program("secret edit db").env("EDITOR", &editor).env("PATH", "/usr/bin:/bin");
    let (mut command, _home) = program.into_command();
    // Where this is started from a terminal it must not seem to have sent the signal.
    command.process_group(0);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let copy = || fs::read_to_string(&edited).unwrap_or_default();
    waits_until("the editor", || copy().ends_with('\n'));
    let copy = copy();
    assert!(Path::new(copy.trim()).exists());
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!Path::new(copy.trim()).parent().unwrap().exists(), "{copy}");
    assert_eq!(user.does("get db"), "hunter2");
}

#[test]
fn nothing_that_holds_values_or_keys_leaves_a_core() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("values.env"), "A=hunter2\n").unwrap();
    fs::write(home.path().join("template"), "{{ csms://db }}").unwrap();
    let key = "0d0466b0-e727-4d9c-b35d-f84bb474a37f";
    for (line, stdin) in [
        ("get db", ""),
        ("secret put db -", "hunter2"),
        ("secret patch db --set a=-", "hunter2"),
        ("secret edit db", ""),
        ("secret list", ""),
        ("secret describe db", ""),
        ("secret versions db", ""),
        ("secret diff db", ""),
        ("secret rm db --yes", ""),
        ("secret backup db --to-file backup", ""),
        ("secret rollback db", ""),
        ("export db", ""),
        ("exec --secret db -- true", ""),
        ("inject -i template", ""),
        ("redact --secret db", ""),
        ("scan --secret db template", ""),
        ("import values.env", ""),
        ("key list", ""),
        ("key random 16", ""),
        (&format!("key describe {key}"), ""),
        (&format!("key datakey {key}"), ""),
        (&format!("encrypt - --key {key} --to-file f"), "hunter2"),
        ("whoami", ""),
        ("doctor", ""),
        ("wait secret db --for enabled", ""),
        ("api csms ShowSecretVersion --secret-name db --version-id v1", ""),
    ] {
        let server = Server::start();
        let slow = ResponseTemplate::new(200).set_delay(PATIENCE).set_body_json(json!({}));
        server.mount(Mock::given(any()).respond_with(slow));
        let program = Program::against(&server.mock, line.split(' ')).env("EDITOR", "true");
        // It asks for nothing else.
        let program = if line == "whoami" { program.without("CSMS_PROJECT_ID") } else { program };
        let (mut command, _home) = program.into_command();
        // Not that of the files of a process which may leave a core.
        const GROUP: u32 = 12_345;
        if rustix::process::getuid().is_root() {
            command.gid(GROUP);
        }
        command.current_dir(home.path()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        waits_until(line, || !server.requests().is_empty() || child.try_wait().unwrap().is_some());
        assert!(!server.requests().is_empty(), "{line}: {}", io::read_to_string(child.stderr.take().unwrap()).unwrap());
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{line}: {core}");
        // What may not be dumped belongs to root.
        let about = fs::metadata(format!("/proc/{}/limits", child.id())).unwrap();
        assert_eq!((about.uid(), about.gid()), (0, 0), "{line}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
