//! How near replicating many secrets comes to what its calls have to take.
//!
//! 200 secrets go to 3 regions of the emulator, which adds 50 ms to every answer. A secret needs 4 calls: one look at it,
//! and a creation for each region. No more than 32 calls may be under way at once, so they cannot take less than
//! 200 × 4 × 50 ms ÷ 32 = 1.25 s: that is the bound. What comes on top is the work of client and emulator, which share
//! a process, and the end, when there is not enough left to do for all 32. The program fails over a promise that is not
//! kept.
#![allow(clippy::print_stdout, reason = "the table is the product")]

use std::{error::Error, process::ExitCode, time::Instant};

use csms_emulator::{Emulator, Quotas};
use csms_sdk::{
    csms::CreateSecret,
    replicate::{Concurrency, RemoveRegionsFromReplication, ReplicateSecretToRegions},
};
use serde_json::json;
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 5;
const SECRETS: usize = 200;
const REGIONS: [&str; 3] = ["cn-east-3", "ap-southeast-1", "eu-west-0"];
const CALLS: usize = SECRETS * (1 + REGIONS.len());
const CONCURRENCY: usize = 32;
const DELAY_MS: usize = 50;
const MOST_RATIO: f64 = 1.3;

fn main() -> Outcome<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> Outcome<ExitCode> {
    let regions = ["cn-north-4"].into_iter().chain(REGIONS);
    let emulator = Emulator::builder().regions(regions).quotas(Quotas::unlimited()).start().await?;
    let client = emulator.client();
    let most = Concurrency::new(CONCURRENCY);
    for number in 0..SECRETS {
        CreateSecret::new(name(number)).secret_string("value").send(&client).await?;
    }

    let bound = (CALLS * DELAY_MS) as f64 / 1000.0 / CONCURRENCY as f64;
    let mut all_within = true;
    println!("{SECRETS} secrets to {} regions, {CALLS} calls of {DELAY_MS} ms, {CONCURRENCY} at once", REGIONS.len());
    println!("round  ours s  bound s   ratio  limit");
    for round in 1..=ROUNDS {
        emulator.set_faults(&json!([{"delay_ms": DELAY_MS}]))?;
        let start = Instant::now();
        let mut work = JoinSet::new();
        for number in 0..SECRETS {
            let request = ReplicateSecretToRegions::new(name(number), REGIONS).concurrency(&most);
            work.spawn(request.start(&client).finish());
        }
        while let Some(answer) = work.join_next().await {
            if let Some(failed) = answer??.failed().next() {
                return Err(format!("{failed:?}").into());
            }
        }
        let ours = start.elapsed().as_secs_f64();
        all_within &= ours / bound <= MOST_RATIO;
        println!("{round:>5} {ours:>7.3} {bound:>8.3} {:>7.3} {MOST_RATIO:>6.2}", ours / bound);

        emulator.clear_faults();
        for number in 0..SECRETS {
            RemoveRegionsFromReplication::new(name(number), REGIONS).send(&client).await?;
        }
    }
    Ok(if all_within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn name(number: usize) -> String {
    format!("secret-{number}")
}
