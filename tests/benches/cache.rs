//! What a cached read costs next to reading an `Arc` out of a `RwLock<HashMap>`.
//!
//! Both hold the same secrets and are read in turn, by one thread and by two, in the same order of names. What counts is the
//! time on the wall, the median of the rounds. The program fails over a promise that is not kept.
#![allow(clippy::print_stdout, reason = "the table is the product")]

use std::{
    collections::HashMap,
    error::Error,
    hint::black_box,
    process::ExitCode,
    sync::{Arc, PoisonError, RwLock},
    thread,
    time::Instant,
};

use csms_emulator::Emulator;
use csms_sdk::{cache::SecretCache, csms::CreateSecret, store::SecretValue};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;
type Map = RwLock<HashMap<String, Arc<SecretValue>>>;

const ROUNDS: usize = 9;
const READS: usize = 1_000_000;
const SECRETS: usize = 64;
const MOST_RATIO: f64 = 3.0;

fn main() -> Outcome<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let emulator = runtime.block_on(Emulator::start())?;
    let client = emulator.client();
    let cache = SecretCache::new(&client);
    let (mut names, mut fields, mut map) = (Vec::new(), Vec::new(), HashMap::new());
    for number in 0..SECRETS {
        let (name, field) = (format!("db-password-{number}"), format!("db-password-{number}#password"));
        let value = r#"{"user":"shop","password":"correct horse"}"#;
        runtime.block_on(CreateSecret::new(&name).secret_string(value).send(&client))?;
        for text in [&name, &field] {
            map.insert(text.clone(), runtime.block_on(cache.get(text))?);
        }
        names.push(name);
        fields.push(field);
    }
    let map = Map::new(map);

    println!("a read            ours ns   bare ns   ratio  limit");
    let mut all_within = true;
    for (what, texts) in [("secret", &names), ("field", &fields)] {
        for threads in [1, 2] {
            let (mut ours, mut bare) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                ours.push(nanoseconds(threads, || cached(&cache, texts))?);
                bare.push(nanoseconds(threads, || mapped(&map, texts))?);
            }
            let (ours, bare) = (median(ours), median(bare));
            all_within &= ours / bare <= MOST_RATIO;
            println!("{what:<7}{threads} thread(s) {ours:>6.1} {bare:>9.1} {:>7.2} {MOST_RATIO:>6.2}", ours / bare);
        }
    }
    let metrics = cache.metrics();
    let expected = (2 * ROUNDS * READS * (1 + 2)) as u64;
    println!("{} hits, {} fetches", metrics.hits, metrics.fetches);
    if metrics.hits < expected || metrics.fetches != SECRETS as u64 {
        return Err("something else than hits was measured".into());
    }
    Ok(if all_within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Nanoseconds of a read, where each of the threads makes all of them.
fn nanoseconds(threads: usize, reads: impl Fn() -> Outcome<()> + Sync) -> Outcome<f64> {
    let start = Instant::now();
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(&reads)).collect();
        running.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    Ok(start.elapsed().as_secs_f64() * 1e9 / READS as f64)
}

fn cached(cache: &SecretCache, texts: &[String]) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        for text in texts.iter().cycle().take(READS) {
            black_box(cache.get(black_box(text)).await?);
        }
        Ok(())
    })
}

fn mapped(map: &Map, texts: &[String]) -> Outcome<()> {
    for text in texts.iter().cycle().take(READS) {
        let map = map.read().unwrap_or_else(PoisonError::into_inner);
        black_box(map.get(black_box(text)).cloned());
    }
    Ok(())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
