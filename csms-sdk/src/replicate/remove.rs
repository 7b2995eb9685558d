//! Replicas of a secret, taken away from several regions.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{
    Concurrency, Replicated, Replication, ReplicationStatus, Step, check_regions,
    run::{Bounded, Events},
    secret::{Source, check_leads, listed},
};
use crate::{
    Client,
    csms::{DeleteSecretReplica, Secret},
    error::{Error, ErrorKind},
    wait::{Progress, Wait},
};

/// Deletes the replicas of a secret in several regions. With its last replica gone, the secret is `STANDALONE` again.
///
/// The answer lists the replicas that the secret still has: those of other regions as they stand, and those that could
/// not be deleted as [`Failed`](super::StatusType::Failed), with the reason. A region without a replica is as it was to
/// be.
///
/// Needs the permissions `csms:secret:get` and `csms:secret:deleteReplica`, in the region of the client only.
///
/// ```no_run
/// # async fn example(client: csms_sdk::Client) -> Result<(), csms_sdk::Error> {
/// use csms_sdk::replicate::RemoveRegionsFromReplication;
///
/// let left = RemoveRegionsFromReplication::new("db-password", ["cn-east-3"]).send(&client).await?;
/// assert_eq!(left.failed().count(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `start`"]
#[non_exhaustive]
pub struct RemoveRegionsFromReplication {
    /// The secret (`SecretId`), as in [`ReplicateSecretToRegions`](super::ReplicateSecretToRegions::secret_id).
    pub secret_id: String,
    /// The regions (`RemoveReplicaRegions`): at least one, each once, and not the secret's own.
    pub remove_replica_regions: Vec<String>,
    wait: Option<Wait>,
    concurrency: Concurrency,
}

impl RemoveRegionsFromReplication {
    /// A secret, and the regions that are to have no replica of it.
    pub fn new(
        secret_id: impl Into<String>,
        remove_replica_regions: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            secret_id: secret_id.into(),
            remove_replica_regions: remove_replica_regions.into_iter().map(Into::into).collect(),
            wait: None,
            concurrency: Concurrency::default(),
        }
    }

    /// Waits until the secret no longer lists the replicas. Default: does not wait.
    pub fn wait(mut self, wait: Wait) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Most calls under way at once; default 8.
    pub fn concurrency(mut self, most: impl Into<Concurrency>) -> Self {
        self.concurrency = most.into();
        self
    }

    /// Carries it out.
    ///
    /// # Errors
    /// See [the module](super#what-comes-of-it): what fails in a region is in the answer.
    pub async fn send(self, client: &Client) -> Result<Replicated, Error> {
        self.start(client).finish().await
    }

    /// Carries it out step by step.
    pub fn start(self, client: &Client) -> Replication {
        let here = Bounded::new(client, &self.concurrency);
        Replication::new(|events| self.carry_out(here, events))
    }

    async fn carry_out(self, here: Bounded, events: Events) -> Result<Replicated, Error> {
        let regions = || self.remove_replica_regions.iter().map(String::as_str);
        check_regions("remove_replica_regions", regions(), here.client.region())?;
        let source = Source::new(here, &self.secret_id)?;
        let secret = source.read().await?;
        check_leads(&source.name, &secret)?;
        let work = Work { source, secret, events };
        let mut left = join_all(regions().map(|region| work.region(region, self.wait.is_some()))).await;
        if let Some(wait) = self.wait {
            work.follow(wait, &mut left).await;
        }
        let others = work.secret.replicas.iter().filter_map(|replica| {
            let region = replica.region.as_deref().filter(|region| !regions().any(|named| named == *region))?;
            Some(ReplicationStatus::listed(region, replica))
        });
        let replication_status = left.into_iter().flatten().chain(others).collect();
        Ok(Replicated { arn: work.source.arn(&work.secret), replication_status })
    }
}

/// What the regions of one removal have in common.
struct Work {
    source: Source,
    /// The secret as it was found.
    secret: Secret,
    events: Events,
}

impl Work {
    /// Everything for one region, but waiting; answers what is left there.
    async fn region(&self, region: &str, is_awaited: bool) -> Option<ReplicationStatus> {
        self.events.tell(region, Step::Started);
        let Some(replica) = listed(&self.secret, region) else {
            self.events.tell(region, Step::Absent);
            return None;
        };
        let mut status = ReplicationStatus::begun(region, replica.id.clone(), replica.kms_key_id.clone());
        match DeleteSecretReplica::new(&self.source.name, region).send(&self.source.here).await {
            Ok(_) => self.events.tell(region, Step::Removed),
            // Somebody else was faster.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                status.fail(error);
                self.events.tell(region, Step::Ended(status.clone()));
                return Some(status);
            }
        }
        if !is_awaited {
            self.events.tell(region, Step::Absent);
            return None;
        }
        Some(status)
    }

    /// Waits until what was deleted is listed no more.
    async fn follow(&self, wait: Wait, left: &mut [Option<ReplicationStatus>]) {
        let mut open: Vec<_> =
            left.iter_mut().filter(|left| left.as_ref().is_some_and(|status| !status.is_final())).collect();
        if open.is_empty() {
            return;
        }
        let judge = |secret: &Secret| {
            for left in &mut open {
                if let Some(status) = left.take_if(|status| listed(secret, &status.region).is_none()) {
                    self.events.tell(&status.region, Step::Absent);
                }
            }
            let late: Vec<_> = open.iter().filter_map(|left| Some(left.as_ref()?.region.as_str())).collect();
            match late.is_empty() {
                true => Progress::Done,
                false => Progress::Pending(format!("still in {}", late.join(", "))),
            }
        };
        let what = format!("the replicas of secret `{}` to be deleted", self.source.name);
        let Err(error) = wait.until(what, || self.source.read(), judge).await else { return };
        let error = Arc::new(error);
        for status in open.into_iter().flatten() {
            status.because(Arc::clone(&error));
            self.events.tell(&status.region, Step::Ended(status.clone()));
        }
    }
}
