//! The command of this run as that of another one, for hints.

use std::{env, path::Path};

use csms_sdk::bulk::Mode;

use crate::text::shell_word;

/// Flags that say what one run does, and whether a value stands behind them. What stays names input and place.
const OF_ONE_RUN: [(&str, bool); 5] =
    [("--mode", true), ("--plan", true), ("--apply", true), ("--dry-run", false), ("--exit-code", false)];

/// The command that does what a plan says, or goes on with a journal.
pub(super) fn applying(path: &Path) -> String {
    with(words(), &["--apply", &path.display().to_string()])
}

/// The command that begins anew in the same mode.
pub(super) fn anew(mode: &Mode, more: &[&str]) -> String {
    let mode: &[&str] = match mode {
        Mode::Create => &["--mode", "create"],
        Mode::Mirror(_) => &["--mode", "mirror"],
        // It is the default.
        _ => &[],
    };
    with(words(), &[mode, more].concat())
}

/// What the program was called with. What is not UTF-8 can only be shown.
fn words() -> impl Iterator<Item = String> {
    env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned())
}

/// A command with other flags [of one run](OF_ONE_RUN).
fn with(mut words: impl Iterator<Item = String>, flags: &[&str]) -> String {
    let mut command = vec!["csms".to_owned()];
    let mut end = None;
    while let Some(word) = words.next() {
        if word == "--" {
            end = Some(word);
            break;
        }
        let flag = OF_ONE_RUN.iter().find(|(flag, _)| word.split('=').next() == Some(*flag));
        match flag {
            Some((flag, true)) if word == *flag => drop(words.next()),
            Some(_) => {}
            None => command.push(shell_word(&word)),
        }
    }
    command.extend(flags.iter().map(|word| shell_word(word)));
    // Behind it there are no flags.
    command.extend(end.into_iter().chain(words).map(|word| shell_word(&word)));
    command.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_repeated_with_other_flags_of_its_run_and_nothing_else_is_lost() {
        for (words, flags, expected) in [
            (
                "--local import a.env --mode mirror --all --apply=old --yes --mode=create --apply x",
                &["--apply", "/tmp/a b.jsonl"][..],
                "csms --local import a.env --all --yes --apply '/tmp/a b.jsonl'",
            ),
            (
                "import - --format json --name-prefix a- -p x --plan p --dry-run --exit-code",
                &[],
                "csms import - --format json --name-prefix a- -p x",
            ),
            (
                "sync --from project=a --to project=b --mode create -- --mode db",
                &["--apply", "j"],
                "csms sync --from project=a --to project=b --apply j -- --mode db",
            ),
        ] {
            assert_eq!(with(words.split(' ').map(str::to_owned), flags), expected);
        }
    }
}
