//! How near importing many secrets comes to what its calls have to take.
//!
//! 1,000 new secrets are planned and created on the emulator, which adds 20 ms to every answer. The creations take a call
//! each, and no more than 8 may be under way at once, so they cannot take less than 1,000 × 20 ms ÷ 8 = 2.5 s: that is the
//! bound. What comes on top is the list that the plan is made from, the work of client and emulator, which share a process,
//! the fingerprint of the plan, and a journal that is on the disk before each call. The program fails over a promise that is
//! not kept.
#![allow(clippy::print_stdout, reason = "the table is the product")]

use std::{error::Error, io::Write as _, process::ExitCode, time::Instant};

use csms_emulator::{Emulator, Quotas};
use csms_sdk::bulk::{Bulk, Mode, Wanted};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 3;
const SECRETS: usize = 1000;
const CONCURRENCY: usize = 8;
const DELAY_MS: usize = 20;
const MOST_RATIO: f64 = 1.3;

fn main() -> Outcome<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> Outcome<ExitCode> {
    let bound = (SECRETS * DELAY_MS) as f64 / 1000.0 / CONCURRENCY as f64;
    let mut all_within = true;
    println!("{SECRETS} secrets, a call of {DELAY_MS} ms for each, {CONCURRENCY} at once");
    println!("round  ours s  bound s   ratio  limit");
    for round in 1..=ROUNDS {
        let emulator = Emulator::builder().quotas(Quotas::unlimited()).start().await?;
        emulator.set_faults(&json!([{"delay_ms": DELAY_MS}]))?;
        let bulk = Bulk::new(&emulator.client()).concurrency(CONCURRENCY);
        let mut wanted = Wanted::new();
        for number in 0..SECRETS {
            wanted.insert(format!("secret-{number}"), format!("value {number}"))?;
        }
        let start = Instant::now();
        let plan = bulk.plan(&wanted, Mode::Upsert).await?;
        let mut journal = tempfile::tempfile()?;
        journal.write_all(plan.to_line().as_bytes())?;
        let applied = bulk.apply(&plan, &wanted).journal(&mut journal).start().await?.finish().await?;
        let ours = start.elapsed().as_secs_f64();
        if let Some(failed) = applied.failed().next() {
            return Err(format!("{failed:?}").into());
        }
        all_within &= ours / bound <= MOST_RATIO;
        println!("{round:>5} {ours:>7.3} {bound:>8.3} {:>7.3} {MOST_RATIO:>6.2}", ours / bound);
    }
    Ok(if all_within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
