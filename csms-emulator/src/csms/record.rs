//! A secret as it is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{
    clock::{DAY, Millis},
    secret::Text,
    tags::Tags,
};

/// The stage of the version that is in use.
pub(crate) const CURRENT: &str = "SYSCURRENT";
/// The stage of the version that was in use before.
pub(crate) const PREVIOUS: &str = "SYSPREVIOUS";

/// Most versions of a secret.
const MOST_VERSIONS: usize = 20;
/// Most stages of a secret.
pub(crate) const MOST_STAGES: usize = 12;

/// A secret with all its versions. Has no `Debug`: it holds the values.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Secret {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) state: State,
    /// For new versions; each version has its own.
    pub(crate) kms_key_id: String,
    pub(crate) description: String,
    pub(crate) secret_type: String,
    pub(crate) auto_rotation: bool,
    pub(crate) rotation_period: Option<String>,
    /// As it was sent; never taken apart for an answer.
    pub(crate) rotation_config: Option<String>,
    pub(crate) rotation_func_urn: Option<String>,
    pub(crate) event_subscriptions: Vec<String>,
    pub(crate) enterprise_project_id: String,
    pub(crate) create_time: Millis,
    pub(crate) update_time: Millis,
    pub(crate) scheduled_delete_time: Option<Millis>,
    pub(crate) rotation_time: Option<Millis>,
    pub(crate) next_rotation_time: Option<Millis>,
    /// Oldest first.
    pub(crate) versions: Vec<Version>,
    /// The number of the newest version there has ever been: numbers are not used twice.
    pub(crate) last_version: u32,
    /// Which version each stage marks: exactly one.
    pub(crate) stages: BTreeMap<String, Stage>,
    pub(crate) tags: Tags,
    pub(crate) replication: Replication,
    /// The rotation that is under way.
    pub(crate) rotation: Option<Rotation>,
}

/// A rotation that is under way.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub(crate) task_id: String,
    pub(crate) done_at: Millis,
}

/// A secret's part in replication.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Replication {
    Standalone,
    /// With its replicas, by region.
    Primary(BTreeMap<String, Replica>),
    /// Follows the secret of the same name in that region.
    Replica {
        primary_region: String,
    },
}

/// What a primary knows of one of its replicas.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Replica {
    pub(crate) id: String,
    pub(crate) project_id: String,
    pub(crate) kms_key_id: String,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
    pub(crate) status: Status,
}

/// How far a replica has followed.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    /// It will have caught up at this time.
    InProgress(Millis),
    InSync,
    /// It could not be protected by its key. Tried again with the next change.
    Failed,
}

/// What can be done with a secret.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    #[serde(rename = "ENABLED")]
    Enabled,
    #[serde(rename = "PENDING_DELETE")]
    PendingDelete,
}

/// One value of a secret.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    /// 1 for `v1`.
    pub(crate) number: u32,
    pub(crate) value: Value,
    pub(crate) kms_key_id: String,
    pub(crate) create_time: Millis,
    /// In whole seconds, as the service keeps it.
    pub(crate) expire_time: Option<Millis>,
    /// Whether its subscribers were told that it has expired, which they are once.
    pub(crate) expiry_told: bool,
}

/// A value as it was sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Value {
    String(Text),
    /// In Base64.
    Binary(Text),
}

/// A mark on a version.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stage {
    pub(crate) version: u32,
    pub(crate) update_time: Millis,
}

impl State {
    /// As the service spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::PendingDelete => "PENDING_DELETE",
        }
    }
}

impl Secret {
    /// The version of this id: `v3`, or `latest`, which is the one staged SYSCURRENT.
    pub(crate) fn version(&self, id: &str) -> Option<&Version> {
        match id {
            "latest" => self.current(),
            id => self.versions.iter().find(|version| version.id() == id),
        }
    }

    /// The version in use.
    pub(crate) fn current(&self) -> Option<&Version> {
        let number = self.stages.get(CURRENT)?.version;
        self.versions.iter().find(|version| version.number == number)
    }

    /// Adds a value as the next version, puts these stages on it and returns its number.
    ///
    /// Of too many versions the oldest without a stage goes; there always is one, since there are fewer stages than
    /// versions.
    pub(crate) fn add_version(
        &mut self,
        value: Value,
        stages: &BTreeSet<&str>,
        expire_time: Option<Millis>,
        now: Millis,
    ) -> u32 {
        self.last_version += 1;
        let number = self.last_version;
        let newest = self.versions.last().map(|version| version.create_time);
        self.versions.push(Version {
            number,
            value,
            kms_key_id: self.kms_key_id.clone(),
            // Clients tell versions apart by it.
            create_time: newest.map_or(now, |newest| now.max(newest + 1)),
            expire_time,
            expiry_told: false,
        });
        // SYSCURRENT comes before SYSPREVIOUS, so that what was asked for wins over what follows.
        for stage in stages {
            self.mark(stage, number, now);
        }
        if self.versions.len() > MOST_VERSIONS
            && let Some(oldest) = self.versions.iter().position(|it| self.stages_of(it.number).is_empty())
        {
            self.versions.remove(oldest);
        }
        number
    }

    /// Puts a stage on a version and takes it from the one it marks.
    ///
    /// SYSPREVIOUS follows SYSCURRENT to the version that was in use until now, however SYSCURRENT moves. Where only its
    /// own call moves a stage, going back to an older version would leave the newer one without any, to be dropped.
    pub(crate) fn mark(&mut self, stage: &str, number: u32, now: Millis) {
        let before = self.stages.get(stage).map(|stage| stage.version);
        if before == Some(number) {
            return;
        }
        self.stages.insert(stage.to_owned(), Stage { version: number, update_time: now });
        if let (CURRENT, Some(before)) = (stage, before) {
            self.mark(PREVIOUS, before, now);
        }
    }

    /// The time between two rotations; `None` unless it rotates by itself.
    pub(crate) fn rotation_interval(&self) -> Option<Millis> {
        let period = self.rotation_period.as_deref().filter(|_| self.auto_rotation)?;
        let unit = match period.as_bytes().last()? {
            b'd' => DAY,
            b'h' => 3_600_000,
            b'm' => 60_000,
            b's' => 1_000,
            _ => return None,
        };
        period[..period.len() - 1].parse::<Millis>().ok()?.checked_mul(unit)
    }

    /// The instance whose account it holds.
    pub(crate) fn instance_id(&self) -> Option<String> {
        let config = self.rotation_config.as_deref()?;
        // Single quotes stand where the service prints it, and some send it as they have read it.
        let config: Json =
            serde_json::from_str(config).or_else(|_| serde_json::from_str(&config.replace('\'', "\""))).ok()?;
        let id =
            ["InstanceId", "RDSInstanceId", "rds_instance_id"].into_iter().find_map(|name| config[name].as_str())?;
        Some(id.to_owned())
    }

    /// The stages that mark a version.
    pub(crate) fn stages_of(&self, number: u32) -> Vec<&str> {
        let marks = self.stages.iter().filter(|(_, stage)| stage.version == number);
        marks.map(|(name, _)| name.as_str()).collect()
    }

    /// When something will next happen to it by itself.
    pub(crate) fn due(&self) -> Option<Millis> {
        let deletion = self.scheduled_delete_time;
        let expiry = self.versions.iter().filter(|version| !version.expiry_told).filter_map(|it| it.expire_time).min();
        let syncs = self.replicas().filter_map(|(_, replica)| match replica.status {
            Status::InProgress(until) => Some(until),
            Status::InSync | Status::Failed => None,
        });
        [deletion, expiry, self.rotation_due(), syncs.min()].into_iter().flatten().min()
    }

    /// When the rotation that is under way ends, or else when the next one begins by itself.
    pub(crate) fn rotation_due(&self) -> Option<Millis> {
        match &self.rotation {
            Some(rotation) => Some(rotation.done_at),
            None if self.state == State::Enabled && !self.is_replica() => self.next_rotation_time,
            None => None,
        }
    }

    /// Its replicas by region.
    pub(crate) fn replicas(&self) -> impl Iterator<Item = (&String, &Replica)> {
        let replicas = match &self.replication {
            Replication::Primary(replicas) => Some(replicas),
            Replication::Standalone | Replication::Replica { .. } => None,
        };
        replicas.into_iter().flatten()
    }

    /// Whether it follows another.
    pub(crate) fn is_replica(&self) -> bool {
        matches!(self.replication, Replication::Replica { .. })
    }
}

impl Version {
    /// `v1`.
    pub(crate) fn id(&self) -> String {
        format!("v{}", self.number)
    }
}
