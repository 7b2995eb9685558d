//! `csms secret rm`: deletes secrets, by and by or at once.

use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use csms_sdk::{
    Client, Error, ErrorKind, Operation as _,
    csms::{DeleteSecret, DeleteSecretForSchedule, ShowSecret},
};
use serde_json::{Value as Json, json};

use crate::{
    commands::{api::dry_run, report::Report},
    error::Failure,
    needs::Needs,
    session::Session,
    subject,
    verb::{Own, change_flags},
};

pub(super) const RM: Own =
    Own { name: "rm", about: "Schedules the deletion of secrets; `restore` undoes it until then", grammar, run, calls };

/// So many names are shown before something is deleted.
const SHOWN: usize = 20;

fn grammar(command: Command) -> Command {
    command
        .arg(Arg::new("names").value_name("NAME").required(true).num_args(1..).help("Names of the secrets"))
        .arg(
            Arg::new("days").long("days").value_name("NUMBER").default_value("30").help("Days until deletion, 7 to 30"),
        )
        .arg(
            Arg::new("now")
                .long("now")
                .conflicts_with("days")
                .action(ArgAction::SetTrue)
                .help("Delete them for good, which nothing undoes; the name has to be typed, or --yes given"),
        )
        .args(change_flags())
}

/// The names, each once.
fn names(session: &Session<'_>) -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = Vec::new();
    for word in session.words("names") {
        let name = subject::secret_name(word)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    if session.is_set("dry-run") {
        return Ok(needs);
    }
    let delete = if session.is_set("now") { DeleteSecret::INFO } else { DeleteSecretForSchedule::INFO };
    for name in names(session)? {
        let secret = needs.secret(&name);
        needs.helps("finds a name that is wrong before anything is deleted", &secret, &[ShowSecret::INFO]);
        needs.always(&secret, &[delete]);
    }
    Ok(needs)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let names = names(session)?;
    let deletion = match (session.is_set("now"), session.text("days")) {
        (false, Some(days)) => Deletion::In(number_of_days(days)?),
        _ => Deletion::Now,
    };
    if session.is_set("dry-run") {
        return deletion.dry_run(session, &names);
    }
    let connection = session.connect()?;
    // A name that is wrong is found before anything is deleted.
    for name in &names {
        match connection.block_on(ShowSecret::new(name).send(&connection.client)) {
            // Who may delete need not be allowed to look.
            Err(error) if error.kind() != ErrorKind::PermissionDenied => return Err(super::told(session, name, error)),
            _ => {}
        }
    }
    deletion.confirm(session, &names)?;
    let mut report = Report::new("NAME", "secret_name");
    for name in &names {
        match connection.block_on(deletion.carry_out(&connection.client, name)) {
            Ok(()) => report.add(name, deletion.status(), deletion.done(name)),
            Err(error) => report.add_failed(name, super::told(session, name, error)),
        }
    }
    if !report.has_failed() {
        let lines: Vec<_> = names.iter().map(|name| deletion.done(name)).collect();
        session.output.done_each(session.reporter, &lines, &report.to_json())?;
    } else if names.len() > 1 {
        report.print(session)?;
    }
    report.end("secrets were not deleted", "run it again with the names that failed")
}

fn number_of_days(text: &str) -> Result<i32, Failure> {
    text.parse().ok().filter(|days| (7..=30).contains(days)).ok_or_else(|| {
        Failure::usage("invalid_value", "--days has to be a number from 7 to 30")
            .cause("nothing was sent")
            .hint("csms secret rm --help")
    })
}

#[derive(Clone, Copy)]
enum Deletion {
    /// After so many days.
    In(i32),
    Now,
}

impl Deletion {
    async fn carry_out(self, client: &Client, name: &str) -> Result<(), Error> {
        match self {
            Self::In(days) => DeleteSecretForSchedule::new(name, days).send(client).await.map(drop),
            Self::Now => DeleteSecret::new(name).send(client).await.map(drop),
        }
    }

    fn status(self) -> &'static str {
        match self {
            Self::In(_) => "scheduled",
            Self::Now => "deleted",
        }
    }

    fn done(self, name: &str) -> String {
        match self {
            Self::In(days) => {
                format!("{name} will be deleted in {days} days; undo it with: csms secret restore {name}")
            }
            Self::Now => format!("deleted {name} for good"),
        }
    }

    fn confirm(self, session: &Session<'_>, names: &[String]) -> Result<(), Failure> {
        let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(" ");
        let more = if names.len() > SHOWN { " …" } else { "" };
        let (what, they, are) = match names {
            [name] => (name.clone(), "It", "is"),
            _ => (format!("{} secrets", names.len()), "They", "are"),
        };
        match self {
            Self::In(days) => {
                let many = if names.len() > 1 { format!("{what}. ") } else { String::new() };
                session.confirm(
                    &format!("csms secret rm {shown}{more}"),
                    &format!("{many}{they} cannot be read from now on, and {are} deleted in {days} days."),
                )
            }
            Self::Now => session.confirm_by_typing(
                &format!("csms secret rm --now {shown}{more}"),
                &format!("{they} {are} deleted for good, with all versions, and nothing brings that back."),
                &what,
            ),
        }
    }

    fn dry_run(self, session: &Session<'_>, names: &[String]) -> Result<ExitCode, Failure> {
        let request = |name: &String| {
            let (info, request) = match self {
                Self::In(days) => {
                    let request = json!({"secret_name": name, "recovery_window_in_days": days});
                    (DeleteSecretForSchedule::INFO, request)
                }
                Self::Now => (DeleteSecret::INFO, json!({"secret_name": name})),
            };
            dry_run::request(info, &request.into(), &session.settings, true)
        };
        let mut requests = names.iter().map(request).collect::<Result<Vec<_>, _>>()?;
        let shown = if requests.len() == 1 { requests.remove(0) } else { Json::Array(requests) };
        session.output.json(&shown)?;
        Ok(ExitCode::SUCCESS)
    }
}
