//! Changing some fields of a secret, and nothing else of it.

use std::borrow::Cow;

use super::{
    difference::{Difference, between},
    field,
    merge::{Unmergeable, merge},
    put::{Put, PutOutcome},
    value::Content,
    version,
};
use crate::{
    Client,
    error::{Error, ErrorKind},
    reference::VersionRef,
    secret::{SecretBytes, SecretString},
};

/// Changes fields of a secret that is a JSON object. Made by [`SecretStore::patch`](super::SecretStore::patch).
///
/// A field is what it is in a [reference](crate::reference): the name of a member, or a JSON pointer with a slash in
/// front. What is set is read under the same name afterwards. A pointer leads through objects; those that are missing
/// are made.
///
/// The changes are made one after the other, as RFC 7386 has it. What they do not touch stays byte for byte, with its
/// order, its blanks and its numbers. The changed value is stored as a new version, unless nothing is changed.
///
/// The service has no compare-and-set. It is looked whether the current version is still the one that was read, right
/// before the new one is sent; somebody who writes in the moment after that is not noticed.
///
/// ```no_run
/// use csms_sdk::{SecretString, store::SecretStore};
///
/// # async fn example(store: SecretStore, password: SecretString) -> Result<(), csms_sdk::Error> {
/// store.patch("db").set("password", &password).remove("old_password").send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Patch {
    client: Client,
    name: String,
    /// One after the other.
    changes: Vec<Change>,
    if_version: Option<String>,
}

#[derive(Clone, Debug)]
enum Change {
    /// A merge patch.
    Merge(SecretString),
    Set(String, SecretString),
    Remove(String),
}

impl Patch {
    pub(super) fn new(client: Client, name: String) -> Self {
        Self { client, name, changes: Vec::new(), if_version: None }
    }

    /// Gives a field this text.
    pub fn set(mut self, field: &str, text: &SecretString) -> Self {
        self.changes.push(Change::Set(field.to_owned(), text.clone()));
        self
    }

    /// Removes a field that there is. To remove it only if there is one, [merge](Self::merge) `null`.
    pub fn remove(mut self, field: &str) -> Self {
        self.changes.push(Change::Remove(field.to_owned()));
        self
    }

    /// Merges a JSON object: `null` removes a field if there is one, objects are merged at every level, everything else is
    /// put in place of what was there.
    pub fn merge(mut self, object: impl Into<SecretString>) -> Self {
        self.changes.push(Change::Merge(object.into()));
        self
    }

    /// Refuses to write unless this is the id of the current version.
    pub fn if_version(mut self, id: impl Into<String>) -> Self {
        self.if_version = Some(id.into());
        self
    }

    /// Says what [`send`](Self::send) would change, and changes nothing: the id of the current version, and its fields
    /// that would differ.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn plan(&self) -> Result<(String, Difference), Error> {
        let (current, old, new) = self.merged().await?;
        Ok((current, between(&Content::Text(old), &Content::Text(new))))
    }

    /// Does it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such secret, or none of the fields to be removed;
    /// [`ErrorKind::InvalidInput`] when the secret or what is merged is no JSON object ([`Error::field`] is `secret` or
    /// `patch`), or a field would have to be inside of what is no object (`field`); [`ErrorKind::Conflict`] when the
    /// current version is another one than [`if_version`](Self::if_version) asks for, or has changed meanwhile; those of
    /// [`Put::send`].
    pub async fn send(self) -> Result<PutOutcome, Error> {
        let (current, old, new) = self.merged().await?;
        if old == new {
            return Ok(PutOutcome::Unchanged { version: current });
        }
        Put::new(self.client, self.name, new.into()).if_version(current).send().await
    }

    /// The id of the current version, its text, and what is made of it.
    async fn merged(&self) -> Result<(String, SecretString, SecretString), Error> {
        let value = version(&self.client, &self.name, &VersionRef::Current).await?;
        let current = value.version().to_owned();
        if let Some(expected) = self.if_version.as_ref().filter(|expected| **expected != current) {
            let message = format!("secret `{}` is at {current}, not at {expected} as expected", self.name);
            return Err(
                Error::new(ErrorKind::Conflict, message).with_help("read it, and see whether it is still right")
            );
        }
        let Some(old) = value.text() else {
            return Err(Error::invalid("secret", format!("`{}` is binary, and has no fields", self.name)));
        };
        // Also without any change, so that what cannot be patched is told.
        let mut new = self.patched(old, "{}")?;
        for change in &self.changes {
            let patch = match change {
                Change::Merge(object) => Cow::Borrowed(object),
                Change::Set(field, text) => Cow::Owned(nested(&self.place(&new, field)?, Some(text))),
                Change::Remove(field) => {
                    let place = self.place(&new, field)?;
                    field::find(new.expose_secret().as_bytes(), field)
                        .map_err(|missing| missing.error(&self.name, &current, field))?;
                    Cow::Owned(nested(&place, None))
                }
            };
            new = self.patched(&new, patch.expose_secret())?;
        }
        Ok((current, old.clone(), new))
    }

    fn patched(&self, text: &SecretString, patch: &str) -> Result<SecretString, Error> {
        merge(text.expose_secret(), patch).map_err(|problem| match problem {
            Unmergeable::Text => Error::invalid("secret", format!("`{}` is no JSON object", self.name)),
            Unmergeable::Patch => Error::invalid("patch", "is no JSON object"),
            Unmergeable::Depth => Error::invalid("patch", "has too many levels, more than 100"),
        })
    }

    /// The names that lead to a field.
    fn place(&self, text: &SecretString, field: &str) -> Result<Vec<String>, Error> {
        field::place(text.expose_secret(), field).map_err(|barrier| {
            let message = format!("`{field}` leads through `{barrier}` of secret `{}`, which is no object", self.name);
            Error::invalid("field", message)
        })
    }
}

/// A merge patch of one member; without a text, it is removed.
fn nested(place: &[String], text: Option<&SecretString>) -> SecretString {
    let mut json = SecretBytes::default();
    // Writing a text into memory does not fail.
    for name in place {
        json.extend_from_slice(b"{");
        let _ = serde_json::to_writer(&mut json, name);
        json.extend_from_slice(b":");
    }
    let _ = serde_json::to_writer(&mut json, &text.map(SecretString::expose_secret));
    place.iter().for_each(|_| json.extend_from_slice(b"}"));
    String::from_utf8_lossy(json.expose_secret()).as_ref().into()
}
