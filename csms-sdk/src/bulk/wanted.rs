//! The values that secrets are to have.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use super::{
    Scope,
    fingerprint::{Fingerprint, Sealer},
};
use crate::{
    check::name_problem,
    error::Error,
    store::{Difference, NewValue},
};

/// What the service takes of a value, in the form that it is sent in.
const MOST_BYTES: usize = 64 * 1024;

/// Secrets by name, and the values that they are to have. `Debug` shows the names.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    values: BTreeMap<String, NewValue>,
    /// As slow as it is to make, it is made once.
    sealer: OnceLock<Sealer>,
}

/// How one secret differs between two places or files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Only the second has it.
    Added,
    /// Only the first has it.
    Removed,
    /// Both have it, with other values.
    Changed(Difference),
}

impl Wanted {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput), of the [field](Error::field) `name` when it is no name
    /// of a secret or is there already, of the field `value` when it is more than the service takes.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<NewValue>) -> Result<(), Error> {
        let (name, value) = (name.into(), value.into());
        if let Some(problem) = name_problem(&name) {
            return Err(Error::invalid("name", problem));
        }
        if self.contains(&name) {
            return Err(Error::invalid("name", "is there twice"));
        }
        let (is_binary, bytes) = value.content();
        let sent = if is_binary { bytes.len().div_ceil(3) * 4 } else { bytes.len() };
        if sent > MOST_BYTES {
            return Err(Error::invalid("value", "is more than 64 KB, which is what the service takes"));
        }
        self.values.insert(name, value);
        self.sealer = OnceLock::new();
        Ok(())
    }

    /// Keeps only the secrets of a scope.
    pub fn retain(&mut self, scope: &Scope) {
        self.values.retain(|name, _| scope.contains(name));
        self.sealer = OnceLock::new();
    }

    /// How many secrets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Whether there is a secret of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// What differs between this and the other, by name. Holds no values.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Vec<(String, Comparison)> {
        let names: BTreeSet<_> = self.values.keys().chain(other.values.keys()).collect();
        let compared = |name: &String| match (self.values.get(name), other.values.get(name)) {
            (Some(old), Some(new)) => match old.difference_to(new) {
                Difference::None => None,
                difference => Some(Comparison::Changed(difference)),
            },
            (Some(_), None) => Some(Comparison::Removed),
            (None, _) => Some(Comparison::Added),
        };
        names.into_iter().filter_map(|name| Some((name.clone(), compared(name)?))).collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<&NewValue> {
        self.values.get(name)
    }

    /// What seals plans for all of it.
    pub(super) async fn sealer(&self) -> Result<&Sealer, Error> {
        match self.sealer.get() {
            Some(made) => Ok(made),
            None => {
                let made = Sealer::make(self.values.iter()).await?;
                Ok(self.sealer.get_or_init(|| made))
            }
        }
    }

    /// What sealed a plan of this fingerprint; `None` where that was made for something else.
    pub(super) async fn sealer_of(&self, fingerprint: &Fingerprint) -> Option<Sealer> {
        match self.sealer.get().filter(|made| made.fingerprint() == fingerprint) {
            Some(made) => Some(made.clone()),
            None => Sealer::again(self.values.iter(), fingerprint).await,
        }
    }
}
