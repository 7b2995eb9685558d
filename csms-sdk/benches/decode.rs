//! What reading leniently costs next to serde's own derive, on one 40 KB page of `ListSecrets`.
//!
//! `strict` has the fields of the page, and takes each in one form only. The program fails if leniency costs more than
//! its promised multiple of that.
#![allow(clippy::print_stdout, reason = "the table is the product")]

#[allow(dead_code, reason = "only its page is needed, not the service")]
mod server;

use std::{error::Error, hint::black_box, process::ExitCode, time::Instant};

use csms_sdk::csms::ListSecretResponseBody;
use serde::{Deserialize, de::DeserializeOwned};

const ROUNDS: usize = 2001;
/// Pages of a batch.
const BATCH: u32 = 4;
/// Highest ratio promised.
const LIMIT: f64 = 1.05;

#[derive(Deserialize)]
#[allow(dead_code, reason = "reading them is what is measured")]
struct Page {
    secrets: Vec<Secret>,
    page_info: Option<PageInfo>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "reading them is what is measured")]
struct Secret {
    id: Option<String>,
    name: Option<String>,
    state: Option<String>,
    kms_key_id: Option<String>,
    description: Option<String>,
    create_time: Option<i64>,
    update_time: Option<i64>,
    scheduled_delete_time: Option<i64>,
    secret_type: Option<String>,
    auto_rotation: Option<bool>,
    rotation_period: Option<String>,
    rotation_config: Option<String>,
    rotation_time: Option<i64>,
    next_rotation_time: Option<i64>,
    last_used_time: Option<i64>,
    #[serde(default)]
    event_subscriptions: Vec<String>,
    enterprise_project_id: Option<String>,
    rotation_func_urn: Option<String>,
    domain_id: Option<String>,
    replica_type: Option<String>,
    #[serde(default)]
    replicas: Vec<Replica>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "reading them is what is measured")]
struct Replica {
    id: Option<String>,
    kms_key_id: Option<String>,
    project_id: Option<String>,
    region: Option<String>,
    replica_type: Option<String>,
    status: Option<String>,
    created_at: Option<i64>,
    updated_at: Option<i64>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "reading them is what is measured")]
struct PageInfo {
    next_marker: Option<String>,
    previous_marker: Option<String>,
    current_count: Option<i32>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let page = server::page();
    let (mut lenient_times, mut strict_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        lenient_times.push(time::<ListSecretResponseBody>(&page)?);
        strict_times.push(time::<Page>(&page)?);
    }
    let (lenient, strict) = (median(lenient_times), median(strict_times));
    let ratio = lenient / strict;
    println!("case          lenient us  strict us   ratio  limit");
    println!("{:>5} byte page {lenient:>9.2} {strict:>10.2} {ratio:>7.3} {LIMIT:>6.2}", page.len());
    Ok(if ratio <= LIMIT { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Microseconds for reading `page` once.
fn time<T: DeserializeOwned>(page: &str) -> Result<f64, serde_json::Error> {
    let start = Instant::now();
    for _ in 0..BATCH {
        black_box(serde_json::from_slice::<T>(black_box(page.as_bytes()))?);
    }
    Ok(start.elapsed().as_nanos() as f64 / 1e3 / f64::from(BATCH))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
