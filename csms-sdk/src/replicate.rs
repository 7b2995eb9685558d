//! Copies a secret or a key to several regions at once, and takes copies back.
//!
//! [`ReplicateSecretToRegions`] is the operation of that name that other clouds have, carried out with those of CSMS:
//!
//! ```no_run
//! use csms_sdk::{Client, replicate::ReplicateSecretToRegions, wait::Wait};
//!
//! # async fn example(client: Client) -> Result<(), csms_sdk::Error> {
//! let regions = ["cn-east-3", "ap-southeast-1"];
//! let answer = ReplicateSecretToRegions::new("db-password", regions).wait(Wait::new()).send(&client).await?;
//! for status in &answer.replication_status {
//!     println!("{}: {} {}", status.region, status.status, status.status_message.as_deref().unwrap_or_default());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! `start` instead of `send` shows how it goes, region by region:
//!
//! ```no_run
//! # use csms_sdk::{Client, replicate::{ReplicateSecretToRegions, Step}, wait::Wait};
//! # async fn example(client: Client) -> Result<(), csms_sdk::Error> {
//! let mut replication = ReplicateSecretToRegions::new("db-password", ["cn-east-3"]).wait(Wait::new()).start(&client);
//! while let Some(event) = replication.next().await {
//!     match event.step {
//!         Step::Ended(status) => println!("{}: {}", event.region, status.status),
//!         step => println!("{}: {step:?}", event.region),
//!     }
//! }
//! let answer = replication.finish().await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`RemoveRegionsFromReplication`] takes replicas of a secret away, [`ReplicateKeyToRegions`] copies a key. Copies of
//! keys are not taken away: KMS does not tell which keys are copies, and what a key has encrypted is lost with it.
//! Schedule the deletion of each in its region.
//!
//! # What comes of it
//!
//! An `Err` says that nothing was begun: the input cannot be right, or the secret does not exist, may not be read, is
//! not enabled or is a replica itself. Afterwards every region has a status of its own, and the answer is `Ok` also
//! where all of them have [failed](StatusType::Failed): look at [`Replicated::failed`]. A copy that has been asked for
//! and is not yet in sync is [`InProgress`](StatusType::InProgress), also when [`wait`](ReplicateSecretToRegions::wait)
//! gave up; then the status says why.
//!
//! **Asking again is harmless.** A region that has a replica is answered with its present state and is not touched,
//! whatever else is asked. When the outcome of a call is not clear, such as after a connection that was cut, it is
//! looked whether the copy is there before a failure is told.
//!
//! Dropping what `start` or `send` gave stops everything, and nothing goes on in the background. What has been asked of
//! the service stays.
//!
//! # Many secrets
//!
//! At most 8 calls are under way at once; those that are given the same [`Concurrency`] share it:
//!
//! ```no_run
//! use csms_sdk::replicate::{Concurrency, ReplicateSecretToRegions};
//! use tokio::task::JoinSet;
//!
//! # async fn example(client: csms_sdk::Client, names: Vec<String>) -> Result<(), Box<dyn std::error::Error>> {
//! let most = Concurrency::new(16);
//! let mut secrets = JoinSet::new();
//! for name in names {
//!     let replication = ReplicateSecretToRegions::new(name, ["cn-east-3", "ap-southeast-1"]).concurrency(&most);
//!     secrets.spawn(replication.start(&client).finish());
//! }
//! while let Some(answer) = secrets.join_next().await {
//!     println!("{:?}", answer??.replication_status);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//!
//! [`Exception`] puts an [`Error`] in the words of the other cloud's list.

mod answer;
mod arn;
mod exception;
mod key;
mod remove;
mod run;
mod secret;

pub use answer::{Replicated, ReplicationStatus, StatusType};
pub use exception::Exception;
pub use key::{ReplicaKeyRegion, ReplicateKeyToRegions};
pub use remove::RemoveRegionsFromReplication;
pub use run::{Concurrency, Event, Replication, Step};
pub use secret::{ReplicaRegion, ReplicateSecretToRegions};

use crate::{error::Error, store::is_unclear};

/// Refuses regions that cannot be right. `field` names the list, `own` is the region of what is to be copied.
fn check_regions<'a>(field: &str, regions: impl IntoIterator<Item = &'a str>, own: Option<&str>) -> Result<(), Error> {
    let mut seen: Vec<&str> = Vec::new();
    for region in regions {
        let name = format!("{field}.{}", seen.len());
        crate::region::check_region(&name, region)?;
        if own == Some(region) {
            return Err(Error::invalid(name, "is the region that is called: name other ones"));
        }
        if seen.contains(&region) {
            return Err(Error::invalid(name, "is named twice"));
        }
        seen.push(region);
    }
    match seen.is_empty() {
        true => Err(Error::invalid(field, "has no items: name at least one region")),
        false => Ok(()),
    }
}
