//! Which values a program is given, under which names, and who says so.

use clap::{Arg, ArgAction, Command, builder::PossibleValuesParser};
use csms_sdk::{
    Operation as _, SecretBytes, SecretString,
    bulk::Scope,
    csms::{ListSecrets, SecretState, ShowSecretStage},
    reference::Reference,
};

use crate::{
    connection::Connection,
    dotenv,
    error::{Exit, Failure},
    input,
    needs::Needs,
    project::{self, Project},
    redactor::Patterns,
    resolve::{self, Resolved, Target},
    session::Session,
};

/// Variables that hold what somebody calls the services with.
const CREDENTIALS: [&str; 20] = [
    "CSMS_ACCESS_KEY",
    "CSMS_AUTH_TOKEN",
    "CSMS_SECRET_KEY",
    "CSMS_SECURITY_TOKEN",
    "HUAWEICLOUD_OIDC_ID_TOKEN",
    "HUAWEICLOUD_OIDC_TOKEN_FILE",
    "HUAWEICLOUD_SDK_AK",
    "HUAWEICLOUD_SDK_CREDENTIALS_FILE",
    "HUAWEICLOUD_SDK_ID_TOKEN_FILE",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    "HUAWEICLOUD_SDK_SK",
    "HW_ACCESS_KEY",
    "HW_AUTH_TOKEN",
    "HW_SECRET_KEY",
    "HW_SECURITY_TOKEN",
    "HW_USER_PASSWORD",
    "OS_ACCESS_KEY",
    "OS_AUTH_TOKEN",
    "OS_PASSWORD",
    "OS_SECRET_KEY",
];

/// Variables that decide what a program runs, and where it looks. One with `*` stands for all that begin like it.
const POWERFUL: [&str; 9] = ["PATH", "HOME", "SHELL", "LD_*", "DYLD_*", "IFS", "BASH_ENV", "NODE_OPTIONS", "PYTHON*"];

/// A value under its name.
#[derive(PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) value: SecretBytes,
    /// Who says so, e.g. `--secret db`.
    pub(crate) origin: String,
    /// Whether the value goes to a file, whose path the variable holds.
    pub(crate) is_file: bool,
    /// Whether it may be a [powerful](POWERFUL) variable.
    pub(crate) is_named: bool,
    /// Whether it is to be hidden where things are hidden.
    pub(crate) is_secret: bool,
}

/// What is wanted, before anything is read.
#[derive(Default)]
pub(crate) struct Wanted {
    entries: Vec<Entry>,
    keeps_case: bool,
    is_strict: bool,
}

#[derive(Clone)]
struct Entry {
    /// The name that was given; else it is that of the secret or its fields.
    name: Option<String>,
    content: Content,
    origin: String,
    is_file: bool,
    is_named: bool,
}

#[derive(Clone)]
enum Content {
    Plain(SecretString),
    /// What stands in the file of a project as it is, which is no secret, and may be a common word.
    Public(String),
    Target(Target),
    Prefix(String),
}

/// Adds the flags that name values.
pub(crate) fn value_flags(command: Command) -> Command {
    let source = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).action(ArgAction::Append).help_heading("Sources")
    };
    command.args([
        source("secret", "REF", "A secret: one variable for each field of JSON, else one named after the secret"),
        source("prefix", "PREFIX", "Every secret whose name begins like this, as by --secret"),
        source("env", "VAR=REF", "One variable: a secret, a version, a field, or kms:BASE64"),
        source(
            "env-file",
            "FILE",
            "NAME=value in lines; csms:// and kms: values are looked up, others taken as they are",
        ),
    ])
}

/// Adds the flags that name sources of variables.
pub(crate) fn flags(command: Command) -> Command {
    value_flags(command).args([
        Arg::new("name-case")
            .long("name-case")
            .value_name("CASE")
            .value_parser(PossibleValuesParser::new(["upper", "keep"]))
            .default_value("upper")
            .help("Names of variables that come from secrets: DB_URL for db-url, or as they are"),
        Arg::new("strict")
            .long("strict")
            .action(ArgAction::SetTrue)
            .help("Fail where there would be a warning about a name"),
    ])
}

/// The flag that has a value in a file.
pub(crate) fn file_flag() -> Arg {
    let help = "One variable: the path of a file that holds the value, and that only the command can open";
    Arg::new("file").long("file").value_name("VAR=REF").help(help).action(ArgAction::Append).help_heading("Sources")
}

/// The values to be hidden, with their names.
pub(crate) fn secrets(items: &[Item]) -> impl Iterator<Item = (&str, &[u8])> {
    items.iter().filter(|item| item.is_secret).map(|item| (item.name.as_str(), item.value.expose_secret()))
}

/// Whether a variable holds what somebody calls the services with.
pub(crate) fn is_credential(name: &str) -> bool {
    CREDENTIALS.contains(&name)
}

impl Wanted {
    /// What the flags want, weakest first. An empty prefix is that of every secret, which nobody means to give away: a script
    /// has a variable that is not set.
    pub(crate) fn of(session: &Session<'_>) -> Result<Self, Failure> {
        match session.words("prefix").any(str::is_empty) {
            true => Err(Failure::usage("empty_prefix", "--prefix is empty")
                .cause("every secret of the region would be given; nothing was sent")
                .hint("--prefix with what the names begin with")),
            false => Self::of_flags(session),
        }
    }

    fn of_flags(session: &Session<'_>) -> Result<Self, Failure> {
        let mut wanted = Self {
            entries: Vec::new(),
            keeps_case: session.text("name-case") == Some("keep"),
            is_strict: session.is_set("strict"),
        };
        for reference in session.words("secret") {
            wanted.secret("--secret", reference)?;
        }
        for prefix in session.words("prefix") {
            wanted.prefix("--prefix", prefix);
        }
        for text in session.words("env") {
            let (name, target) = input::pair("--env", "VAR=REF", text)?;
            let content = Content::Target(Target::of(&format!("--env {name}"), target)?);
            wanted.push(Some(name), content, format!("--env {name}"), false, true);
        }
        for path in session.words("env-file") {
            wanted.env_file(path)?;
        }
        for text in session.words("file") {
            let (name, target) = input::pair("--file", "VAR=REF", text)?;
            wanted.file(&format!("--file {name}"), name, target)?;
        }
        Ok(wanted)
    }

    /// What the flags want, or else the project file: something is to be `done` to values whose names do not matter.
    pub(crate) fn of_values(session: &Session<'_>, done: &str, example: &str) -> Result<Self, Failure> {
        let mut wanted = Self::of_flags(session)?;
        if wanted.is_empty() {
            wanted = wanted.with_project(session)?;
            wanted.entries.retain(|entry| !matches!(entry.content, Content::Public(_)));
        }
        match wanted.is_empty() {
            true => Err(Failure::usage("no_sources", format!("there is nothing to be {done}"))
                .cause("no source is given, and no csms.toml that names a secret; nothing was sent")
                .hint(example)),
            false => Ok(wanted),
        }
    }

    /// Adds what the project file wants, which wins over everything else.
    pub(crate) fn with_project(mut self, session: &Session<'_>) -> Result<Self, Failure> {
        if let Some(project) = project::find(session.reporter)? {
            self.add(&project)?;
        }
        Ok(self)
    }

    /// What a project file wants.
    pub(crate) fn of_project(project: &Project) -> Result<Self, Failure> {
        let mut wanted = Self::default();
        wanted.add(project)?;
        Ok(wanted)
    }

    fn add(&mut self, project: &Project) -> Result<(), Failure> {
        let origin = project.path.display().to_string();
        for reference in &project.secrets {
            self.secret(&origin, reference)?;
        }
        for prefix in &project.prefixes {
            self.prefix(&origin, prefix);
        }
        for (name, text) in &project.variables {
            let origin = format!("{origin}, [env] {name}");
            let content = match Target::marked(&origin, text) {
                Some(target) => Content::Target(target?),
                None => Content::Public(text.clone()),
            };
            // Whoever writes the file of a project does not decide what else is run.
            self.push(Some(name), content, origin, false, false);
        }
        for (name, target) in &project.files {
            self.file(&format!("{origin}, [files] {name}"), name, target)?;
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a secret, under the name of the secret or the names of its fields.
    pub(crate) fn secret(&mut self, flag: &str, reference: &str) -> Result<(), Failure> {
        match Target::of(flag, reference)? {
            Target::Cipher(_) => Err(Failure::usage("invalid_value", format!("{flag}: a ciphertext has no name"))
                .cause("a variable needs one; nothing was sent")
                .hint("--env NAME=kms:BASE64")),
            target => {
                self.push(None, Content::Target(target), format!("{flag} {reference}"), false, false);
                Ok(())
            }
        }
    }

    fn prefix(&mut self, flag: &str, prefix: &str) {
        self.push(None, Content::Prefix(prefix.to_owned()), format!("{flag} {prefix}"), false, false);
    }

    fn file(&mut self, origin: &str, name: &str, target: &str) -> Result<(), Failure> {
        let content = Content::Target(Target::of(origin, target)?);
        self.push(Some(name), content, origin.to_owned(), true, false);
        Ok(())
    }

    fn env_file(&mut self, path: &str) -> Result<(), Failure> {
        let faulty = |cause: String| {
            Failure::usage("env_file", format!("--env-file: {path} cannot be read"))
                .cause(format!("{cause}; nothing was sent"))
                .hint("it takes NAME=value in lines, with quotes around values that hold more than a word")
        };
        let text = input::text("--env-file", path)?;
        let entries = dotenv::parse(text.expose_secret())
            .map_err(|fault| faulty(format!("line {}: {}", fault.line, fault.problem)))?;
        for (name, value) in entries {
            let origin = format!("--env-file {path}, {name}");
            let target = Target::marked(&origin, value.expose_secret()).transpose()?;
            let is_plain = target.is_none();
            let content = target.map_or(Content::Plain(value), Content::Target);
            self.push(Some(&name), content, origin, false, is_plain);
        }
        Ok(())
    }

    fn push(&mut self, name: Option<&str>, content: Content, origin: String, is_file: bool, is_named: bool) {
        self.entries.push(Entry { name: name.map(str::to_owned), content, origin, is_file, is_named });
    }

    /// What reading everything may call.
    pub(crate) fn needs(&self, needs: &mut Needs) {
        for entry in &self.entries {
            match &entry.content {
                Content::Plain(_) | Content::Public(_) => {}
                Content::Target(target) => needs.target(target),
                Content::Prefix(prefix) => needs.scope(None, &Scope::Prefix(prefix.clone())),
            }
        }
    }

    /// What looking whether any of it has changed may call.
    pub(crate) fn needs_of_watching(&self, needs: &mut Needs) {
        for entry in &self.entries {
            match &entry.content {
                Content::Target(Target::Secret(reference)) => {
                    let secret = needs.secret_in(reference.region(), reference.name());
                    needs.version(&secret, reference.version());
                }
                Content::Prefix(prefix) => {
                    let secrets = needs.secret(&format!("{prefix}*"));
                    needs.always(&None, &[ListSecrets::INFO]);
                    needs.always(&secrets, &[ShowSecretStage::INFO]);
                }
                Content::Plain(_) | Content::Public(_) | Content::Target(Target::Cipher(_)) => {}
            }
        }
    }

    /// Reads everything. Nothing is given where a part of it cannot be read.
    pub(crate) async fn read(&self, session: &Session<'_>, connection: &Connection) -> Result<Vec<Item>, Failure> {
        let Self { entries, keeps_case, is_strict } = self;
        let mut items = Vec::new();
        for (entry, value) in resolved(entries, session, connection).await? {
            let Entry { name, content, origin, is_file, is_named } = entry;
            let is_secret = !matches!(content, Content::Public(_));
            match (name, content) {
                (None, Content::Target(target)) => {
                    items.extend(named_by_itself(&target, &value, *keeps_case).into_iter().map(|(name, value)| Item {
                        name,
                        value,
                        origin: origin.clone(),
                        is_file: false,
                        is_named: false,
                        is_secret,
                    }));
                }
                (name, _) => {
                    let value = value.expose_secret().to_vec().into();
                    items.push(Item { name: name.unwrap_or_default(), value, origin, is_file, is_named, is_secret });
                }
            }
        }
        settled(items, |text| warned(session, *is_strict, text))
    }

    /// Looks at everything that can change, to notice it. Files that name references are not read again.
    #[cfg(unix)] // as `--watch` is
    pub(crate) async fn watching(
        &self,
        session: &Session<'_>,
        connection: &Connection,
        watch: csms_sdk::watch::Watch,
    ) -> Result<csms_sdk::watch::Watching, Failure> {
        let prefixes = || {
            self.entries.iter().filter_map(|entry| match &entry.content {
                Content::Prefix(prefix) => Some(prefix),
                _ => None,
            })
        };
        let watch = prefixes().fold(watch, |watch, prefix| watch.prefix(&connection.client, prefix));
        let mut wanted = targets(&expanded(&self.entries, connection).await?);
        loop {
            let watching = resolve::watched(session, connection, &wanted, watch.clone())?.begin().await?;
            if prefixes().next().is_none() {
                return Ok(watching);
            }
            // What comes from here on is a change of the prefix. What has come before has to be watched itself.
            let now = targets(&expanded(&self.entries, connection).await?);
            if now == wanted {
                return Ok(watching);
            }
            wanted = now;
        }
    }

    /// Reads everything, to be looked for: each value, and the fields of JSON. Names do not matter here, so that none of
    /// several values under one name is left out.
    pub(crate) fn patterns(&self, session: &Session<'_>, connection: &Connection) -> Result<Patterns, Failure> {
        let mut patterns = Patterns::default();
        let resolved = connection.block_on(resolved(&self.entries, session, connection))?;
        for (Entry { origin, .. }, value) in resolved {
            let too_short = |what: &str| {
                session.reporter.warn(&format!("{what} is not looked for: it is too short to be told from other text"));
            };
            if !patterns.add(&origin, value.expose_secret()) {
                too_short(&format!("the value of {origin}"));
            }
            let Resolved::Secret(secret) = &value else { continue };
            for (field, text) in secret.fields().unwrap_or_default() {
                // These stand everywhere, and are no secrets.
                let is_constant = matches!(text.expose_secret(), "true" | "false" | "null");
                if !is_constant && !patterns.add(&origin, text.expose_secret().as_bytes()) {
                    too_short(&format!("the field `{field}` of {origin}"));
                }
            }
        }
        Ok(patterns)
    }
}

/// Every entry with its value.
async fn resolved(
    entries: &[Entry],
    session: &Session<'_>,
    connection: &Connection,
) -> Result<Vec<(Entry, Resolved)>, Failure> {
    let entries = expanded(entries, connection).await?;
    let mut values = resolve::all(session, connection, &targets(&entries)).await?.into_iter();
    let mut all = Vec::new();
    for entry in entries {
        let value = match &entry.content {
            Content::Plain(text) => Some(Resolved::Plain(text.expose_secret().as_bytes().to_vec().into())),
            Content::Public(text) => Some(Resolved::Plain(text.as_bytes().to_vec().into())),
            Content::Target(_) => values.next(),
            Content::Prefix(_) => None,
        };
        all.extend(value.map(|value| (entry, value)));
    }
    Ok(all)
}

/// What has to be looked up.
fn targets(entries: &[Entry]) -> Vec<Target> {
    let target = |entry: &Entry| match &entry.content {
        Content::Target(target) => Some(target.clone()),
        _ => None,
    };
    entries.iter().filter_map(target).collect()
}

/// Says something about a name, or fails where that is wanted.
pub(crate) fn warned(session: &Session<'_>, is_strict: bool, text: &str) -> Result<(), Failure> {
    if !is_strict {
        session.reporter.warn(text);
        return Ok(());
    }
    Err(Failure::usage("name", text.to_owned())
        .cause("--strict bears no doubts about names; nothing was started or printed")
        .hint("name each variable once, with --env NAME=REF"))
}

/// The secrets that prefixes stand for, in their place.
async fn expanded(entries: &[Entry], connection: &Connection) -> Result<Vec<Entry>, Failure> {
    if !entries.iter().any(|entry| matches!(entry.content, Content::Prefix(_))) {
        return Ok(entries.to_vec());
    }
    let names = names(connection).await?;
    let mut all = Vec::new();
    for entry in entries {
        let Content::Prefix(prefix) = &entry.content else {
            all.push(entry.clone());
            continue;
        };
        let before = all.len();
        for name in names.iter().filter(|name| name.starts_with(prefix.as_str())) {
            let content = Content::Target(Target::Secret(Reference::new(name)?));
            let origin = format!("{} ({name})", entry.origin);
            all.push(Entry { name: None, content, origin, is_file: false, is_named: false });
        }
        if all.len() == before {
            return Err(Failure::new(Exit::NotFound, "not_found", format!("no secret begins with \"{prefix}\""))
                .cause("the list of secrets has none that can be read")
                .hint("csms secret list"));
        }
    }
    Ok(all)
}

/// The names of all secrets that can be read, sorted.
async fn names(connection: &Connection) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    let mut secrets = connection.client.items(ListSecrets::new());
    while let Some(secret) = secrets.next().await.transpose()? {
        if secret.state != Some(SecretState::PendingDelete) {
            names.extend(secret.name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The fields of JSON under their names; every other value under that of the secret, or of the field that it is.
fn named_by_itself(target: &Target, value: &Resolved, keeps_case: bool) -> Vec<(String, SecretBytes)> {
    let (Target::Secret(reference), Resolved::Secret(secret)) = (target, value) else { return Vec::new() };
    let name = |name: &str| if keeps_case { name.to_owned() } else { variable(name) };
    let bytes = |text: &SecretString| text.expose_secret().as_bytes().to_vec().into();
    if let Some(fields) = secret.fields() {
        return fields.iter().map(|(field, text)| (name(field), bytes(text))).collect();
    }
    let last = reference.field().and_then(|field| field.rsplit(['/', '.']).next()).filter(|last| !last.is_empty());
    vec![(name(last.unwrap_or(reference.name())), value.expose_secret().to_vec().into())]
}

/// The name of a variable for what a secret or a field is called.
fn variable(name: &str) -> String {
    let letter = |character: char| match character {
        character if character.is_ascii_alphanumeric() => character.to_ascii_uppercase(),
        _ => '_',
    };
    name.chars().map(letter).collect()
}

/// One value for each name, of the strongest source; powerful variables only where they were named. `doubt` is told what is
/// left out.
fn settled(items: Vec<Item>, doubt: impl Fn(&str) -> Result<(), Failure>) -> Result<Vec<Item>, Failure> {
    let mut settled: Vec<Item> = Vec::new();
    for item in items {
        if item.name.is_empty() || item.name.contains(['=', '\0']) {
            return Err(Failure::usage(
                "invalid_name",
                format!("{}: a name cannot be that of a variable", item.origin),
            )
            .cause("it is empty, or holds `=` or a zero byte")
            .hint("leave out --name-case, or name the field with --env NAME=REF"));
        }
        if !item.is_named && is_powerful(&item.name) {
            doubt(&format!(
                "{} of {} is left out: it decides what programs run; --env {0}=REF sets it",
                item.name, item.origin
            ))?;
            continue;
        }
        match settled.iter_mut().find(|other| other.name == item.name) {
            Some(other) => {
                doubt(&format!("{} is of {} and of {}; the latter counts", item.name, other.origin, item.origin))?;
                *other = item;
            }
            None => settled.push(item),
        }
    }
    Ok(settled)
}

fn is_powerful(name: &str) -> bool {
    POWERFUL.iter().any(|powerful| match powerful.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *powerful,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn item(name: &str, value: &str, origin: &str, is_named: bool) -> Item {
        let (name, origin) = (name.to_owned(), origin.to_owned());
        Item { name, value: value.as_bytes().to_vec().into(), origin, is_file: false, is_named, is_secret: true }
    }

    #[test]
    fn the_later_of_two_sources_counts_and_both_are_named() {
        let doubts = RefCell::new(Vec::new());
        let items = vec![item("A", "1", "--secret x", false), item("A", "2", "--env A", true)];
        let settled = settled(items, |text| {
            doubts.borrow_mut().push(text.to_owned());
            Ok(())
        });
        let settled = settled.unwrap();
        assert_eq!((settled.len(), settled[0].value.expose_secret()), (1, b"2".as_slice()));
        assert_eq!(doubts.into_inner(), ["A is of --secret x and of --env A; the latter counts"]);
    }

    #[test]
    fn powerful_variables_have_to_be_named() {
        for name in ["PATH", "HOME", "SHELL", "LD_PRELOAD", "DYLD_X", "IFS", "BASH_ENV", "NODE_OPTIONS", "PYTHONPATH"] {
            assert!(settled(vec![item(name, "x", "--secret x", false)], |_| Ok(())).unwrap().is_empty(), "{name}");
            assert_eq!(settled(vec![item(name, "x", "--env", true)], |_| Ok(())).unwrap().len(), 1, "{name}");
        }
        assert_eq!(settled(vec![item("PATHS", "x", "", false)], |_| Ok(())).unwrap().len(), 1);
    }

    #[test]
    fn names_are_those_of_variables() {
        assert_eq!(variable("db-url.x"), "DB_URL_X");
        assert!(settled(vec![item("a=b", "", "", true)], |_| Ok(())).is_err());
    }
}
