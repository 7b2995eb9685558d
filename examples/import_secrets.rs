//! Bring several secrets to given values: plan, look at the plan, apply it, and go on where it broke off.
//!
//! `cargo run --example import_secrets`
#![allow(clippy::print_stdout)] // an example shows what it does

use std::io::Write as _;

use csms_examples::{Error, Service};
use csms_sdk::{
    bulk::{Bulk, Mode, Plan, Step, Wanted},
    store::SecretStore,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start().await?;
    SecretStore::new(&service.client).put("demo-db", r#"{"user":"shop","password":"first"}"#).send().await?;

    let mut wanted = Wanted::new();
    wanted.insert("demo-db", r#"{"user":"shop","password":"second"}"#)?;
    for number in 0..3 {
        wanted.insert(format!("demo-token-{number}"), format!("token {number}"))?;
    }

    // A plan names secrets and fields, and holds no values: it may be shown, and kept.
    let bulk = Bulk::new(&service.client).concurrency(4);
    let plan = bulk.plan(&wanted, Mode::Upsert).await?;
    for change in plan.changes() {
        println!("{:<9} {} {:?}", change.action, change.name, change.fields);
    }

    let path = tempfile::NamedTempFile::new()?.into_temp_path();
    let mut journal = std::fs::OpenOptions::new().append(true).open(&path)?;
    journal.write_all(plan.to_line().as_bytes())?;
    let mut applying = bulk.apply(&plan, &wanted).journal(&mut journal).start().await?;
    // Breaks off in the middle …
    applying.next().await;
    drop(applying);

    // … and another process goes on.
    let kept = std::fs::read(&path)?;
    let (plan, whole) = Plan::read(&kept)?;
    journal.set_len(whole as u64)?;
    let mut applying = bulk.apply(&plan, &wanted).journal(&mut journal).start().await?;
    while let Some(event) = applying.next().await {
        if let Step::Ended(outcome) = event.step {
            println!("{}: {outcome}", event.name);
        }
    }
    let applied = applying.finish().await?;
    assert_eq!(applied.failed().count(), 0);
    assert_eq!(bulk.plan(&wanted, Mode::Upsert).await?.left().count(), 0, "there is nothing left to be done");
    Ok(())
}
