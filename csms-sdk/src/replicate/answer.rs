//! What has come of a replication, region by region.

use std::sync::Arc;

use csms_sdk_macros::Model;

use crate::{
    csms::{Replica, ReplicaStatus},
    error::{Error, ErrorKind},
    time::Timestamp,
};

/// What has come of a replication.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Replicated {
    /// What was copied (`ARN`): `csms:REGION:ACCOUNT:secret:NAME:ID` for a secret, `kms:REGION:ACCOUNT:key:ID` for a
    /// key. Taken in place of the name or the id.
    pub arn: String,
    /// One for each region (`ReplicationStatus`), in the order in which they were named. For
    /// [`RemoveRegionsFromReplication`](super::RemoveRegionsFromReplication): what is left.
    pub replication_status: Vec<ReplicationStatus>,
}

/// How a copy stands in one region.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplicationStatus {
    /// The region (`Region`).
    pub region: String,
    /// Id of the copy, as far as it is known. Not in the other cloud's answer.
    pub replica_id: Option<String>,
    /// KMS key that protects it in its region (`KmsKeyId`). `None` where the service has not told yet which default key
    /// it took, and for copies of keys.
    pub kms_key_id: Option<String>,
    /// When it was last read there (`LastAccessedDate`); only for secrets, and only
    /// [if asked for](super::ReplicateSecretToRegions::last_accessed_dates).
    pub last_accessed_date: Option<Timestamp>,
    /// How far it has come (`Status`).
    pub status: StatusType,
    /// What there is to say (`StatusMessage`): the failure in one line, with the service's code and request id, and
    /// what to do.
    pub status_message: Option<String>,
    /// Why it has failed, or has not come as far as was waited for; [`Exception::of`](super::Exception::of) classifies
    /// it.
    pub error: Option<Arc<Error>>,
}

/// How far a copy has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum StatusType {
    /// It has been asked for, and does not yet have what the primary has.
    #[wire("InProgress")]
    InProgress,
    /// It has what the primary has.
    #[wire("InSync")]
    InSync,
    /// There is none, or it could not be brought up to date.
    #[wire("Failed")]
    Failed,
    /// A status of CSMS that is not known here yet.
    Other(String),
}

impl Replicated {
    /// The regions that have failed.
    pub fn failed(&self) -> impl Iterator<Item = &ReplicationStatus> {
        self.replication_status.iter().filter(|status| status.status == StatusType::Failed)
    }
}

impl ReplicationStatus {
    /// A copy that has been asked for.
    pub(super) fn begun(region: &str, replica_id: Option<String>, kms_key_id: Option<String>) -> Self {
        Self {
            region: region.to_owned(),
            replica_id,
            kms_key_id,
            last_accessed_date: None,
            status: StatusType::InProgress,
            status_message: None,
            error: None,
        }
    }

    /// A region without a copy, and why.
    pub(super) fn failed(region: &str, error: Error) -> Self {
        let mut status = Self::begun(region, None, None);
        status.fail(error);
        status
    }

    /// A replica as its primary lists it.
    pub(super) fn listed(region: &str, replica: &Replica) -> Self {
        let mut status = Self::begun(region, replica.id.clone(), replica.kms_key_id.clone());
        status.update(replica);
        status
    }

    /// Takes over how far a replica has come; says whether that has changed.
    pub(super) fn update(&mut self, replica: &Replica) -> bool {
        let seen = match &replica.status {
            Some(ReplicaStatus::InProgress) | None => StatusType::InProgress,
            Some(ReplicaStatus::InSync) => StatusType::InSync,
            Some(ReplicaStatus::Failed) => StatusType::Failed,
            Some(ReplicaStatus::Other(status)) => StatusType::Other(status.clone()),
        };
        let has_changed = seen != self.status;
        if has_changed && seen == StatusType::Failed {
            let message = format!("the replica in {} could not be brought up to date", self.region);
            self.fail(Error::new(ErrorKind::Conflict, message).with_help(
                "see whether its KMS key can be used there; to make it anew, remove the region and ask again",
            ));
        }
        self.status = seen;
        has_changed
    }

    pub(super) fn fail(&mut self, error: Error) {
        self.status = StatusType::Failed;
        self.because(Arc::new(error));
    }

    /// Says why it is no further.
    pub(super) fn because(&mut self, error: Arc<Error>) {
        self.status_message = Some(match error.help() {
            // Here the line has the advice in it.
            Some(help) if error.kind() != ErrorKind::Unauthenticated => format!("{error}; {help}"),
            _ => error.to_string(),
        });
        self.error = Some(error);
    }

    /// Whether waiting would change nothing.
    pub(super) fn is_final(&self) -> bool {
        matches!(self.status, StatusType::InSync | StatusType::Failed)
    }
}
