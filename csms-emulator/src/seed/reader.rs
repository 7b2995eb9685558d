//! Reads JSON and knows where in it what stands.

use std::fmt;

use csms_sdk::check::nearest;
use serde_json::{Map, Value as Json};

/// What is wrong with a seed, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadSeed {
    path: String,
    problem: String,
}

impl BadSeed {
    pub(super) fn at(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }
}

impl fmt::Display for BadSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for BadSeed {}

/// A value and where it stands.
pub(super) struct Place<'a> {
    path: String,
    value: &'a Json,
}

/// An object whose members are all known, and where it stands.
pub(super) struct Members<'a> {
    path: String,
    map: &'a Map<String, Json>,
}

impl<'a> Place<'a> {
    pub(super) fn root(value: &'a Json) -> Self {
        Self { path: String::new(), value }
    }

    pub(super) fn value(&self) -> &'a Json {
        self.value
    }

    /// An object that has none but the known members.
    pub(super) fn members(self, known: &[&str]) -> Result<Members<'a>, BadSeed> {
        let Json::Object(map) = self.value else { return Err(self.problem("an object is wanted")) };
        let members = Members { path: self.path, map };
        match map.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(members),
            Some(unknown) => Err(members.problem(
                unknown,
                &match nearest(unknown, known.iter().copied()) {
                    Some(near) => format!("is not known here; did you mean `{near}`?"),
                    None => format!("is not known here; known are {}", known.join(", ")),
                },
            )),
        }
    }

    fn text(self) -> Result<String, BadSeed> {
        match self.value {
            Json::String(text) if text.is_empty() => Err(self.problem("must not be empty")),
            Json::String(text) => Ok(text.clone()),
            _ => Err(self.problem("a text is wanted")),
        }
    }

    fn problem(&self, problem: &str) -> BadSeed {
        BadSeed::at(&self.path, problem)
    }
}

impl<'a> Members<'a> {
    /// A member, if it is there. `null` is as good as absent.
    pub(super) fn get(&self, name: &str) -> Option<Place<'a>> {
        let value = self.map.get(name).filter(|value| !value.is_null())?;
        Some(Place { path: self.path_of(name), value })
    }

    /// A text, which must not be empty.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, BadSeed> {
        self.get(name).map(Place::text).transpose()
    }

    pub(super) fn required_text(&self, name: &str) -> Result<String, BadSeed> {
        self.text(name)?.ok_or_else(|| self.problem(name, "is required"))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, BadSeed> {
        let Some(place) = self.get(name) else { return Ok(None) };
        place.value.as_bool().map(Some).ok_or_else(|| place.problem("`true` or `false` is wanted"))
    }

    /// A whole number.
    pub(super) fn integer(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, BadSeed> {
        let Some(place) = self.get(name) else { return Ok(None) };
        let number = place.value.as_i64().filter(|number| (least..=most).contains(number));
        number.map(Some).ok_or_else(|| place.problem(&format!("a whole number from {least} to {most} is wanted")))
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<Vec<Place<'a>>>, BadSeed> {
        let Some(place) = self.get(name) else { return Ok(None) };
        let items = place.value.as_array().ok_or_else(|| place.problem("a list is wanted"))?;
        let numbered = items.iter().enumerate();
        Ok(Some(numbered.map(|(at, value)| Place { path: format!("{}.{at}", place.path), value }).collect()))
    }

    /// A list of names, and what they stand for.
    pub(super) fn names(
        &self,
        name: &str,
        kind: &str,
        find: impl Fn(&str) -> Option<String>,
    ) -> Result<Vec<String>, BadSeed> {
        let places = self.list(name)?.unwrap_or_default().into_iter();
        let found = places.map(|place| {
            let path = place.path.clone();
            let name = place.text()?;
            find(&name).ok_or_else(|| BadSeed::at(path, format!("there is no {kind} `{name}`")))
        });
        found.collect()
    }

    /// A problem with a member.
    pub(super) fn problem(&self, name: &str, problem: &str) -> BadSeed {
        BadSeed::at(self.path_of(name), problem)
    }

    /// A problem with the object as a whole.
    pub(super) fn itself(&self, problem: &str) -> BadSeed {
        BadSeed::at(&self.path, problem)
    }

    fn path_of(&self, name: &str) -> String {
        match self.path.is_empty() {
            true => name.to_owned(),
            false => format!("{}.{name}", self.path),
        }
    }
}
