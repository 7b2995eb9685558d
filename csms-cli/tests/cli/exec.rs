//! `csms exec`.

use std::process::Stdio;

use crate::{
    program::{Outcome, Program},
    user::User,
};

fn user() -> User {
    let user = User::new();
    user.create("db", r#"{"user":"admin","password":"hunter2"}"#);
    user
}

impl User {
    /// A shell with what `flags` give it.
    fn exec(&self, flags: &str, script: &str) -> Program {
        self.program(&format!("exec {flags} -- /bin/sh -c")).arguments([script])
    }
}

#[track_caller]
fn prints(program: Program, expected: &str) -> Outcome {
    let outcome = program.run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, expected), "{}", outcome.stderr);
    outcome
}

#[test]
fn a_command_finds_values_in_its_environment() {
    let user = user();
    let outcome = prints(user.exec("--secret db --env A=db#user", "echo $USER $PASSWORD $A"), "admin hunter2 admin\n");
    assert_eq!(outcome.stderr, "");
    let project = user.exec("--env A=db#user", "echo $A $B").file("csms.toml", "[env]\nB = 'csms://db#user'");
    prints(project, "admin admin\n");
}

#[test]
fn the_command_takes_the_place_of_csms() {
    let user = user();
    let (mut command, _home) = user.exec("--secret db", "echo $$").into_command();
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    assert_eq!(String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(), format!("{id}\n"));
    // The child's end is that of the process, whatever it is.
    assert_eq!(user.exec("--secret db", "exit 7").run().code, 7);
    // Local data are let go of: the command can use them.
    let csms = format!("{} --local get db#user", env!("CARGO_BIN_EXE_csms"));
    prints(user.exec("--secret db", &csms), "admin");
}

#[test]
fn words_behind_the_dashes_are_the_commands_own() {
    prints(user().program("exec --secret db -- printf %s|%s|%s --help --secret -r"), "--help|--secret|-r");
}

#[test]
fn nothing_is_started_where_a_reference_fails() {
    let user = user();
    user.exec("--secret db --env A=nothing", "echo started").run().fails(125, "\"nothing\" not found");
    user.exec("--env A=db#nothing", "echo started").run().fails(125, "has no field `nothing`");
    user.exec("", "true").run().fails(2, "nothing to give");
    user.run("exec --secret db").fails(2, "COMMAND");
    user.run("exec --secret db echo started").fails(2, "behind `--`");
}

#[test]
fn a_command_that_cannot_be_run_is_told_from_one_that_fails() {
    let user = user();
    user.run("exec --secret db -- no-such-program").fails(127, "`no-such-program` cannot be run");
    user.program("exec --secret db -- ./file").file("file", "no program").run().fails(126, "Permission denied");
}

#[test]
fn variables_that_are_set_already_are_overridden_kept_or_refused() {
    let user = user();
    let set = |flags: &str| user.exec(&format!("--env A=db#user {flags}"), "echo $A").env("A", "before");
    let outcome = prints(set(""), "admin\n");
    assert_eq!(outcome.stderr, "warning: A is set already; the value of --env A takes its place\n");
    assert_eq!(prints(set("--on-conflict keep"), "before\n").stderr, "");
    set("--on-conflict error").run().fails(125, "A is set already");
    set("--strict").run().fails(2, "A is set already");
    assert_eq!(prints(set("--pristine"), "admin\n").stderr, "");
}

#[test]
fn what_a_command_inherits_can_be_told() {
    let user = user();
    let env = |flags: &str| {
        let program = user.exec(&format!("--env A=db#user {flags}"), "/usr/bin/env");
        let program = program.env("LC_X", "1").env("LC_Y", "1").env("B", "1").env("CSMS_LOCAL", "1");
        let program = program.env("HW_SECRET_KEY", "hunter3").env("OS_PASSWORD", "hunter3");
        let outcome = program.run();
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        // The shell adds some of its own.
        let lines = outcome
            .stdout
            .lines()
            .filter(|line| !["PWD", "OLDPWD", "SHLVL", "_"].contains(&line.split('=').next().unwrap()));
        let mut names: Vec<_> = lines.map(|line| line.split('=').next().unwrap().to_owned()).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(env("--pristine"), "A");
    assert_eq!(env("--inherit LC_*,B"), "A B LC_X LC_Y");
    assert_eq!(env(""), "A B CSMS_LOCAL CSMS_METADATA_ENDPOINT HOME LC_X LC_Y");
    assert!(env("--keep-credentials").contains("HW_SECRET_KEY"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_is_in_memory_and_only_the_command_has_it() {
    let user = user();
    user.create("key", "line 1\nline 2\n");
    let script =
        "case $K in /proc/self/fd/*) ;; *) exit 1;; esac; cat $K; cat $K; { echo x >> $K; } 2>/dev/null || echo sealed";
    prints(user.exec("--file K=key", script), "line 1\nline 2\nline 1\nline 2\nsealed\n");
    prints(user.exec("--file K=db#user --file L=key", "cat $K $L | wc -c"), "19\n");
}

#[cfg(target_os = "linux")]
#[test]
fn files_are_out_of_the_way_of_those_that_scripts_number() {
    let user = user();
    prints(user.exec("--file K=db#user --file L=db#password", "exec 3>log 4>log; cat $K $L"), "adminhunter2");
    // As high as the limit of open files allows.
    for limit in ["64", "100"] {
        let csms = format!("{} --local exec --file K=db#user", env!("CARGO_BIN_EXE_csms"));
        let script = format!("ulimit -n {limit}; exec {csms} -- /bin/sh -c 'exec 3>log; cat $K'");
        let mut shell = std::process::Command::new("/bin/sh");
        let output = shell.args(["-c", &script]).env("HOME", user.home()).current_dir(user.home()).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "admin", "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn values_that_no_variable_can_hold_are_refused_by_name() {
    let user = user();
    user.create("odd", r#"{"zero":"hunter2\u0000"}"#);
    let outcome = user.exec("--env A=odd#zero", "true").run();
    outcome.fails(2, "A cannot be a variable");
    assert!(!outcome.stderr.contains("hunter2"));
}

#[test]
fn a_ci_system_is_told_first() {
    let user = user();
    let says = |flags: &str, variables: &[(&str, &str)], expected: &str| {
        let program = user.exec(&format!("{flags} --ci-mask"), "echo started >&2");
        let program = variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        assert_eq!(prints(program, "").stderr, format!("{expected}started\n"));
    };
    let github = ("GITHUB_ACTIONS", "true");
    says("--env A=db#user", &[github], "::add-mask::admin\n");
    // What the system would take for something else is written as it reads it back.
    user.create("odd", "50%25\r%\nline 2\r\n}\n");
    says("--secret odd", &[github], "::add-mask::50%2525%0D%25\n::add-mask::line 2\n");
    for (decodes, first) in [("", "50%AZP2525%0D%AZP25"), ("true", "50%AZP2525%0D%AZP25"), ("False", "50%25%0D%")] {
        let expected = format!("##vso[task.setsecret]{first}\n##vso[task.setsecret]line 2\n");
        says("--secret odd", &[("TF_BUILD", "True"), ("DECODE_PERCENTS", decodes)], &expected);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_may_leave_a_core_although_csms_may_not() {
    const SHOW: &str = "ulimit -H -c; ulimit -S -c";
    let shell = |script: &str| {
        let mut shell = std::process::Command::new("/bin/sh");
        // Usually there is none until somebody asks for it.
        shell.args(["-c", &format!("ulimit -S -c $(ulimit -H -c); {script}"), "sh"]);
        shell
    };
    let limits = shell(SHOW).output().unwrap().stdout;
    let user = user();
    for program in [
        user.exec("--secret db", SHOW),
        user.exec("--secret db --mask", SHOW),
        Program::new(["emulate", "--", "/bin/sh", "-c", SHOW]),
    ] {
        let (command, _home) = program.into_command();
        let mut outer = shell("exec \"$@\"");
        outer.arg(command.get_program()).args(command.get_args()).env_clear();
        outer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = outer.output().unwrap();
        assert_eq!(output.stdout, limits, "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn nothing_that_csms_itself_says_holds_a_value() {
    let user = user();
    user.create("sly", r#"{"PATH":"hunter2","USER":"hunter2"}"#);
    for flags in ["--secret db --secret sly -vv", "--secret db --env A=sly#nothing -vv", "--file A=db#password -vv"] {
        let outcome = user.exec(flags, "true").env("USER", "before").run();
        assert!(!outcome.stderr.contains("hunter2") && !outcome.stderr.is_empty(), "{}", outcome.stderr);
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn many_secrets_take_few_calls() {
    use serde_json::json;
    use wiremock::{Mock, ResponseTemplate, matchers::any};

    let server = crate::program::Server::start();
    let versions: Vec<_> = (0..45)
        .map(|number| {
            let name = format!("s{number}");
            json!({"secret_string": name, "version_metadata": {"id": "v1", "secret_name": name, "version_stages": ["SYSCURRENT"]}})
        })
        .collect();
    server.mount(
        Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(json!({"versions": versions}))),
    );
    let references = (0..45).map(|number| format!("--env=V{number}=s{number}"));
    let program = Program::against(&server.mock, ["exec"]).arguments(references);
    prints(program.arguments(["--", "/bin/sh", "-c", "echo $V0 $V44"]), "s0 s44\n");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn values_are_hidden_in_what_a_command_prints() {
    let user = user();
    let script = r#"echo "a $PASSWORD b"; printf hun; printf ter2; echo; printf %s $PASSWORD | base64; echo $PASSWORD >&2; exit 7"#;
    let outcome = user.exec("--secret db --mask", script).run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (7, "a **** b\n****\n****==\n"), "{}", outcome.stderr);
    assert_eq!(outcome.stderr, "****\n");
    user.create("short", "abc");
    let outcome = prints(user.exec("--secret short --mask", "echo $SHORT"), "abc\n");
    assert!(outcome.stderr.contains("SHORT is not hidden"), "{}", outcome.stderr);
    user.run("exec --mask --secret db -- no-such-program").fails(127, "`no-such-program` cannot be run");
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_is_lost_is_told_unless_nobody_reads_it() {
    let user = user();
    let run = |stdout: Stdio| {
        let script = "trap '' PIPE; echo hello; exit 7";
        let (mut command, _home) = user.exec("--secret db --mask", script).into_command();
        let output = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let (code, said) = run(full.into());
    assert_eq!(code, Some(7));
    assert!(said.starts_with("warning: stdout cannot be written (No space left on device"), "{said}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(run(writer.into()), (Some(7), String::new()));
}

#[test]
fn what_is_no_secret_is_not_hidden() {
    let user = user();
    let program = user
        .exec("--mask", "echo info: listening on $PORT as $A")
        .file("csms.toml", "[env]\nA = 'csms://db#user'\nLEVEL = 'info'\nPORT = 8080\n");
    prints(program, "info: listening on 8080 as ****\n");
}

#[test]
fn numbers_of_json_and_base64_in_lines_are_hidden() {
    let user = user();
    user.create("card", r#"{"pin":1234567,"codes":[7654321.50]}"#);
    prints(user.exec("--env C=card --mask", "echo 1234567 7654321.50 1234"), "**** **** 1234\n");
    let long = "0123456789abcdefghijklmnopqrstuvwxyz".repeat(5);
    user.create("long", &long);
    for command in ["base64", "base64 -w 64", "base64 | sed 's/$/\\r/'"] {
        let script = format!("printf %s $LONG | {command}; printf %s $LONG");
        let outcome = user.exec("--secret long --mask", &script).run();
        assert!(outcome.stdout.starts_with("****") && outcome.stdout.len() < 16, "{}", outcome.stdout);
    }
}

#[test]
fn a_value_in_a_file_is_hidden_as_well() {
    let user = user();
    prints(user.exec("--file P=db#password --mask", "cat $P; exec 1>&-; exec 2>&-"), "****");
}

#[test]
fn signals_are_passed_on_to_a_command_that_is_read() {
    use std::io::{BufRead as _, BufReader};
    let user = user();
    let script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    let (mut command, _home) = user.exec("--secret db --mask", script).into_command();
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let kill = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

/// A command that has ended after it has printed more than any pipe holds, while nobody reads what csms prints.
fn unread(user: &User) -> (std::process::Child, tempfile::TempDir) {
    let (mut command, home) = user.exec("--secret db --mask", "seq 1 20000; : > ended").into_command();
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    // A minute is for the slowest machine; without an end, a failure would hang.
    let has_ended = (0..6_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        home.path().join("ended").exists()
    });
    assert!(has_ended, "the command did not end");
    (child, home)
}

#[test]
fn all_output_reaches_a_reader_who_takes_its_time() {
    let user = user();
    let (child, _home) = unread(&user);
    // Longer than csms waits for output.
    std::thread::sleep(std::time::Duration::from_secs(4));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let expected: String = (1..=20_000).map(|number| format!("{number}\n")).collect();
    assert!(String::from_utf8(output.stdout).unwrap() == expected, "output is missing");
}

#[test]
fn a_signal_ends_what_waits_for_a_reader() {
    let user = user();
    let (mut child, _home) = unread(&user);
    // The first may come while the command is just about to be buried.
    for _ in 0..6_000 {
        assert!(
            std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success()
        );
        std::thread::sleep(std::time::Duration::from_millis(10));
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(128 + 15));
            return;
        }
    }
    panic!("csms did not end");
}

#[test]
fn what_a_command_has_left_running_is_not_waited_for() {
    let user = user();
    prints(user.exec("--secret db --mask", "{ sleep 60; echo late; } & echo done"), "done\n");
}

#[test]
fn many_signals_are_passed_on_and_none_that_was_to_be_ignored() {
    use std::{
        io::{BufRead as _, BufReader},
        os::unix::process::CommandExt as _,
    };
    let names = [
        "ALRM",
        "VTALRM",
        "PROF",
        "IO",
        "XCPU",
        "XFSZ",
        "WINCH",
        "URG",
        "USR1",
        "USR2",
        "INT",
        "QUIT",
        "ABRT",
        "TRAP",
        "SYS",
        #[cfg(target_os = "linux")]
        "PWR",
        // By their numbers, which is all that some shells know of them: STKFLT, and some of real time.
        #[cfg(target_os = "linux")]
        "16",
        #[cfg(target_os = "linux")]
        "37",
        #[cfg(target_os = "linux")]
        "63",
    ];
    let traps: String = names.iter().map(|name| format!("trap 'echo {name}' {name}; ")).collect();
    let script = format!("trap 'exit 9' TERM; {traps} echo ready; while :; do sleep 0.05; done");
    let user = user();
    let (command, home) = user.exec("--secret db --mask", &script).into_command();
    // As `nohup` does it.
    let mut ignoring = std::process::Command::new("/bin/sh");
    ignoring.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    ignoring.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    ignoring.current_dir(home.path()).process_group(0);
    let mut child = ignoring.stdout(Stdio::piped()).spawn().unwrap();
    let id = child.id().to_string();
    let kill = |signal: &str| {
        let kill = std::process::Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap();
        assert!(kill.success());
    };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "ready");
    for name in names {
        // Ignored by the command as well, which would end of it.
        kill("HUP");
        kill(name);
        assert_eq!(lines.next().unwrap(), name);
    }
    kill("TERM");
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_that_is_read_stops_and_goes_on_with_csms() {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        os::unix::process::CommandExt as _,
        thread::sleep,
        time::Duration,
    };
    let user = user();
    let script = "echo $$; read line; echo $line; exit 5";
    let (mut command, _home) = user.exec("--secret db --mask", script).into_command();
    // As a shell with job control does it: nothing stops where nobody in the session could wake it up.
    command.process_group(0);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let shell = lines.next().unwrap();
    let kill = |signal: &str, process: &str| {
        assert!(std::process::Command::new("kill").args([signal, process]).status().unwrap().success());
    };
    let is_stopped = |process: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        stat.rsplit(") ").next().unwrap().starts_with('T')
    };
    let csms = child.id().to_string();
    // A minute is for the slowest machine; without an end, a failure would hang.
    let both_come_to = |stopped: bool| {
        for _ in 0..6_000 {
            if [&csms, &shell].iter().all(|process| is_stopped(process) == stopped) {
                return;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("csms and its command did not come to stopped = {stopped}");
    };
    // Asked through csms, then the command by itself.
    for (signal, asked) in [("-TSTP", &csms), ("-TTIN", &csms), ("-TTOU", &csms), ("-TSTP", &shell)] {
        kill(signal, asked);
        both_come_to(true);
        kill("-CONT", &csms);
        both_come_to(false);
    }
    child.stdin.take().unwrap().write_all(b"hunter2\n").unwrap();
    assert_eq!(lines.next().unwrap(), "****");
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

#[test]
fn a_command_that_is_read_writes_to_a_terminal_where_csms_does() {
    use std::io::Read as _;

    use rustix::{
        pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
        termios::{Winsize, tcsetwinsize},
    };
    let user = user();
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    tcsetwinsize(&ours, Winsize { ws_row: 7, ws_col: 43, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = std::fs::File::options().read(true).write(true).open(name).unwrap();
    let script = "[ -t 1 ] && echo tty; [ -t 2 ] || echo $PASSWORD >&2; stty size <&1; echo $PASSWORD";
    let (mut command, _home) = user.exec("--secret db --mask", script).env("PATH", "/usr/bin:/bin").into_command();
    let child = command.stdout(theirs).stderr(Stdio::piped()).spawn().unwrap();
    drop(command);
    let mut printed = Vec::new();
    // At the end of a terminal there is an error.
    let _ = std::fs::File::from(ours).read_to_end(&mut printed);
    assert_eq!(String::from_utf8(printed).unwrap(), "tty\r\n7 43\r\n****\r\n");
    assert_eq!(child.wait_with_output().unwrap().stderr, b"****\n");
}
