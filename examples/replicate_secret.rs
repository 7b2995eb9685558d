//! Copy a secret to two regions, and see how it goes in each of them.
//!
//! `cargo run --example replicate_secret`
#![allow(clippy::print_stdout)] // an example shows what it does

use std::time::Duration;

use csms_examples::{Error, Service};
use csms_sdk::{
    csms::CreateSecret,
    replicate::{Exception, ReplicateSecretToRegions, Step},
    wait::Wait,
};

const REGIONS: [&str; 2] = ["cn-east-3", "ap-southeast-1"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start().await?;
    let client = &service.client;
    CreateSecret::new("demo").secret_string("value").send(client).await?;
    // Here the name is taken.
    CreateSecret::new("demo").secret_string("another").send(&client.for_region(REGIONS[1])?).await?;

    let wait = Wait::new().deadline(Duration::from_secs(60));
    let mut replication = ReplicateSecretToRegions::new("demo", REGIONS).wait(wait).start(client);
    while let Some(event) = replication.next().await {
        match event.step {
            Step::Ended(status) => println!("{}: ended {}", event.region, status.status),
            step => println!("{}: {step:?}", event.region),
        }
    }
    // An error here means that nothing was begun; what failed in a region is in its status.
    let answer = replication.finish().await?;
    println!("{}", answer.arn);
    for status in answer.failed() {
        let exception = status.error.as_deref().and_then(Exception::of);
        println!("{} {exception:?}: {}", status.region, status.status_message.as_deref().unwrap_or_default());
    }
    Ok(())
}
