//! Whether memory stays flat over 100,000 calls.
//!
//! The first tenth fills caches and pools; what the resident memory grows by after it is growth per call. The program
//! fails if that is more than its bound.
#![allow(clippy::print_stdout, reason = "the table is the product")]

mod server;

use std::{error::Error, fs, hint::black_box, process::ExitCode};

use csms_sdk::{Client, credentials::Credentials, csms::ShowSecretVersion};
use server::Server;

const WARM_UP: usize = 10_000;
const CALLS: usize = 100_000;
/// A leak of three bytes a call is found; the allocator's own ups and downs stay below.
const MOST_KILOBYTES: i64 = 256;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    if server::is_wanted() {
        server::serve()?;
        return Ok(ExitCode::SUCCESS);
    }
    let server = Server::start()?;
    let keys = Credentials::keys("EXAMPLEACCESSKEY0001", "ExampleSecretKey/0123456789+abcdefABCDEF");
    let project = "0123456789abcdef0123456789abcdef";
    let client =
        Client::builder().endpoint(&server.endpoint).project_id(project).no_proxy().credentials(keys).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;

    runtime.block_on(call(&client, WARM_UP))?;
    let before = resident_kilobytes()?;
    runtime.block_on(call(&client, CALLS - WARM_UP))?;
    let after = resident_kilobytes()?;

    let growth = after - before;
    println!("after {WARM_UP} calls {before} KB, after {CALLS} calls {after} KB");
    println!("growth {growth} KB, limit {MOST_KILOBYTES} KB");
    Ok(if growth <= MOST_KILOBYTES { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn call(client: &Client, times: usize) -> Result<(), csms_sdk::Error> {
    for _ in 0..times {
        black_box(ShowSecretVersion::new("db-password", "latest").send(client).await?);
    }
    Ok(())
}

/// Memory of this process that is in RAM. Counted page by page: the kernel's quick sums lag behind.
fn resident_kilobytes() -> Result<i64, Box<dyn Error>> {
    let report = fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = report.lines().find_map(|line| line.strip_prefix("Rss:")).ok_or("no Rss in smaps_rollup")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
