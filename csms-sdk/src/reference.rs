//! References to secrets: which secret, which version, which part of it, and where.
//!
//! ```text
//! csms://NAME[@VERSION][#FIELD][?region=…&profile=…&project=…]
//! ```
//!
//! The scheme may be left out. So `db`, `db@previous`, `db@v3`, `db@blue`, `db#password` and
//! `csms://db@~1#/users/0/name?region=cn-east-3` are references.
//!
//! | version | is |
//! | --- | --- |
//! | `current`, or nothing | the version staged `SYSCURRENT` |
//! | `previous` | the version staged `SYSPREVIOUS` |
//! | `latest` | the newest version, which need not be the current one: only what asks for it gets it |
//! | `v7` | the version of this id |
//! | `~1`, `~2`, … | so many versions before the current one, by their numbers, of those that are still there |
//! | anything else | the version that this stage marks |
//!
//! A field is a member of a value that is a JSON object: `#password`. With a slash in front it is a JSON pointer
//! (RFC 6901): `#/users/0/name`. A name that is no member, and has dots, is a path: `#users.0.name`.
//!
//! What follows a `?` says where, if it begins with `region=`, `profile=` or `project=`; otherwise it belongs to the field.

use std::{convert::Infallible, fmt, str::FromStr};

use url::form_urlencoded;

use crate::{check, error::Error};

const SCHEME: &str = "csms://";
pub(crate) const CURRENT: &str = "SYSCURRENT";
pub(crate) const PREVIOUS: &str = "SYSPREVIOUS";

/// Which secret, which version, which part of it, and where.
///
/// ```
/// use csms_sdk::reference::{Reference, VersionRef};
///
/// let reference: Reference = "db@previous#password".parse()?;
/// assert_eq!((reference.name(), reference.version()), ("db", &VersionRef::Previous));
/// assert_eq!(reference.field(), Some("password"));
/// assert_eq!(reference.to_string(), "csms://db@previous#password");
/// # Ok::<_, csms_sdk::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    name: String,
    version: VersionRef,
    field: Option<String>,
    place: Place,
}

/// Which version of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VersionRef {
    /// The one staged `SYSCURRENT`.
    #[default]
    Current,
    /// The one staged `SYSPREVIOUS`.
    Previous,
    /// The newest one, which need not be the current one.
    Latest,
    /// The one of this id, e.g. `v7`.
    Id(String),
    /// The one that this stage marks.
    Stage(String),
    /// So many versions before the current one, by their numbers, of those that are still there.
    Back(u32),
}

/// Where a secret is, as far as a reference says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Place {
    region: Option<String>,
    profile: Option<String>,
    project: Option<String>,
}

impl Reference {
    /// The current version of a secret, all of it.
    ///
    /// # Errors
    /// When `name` is no name of a secret: 1 to 64 letters, digits, `_`, `-` or `.`.
    pub fn new(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        match check::name_problem(&name) {
            None => Ok(Self { name, version: VersionRef::Current, field: None, place: Place::default() }),
            // A value pasted in the wrong place must not be repeated.
            Some(problem) => Err(invalid(format!("does not begin with the name of a secret, which {problem}"))),
        }
    }

    /// The same with another version.
    #[must_use]
    pub fn with_version(mut self, version: VersionRef) -> Self {
        self.version = version;
        self
    }

    /// The same with another field, or all of the value.
    #[must_use]
    pub fn with_field(mut self, field: Option<String>) -> Self {
        self.field = field;
        self
    }

    /// The same wherever the reader is: without region, profile and project.
    #[must_use]
    pub fn here(&self) -> Self {
        Self { place: Place::default(), ..self.clone() }
    }

    /// Name of the secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which version of it.
    #[must_use]
    pub fn version(&self) -> &VersionRef {
        &self.version
    }

    /// Which part of the value; `None` for all of it.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The region that it names.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.place.region.as_deref()
    }

    /// The profile of settings that it names. For programs that have profiles, as the command line does.
    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        self.place.profile.as_deref()
    }

    /// The project id that it names.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        self.place.project.as_deref()
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.strip_prefix(SCHEME).unwrap_or(text);
        let (text, place) = match text.match_indices('?').find(|(at, _)| Place::begins(&text[at + 1..])) {
            Some((at, _)) => (&text[..at], Place::parse(&text[at + 1..])?),
            None => (text, Place::default()),
        };
        let (text, field) = match text.split_once('#') {
            Some((_, "")) => return Err(invalid("has nothing after `#`")),
            Some((text, field)) => (text, Some(field.to_owned())),
            None => (text, None),
        };
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, version.parse()?),
            None => (text, VersionRef::Current),
        };
        Ok(Self { version, field, place, ..Self::new(name)? })
    }
}

/// The full form, scheme included.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.name)?;
        if self.version != VersionRef::Current {
            write!(f, "@{}", self.version)?;
        }
        if let Some(field) = &self.field {
            write!(f, "#{field}")?;
        }
        write!(f, "{}", self.place)
    }
}

impl TryFrom<&str> for Reference {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        text.parse()
    }
}

impl TryFrom<&String> for Reference {
    type Error = Error;

    fn try_from(text: &String) -> Result<Self, Error> {
        text.parse()
    }
}

impl TryFrom<String> for Reference {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<&Self> for Reference {
    fn from(reference: &Self) -> Self {
        reference.clone()
    }
}

/// A reference that has been read already cannot be wrong.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl VersionRef {
    /// The stage to ask for, where that is what tells the version.
    pub(crate) fn stage(&self) -> Option<&str> {
        match self {
            Self::Current => Some(CURRENT),
            Self::Previous => Some(PREVIOUS),
            Self::Stage(stage) => Some(stage),
            Self::Latest | Self::Id(_) | Self::Back(_) => None,
        }
    }
}

impl FromStr for VersionRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "" => Err(invalid("has nothing after `@`")),
            "current" | CURRENT => Ok(Self::Current),
            "previous" | PREVIOUS => Ok(Self::Previous),
            "latest" => Ok(Self::Latest),
            _ if version_number(text).is_some() => Ok(Self::Id(text.to_owned())),
            _ => match text.strip_prefix('~') {
                Some(count) => match count.parse() {
                    Ok(count) if count > 0 => Ok(Self::Back(count)),
                    _ => Err(invalid("has to have a number from 1 after `@~`: how many versions back")),
                },
                None => match check::name_problem(text) {
                    None => Ok(Self::Stage(text.to_owned())),
                    Some(problem) => Err(invalid(format!(
                        "has no version after `@`: current, previous, latest, v3, ~1 or a stage, which {problem}"
                    ))),
                },
            },
        }
    }
}

impl fmt::Display for VersionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("current"),
            Self::Previous => f.write_str("previous"),
            Self::Latest => f.write_str("latest"),
            Self::Id(text) | Self::Stage(text) => f.write_str(text),
            Self::Back(count) => write!(f, "~{count}"),
        }
    }
}

/// The number of a version id: 7 of `v7`.
pub(crate) fn version_number(id: &str) -> Option<u64> {
    let digits = id.strip_prefix('v')?;
    let all_digits = (1..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| all_digits)
}

impl Place {
    const NAMES: [&str; 3] = ["region", "profile", "project"];

    /// Whether a text is meant to say where.
    fn begins(text: &str) -> bool {
        Self::NAMES.iter().any(|name| text.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let mut place = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let part = match &*name {
                "region" => &mut place.region,
                "profile" => &mut place.profile,
                "project" => &mut place.project,
                _ => return Err(invalid("has something else than region, profile and project after `?`")),
            };
            if value.is_empty() {
                return Err(invalid(format!("has nothing after `{name}=`")));
            }
            if part.replace(value.into_owned()).is_some() {
                return Err(invalid(format!("has `{name}=` twice")));
            }
        }
        Ok(place)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.region, &self.profile, &self.project];
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in Self::NAMES.iter().zip(parts) {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        match query.finish() {
            query if query.is_empty() => Ok(()),
            query => write!(f, "?{query}"),
        }
    }
}

fn invalid(problem: impl Into<String>) -> Error {
    Error::invalid("reference", problem)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Reference {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_not_said_is_the_current_version_and_all_of_the_value() {
        assert_eq!(parse("db"), Reference::new("db").unwrap());
        assert_eq!(parse("csms://db@current"), parse("db"));
        assert_eq!(parse("db@SYSCURRENT"), parse("db"));
    }

    #[test]
    fn versions_are_ids_stages_and_steps_back() {
        for (text, version) in [
            ("previous", VersionRef::Previous),
            ("latest", VersionRef::Latest),
            ("v3", VersionRef::Id("v3".to_owned())),
            ("v", VersionRef::Stage("v".to_owned())),
            ("v12345678901", VersionRef::Stage("v12345678901".to_owned())),
            ("blue", VersionRef::Stage("blue".to_owned())),
            ("~2", VersionRef::Back(2)),
        ] {
            assert_eq!(parse(&format!("db@{text}")).version(), &version, "{text}");
        }
    }

    #[test]
    fn a_question_mark_belongs_to_the_field_unless_a_place_follows() {
        let reference = parse("db#what?@#?region=cn-east-3&profile=a%26b");
        assert_eq!(reference.field(), Some("what?@#"));
        assert_eq!((reference.region(), reference.profile()), (Some("cn-east-3"), Some("a&b")));
        assert_eq!(parse(&reference.to_string()), reference);
    }

    #[test]
    fn what_is_no_reference_is_refused_without_being_repeated() {
        for text in [
            "",
            "csms://",
            "hunter2!",
            "a b",
            "db@",
            "db@~0",
            "db@~x",
            "db@no stage",
            "db#",
            "db?region=",
            "db?region=a&region=b",
            "db?region=a&colour=red",
            "db?colour=red",
            "https://db",
            "db/x",
        ] {
            let error = text.parse::<Reference>().unwrap_err();
            assert_eq!(error.field(), Some("reference"), "{text}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_is_read_is_written_the_same(text in "[a-z@#?~/=&v0-9.%:]{0,40}|\\PC{0,20}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(parse(&reference.to_string()), reference);
            }
        }
    }
}
