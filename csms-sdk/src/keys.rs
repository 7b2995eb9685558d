//! Keys by what people call them: id, name or alias.
//!
//! ```no_run
//! # async fn example(client: csms_sdk::Client) -> Result<(), csms_sdk::Error> {
//! let id = csms_sdk::keys::find(&client, "billing").await?;
//! csms_sdk::kms::EnableKeyRotation::new(id).send(&client).await?;
//! # Ok(())
//! # }
//! ```

use crate::{
    client::Client,
    error::{Error, ErrorKind},
    kms::{KeySpec, KeyState, ListAliases, ListKeys},
};

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

/// Whether a text is a UUID, which no name of a key should be.
fn is_id(text: &str) -> bool {
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
