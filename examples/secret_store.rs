//! Put secrets, read them by reference, and go back to an older value.
//!
//! `cargo run --example secret_store`
#![allow(clippy::print_stdout)] // an example shows what it does

use csms_examples::{Error, Service};
use csms_sdk::{
    password::Password,
    store::{PutOutcome, SecretStore},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start().await?;
    let store = SecretStore::new(&service.client);

    let password = Password::new().length(24).exclude_ambiguous().generate()?;
    let created = store.put("demo-password", password.clone()).description("of the demo").send().await?;
    println!("{created:?}");
    // An unchanged value is not written again.
    let again = store.put("demo-password", password).send().await?;
    assert!(matches!(again, PutOutcome::Unchanged { .. }));

    store.put("demo", r#"{"user":"shop","port":3306}"#).send().await?;
    store.put("demo", r#"{"user":"shop","port":3307}"#).if_version("v1").send().await?;

    for outcome in store.get_many(["demo#port", "demo@previous#port", "demo-password", "demo-missing"]).await {
        match outcome {
            // The value is printed by nothing but `expose_secret`; its debug form says so.
            Ok(value) => println!("{} {}: {:?}", value.name(), value.version(), value.text()),
            Err(error) => println!("{error}"),
        }
    }

    let back = store.rollback("demo", None).await?;
    println!("{} is current again, {} was", back.current, back.replaced);
    Ok(())
}
