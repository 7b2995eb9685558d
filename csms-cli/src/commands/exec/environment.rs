//! The environment of a command: what it inherits, and what stands against that.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
};

use crate::{
    error::{Exit, Failure},
    session::Session,
    sources::{self, Item},
};

/// The variables of this process that a command gets.
pub(super) fn inherited(session: &Session<'_>) -> BTreeMap<OsString, OsString> {
    let only: Vec<_> = session.words("inherit").collect();
    let is_wanted = |name: &OsStr| {
        let is_ours = !session.is_set("keep-credentials") && name.to_str().is_some_and(sources::is_credential);
        let is_listed = match only.is_empty() {
            true => !session.is_set("pristine"),
            false => only.iter().any(|listed| matches(listed, name)),
        };
        is_listed && !is_ours
    };
    env::vars_os().filter(|(name, _)| is_wanted(name)).collect()
}

/// What is left of the items where variables of theirs are inherited already.
pub(super) fn without_conflicts(
    session: &Session<'_>,
    items: Vec<Item>,
    inherited: &BTreeMap<OsString, OsString>,
) -> Result<Vec<Item>, Failure> {
    let mut kept = Vec::new();
    for item in items {
        let Item { name, origin, .. } = &item;
        if !inherited.contains_key(OsStr::new(name)) {
            kept.push(item);
            continue;
        }
        match session.text("on-conflict") {
            Some("keep") => {}
            Some("error") => {
                return Err(Failure::new(Exit::Conflict, "variable_exists", format!("{name} is set already"))
                    .cause(format!("{origin} gives it another value; nothing was started"))
                    .hint("--on-conflict override or keep; or unset it"));
            }
            _ => {
                let text = format!("{name} is set already; the value of {origin} takes its place");
                sources::warned(session, session.is_set("strict"), &text)?;
                kept.push(item);
            }
        }
    }
    Ok(kept)
}

/// The value of a variable, as the system takes it.
pub(super) fn value(item: &Item) -> Result<OsString, Failure> {
    let refused = |problem: &str| {
        Failure::usage("not_representable", format!("{} cannot be a variable", item.name))
            .cause(format!("its value {problem}; it is of {}, and nothing was started", item.origin))
            .hint(format!("--file {}=REF gives the path of a file with it", item.name))
    };
    let bytes = item.value.expose_secret();
    if bytes.contains(&0) {
        return Err(refused("holds a zero byte"));
    }
    #[cfg(unix)]
    return Ok(<OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes).to_os_string());
    #[cfg(not(unix))]
    return str::from_utf8(bytes).map(OsString::from).map_err(|_| refused("is no text"));
}

/// Whether a name is the one listed, or begins with it where that ends in `*`.
fn matches(listed: &str, name: &OsStr) -> bool {
    match listed.strip_suffix('*') {
        Some(start) => name.as_encoded_bytes().starts_with(start.as_bytes()),
        None => name == listed,
    }
}
