//! A secret, to several regions.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{
    Concurrency, Replicated, Replication, ReplicationStatus, Step, arn, check_regions, is_unclear,
    run::{Bounded, Events},
};
use crate::{
    Client,
    check::name_problem,
    csms::{
        CreateSecretReplica, DeleteSecret, ListSupportRegions, Replica, ReplicaType, Secret, SecretState, ShowSecret,
    },
    error::{Error, ErrorKind},
    kms::{KeySpec, KeyState, ListKeyDetail},
    wait::{Progress, Wait},
};

/// What the service says of a name that is taken.
const NAME_TAKEN: &str = "CSMS.0101";

/// Replicates a secret to several regions, under the same name.
///
/// See [the module](super) for what comes of it. A replica that could not be brought up to date
/// ([`Failed`](super::StatusType::Failed)) is left as it is too: making it anew would take it from those who still read
/// it. To do so, [remove](super::RemoveRegionsFromReplication) the region and ask again.
///
/// Needs the permissions `csms:secret:get` and `csms:secret:createReplica`, in the region of the client only.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `start`"]
#[non_exhaustive]
pub struct ReplicateSecretToRegions {
    /// The secret (`SecretId`): its name, or the [`arn`](Replicated::arn) of an earlier answer, which is refused when a
    /// secret of another id has the name now. The id alone will not do: CSMS finds secrets by name.
    pub secret_id: String,
    /// Where to (`AddReplicaRegions`): at least one region, each once, and not the secret's own.
    pub add_replica_regions: Vec<ReplicaRegion>,
    /// See the [setter](Self::force_overwrite_replica_secret).
    pub force_overwrite_replica_secret: bool,
    last_accessed_dates: bool,
    wait: Option<Wait>,
    concurrency: Concurrency,
}

/// A region for a replica of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplicaRegion {
    /// The region (`Region`), e.g. `cn-east-3`.
    pub region: String,
    /// Symmetric KMS key of that region which is to protect the replica (`KmsKeyId`); default `csms/default`. A replica
    /// that is there already keeps its own.
    pub kms_key_id: Option<String>,
}

impl ReplicaRegion {
    /// A region, with the default key.
    #[must_use]
    pub fn new(region: impl Into<String>) -> Self {
        Self { region: region.into(), kms_key_id: None }
    }

    /// Protects the replica by this key of that region.
    #[must_use]
    pub fn kms_key_id(mut self, kms_key_id: impl Into<String>) -> Self {
        self.kms_key_id = Some(kms_key_id.into());
        self
    }
}

impl From<&str> for ReplicaRegion {
    fn from(region: &str) -> Self {
        Self::new(region)
    }
}

impl From<String> for ReplicaRegion {
    fn from(region: String) -> Self {
        Self::new(region)
    }
}

impl ReplicateSecretToRegions {
    /// A secret, and where it is to be replicated to: names of regions, or [`ReplicaRegion`]s.
    pub fn new(
        secret_id: impl Into<String>,
        add_replica_regions: impl IntoIterator<Item = impl Into<ReplicaRegion>>,
    ) -> Self {
        Self {
            secret_id: secret_id.into(),
            add_replica_regions: add_replica_regions.into_iter().map(Into::into).collect(),
            force_overwrite_replica_secret: false,
            last_accessed_dates: false,
            wait: None,
            concurrency: Concurrency::default(),
        }
    }

    /// Whether a secret that has the name in a target region is **deleted, with all its versions and at once**, to make
    /// room (`ForceOverwriteReplicaSecret`); default false, where that region fails.
    ///
    /// **Nothing brings it back** but a backup ([`DownloadSecretBlob`](crate::csms::DownloadSecretBlob)). So it is
    /// deleted only when the service has refused the replica for its name, and then only when the secret to replicate
    /// is enabled, the region takes replicas, the key named for it is enabled and symmetric, and what has the name is
    /// neither a replica, nor has replicas, nor waits for its deletion. Should the replica still not be made, the
    /// status says that the old secret is gone.
    ///
    /// Needs `csms:secret:get` and `csms:secret:delete` in the target region, and `kms:cmk:get` where a key is named.
    pub fn force_overwrite_replica_secret(mut self, force: bool) -> Self {
        self.force_overwrite_replica_secret = force;
        self
    }

    /// Whether replicas that are there already are answered with the time when they were last read; default false.
    ///
    /// Costs a call for each of them, and needs `csms:secret:get` in its region. Where that fails, there is no time.
    pub fn last_accessed_dates(mut self, asked_for: bool) -> Self {
        self.last_accessed_dates = asked_for;
        self
    }

    /// Waits until all replicas are in sync, or have failed. One look serves all regions. Default: does not wait.
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
        check_regions(
            "add_replica_regions",
            self.add_replica_regions.iter().map(|target| target.region.as_str()),
            here.client.region(),
        )?;
        for (index, target) in self.add_replica_regions.iter().enumerate() {
            if target.kms_key_id.as_deref() == Some("") {
                let field = format!("add_replica_regions.{index}.kms_key_id");
                return Err(Error::invalid(field, "is empty: leave it out for the default key"));
            }
        }
        let source = Source::new(here, &self.secret_id)?;
        let primary = source.read().await?;
        check_primary(&source.name, &primary)?;
        let arn = source.arn(&primary);
        let work = Work { request: &self, source, primary, events };
        let mut statuses = join_all(self.add_replica_regions.iter().map(|target| work.region(target))).await;
        if let Some(wait) = self.wait {
            work.follow(wait, &mut statuses).await;
        }
        Ok(Replicated { arn, replication_status: statuses })
    }
}

/// The secret that is replicated, as its region knows it.
pub(super) struct Source {
    pub(super) here: Bounded,
    pub(super) name: String,
    /// As far as it was given.
    id: Option<String>,
}

impl Source {
    /// From a name, or what [`arn`](Self::arn) wrote.
    pub(super) fn new(here: Bounded, secret_id: &str) -> Result<Self, Error> {
        let resource = arn::read(secret_id, "csms", "secret", here.client.region(), "secret_id")?;
        let (name, id) = match resource.and_then(|resource| resource.split_once(':')) {
            Some((name, id)) => (name, Some(id)),
            None => (secret_id, None),
        };
        if let Some(problem) = name_problem(name) {
            return Err(Error::invalid("secret_id", problem));
        }
        let (name, id) = (name.to_owned(), id.filter(|id| !id.is_empty()).map(str::to_owned));
        Ok(Self { here, name, id })
    }

    pub(super) fn arn(&self, secret: &Secret) -> String {
        let resource = format!("{}:{}", self.name, secret.id.as_deref().unwrap_or_default());
        arn::write("csms", self.here.client.region(), secret.domain_id.as_deref(), "secret", &resource)
    }

    /// The secret as it is now.
    pub(super) async fn read(&self) -> Result<Secret, Error> {
        let secret = ShowSecret::new(&self.name).send(&self.here).await?.into_body().secret.unwrap_or_default();
        match (&self.id, &secret.id) {
            (Some(asked), Some(found)) if asked != found => {
                let message = format!("the secret `{}` of id {asked} is gone: another one has its name", self.name);
                Err(Error::new(ErrorKind::NotFound, message).with_help("name the secret if the new one is meant"))
            }
            _ => Ok(secret),
        }
    }
}

/// Refuses what is a replica itself.
pub(super) fn check_leads(name: &str, secret: &Secret) -> Result<(), Error> {
    match secret.replica_type {
        Some(ReplicaType::Replica) => {
            let message = format!("the secret `{name}` is a replica here");
            Err(Error::new(ErrorKind::Conflict, message).with_help("call the region of its primary"))
        }
        _ => Ok(()),
    }
}

/// Refuses what cannot be replicated.
fn check_primary(name: &str, secret: &Secret) -> Result<(), Error> {
    check_leads(name, secret)?;
    match &secret.state {
        Some(SecretState::Enabled) => Ok(()),
        state => {
            let message = format!("the secret `{name}` is {}, and has to be ENABLED to be replicated", text(state));
            Err(Error::new(ErrorKind::Conflict, message)
                .with_help("if its deletion is pending, RestoreSecret cancels that")
                .with_last_state(state.as_ref().map(ToString::to_string)))
        }
    }
}

fn text(state: &Option<SecretState>) -> &str {
    state.as_ref().map_or("in an unknown state", SecretState::as_str)
}

/// The replica that a secret has in a region.
pub(super) fn listed<'a>(secret: &'a Secret, region: &str) -> Option<&'a Replica> {
    secret.replicas.iter().find(|replica| replica.region.as_deref() == Some(region))
}

/// What the regions of one replication have in common.
struct Work<'a> {
    request: &'a ReplicateSecretToRegions,
    source: Source,
    /// The secret as it was found.
    primary: Secret,
    events: Events,
}

impl Work<'_> {
    /// Everything for one region, but waiting.
    async fn region(&self, target: &ReplicaRegion) -> ReplicationStatus {
        self.events.tell(&target.region, Step::Started);
        let outcome = match listed(&self.primary, &target.region) {
            Some(replica) => Ok(self.found(replica, target).await),
            None => self.create(target).await,
        };
        let status = outcome.unwrap_or_else(|error| ReplicationStatus::failed(&target.region, error));
        if status.is_final() || self.request.wait.is_none() {
            self.events.tell(&target.region, Step::Ended(status.clone()));
        }
        status
    }

    /// A replica that is there, whoever has made it.
    async fn found(&self, replica: &Replica, target: &ReplicaRegion) -> ReplicationStatus {
        let mut status = ReplicationStatus::listed(&target.region, replica);
        if self.request.last_accessed_dates
            && let Ok(there) = self.source.here.elsewhere(&target.region, None)
            && let Ok(answer) = ShowSecret::new(&self.source.name).send(&there).await
        {
            status.last_accessed_date = answer.into_body().secret.and_then(|secret| secret.last_used_time);
        }
        self.events.tell(&target.region, Step::Seen(status.status.clone()));
        status
    }

    async fn create(&self, target: &ReplicaRegion) -> Result<ReplicationStatus, Error> {
        match self.ask(target).await {
            Err(error) if error.code() != Some(NAME_TAKEN) => Err(error),
            Err(error) if !self.request.force_overwrite_replica_secret => Err(error.with_help(
                "a secret of this name that is no replica is there: delete it, or force it to be overwritten",
            )),
            Err(_) => self.overwrite(target).await,
            created => created,
        }
    }

    /// Asks for the replica. Where that may have been done all the same, or by somebody else, the primary knows.
    async fn ask(&self, target: &ReplicaRegion) -> Result<ReplicationStatus, Error> {
        let mut request = CreateSecretReplica::new(&self.source.name, &target.region);
        request.kms_key_id.clone_from(&target.kms_key_id);
        let error = match request.send(&self.source.here).await {
            Ok(answer) => {
                self.events.tell(&target.region, Step::Created);
                let replica_id = answer.into_body().replica_id;
                return Ok(ReplicationStatus::begun(&target.region, replica_id, target.kms_key_id.clone()));
            }
            Err(error) => error,
        };
        let is_unclear = is_unclear(&error);
        if (is_unclear || error.kind() == ErrorKind::Conflict)
            && let Ok(primary) = self.source.read().await
            && let Some(replica) = listed(&primary, &target.region)
        {
            return Ok(self.found(replica, target).await);
        }
        Err(match is_unclear {
            true => error.with_help("whether the replica was made is not known: asking again is harmless"),
            false => error,
        })
    }

    /// Removes the secret that has the name there, and asks again.
    async fn overwrite(&self, target: &ReplicaRegion) -> Result<ReplicationStatus, Error> {
        let there = self.source.here.elsewhere(&target.region, None)?;
        if !self.check_overwrite(&there, target).await? {
            return self.ask(target).await;
        }
        match DeleteSecret::new(&self.source.name).send(&there).await {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if is_unclear(&error) => {
                return Err(error.with_help("whether the secret that had the name there is gone is not known"));
            }
            Err(error) => return Err(error.with_help("the secret that has the name there was not deleted")),
        }
        self.events.tell(&target.region, Step::Removed);
        let gone =
            "the secret that had the name there HAS BEEN DELETED, and no replica is known to be there: ask again";
        self.ask(target).await.map_err(|error| error.with_help(gone))
    }

    /// Whether there is something to delete, and everything else is right. Whatever is in doubt is refused.
    async fn check_overwrite(&self, there: &Bounded, target: &ReplicaRegion) -> Result<bool, Error> {
        let (name, region) = (&self.source.name, &target.region);
        let refuse = |message: String, help: &str| Err(Error::new(ErrorKind::Conflict, message).with_help(help));
        let primary = self.source.read().await?;
        check_primary(name, &primary)?;
        let offered = ListSupportRegions::new().send(&self.source.here).await?;
        if !offered.regions.contains(region) {
            return refuse(format!("{region} takes no replicas of secrets"), "ListSupportRegions names those that do");
        }
        if let Some(kms_key_id) = &target.kms_key_id {
            let key = ListKeyDetail::new(kms_key_id).send(there).await?.into_body().key_info.unwrap_or_default();
            let is_symmetric = matches!(key.key_spec, Some(KeySpec::Aes256 | KeySpec::Sm4));
            if key.key_state != Some(KeyState::Enabled) || !is_symmetric {
                let message = format!("the key {kms_key_id} in {region} is not enabled or not symmetric");
                return refuse(message, "name another key, or none for the default one");
            }
        }
        let existing = match ShowSecret::new(name).send(there).await {
            Ok(answer) => answer.into_body().secret.unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let what = format!("the secret `{name}` in {region}");
        // Whatever an endpoint is set to: the secret that is to be replicated is never the one that goes.
        if existing.id.is_none() || existing.id == primary.id {
            return refuse(format!("{what} is not told from its primary"), "check the endpoints of both regions");
        }
        match (&existing.state, &existing.replica_type) {
            (Some(SecretState::PendingDelete), _) => {
                refuse(format!("{what} waits for its deletion"), "restore it and ask again, or wait until it is gone")
            }
            (Some(SecretState::Enabled | SecretState::Disabled), None | Some(ReplicaType::Standalone))
                if existing.replicas.is_empty() =>
            {
                Ok(true)
            }
            (Some(SecretState::Enabled | SecretState::Disabled), Some(part)) => {
                refuse(format!("{what} is a {part} of another replication"), "end that replication before")
            }
            (state, _) => {
                refuse(format!("{what} is {}, so it is not overwritten", text(state)), "see what has become of it")
            }
        }
    }

    /// Waits until all are in sync or have failed. What comes too late stays as it was seen last.
    async fn follow(&self, wait: Wait, statuses: &mut [ReplicationStatus]) {
        let mut open: Vec<_> = statuses.iter_mut().filter(|status| !status.is_final()).collect();
        if open.is_empty() {
            return;
        }
        let judge = |secret: &Secret| {
            for status in open.iter_mut().filter(|status| !status.is_final()) {
                let Some(replica) = listed(secret, &status.region) else { continue };
                if status.update(replica) {
                    self.events.tell(&status.region, Step::Seen(status.status.clone()));
                }
                if status.is_final() {
                    self.events.tell(&status.region, Step::Ended(status.clone()));
                }
            }
            let late: Vec<_> = open.iter().filter(|status| !status.is_final()).map(|it| it.region.as_str()).collect();
            match late.is_empty() {
                true => Progress::Done,
                false => Progress::Pending(format!("behind in {}", late.join(", "))),
            }
        };
        let what = format!("the replicas of secret `{}` to be in sync", self.source.name);
        let Err(error) = wait.until(what, || self.source.read(), judge).await else { return };
        let error = Arc::new(error);
        for status in open.into_iter().filter(|status| !status.is_final()) {
            status.because(Arc::clone(&error));
            self.events.tell(&status.region, Step::Ended(status.clone()));
        }
    }
}
