//! What a verb is about: the words behind it, and what the service calls that.

use clap::{Arg, ArgAction, ArgMatches};
use csms_sdk::{
    Client, ErrorKind, Operation as _, OperationInfo,
    csms::ShowSecret,
    keys,
    policy::Resource,
    reference::{Reference, VersionRef},
};
use serde_json::Value as Json;

use crate::{
    error::{Exit, Failure},
    input::Sources,
    needs::Needs,
    params,
};

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
    /// Several of what the field lists.
    Items,
}

/// The secret of operations that address it by name.
pub(crate) const SECRET: Subject = Subject::of("secret_name", "NAME", Kind::Secret, "Name of the secret");
/// The secret of operations that address it by id.
pub(crate) const SECRET_BY_ID: Subject = Subject::of("secret_id", "NAME", Kind::SecretId, "Name of the secret");
/// The secret of the operations on grants.
pub(crate) const SECRET_AS_RESOURCE: Subject = Subject::of("resource_id", "NAME", Kind::SecretId, "Name of the secret");
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
            Kind::Text | Kind::Items => None,
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
        if failure.exit() != Exit::NotFound {
            return failure;
        }
        match self.kind {
            Kind::Secret | Kind::SecretId => secret_not_found(failure, word),
            Kind::Key => key_told(failure, word),
            Kind::Text | Kind::Items => failure,
        }
    }
}

/// The id of a key that is called by id, name or alias.
pub(crate) async fn key_id(client: &Client, word: &str) -> Result<String, Failure> {
    keys::find(client, word).await.map_err(|error| match (error.kind(), error.status()) {
        // Nothing was refused: it is not in the lists.
        (ErrorKind::NotFound, None) => Failure::from(error).cause("no key has this id, name or alias"),
        _ => error.into(),
    })
}

/// A secret that was not found, told by its name.
pub(crate) fn secret_not_found(failure: Failure, name: &str) -> Failure {
    failure.renamed(format!("secret \"{name}\" not found")).hint("csms secret list")
}

/// A refusal, in the words of the user where it is the key that is missing.
pub(crate) fn key_told(failure: Failure, word: &str) -> Failure {
    match failure.exit() {
        Exit::NotFound => failure.renamed(format!("key \"{word}\" not found")).hint("csms key list"),
        _ => failure,
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
