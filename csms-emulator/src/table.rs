//! Ordered records that remember which of them changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

/// Records of one kind by key.
///
/// Whoever changes one goes through here, so that what has to be stored is known without comparing.
#[derive(Debug)]
pub(crate) struct Table<T> {
    records: BTreeMap<String, T>,
    changed: BTreeSet<String>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { records: BTreeMap::new(), changed: BTreeSet::new() }
    }
}

impl<T> Table<T> {
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
        self.records.insert(key, record);
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<T> {
        let record = self.records.remove(key)?;
        self.changed.insert(key.to_owned());
        Some(record)
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        self.records.iter()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
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
        self.records.insert(key, record);
    }

    /// Hands over what changed since the last time: the record, or `None` where it is gone.
    pub(crate) fn take_changes(&mut self, mut take: impl FnMut(&str, Option<&T>)) {
        for key in std::mem::take(&mut self.changed) {
            take(&key, self.records.get(&key));
        }
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
