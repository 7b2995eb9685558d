//! Verbs that are one operation each: a row of a table becomes flags, a call and its rendering.
//!
//! What an operation takes, how it is documented and how it is paged comes from the SDK's registry. A row says only
//! what people call it, and which of its fields they see.

use std::process::ExitCode;

use clap::{
    Arg, ArgAction, ArgMatches, Command,
    builder::{PossibleValue, PossibleValuesParser},
};
use csms_sdk::{OperationInfo, SecretJson, Service, model::Field, page};
use serde_json::{Map, Value as Json, json};

use crate::{
    commands::api::{self, dry_run},
    connection::Connection,
    error::{Exit, Failure, Reporter},
    input::Sources,
    needs::Needs,
    output::Column,
    params,
    session::Session,
    subject::{self, Subject},
    text,
};

/// A word before verbs: `secret`, `key`, or one of their parts, as `tag` is.
pub(crate) struct Noun {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) verbs: &'static [Verb],
}

/// What can follow a noun.
pub(crate) enum Verb {
    /// One operation.
    Call(Call),
    /// A command with a module of its own.
    Own(Own),
    /// A command that works whatever the settings are like.
    Bare(Bare),
    /// More verbs.
    Noun(Noun),
}

/// A command with a module of its own.
pub(crate) struct Own {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Adds its arguments.
    pub(crate) grammar: fn(Command) -> Command,
    pub(crate) run: fn(&Session<'_>) -> Result<ExitCode, Failure>,
    /// What `run` may call. It calls nothing, and reads no more than `run` does.
    pub(crate) calls: fn(&Session<'_>) -> Result<Needs, Failure>,
}

/// A command without arguments that looks at no settings, and calls nothing.
pub(crate) struct Bare {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&ArgMatches) -> Result<(), Failure>,
}

/// A verb that is one operation.
pub(crate) struct Call {
    name: &'static str,
    about: &'static str,
    info: &'static OperationInfo,
    subjects: &'static [Subject],
    flags: &'static [Flag],
    fixed: &'static [(&'static str, &'static str)],
    effect: Effect,
    shows: Shows,
    lacking: Option<Lacking>,
}

/// What is told where something is missing that need not be the first subject.
struct Lacking {
    what: &'static str,
    hint: &'static str,
    /// Whether the service has a code of its own for the first subject.
    is_told_apart: bool,
}

/// A field of the request that is a flag of the verb.
pub(crate) struct Flag {
    field: &'static str,
    name: &'static str,
    default: Option<&'static str>,
    is_required: bool,
    /// Whether its value is a key by id, name or alias.
    is_key: bool,
    /// Whether values that are not known here are refused.
    is_closed: bool,
    /// What people say for the codes that are its values.
    words: &'static [(&'static str, &'static str)],
}

/// What a verb does to the world.
#[derive(Clone, Copy)]
enum Effect {
    Reads,
    Changes,
    /// It asks first, and says what will come of it.
    Destroys(&'static str),
}

/// What is printed of an answer.
#[derive(Clone, Copy)]
enum Shows {
    /// The items of the list at this path; of the list that is paged, where the path is empty.
    Rows(&'static str, &'static [Column]),
    /// The members of the object at this path.
    Facts(&'static str, &'static [Column]),
    /// A line on stderr; `{NAME}` stands for a subject or a flag.
    Done(&'static str),
}

impl Flag {
    /// A flag named as its field, with dashes for underscores.
    pub(crate) const fn of(field: &'static str) -> Self {
        Self { field, name: "", default: None, is_required: false, is_key: false, is_closed: false, words: &[] }
    }

    pub(crate) const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Not to be left out, although the service bears that.
    pub(crate) const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    pub(crate) const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// A key, which may be called by its id, name or alias.
    pub(crate) const fn key(mut self) -> Self {
        self.is_key = true;
        self
    }

    /// Refuses what is not among the known values: a filter for that finds nothing, and does not say why.
    pub(crate) const fn closed(mut self) -> Self {
        self.is_closed = true;
        self
    }

    /// Takes these words for codes, and the codes as well.
    pub(crate) const fn words(mut self, words: &'static [(&'static str, &'static str)]) -> Self {
        self.words = words;
        self
    }

    /// The code that a word stands for.
    fn code<'a>(&self, word: &'a str) -> &'a str {
        let is_it = |(_, known): &&(&str, &str)| *known == word.replace('-', " ");
        self.words.iter().find(is_it).map_or(word, |(code, _)| *code)
    }

    fn long(&self) -> String {
        if self.name.is_empty() { self.field.replace('_', "-") } else { self.name.to_owned() }
    }
}

impl Call {
    /// A list, all pages of it.
    pub(crate) const fn list(name: &'static str, info: &'static OperationInfo, columns: &'static [Column]) -> Self {
        Self::of(name, info, Effect::Reads, Shows::Rows("", columns))
    }

    /// A list that comes in one piece, at `path` in the answer.
    pub(crate) const fn whole_list(
        name: &'static str,
        info: &'static OperationInfo,
        path: &'static str,
        columns: &'static [Column],
    ) -> Self {
        Self::of(name, info, Effect::Reads, Shows::Rows(path, columns))
    }

    /// The object that stands at `path` in the answer.
    pub(crate) const fn show(
        name: &'static str,
        info: &'static OperationInfo,
        path: &'static str,
        columns: &'static [Column],
    ) -> Self {
        Self::of(name, info, Effect::Reads, Shows::Facts(path, columns))
    }

    /// Something that changes, and the line that says so afterwards.
    pub(crate) const fn change(name: &'static str, info: &'static OperationInfo, done: &'static str) -> Self {
        Self::of(name, info, Effect::Changes, Shows::Done(done))
    }

    const fn of(name: &'static str, info: &'static OperationInfo, effect: Effect, shows: Shows) -> Self {
        Self { name, about: "", info, subjects: &[], flags: &[], fixed: &[], effect, shows, lacking: None }
    }

    /// Words for the help; else the operation's own are taken.
    pub(crate) const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// What stands behind the verb, in this order.
    pub(crate) const fn on(mut self, subjects: &'static [Subject]) -> Self {
        self.subjects = subjects;
        self
    }

    pub(crate) const fn flags(mut self, flags: &'static [Flag]) -> Self {
        self.flags = flags;
        self
    }

    /// Members of the request that are always the same.
    pub(crate) const fn fixed(mut self, fixed: &'static [(&'static str, &'static str)]) -> Self {
        self.fixed = fixed;
        self
    }

    /// Asks first; `what` completes "This …".
    pub(crate) const fn destroys(mut self, consequence: &'static str) -> Self {
        self.effect = Effect::Destroys(consequence);
        self
    }

    /// Something else than the first subject can be missing: what is said then, and what shows what there is.
    pub(crate) const fn lacking(mut self, what: &'static str, hint: &'static str) -> Self {
        self.lacking = Some(Lacking { what, hint, is_told_apart: true });
        self
    }

    /// The same where the service does not tell whether it is that or the first subject.
    pub(crate) const fn lacking_either(mut self, what: &'static str, hint: &'static str) -> Self {
        self.lacking = Some(Lacking { what, hint, is_told_apart: false });
        self
    }

    /// Shows what stands at `path` in the answer instead of saying that it is done.
    pub(crate) const fn shows(mut self, path: &'static str, columns: &'static [Column]) -> Self {
        self.shows = Shows::Facts(path, columns);
        self
    }
}

impl Noun {
    /// The grammar of the noun. Verbs that `words` do not name are there by name only.
    pub(crate) fn command(&self, words: &[String]) -> Command {
        let command = Command::new(self.name)
            .about(self.about)
            .disable_help_subcommand(true)
            .subcommand_required(true)
            .subcommand_value_name("VERB")
            .subcommand_help_heading("Verbs");
        match words.iter().any(|word| word == self.name) {
            true => command.subcommands(self.verbs.iter().map(|verb| verb.command(words))),
            false => command,
        }
    }

    /// Runs the verb that was named.
    pub(crate) fn run(&self, matches: &ArgMatches, reporter: &Reporter) -> Result<ExitCode, Failure> {
        self.run_below("csms", matches, reporter)
    }

    fn run_below(&self, path: &str, matches: &ArgMatches, reporter: &Reporter) -> Result<ExitCode, Failure> {
        let path = format!("{path} {}", self.name);
        match self.named(matches) {
            Some((Verb::Call(call), matches)) => {
                let path = format!("{path} {}", call.name);
                let about = |failure: Failure| failure.explained_by(&path);
                call.run(&path, &Session::of(matches, reporter)?).map_err(about)
            }
            Some((Verb::Own(own), matches)) => own.run(&format!("{path} {}", own.name), matches, reporter),
            Some((Verb::Bare(bare), matches)) => (bare.run)(matches).map(|()| ExitCode::SUCCESS),
            Some((Verb::Noun(noun), matches)) => noun.run_below(&path, matches, reporter),
            // clap has refused every other word and the absence of one.
            None => Ok(ExitCode::SUCCESS),
        }
    }

    /// What the verb that was named may call.
    pub(crate) fn calls(&self, matches: &ArgMatches, reporter: &Reporter) -> Result<Needs, Failure> {
        match self.named(matches) {
            Some((Verb::Call(call), matches)) => call.calls(&Session::of(matches, reporter)?),
            Some((Verb::Own(own), matches)) => (own.calls)(&Session::of(matches, reporter)?),
            Some((Verb::Noun(noun), matches)) => noun.calls(matches, reporter),
            // clap has refused every other word and the absence of one.
            Some((Verb::Bare(_), _)) | None => Ok(Needs::none()),
        }
    }

    /// The verb that was named, and what stands behind it.
    fn named<'a>(&self, matches: &'a ArgMatches) -> Option<(&Verb, &'a ArgMatches)> {
        let (name, matches) = matches.subcommand()?;
        Some((self.verbs.iter().find(|verb| verb.name() == name)?, matches))
    }

    /// The names of its verbs.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.verbs.iter().map(Verb::name)
    }

    /// The noun among its verbs that has this name.
    pub(crate) fn noun(&self, name: &str) -> Option<&Self> {
        self.verbs.iter().find_map(|verb| match verb {
            Verb::Noun(noun) if noun.name == name => Some(noun),
            _ => None,
        })
    }
}

impl Verb {
    fn name(&self) -> &'static str {
        match self {
            Self::Call(call) => call.name,
            Self::Own(own) => own.name,
            Self::Bare(bare) => bare.name,
            Self::Noun(noun) => noun.name,
        }
    }

    fn command(&self, words: &[String]) -> Command {
        let is_named = words.iter().any(|word| word == self.name());
        match self {
            Self::Call(call) => call.command(is_named),
            Self::Own(own) => own.command(is_named),
            Self::Bare(bare) => Command::new(bare.name).about(bare.about),
            Self::Noun(noun) => noun.command(words),
        }
    }
}

impl Own {
    /// Its grammar, without arguments where it is only one of those that could be named.
    pub(crate) fn command(&self, is_named: bool) -> Command {
        let command = Command::new(self.name).about(self.about);
        if is_named { (self.grammar)(command) } else { command }
    }

    /// Runs it; `path` are the words that lead to it.
    pub(crate) fn run(&self, path: &str, matches: &ArgMatches, reporter: &Reporter) -> Result<ExitCode, Failure> {
        let outcome = (self.run)(&Session::of(matches, reporter)?);
        outcome.map_err(|failure| failure.explained_by(path))
    }
}

impl Call {
    fn command(&self, is_named: bool) -> Command {
        let about = match self.about {
            "" => text::plain(&self.info.summary()),
            about => about.to_owned(),
        };
        let command = Command::new(self.name).about(about);
        if !is_named {
            return command;
        }
        let subjects = self.subjects.iter().map(Subject::arg);
        let command = command.args(subjects).args(self.flags.iter().map(|flag| self.flag(flag)));
        let command = match self.effect {
            Effect::Reads => command,
            Effect::Changes | Effect::Destroys(_) => command.args(change_flags()),
        };
        match self.info.paging {
            Some(_) => command.arg(
                Arg::new("limit")
                    .long("limit")
                    .value_name("NUMBER")
                    .value_parser(clap::value_parser!(u32).range(1..))
                    .help("Print no more than this many; default all, page after page"),
            ),
            None => command,
        }
    }

    fn field(&self, name: &str) -> Option<&'static Field> {
        self.info.request.field(name)
    }

    fn flag(&self, flag: &Flag) -> Arg {
        let long = flag.long();
        let Some(field) = self.field(flag.field) else { return Arg::new(long.clone()).long(long) };
        let is_required = flag.is_required || field.required && flag.default.is_none();
        let arg = params::arg(flag.field, long, field).required(is_required).default_value(flag.default);
        match (flag.words, params::known_values(&field.kind)) {
            _ if flag.is_key => arg.value_name("KEY").help("The key: its id, name or alias"),
            ([], known) if flag.is_closed => {
                arg.value_parser(PossibleValuesParser::new(known)).hide_possible_values(true)
            }
            ([], _) => arg,
            (words, _) => {
                let value = |(code, word): &(&'static str, &'static str)| {
                    PossibleValue::new(word.replace(' ', "-")).aliases([*code, *word])
                };
                arg.help(text::plain(field.docs)).value_parser(PossibleValuesParser::new(words.iter().map(value)))
            }
        }
    }

    fn calls(&self, session: &Session<'_>) -> Result<Needs, Failure> {
        let mut needs = Needs::of(session);
        let mut on = None;
        for subject in self.subjects {
            // A call about a secret and a key is one about the secret.
            on = subject.needs(session.matches, &mut needs)?.or(on);
        }
        for word in self.flags.iter().filter(|flag| flag.is_key).filter_map(|flag| session.text(flag.field)) {
            match self.info.service {
                // It is to protect the secret.
                Service::Csms => needs.protecting(None, word),
                _ => needs.key(word),
            };
        }
        if !session.is_set("dry-run") {
            needs.always(&on, &[self.info]);
        }
        Ok(needs)
    }

    fn run(&self, path: &str, session: &Session<'_>) -> Result<ExitCode, Failure> {
        let mut sources = Sources::new(session.reporter, false, false, false);
        self.check_changes(session)?;
        let mut request = Map::new();
        for (name, value) in self.fixed {
            if let Some(field) = self.field(name) {
                request.insert((*name).to_owned(), params::value(&field.kind, name, &[*value], &mut sources)?);
            }
        }
        for flag in self.flags.iter().filter(|flag| !flag.is_key) {
            let values: Vec<_> = session.words(flag.field).map(|word| flag.code(word)).collect();
            if let (Some(field), false) = (self.field(flag.field), values.is_empty()) {
                let value = params::value(&field.kind, &format!("--{}", flag.long()), &values, &mut sources)?;
                request.insert(flag.field.to_owned(), value);
            }
        }
        let connection = session.connect()?;
        for subject in self.subjects {
            let value = subject.resolve(session.matches, self.info, &connection.client, &mut sources);
            let value =
                connection.block_on(value).map_err(|failure| session.placed(subject.told(failure, session.matches)))?;
            request.insert(subject.field.to_owned(), value);
        }
        for flag in self.flags.iter().filter(|flag| flag.is_key) {
            if let Some(word) = session.text(flag.field) {
                let id = connection.block_on(subject::key_id(&connection.client, word));
                let id = id.map_err(|failure| session.placed(subject::key_told(failure, word)))?;
                request.insert(flag.field.to_owned(), id.into());
            }
        }
        if session.is_set("dry-run") {
            return self.dry_run(session, request);
        }
        if let Effect::Destroys(consequence) = self.effect {
            session.confirm(&format!("{path} {}", self.words(session)), &self.fill(consequence, session, &request))?;
        }
        match self.shows {
            Shows::Rows(path, columns) => self.print_list(session, &connection, request, path, columns),
            Shows::Facts(path, columns) => {
                let answer = self.send(session, &connection, &request)?;
                session.output.facts(at(answer.expose_secret(), path), columns, answer.expose_secret())
            }
            Shows::Done(text) => {
                let answer = self.send(session, &connection, &request)?;
                let json = if answer.expose_secret().is_null() { json!({}) } else { answer.expose_secret().clone() };
                session.output.done(session.reporter, &self.fill(text, session, &request), &json)
            }
        }?;
        Ok(ExitCode::SUCCESS)
    }

    fn send(
        &self,
        session: &Session<'_>,
        connection: &Connection,
        request: &Map<String, Json>,
    ) -> Result<SecretJson, Failure> {
        let answer = connection.block_on(connection.client.send_json(self.info, request));
        let answer = answer.map_err(|error| session.placed(self.told(error.into(), session, request)))?.into_body();
        Ok(session.shown(self.info, answer))
    }

    fn print_list(
        &self,
        session: &Session<'_>,
        connection: &Connection,
        request: Map<String, Json>,
        path: &str,
        columns: &[Column],
    ) -> Result<(), Failure> {
        let Some(pages) = connection.client.json_pages(self.info, request.clone()) else {
            let answer = self.send(session, connection, &request)?;
            let answer = answer.expose_secret();
            let items = at(answer, path).as_array().map_or(&[][..], Vec::as_slice);
            return session.list(columns, items, answer);
        };
        let most = session.matches.get_one::<u32>("limit").map_or(usize::MAX, |most| *most as usize);
        let mut pages = pages.max_items(most);
        let mut next = || {
            let answer = connection.block_on(pages.next())?;
            let told = |error: csms_sdk::Error| session.placed(self.told(error.into(), session, &request));
            Some(answer.map(|answer| session.shown(self.info, answer.into_body())).map_err(told))
        };
        if session.output.takes_pages() {
            // What is printed line by line need not be kept.
            let mut left = most;
            while let Some(answer) = next().transpose()? {
                let items = page::items(self.info, answer.expose_secret());
                let items = &items[..items.len().min(left)];
                left -= items.len();
                session.output.list(columns, items, answer.expose_secret())?;
            }
            return Ok(());
        }
        let mut merged = api::Merged::new(self.info, most);
        while let Some(answer) = next().transpose()? {
            merged.add(answer);
        }
        let answer = merged.into_answer();
        session.list(columns, page::items(self.info, answer.expose_secret()), answer.expose_secret())
    }

    fn dry_run(&self, session: &Session<'_>, request: Map<String, Json>) -> Result<ExitCode, Failure> {
        let request = Json::Object(request).into();
        session.output.json(&dry_run::request(self.info, &request, &session.settings, true)?)?;
        Ok(ExitCode::SUCCESS)
    }

    /// A refusal, told of what the user has named.
    fn told(&self, failure: Failure, session: &Session<'_>, request: &Map<String, Json>) -> Failure {
        let Some(subject) = self.subjects.first() else { return failure };
        match &self.lacking {
            Some(Lacking { what, hint, is_told_apart })
                if failure.exit() == Exit::NotFound && !(*is_told_apart && subject.is_missing(&failure)) =>
            {
                failure.renamed(self.fill(what, session, request)).hint(self.fill(hint, session, request))
            }
            _ => {
                let key = self.flags.iter().filter(|flag| flag.is_key).find_map(|flag| session.text(flag.field));
                subject::told_of_its_key(subject.told(failure, session.matches), key)
            }
        }
    }

    /// Refuses to change nothing.
    fn check_changes(&self, session: &Session<'_>) -> Result<(), Failure> {
        let is_free = |flag: &Flag| {
            let is_required = self.field(flag.field).is_some_and(|field| field.required);
            !is_required && !flag.is_required && flag.default.is_none()
        };
        let changes_as_told = !matches!(self.effect, Effect::Reads) && self.fixed.is_empty() && !self.flags.is_empty();
        if changes_as_told && self.flags.iter().all(|flag| is_free(flag) && session.text(flag.field).is_none()) {
            let flags: Vec<_> = self.flags.iter().map(|flag| format!("--{}", flag.long())).collect();
            return Err(Failure::usage("nothing_to_change", "it is not said what is to be changed")
                .cause("nothing was sent")
                .hint(format!("give {}", flags.join(" or "))));
        }
        Ok(())
    }

    /// The subjects as the user has written them.
    fn words(&self, session: &Session<'_>) -> String {
        let words: Vec<_> = self.subjects.iter().flat_map(|subject| subject.words(session.matches)).collect();
        words.join(" ")
    }

    /// A text with `{NAME}` for each subject and `{flag}` for each flag.
    fn fill(&self, text: &str, session: &Session<'_>, request: &Map<String, Json>) -> String {
        let mut text = text.to_owned();
        for subject in self.subjects {
            let words = || subject.words(session.matches).join(" ");
            let word = subject.resolved(request).map_or_else(words, str::to_owned);
            text = text.replace(&format!("{{{}}}", subject.name), &word);
        }
        for flag in self.flags {
            let value = session.matches.get_one::<String>(flag.field).map_or("", String::as_str);
            text = text.replace(&format!("{{{}}}", flag.long()), value);
        }
        text
    }
}

/// The flags of everything that changes something.
pub(crate) fn change_flags() -> [Arg; 2] {
    let flag = |name, help| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    [flag("dry-run", "Show what would be done, and change nothing"), flag("yes", "Do not ask").short('y')]
}

/// The flag that has a dry run tell by its exit code whether something would be done.
pub(crate) fn exit_code_flag() -> Arg {
    let help = "With --dry-run: exit code 10 where something would be changed";
    Arg::new("exit-code").long("exit-code").help(help).action(ArgAction::SetTrue)
}

/// What stands at a path of members.
pub(crate) fn at<'a>(json: &'a Json, path: &str) -> &'a Json {
    static NOTHING: Json = Json::Null;
    let mut steps = path.split('.').filter(|step| !step.is_empty());
    steps.try_fold(json, |json, step| json.get(step)).unwrap_or(&NOTHING)
}

#[cfg(test)]
mod tests {
    use csms_sdk::model::{Kind, Shape};

    use super::*;
    use crate::commands::{key, secret, wait};

    /// Every verb that is one operation, with the words that lead to it.
    fn calls<'a>(noun: &'a Noun, path: &str, found: &mut Vec<(String, &'a Call)>) {
        for verb in noun.verbs {
            let path = format!("{path} {}", verb.name());
            match verb {
                Verb::Call(call) => found.push((path, call)),
                Verb::Noun(noun) => calls(noun, &path, found),
                Verb::Own(_) | Verb::Bare(_) => {}
            }
        }
    }

    fn all() -> Vec<(String, &'static Call)> {
        let mut found = Vec::new();
        for noun in [&secret::NOUN, &key::NOUN, &wait::NOUN] {
            calls(noun, noun.name, &mut found);
        }
        found
    }

    /// The shape of what stands at a path.
    fn inside(shape: Option<&'static Shape>, path: &str) -> Option<&'static Shape> {
        path.split('.').filter(|step| !step.is_empty()).try_fold(shape?, |shape, step| match shape.field(step)?.kind {
            Kind::Object(inner) => Some(inner),
            Kind::List(Kind::Object(inner)) => Some(*inner),
            _ => None,
        })
    }

    #[test]
    fn every_row_fits_its_operation() {
        for (path, call) in all() {
            let request = call.info.request;
            let given: Vec<_> = (call.subjects.iter().map(|subject| subject.field))
                .chain(call.flags.iter().map(|flag| flag.field))
                .chain(call.fixed.iter().map(|(field, _)| *field))
                .collect();
            for field in &given {
                assert!(request.field(field).is_some(), "{path}: {field} is no parameter");
            }
            for field in request.fields.iter().filter(|field| field.required) {
                assert!(given.contains(&field.name), "{path}: {} cannot be given", field.name);
            }
        }
    }

    #[test]
    fn every_column_is_a_member_of_the_answer() {
        for (path, call) in all() {
            let (root, columns) = match call.shows {
                Shows::Rows("", columns) => (call.info.paging.map_or("", csms_sdk::operation::Paging::items), columns),
                Shows::Rows(root, columns) | Shows::Facts(root, columns) => (root, columns),
                Shows::Done(_) => continue,
            };
            let shape = inside(call.info.response, root).unwrap_or_else(|| panic!("{path}: nothing is at {root}"));
            for column in columns {
                let (parent, name) = column.path().rsplit_once('.').unwrap_or(("", column.path()));
                let parent = inside(Some(shape), parent).unwrap_or_else(|| panic!("{path}: {}", column.path()));
                assert!(parent.field(name).is_some(), "{path}: there is no {}", column.path());
            }
        }
    }

    #[test]
    fn every_placeholder_stands_for_something() {
        for (path, call) in all() {
            let mut texts = Vec::new();
            if let Shows::Done(text) = call.shows {
                texts.push(text);
            }
            if let Effect::Destroys(text) = call.effect {
                texts.push(text);
            }
            if let Some(Lacking { what, hint, .. }) = &call.lacking {
                texts.extend([what, hint]);
            }
            let mut known: Vec<_> = call.subjects.iter().map(|subject| subject.name.to_owned()).collect();
            known.extend(call.flags.iter().map(Flag::long));
            for name in texts.iter().flat_map(|text| text.split('{').skip(1)).filter_map(|rest| rest.split('}').next())
            {
                assert!(known.iter().any(|known| known == name), "{path}: {{{name}}}");
            }
        }
    }

    #[test]
    fn the_grammar_is_sound_for_every_verb() {
        for (path, _) in all() {
            let words: Vec<_> = format!("csms {path}").split(' ').map(str::to_owned).collect();
            crate::cli::command(&words).debug_assert();
        }
    }
}
