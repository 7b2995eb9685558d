//! Keys by what people call them: id, name or alias.
//!
//! ```no_run
//! # async fn example(client: csms_sdk::Client) -> Result<(), csms_sdk::Error> {
//! let id = csms_sdk::keys::find(&client, "billing").await?;
//! csms_sdk::kms::EnableKeyRotation::new(id).send(&client).await?;
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "import")]
mod import;

#[cfg(feature = "import")]
pub use self::import::{Import, check_import, material_length};

use crate::{
    client::Client,
    error::{Error, ErrorKind},
    kms::{CreateKey, KeyDetails, KeySpec, KeyState, ListAliases, ListKeyDetail, ListKeys},
};

/// The name is that of another key.
const NAME_IS_TAKEN: &str = "KMS.1104";

/// The id of a key that is called by its id, its name (`key_alias`), or one of its aliases.
///
/// An id, which is a UUID, is taken as it is, and nothing is sent. Otherwise all keys of the project are looked through
/// for the name, and then all aliases, with and without `alias/` in front. A key that is pending deletion is found only
/// where no other has the name. Needs `kms:cmk:list`.
///
/// # Errors
/// [`ErrorKind::NotFound`] when no key is called so, [`ErrorKind::Conflict`] when several are, and those of a call.
pub async fn find(client: &Client, key: &str) -> Result<String, Error> {
    if is_id(key) {
        return Ok(key.to_owned());
    }
    let (mut found, mut pending) = (Vec::new(), Vec::new());
    let mut keys = client.items(ListKeys::new().key_spec(KeySpec::All));
    while let Some(details) = keys.next().await.transpose()? {
        if let (Some(name), Some(id)) = (details.key_alias, details.key_id)
            && name == key
        {
            let is_pending = details.key_state == Some(KeyState::PendingDeletion);
            if is_pending { &mut pending } else { &mut found }.push(id);
        }
    }
    if found.is_empty() {
        let mut aliases = client.items(ListAliases::new());
        while let Some(entity) = aliases.next().await.transpose()? {
            let is_it = |alias: &str| alias == key || alias.strip_prefix("alias/") == Some(key);
            if entity.alias.as_deref().is_some_and(is_it) {
                found.extend(entity.key_id);
            }
        }
    }
    if found.is_empty() {
        found = pending;
    }
    match (found.pop(), found.as_slice()) {
        (Some(id), []) => Ok(id),
        (None, _) => Err(Error::new(ErrorKind::NotFound, format!("no key has the id, name or alias `{key}`"))),
        (Some(last), others) => {
            let message = format!("several keys are called `{key}`: {}, {last}", others.join(", "));
            Err(Error::new(ErrorKind::Conflict, message).with_help("name the key by its id"))
        }
    }
}

/// Creates a key, makes sure that it is a new one, and tells all about it.
///
/// A name may belong to a key that is pending deletion. Some regions refuse it then, and some answer with the id of that old
/// key as if it had been created. Both are told as the same conflict, so that nobody relies on a key that is about to go.
///
/// Needs `kms:cmk:create`, and `kms:cmk:get` to look at the key. Where it cannot be looked at, the id is all that is told.
///
/// # Errors
/// [`ErrorKind::Conflict`] when another key has the name: with the [last state](Error::last_state)
/// [`KeyState::PendingDeletion`] where that is to be deleted; those of a call.
pub async fn create(client: &Client, request: CreateKey) -> Result<KeyDetails, Error> {
    let name = request.key_alias.clone();
    let created = match request.send(client).await {
        Ok(answer) => answer.into_body().key_info.unwrap_or_default(),
        Err(error) if error.code() == Some(NAME_IS_TAKEN) => {
            return Err(match pending(client, &name).await {
                Some(id) => to_be_deleted(error, &id),
                None => error,
            });
        }
        Err(error) => return Err(error),
    };
    let id = created.key_id.unwrap_or_default();
    let details = match ListKeyDetail::new(&id).send(client).await {
        Ok(answer) => answer.into_body().key_info.unwrap_or_default(),
        // It was created, whoever may look at it.
        Err(_) => KeyDetails { key_id: Some(id.clone()), domain_id: created.domain_id, ..KeyDetails::default() },
    };
    match details.key_state {
        Some(KeyState::PendingDeletion) => {
            let message = format!("the name `{name}` belongs to a key that is to be deleted; none was created");
            Err(to_be_deleted(Error::new(ErrorKind::Conflict, message), &id))
        }
        _ => Ok(details),
    }
}

/// The key of this name that is pending deletion, as far as the caller may see it.
async fn pending(client: &Client, name: &str) -> Option<String> {
    let mut keys = client.items(ListKeys::new().key_spec(KeySpec::All).key_state(KeyState::PendingDeletion));
    while let Some(Ok(details)) = keys.next().await {
        if details.key_alias.as_deref() == Some(name) {
            return details.key_id;
        }
    }
    None
}

fn to_be_deleted(error: Error, id: &str) -> Error {
    let help = format!("take the deletion of the key {id} back with CancelKeyDeletion, or use another name");
    error.with_help(help).with_last_state(Some(KeyState::PendingDeletion.to_string()))
}

/// Whether a text is a UUID, and so the id of a key: no name of one should be.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let is_dash = |index: usize| matches!(index, 8 | 13 | 18 | 23);
    text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(index, byte)| if is_dash(index) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_is_an_id() {
        assert!(is_id("0d0466b0-e727-4d9c-b35d-f84bb474a37f"));
        for text in [
            "",
            "billing",
            "0d0466b0e7274d9cb35df84bb474a37f",
            "0d0466b0-e727-4d9c-b35d-f84bb474a37é",
            "0d0466b0+e727-4d9c-b35d-f84bb474a37f",
        ] {
            assert!(!is_id(text), "{text}");
        }
    }
}
