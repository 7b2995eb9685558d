//! What must come of operations on secrets.

use std::collections::{BTreeMap, BTreeSet};

use csms_sdk::{
    Client, Error,
    csms::{
        CreateSecret, CreateSecretVersion, DeleteSecret, DeleteSecretForSchedule, DeleteSecretStage,
        ListSecretVersions, ListSecrets, RestoreSecret, ShowSecretStage, ShowSecretVersion, UpdateSecretStage,
    },
};

use super::random::Random;

const NAMES: [&str; 4] = ["a", "b", "c.d", "e_f"];
const STAGES: [&str; 4] = ["SYSCURRENT", "SYSPREVIOUS", "blue", "green"];
const MOST_VERSIONS: usize = 20;

/// One operation on a secret.
#[derive(Debug)]
pub(crate) enum Action {
    Create { name: &'static str, value: String },
    AddVersion { name: &'static str, value: String, stages: Vec<&'static str> },
    Read { name: &'static str, version: String },
    MoveStage { name: &'static str, stage: &'static str, version: u32 },
    ShowStage { name: &'static str, stage: &'static str },
    DeleteStage { name: &'static str, stage: &'static str },
    Schedule { name: &'static str, days: u64 },
    Restore { name: &'static str },
    Delete { name: &'static str },
    List,
    ListVersions { name: &'static str },
}

/// What comes of an operation, as far as the model speaks of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Done,
    /// The id of a version.
    Version(String),
    /// A value with the stages of its version.
    Value(String, BTreeSet<String>),
    Names(Vec<String>),
    /// The versions with their stages.
    Versions(BTreeMap<String, BTreeSet<String>>),
    Refused(&'static str),
}

/// What is known of all secrets.
#[derive(Default)]
pub(crate) struct Model {
    secrets: BTreeMap<&'static str, Secret>,
}

struct Secret {
    values: BTreeMap<u32, String>,
    last: u32,
    stages: BTreeMap<&'static str, u32>,
    /// Days until it is gone.
    pending: Option<u64>,
}

impl Action {
    pub(crate) fn any(random: &mut Random) -> Self {
        let name = random.of(&NAMES);
        let stage = random.of(&STAGES);
        let value = format!("value {}", random.below(1_000_000));
        match random.below(100) {
            0..12 => Self::Create { name, value },
            12..40 => {
                let stages = match random.below(4) {
                    0 => vec![random.of(&STAGES[2..])],
                    1 => {
                        vec![stage, random.of(&STAGES[2..])].into_iter().collect::<BTreeSet<_>>().into_iter().collect()
                    }
                    _ => Vec::new(),
                };
                Self::AddVersion { name, value, stages }
            }
            40..60 => {
                let version = match random.below(3) {
                    0 => "latest".to_owned(),
                    _ => format!("v{}", 1 + random.below(30)),
                };
                Self::Read { name, version }
            }
            60..70 => Self::MoveStage { name, stage, version: 1 + random.below(25) as u32 },
            70..76 => Self::ShowStage { name, stage },
            76..82 => Self::DeleteStage { name, stage },
            82..86 => Self::Schedule { name, days: 7 + random.below(24) },
            86..92 => Self::Restore { name },
            92..94 => Self::Delete { name },
            94..97 => Self::List,
            _ => Self::ListVersions { name },
        }
    }

    pub(crate) async fn carry_out(&self, client: &Client) -> Seen {
        self.attempt(client).await.unwrap_or_else(|error| Seen::Refused(reason(&error)))
    }

    async fn attempt(&self, client: &Client) -> Result<Seen, Error> {
        let owned = |stages: &[&str]| stages.iter().map(|stage| (*stage).to_owned()).collect::<Vec<_>>();
        Ok(match self {
            Self::Create { name, value } => {
                CreateSecret::new(*name).secret_string(value.as_str()).send(client).await?;
                Seen::Done
            }
            Self::AddVersion { name, value, stages } => {
                let mut request = CreateSecretVersion::new(*name).secret_string(value.as_str());
                if !stages.is_empty() {
                    request = request.version_stages(owned(stages));
                }
                let answer = request.send(client).await?;
                Seen::Version(answer.version_metadata.as_ref().unwrap().id.clone().unwrap())
            }
            Self::Read { name, version } => {
                let answer = ShowSecretVersion::new(*name, version).send(client).await?;
                let version = answer.version.as_ref().unwrap();
                let stages = version.version_metadata.as_ref().unwrap().version_stages.iter().cloned().collect();
                Seen::Value(version.secret_string.as_ref().unwrap().expose_secret().to_owned(), stages)
            }
            Self::MoveStage { name, stage, version } => {
                let version = format!("v{version}");
                UpdateSecretStage::new(*name, *stage, version).send(client).await?;
                Seen::Done
            }
            Self::ShowStage { name, stage } => {
                let answer = ShowSecretStage::new(*name, *stage).send(client).await?;
                Seen::Version(answer.stage.as_ref().unwrap().version_id.clone().unwrap())
            }
            Self::DeleteStage { name, stage } => {
                DeleteSecretStage::new(*name, *stage).send(client).await?;
                Seen::Done
            }
            Self::Schedule { name, days } => {
                DeleteSecretForSchedule::new(*name, *days as i32).send(client).await?;
                Seen::Done
            }
            Self::Restore { name } => {
                RestoreSecret::new(*name).send(client).await?;
                Seen::Done
            }
            Self::Delete { name } => {
                DeleteSecret::new(*name).send(client).await?;
                Seen::Done
            }
            Self::List => {
                let answer = ListSecrets::new().send(client).await?;
                Seen::Names(answer.secrets.iter().map(|secret| secret.name.clone().unwrap()).collect())
            }
            Self::ListVersions { name } => {
                let answer = ListSecretVersions::new(*name).send(client).await?;
                let versions = answer.version_metadatas.iter();
                Seen::Versions(
                    versions
                        .map(|version| (version.id.clone().unwrap(), version.version_stages.iter().cloned().collect()))
                        .collect(),
                )
            }
        })
    }
}

/// A refusal in the model's words.
fn reason(error: &Error) -> &'static str {
    match error.code() {
        Some("CSMS.0005" | "CSMS.0106") => "missing",
        Some("CSMS.0101") => "taken",
        Some("CSMS.0103" | "CSMS.0107" | "CSMS.0109") => "pending",
        Some("CSMS.0105") => "system stage",
        Some("CSMS.0108") => "not pending",
        _ => panic!("{error}"),
    }
}

impl Model {
    pub(crate) fn days_pass(&mut self, days: u64) {
        self.secrets.retain(|_, secret| secret.pending.is_none_or(|left| left > days));
        for secret in self.secrets.values_mut() {
            secret.pending = secret.pending.map(|left| left - days);
        }
    }

    /// What must come of an action; the model goes along.
    pub(crate) fn expect(&mut self, action: &Action) -> Seen {
        self.attempt(action).unwrap_or_else(Seen::Refused)
    }

    fn attempt(&mut self, action: &Action) -> Result<Seen, &'static str> {
        Ok(match action {
            Action::Create { name, value } => {
                if self.secrets.contains_key(name) {
                    return Err("taken");
                }
                let secret = Secret {
                    values: [(1, value.clone())].into(),
                    last: 1,
                    stages: [("SYSCURRENT", 1)].into(),
                    pending: None,
                };
                self.secrets.insert(name, secret);
                Seen::Done
            }
            Action::AddVersion { name, value, stages } => Seen::Version(self.usable(name)?.add(value, stages)),
            Action::Read { name, version } => {
                let secret = self.usable(name)?;
                let number = match version.as_str() {
                    "latest" => secret.stages["SYSCURRENT"],
                    version => version[1..].parse().unwrap(),
                };
                let value = secret.values.get(&number).ok_or("missing")?;
                Seen::Value(value.clone(), secret.stages_of(number))
            }
            Action::MoveStage { name, stage, version } => {
                let secret = self.usable(name)?;
                if !secret.values.contains_key(version) {
                    return Err("missing");
                }
                secret.put(stage, *version);
                Seen::Done
            }
            Action::ShowStage { name, stage } => {
                let secret = self.secrets.get(name).ok_or("missing")?;
                Seen::Version(format!("v{}", secret.stages.get(stage).ok_or("missing")?))
            }
            Action::DeleteStage { name, stage } => {
                let secret = self.usable(name)?;
                if stage.starts_with("SYS") {
                    return Err("system stage");
                }
                secret.stages.remove(stage).ok_or("missing")?;
                Seen::Done
            }
            Action::Schedule { name, days } => {
                self.usable(name)?.pending = Some(*days);
                Seen::Done
            }
            Action::Restore { name } => {
                let secret = self.secrets.get_mut(name).ok_or("missing")?;
                secret.pending.take().ok_or("not pending")?;
                Seen::Done
            }
            Action::Delete { name } => {
                self.usable(name)?;
                self.secrets.remove(name);
                Seen::Done
            }
            Action::List => Seen::Names(self.secrets.keys().map(|name| (*name).to_owned()).collect()),
            Action::ListVersions { name } => {
                let secret = self.secrets.get(name).ok_or("missing")?;
                let versions = secret.values.keys();
                Seen::Versions(versions.map(|number| (format!("v{number}"), secret.stages_of(*number))).collect())
            }
        })
    }

    fn usable(&mut self, name: &str) -> Result<&mut Secret, &'static str> {
        let secret = self.secrets.get_mut(name).ok_or("missing")?;
        if secret.pending.is_some() { Err("pending") } else { Ok(secret) }
    }
}

impl Secret {
    /// Adds a version and answers its id.
    fn add(&mut self, value: &str, stages: &[&'static str]) -> String {
        if self.values.len() == MOST_VERSIONS {
            // The oldest version that no stage marks makes room; there are fewer stages than versions.
            let unmarked = self.values.keys().find(|number| !self.stages.values().any(|marked| marked == *number));
            let oldest = *unmarked.expect("a version without a stage");
            self.values.remove(&oldest);
        }
        self.last += 1;
        self.values.insert(self.last, value.to_owned());
        let stages = if stages.is_empty() { &["SYSCURRENT"][..] } else { stages };
        // What is named goes where it is said to, even where SYSCURRENT would take it elsewhere.
        let mut ordered = stages.to_vec();
        ordered.sort_by_key(|stage| *stage != "SYSCURRENT");
        for stage in ordered {
            self.put(stage, self.last);
        }
        format!("v{}", self.last)
    }

    /// Marks a version. The version that SYSCURRENT leaves is SYSPREVIOUS from then on.
    fn put(&mut self, stage: &'static str, version: u32) {
        let left = self.stages.insert(stage, version);
        if stage == "SYSCURRENT"
            && let Some(left) = left.filter(|left| *left != version)
        {
            self.stages.insert("SYSPREVIOUS", left);
        }
    }

    fn stages_of(&self, number: u32) -> BTreeSet<String> {
        let marks = self.stages.iter().filter(|(_, marked)| **marked == number);
        marks.map(|(stage, _)| (*stage).to_owned()).collect()
    }
}
