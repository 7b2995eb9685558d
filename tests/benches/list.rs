//! Whether listing takes the same memory however long the list is.
//!
//! An emulator in another process has 10,000 secrets. Walking through the first tenth fills pools and the allocator; what
//! walking through all of them needs on top, at its peak, is growth with the list. The program fails if that is more than its
//! bound, which is far less than a tenth of the list.
#![allow(clippy::print_stdout, reason = "the table is the product")]

use std::{
    env,
    error::Error,
    fs,
    hint::black_box,
    io::{self, BufRead as _, BufReader, Read as _},
    process::{Child, Command, ExitCode, Stdio},
};

use csms_emulator::{Emulator, Quotas};
use csms_sdk::{
    Client, Service,
    credentials::Credentials,
    csms::{CreateSecret, ListSecrets},
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Argument that makes the program the emulator.
const SERVE: &str = "serve";
const SECRETS: usize = 10_000;
const MOST_KILOBYTES: u64 = 256;

fn main() -> Outcome<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if env::args().any(|argument| argument == SERVE) {
        return runtime.block_on(serve());
    }
    let mut emulator =
        Other(Command::new(env::current_exe()?).arg(SERVE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?);
    let mut lines = BufReader::new(emulator.0.stdout.take().ok_or("no standard output")?).lines();
    let mut line = || lines.next().ok_or("the emulator has ended")?.map_err(Box::<dyn Error + Send + Sync>::from);
    let (endpoint, access_key, secret_key) = (line()?, line()?, line()?);
    let client = Client::builder()
        .region("cn-north-4")
        .service_endpoint(Service::Csms, &endpoint)
        .service_endpoint(Service::Iam, &endpoint)
        .no_proxy()
        .credentials(Credentials::keys(access_key, secret_key))
        .build()?;

    let part = SECRETS / 10;
    runtime.block_on(walk(&client, part))?;
    println!("walking through   at once KB   peak KB");
    let mut peaks = Vec::new();
    for count in [part, SECRETS] {
        // Makes the peak that of what follows.
        fs::write("/proc/self/clear_refs", "5")?;
        let before = kilobytes("VmRSS:")?;
        runtime.block_on(walk(&client, count))?;
        let peak = kilobytes("VmHWM:")?;
        println!("{count:>6} secrets {before:>14} {peak:>9}");
        peaks.push(peak);
    }
    let growth = peaks[1].saturating_sub(peaks[0]);
    println!("growth {growth} KB, limit {MOST_KILOBYTES} KB");
    Ok(if growth <= MOST_KILOBYTES { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn walk(client: &Client, count: usize) -> Outcome<()> {
    let mut secrets = client.items(ListSecrets::new()).max_items(count);
    let mut seen = 0;
    while let Some(secret) = secrets.next().await {
        black_box(secret?);
        seen += 1;
    }
    match seen == count {
        true => Ok(()),
        false => Err(format!("{seen} of {count} secrets were listed").into()),
    }
}

/// Plays the service until standard input ends.
async fn serve() -> Outcome<ExitCode> {
    let emulator = Emulator::builder().quotas(Quotas::unlimited()).start().await?;
    let client = emulator.client();
    for number in 0..SECRETS {
        let name = format!("secret-{number:05}");
        CreateSecret::new(name).secret_string("value").description("d".repeat(100)).send(&client).await?;
    }
    let (access_key, secret_key) = emulator.keys();
    println!("{}\n{access_key}\n{secret_key}", emulator.endpoint_in("cn-north-4"));
    tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(ExitCode::SUCCESS)
}

/// Ends with the program that started it.
struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A line of what the kernel tells of this process.
fn kilobytes(name: &str) -> Outcome<u64> {
    let report = fs::read_to_string("/proc/self/status")?;
    let line = report.lines().find_map(|line| line.strip_prefix(name)).ok_or("a line is missing in status")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
