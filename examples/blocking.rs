//! Read secrets in a program without `async`.
//!
//! `cargo run --example blocking`
#![allow(clippy::print_stdout)] // an example shows what it does

use csms_examples::{Error, Service};
use csms_sdk::{
    blocking::Client,
    csms::{CreateSecret, ListSecrets, SecretState, ShowSecretVersion},
    wait::Wait,
};

fn main() -> Result<(), Error> {
    // The emulator, if it is used, needs a runtime of its own; your program needs none.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let service = runtime.block_on(Service::start())?;

    let client = Client::new(service.client.clone())?;
    client.send(CreateSecret::new("demo").secret_string("value"))?;
    client.block_on(async |client| Wait::new().secret(client, "demo", SecretState::Enabled).await)?;
    for secret in client.items(ListSecrets::new()) {
        let name = secret?.name.unwrap_or_default();
        let answer = client.send(ShowSecretVersion::new(&name, "latest"))?;
        println!("{name}: {:?}", answer.version.as_ref().and_then(|version| version.secret_string.as_ref()));
    }
    Ok(())
}
