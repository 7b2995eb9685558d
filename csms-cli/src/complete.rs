//! Completion: what could stand at the cursor. The scripts that `csms completion` prints call this program with the
//! words of the line behind `--`, and with `CSMS_COMPLETE` naming the shell.
//!
//! A completion prints candidates or nothing: it asks nothing, and says nothing about what went wrong.

mod bash;
mod names;

use std::{
    collections::BTreeSet,
    env,
    ffi::{OsStr, OsString},
    fs,
    process::ExitCode,
    sync::Arc,
};

use clap::{Arg, Command, ValueHint};
use clap_complete::{
    engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _},
    env::{EnvCompleter, Fish, Powershell, Zsh},
};
use csms_sdk::{Service, credentials::KooCli, env::Env, operations, region};

pub(crate) use self::names::forget;
use self::{bash::Bash, names::Names};
use crate::{
    cli,
    config::{self, Config},
    output, process,
};

const VARIABLE: &str = "CSMS_COMPLETE";

/// The shells, by the names that `csms completion` has for them.
pub(crate) const SHELLS: [&str; 4] = ["bash", "zsh", "fish", "powershell"];

fn shell(name: &str) -> Option<&'static dyn EnvCompleter> {
    Some(match name {
        "bash" => &Bash,
        "zsh" => &Zsh,
        "fish" => &Fish,
        "powershell" => &Powershell,
        _ => return None,
    })
}

/// The script that has a shell ask this program.
pub(crate) fn script(name: &str) -> Vec<u8> {
    let mut script = Vec::new();
    if let Some(shell) = shell(name) {
        // Writing into memory does not fail.
        let _ = shell.write_registration(VARIABLE, "csms", "csms", "csms", &mut script);
    }
    script
}

/// Answers a script, if it is one that called: a variable alone that somebody has set is no reason to do nothing else.
pub(crate) fn answer() -> Option<ExitCode> {
    let name = env::var_os(VARIABLE).filter(|_| env::args_os().nth(1).is_some_and(|word| word == "--"))?;
    process::protect();
    // What goes wrong must not be written over the line that somebody types.
    std::panic::set_hook(Box::new(|_| {}));
    let words = without_policy(env::args_os().skip(2).collect());
    let mut candidates = Vec::new();
    if let (Some(shell), false) = (name.to_str().and_then(shell), words.is_empty()) {
        let mut command = grammar(&words);
        let here = env::current_dir().ok();
        // No candidates are an answer as well.
        let _ = shell.write_complete(&mut command, words, here.as_deref(), &mut candidates);
        let _ = output::print(&candidates);
    }
    Some(ExitCode::SUCCESS)
}

/// What stands behind `csms policy --` is a line of this program. It keeps its number of words, by which shells say where
/// the cursor is.
fn without_policy(mut words: Vec<OsString>) -> Vec<OsString> {
    let end = words.iter().position(|word| word == "--");
    let policy = words.iter().take(end.unwrap_or_default()).position(|word| word == "policy");
    if let (Some(policy), Some(end)) = (policy, end.filter(|end| end + 1 < words.len())) {
        for at in [policy, end] {
            words[at] = "-v".into();
        }
    }
    words
}

/// The grammar of the line, in which every argument knows what could be its value.
fn grammar(words: &[OsString]) -> Command {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    // Zsh hands in what stands behind the cursor, too.
    let cursor = env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    let current = words.get(cursor.unwrap_or(words.len() - 1)).map_or("", String::as_str);
    let before = cursor.unwrap_or(words.len() - 1).checked_sub(1).and_then(|before| words.get(before));
    let cursor = Cursor { is_flag: current.starts_with('-'), begins_command: before.is_some_and(|word| word == "--") };
    let names = Arc::new(Names::of(&words));
    let mut command = cli::command(&words);
    // Adds the flags that clap makes.
    command.build();
    knowing(command, &["csms"], cursor, &names)
}

/// What the cursor is at.
#[derive(Clone, Copy)]
struct Cursor {
    is_flag: bool,
    /// Whether it is at the first word behind `--`.
    begins_command: bool,
}

/// The same command with candidates for the values of its arguments. Before a flag is begun, flags are offered only
/// where nothing else could follow.
fn knowing(command: Command, path: &[&str], cursor: Cursor, names: &Arc<Names>) -> Command {
    let takes_words = command.has_subcommands() || command.get_positionals().next().is_some();
    let command = command.mut_args(|arg| {
        let arg = if takes_words && !cursor.is_flag && !arg.is_positional() { arg.hide(true) } else { arg };
        match Kind::of(path, &arg) {
            Some(Kind::Path) => arg.value_hint(ValueHint::AnyPath),
            Some(Kind::Command) if !cursor.begins_command => arg.value_hint(ValueHint::AnyPath),
            Some(kind) => {
                let names = Arc::clone(names);
                arg.add(ArgValueCompleter::new(move |current: &OsStr| kind.candidates(current, &names)))
            }
            None => arg,
        }
    });
    command.mut_subcommands(|inner| {
        let name = inner.get_name().to_owned();
        knowing(inner, &[path, &[&name]].concat(), cursor, names)
    })
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Secret,
    /// `NAME@VERSION`
    Reference,
    /// `VAR=NAME@VERSION`
    Variable,
    Key,
    Region,
    Profile,
    /// One of `config.toml`.
    OwnProfile,
    Setting,
    Operation,
    Path,
    /// `region=R,profile=NAME`
    Place,
    /// A place or a file.
    Side,
    /// A program, and what it is given.
    Command,
}

impl Kind {
    /// Told by what the help calls the value, and for parameters of operations by their names.
    fn of(path: &[&str], arg: &Arg) -> Option<Self> {
        let is_parameter = |names: &[&str]| {
            let id = arg.get_id().as_str();
            names.contains(&id) || arg.get_long().is_some_and(|long| names.contains(&long))
        };
        let value = arg.get_value_names().and_then(<[_]>::first).map_or("", |name| name.as_str());
        match value {
            "REFERENCE" | "REF" => Some(Self::Reference),
            "VAR=REF" => Some(Self::Variable),
            "KEY" => Some(Self::Key),
            "REGION" | "REGIONS" => Some(Self::Region),
            "PROFILE" if arg.is_positional() => Some(Self::OwnProfile),
            "PROFILE" => Some(Self::Profile),
            "SETTING" => Some(Self::Setting),
            "OPERATION" => Some(Self::Operation),
            "PATH" | "FILE" => Some(Self::Path),
            "PLACE" => Some(Self::Place),
            "A" | "B" => Some(Self::Side),
            "COMMAND" if arg.is_positional() => Some(Self::Command),
            "NAME" if arg.is_positional() && matches!(path.get(1), Some(&("secret" | "wait" | "sync" | "diff"))) => {
                Some(Self::Secret)
            }
            _ if is_parameter(&["secret_name"]) => Some(Self::Secret),
            _ if is_parameter(&["key_id", "kms_key_id"]) => Some(Self::Key),
            _ => None,
        }
    }

    /// The candidates that begin as what is typed.
    fn candidates(self, current: &OsStr, names: &Names) -> Vec<CompletionCandidate> {
        let Some(current) = current.to_str() else { return Vec::new() };
        let found: Vec<String> = match self {
            Self::Secret => names.secrets(),
            Self::Reference => references(current, names),
            Self::Variable => match current.split_once('=') {
                Some((variable, rest)) => {
                    references(rest, names).into_iter().map(|reference| format!("{variable}={reference}")).collect()
                }
                None => Vec::new(),
            },
            Self::Key => keys(current, names),
            Self::Region => regions(),
            Self::Profile => profiles(),
            Self::OwnProfile => own_profiles(),
            Self::Setting => config::SETTINGS.iter().map(|&name| name.to_owned()).collect(),
            Self::Operation => operations().map(|info| info.name.to_owned()).collect(),
            Self::Place | Self::Side => places(current),
            Self::Command => programs(),
            Self::Path => Vec::new(),
        };
        let found = found.into_iter().filter(|found| found.starts_with(current)).map(CompletionCandidate::new);
        match self {
            Self::Side | Self::Command => found.chain(PathCompleter::any().complete(current.as_ref())).collect(),
            _ => found.collect(),
        }
    }
}

/// Names of secrets, or versions where a name stands already. Fields would take values, which are not fetched.
fn references(current: &str, names: &Names) -> Vec<String> {
    let scheme = if current.starts_with("csms://") { "csms://" } else { "" };
    match current.split_once('@') {
        Some((name, _)) => {
            ["current", "previous", "latest"].iter().map(|version| format!("{name}@{version}")).collect()
        }
        None => names.secrets().into_iter().map(|name| format!("{scheme}{name}")).collect(),
    }
}

/// What a place can be said by, and regions and profiles behind their words.
fn places(current: &str) -> Vec<String> {
    let begin = current.rfind([',', '=']).map_or("", |at| &current[..=at]);
    let words = match begin.rsplit(',').next() {
        Some("region=") => regions(),
        Some("profile=") => profiles(),
        Some("project=") => Vec::new(),
        _ => ["region=", "profile=", "project="].map(str::to_owned).into(),
    };
    words.into_iter().map(|word| format!("{begin}{word}")).collect()
}

/// The programs that can be run by their names.
fn programs() -> Vec<String> {
    let directories = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let entries = directories.into_iter().filter_map(|directory| fs::read_dir(directory).ok()).flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn regions() -> Vec<String> {
    region::known(Service::Kms).iter().map(|&region| region.to_owned()).collect()
}

/// Those of KooCLI, too.
fn profiles() -> Vec<String> {
    own_profiles().into_iter().chain(KooCli::names(&Env::process())).collect()
}

fn own_profiles() -> Vec<String> {
    let config = Config::load().unwrap_or_default();
    config.profiles().map(|(name, _)| name.to_owned()).collect()
}

/// Names and aliases of keys. Ids are offered once one is begun: nobody chooses among them.
fn keys(current: &str, names: &Names) -> Vec<String> {
    let mut keys = names.keys();
    if current.is_empty() {
        keys.retain(|key| !csms_sdk::keys::is_id(key));
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_called_a_secret_or_a_key_is_completed() {
        fn walk(command: &Command, path: &[&str], seen: &mut Vec<Option<Kind>>) {
            for arg in command.get_arguments() {
                let kind = Kind::of(path, arg);
                let id = arg.get_id().as_str();
                let expected = match id {
                    "reference" => Some(Kind::Reference),
                    "secret_name" => Some(Kind::Secret),
                    "key_id" => Some(Kind::Key),
                    _ => kind,
                };
                assert_eq!(kind, expected, "{path:?} {id}");
                seen.push(kind);
            }
            for inner in command.get_subcommands() {
                walk(inner, &[path, &[inner.get_name()]].concat(), seen);
            }
        }
        let mut seen = Vec::new();
        walk(&cli::whole(), &["csms"], &mut seen);
        let places = [Kind::Region, Kind::Profile, Kind::Setting, Kind::Operation, Kind::Path, Kind::Place, Kind::Side];
        for kind in [Kind::Secret, Kind::Reference, Kind::Variable, Kind::Key, Kind::Command].into_iter().chain(places)
        {
            assert!(seen.contains(&Some(kind)), "{kind:?}");
        }
    }
}
