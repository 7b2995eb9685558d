//! `csms config`: settings in effect, and those of a profile.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};
use csms_sdk::{Client, Service, check::nearest, credentials::KooCli, env::Env};
use serde_json::{Map, Value as Json, json};

use crate::{
    config::{CREDENTIALS, Config, Editor, SETTINGS},
    error::{Exit, Failure},
    mask::without_password,
    needs::Needs,
    output::{self, Format, Output},
    session::Session,
    settings::Setting,
    text::shell_word,
    verb::{Bare, Noun, Own, Verb, change_flags},
};

/// Made where there is none to be changed.
const FIRST: &str = "default";

/// `csms config`.
pub(crate) static NOUN: Noun = Noun {
    name: "config",
    about: "Settings in effect, and those kept in config.toml",
    verbs: &[
        Verb::Own(Own {
            name: "list",
            about: "Shows the settings in effect and where each comes from",
            grammar: |command| command,
            run: list,
            calls: |_| Ok(Needs::none()),
        }),
        Verb::Own(Own {
            name: "get",
            about: "Prints a setting in effect",
            grammar: |command| command.arg(name()),
            run: get,
            calls: |_| Ok(Needs::none()),
        }),
        Verb::Own(Own {
            name: "set",
            about: "Keeps a setting in a profile",
            grammar: set_grammar,
            run: set,
            calls: |_| Ok(Needs::none()),
        }),
        Verb::Own(Own {
            name: "unset",
            about: "Removes a setting from a profile",
            grammar: |command| command.arg(name()).args(change_flags()),
            run: unset,
            calls: |_| Ok(Needs::none()),
        }),
        Verb::Bare(Bare { name: "path", about: "Prints where config.toml is or would be", run: path }),
    ],
};

fn name() -> Arg {
    Arg::new("setting").value_name("SETTING").required(true).help(format!("One of {}", SETTINGS.join(", ")))
}

fn set_grammar(command: Command) -> Command {
    command
        .arg(name())
        .arg(Arg::new("value").value_name("VALUE").required(true).help("What it is from now on"))
        .args(change_flags())
        .after_help(
            "The profile is that of --profile or CSMS_PROFILE, else the one in use, else a first one that is called \
             default. Keys are not set one by one: see `csms profile add`.",
        )
}

fn list(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let profile = session.settings.chosen.as_ref().map(|chosen| chosen.name.clone());
    let mut facts = vec![("profile", profile)];
    for name in SETTINGS {
        facts.push((name, in_effect(session, name)?));
    }
    let rows: Vec<_> = facts
        .iter()
        .map(|(name, setting)| match setting {
            Some(Setting { value, origin }) => vec![(*name).to_owned(), value.clone(), origin.to_string()],
            None => vec![(*name).to_owned(), String::new(), String::new()],
        })
        .collect();
    let json: Map<_, _> = facts
        .iter()
        .map(|(name, setting)| {
            let value = setting.as_ref().map(|setting| &setting.value);
            ((*name).to_owned(), json!({"value": value, "origin": setting.as_ref().map(|setting| &setting.origin)}))
        })
        .collect();
    session.output.rows(&["SETTING", "VALUE", "FROM"], &rows, usize::MAX, &Json::Object(json))?;
    Ok(ExitCode::SUCCESS)
}

fn get(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = known(session)?;
    let Some(setting) = in_effect(session, name)? else {
        return Err(Failure::new(Exit::NotFound, "not_set", format!("{name} is not set"))
            .cause("neither a flag nor a variable nor the profile in use says it")
            .hint(format!("csms config set {name} VALUE")));
    };
    let json = json!({"value": setting.value, "origin": setting.origin});
    session.output.script(&format!("{}\n", setting.value), &json)?;
    Ok(ExitCode::SUCCESS)
}

fn in_effect(session: &Session<'_>, name: &str) -> Result<Option<Setting>, Failure> {
    match name {
        "region" => Ok(session.settings.region.clone()),
        "project" => Ok(session.settings.project.clone()),
        "output" => output::form(session.matches, &session.config),
        "proxy" => Ok(session
            .settings
            .in_effect(name)
            .map(|setting| Setting { value: without_password(&setting.value), ..setting })),
        name => Ok(session.settings.in_effect(name)),
    }
}

fn set(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = known(session)?;
    let value = session.text("value").unwrap_or_default();
    check(name, value)?;
    let mut editor = Editor::open(&session.config)?;
    let (profile, is_first) = profile(session, &editor)?;
    editor.set(&profile, name, value)?;
    if is_first {
        editor.use_profile(Some(&profile));
    }
    finish(session, editor, &format!("{name} of profile {profile} is {value} from now on"))
}

fn unset(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = known(session)?;
    let mut editor = Editor::open(&session.config)?;
    let (profile, _) = profile(session, &editor)?;
    match editor.unset(&profile, name) {
        true => finish(session, editor, &format!("{name} of profile {profile} is not set any more")),
        false => Err(Failure::new(Exit::NotFound, "not_set", format!("profile {profile} does not set {name}"))
            .cause("nothing was changed")
            .hint("csms config list")),
    }
}

/// Whoever asks may be about to mend it.
fn path(matches: &ArgMatches) -> Result<(), Failure> {
    let config = Config::unread();
    let shown = config.place()?.display().to_string();
    Output::of(matches, &config)?.script(&format!("{shown}\n"), &json!({"path": shown}))
}

/// Writes what was changed, unless it is only to be shown.
pub(super) fn finish(session: &Session<'_>, editor: Editor, text: &str) -> Result<ExitCode, Failure> {
    let file = session.config.shown();
    let text = match session.is_set("dry-run") {
        true => format!("nothing was changed in {file}; without --dry-run: {text}"),
        false => {
            editor.save()?;
            format!("{text} ({file})")
        }
    };
    session.output.done(session.reporter, &text, &json!({}))?;
    Ok(ExitCode::SUCCESS)
}

/// The profile that is changed, and whether it is the very first.
fn profile(session: &Session<'_>, editor: &Editor) -> Result<(String, bool), Failure> {
    let named =
        session.config.chosen(session.matches)?.filter(|chosen| chosen.is_named).map(|chosen| chosen.name.value);
    // Another one may be in use since the file was read.
    let Some(name) = named.or(editor.used().map(str::to_owned)) else { return Ok((FIRST.to_owned(), true)) };
    // One of this name without keys would stand in its way, and somebody else would be calling.
    if !editor.has(&name) && KooCli::names(&Env::process()).contains(&name) {
        return Err(Failure::new(Exit::Conflict, "other_profile", format!("{name} is a profile of KooCLI"))
            .cause("a profile of config.toml without its keys would take its place; nothing was changed")
            .hint(format!("csms profile add {} keeps keys in config.toml", shell_word(&name))));
    }
    Ok((name, false))
}

/// The name of a setting, with dashes or underscores.
fn known(session: &Session<'_>) -> Result<&'static str, Failure> {
    let word = session.text("setting").unwrap_or_default();
    let name = word.replace('-', "_");
    if let Some(known) = SETTINGS.iter().find(|known| **known == name) {
        return Ok(known);
    }
    let unknown =
        |why: &str| Failure::usage("unknown_setting", format!("`{word}` is not a setting")).cause(why.to_owned());
    Err(match name.as_str() {
        "profile" => unknown("it is the name of a profile; nothing was changed").hint("csms profile use NAME"),
        name if CREDENTIALS.contains(&name) => {
            unknown("keys and tokens are neither given as arguments nor shown; nothing was changed")
                .hint("csms profile add NAME asks for them, or takes them from files and variables")
        }
        name => unknown(&format!("the settings are: {}; nothing was changed", SETTINGS.join(", "))).hint(
            nearest(name, SETTINGS).map_or("csms config list".to_owned(), |near| format!("did you mean {near}?")),
        ),
    })
}

/// Refuses what no call could use.
pub(super) fn check(name: &str, value: &str) -> Result<(), Failure> {
    let wrong = |why: &str, hint: String| {
        Err(Failure::usage("invalid_value", format!("{name} cannot be set to this"))
            .cause(format!("{why}; nothing was changed"))
            .hint(hint))
    };
    if value.is_empty() {
        return wrong("it is empty", format!("csms config unset {name}"));
    }
    let builder = Client::builder().region("cn-north-4");
    let builder = match name {
        "region" => builder.region(value),
        "project" => builder.project_id(value),
        "endpoint" => builder.endpoint(value),
        "iam_endpoint" => builder.iam_endpoint(value),
        "sts_endpoint" => builder.service_endpoint(Service::Sts, value),
        "proxy" if value.contains('@') => {
            return wrong("a password in it would be shown", "set CSMS_PROXY instead".to_owned());
        }
        "proxy" => builder.proxy(value),
        "ca_file" if !std::path::Path::new(value).is_absolute() => {
            return wrong("it is used in whatever directory csms runs", "give the whole path".to_owned());
        }
        "ca_file" => builder.root_certificates_file(value)?,
        _ if Format::NAMES.contains(&value) => return Ok(()),
        _ => return wrong("it names no form of output", format!("one of {}", Format::NAMES.join(", "))),
    };
    match builder.build() {
        Ok(_) => Ok(()),
        Err(error) => wrong(error.message(), error.help().unwrap_or("csms config set --help").to_owned()),
    }
}
