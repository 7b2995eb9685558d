//! Everything the emulator remembers.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    agenda::{Agenda, Errand},
    clock::Millis,
    csms,
    fault::Fault,
    iam::Directory,
    kms,
    options::Rules,
    store::{Change, Record},
    table::Stored,
};

/// What happens by itself again and again, such as a rotation, happens at most so often when the time is moved at once.
const MOST_ROUNDS: usize = 1_000;

/// The accounts, and what each project holds.
pub(crate) struct World {
    pub(crate) rules: Rules,
    pub(crate) directory: Directory,
    pub(crate) agenda: Agenda,
    projects: BTreeMap<String, Project>,
    /// Projects that may have changed: one write must not have to look through them all.
    touched: BTreeSet<String>,
}

/// What one project holds. A project lives in one region.
#[derive(Default)]
pub(crate) struct Project {
    pub(crate) csms: csms::State,
    pub(crate) kms: kms::State,
}

impl World {
    pub(crate) fn new(rules: Rules, directory: Directory) -> Self {
        Self { rules, directory, agenda: Agenda::default(), projects: BTreeMap::new(), touched: BTreeSet::new() }
    }

    /// What a project holds.
    ///
    /// # Errors
    /// The gateway's refusal when there is no such project.
    pub(crate) fn project(&self, id: &str) -> Result<&Project, Fault> {
        self.projects.get(id).ok_or_else(no_project)
    }

    /// As [`project`](Self::project), to change it.
    pub(crate) fn project_mut(&mut self, id: &str) -> Result<&mut Project, Fault> {
        let project = self.projects.get_mut(id).ok_or_else(no_project)?;
        if !self.touched.contains(id) {
            self.touched.insert(id.to_owned());
        }
        Ok(project)
    }

    /// What all projects hold, by id.
    pub(crate) fn projects(&self) -> impl Iterator<Item = (&String, &Project)> {
        self.projects.iter()
    }

    /// The project that `account` has in a region.
    pub(crate) fn project_in(&self, account_id: &str, region: &str) -> Option<&str> {
        self.directory.project_in(account_id, region).map(|project| project.id.as_str())
    }

    /// Adds a project to the directory, as somebody has named it.
    pub(crate) fn add_project(&mut self, id: &str, region: &str, account_id: &str) {
        if !self.directory.projects.contains(id) {
            self.directory.add_project(id, region, account_id);
            self.projects.entry(id.to_owned()).or_default();
        }
    }

    /// Has every project of the directory a place for what it holds.
    pub(crate) fn open_projects(&mut self) {
        for project in self.directory.projects.values() {
            self.projects.entry(project.id.clone()).or_default();
        }
    }

    /// Does whatever is due. What one round brings about may be due as well; a record that is never done with does not
    /// hold up everything else for ever, but is taken up again with the next call.
    pub(crate) fn settle(&mut self, now: Millis) {
        for _ in 0..MOST_ROUNDS {
            let due = self.agenda.take(now);
            if due.is_empty() {
                return;
            }
            due.into_iter().for_each(|errand| self.run(errand, now));
        }
    }

    fn run(&mut self, errand: Errand, now: Millis) {
        match errand {
            Errand::Secret { project_id, name } => csms::settle(self, &project_id, &name, now),
            Errand::Key { project_id, id } => kms::settle(self, &project_id, &id, now),
            Errand::Session { id } => {
                let due = self.directory.settle(&id, now);
                self.agenda.add(due, Errand::Session { id });
            }
        }
    }

    /// Takes a stored record in.
    ///
    /// # Errors
    /// When nothing here keeps such a record, or it cannot be read.
    pub(crate) fn load(&mut self, record: &Record<'_>) -> Result<(), String> {
        let mut directory = self.directory.tables().into_iter();
        if let Some((_, table)) = directory.find(|(name, _)| *name == record.table) {
            return table.load_bytes(record.key, record.value);
        }
        let (project, key) = record.key.split_once('/').ok_or("it names no project")?;
        let project = self.projects.entry(project.to_owned()).or_default();
        let (_, table) = project
            .tables()
            .into_iter()
            .find(|(name, _)| *name == record.table)
            .ok_or("there is no such table; a newer version may have written it")?;
        table.load_bytes(key, record.value)
    }

    /// Once everything is loaded: finds out what is due when.
    pub(crate) fn loaded(&mut self) {
        self.open_projects();
        let mut agenda = Agenda::default();
        for (id, project) in &self.projects {
            for name in project.csms.secrets.iter().map(|(name, _)| name) {
                agenda.add(Some(0), Errand::Secret { project_id: id.clone(), name: name.clone() });
            }
            for key in project.kms.keys.iter().map(|(key, _)| key) {
                agenda.add(Some(0), Errand::Key { project_id: id.clone(), id: key.clone() });
            }
        }
        for id in self.directory.sessions.iter().map(|(id, _)| id) {
            agenda.add(Some(0), Errand::Session { id: id.clone() });
        }
        self.agenda = agenda;
    }

    /// What changed since the last time.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut take = |table: &'static str, stored: &mut dyn Stored, project: &str| {
            stored.take_bytes(&mut |key, value| changes.push(Change { table, key: format!("{project}{key}"), value }));
        };
        for (name, table) in self.directory.tables() {
            take(name, table, "");
        }
        for id in std::mem::take(&mut self.touched) {
            let prefix = format!("{id}/");
            for (name, table) in self.projects.get_mut(&id).map(Project::tables).unwrap_or_default() {
                take(name, table, &prefix);
            }
        }
        changes
    }

    /// Forgets what changed, where nothing is stored.
    pub(crate) fn forget_changes(&mut self) {
        self.directory.tables().into_iter().for_each(|(_, table)| table.forget_changes());
        for id in std::mem::take(&mut self.touched) {
            let tables = self.projects.get_mut(&id).map(Project::tables).unwrap_or_default();
            tables.into_iter().for_each(|(_, table)| table.forget_changes());
        }
    }
}

impl Project {
    /// Its tables under the names they are stored by.
    fn tables(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        let mut tables = self.csms.tables();
        tables.extend(self.kms.tables());
        tables
    }
}

fn no_project() -> Fault {
    Fault::new(403, "APIGW.0310", "The project is unavailable")
}
