//! Which references are held: by what they mean, and by how they were written.

use std::{collections::HashMap, sync::Arc};

use tokio::time::Instant;

use super::entry::Entry;
use crate::{Client, reference::Reference, store::SecretValue};

/// Ways of writing that are remembered, for each entry that may be held. They only save reading a text once more.
const SHORTCUTS: usize = 4;

#[derive(Default)]
pub(super) struct Index {
    /// By reference, without its field.
    entries: HashMap<Reference, Arc<Entry>>,
    /// By text, as it was given.
    shortcuts: HashMap<String, Shortcut>,
}

/// What a text means.
pub(super) struct Shortcut {
    pub(super) entry: Arc<Entry>,
    pub(super) field: Option<String>,
    /// What is handed out without another look at the entry, until this time.
    pub(super) value: Arc<SecretValue>,
    pub(super) fresh_until: Instant,
}

impl Index {
    pub(super) fn shortcut(&self, text: &str) -> Option<&Shortcut> {
        self.shortcuts.get(text)
    }

    pub(super) fn entry(&self, reference: &Reference) -> Option<&Arc<Entry>> {
        self.entries.get(reference)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.values()
    }

    /// The entry of a reference, or a new one for it with this client. Entries of a region share the first one's client, which
    /// looks its project up once.
    pub(super) fn entry_or_new(&mut self, reference: Reference, client: Client) -> Arc<Entry> {
        if let Some(entry) = self.entry(&reference) {
            return Arc::clone(entry);
        }
        let neighbour = self.entries().find(|entry| entry.client.region() == client.region());
        let client = neighbour.map_or(client, |entry| entry.client.clone());
        let entry = Arc::new(Entry::new(reference.clone(), client));
        self.entries.insert(reference, Arc::clone(&entry));
        entry
    }

    /// Remembers how an entry was asked for, if it is still held and has its value.
    pub(super) fn remember(&mut self, text: &str, entry: &Arc<Entry>, field: Option<&str>, capacity: usize) {
        let Some((value, fresh_until)) = entry.fresh(field).filter(|_| self.holds(entry)) else { return };
        // Texts made up by the thousand must not fill the memory.
        if self.shortcuts.len() >= capacity.saturating_mul(SHORTCUTS) {
            self.shortcuts.clear();
        }
        let shortcut = Shortcut { entry: Arc::clone(entry), field: field.map(str::to_owned), value, fresh_until };
        self.shortcuts.insert(text.to_owned(), shortcut);
    }

    /// Lets go of an entry and its value. Tasks that wait for it get what they wait for; nobody else does.
    pub(super) fn drop_entry(&mut self, entry: &Arc<Entry>) {
        if self.holds(entry) {
            self.entries.remove(&entry.reference);
            self.forget_shortcuts(entry);
        }
        entry.forget();
    }

    /// Lets go of what shortcuts have of an entry whose value has changed.
    pub(super) fn forget_shortcuts(&mut self, entry: &Arc<Entry>) {
        self.shortcuts.retain(|_, shortcut| !Arc::ptr_eq(&shortcut.entry, entry));
    }

    /// Drops values until there are at most so many, not counting `newest`. Tells how many it dropped.
    pub(super) fn make_room(&mut self, capacity: usize, newest: &Arc<Entry>, now: Instant) -> u64 {
        let mut dropped = 0;
        while self.entries.len() > capacity && self.len() > capacity {
            let others = self.entries.values().filter(|entry| !Arc::ptr_eq(entry, newest));
            let worths = others.filter_map(|entry| Some((entry.worth(now)?, entry)));
            let Some((_, least)) = worths.min_by_key(|(worth, _)| *worth) else { break };
            let least = Arc::clone(least);
            self.drop_entry(&least);
            dropped += 1;
        }
        dropped
    }

    /// Number of values.
    pub(super) fn len(&self) -> usize {
        self.entries.values().filter(|entry| !entry.is_empty()).count()
    }

    fn holds(&self, entry: &Arc<Entry>) -> bool {
        self.entries.get(&entry.reference).is_some_and(|held| Arc::ptr_eq(held, entry))
    }
}
