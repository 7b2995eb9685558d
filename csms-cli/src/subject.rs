//! What a verb is about: the words behind it, and what the service calls that.

use clap::{Arg, ArgAction, ArgMatches};
use csms_sdk::{
    Client, ErrorKind, Operation as _, OperationInfo,
    csms::ShowSecret,
    keys,
    policy::Resource,
    reference::{Reference, VersionRef},
    store::SecretStore,
};
use serde_json::{Map, Value as Json};

use crate::{
    error::{Exit, Failure, way_out},
    input::Sources,
    needs::Needs,
    params,
    text::shell_word,
};

/// The codes that the service has for a secret and for a key that do not exist.
const NO_SUCH_SECRET: &str = "CSMS.0106";
const NO_SUCH_KEY: &str = "KMS.0207";

/// One word, or several, behind a verb.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    /// Field of the request.
    pub(crate) field: &'static str,
    /// Name in help and messages.
    pub(crate) name: &'static str,
    about: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A text as it is.
    Text,
    /// The name of a secret.
    Secret,
    /// A secret by name, for operations that want its id.
    SecretId,
    /// A key by id, name or alias.
    Key,
    /// The name of a stage that is put on a version.
    Stage,
    /// A version of the secret that stands before it.
    Version,
    /// Several of what the field lists.
    Items,
}

/// The secret of operations that address it by name.
pub(crate) const SECRET: Subject = Subject::of("secret_name", "NAME", Kind::Secret, "Name of the secret");
/// The secret of operations that address it by id.
pub(crate) const SECRET_BY_ID: Subject = Subject::of("secret_id", "NAME", Kind::SecretId, "Name of the secret");
/// The secret of the operations on grants.
pub(crate) const SECRET_AS_RESOURCE: Subject = Subject::of("resource_id", "NAME", Kind::SecretId, "Name of the secret");
/// A stage that is put on a version.
pub(crate) const NEW_STAGE: Subject =
    Subject::of("stage_name", "STAGE", Kind::Stage, "Name of the stage, e.g. SYSCURRENT");
/// A version of [`SECRET`].
pub(crate) const VERSION: Subject =
    Subject::of("version_id", "VERSION", Kind::Version, "The version: current, previous, latest, v3, a stage or ~1");
/// The key of nearly all operations.
pub(crate) const KEY: Subject = Subject::of("key_id", "KEY", Kind::Key, "The key: its id, name or alias");

impl Subject {
    const fn of(field: &'static str, name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { field, name, about, kind }
    }

    /// A text as it is.
    pub(crate) const fn text(field: &'static str, name: &'static str, about: &'static str) -> Self {
        Self::of(field, name, Kind::Text, about)
    }

    /// A key in a field of another name.
    pub(crate) const fn key(field: &'static str, name: &'static str, about: &'static str) -> Self {
        Self::of(field, name, Kind::Key, about)
    }

    /// One or more items of a list.
    pub(crate) const fn items(field: &'static str, name: &'static str, about: &'static str) -> Self {
        Self::of(field, name, Kind::Items, about)
    }

    pub(crate) fn arg(&self) -> Arg {
        let arg = Arg::new(self.field).value_name(self.name).help(self.about).required(true);
        match self.kind {
            Kind::Items => arg.num_args(1..).action(ArgAction::Append),
            _ => arg,
        }
    }

    /// As the user has written it.
    pub(crate) fn words<'a>(&self, matches: &'a ArgMatches) -> Vec<&'a str> {
        matches.get_many::<String>(self.field).into_iter().flatten().map(String::as_str).collect()
    }

    /// The value for the request; asks the service where it calls things differently.
    pub(crate) async fn resolve(
        &self,
        matches: &ArgMatches,
        info: &OperationInfo,
        client: &Client,
        sources: &mut Sources<'_>,
    ) -> Result<Json, Failure> {
        let words = self.words(matches);
        let word = words.first().copied().unwrap_or_default();
        match self.kind {
            Kind::Text => Ok(word.into()),
            Kind::Secret => Ok(secret_name(word)?.into()),
            Kind::Stage => Ok(stage(self.name, word)?.into()),
            Kind::Version => {
                let name = secret_name(secret_of(matches))?;
                let id = SecretStore::new(client).version_id(&name, &word.parse()?).await;
                Ok(id.map_err(|error| version_told(error.into(), &name, word, ""))?.into())
            }
            Kind::Key => Ok(key_id(client, word).await?.into()),
            Kind::Items => match info.request.field(self.field) {
                Some(field) => params::value(&field.kind, self.name, &words, sources),
                None => Ok(Json::Null),
            },
            Kind::SecretId => {
                let answer = ShowSecret::new(secret_name(word)?).send(client).await;
                let answer = answer.map_err(|error| self.told(error.into(), matches))?;
                Ok(answer.into_body().secret.and_then(|secret| secret.id).unwrap_or_default().into())
            }
        }
    }

    /// What it is, as far as that is known without asking, and what asking would call.
    pub(crate) fn needs(&self, matches: &ArgMatches, needs: &mut Needs) -> Result<Option<Resource>, Failure> {
        let words = self.words(matches);
        let word = words.first().copied().unwrap_or_default();
        Ok(match self.kind {
            Kind::Text | Kind::Stage | Kind::Items => None,
            Kind::Version => {
                let secret = needs.secret(&secret_name(secret_of(matches))?);
                needs.version(&secret, &word.parse()?);
                secret
            }
            Kind::Secret => needs.secret(&secret_name(word)?),
            Kind::SecretId => {
                let secret = needs.secret(&secret_name(word)?);
                needs.always(&secret, &[ShowSecret::INFO]);
                secret
            }
            Kind::Key => needs.key(word),
        })
    }

    /// A refusal, in the words of the user where what is missing is what he named.
    pub(crate) fn told(&self, failure: Failure, matches: &ArgMatches) -> Failure {
        let words = self.words(matches);
        let word = words.first().copied().unwrap_or_default();
        match self.kind {
            Kind::Secret | Kind::SecretId => secret_told(failure, word, ""),
            Kind::Key => key_told(failure, word),
            Kind::Text | Kind::Stage | Kind::Version | Kind::Items => failure,
        }
    }

    /// Whether the service says by its code that it is this which is missing.
    pub(crate) fn is_missing(&self, failure: &Failure) -> bool {
        let code = match self.kind {
            Kind::Secret | Kind::SecretId => NO_SUCH_SECRET,
            Kind::Key => NO_SUCH_KEY,
            Kind::Text | Kind::Stage | Kind::Version | Kind::Items => return false,
        };
        failure.service_code() == Some(code)
    }

    /// What became of it in a request, where that is not what the user has written.
    pub(crate) fn resolved<'a>(&self, request: &'a Map<String, Json>) -> Option<&'a str> {
        request.get(self.field).filter(|_| self.kind == Kind::Version)?.as_str()
    }
}

/// The secret of a verb, as the user has written it.
fn secret_of(matches: &ArgMatches) -> &str {
    matches.get_one::<String>(SECRET.field).map_or("", String::as_str)
}

/// The id of a key that is called by id, name or alias.
pub(crate) async fn key_id(client: &Client, word: &str) -> Result<String, Failure> {
    keys::find(client, word).await.map_err(|error| match (error.kind(), error.status()) {
        // Nothing was refused: it is not in the lists.
        (ErrorKind::NotFound, None) => Failure::from(error).cause("no key has this id, name or alias"),
        _ => error.into(),
    })
}

/// A refusal of a call that is about a secret, in the words of the user. `at` are flags that say where it is.
pub(crate) fn secret_told(failure: Failure, name: &str, at: &str) -> Failure {
    let way_out = failure.service_code().and_then(|code| way_out(code, at, name, "KEY"));
    match (failure.exit(), way_out) {
        (_, Some(way_out)) => failure.hint(way_out),
        (Exit::NotFound, None) => {
            failure.renamed(format!("secret \"{name}\" not found")).hint(format!("csms {at}secret list"))
        }
        _ => failure,
    }
}

/// The same of a call that is about a version of a secret, which `version` names.
pub(crate) fn version_told(failure: Failure, name: &str, version: &str, at: &str) -> Failure {
    match failure.exit() {
        Exit::NotFound if failure.service_code() != Some(NO_SUCH_SECRET) => failure
            .renamed(format!("secret \"{name}\", version {version}, not found"))
            .hint(format!("csms {at}secret versions {name}")),
        _ => secret_told(failure, name, at),
    }
}

/// A refusal of a call that is about a key, in the words of the user.
pub(crate) fn key_told(failure: Failure, word: &str) -> Failure {
    let way_out = failure.service_code().and_then(|code| way_out(code, "", "NAME", &shell_word(word)));
    match (failure.exit(), way_out) {
        (_, Some(way_out)) => failure.hint(way_out),
        (Exit::NotFound, None) => failure.renamed(format!("key \"{word}\" not found")).hint("csms key list"),
        _ => failure,
    }
}

/// The same where the user has named the key that is to protect the secret, which may not have it yet.
pub(crate) fn told_of_its_key(failure: Failure, key: Option<&str>) -> Failure {
    match key.filter(|_| failure.service_code() == Some("CSMS.0401")) {
        Some(key) => failure.hint(format!("csms key describe {}", shell_word(key))),
        None => failure,
    }
}

/// The name of a stage that is to be put on a version: none that a reference takes for a version.
pub(crate) fn stage<'a>(flag: &str, word: &'a str) -> Result<&'a str, Failure> {
    match word.parse() {
        _ if matches!(word, "SYSCURRENT" | "SYSPREVIOUS") => Ok(word),
        Ok(VersionRef::Stage(_)) => Ok(word),
        Ok(version) => Err(Failure::usage("invalid_value", format!("{flag}: no stage can be called {version}"))
            .cause(format!("@{version} in a reference means a version, and would never reach it; nothing was sent"))
            .hint(match version {
                VersionRef::Current => "SYSCURRENT is the stage of the current version",
                VersionRef::Previous => "SYSPREVIOUS is the stage of the version before",
                _ => "choose a name that is no version, such as blue",
            })),
        Err(_) => Err(Failure::usage("invalid_value", format!("{flag}: \"{word}\" cannot be the name of a stage"))
            .cause("it has to be 1 to 64 letters, digits, `_`, `-` or `.`; nothing was sent")
            .hint("choose a name such as blue")),
    }
}

/// The name in what may be written as a reference.
pub(crate) fn secret_name(word: &str) -> Result<String, Failure> {
    let reference: Reference = word.parse()?;
    let is_whole = reference.version() == &VersionRef::Current && reference.field().is_none();
    match is_whole && reference == Reference::new(reference.name())? {
        true => Ok(reference.name().to_owned()),
        false => Err(Failure::usage("invalid_value", format!("\"{word}\" is more than the name of a secret"))
            .cause("this command is about a secret as a whole; nothing was sent")
            .hint(format!("name it as {}; --region, --profile and --project say where", reference.name()))),
    }
}
