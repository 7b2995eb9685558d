//! What a person is asked on a terminal, and what is done with the answer.

use rustix::process::Signal;
use serde_json::json;

use crate::{cloud::Cloud, terminal::Terminal, user::User};

const VALUE: &str = "hunter2-hunter2";

fn on_terminal(user: &User, command: &str) -> Terminal {
    Terminal::open(user.program(command), 80)
}

#[test]
fn a_value_is_asked_for_twice_and_never_shown() {
    let user = User::new();
    let mut terminal = on_terminal(&user, "secret put db");
    terminal.waits_for("Value of db (not shown):").shown();
    terminal.types_unseen(VALUE).waits_for("Once more:");
    terminal.types_unseen(VALUE);
    let (code, shown) = terminal.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("created db (v1)") && !shown.contains(VALUE), "{shown}");
    assert_eq!(user.does("get db"), VALUE);
}

#[test]
fn values_that_differ_are_refused() {
    let user = User::new();
    let mut terminal = on_terminal(&user, "secret put db");
    terminal.waits_for("not shown").shown();
    terminal.types_unseen(VALUE).waits_for("Once more:");
    terminal.types_unseen("another");
    let (code, shown) = terminal.ends();
    assert_eq!(code, 2, "{shown}");
    assert!(shown.contains("not the same") && !shown.contains(VALUE), "{shown}");
    user.run("get db").fails(3, "not found");
}

#[test]
fn a_deletion_is_confirmed_with_yes_and_nothing_else() {
    let user = User::new();
    user.create("db", "value");
    for (answer, code) in [("", 14), ("no", 14), ("yes please", 14), ("y", 0)] {
        let mut terminal = on_terminal(&user, "secret rm db");
        terminal.waits_for("csms secret rm db in cn-north-4 (local)?").waits_for("[y/N]");
        terminal.types(answer);
        let (ended, shown) = terminal.ends();
        assert_eq!(ended, code, "{answer}: {shown}");
    }
    user.run("get db").fails(6, "CSMS.");
}

#[test]
fn what_nothing_undoes_wants_the_name_typed() {
    let user = User::new();
    user.create("db", "value");
    user.create("other", "value");
    for (command, answer, code) in [
        ("secret rm db --now", "y", 14),
        ("secret rm db --now", "other", 14),
        ("secret rm db other --now", "db", 14),
        ("secret rm db --now", "db", 0),
    ] {
        let mut terminal = on_terminal(&user, command);
        terminal.waits_for("for good").waits_for("to go on:");
        terminal.types(answer);
        let (ended, shown) = terminal.ends();
        assert_eq!(ended, code, "{command}: {shown}");
    }
    user.run("get db").fails(3, "not found");
    assert_eq!(user.does("get other"), "value");
}

#[test]
fn a_terminal_is_not_asked_where_that_is_forbidden() {
    let user = User::new();
    user.create("db", "value");
    for program in [
        user.program("secret rm db --no-input"),
        user.program("secret rm db").env("CSMS_NO_INPUT", "1"),
        user.program("secret rm db").env("CI", "true"),
    ] {
        let (code, shown) = Terminal::open(program, 80).ends();
        assert_eq!(code, 14, "{shown}");
        assert!(shown.contains("nobody to be asked"), "{shown}");
    }
    let (code, shown) = Terminal::open(user.program("secret put db --no-input"), 80).ends();
    assert_eq!(code, 2, "{shown}");
    assert_eq!(user.does("get db"), "value");
}

#[test]
fn what_could_not_be_stored_after_editing_can_be_saved() {
    let user = User::new();
    user.create("db", "one");
    let editor = user.home().join("editor");
    let script = "#!/bin/sh\necho mine > \"$1\"\nprintf theirs | \"$CSMS\" --local secret put db -\n";
    std::fs::write(&editor, script).unwrap();
    std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let edit = || user.program("secret edit db").env("EDITOR", &editor).env("CSMS", env!("CARGO_BIN_EXE_csms"));
    let saved = user.home().join("saved");
    let mut terminal = Terminal::open(edit(), 80);
    terminal.waits_for("File to save your text in");
    terminal.types(saved.to_str().unwrap());
    let (code, shown) = terminal.ends();
    assert_eq!(code, 6, "{shown}");
    assert_eq!(std::fs::read_to_string(saved).unwrap(), "mine");

    // Ctrl-C is an answer as well, and what cannot be written is asked for again.
    user.program("secret put db -").stdin("back").run();
    let mut terminal = Terminal::open(edit(), 80);
    terminal.waits_for("File to save your text in");
    terminal.types(user.home().join("saved").to_str().unwrap()).waits_for("saved exists");
    terminal.types("none/saved").waits_for("none/saved cannot be written");
    terminal.types("~/again").waits_for("/again, which only you can read");
    let (code, shown) = terminal.ends();
    assert_eq!(code, 6, "{shown}");
    assert!(!shown.contains("--overwrite"), "{shown}");
    assert_eq!(std::fs::read_to_string(user.home().join("again")).unwrap(), "mine");
    user.program("secret put db -").stdin("back").run();
    let mut terminal = Terminal::open(edit(), 80);
    terminal.waits_for("File to save your text in");
    terminal.interrupts();
    assert_eq!(terminal.ends().0, 6);
    assert_eq!(user.does("get db"), "theirs");
}

#[test]
fn an_interrupt_while_an_edited_text_is_stored_loses_nothing() {
    let cloud = Cloud::with("db", r#"{"user":"a"}"#);
    cloud.set_faults(&json!([{"operation": "CreateSecretVersion", "delay_ms": 3_600_000}]));
    let program = cloud.program(["secret", "edit", "db"]).env("EDITOR", "sed -i s/a/b/").env("PATH", "/usr/bin:/bin");
    let saved = tempfile::tempdir().unwrap();
    let path = saved.path().join("saved");
    let mut terminal = Terminal::open(program, 200);
    terminal.waits_for("changed user");
    terminal.interrupts().waits_for("interrupted (whether the value was stored is not known)");
    terminal.waits_for("File to save your text in (empty: none):");
    terminal.types(path.to_str().unwrap());
    let (code, shown) = terminal.ends();
    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains("csms secret versions db shows it"), "{shown}");
    assert_eq!(std::fs::read_to_string(path).unwrap(), r#"{"user":"b"}"#);
}

#[test]
fn a_question_of_edit_is_ended_by_what_asks_a_program_to_end() {
    let user = User::new();
    user.create("db", r#"{"user":"a"}"#);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let edit = user.program("secret edit db").env("EDITOR", "echo hunter2 >").env("PATH", "/usr/bin:/bin");
        let terminal = Terminal::open(edit, 80);
        terminal.waits_for("Edit it again? [Y/n]").is_sent(signal);
        let (code, shown) = terminal.ends();
        assert_eq!(code, 130, "{signal:?}: {shown}");
        assert!(shown.contains("nothing was changed") && !shown.contains("stored"), "{shown}");
    }
    assert_eq!(user.does("get db"), r#"{"user":"a"}"#);
}

#[test]
fn a_narrow_terminal_gets_a_narrow_table() {
    let user = User::new();
    user.create("a-name-that-is-quite-long-for-a-secret", "value");
    let (code, shown) = Terminal::open(user.program("secret list --color never"), 40).ends();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains('…') && shown.lines().all(|line| line.trim_end().chars().count() <= 40), "{shown}");
}

#[test]
fn each_region_has_one_line_that_tells_how_far_it_is() {
    let user = User::new();
    user.create("db", "value");
    let command = "secret replica add db --to cn-east-3,ap-southeast-1 --wait";
    let (code, shown) = Terminal::open(user.program(command).env("TERM", "xterm"), 80).ends();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("\x1b[2A\x1b[2Kcn-east-3: InSync\r\n\x1b[2Kap-southeast-1: InSync\r\n"), "{shown:?}");
    let (_, plain) = Terminal::open(user.program(command).env("TERM", "dumb"), 80).ends();
    assert!(plain.contains("cn-east-3: InSync") && !plain.contains('\x1b'), "{plain:?}");
}
