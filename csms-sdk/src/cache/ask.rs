//! What the service is asked: whether a value is still the right one, and for the value if it is not.

use std::sync::Arc;

use tokio::time::Instant;

use super::metrics::{Counters, count};
use crate::{
    Client,
    csms::{SecretState, ShowSecret},
    error::{Error, ErrorKind},
    reference::Reference,
    store::{self, SecretValue},
};

/// A value, and by what it is recognised.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) value: Arc<SecretValue>,
    /// Id of the secret; `None` where the service did not tell it, and then nothing can confirm the value.
    secret_id: Option<String>,
    /// When the value itself was asked for.
    pub(super) read: Instant,
}

/// What came of an attempt.
pub(super) struct Landing {
    /// When it began: what it tells is true of a later moment.
    pub(super) asked: Instant,
    pub(super) outcome: Result<Answer, Error>,
}

/// Asks for the value of a version, unless `known` is confirmed to be it.
///
/// A version's value never changes, but its id can come again: with a secret that was deleted and created anew. So the id
/// of the secret has to be the same too. And the service tells what a stage marks even while deletion is pending, when the
/// value cannot be read any more. So the secret has to be enabled.
pub(super) async fn ask(
    client: Client,
    reference: Reference,
    known: Option<Answer>,
    counters: Arc<Counters>,
) -> Landing {
    let asked = Instant::now();
    let outcome = answer(&client, &reference, known, &counters, asked).await;
    if outcome.is_err() {
        count(&counters.failures);
    }
    Landing { asked, outcome }
}

async fn answer(
    client: &Client,
    reference: &Reference,
    known: Option<Answer>,
    counters: &Counters,
    asked: Instant,
) -> Result<Answer, Error> {
    if known.is_some() {
        count(&counters.revalidations);
    }
    let (version_id, secret_id) = tokio::join!(
        store::version_id(client, reference.name(), reference.version()),
        enabled_secret(client, reference.name())
    );
    let (version_id, secret_id) = (version_id?, secret_id?);
    if let Some(known) = known
        && secret_id.is_some()
        && known.secret_id == secret_id
        && known.value.version() == version_id
    {
        count(&counters.unchanged);
        return Ok(known);
    }
    count(&counters.fetches);
    let value = Arc::new(store::value_of(client, reference.name(), &version_id).await?);
    Ok(Answer { value, secret_id, read: asked })
}

/// The id of a secret that is enabled. `None` where that cannot be told: whether its value can be read, reading it shows.
async fn enabled_secret(client: &Client, name: &str) -> Result<Option<String>, Error> {
    match ShowSecret::new(name).send(client).await {
        Ok(answer) => {
            let secret = answer.into_body().secret.unwrap_or_default();
            Ok(secret.id.filter(|_| secret.state == Some(SecretState::Enabled)))
        }
        // Going on with credentials that are refused would lock the access key.
        Err(error) if error.kind() == ErrorKind::Unauthenticated => Err(error),
        Err(_) => Ok(None),
    }
}
