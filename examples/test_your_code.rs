//! Test your own code without a network: what it sends, and what it does when the service fails.
//!
//! `cargo run --example test_your_code`
#![allow(clippy::print_stdout)] // an example shows what it does

use csms_examples::Error;
use csms_sdk::{
    Client, ErrorKind,
    csms::{CreateSecret, CreateSecretVersion},
    testing::Script,
};
use serde_json::json;

/// The code under test: stores a value, whether or not there is a secret yet.
async fn store(client: &Client, name: &str, value: &str) -> Result<(), csms_sdk::Error> {
    match CreateSecret::new(name).secret_string(value).send(client).await {
        Err(error) if error.kind() == ErrorKind::Conflict => {
            CreateSecretVersion::new(name).secret_string(value).send(client).await.map(drop)
        }
        outcome => outcome.map(drop),
    }
}

/// In a crate of your own, each of these is a `#[tokio::test]`.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    a_value_of_an_existing_secret_becomes_a_version().await?;
    a_throttled_call_is_repeated().await?;
    println!("both hold");
    Ok(())
}

async fn a_value_of_an_existing_secret_becomes_a_version() -> Result<(), Error> {
    let script = Script::new();
    script.on::<CreateSecret>().refuse(409, "CSMS.0101", "The secret name already exists.");
    script.on::<CreateSecretVersion>().answer(json!({"version_metadata": {"id": "v2"}}));

    store(&script.client(), "db-password", "made up").await?;

    script.assert_done();
    let version = script.sent_once::<CreateSecretVersion>();
    version.assert_fields(json!({"secret_name": "db-password", "secret_string": "made up"}));
    println!("sent: {version:?}");
    Ok(())
}

async fn a_throttled_call_is_repeated() -> Result<(), Error> {
    let script = Script::new();
    script.on::<CreateSecret>().throttle().answer(json!({"secret": {"name": "db-password"}}));

    store(&script.client(), "db-password", "made up").await?;

    script.assert_done();
    assert_eq!(script.sent_to::<CreateSecret>().len(), 2);
    Ok(())
}
