//! `docs/transcript.txt`: what somebody sees who works at a terminal 80 columns wide. It is made by running it.

use std::{env, fs, path::Path, process::Command};

use crate::terminal::Terminal;

const COLUMNS: u16 = 80;
const INTRODUCTION: &str = "\
Some minutes at a terminal 80 columns wide, as a test of the command line shows it. CSMS_LOCAL=1 is set:
everything happens in the emulator inside csms. Passwords are typed, and not shown.

";

/// What is typed at a prompt, once it is shown.
enum Typed {
    Seen(&'static str, &'static str),
    Unseen(&'static str, &'static str),
}
use Typed::{Seen, Unseen};

/// Commands, and what is typed while they run.
const SESSION: &[(&str, &[Typed])] = &[
    ("csms secret put shop-db", &[Unseen("Value of", "correct horse"), Unseen("Once more", "correct horse")]),
    ("printf '{\"user\":\"mail\",\"password\":\"battery staple\"}' | csms secret put shop-mail", &[]),
    ("csms secret list", &[]),
    ("csms secret describe shop-mail", &[]),
    ("csms get shop-db", &[]),
    ("csms get shop-mail#user", &[]),
    ("printf 'from the vault' | csms secret patch shop-mail --set password=-", &[]),
    ("csms secret versions shop-mail", &[]),
    ("csms secret diff shop-mail", &[]),
    ("csms secret rollback shop-mail", &[]),
    ("csms exec --mask --env PASSWORD=shop-db -- sh -c 'echo \"the password is $PASSWORD\"'", &[]),
    ("csms key create shop", &[]),
    ("csms key describe shop", &[]),
    ("csms secret replica add shop-db --to cn-east-3 --wait", &[]),
    ("printf 'CACHE_URL=redis://cache\\nQUEUE_URL=amqp://queue\\n' > .env", &[]),
    ("csms import .env --name-prefix shop- --dry-run", &[]),
    ("csms import .env --name-prefix shop-", &[]),
    ("csms sync --from region=cn-north-4 --to region=cn-east-3 shop-mail", &[]),
    ("csms secret rm shop-mail", &[Seen("[y/N] ", "n")]),
    ("csms secret rm shop-mail", &[Seen("[y/N] ", "y")]),
    ("csms secret restore shop-mail", &[]),
    ("csms policy -- exec --secret shop-db -- ./server", &[]),
    ("csms get shop-bd", &[]),
];

#[test]
fn the_transcript_is_what_the_program_shows() {
    let home = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_csms")).parent().unwrap().to_owned();
    let path = env::join_paths([program].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap()))).unwrap();
    let mut transcript = INTRODUCTION.to_owned();
    for (line, typed) in SESSION {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(home.path()).env("HOME", home.path()).env("PATH", &path);
        shell.env("CSMS_LOCAL", "1").env("NO_COLOR", "1").env("CSMS_METADATA_ENDPOINT", "off");
        let mut terminal = Terminal::start(&shell, COLUMNS);
        for typed in *typed {
            let (Seen(prompt, text) | Unseen(prompt, text)) = typed;
            terminal.waits_for(prompt);
            match typed {
                Seen(..) => terminal.types(text),
                Unseen(..) => terminal.types_unseen(text),
            };
        }
        let (_, shown) = terminal.ends();
        transcript.push_str(&format!("$ {line}\n{}\n", as_left_on_screen(&shown)));
    }
    for secret in ["correct horse", "battery staple", "from the vault"] {
        let lines = transcript.lines().filter(|line| !line.starts_with('$') && line.contains(secret));
        assert!(lines.count() <= 1, "only `get` shows {secret}");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/transcript.txt");
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&file, &transcript).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap();
    assert_eq!(without_chance(&transcript), without_chance(&expected), "UPDATE_SNAPSHOTS=1 accepts the change");
}

/// What a terminal shows in the end: a line that was written over is what came last.
fn as_left_on_screen(shown: &str) -> String {
    let erased =
        |line: &str| line.trim_end_matches('\r').rsplit(['\r']).next().unwrap_or_default().replace("\x1b[K", "");
    shown.lines().map(erased).fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

/// Ids, times and the widths that follow from them are others in each run.
fn without_chance(text: &str) -> String {
    let is_id = |word: &str| {
        let digits = word.trim_end_matches(')').bytes().filter(u8::is_ascii_hexdigit).count();
        word.len() >= 32 && digits == 32
    };
    let word = |word: &str| match word {
        id if is_id(id) => "ID".to_owned(),
        "now" => "N s ago".to_owned(),
        number if number.bytes().all(|byte| byte.is_ascii_digit()) => "N".to_owned(),
        other => other.to_owned(),
    };
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
