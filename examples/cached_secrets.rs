//! Keep secrets at hand: read them as often as you like, notice a new version, and live through an outage.
//!
//! `cargo run --example cached_secrets`
#![allow(clippy::print_stdout)] // an example shows what it does

use std::time::Duration;

use csms_examples::{Error, Service};
use csms_sdk::{
    ErrorKind,
    cache::SecretCache,
    csms::{CreateSecret, CreateSecretVersion},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start().await?;
    let client = &service.client;
    CreateSecret::new("db").secret_string(r#"{"user":"shop","password":"first"}"#).send(client).await?;

    let cache = SecretCache::builder(client)
        .ttl(Duration::from_secs(60))
        .refresh_ahead(Duration::from_secs(10)) // no request of ours waits for the service
        .stale_on_failure(Duration::from_secs(600)) // and ten minutes without it do no harm
        .build();

    // At the start, so that what is missing shows at once.
    for outcome in cache.prefetch(["db", "mail"]).await {
        match outcome {
            Ok(value) => println!("ready: {} {}", value.name(), value.version()),
            Err(error) if error.kind() == ErrorKind::NotFound => println!("missing: {error}"),
            Err(error) => return Err(error.into()),
        }
    }

    // With every request of ours. Two fields, one secret, no call.
    for _ in 0..1000 {
        let (_user, _password) = (cache.get("db#user").await?, cache.get("db#password").await?);
    }

    // The database refused the password: somebody has rotated it.
    CreateSecretVersion::new("db").secret_string(r#"{"user":"shop","password":"second"}"#).send(client).await?;
    let password = cache.refresh("db#password").await?;
    println!("refreshed: {} {:?}", password.version(), password.text());

    let metrics = cache.metrics();
    println!("{} hits, {} misses, {} fetches", metrics.hits, metrics.misses, metrics.fetches);
    Ok(())
}
