//! Going back to another version.

use super::{explained, staged, version_id};
use crate::{
    Client,
    csms::UpdateSecretStage,
    error::{Error, ErrorKind},
    reference::{CURRENT, PREVIOUS, VersionRef},
};

/// What became of a [`rollback`](super::SecretStore::rollback).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rollback {
    /// Id of the version that is current now.
    pub current: String,
    /// Id of the version that was current before; the same as `current` when nothing had to be done.
    pub replaced: String,
}

impl Rollback {
    /// Whether another version is current than before.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.current != self.replaced
    }
}

pub(super) async fn rollback(client: &Client, name: &str, to: VersionRef) -> Result<Rollback, Error> {
    let replaced = staged(client, name, CURRENT).await?;
    let current = version_id(client, name, &to).await.map_err(|error| match (error.kind(), &to) {
        (ErrorKind::NotFound, VersionRef::Previous) => {
            error.with_help("the secret has no previous version; name the version to go back to")
        }
        _ => error,
    })?;
    if current != replaced {
        if let Err(error) = UpdateSecretStage::new(name, CURRENT, &current).send(client).await {
            return Err(explained(client, name, error).await);
        }
        keep(client, name, &replaced).await.map_err(|error| {
            error.with_help(format!(
                "{current} is the current version now, but {replaced} is not staged {PREVIOUS}, and the service may \
                 delete a version without a stage; put that stage on it"
            ))
        })?;
    }
    Ok(Rollback { current, replaced })
}

/// Sees to it that `SYSPREVIOUS` marks this version. Whether it follows by itself is not documented.
async fn keep(client: &Client, name: &str, replaced: &str) -> Result<(), Error> {
    match staged(client, name, PREVIOUS).await {
        Ok(previous) if previous == replaced => return Ok(()),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    UpdateSecretStage::new(name, PREVIOUS, replaced).send(client).await.map(drop)
}
