//! The grammar: global flags, and the commands as far as the words on the line need them.

use std::collections::BTreeSet;

use clap::{
    Arg, ArgAction, ArgMatches, Command,
    error::{ContextKind, ContextValue, ErrorKind},
};
use csms_sdk::{check::nearest, operations};

use crate::{
    commands::{self, Top, api},
    error::Failure,
    input, output,
};

const ABOUT: &str = "Secrets (CSMS) and keys (KMS) of Huawei Cloud on the command line";

const AFTER_HELP: &str = "\
Settings come from flags, then from CSMS_* variables, then from those of the official SDKs, then from the profile in \
use (`csms config`, `csms profile`), then from the files of the official SDKs and the server. Credentials come from \
variables and files only: CSMS_ACCESS_KEY and CSMS_SECRET_KEY, with CSMS_SECURITY_TOKEN for temporary keys, or CSMS_AUTH_TOKEN. CSMS_CA_FILE names further certificate authorities, \
CSMS_PROXY a proxy; CSMS_METADATA_ENDPOINT=off keeps the server's metadata from being asked. `csms whoami` shows what is in use.

Exit codes: 0 done, 1 unexpected, 2 usage, 3 not found, 4 credentials, 5 not permitted, 6 conflict or quota, \
7 throttled, 8 service failure, 9 no answer, 10 differences, 11 waited too long, 12 some of many failed, \
13 altered or under another key, 14 not confirmed.";

/// The whole grammar. Only operations that `words` name get their flags.
pub(crate) fn command(words: &[String]) -> Command {
    let program = Command::new("csms").version(env!("CARGO_PKG_VERSION"));
    // Nothing that stands behind it is looked at.
    if words.get(1).is_some_and(|word| matches!(word.as_str(), "-V" | "--version")) {
        return program;
    }
    let is_command = |word: &String| commands::names().any(|name| name == word);
    // The help of a command is about the command: the flags of all stand in the help of the program.
    let names_command = words.iter().skip(1).any(is_command);
    // Where the line begins with a command, all others only cost time, but for those whose names stand elsewhere in it.
    let begins_with_one = words.iter().skip(1).find(|word| !word.starts_with('-')).is_some_and(is_command);
    let may_be_meant = |top: &&Top| !begins_with_one || words.iter().any(|word| word == top.name());
    program
        .about(ABOUT)
        .after_help(AFTER_HELP)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .term_width(output::help_width())
        .color(match output::wants_color(words, output::Stream::Stdout) {
            true => clap::ColorChoice::Always,
            false => clap::ColorChoice::Never,
        })
        .disable_help_flag(true)
        .args(globals().into_iter().map(|arg| arg.hide(names_command)))
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(ArgAction::HelpShort)
                .global(true)
                .display_order(1000)
                .help(match names_command {
                    true => "Print help; `csms --help` shows the flags that every command takes",
                    false => "Print help",
                }),
        )
        .subcommands(commands::ALL.iter().filter(may_be_meant).map(|top| top.command(words)))
}

/// What was given to the command itself, behind all nouns.
pub(crate) fn innermost(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, inner)| innermost(inner))
}

/// The grammar with the arguments of every command, for those who go through all of it.
pub(crate) fn whole() -> Command {
    fn gather(command: &Command, names: &mut BTreeSet<String>) {
        for inner in command.get_subcommands() {
            names.insert(inner.get_name().to_owned());
            gather(inner, names);
        }
    }
    let program = std::iter::once("csms".to_owned());
    // A service lists those of its operations that are named, and all only where none is.
    let mut words: Vec<_> = program.chain(operations().map(|info| info.name.to_owned())).collect();
    loop {
        let command = command(&words);
        let mut names = BTreeSet::new();
        gather(&command, &mut names);
        names.retain(|name| !words.contains(name));
        if names.is_empty() {
            return command;
        }
        words.extend(names);
    }
}

/// The flags that every command takes. A parameter of one of these names is reachable as `--param:NAME`.
pub(crate) fn globals() -> Vec<Arg> {
    let setting = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).global(true).help_heading("Settings")
    };
    vec![
        setting("region", "REGION", "Region, e.g. cn-north-4 [CSMS_REGION]").short('r'),
        setting(
            "profile",
            "PROFILE",
            "Profile to call as, whatever keys are set: see `csms profile`; or one of KooCLI [CSMS_PROFILE]",
        )
        .short('p'),
        setting("project", "ID", "Project id; looked up in IAM where it is not given [CSMS_PROJECT_ID]"),
        setting("endpoint", "URL", "Endpoint of CSMS and KMS; `{region}` in it stands for the region [CSMS_ENDPOINT]"),
        setting("iam-endpoint", "URL", "Endpoint of IAM [CSMS_IAM_ENDPOINT]; that of STS is in CSMS_STS_ENDPOINT"),
        setting("local", "", "Call no service but an emulator in this process, which keeps its data [CSMS_LOCAL]")
            .action(ArgAction::SetTrue),
        setting(
            "local-data",
            "FILE",
            "As --local, with this file instead of one in your data directory [CSMS_LOCAL_DATA]",
        )
        .value_parser(clap::value_parser!(std::path::PathBuf)),
        setting(
            "output",
            "FORMAT",
            "Form of the answer; auto is a table on a terminal, `api` prints JSON [CSMS_OUTPUT]",
        )
        .short('o')
        .value_parser(output::Format::NAMES),
        setting("query", "JMESPATH", "Part of the answer to print, as a JMESPath expression").short('q'),
        setting("timeout", "TIME", "Time for a call with all its attempts, e.g. 20 or 20s or 1m; default 60s"),
        setting("retries", "NUMBER", "Attempts after the first; default 3").value_parser(clap::value_parser!(u32)),
        setting("no-input", "", "Ask nothing; what would have to be asked fails [CSMS_NO_INPUT]")
            .action(ArgAction::SetTrue),
        setting("color", "WHEN", "Colour; NO_COLOR and CLICOLOR_FORCE are heeded")
            .value_parser(["auto", "always", "never"]),
        setting("error-format", "FORMAT", "Form of errors on stderr").value_parser(["text", "json"]),
        setting("verbose", "", "Say where each setting comes from; twice: what is sent and answered")
            .short('v')
            .action(ArgAction::Count),
    ]
}

/// A fault of the grammar in the form of every other error. Words that may be values are not repeated.
pub(crate) fn usage_error(error: &clap::Error, words: &[String]) -> Failure {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        Some(ContextValue::StyledStr(text)) => Some(text.to_string()),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg).unwrap_or_default();
    // `--flag <VALUE>`, `--flag=<VALUE>` and `--flag[=<VALUE>]`, but `[WORD]` as well.
    let flag = argument.split(['=', ' ']).next().unwrap_or_default().trim_end_matches('[');
    let usage = text(ContextKind::Usage).map(|usage| usage.lines().next().unwrap_or_default().to_owned());
    let did_you_mean = |kind| text(kind).map(|near| format!("did you mean `{near}`?"));
    let help = || usage.as_deref().and_then(help_command).unwrap_or_else(|| help_of(words));
    let is_value = match error.kind() {
        ErrorKind::InvalidValue => argument == input::DASH,
        // Where a value is taken, a word too much is one.
        ErrorKind::UnknownArgument => {
            !flag.starts_with('-') && usage.as_deref().is_some_and(|usage| usage.contains(input::DASH))
        }
        _ => false,
    };
    if is_value {
        return input::literal("a value is never an argument")
            .hint(format!("--from-file PATH, --from-env NAME, or - for stdin; see {}", help()));
    }
    let (code, what, hint) = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            let path = usage.as_deref().and_then(help_command).unwrap_or_default();
            let what = match path.split(' ').skip(1).filter(|word| *word != "--help").collect::<Vec<_>>().as_slice() {
                [] => "a command is missing",
                ["api"] => "a service or --list is missing",
                ["api", ..] => "an operation is missing",
                nouns => return missing_verb(nouns),
            };
            ("missing_command", what.to_owned(), None)
        }
        ErrorKind::InvalidSubcommand => {
            let word = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            return unknown_word(&word, usage.as_deref().unwrap_or_default());
        }
        ErrorKind::UnknownArgument if flag.starts_with('-') => {
            ("unknown_flag", format!("{flag} is not known here"), did_you_mean(ContextKind::SuggestedArg))
        }
        ErrorKind::UnknownArgument => (
            "unexpected_argument",
            "there is an argument that belongs to no flag".to_owned(),
            Some(
                match usage.as_deref().is_some_and(|usage| usage.contains("-- <COMMAND>")) {
                    true => "write a command, with its arguments, behind `--`",
                    false => "write values behind their flags, in quotes where they hold spaces",
                }
                .to_owned(),
            ),
        ),
        ErrorKind::InvalidValue if text(ContextKind::InvalidValue).is_none_or(|value| value.is_empty()) => {
            ("missing_value", format!("{flag} needs a value"), None)
        }
        ErrorKind::InvalidValue => {
            let known = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(known)) if !known.is_empty() => Some(format!("one of {}", known.join(", "))),
                _ => None,
            };
            ("invalid_value", format!("{flag} does not take this value"), known)
        }
        ErrorKind::TooManyValues => ("unexpected_value", format!("{flag} takes no value"), None),
        ErrorKind::ValueValidation => ("invalid_value", format!("{flag} does not take this value"), None),
        ErrorKind::ArgumentConflict => ("conflict", format!("{flag} is given twice or with one it excludes"), None),
        ErrorKind::MissingRequiredArgument => ("missing_argument", format!("{flag} is missing"), None),
        ErrorKind::InvalidUtf8 => ("not_utf8", "an argument is not UTF-8".to_owned(), None),
        kind => ("usage", kind.to_string(), None),
    };
    let help = help();
    let command = help.trim_end_matches(" --help");
    Failure::usage(code, what)
        .cause(format!("`{command}` cannot run like this; nothing was sent"))
        .hint(hint.unwrap_or(help))
}

/// `Usage: csms api csms [OPTIONS] …` → `csms api csms --help`.
fn help_command(usage: &str) -> Option<String> {
    let words: Vec<_> = usage
        .trim_start_matches("Usage:")
        .split_whitespace()
        .take_while(|word| !word.starts_with(['[', '<', '-']))
        .collect();
    (!words.is_empty()).then(|| format!("{} --help", words.join(" ")))
}

/// The help of the command that the words name, as far as they do.
fn help_of(words: &[String]) -> String {
    let root = command(words);
    let (mut found, mut path) = (&root, root.get_name().to_owned());
    for word in words.iter().skip(1).take_while(|word| *word != "--") {
        if let Some(inner) = found.find_subcommand(word) {
            path.push_str(&format!(" {}", inner.get_name()));
            found = inner;
        }
    }
    format!("{path} --help")
}

/// A word that is no command, service or operation; the usage line tells which was expected.
fn unknown_word(word: &str, usage: &str) -> Failure {
    let path = help_command(usage).unwrap_or_default();
    let parents: Vec<_> = path.split(' ').filter(|part| *part != "--help").collect();
    match parents.as_slice() {
        ["csms", "api"] => api::unknown_service(word),
        ["csms", "api", service] => api::unknown_operation(service, word),
        ["csms", nouns @ ..] if !nouns.is_empty() => unknown_verb(word, nouns),
        _ => {
            let names: Vec<_> = commands::names().collect();
            let near = nearest(word, names.iter().copied());
            Failure::usage("unknown_command", format!("`{word}` is not a command"))
                .cause(format!("the commands are: {}", names.join(", ")))
                .hint(near.map_or_else(|| "csms --help".to_owned(), |near| format!("did you mean `csms {near}`?")))
        }
    }
}

/// The verbs of the noun that these words lead to.
fn verbs_of(nouns: &[&str]) -> Option<Vec<&'static str>> {
    let first = commands::ALL.iter().find_map(|command| match command {
        Top::Noun(noun) if Some(&noun.name) == nouns.first() => Some(*noun),
        _ => None,
    });
    let noun = nouns.iter().skip(1).try_fold(first?, |noun, name| noun.noun(name))?;
    Some(noun.names().collect())
}

/// Nothing in the place of a verb.
fn missing_verb(nouns: &[&str]) -> Failure {
    Failure::usage("missing_command", "a verb is missing")
        .cause(format!("the verbs are: {}", verbs_of(nouns).unwrap_or_default().join(", ")))
        .hint(format!("csms {} --help", nouns.join(" ")))
}

/// A word in the place of a verb.
fn unknown_verb(word: &str, nouns: &[&str]) -> Failure {
    let path = nouns.join(" ");
    let Some(verbs) = verbs_of(nouns) else {
        return Failure::usage("unexpected_argument", format!("`{path}` takes no such word"))
            .cause("nothing was sent")
            .hint(format!("csms {path} --help"));
    };
    let near = nearest(word, verbs.iter().copied());
    Failure::usage("unknown_command", format!("`{word}` is not a verb of `csms {path}`"))
        .cause(format!("the verbs are: {}", verbs.join(", ")))
        .hint(near.map_or_else(|| format!("csms {path} --help"), |near| format!("did you mean `csms {path} {near}`?")))
}
