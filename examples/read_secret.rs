//! Read a secret's value, and tell "not there" from "went wrong".
//!
//! `cargo run --example read_secret`
#![allow(clippy::print_stdout)] // an example shows what it does

use csms_examples::Service;
use csms_sdk::{Client, Error, ErrorKind, SecretString, csms::ShowSecretVersion};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start(&["csms/ShowSecretVersion/success", "csms/ShowSecretVersion/not-found"]).await?;

    for version in ["latest", "v99"] {
        match read(&service.client, "demo", version).await? {
            // The value is printed by nothing but `expose_secret`; its debug form says so.
            Some(value) => println!("demo@{version}: {value:?}, {} bytes", value.expose_secret().len()),
            None => println!("demo@{version}: there is none"),
        }
    }
    Ok(())
}

async fn read(client: &Client, name: &str, version: &str) -> Result<Option<SecretString>, Error> {
    match ShowSecretVersion::new(name, version).send(client).await {
        Ok(answer) => Ok(answer.into_body().version.and_then(|version| version.secret_string)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
