//! Files and streams of any size under keys.

use std::{fs, path::Path, process::Stdio};

use crate::{
    local::local,
    program::{Outcome, Program},
};

const PLAIN: &str = "what nobody else may read";

/// A user with keys called `one` and `two`, one called `far` elsewhere, and a file `x`.
fn user() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, region) in [("one", "cn-north-4"), ("two", "cn-north-4"), ("far", "cn-east-3")] {
        let created = local(home.path(), &["key", "create", name, "-r", region]).run();
        assert_eq!(created.code, 0, "{}", created.stderr);
    }
    fs::write(home.path().join("x"), PLAIN).unwrap();
    home
}

/// Runs in the user's folder.
fn run(home: &Path, words: &str) -> Outcome {
    program(home, words).run()
}

fn program(home: &Path, words: &str) -> Program {
    let words: Vec<String> = words
        .split(' ')
        .map(|word| match word.starts_with("./") {
            true => home.join(&word[2..]).to_str().unwrap().to_owned(),
            false => word.to_owned(),
        })
        .collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    local(home, &words)
}

/// What a folder holds, without the data of the emulator.
fn names(home: &Path) -> Vec<String> {
    let names = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != ".local").collect();
    names.sort();
    names
}

#[test]
fn a_file_comes_back_as_it_was_and_only_its_owner_can_read_it() {
    let home = user();
    let sealed = run(home.path(), "encrypt ./x --key one --context app=billing");
    assert_eq!((sealed.code, sealed.stdout.as_str()), (0, ""), "{}", sealed.stderr);
    assert!(sealed.stderr.contains("x.enc"), "{}", sealed.stderr);
    assert!(!fs::read(home.path().join("x.enc")).unwrap().windows(6).any(|part| part == b"nobody"));
    // What is there is not touched.
    run(home.path(), "decrypt ./x.enc --key one --context app=billing").fails(2, "x exists");
    run(home.path(), "encrypt ./x --key one").fails(2, "x.enc exists");
    fs::remove_file(home.path().join("x")).unwrap();
    let facts = run(home.path(), "decrypt ./x.enc --key one --context app=billing -o json").json();
    assert_eq!(facts["bytes"], PLAIN.len());
    assert_eq!(fs::read_to_string(home.path().join("x")).unwrap(), PLAIN);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for name in ["x", "x.enc"] {
            assert_eq!(home.path().join(name).metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    let again = run(home.path(), "decrypt ./x.enc --key one --context app=billing --overwrite");
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(names(home.path()), ["x", "x.enc"]);
}

#[test]
fn streams_go_from_stdin_to_stdout() {
    let home = user();
    let sealed = run(home.path(), "encrypt ./x --key one --to-file ./sealed");
    assert_eq!(sealed.code, 0, "{}", sealed.stderr);
    let bytes = fs::read(home.path().join("sealed")).unwrap();
    for words in ["decrypt - --key one", "decrypt - --key one --stream", "decrypt - --any-key"] {
        // What is small is never on the disk in plain.
        let opened = program(home.path(), words).stdin(bytes.clone()).env("TMPDIR", "/nonexistent").run();
        assert_eq!((opened.code, opened.stdout.as_str(), opened.stderr.as_str()), (0, PLAIN, ""), "{words}");
    }
    let opened = run(home.path(), "decrypt ./sealed --key one --to-file -");
    assert_eq!(opened.stdout, PLAIN);
    // Only this run's stdout is binary.
    let (mut command, _home) = program(home.path(), "encrypt - --key one").into_command();
    let input = fs::File::open(home.path().join("x")).unwrap();
    let sealed = command.stdin(input).output().unwrap();
    assert!(sealed.stdout.starts_with(b"CSMSENV"), "{}", String::from_utf8_lossy(&sealed.stderr));
    let opened = program(home.path(), "decrypt - --key one").stdin(sealed.stdout).run();
    assert_eq!(opened.stdout, PLAIN, "{}", opened.stderr);
}

#[test]
fn what_is_not_whole_and_genuine_is_refused_with_13_and_prints_nothing() {
    let home = user();
    assert_eq!(run(home.path(), "encrypt ./x --key one --context a=b --to-file ./s").code, 0);
    let good = fs::read(home.path().join("s")).unwrap();
    let mut altered = good.clone();
    *altered.last_mut().unwrap() ^= 1;
    let mut header = good.clone();
    header[40] ^= 1;
    let cases = [
        (altered, "--key one --context a=b", "altered"),
        (good[..good.len() - 1].to_vec(), "--key one --context a=b", "altered or cut off"),
        (good[..100].to_vec(), "--key one --context a=b", "ends too early"),
        (b"something else, and long enough".to_vec(), "--key one --context a=b", "no file that `csms encrypt` made"),
        (header, "--key one --context a=b", "context"),
        (good.clone(), "--key one --context a=c", "another context"),
        (good.clone(), "--key one", "another context"),
        (good.clone(), "--key two --context a=b", "under none of the keys"),
    ];
    for (bytes, flags, what) in cases {
        program(home.path(), &format!("decrypt - {flags}")).stdin(bytes.clone()).run().fails(13, what);
        fs::write(home.path().join("bad.enc"), bytes).unwrap();
        run(home.path(), &format!("decrypt ./bad.enc {flags}")).fails(13, what);
        assert_eq!(names(home.path()), ["bad.enc", "s", "x"], "{what}");
    }
}

#[test]
fn only_with_stream_is_the_beginning_printed_of_what_has_no_end() {
    let home = user();
    fs::write(home.path().join("x"), "a".repeat(100_000)).unwrap();
    assert_eq!(run(home.path(), "encrypt ./x --key one").code, 0);
    let mut sealed = fs::read(home.path().join("x.enc")).unwrap();
    sealed.pop();
    program(home.path(), "decrypt - --key one").stdin(sealed.clone()).run().fails(13, "nothing of it");
    let streamed = program(home.path(), "decrypt - --key one --stream").stdin(sealed).run();
    assert_eq!((streamed.code, streamed.stdout.as_str()), (13, "a".repeat(64 << 10).as_str()));
    assert!(streamed.stderr.contains("genuine, but it is not all"), "{}", streamed.stderr);
}

#[test]
fn each_of_several_keys_opens_a_file_and_rewrapping_changes_them() {
    let home = user();
    assert_eq!(run(home.path(), "encrypt ./x --key one --region-key cn-east-3=far").code, 0);
    let opened = run(home.path(), "decrypt ./x.enc --key far -r cn-east-3 --to-file -");
    assert_eq!(opened.stdout, PLAIN, "{}", opened.stderr);
    run(home.path(), "rewrap ./x.enc --key two").fails(2, "--from");
    run(home.path(), "rewrap ./x.enc --key two --from two").fails(13, "under none of the keys");
    let moved = run(home.path(), "rewrap ./x.enc --key two --from one");
    assert_eq!(moved.code, 0, "{}", moved.stderr);
    assert_eq!(run(home.path(), "decrypt ./x.enc --key two --to-file -").stdout, PLAIN);
    run(home.path(), "decrypt ./x.enc --key one --to-file -").fails(13, "under none of the keys");
    assert_eq!(names(home.path()), ["x", "x.enc"]);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
    let home = user();
    run(home.path(), "encrypt ./x").fails(2, "--key KEY");
    run(home.path(), "decrypt ./x.enc").fails(2, "--any-key");
    run(home.path(), "decrypt ./x --key one").fails(2, "--to-file");
    run(home.path(), "encrypt ./nowhere --key one").fails(2, "nowhere");
    run(home.path(), "encrypt ./x --key none").fails(3, "key \"none\" not found in cn-north-4");
    run(home.path(), "encrypt ./x --region-key far").fails(2, "REGION=KEY");
    run(home.path(), "encrypt ./x --key one --context a").fails(2, "NAME=VALUE");
    run(home.path(), "encrypt ./x --key one --context a=b --context a=c").fails(2, "a is named twice");
    run(home.path(), "encrypt ./x --key one --to-file ./no/where").fails(2, "cannot be written");
    assert_eq!(names(home.path()), ["x"]);
}

/// Starts a call that waits for the rest of its input, which never comes.
#[cfg(unix)]
#[test]
fn ctrl_c_leaves_no_half_written_file() {
    use std::io::Write as _;
    let home = user();
    let (mut command, _home) = program(home.path(), "encrypt - --key one --to-file ./big.enc").into_command();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // More than a pipe and its readers hold: once it is taken, some of it is written.
    input.write_all(&vec![7; 2 << 20]).unwrap();
    assert!(names(home.path()).len() > 1, "there is a draft");
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(names(home.path()), ["x"]);
    drop(input);
}

/// Most memory that a call had, in kilobytes.
#[cfg(target_os = "linux")]
fn peak(home: &Path, words: &str) -> u64 {
    let (command, _home) = program(home, words).into_command();
    let mut shell = std::process::Command::new("/bin/sh");
    // The child of the shell is asked for its own figures once its output is there.
    shell.args([
        "-c",
        r#""$@" < big > out & child=$!; peak=0; while kill -0 $child 2>/dev/null; do
        now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$child/status 2>/dev/null);
        [ -n "$now" ] && peak=$now; sleep 0.02; done; wait $child && echo $peak"#,
        "sh",
    ]);
    shell.arg(command.get_program()).args(command.get_args()).env_clear().current_dir(home);
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("PATH", "/usr/bin:/bin");
    let output = shell.output().unwrap();
    let peak = String::from_utf8(output.stdout).unwrap();
    peak.trim().parse().unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_file() {
    let home = user();
    // Enough for it to be looked at more than once on its way.
    fs::write(home.path().join("big"), vec![7; 1 << 20]).unwrap();
    let base = peak(home.path(), "encrypt - --key one");
    fs::write(home.path().join("big"), vec![7; 64 << 20]).unwrap();
    let sealing = peak(home.path(), "encrypt - --key one");
    fs::rename(home.path().join("out"), home.path().join("big")).unwrap();
    let opening = peak(home.path(), "decrypt - --key one");
    assert_eq!(fs::metadata(home.path().join("out")).unwrap().len(), 64 << 20);
    for peak in [sealing, opening] {
        assert!(peak < base + (32 << 10), "{peak} kB, and {base} kB for 1 MiB");
    }
}
