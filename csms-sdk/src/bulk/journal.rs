//! Plans and journals as lines of JSON: first the plan, then what is begun and what became of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io,
};

use serde_json::{Map, Value as Json, json};

use super::{Action, Change, Mode, Outcome, Plan, Scope, fingerprint::Fingerprint};
use crate::{
    error::Error,
    store::{Change as FieldKind, FieldChange},
};

/// The version of the format, which stands in the first line.
const FORMAT: u64 = 1;

/// Where it is kept what has been begun, and what became of it. A [`File`] is one, to which lines are appended.
///
/// A journal has the [plan](Plan::to_line) as its first line; it has to be there before the plan is applied. Both methods are
/// called by the task that works, and should not take long. An error of either keeps further things from being begun, and
/// is what [`finish`](super::Applying::finish) tells.
pub trait Journal: Send {
    /// Appends `lines`, one or more that each end in a newline. When this returns, they have to survive the end of the
    /// process.
    ///
    /// # Errors
    /// When they cannot be written.
    fn append(&mut self, lines: &str) -> io::Result<()>;

    /// Sees to it that all lines so far survive the end of the machine: what they tell of is sent next.
    ///
    /// # Errors
    /// When that is not certain.
    fn sync(&mut self) -> io::Result<()>;
}

impl Journal for File {
    fn append(&mut self, lines: &str) -> io::Result<()> {
        io::Write::write_all(self, lines.as_bytes())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// What a journal tells of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It may have been begun, and is not done as far as anybody knows.
    Begun,
    /// It is done.
    Done(Done),
}

/// What has been done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Created(String),
    Updated(String),
    Deleted,
}

/// The line that says that something may be begun from now on.
pub(super) fn begun(name: &str) -> String {
    line(&json!({"name": name, "outcome": "started"}))
}

/// The line that says what became of it.
pub(super) fn ended(name: &str, outcome: &Outcome) -> String {
    line(&match outcome {
        Outcome::Created { version } => json!({"name": name, "outcome": "created", "version_id": version}),
        Outcome::Updated { version } => json!({"name": name, "outcome": "updated", "version_id": version}),
        Outcome::Deleted => json!({"name": name, "outcome": "deleted"}),
        Outcome::Failed(error) => json!({
            "name": name,
            "outcome": "failed",
            "kind": error.kind().as_str(),
            "message": error.to_string(),
        }),
    })
}

fn line(json: &Json) -> String {
    format!("{json}\n")
}

impl Plan {
    /// The plan as one line of JSON, the newline included: the content of a plan file, and the first line of a journal.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut json = self.to_json();
        json["seal"] = hex::encode(self.seal).into();
        line(&json)
    }

    /// What the seal is over.
    pub(super) fn unsealed(&self) -> String {
        line(&self.to_json())
    }

    fn to_json(&self) -> Json {
        let (mode, scope) = match &self.mode {
            Mode::Create => ("create", Json::Null),
            Mode::Upsert => ("upsert", Json::Null),
            Mode::Mirror(Scope::All) => ("mirror", json!({"all": true})),
            Mode::Mirror(Scope::Prefix(prefix)) => ("mirror", json!({"prefix": prefix})),
            Mode::Mirror(Scope::Names(names)) => ("mirror", json!({"names": names})),
        };
        json!({
            "csms_plan": FORMAT,
            "region": self.region,
            "project_id": self.project_id,
            "mode": mode,
            "scope": scope,
            "fingerprint": self.fingerprint.to_json(),
            "changes": self.changes.iter().map(change_to_json).collect::<Vec<_>>(),
        })
    }

    /// Reads a plan or a journal, and says how many bytes of it are whole. What follows them is a line that was being
    /// written when it broke off: cut the file there before it is appended to.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) of the [field](Error::field) `plan` when it is anything
    /// else, with the number of the line.
    pub fn read(file: &[u8]) -> Result<(Self, usize), Error> {
        let whole = file.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let mut lines = file[..whole].split_inclusive(|byte| *byte == b'\n');
        let first = lines.next().ok_or_else(|| Error::invalid("plan", "is empty, or its first line is cut off"))?;
        let mut plan = plan_of(first).ok_or_else(|| damaged(1, "is no plan that this version can read"))?;
        let planned: BTreeSet<&str> =
            plan.changes.iter().filter(|change| change.action.is_change()).map(|change| change.name.as_str()).collect();
        for (number, line) in (2..).zip(lines) {
            let (name, known) = outcome_of(line).ok_or_else(|| damaged(number, "tells no outcome"))?;
            if !planned.contains(name.as_str()) {
                return Err(damaged(number, "tells of a secret with which the plan does nothing"));
            }
            match plan.known.get(&name) {
                Some(Known::Done(_)) => return Err(damaged(number, "tells of what was done already")),
                _ => drop(plan.known.insert(name, known)),
            }
        }
        Ok((plan, whole))
    }
}

fn damaged(line: usize, problem: &str) -> Error {
    Error::invalid("plan", format!("is damaged: line {line} {problem}"))
}

fn plan_of(line: &[u8]) -> Option<Plan> {
    let json: Json = serde_json::from_slice(line).ok()?;
    if json["csms_plan"] != FORMAT {
        return None;
    }
    let scope = &json["scope"];
    let mode = match json["mode"].as_str()? {
        "create" => Mode::Create,
        "upsert" => Mode::Upsert,
        "mirror" if scope["all"] == true => Mode::Mirror(Scope::All),
        "mirror" if scope["names"].is_array() => {
            let names = scope["names"].as_array()?.iter().map(|name| name.as_str().map(str::to_owned));
            Mode::Mirror(Scope::Names(names.collect::<Option<_>>()?))
        }
        "mirror" => Mode::Mirror(Scope::Prefix(scope["prefix"].as_str()?.to_owned())),
        _ => return None,
    };
    let changes: Vec<Change> = json["changes"].as_array()?.iter().map(change_of).collect::<Option<_>>()?;
    let names: BTreeSet<_> = changes.iter().map(|change| &change.name).collect();
    if names.len() < changes.len() {
        return None;
    }
    let mut seal = [0; 32];
    hex::decode_to_slice(json["seal"].as_str()?, &mut seal).ok()?;
    let plan = Plan {
        region: json["region"].as_str().map(str::to_owned),
        project_id: json["project_id"].as_str()?.to_owned(),
        mode,
        fingerprint: Fingerprint::of_json(&json["fingerprint"])?,
        changes,
        seal,
        known: BTreeMap::new(),
    };
    // Nothing stands in it that is not sealed, nor twice.
    (plan.to_line().as_bytes() == line).then_some(plan)
}

fn outcome_of(line: &[u8]) -> Option<(String, Known)> {
    let json: Json = serde_json::from_slice(line).ok()?;
    let version = || json["version_id"].as_str().map(str::to_owned);
    let known = match json["outcome"].as_str()? {
        // What failed may have been done all the same.
        "started" | "failed" => Known::Begun,
        "created" => Known::Done(Done::Created(version()?)),
        "updated" => Known::Done(Done::Updated(version()?)),
        "deleted" => Known::Done(Done::Deleted),
        _ => return None,
    };
    Some((json["name"].as_str()?.to_owned(), known))
}

/// How a field differs, in one word.
const FIELDS: [(FieldKind, &str); 3] =
    [(FieldKind::Added, "added"), (FieldKind::Removed, "removed"), (FieldKind::Changed, "changed")];

/// A change as a plan has it.
fn change_to_json(change: &Change) -> Json {
    let mut json = Map::from_iter([
        ("name".to_owned(), change.name.as_str().into()),
        ("action".to_owned(), change.action.as_str().into()),
    ]);
    if let Some(base) = &change.base {
        json.insert("base_version_id".to_owned(), base.as_str().into());
    }
    if !change.fields.is_empty() {
        let word = |kind| FIELDS.iter().find(|(known, _)| *known == kind).map(|(_, word)| *word);
        let fields = change.fields.iter().map(|field| (field.name.clone(), word(field.change).into()));
        json.insert("fields".to_owned(), fields.collect::<Map<_, _>>().into());
    }
    if let Some(reason) = &change.reason {
        json.insert("reason".to_owned(), reason.as_str().into());
    }
    json.into()
}

fn change_of(json: &Json) -> Option<Change> {
    let action = Action::ALL.into_iter().find(|action| json["action"] == action.as_str())?;
    let field = |(name, word): (&String, &Json)| {
        let (change, _) = FIELDS.iter().find(|(_, known)| word == known)?;
        Some(FieldChange { name: name.clone(), change: *change })
    };
    let text = |member: &str| json[member].as_str().map(str::to_owned);
    let change = Change {
        name: text("name")?,
        action,
        base: text("base_version_id"),
        fields: json["fields"].as_object().into_iter().flatten().map(field).collect::<Option<_>>()?,
        reason: text("reason"),
    };
    // An update is of something.
    (action != Action::Update || change.base.is_some()).then_some(change)
}
