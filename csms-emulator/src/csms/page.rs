//! Pages of lists: what comes after a marker.

use serde_json::{Value as Json, json};

use super::refusal;
use crate::{call::Call, fault::Fault};

const DEFAULT: usize = 50;
const MOST: usize = 1000;

/// One page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// Its first and its last item; the last one only if others follow.
    pub(super) info: Json,
}

/// What a list is to begin after. An empty marker is none.
pub(super) fn marker(call: &Call) -> Option<&str> {
    call.optional("marker").filter(|marker| !marker.is_empty())
}

/// As many of these named items as the call asks for.
pub(super) fn page<T>(call: &Call, mut items: impl Iterator<Item = (String, T)>) -> Result<Page<T>, Fault> {
    let limit = match call.number("limit") {
        None => DEFAULT,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| refusal("CSMS.0002").because(format!("`limit` has to be from 1 to {MOST}")))?,
    };
    let (names, page): (Vec<_>, Vec<_>) = items.by_ref().take(limit).unzip();
    let next = names.last().filter(|_| items.next().is_some());
    let info = json!({"next_marker": next, "previous_marker": names.first(), "current_count": names.len()});
    Ok(Page { items: page, info })
}
