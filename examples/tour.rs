//! The four operations this project started with: create a secret, add a version, replicate the secret and a key
//! to another region.
//!
//! `cargo run --example tour`
#![allow(clippy::print_stdout)] // an example shows what it does

use csms_examples::Service;
use csms_sdk::{Error, csms, kms};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start(&[
        "csms/CreateSecret/minimal",
        "csms/CreateSecretVersion/minimal",
        "csms/CreateSecretReplica/success-default-key",
        "kms/ReplicateKey/minimal",
    ])
    .await?;
    let client = &service.client;

    let created = csms::CreateSecret::new("demo").secret_string("only a name and this value").send(client).await?;
    let request_id = shown(created.request_id());
    let secret = created.into_body().secret.unwrap_or_default();
    println!("CreateSecret         {} is {} (request {request_id})", shown(secret.name), shown(secret.state));

    let added = csms::CreateSecretVersion::new("demo").secret_string("plain second value").send(client).await?;
    let version = added.into_body().version_metadata.unwrap_or_default();
    println!("CreateSecretVersion  {} is staged {}", shown(version.id), version.version_stages.join(", "));

    let replica = csms::CreateSecretReplica::new("demo", "cn-east-3").send(client).await?.into_body();
    println!("CreateSecretReplica  {}", shown(replica.replica_id));

    let replicated = kms::ReplicateKey::new(
        "826314dd-1b5b-4037-b976-5f9b7a17df46",
        "cn-north-4",
        "replica_key_alias",
        "2b31ed5200000000ebedb6e570000000",
    );
    let key = replicated.send(client).await?.into_body();
    println!("ReplicateKey         {} in {}", shown(key.key_id), shown(key.region));

    println!("\nwhat the service received:");
    for line in service.received().await {
        println!("  {line}");
    }
    Ok(())
}

/// Answers may leave anything out.
fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "?".to_owned(), |value| value.to_string())
}
