//! Ordered records that remember which of them changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

/// Records of one kind by key.
///
/// Whoever changes one goes through here, so that what has to be stored is known without comparing.
pub(crate) struct Table<T> {
    records: BTreeMap<String, T>,
    changed: BTreeSet<String>,
    index: Option<Index<T>>,
}

/// A second way to find records: by something else that no two of them share and that never changes.
struct Index<T> {
    id: fn(&T) -> &str,
    keys: BTreeMap<String, String>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { records: BTreeMap::new(), changed: BTreeSet::new(), index: None }
    }
}

impl<T> Table<T> {
    /// A table whose records are also found by this id of theirs.
    pub(crate) fn with_id(id: fn(&T) -> &str) -> Self {
        Self { index: Some(Index { id, keys: BTreeMap::new() }), ..Self::default() }
    }

    /// The key of the record with this id.
    pub(crate) fn key_of(&self, id: &str) -> Option<&str> {
        self.index.as_ref()?.keys.get(id).map(String::as_str)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&T> {
        self.records.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        let record = self.records.get_mut(key)?;
        if !self.changed.contains(key) {
            self.changed.insert(key.to_owned());
        }
        Some(record)
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.records.contains_key(key)
    }

    pub(crate) fn insert(&mut self, key: impl Into<String>, record: T) {
        let key = key.into();
        self.changed.insert(key.clone());
        self.load(key, record);
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<T> {
        let record = self.records.remove(key)?;
        self.changed.insert(key.to_owned());
        self.forget_id(&record);
        Some(record)
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        self.records.iter()
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.records.values()
    }

    /// The records after `marker` in the order of their keys; all of them without one.
    pub(crate) fn after<'a>(&'a self, marker: Option<&str>) -> impl Iterator<Item = (&'a String, &'a T)> + use<'a, T> {
        let start = match marker {
            Some(marker) => Bound::Excluded(marker.to_owned()),
            None => Bound::Unbounded,
        };
        self.records.range((start, Bound::Unbounded))
    }

    /// Loads a stored record, which is no change.
    pub(crate) fn load(&mut self, key: String, record: T) {
        let id = self.index.as_ref().map(|index| (index.id)(&record).to_owned());
        if let Some(replaced) = self.records.insert(key.clone(), record) {
            self.forget_id(&replaced);
        }
        if let (Some(index), Some(id)) = (&mut self.index, id) {
            index.keys.insert(id, key);
        }
    }

    fn forget_id(&mut self, record: &T) {
        if let Some(index) = &mut self.index {
            index.keys.remove((index.id)(record));
        }
    }

    /// Hands over what changed since the last time: the record, or `None` where it is gone.
    pub(crate) fn take_changes(&mut self, mut take: impl FnMut(&str, Option<&T>)) {
        for key in std::mem::take(&mut self.changed) {
            take(&key, self.records.get(&key));
        }
    }
}

/// Takes what changed: its key, and the record's bytes or `None` where it is gone.
pub(crate) type Take<'a> = &'a mut dyn FnMut(&str, Option<Zeroizing<Vec<u8>>>);

/// A table as the store sees it: records are bytes.
pub(crate) trait Stored {
    /// Takes a stored record in.
    ///
    /// # Errors
    /// When the bytes are no such record; says why, never what they are.
    fn load_bytes(&mut self, key: &str, value: &[u8]) -> Result<(), String>;

    /// Hands over what changed since the last time.
    fn take_bytes(&mut self, take: Take<'_>);

    /// Forgets what changed, where nothing is stored.
    fn forget_changes(&mut self);
}

impl<T: Serialize + DeserializeOwned> Stored for Table<T> {
    fn load_bytes(&mut self, key: &str, value: &[u8]) -> Result<(), String> {
        let record = serde_json::from_slice(value)
            .map_err(|error| format!("line {}, column {}: not such a record", error.line(), error.column()))?;
        self.load(key.to_owned(), record);
        Ok(())
    }

    fn take_bytes(&mut self, take: Take<'_>) {
        self.take_changes(|key, record| {
            // Records are plain data with text for keys, which always can be written.
            take(key, record.map(|record| serde_json::to_vec(record).unwrap_or_default().into()));
        });
    }

    fn forget_changes(&mut self) {
        self.changed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_once() {
        let mut table = Table::default();
        table.load("a".into(), 1);
        table.insert("b", 2);
        if let Some(record) = table.get_mut("a") {
            *record = 3;
        }
        table.remove("b");
        let mut changes = Vec::new();
        table.take_changes(|key, record| changes.push((key.to_owned(), record.copied())));
        assert_eq!(changes, [("a".to_owned(), Some(3)), ("b".to_owned(), None)]);
        table.take_changes(|_, _| panic!("nothing changed since"));
    }

    #[test]
    fn records_are_found_by_their_id_as_long_as_they_are_there() {
        let mut table = Table::with_id(|id: &String| id);
        table.load("a".into(), "1".to_owned());
        table.insert("b", "2".to_owned());
        table.insert("b", "3".to_owned());
        assert_eq!(["1", "2", "3"].map(|id| table.key_of(id)), [Some("a"), None, Some("b")]);
        table.remove("a");
        assert_eq!(table.key_of("1"), None);
    }

    #[test]
    fn pages_begin_after_the_marker() {
        let mut table = Table::default();
        for key in ["b", "a", "c"] {
            table.insert(key, ());
        }
        let keys = |marker| table.after(marker).map(|(key, ())| key.as_str()).collect::<Vec<_>>();
        assert_eq!(keys(None), ["a", "b", "c"]);
        assert_eq!(keys(Some("a")), ["b", "c"]);
        assert_eq!(keys(Some("aa")), ["b", "c"], "a marker need not exist any more");
        assert_eq!(keys(Some("c")), [""; 0]);
    }
}
