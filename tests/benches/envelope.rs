//! What envelope encryption costs next to the bare cipher, and how much memory.
//!
//! `bare` is AES-256-GCM of the same crate on 1 MiB blocks in one buffer, into which each block is copied first: ours has
//! to fetch its input as well. Both run in turn on one core, over 1 GiB each time; the emulator plays KMS in the same
//! process and is idle meanwhile. What counts is the processor time of the thread. The program fails over a promise that
//! is not kept.
#![allow(clippy::print_stdout, reason = "the table is the product")]

use std::{error::Error, fs, hint::black_box, process::ExitCode};

use aes_gcm::{
    Aes256Gcm,
    aead::{AeadInOut as _, KeyInit as _},
};
use csms_emulator::Emulator;
use csms_sdk::{envelope::Envelope, kms::CreateKey};
use rustix::time::{ClockId, clock_gettime};
use tokio::io::AsyncReadExt as _;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 5;
const LENGTH: u64 = 1 << 30;
/// What is decrypted comes from memory, so there is less of it, again and again.
const SEALED: u64 = 64 << 20;
const BLOCK: usize = 1 << 20;
const LEAST_RATIO: f64 = 0.85;
const MOST_KILOBYTES: u64 = 32 << 10;

fn main() -> Outcome<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> Outcome<ExitCode> {
    let emulator = Emulator::start().await?;
    let client = emulator.client();
    let created = CreateKey::new("bench").send(&client).await?.into_body();
    let key = created.key_info.and_then(|key| key.key_id).ok_or("the answer names no key")?;
    let envelope = Envelope::new(&client, key);

    let plain = vec![b'x'; BLOCK];
    let mut sealing = Ratio::default();
    for _ in 0..ROUNDS {
        let start = seconds();
        envelope.encrypt_stream(tokio::io::repeat(b'x').take(LENGTH), tokio::io::sink()).await?;
        sealing.ours.push(seconds() - start);
        sealing.bare.push(bare(LENGTH, BLOCK, &plain)?);
    }
    let peak = peak_kilobytes()?;

    let mut sealed = Vec::new();
    envelope.encrypt_stream(tokio::io::repeat(b'x').take(SEALED), &mut sealed).await?;
    let mut opening = Ratio::default();
    for _ in 0..ROUNDS {
        let start = seconds();
        for _ in 0..LENGTH / SEALED {
            envelope.decrypt_stream(&*sealed, tokio::io::sink()).await?;
        }
        opening.ours.push(seconds() - start);
        opening.bare.push(bare(LENGTH, BLOCK, &sealed)?);
    }

    println!("1 GiB           ours s    bare s   ratio  limit");
    let mut all_within = peak <= MOST_KILOBYTES;
    for (name, ratio) in [("encrypted", sealing), ("decrypted", opening)] {
        let (ours, bare) = (median(ratio.ours), median(ratio.bare));
        all_within &= bare / ours >= LEAST_RATIO;
        println!("{name:<12} {ours:>9.3} {bare:>9.3} {:>7.3} {LEAST_RATIO:>6.2}", bare / ours);
    }
    println!("peak memory, the emulator's included: {peak} KB, limit {MOST_KILOBYTES} KB");
    println!();
    println!("the bare cipher by block size, GiB/s");
    for bits in [12, 14, 15, 16, 17, 18, 20, 22] {
        println!("{:>6} KiB {:>7.2}", (1 << bits) >> 10, (LENGTH >> 30) as f64 / bare(LENGTH, 1 << bits, &[])?);
    }
    Ok(if all_within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Seconds of each round.
#[derive(Default)]
struct Ratio {
    ours: Vec<f64>,
    bare: Vec<f64>,
}

/// Seconds of the bare cipher, on copies of blocks of the source if there is one, else on the same block again and again.
fn bare(length: u64, block: usize, source: &[u8]) -> Outcome<f64> {
    let cipher = Aes256Gcm::new(&[7; 32].into());
    let mut buffer = vec![b'x'; block];
    let mut blocks = source.chunks_exact(block).cycle();
    let start = seconds();
    for number in 0..length / block as u64 {
        if let Some(block) = blocks.next() {
            buffer.copy_from_slice(block);
        }
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&number.to_be_bytes());
        let tag = cipher.encrypt_inout_detached(&nonce.into(), b"", buffer.as_mut_slice().into());
        black_box(tag.map_err(|_| "it does not encrypt")?);
    }
    Ok(seconds() - start)
}

/// Processor time of this thread.
fn seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The most memory of this process that was in RAM at once.
fn peak_kilobytes() -> Outcome<u64> {
    let report = fs::read_to_string("/proc/self/status")?;
    let line = report.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in status")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
