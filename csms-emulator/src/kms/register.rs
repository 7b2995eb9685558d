//! The keys of a project, found by id or by name.

use std::ops::Deref;

use zeroize::Zeroizing;

use super::record::Key;
use crate::table::{Stored, Table};

/// The table of keys, with what is needed to find one by name and to tell how many there are, however many that is.
///
/// It reads like the table. To change it there are only the methods below, which keep all in step.
pub(crate) struct Register {
    keys: Table<Key>,
    /// How many are default keys.
    defaults: usize,
}

impl Default for Register {
    fn default() -> Self {
        Self { keys: Table::with_id(|key: &Key| &key.alias), defaults: 0 }
    }
}

impl Deref for Register {
    type Target = Table<Key>;

    fn deref(&self) -> &Self::Target {
        &self.keys
    }
}

impl Register {
    /// The key of this name.
    pub(crate) fn named(&self, name: &str) -> Option<&Key> {
        self.keys.get(self.keys.key_of(name)?)
    }

    /// How many there are, default keys not counted.
    pub(crate) fn own(&self) -> usize {
        self.keys.len() - self.defaults
    }

    /// A key, to change anything but its name; see [`rename`](Self::rename).
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Key> {
        self.keys.get_mut(id)
    }

    /// Takes a new key in, whose name must not be another's.
    pub(crate) fn insert(&mut self, id: impl Into<String>, key: Key) {
        self.defaults += usize::from(key.is_default);
        self.keys.insert(id, key);
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Key> {
        let key = self.keys.remove(id)?;
        self.defaults -= usize::from(key.is_default);
        Some(key)
    }

    /// Gives a key a name, which must not be another's.
    pub(crate) fn rename(&mut self, id: &str, name: &str) {
        if let Some(key) = self.remove(id) {
            self.insert(id, Key { alias: name.to_owned(), ..key });
        }
    }
}

impl Stored for Register {
    fn load_bytes(&mut self, key: &str, value: &[u8]) -> Result<(), String> {
        self.keys.load_bytes(key, value)?;
        self.defaults += usize::from(self.keys.get(key).is_some_and(|key| key.is_default));
        Ok(())
    }

    fn take_bytes(&mut self, take: &mut dyn FnMut(&str, Option<Zeroizing<Vec<u8>>>)) {
        self.keys.take_bytes(take);
    }

    fn forget_changes(&mut self) {
        self.keys.forget_changes();
    }
}
