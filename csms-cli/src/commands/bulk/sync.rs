//! `csms sync`: brings secrets of one region, project or profile to another.

use std::process::ExitCode;

use clap::{Arg, Command};
use csms_sdk::{
    ErrorKind,
    bulk::{Bulk, Scope},
};

use super::{
    Work, change_many_flags, mode, needs_of_writing, place::Place, scope, scope_flags, told_unread, with_concurrency,
};
use crate::{error::Failure, needs::Needs, session::Session, text::shell_word, verb::Own};

/// `csms sync`.
pub(crate) const SYNC: Own = Own {
    name: "sync",
    about: "Copies the values of secrets to another region, project or account",
    grammar,
    run,
    calls,
};

const AFTER_HELP: &str = "\
PLACE is region=R, project=ID or profile=NAME, or several with commas between them; what it does not name is as \
everywhere else. Current values are copied, and nothing else of a secret. `csms secret replica add` makes replicas that \
follow by themselves. --mode mirror deletes chosen secrets that are not in the one place from the other, in 30 days. \
--apply with --dry-run tells whether plan and input go together, and does not look at what PLACE has by now.

  csms sync --from region=cn-north-4 --to region=cn-east-3 --prefix shop-
  csms sync --from profile=test --to profile=prod db cache --dry-run

Exit codes: 0 done; 10 with --exit-code: there are changes; 12 a part of it failed.";

fn grammar(command: Command) -> Command {
    let place = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("PLACE").required(true).help(help)
    };
    let command = command.args([place("from", "Where secrets are read"), place("to", "Where they are written")]);
    change_many_flags(scope_flags(command)).mut_group("scope", |group| group.required(true)).after_help(AFTER_HELP)
}

/// The places that `--from` and `--to` name.
fn places(session: &Session<'_>) -> Result<(Place, Place), Failure> {
    let place = |flag: &str, name: &str| Place::of(flag, session.text(name).unwrap_or_default());
    Ok((place("--from", "from")?, place("--to", "to")?))
}

fn chosen(session: &Session<'_>) -> Result<Scope, Failure> {
    scope(session)?.ok_or_else(|| {
        Failure::usage("missing_argument", "there is nothing to be copied")
            .cause("nothing was sent")
            .hint("name secrets, or give --prefix or --all")
    })
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let ((from, to), scope) = (places(session)?, chosen(session)?);
    let mut needs = Needs::of(session);
    needs.scope(from.region(), &scope);
    needs_of_writing(session, &mut needs, to.region(), &scope, mode(session, Ok(scope.clone()))?)?;
    Ok(needs)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let (from, to) = places(session)?;
    let scope = chosen(session)?;
    let connection = session.connect()?;
    let (source, target) = (from.client(session, &connection)?, to.client(session, &connection)?);
    let is_same = connection.block_on(async {
        let projects = (source.project_id().await?, target.project_id().await?);
        Ok::<_, csms_sdk::Error>(source.region() == target.region() && projects.0 == projects.1)
    })?;
    if is_same {
        return Err(Failure::usage("conflict", "--from and --to are the same place")
            .cause("a secret is not copied onto itself; nothing was changed")
            .hint("csms whoami shows region and project"));
    }
    let read = with_concurrency(session, Bulk::new(&source));
    let (wanted, mut failed) = connection.block_on(read.read(&scope))?;
    if session.text("mode") == Some("mirror") || session.matches.contains_id("apply") {
        // One that is missing here is to be missing there.
        failed.retain(|(_, error)| error.kind() != ErrorKind::NotFound);
    }
    told_unread(session, &connection, &source, &failed)?;
    let words = format!("csms sync --from {} --to {}", shell_word(from.as_str()), shell_word(to.as_str()));
    Work { client: target, wanted, mode: mode(session, Ok(scope))?, words }.carry_out(session, connection)
}
