//! Copy a secret to another region, and wait until the copy can be read there.
//!
//! `cargo run --example wait_for_replica`
#![allow(clippy::print_stdout)] // an example shows what it does

use std::time::Duration;

use csms_examples::{Error, Service};
use csms_sdk::{
    ErrorKind,
    csms::{CreateSecret, CreateSecretReplica, ShowSecretVersion},
    wait::Wait,
};

const REGION: &str = "cn-east-3";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start().await?;
    let client = &service.client;
    CreateSecret::new("demo").secret_string("value").send(client).await?;
    CreateSecretReplica::new("demo", REGION).send(client).await?;

    let wait = Wait::new().deadline(Duration::from_secs(60));
    match wait.secret_replica(client, "demo", REGION).await {
        Ok(replica) => println!("in sync: {}", replica.id.unwrap_or_default()),
        Err(error) if error.kind() == ErrorKind::Timeout => {
            println!("not yet: {}", error.last_state().unwrap_or("never seen"));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    }

    let elsewhere = client.for_region(REGION)?;
    let answer = ShowSecretVersion::new("demo", "latest").send(&elsewhere).await?;
    println!("{REGION} answers {:?}", answer.version.as_ref().and_then(|version| version.secret_string.as_ref()));
    Ok(())
}
