//! Encrypt a file of any size, decrypt it, and move it to another master key.
//!
//! `cargo run --example encrypt_file`
#![allow(clippy::print_stdout)] // an example shows what it does

use csms_examples::{Error, Service};
use csms_sdk::{
    Client,
    envelope::{Envelope, EnvelopeError},
    kms::{CreateKey, DisableKey},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start().await?;
    let client = &service.client;
    let directory = tempfile::tempdir()?;
    let (plain, sealed) = (directory.path().join("orders.db"), directory.path().join("orders.db.enc"));
    std::fs::write(&plain, "all our orders\n".repeat(100_000))?;

    let old_key = create_key(client, "backups-2025").await?;
    // Decrypting has to name the same context, so that a backup of one service is none of another.
    let envelope = Envelope::new(client, &old_key).context("app", "billing");
    let count = envelope.encrypt_file(&plain, &sealed).await?;
    println!("encrypted   {count} bytes into {}", std::fs::metadata(&sealed)?.len());

    let other = Envelope::decrypting(client).context("app", "shipping");
    match other.decrypt_file(&sealed, &plain).await {
        Err(EnvelopeError::WrongContext) => println!("refused     another context"),
        outcome => return Err(format!("another context led to {outcome:?}").into()),
    }

    // Only the header changes; from then on the old key is not needed.
    let new_key = create_key(client, "backups-2026").await?;
    let envelope = Envelope::new(client, &new_key).context("app", "billing");
    envelope.clone().opening(client, &old_key).rewrap_file(&sealed).await?;
    DisableKey::new(&old_key).send(client).await?;
    println!("rewrapped   under another key");

    let restored = directory.path().join("restored.db");
    let count = envelope.decrypt_file(&sealed, &restored).await?;
    println!("decrypted   {count} bytes, the same: {}", std::fs::read(&restored)? == std::fs::read(&plain)?);
    Ok(())
}

async fn create_key(client: &Client, alias: &str) -> Result<String, Error> {
    let created = CreateKey::new(alias).send(client).await?.into_body();
    Ok(created.key_info.and_then(|key| key.key_id).ok_or("the answer names no key")?)
}
