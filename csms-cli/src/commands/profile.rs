//! `csms profile`: keys and settings under a name, kept in `config.toml`.

use std::process::ExitCode;

use clap::{Arg, Command};
use csms_sdk::SecretString;
use serde_json::{Value as Json, json};

use super::config::{check, finish};
use crate::{
    config::{CREDENTIALS, Config, Editor, Profile, SETTINGS},
    error::{Exit, Failure},
    input::{self, Sources},
    mask::{HIDDEN, shortened_key, without_password},
    needs::Needs,
    session::Session,
    verb::{Noun, Own, Verb, change_flags},
};

/// `csms profile`.
pub(crate) static NOUN: Noun = Noun {
    name: "profile",
    about: "Profiles: keys and settings under a name, kept in config.toml",
    verbs: &[
        Verb::Own(Own {
            name: "list",
            about: "Lists profiles",
            grammar: |command| command,
            run: list,
            calls: |_| Ok(Needs::none()),
        }),
        Verb::Own(Own {
            name: "show",
            about: "Shows what a profile sets, without its keys",
            grammar: |command| command.arg(name("The profile; default the one in use").required(false)),
            run: show,
            calls: |_| Ok(Needs::none()),
        }),
        Verb::Own(Own {
            name: "add",
            about: "Keeps keys and settings as a profile",
            grammar: add_grammar,
            run: add,
            calls: |_| Ok(Needs::none()),
        }),
        Verb::Own(Own {
            name: "use",
            about: "Has a profile be in use where none is named",
            grammar: |command| command.arg(name("The profile")).args(change_flags()),
            run: use_profile,
            calls: |_| Ok(Needs::none()),
        }),
        Verb::Own(Own {
            name: "rm",
            about: "Removes a profile and its keys from this machine",
            grammar: |command| command.arg(name("The profile")).args(change_flags()),
            run: rm,
            calls: |_| Ok(Needs::none()),
        }),
    ],
};

fn name(help: &'static str) -> Arg {
    Arg::new("name").value_name("PROFILE").required(true).help(help)
}

fn add_grammar(command: Command) -> Command {
    let source = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("SOURCE")
            .help(help)
            .help_heading("Keys, from file://PATH, env://NAME or -")
    };
    let login = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).help_heading("Login with an identity provider")
    };
    command
        .arg(name("Name of the profile"))
        .args([
            source("access-key", "Access key; asked for, with the secret key, where nothing is given"),
            source("secret-key", "Secret key"),
            source("security-token", "Security token of temporary keys"),
            source("auth-token", "User token, instead of keys"),
            login("idp-id", "ID", "Identity provider as IAM knows it"),
            login("id-token-file", "PATH", "File that holds its id token"),
        ])
        .arg(
            Arg::new("overwrite")
                .long("overwrite")
                .action(clap::ArgAction::SetTrue)
                .help("Replace the keys of a profile that exists"),
        )
        .args(change_flags())
        .after_help(
            "--region, --project, --endpoint and --iam-endpoint on this line are kept with the keys; `csms config set` \
             changes them and others later. The file is readable by its user alone, and no command prints the keys.",
        )
}

fn list(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let config = &session.config;
    let used = config.chosen(session.matches)?.map(|chosen| chosen.name.value);
    let value = |profile: &Profile, name| profile.setting(name).map(|setting| setting.value);
    let described: Vec<Json> = config
        .profiles()
        .map(|(name, profile)| {
            json!({
                "name": name,
                "in_use": used.as_deref() == Some(name),
                "region": value(profile, "region"),
                "project": value(profile, "project"),
                "calls_as": who(profile),
            })
        })
        .collect();
    let cell = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let rows: Vec<_> = described
        .iter()
        .map(|json| {
            let mark = if json["in_use"] == true { "*" } else { "" };
            let cells = ["name", "region", "project", "calls_as"].map(|name| cell(&json[name]));
            cells.into_iter().chain([mark.to_owned()]).collect()
        })
        .collect();
    let headings = ["PROFILE", "REGION", "PROJECT", "CALLS AS", "IN USE"];
    session.output.rows(&headings, &rows, crate::output::width(), &json!({"profiles": described}))?;
    Ok(ExitCode::SUCCESS)
}

/// As whom a profile calls, told without what is secret.
fn who(profile: &Profile) -> Option<String> {
    let value = |name| profile.credential(name).map(SecretString::expose_secret);
    value("access_key")
        .map(shortened_key)
        .or_else(|| value("auth_token").map(|_| "a user token".to_owned()))
        .or_else(|| value("idp_id").map(|id| format!("a login with {id}")))
}

fn show(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let chosen = session.config.chosen(session.matches)?.map(|chosen| chosen.name.value);
    let name = session.text("name").map(str::to_owned).or(chosen).ok_or_else(|| {
        Failure::usage("no_profile", "no profile is in use")
            .cause(format!("{} names none", session.config.shown()))
            .hint("csms profile list")
    })?;
    let profile = session.config.find(&name)?;
    let mut members = serde_json::Map::new();
    for setting in SETTINGS {
        let shown = |value: String| if setting == "proxy" { without_password(&value) } else { value };
        members.extend(profile.setting(setting).map(|found| (setting.to_owned(), shown(found.value).into())));
    }
    for credential in CREDENTIALS {
        let shown = |value: &SecretString| match credential {
            "access_key" => shortened_key(value.expose_secret()),
            "idp_id" | "id_token_file" => value.expose_secret().to_owned(),
            _ => HIDDEN.to_owned(),
        };
        members.extend(profile.credential(credential).map(|value| (credential.to_owned(), shown(value).into())));
    }
    let cell = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let rows: Vec<_> = members.iter().map(|(name, value)| vec![name.clone(), cell(value)]).collect();
    session.output.rows(&["", ""], &rows, usize::MAX, &Json::Object(members))?;
    Ok(ExitCode::SUCCESS)
}

fn add(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = session.text("name").unwrap_or_default();
    let is_free = |is_there: bool| match is_there && !session.is_set("overwrite") {
        true => Err(Failure::new(Exit::Conflict, "profile_exists", format!("there is a profile \"{name}\" already"))
            .cause("nothing was changed")
            .hint("--overwrite replaces its keys; `csms config set` changes a setting")),
        false => Ok(()),
    };
    // Before anybody types keys.
    is_free(session.config.get(name).is_some())?;
    let given = ["region", "project", "endpoint", "iam-endpoint"]
        .into_iter()
        .filter_map(|flag| Some((flag.replace('-', "_"), session.text(flag)?)));
    let settings: Vec<_> = given.collect();
    settings.iter().try_for_each(|(name, value)| check(name, value))?;
    let credentials = credentials(session, name)?;
    Config::trial(name, &credentials)?;
    let mut editor = Editor::open(&session.config)?;
    let is_there = editor.has(name);
    is_free(is_there)?;
    for credential in CREDENTIALS {
        editor.unset(name, credential);
    }
    for (setting, value) in settings {
        editor.set(name, &setting, value)?;
    }
    for (credential, value) in &credentials {
        editor.set_secret(name, credential, value)?;
    }
    let next = format!("use it with --profile {name}, or from now on with: csms profile use {name}");
    finish(
        session,
        editor,
        &format!("{} profile {name}; {next}", if is_there { "replaced the keys of" } else { "added" }),
    )
}

/// Keys from where the flags say, else typed by a person.
fn credentials(session: &Session<'_>, name: &str) -> Result<Vec<(&'static str, SecretString)>, Failure> {
    let mut sources = Sources::new(session.reporter, false, false, false);
    let mut found = Vec::new();
    for credential in CREDENTIALS {
        let flag = credential.replace('_', "-");
        let Some(word) = session.text(&flag) else { continue };
        let value = match credential {
            "idp_id" | "id_token_file" => word.into(),
            _ => sources.secret(&format!("--{flag}"), word)?,
        };
        found.push((credential, value));
    }
    if !found.is_empty() {
        return Ok(found);
    }
    if !session.is_interactive() {
        return Err(Failure::usage("no_value", format!("there are no keys for {name}"))
            .cause("there is nobody to be asked; nothing was changed")
            .hint("--access-key env://NAME --secret-key file://PATH, or a terminal"));
    }
    for (credential, label) in [("access_key", "Access key"), ("secret_key", "Secret key")] {
        let typed = input::typed(session.reporter, &format!("{label} of {name} (not shown):"))?;
        if typed.is_empty() {
            return Err(Failure::usage("empty_value", format!("the {} is empty", label.to_lowercase()))
                .cause("nothing was changed")
                .hint("the console shows keys once, when they are made: My Credentials, Access Keys"));
        }
        found.push((credential, typed));
    }
    Ok(found)
}

fn use_profile(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = session.text("name").unwrap_or_default();
    session.config.find(name)?;
    let mut editor = Editor::open(&session.config)?;
    is_left(&editor, name)?;
    editor.use_profile(Some(name));
    finish(session, editor, &format!("{name} is in use where no profile is named"))
}

fn rm(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = session.text("name").unwrap_or_default();
    session.config.find(name)?;
    if !session.is_set("dry-run") {
        let question = format!("csms profile rm {name}");
        session.confirm_in(&session.config.shown(), &question, "Its keys will not be on this machine any more.")?;
    }
    let mut editor = Editor::open(&session.config)?;
    is_left(&editor, name)?;
    editor.remove(name);
    if editor.used() == Some(name) {
        editor.use_profile(None);
    }
    finish(session, editor, &format!("removed profile {name}"))
}

/// Refuses a profile that somebody has removed since the file was read.
fn is_left(editor: &Editor, name: &str) -> Result<(), Failure> {
    match editor.has(name) {
        true => Ok(()),
        false => Err(Failure::new(Exit::NotFound, "no_profile", format!("there is no profile \"{name}\" any more"))
            .cause("it was removed meanwhile; nothing was changed")
            .hint("csms profile list")),
    }
}
