//! Regions, projects and profiles as words: `region=cn-east-3,profile=prod`.

use csms_sdk::{Client, reference::Reference};

use crate::{connection::Connection, error::Failure, session::Session};

/// Stands for a name where only a place is meant.
const ANY: &str = "any";

/// A region, a project, a profile, or more than one of them; what is not named is as the settings say.
pub(super) struct Place {
    text: String,
    reference: Reference,
}

impl Place {
    /// Whether a word is meant to be one.
    pub(super) fn is_meant(word: &str) -> bool {
        ["region=", "profile=", "project="].iter().any(|begin| word.starts_with(begin))
    }

    /// Reads one. `flag` names who wrote it.
    pub(super) fn of(flag: &str, word: &str) -> Result<Self, Failure> {
        let refused = |cause: String| {
            Failure::usage("invalid_value", format!("{flag} names no place"))
                .cause(format!("{cause}; nothing was sent"))
                .hint("write region=cn-east-3, profile=prod, project=ID, or several with commas between them")
        };
        if !Self::is_meant(word) {
            return Err(refused("it begins with neither region=, profile= nor project=".to_owned()));
        }
        let reference: Reference = format!("{ANY}?{}", word.replace(',', "&"))
            .parse()
            .map_err(|error: csms_sdk::Error| refused(format!("it {}", error.message())))?;
        Ok(Self { text: word.to_owned(), reference })
    }

    /// A client that calls there.
    pub(super) fn client(&self, session: &Session<'_>, connection: &Connection) -> Result<Client, Failure> {
        connection.client_at(session, &self.reference)
    }

    pub(super) fn region(&self) -> Option<&str> {
        self.reference.region()
    }

    /// As it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}
