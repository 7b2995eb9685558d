//! List every secret of the project, and go on later where a list was left.
//!
//! `cargo run --example list_secrets`
#![allow(clippy::print_stdout)] // an example shows what it does

use csms_examples::{Error, Service};
use csms_sdk::csms::{CreateSecret, ListSecrets};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start().await?;
    let client = &service.client;
    for number in 1..=7 {
        CreateSecret::new(format!("demo-{number}")).secret_string("value").send(client).await?;
    }

    // One page is in memory at a time. An error is not the end: `next` asks for the same page again.
    let mut secrets = client.items(ListSecrets::new()).page_size(3);
    while let Some(secret) = secrets.next().await {
        println!("{}", secret?.name.unwrap_or_default());
    }

    // A part of the list today, the rest tomorrow.
    let mut pages = client.pages(ListSecrets::new()).page_size(3).max_pages(1);
    while let Some(page) = pages.next().await {
        println!("a page of {}", page?.secrets.len());
    }
    if let Some(marker) = pages.marker() {
        let mut rest = client.items(ListSecrets::new()).from_marker(&marker);
        let mut count = 0;
        while let Some(secret) = rest.next().await {
            secret?;
            count += 1;
        }
        println!("{count} more after {marker}");
    }
    Ok(())
}
