//! Read a secret's value, and tell "not there" from "went wrong".
//!
//! `cargo run --example read_secret`
#![allow(clippy::print_stdout)] // an example shows what it does

use csms_examples::{Error, Service};
use csms_sdk::{
    Client, ErrorKind, SecretString,
    csms::{CreateSecret, ShowSecretVersion},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start().await?;
    CreateSecret::new("demo").secret_string("value").send(&service.client).await?;

    for version in ["latest", "v99"] {
        match read(&service.client, "demo", version).await? {
            // The value is printed by nothing but `expose_secret`; its debug form says so.
            Some(value) => println!("demo@{version}: {value:?}, {} bytes", value.expose_secret().len()),
            None => println!("demo@{version}: there is none"),
        }
    }
    Ok(())
}

async fn read(client: &Client, name: &str, version: &str) -> Result<Option<SecretString>, csms_sdk::Error> {
    match ShowSecretVersion::new(name, version).send(client).await {
        Ok(answer) => Ok(answer.into_body().version.and_then(|version| version.secret_string)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
