//! Give a key material of one's own: only the key that it is wrapped with comes from the service.
//!
//! `cargo run --example import_material`
#![allow(clippy::print_stdout)] // an example shows what it does

use csms_examples::{Error, Service};
use csms_sdk::{
    SecretBytes,
    keys::{self, Import},
    kms::{CreateKey, EncryptData, KeyOrigin},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start().await?;
    let client = &service.client;
    let key = keys::create(client, CreateKey::new("demo").origin(KeyOrigin::External)).await?;
    let id = key.key_id.unwrap_or_default();
    println!("created {id}, which waits for its material");

    // Made up here. Yours comes from where you keep it: the service gives it back to nobody.
    let material = SecretBytes::from(vec![7; 32]);
    Import::new(&id, material).send(client).await?;

    let answer = EncryptData::new(&id, "hello").send(client).await?;
    println!("encrypted: {}", answer.cipher_text.as_deref().unwrap_or_default());
    Ok(())
}
