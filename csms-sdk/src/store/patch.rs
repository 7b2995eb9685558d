//! Changing some fields of a secret, and nothing else of it.

use super::{
    difference::{Difference, between},
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
/// The changes are merged into the current value as RFC 7386 has it. What they do not touch stays byte for byte, with
/// its order, its blanks and its numbers. The changed value is stored as a new version, unless nothing is changed.
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
    /// Merge patches, one after the other.
    patches: Vec<SecretString>,
    if_version: Option<String>,
}

impl Patch {
    pub(super) fn new(client: Client, name: String) -> Self {
        Self { client, name, patches: Vec::new(), if_version: None }
    }

    /// Gives a field this text.
    pub fn set(self, field: &str, text: &SecretString) -> Self {
        self.member(field, Some(text))
    }

    /// Removes a field, if there is one.
    pub fn remove(self, field: &str) -> Self {
        self.member(field, None)
    }

    /// Merges a JSON object: `null` removes a field, objects are merged at every level, everything else is put in place
    /// of what was there.
    pub fn merge(mut self, object: impl Into<SecretString>) -> Self {
        self.patches.push(object.into());
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
    /// [`ErrorKind::NotFound`] when there is no such secret; [`ErrorKind::InvalidInput`] when the secret or what is
    /// merged is no JSON object ([`Error::field`] is `secret` or `patch`); [`ErrorKind::Conflict`] when the current
    /// version is another one than [`if_version`](Self::if_version) asks for, or has changed meanwhile; those of
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
        let empty = SecretString::from("{}");
        let mut new = old.clone();
        for patch in std::iter::once(&empty).chain(&self.patches) {
            new = merge(new.expose_secret(), patch.expose_secret()).map_err(|problem| match problem {
                Unmergeable::Text => Error::invalid("secret", format!("`{}` is no JSON object", self.name)),
                Unmergeable::Patch => Error::invalid("patch", "is no JSON object"),
                Unmergeable::Depth => Error::invalid("patch", "has too many levels, more than 100"),
            })?;
        }
        Ok((current, old.clone(), new))
    }

    /// A patch of one member; without a text, it is removed.
    fn member(mut self, field: &str, text: Option<&SecretString>) -> Self {
        let mut json = SecretBytes::default();
        json.extend_from_slice(b"{");
        // Writing a text into memory does not fail.
        let _ = serde_json::to_writer(&mut json, field);
        json.extend_from_slice(b":");
        let _ = serde_json::to_writer(&mut json, &text.map(SecretString::expose_secret));
        json.extend_from_slice(b"}");
        self.patches.push(String::from_utf8_lossy(json.expose_secret()).as_ref().into());
        self
    }
}
