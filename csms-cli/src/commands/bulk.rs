//! Many secrets at once: what `import`, `sync` and `diff` share.

mod again;
pub(crate) mod diff;
mod document;
pub(crate) mod import;
mod journal;
mod place;
pub(crate) mod sync;

use std::{path::PathBuf, process::ExitCode};

use clap::{Arg, ArgAction, ArgGroup, Command, builder::PossibleValuesParser, value_parser};
use csms_sdk::{
    Client, Error, ErrorKind, Operation as _,
    bulk::{Action, Applied, Bulk, Change, Mode, Outcome, Plan, Scope, Step, Wanted},
    csms::{CreateSecret, CreateSecretVersion, DeleteSecretForSchedule, ListSecrets, ShowSecret, ShowSecretStage},
    store::FieldChange,
};
use serde_json::Value as Json;

use self::journal::JournalFile;
use crate::{
    commands::{
        report::Report,
        secret::{self, word},
    },
    connection::Connection,
    error::{Exit, Failure, ProgressLine},
    file,
    needs::Needs,
    output,
    session::Session,
    verb::{change_flags, exit_code_flag},
};

/// So many changes are made without a question, and so many are shown before they are made.
const FEW: usize = 20;
const SHOWN: usize = 50;

/// Adds the flags of everything that changes many secrets.
fn change_many_flags(command: Command) -> Command {
    let path = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf)).help(help)
    };
    command
        .args([
            Arg::new("mode")
                .long("mode")
                .value_name("MODE")
                .value_parser(PossibleValuesParser::new(["create", "upsert", "mirror"]))
                .hide_possible_values(true)
                .help("create: none may exist; upsert: they may; mirror: others are deleted; default upsert"),
            path("plan", "Write down what would be done, and change nothing").conflicts_with("apply"),
            path("apply", "Do what a plan says, or go on with a journal; takes the same input again")
                .conflicts_with("mode"),
            Arg::new("allow-empty-source")
                .long("allow-empty-source")
                .action(ArgAction::SetTrue)
                .help("Let a mirror delete everything where the input has no secret"),
            concurrency_flag(),
        ])
        .args(change_flags())
        .arg(exit_code_flag().help("With --dry-run or --plan: exit code 10 where something would be changed"))
        .group(ArgGroup::new("only-planned").args(["dry-run", "plan"]).multiple(true))
        .mut_arg("exit-code", |arg| arg.requires("only-planned"))
}

fn concurrency_flag() -> Arg {
    Arg::new("concurrency")
        .long("concurrency")
        .value_name("NUMBER")
        .value_parser(value_parser!(u16).range(1..=64))
        .help("Calls under way at once; default 8")
}

/// Adds the flags that choose secrets of a place. Names come first, or behind other words.
fn scope_flags(command: Command) -> Command {
    command
        .arg(Arg::new("names").value_name("NAME").num_args(0..).help("Names of the secrets"))
        .arg(Arg::new("prefix").long("prefix").value_name("PREFIX").help("All secrets whose names begin like this"))
        .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).help("All secrets"))
        .group(ArgGroup::new("scope").args(["names", "prefix", "all"]))
}

/// The secrets that the flags of [`scope_flags`] choose.
fn scope(session: &Session<'_>) -> Result<Option<Scope>, Failure> {
    if let Some(prefix) = session.text("prefix") {
        if prefix.is_empty() {
            return Err(Failure::usage("empty_prefix", "--prefix is empty")
                .cause("that would be every secret; nothing was sent")
                .hint("--all, if that is wanted"));
        }
        return Ok(Some(Scope::Prefix(prefix.to_owned())));
    }
    if session.is_set("all") {
        return Ok(Some(Scope::All));
    }
    let names = session.words("names").map(crate::subject::secret_name).collect::<Result<Vec<_>, _>>()?;
    Ok((!names.is_empty()).then_some(Scope::Names(names)))
}

/// What `--mode` says; `scope` is what would be mirrored, or why that is not clear.
fn mode(session: &Session<'_>, scope: Result<Scope, Failure>) -> Result<Mode, Failure> {
    match session.text("mode") {
        Some("create") => Ok(Mode::Create),
        Some("mirror") => scope.map(Mode::Mirror),
        _ => Ok(Mode::Upsert),
    }
}

/// The same for `--apply`, whose plan says it.
fn mode_of(session: &Session<'_>, mode: Mode) -> Result<Mode, Failure> {
    match session.matches.get_one::<PathBuf>("apply") {
        Some(path) => Ok(journal::read(path)?.mode().clone()),
        None => Ok(mode),
    }
}

fn with_concurrency(session: &Session<'_>, bulk: Bulk) -> Bulk {
    match session.matches.get_one::<u16>("concurrency") {
        Some(most) => bulk.concurrency(usize::from(*most)),
        None => bulk,
    }
}

/// What bringing these secrets to a place may call there.
fn needs_of_writing(
    session: &Session<'_>,
    needs: &mut Needs,
    region: Option<&str>,
    names: &Scope,
    mode: Mode,
) -> Result<(), Failure> {
    const OTHER: &str = "the secret exists, with another value";
    const UNWANTED: &str = "a secret is to be deleted";
    const GONE_ON: &str = "a journal is gone on with";
    let changes = !session.is_set("dry-run") && !session.matches.contains_id("plan");
    let secrets = needs.secrets(region, names);
    needs.values(&secrets);
    if changes {
        for secret in secrets {
            needs.only("there is no such secret", &secret, &[CreateSecret::INFO]);
            needs.only(OTHER, &secret, &[ShowSecretStage::INFO, CreateSecretVersion::INFO]);
            needs.helps(secret::WHY_REFUSED, &secret, &[ShowSecret::INFO]);
        }
    }
    let (mode, is_planned) = (mode_of(session, mode)?, !session.matches.contains_id("apply"));
    match mode {
        Mode::Mirror(_) if is_planned => needs.always(&None, &[ListSecrets::INFO]),
        _ if is_planned => needs.helps("tells at once which of many secrets there are", &None, &[ListSecrets::INFO]),
        _ => {}
    }
    if let Mode::Mirror(scope) = mode {
        for unwanted in needs.secrets(region, &scope) {
            needs.only(UNWANTED, &unwanted, &[ShowSecretStage::INFO]);
            if changes {
                needs.only(UNWANTED, &unwanted, &[DeleteSecretForSchedule::INFO]);
                needs.only(GONE_ON, &unwanted, &[ShowSecret::INFO]);
            }
        }
    }
    Ok(())
}

/// What is to be brought to some place.
struct Work {
    /// Calls that place.
    client: Client,
    wanted: Wanted,
    mode: Mode,
    /// The command as far as it names input and place, for questions.
    words: String,
}

impl Work {
    /// Plans, asks and does it, as far as the flags say.
    fn carry_out(self, session: &Session<'_>, connection: Connection) -> Result<ExitCode, Failure> {
        let plan_file = session.matches.get_one::<PathBuf>("plan");
        if let Some(path) = plan_file {
            file::check_free(path, false).map_err(|failure| failure.hint("name another file, or remove this one"))?;
        }
        let bulk = with_concurrency(session, Bulk::new(&self.client));
        let bulk = if session.is_set("allow-empty-source") { bulk.allow_empty() } else { bulk };
        let (plan, mut journal) = match session.matches.get_one::<PathBuf>("apply") {
            Some(path) => {
                let (plan, journal) = match session.is_set("dry-run") {
                    // Somebody else may be at it.
                    true => (journal::read(path)?, None),
                    false => JournalFile::open(path, session.reporter).map(|(plan, journal)| (plan, Some(journal)))?,
                };
                // Nobody is shown what was made up, or asked about it.
                connection.block_on(bulk.check(&plan, &self.wanted)).map_err(|error| unfit(&plan, error))?;
                (plan, journal)
            }
            None => {
                let plan = connection.block_on(bulk.plan(&self.wanted, self.mode.clone()));
                let told = |error| unplanned(error).placed(&place_of(session, &connection, &self.client));
                (plan.map_err(told)?, None)
            }
        };
        if session.is_set("dry-run") || plan_file.is_some() {
            if let Some(path) = plan_file {
                file::write_private(path, plan.to_line().as_bytes(), false)?;
                session.reporter.note(&format!("nothing is changed yet; do it with: {}", again::applying(path)));
            }
            print_plan(session, &plan)?;
            if plan.changes().is_empty() {
                tell_plan(session, &plan);
            }
            let would_change = session.is_set("exit-code") && plan.left().next().is_some();
            return Ok(if would_change { Exit::Differences.into() } else { ExitCode::SUCCESS });
        }
        tell_plan(session, &plan);
        self.confirm(session, &plan)?;
        let journal = match &mut journal {
            Some(journal) => journal,
            None => journal.insert(JournalFile::create(&plan, session.reporter)),
        };
        let applied = connection.until_interrupted(self.apply(session, &bulk, &plan, journal));
        // It may have been lost meanwhile.
        let resume = journal.path().map(again::applying);
        let applied = applied.map_err(|failure| match (failure.exit(), &resume) {
            (Exit::Interrupted, Some(resume)) => {
                failure.cause("a signal asked to end; what is done is written down").hint(resume)
            }
            (Exit::Interrupted, None) => failure.cause("a signal asked to end; a part of it may be done"),
            _ => failure,
        })?;
        let outcome = report(session, &plan, &applied, resume.as_deref());
        // Conflicts are not resolved by going on.
        if applied.failed().all(|(_, error)| error.kind() == ErrorKind::Conflict) {
            journal.discard();
        }
        outcome
    }

    /// Asks, where something is deleted or much is changed.
    fn confirm(&self, session: &Session<'_>, plan: &Plan) -> Result<(), Failure> {
        let counts = Counts::of(plan.left());
        if counts.of_action(Action::Delete) == 0 && counts.changes() <= FEW {
            return Ok(());
        }
        session.confirm_in(&place_of_plan(session, plan), &self.words, &format!("{}.", counts.future()))
    }

    async fn apply(
        &self,
        session: &Session<'_>,
        bulk: &Bulk,
        plan: &Plan,
        journal: &mut JournalFile<'_>,
    ) -> Result<Applied, Failure> {
        let mut applying = bulk.apply(plan, &self.wanted).journal(journal).start().await?;
        let (line, all) = (ProgressLine::new(session.reporter), plan.left().count());
        let (mut done, mut failed) = (0, 0);
        while let Some(event) = applying.next().await {
            if let Step::Ended(outcome) = &event.step {
                done += 1;
                failed += usize::from(matches!(outcome, Outcome::Failed(_)));
                line.tell(&match failed {
                    0 => format!("{done} of {all}"),
                    failed => format!("{done} of {all}, {failed} failed"),
                });
            }
        }
        line.end();
        applying.finish().await.map_err(Failure::from)
    }
}

/// Prints what became of each secret. `resume` is the command that goes on, where there is a journal.
fn report(session: &Session<'_>, plan: &Plan, applied: &Applied, resume: Option<&str>) -> Result<ExitCode, Failure> {
    let place = place_of_plan(session, plan);
    let mut report = Report::new("SECRET", "secret_name");
    for (name, outcome) in &applied.outcomes {
        match outcome {
            Outcome::Created { version } | Outcome::Updated { version } => {
                report.add(name, outcome.as_str(), version);
            }
            Outcome::Failed(error) => {
                let failure = secret::told_of(&place, name, error);
                let exists = plan.changes().iter().any(|it| it.name == *name && it.base.is_some());
                report.add_failed(
                    name,
                    match *plan.mode() == Mode::Create && exists {
                        true => failure.hint("without --mode create it gets a new version; or give it another name"),
                        false => failure,
                    },
                );
            }
            other => report.add(name, other.as_str(), "in 30 days, until when `csms secret restore` undoes it"),
        }
    }
    let can_go_on = applied.failed().any(|(_, error)| error.kind() != ErrorKind::Conflict);
    let resume = resume.filter(|_| can_go_on);
    // Where none was done, the first failure says what to do about it.
    if let Some(resume) = resume
        && applied.failed().count() == applied.outcomes.len()
    {
        session.reporter.note(&format!("go on with: {resume}"));
    }
    let again = format!("look at what has changed, and run it again: {}", again::anew(plan.mode(), &[]));
    report.told(session, "secrets were not changed", resume.unwrap_or(&again))
}

/// Where a plan is to be done.
fn place_of_plan(session: &Session<'_>, plan: &Plan) -> String {
    session.place_of(plan.region(), Some(plan.project_id()))
}

/// Where a client calls, as far as it has found out.
fn place_of(session: &Session<'_>, connection: &Connection, client: &Client) -> String {
    let project = connection.block_on(client.project_id()).ok();
    session.place_of(client.region(), project)
}

/// Prints all of a plan, as data.
fn print_plan(session: &Session<'_>, plan: &Plan) -> Result<(), Failure> {
    let row = |change: &Change| vec![change.name.clone(), change.action.to_string(), about(change)];
    let rows: Vec<_> = plan.changes().iter().map(row).collect();
    // As plans are written, but for what seals them.
    let json: Json = serde_json::from_str(&plan.to_line()).unwrap_or_default();
    let members = ["region", "project_id", "mode", "scope", "changes"];
    let json: serde_json::Map<_, _> =
        members.iter().map(|member| ((*member).to_owned(), json[*member].clone())).collect();
    session.output.rows(&["SECRET", "ACTION", "FIELDS"], &rows, output::width(), &json.into())
}

/// Says what will be done, before it is.
fn tell_plan(session: &Session<'_>, plan: &Plan) {
    let place = place_of_plan(session, plan);
    session.reporter.note(&format!("{place}: {}", Counts::of(plan.changes().iter()).all()));
    let left: Vec<_> = plan.left().chain(plan.changes().iter().filter(|it| it.action == Action::Leave)).collect();
    for change in left.iter().take(SHOWN) {
        let about = Some(about(change)).filter(|about| !about.is_empty());
        let about = about.map(|about| format!(" ({about})")).unwrap_or_default();
        session.reporter.note(&format!("  {:<9} {}{about}", change.action, change.name));
    }
    if left.len() > SHOWN {
        session.reporter.note(&format!("  and {} more; --dry-run shows all", left.len() - SHOWN));
    }
}

/// The fields that differ, or why it is not done.
fn about(change: &Change) -> String {
    match &change.reason {
        Some(reason) => reason.clone(),
        None => fields(&change.fields),
    }
}

/// `changed password, added port`
fn fields(fields: &[FieldChange]) -> String {
    fields.iter().map(|field| format!("{} {}", word(field.change), field.name)).collect::<Vec<_>>().join(", ")
}

/// How many secrets there are for each action.
struct Counts(Vec<(Action, usize)>);

impl Counts {
    fn of<'a>(changes: impl Iterator<Item = &'a Change>) -> Self {
        let mut counts: Vec<(Action, usize)> = Vec::new();
        for change in changes {
            match counts.iter_mut().find(|(action, _)| *action == change.action) {
                Some((_, count)) => *count += 1,
                None => counts.push((change.action, 1)),
            }
        }
        Self(counts)
    }

    fn of_action(&self, action: Action) -> usize {
        self.0.iter().find(|(known, _)| *known == action).map_or(0, |(_, count)| *count)
    }

    fn changes(&self) -> usize {
        self.0.iter().filter(|(action, _)| action.is_change()).map(|(_, count)| count).sum()
    }

    /// `2 create, 1 unchanged`
    fn all(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|(action, count)| format!("{count} {action}")).collect();
        if words.is_empty() { "nothing is there to be done".to_owned() } else { words.join(", ") }
    }

    /// `2 will be created, 1 deleted in 30 days`
    fn future(&self) -> String {
        let word = |action| match action {
            Action::Create => Some("created"),
            Action::Update => Some("updated"),
            Action::Delete => Some("deleted in 30 days"),
            _ => None,
        };
        let words = self.0.iter().filter_map(|(action, count)| Some(format!("{count} will be {}", word(*action)?)));
        words.collect::<Vec<_>>().join(", ")
    }
}

/// A plan that could not be made.
fn unplanned(error: Error) -> Failure {
    match error.field() {
        Some("mode") => empty_source(&error),
        Some("wanted") => Failure::usage("out_of_scope", format!("the input {}", error.message()))
            .cause("a mirror changes nothing outside its scope; nothing was changed")
            .hint("give another --prefix or --name-prefix, or --all"),
        _ => {
            let failure = Failure::of(&error);
            match error.help().filter(|_| error.kind() == ErrorKind::PermissionDenied) {
                // Which secret it is.
                Some(help) => {
                    let what = format!("{}: {help}", failure.what());
                    failure.renamed(what)
                }
                None => failure,
            }
        }
    }
}

/// A plan that is not to be applied, or not here, or not with this input.
fn unfit(plan: &Plan, error: Error) -> Failure {
    match error.field() {
        Some("mode") => empty_source(&error),
        Some("wanted") => Failure::usage("input_changed", "the input is not what the plan was made for")
            .cause("names or values have changed since; nothing was changed")
            .hint(format!("see what would be done now: {}", again::anew(plan.mode(), &["--dry-run"]))),
        Some("plan") => {
            let (code, hint) = match error.help() {
                // What an altered one says is no help, its mode neither.
                Some(_) => ("damaged_plan", "make a new plan"),
                None => ("other_place", "--region, --project and --profile say where; or plan again"),
            };
            Failure::usage(code, format!("the plan {}", error.message())).cause("nothing was changed").hint(hint)
        }
        _ => error.into(),
    }
}

fn empty_source(error: &Error) -> Failure {
    Failure::usage("empty_source", format!("the input has no secret: the mirror {}", error.message()))
        .cause("what could not be read looks the same; nothing was changed")
        .hint("see whether it is the right input; --allow-empty-source deletes all the same")
}

/// Several things that are wrong with the input, as one failure.
fn refused(what: &str, problems: &[String], hint: &str) -> Failure {
    Failure::usage("invalid_input_file", format!("{what}: {} cannot be taken", problems.len()))
        .cause(format!("{}; nothing was sent", problems.join("; ")))
        .hint(hint)
}

/// Refuses to go on where something of the place that a client calls could not be read.
fn told_unread(
    session: &Session<'_>,
    connection: &Connection,
    client: &Client,
    failed: &[(String, Error)],
) -> Result<(), Failure> {
    let [first, others @ ..] = failed else { return Ok(()) };
    let place = place_of(session, connection, client);
    let told = |(name, error): &(String, Error)| secret::told_of(&place, name, error);
    Err(told(first).also(others.iter().map(|other| told(other).what().to_owned()).collect()))
}
