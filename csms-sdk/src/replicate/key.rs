//! A key, to several regions.

use futures_util::future::join_all;

use super::{
    Concurrency, Replicated, Replication, ReplicationStatus, StatusType, Step, arn, check_regions, is_unclear,
    run::{Bounded, Events},
};
use crate::{
    Client, SecretString,
    error::{Error, ErrorKind},
    kms::{
        DecryptData, EncryptData, KeyDetails, KeySpec, KeyState, ListKeyDetail, ListKeys, ReplicateKey, ShowKmsTags,
        ShowPublicKey, TagItem,
    },
    page::Items,
    wait::Wait,
};

/// What the service says of an alias that is taken.
const ALIAS_TAKEN: &str = "KMS.1104";

/// Replicates a multi-region key to several regions, with its alias, description, tags and enterprise project.
///
/// Project ids are looked up, unless they are given. [`replica_id`](ReplicationStatus::replica_id) is the id of the
/// copy.
///
/// KMS does not tell where a key has copies. So a region whose alias is taken is asked for the key of that alias, and
/// that is taken for the copy only if it is proved: the public keys are the same, or what one encrypts the other
/// decrypts. HMAC keys are not proved. What is not proved has [failed](StatusType::Failed), and is not touched; proving
/// costs two calls. A copy that is not yet enabled is [`InProgress`](StatusType::InProgress) without proof.
///
/// Needs the permissions `kms:cmk:get`, `kms:cmk:getTags` and `kms:cmk:replicate`; where the alias is taken also
/// `kms:cmk:list` in that region, and `kms:cmk:getPublicKey` in both, or `kms:cmk:encryptData` here and
/// `kms:cmk:decryptData` there; for waiting `kms:cmk:get` there. A copy costs as much as its primary.
///
/// ```no_run
/// # async fn example(client: csms_sdk::Client) -> Result<(), csms_sdk::Error> {
/// use csms_sdk::{replicate::ReplicateKeyToRegions, wait::Wait};
///
/// let key = "0d0466b0-e727-4d9c-b35d-f84bb474a37f";
/// let answer = ReplicateKeyToRegions::new(key, ["cn-east-3"]).wait(Wait::new()).send(&client).await?;
/// for copy in &answer.replication_status {
///     println!("{}: {:?} {}", copy.region, copy.replica_id, copy.status);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `start`"]
#[non_exhaustive]
pub struct ReplicateKeyToRegions {
    /// The key: its id (UUID), or the [`arn`](Replicated::arn) of an earlier answer.
    pub key_id: String,
    /// Where to: at least one region, each once, and not the key's own.
    pub add_replica_regions: Vec<ReplicaKeyRegion>,
    wait: Option<Wait>,
    concurrency: Concurrency,
}

/// A region for a copy of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplicaKeyRegion {
    /// The region, e.g. `cn-east-3`.
    pub region: String,
    /// Alias of the copy, 1 to 255 characters; default that of the key.
    pub alias: Option<String>,
    /// Project of the copy, in that region; default the one that [`Client::project_id`] finds.
    pub project_id: Option<String>,
}

impl ReplicaKeyRegion {
    /// A region, with the key's alias and the project that is found.
    #[must_use]
    pub fn new(region: impl Into<String>) -> Self {
        Self { region: region.into(), alias: None, project_id: None }
    }

    /// Gives the copy this alias.
    #[must_use]
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        self.alias = Some(alias.into());
        self
    }

    /// Makes the copy in this project of that region.
    #[must_use]
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }
}

impl From<&str> for ReplicaKeyRegion {
    fn from(region: &str) -> Self {
        Self::new(region)
    }
}

impl From<String> for ReplicaKeyRegion {
    fn from(region: String) -> Self {
        Self::new(region)
    }
}

impl ReplicateKeyToRegions {
    /// A key, and where it is to be copied to: names of regions, or [`ReplicaKeyRegion`]s.
    pub fn new(
        key_id: impl Into<String>,
        add_replica_regions: impl IntoIterator<Item = impl Into<ReplicaKeyRegion>>,
    ) -> Self {
        Self {
            key_id: key_id.into(),
            add_replica_regions: add_replica_regions.into_iter().map(Into::into).collect(),
            wait: None,
            concurrency: Concurrency::default(),
        }
    }

    /// Waits until all copies can be used. Default: does not wait.
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
        let own = here.client.region();
        check_regions("add_replica_regions", self.add_replica_regions.iter().map(|it| it.region.as_str()), own)?;
        for (index, target) in self.add_replica_regions.iter().enumerate() {
            for (name, value) in [("alias", &target.alias), ("project_id", &target.project_id)] {
                if value.as_deref() == Some("") {
                    let field = format!("add_replica_regions.{index}.{name}");
                    return Err(Error::invalid(field, "is empty: leave it out for the default"));
                }
            }
        }
        let key_id = arn::read(&self.key_id, "kms", "key", own, "key_id")?.unwrap_or(&self.key_id);
        if key_id.is_empty() {
            return Err(Error::invalid("key_id", "is empty"));
        }
        let key = ListKeyDetail::new(key_id).send(&here).await?.into_body().key_info.unwrap_or_default();
        check_primary(key_id, &key)?;
        let tags = ShowKmsTags::new(key_id).send(&here).await?.into_body().tags;
        let arn = arn::write("kms", own, key.domain_id.as_deref(), "key", key_id);
        let work = Work { key_id, key, tags, here: &here, wait: self.wait, events };
        let statuses = join_all(self.add_replica_regions.iter().map(|target| work.region(target))).await;
        Ok(Replicated { arn, replication_status: statuses })
    }
}

/// Refuses what cannot be replicated.
fn check_primary(key_id: &str, key: &KeyDetails) -> Result<(), Error> {
    let refuse = |problem: &str, help: &str| {
        let message = format!("the key {key_id} {problem}");
        Err(Error::new(ErrorKind::Conflict, message).with_help(help))
    };
    if key.default_key_flag == Some(true) {
        return refuse("is the default key of a service", "create a key of your own");
    }
    match &key.key_state {
        Some(KeyState::Enabled) => Ok(()),
        _ => refuse("is not enabled", "EnableKey enables it; cancel its deletion before, if that is pending"),
    }
}

/// What the regions of one replication have in common.
struct Work<'a> {
    key_id: &'a str,
    key: KeyDetails,
    tags: Vec<TagItem>,
    here: &'a Bounded,
    wait: Option<Wait>,
    events: Events,
}

impl Work<'_> {
    /// Everything for one region.
    async fn region(&self, target: &ReplicaKeyRegion) -> ReplicationStatus {
        self.events.tell(&target.region, Step::Started);
        let outcome = self.copy(target).await;
        let status = outcome.unwrap_or_else(|error| ReplicationStatus::failed(&target.region, error));
        self.events.tell(&target.region, Step::Ended(status.clone()));
        status
    }

    async fn copy(&self, target: &ReplicaKeyRegion) -> Result<ReplicationStatus, Error> {
        let there = self.here.elsewhere(&target.region, target.project_id.as_deref())?;
        let project_id = there.in_turn(there.client.project_id()).await?;
        let alias = target.alias.as_deref().or(self.key.key_alias.as_deref()).unwrap_or_default();
        let mut request = ReplicateKey::new(self.key_id, &target.region, alias, project_id);
        request.key_description = self.key.key_description.clone().filter(|text| !text.is_empty());
        request.tags = Some(self.tags.clone()).filter(|tags| !tags.is_empty());
        // `0` is the default, and naming it may need a right that the default does not.
        request.enterprise_project_id = self.key.sys_enterprise_project_id.clone().filter(|id| id != "0");

        let error = match request.send(self.here).await {
            Ok(answer) => {
                self.events.tell(&target.region, Step::Created);
                let mut status = ReplicationStatus::begun(&target.region, answer.into_body().key_id, None);
                self.follow(&there, &mut status).await;
                self.see(&status);
                return Ok(status);
            }
            Err(error) => error,
        };
        let is_taken = error.code() == Some(ALIAS_TAKEN);
        if !is_taken && !is_unclear(&error) {
            return Err(error);
        }
        match find(&there, alias).await {
            Ok(Some(found)) => self.found(&there, target, found).await,
            _ if is_taken => Err(error.with_help("the key that has the alias could not be looked at")),
            _ => Err(error.with_help("whether the copy was made is not known: asking again is harmless")),
        }
    }

    /// A key that has the alias, whoever has made it.
    async fn found(
        &self,
        there: &Bounded,
        target: &ReplicaKeyRegion,
        key: KeyDetails,
    ) -> Result<ReplicationStatus, Error> {
        let mut status = ReplicationStatus::begun(&target.region, key.key_id.clone(), None);
        match &key.key_state {
            Some(KeyState::Enabled) => status.status = StatusType::InSync,
            Some(KeyState::PendingActivation) => self.follow(there, &mut status).await,
            _ => {
                let message = format!("the key of this alias in {} is not enabled", target.region);
                let help = "enable it or cancel its deletion, or choose another alias";
                return Err(Error::new(ErrorKind::Conflict, message).with_help(help));
            }
        }
        if status.status == StatusType::InSync {
            let key_id = key.key_id.as_deref().unwrap_or_default();
            self.prove(there, &target.region, key_id).await?;
        }
        self.see(&status);
        Ok(status)
    }

    fn see(&self, status: &ReplicationStatus) {
        if status.status == StatusType::InSync {
            self.events.tell(&status.region, Step::Seen(StatusType::InSync));
        }
    }

    /// Waits until a copy can be used, if that is asked for. One that comes too late stays as it is.
    async fn follow(&self, there: &Bounded, status: &mut ReplicationStatus) {
        let Some((wait, key_id)) = self.wait.zip(status.replica_id.as_deref()) else { return };
        match wait.key_replica(there, key_id).await {
            Ok(_) => status.status = StatusType::InSync,
            Err(error) if error.kind() == ErrorKind::Conflict => status.fail(error),
            Err(error) => status.because(error.into()),
        }
    }

    /// Refuses a key unless it has the material of the one that is replicated.
    async fn prove(&self, there: &Bounded, region: &str, key_id: &str) -> Result<(), Error> {
        use KeySpec::{Aes256, EcP256, EcP384, Ed25519, Rsa2048, Rsa3072, Rsa4096, Secp256k1, Sm2, Sm4};

        let is_copy = match self.key.key_spec {
            Some(Aes256 | Sm4) => self.decrypts(there, key_id).await,
            Some(Rsa2048 | Rsa3072 | Rsa4096 | EcP256 | EcP384 | Secp256k1 | Sm2 | Ed25519) => {
                self.has_public_key(there, key_id).await
            }
            _ => Ok(false),
        };
        match is_copy {
            Ok(true) => Ok(()),
            Ok(false) => {
                let message =
                    format!("the alias is taken in {region} by the key {key_id}, which is not known to be a copy");
                Err(Error::new(ErrorKind::Conflict, message).with_help("choose another alias for the copy"))
            }
            Err(error) => {
                Err(error.with_help("it was to prove that the key of this alias is a copy: choose another alias"))
            }
        }
    }

    /// Whether a key there decrypts what the one here encrypts.
    async fn decrypts(&self, there: &Bounded, key_id: &str) -> Result<bool, Error> {
        let plain_text = SecretString::from("copy?");
        let sealed = EncryptData::new(self.key_id, plain_text).send(self.here).await?.into_body();
        match DecryptData::new(sealed.cipher_text.unwrap_or_default()).send(there).await {
            Ok(answer) => Ok(answer.key_id.as_deref() == Some(key_id)),
            // So a key is refused that is not there. Who lacks the permission learns that.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Rejected) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a key there has the public key of the one here.
    async fn has_public_key(&self, there: &Bounded, key_id: &str) -> Result<bool, Error> {
        let (ours, theirs) =
            (ShowPublicKey::new(self.key_id).send(self.here).await?, ShowPublicKey::new(key_id).send(there).await?);
        Ok(ours.public_key.is_some() && ours.public_key == theirs.public_key)
    }
}

/// The key of an alias in a region.
async fn find(there: &Bounded, alias: &str) -> Result<Option<KeyDetails>, Error> {
    let mut keys = Items::new(there, ListKeys::new().key_spec(KeySpec::All));
    while let Some(key) = keys.next().await {
        let key = key?;
        if key.key_alias.as_deref() == Some(alias) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}
