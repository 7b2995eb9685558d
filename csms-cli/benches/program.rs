//! What the program `csms` costs to start, to ask once, and to stand in front of another one.
//!
//! `csms --version` is compared with a program of clap that has no arguments, `csms get` of a version with a program of
//! `reqwest` that makes the same call and prints the value, and `csms exec` with starting its command without it. The
//! service is a process of its own that answers at once. Programs are run in turns. The program fails over a promise that is
//! not kept.
#![allow(clippy::print_stdout, reason = "the table is the product")]

#[path = "../../csms-sdk/benches/server/mod.rs"]
#[allow(dead_code, reason = "one of its answers is for another benchmark")]
mod server;

use std::{
    env,
    error::Error,
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike as _,
};
use server::Server;
use tempfile::TempDir;

const CSMS: &str = env!("CARGO_BIN_EXE_csms");
const EMPTY: &str = env!("CARGO_BIN_EXE_peer-empty");
const BARE_GET: &str = env!("CARGO_BIN_EXE_peer-get");

/// Argument that makes this program run another one and print what that takes.
const MEASURE: &str = "measure";
const ROUNDS: usize = 7;
const RUNS: usize = 40;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What a run of a program takes.
#[derive(Clone, Copy)]
struct Cost {
    /// From its start to its end, the median of the runs, in milliseconds.
    wall: f64,
    /// Processor time of all its threads in milliseconds.
    cpu: f64,
    /// The most memory of any of the runs in megabytes.
    memory: f64,
}

fn main() -> Outcome<ExitCode> {
    if server::is_wanted() {
        server::serve()?;
        return Ok(ExitCode::SUCCESS);
    }
    let words: Vec<String> = env::args().skip_while(|word| word != MEASURE).skip(1).collect();
    if let [program, arguments @ ..] = words.as_slice() {
        let Cost { wall, cpu, memory } = run(program, arguments)?;
        println!("{wall} {cpu} {memory}");
        return Ok(ExitCode::SUCCESS);
    }
    let place = Place { server: Server::start()?, cache: tempfile::tempdir()? };
    let names = place.command(&[CSMS, "--", "csms", "get", "production-database-6"]).output()?;
    if !String::from_utf8_lossy(&names.stdout).contains("production-database-61") {
        return Err("names are not completed, so there is nothing to measure".into());
    }
    let url = format!("{}/v1/project/secrets/db/versions/v3", place.server.endpoint);
    let version = compare(&place, [&[CSMS, "--version"], &[EMPTY, "--version"]])?;
    let help = compare(&place, [&[CSMS, "--help"], &[EMPTY, "--help"]])?;
    let get = compare(&place, [&[CSMS, "get", "db@v3"], &[BARE_GET, &url]])?;
    let complete = compare(&place, [&[CSMS, "--", "csms", "get", "production-database-6"], &[EMPTY, "--version"]])?;
    let exec = compare(&place, [&[CSMS, "exec", "--env", "A=db@v3", "--", "/bin/true"], &["/bin/true"]])?;

    println!("                                           csms     peer  compared  limit");
    let rows = [
        ("--version, an empty program: ms", version.map(|cost| cost.wall), Limit::Ratio(2.0)),
        ("--version, an empty program: ms", version.map(|cost| cost.wall), Limit::More(3.0)),
        ("--help, an empty program: ms", help.map(|cost| cost.wall), Limit::More(5.0)),
        ("get, bare reqwest: ms", get.map(|cost| cost.wall), Limit::More(15.0)),
        ("get, bare reqwest: ms of CPU", get.map(|cost| cost.cpu), Limit::Ratio(1.3)),
        ("get, bare reqwest: MB of memory", get.map(|cost| cost.memory), Limit::More(8.0)),
        ("completion, an empty program: ms", complete.map(|cost| cost.wall), Limit::More(50.0)),
        ("exec, its command alone: ms", exec.map(|cost| cost.wall), Limit::More(15.0)),
    ];
    let mut all_within = true;
    for (what, [ours, peer], limit) in rows {
        let (compared, most) = match limit {
            Limit::Ratio(most) => (ours / peer, most),
            Limit::More(most) => (ours - peer, most),
        };
        all_within &= compared <= most;
        let sign = if matches!(limit, Limit::Ratio(_)) { "×" } else { "+" };
        println!("{what:<40} {ours:>8.2} {peer:>8.2} {sign}{compared:>8.2} {most:>6.1}");
    }
    Ok(if all_within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How much more than the peer ours may take.
enum Limit {
    Ratio(f64),
    More(f64),
}

/// Both programs in turns; the median round of each counts, so that what else the machine does weighs the same for both.
fn compare(place: &Place, commands: [&[&str]; 2]) -> Outcome<[Cost; 2]> {
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (command, costs) in commands.iter().zip(&mut costs) {
            costs.push(measured(place, command)?);
        }
    }
    Ok(costs.map(|costs| Cost {
        wall: median(costs.iter().map(|cost| cost.wall)),
        cpu: median(costs.iter().map(|cost| cost.cpu)),
        memory: median(costs.iter().map(|cost| cost.memory)),
    }))
}

/// Where programs run.
struct Place {
    server: Server,
    /// For names to be completed, which are fetched once.
    cache: TempDir,
}

impl Place {
    /// A command that finds the service and nothing else in its environment.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .env_clear()
            .env("XDG_CACHE_HOME", self.cache.path())
            // Only what stands behind `--` is completed.
            .env("CSMS_COMPLETE", "bash")
            .env("CSMS_ENDPOINT", &self.server.endpoint)
            .env("CSMS_REGION", "cn-north-4")
            .env("CSMS_PROJECT_ID", "0123456789abcdef0123456789abcdef")
            .env("CSMS_ACCESS_KEY", "EXAMPLEACCESSKEY0001")
            .env("CSMS_SECRET_KEY", "ExampleSecretKey/0123456789+abcdefABCDEF")
            .stderr(Stdio::inherit());
        command
    }
}

/// Has a fresh process run a command: what the system says of children is a sum over all of a process.
fn measured(place: &Place, command: &[&str]) -> Outcome<Cost> {
    let this = env::current_exe()?;
    let words = [&[this.to_str().ok_or("an odd path")?, MEASURE], command].concat();
    let output = place.command(&words).output()?;
    let text = String::from_utf8(output.stdout)?;
    let figures: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let &[wall, cpu, memory] = figures.as_slice() else { return Err(format!("{command:?} failed").into()) };
    Ok(Cost { wall, cpu, memory })
}

fn run(program: &str, arguments: &[String]) -> Outcome<Cost> {
    let mut walls = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        let status = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
        walls.push(start.elapsed().as_secs_f64() * 1000.0);
        if !status.success() {
            return Err(format!("{program} ended with {status}").into());
        }
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Cost { wall: median(walls), cpu: cpu as f64 / 1000.0 / RUNS as f64, memory: usage.max_rss() as f64 / 1024.0 })
}

fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
