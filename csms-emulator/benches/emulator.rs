//! How fast the emulator starts and answers, and what a secret costs it.
//!
//! Client and emulator share this process and its cores; signatures are made and checked. The program fails over a
//! promise that is not kept.
#![allow(clippy::print_stdout, reason = "the table is the product")]

use std::{
    error::Error,
    fs,
    future::Future,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use csms_emulator::{Emulator, Quotas};
use csms_sdk::{
    Client,
    csms::{CreateSecret, DeleteSecret, ListSecrets, ShowSecretVersion},
};
use tokio::{runtime::Runtime, task::JoinSet};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const STARTS: usize = 21;
const MOST_START: Duration = Duration::from_millis(50);
const READERS: usize = 16;
const READS: usize = 2_000;
const FEWEST_READS: f64 = 5_000.0;
const FEW: usize = 1_000;
const MANY: usize = 10_000;
/// How much longer an item may take among many than among few.
const MOST_SLOWING: f64 = 1.3;
/// Calls under way at once while secrets are made, read and deleted.
const AT_ONCE: usize = 16;

fn main() -> Outcome<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut all_within = true;
    let mut row = |what: &str, figure: String, within: Option<bool>| {
        all_within &= within.unwrap_or(true);
        println!("{what:<44} {figure:>14}  {}", within.map_or("", |within| if within { "ok" } else { "TOO SLOW" }));
    };

    let directory = tempfile::tempdir()?;
    for (what, keeps) in [("start to first answer, in memory", false), ("start to first answer, with a file", true)] {
        let mut times = Vec::new();
        for round in 0..STARTS {
            let file = directory.path().join(round.to_string());
            times.push(start(&runtime, keeps.then_some(file.as_path()))?);
        }
        times.sort_unstable();
        let median = times[STARTS / 2];
        row(what, format!("{:.1} ms", median.as_secs_f64() * 1e3), Some(median < MOST_START));
    }

    let reads = runtime.block_on(reads())?;
    row("reads of a value through the SDK", format!("{reads:.0} per s"), Some(reads >= FEWEST_READS));

    let few = runtime.block_on(Sweep::run(FEW))?;
    let many = runtime.block_on(Sweep::run(MANY))?;
    for (what, of) in [
        ("create", (|sweep: &Sweep| sweep.create) as fn(&Sweep) -> f64),
        ("list", |sweep| sweep.list),
        ("read", |sweep| sweep.read),
        ("delete", |sweep| sweep.delete),
    ] {
        let ratio = of(&many) / of(&few);
        let figure = format!("{:.1} us, {ratio:.2}x", of(&many) * 1e6);
        row(&format!("{what} each of {MANY}, against each of {FEW}"), figure, Some(ratio <= MOST_SLOWING));
    }
    row("memory per secret of 100 bytes", format!("{:.2} KB", many.kilobytes / MANY as f64), None);
    Ok(if all_within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Time from nothing to an answer.
fn start(runtime: &Runtime, file: Option<&std::path::Path>) -> Outcome<Duration> {
    let begin = Instant::now();
    let builder = Emulator::builder();
    let builder = match file {
        Some(file) => builder.data(file),
        None => builder,
    };
    let emulator = runtime.block_on(builder.start())?;
    let answer = ask(emulator.address())?;
    let time = begin.elapsed();
    if !answer.starts_with("HTTP/1.1 200") {
        return Err(answer.into());
    }
    Ok(time)
}

fn ask(address: SocketAddr) -> Outcome<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Reads per second, with some under way all the time.
async fn reads() -> Outcome<f64> {
    let emulator = Emulator::start().await?;
    let client = emulator.client();
    CreateSecret::new("demo").secret_string("correct horse battery staple").send(&client).await?;
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..READERS {
        let client = client.clone();
        tasks.spawn(async move {
            for _ in 0..READS {
                ShowSecretVersion::new("demo", "latest").send(&client).await?;
            }
            Ok::<_, csms_sdk::Error>(())
        });
    }
    for outcome in tasks.join_all().await {
        outcome?;
    }
    Ok((READERS * READS) as f64 / begin.elapsed().as_secs_f64())
}

/// Seconds per item with so many items.
struct Sweep {
    create: f64,
    list: f64,
    read: f64,
    delete: f64,
    kilobytes: f64,
}

impl Sweep {
    async fn run(count: usize) -> Outcome<Self> {
        let emulator = Emulator::builder().quotas(Quotas::unlimited()).start().await?;
        let client = Arc::new(emulator.client());
        let before = resident_kilobytes()?;
        let name = |index: usize| format!("secret-{index:05}");
        let create = each(&client, count, |client, index| async move {
            CreateSecret::new(name(index)).secret_string("v".repeat(100)).send(&*client).await.map(drop)
        });
        let create = create.await?;
        let kilobytes = (resident_kilobytes()? - before) as f64;
        let begin = Instant::now();
        let mut marker = None;
        let mut listed = 0;
        loop {
            let mut page = ListSecrets::new().limit(50);
            if let Some(marker) = marker.take() {
                page = page.marker(marker);
            }
            let answer = page.send(&*client).await?;
            listed += answer.secrets.len();
            marker = answer.page_info.as_ref().and_then(|page| page.next_marker.clone());
            if marker.is_none() {
                break;
            }
        }
        let list = begin.elapsed().as_secs_f64() / count as f64;
        assert_eq!(listed, count, "every secret is listed once");
        let read = each(&client, count, |client, index| async move {
            ShowSecretVersion::new(name(index), "latest").send(&*client).await.map(drop)
        });
        let read = read.await?;
        let delete = each(&client, count, |client, index| async move {
            DeleteSecret::new(name(index)).send(&*client).await.map(drop)
        });
        Ok(Self { create, list, read, delete: delete.await?, kilobytes })
    }
}

/// Does something for each index, several at once; seconds per item.
async fn each<F>(client: &Arc<Client>, count: usize, call: impl Fn(Arc<Client>, usize) -> F) -> Outcome<f64>
where
    F: Future<Output = Result<(), csms_sdk::Error>> + Send + 'static,
{
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for index in 0..count {
        if tasks.len() >= AT_ONCE
            && let Some(done) = tasks.join_next().await
        {
            done??;
        }
        tasks.spawn(call(client.clone(), index));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(begin.elapsed().as_secs_f64() / count as f64)
}

/// Memory of this process that is in RAM.
fn resident_kilobytes() -> Outcome<i64> {
    let report = fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = report.lines().find_map(|line| line.strip_prefix("Rss:")).ok_or("no Rss in smaps_rollup")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
