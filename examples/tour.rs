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
    let request_id = created.request_id().unwrap_or("unknown").to_owned();
    let secret = created.into_body().secret.unwrap_or_default();
    println!("CreateSecret         {:?} is {:?} (request {request_id})", secret.name, secret.state);

    let added = csms::CreateSecretVersion::new("demo").secret_string("plain second value").send(client).await?;
    let version = added.into_body().version_metadata.unwrap_or_default();
    println!("CreateSecretVersion  {:?} staged {:?}", version.id, version.version_stages);

    let replica = csms::CreateSecretReplica::new("demo", "cn-east-3").send(client).await?;
    println!("CreateSecretReplica  {:?}", replica.replica_id);

    let key = kms::ReplicateKey::new(
        "826314dd-1b5b-4037-b976-5f9b7a17df46",
        "cn-north-4",
        "replica_key_alias",
        "2b31ed5200000000ebedb6e570000000",
    )
    .send(client)
    .await?;
    println!("ReplicateKey         {:?} in {:?}", key.key_id, key.region);

    println!("\nwhat the service received:");
    for line in service.received().await {
        println!("  {line}");
    }
    Ok(())
}
