//! What signing costs next to the hashing it cannot do without.
//!
//! `bare` is SHA-256 of the body, if any, SHA-256 of the canonical request, and HMAC-SHA256 with key set-up over the
//! string to sign, on the same bytes. The program fails if signing costs more than its promised multiple of that.
#![allow(clippy::print_stdout, reason = "the table is the product")]

use std::{hint::black_box, process::ExitCode, time::Instant};

use csms_sdk::sign::{self, Payload, Request, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const ACCESS_KEY: &str = "EXAMPLEACCESSKEY0001";
const SECRET_KEY: &[u8] = b"ExampleSecretKey/0123456789+abcdefABCDEF";
const TIMESTAMP: &str = "20260102T030405Z";
/// A round times every case once, signing and bare in turn, and a run takes about three seconds: a disturbance of the
/// machine falls on all alike, and must last half that long to move a median. Under one, the ratios rise: a neighbour
/// on the same core slows ordinary code more than the hashing instructions.
const ROUNDS: usize = 2001;
const BATCH_NANOSECONDS: f64 = 200_000.0;

fn main() -> ExitCode {
    let get = Request {
        method: "GET",
        path: "/v1/0123456789abcdef0123456789abcdef/secrets",
        query: "limit=50&marker=prod-db",
        headers: &[
            ("host", "csms.cn-north-4.myhuaweicloud.com"),
            ("x-project-id", "0123456789abcdef0123456789abcdef"),
            ("x-sdk-date", TIMESTAMP),
        ],
        payload: Payload::Bytes(b""),
    };
    let (small, large) = (vec![b'x'; 1 << 10], vec![b'x'; 1 << 16]);
    let post = |body| Request {
        method: "POST",
        query: "",
        headers: &[
            ("content-type", "application/json"),
            ("host", "csms.cn-north-4.myhuaweicloud.com"),
            ("x-project-id", "0123456789abcdef0123456789abcdef"),
            ("x-sdk-date", TIMESTAMP),
        ],
        payload: Payload::Bytes(body),
        ..get
    };

    let mut cases = [
        Case::new("small GET", 1.6, get, &[]),
        Case::new("1 KB POST", 1.3, post(&small), &small),
        Case::new("64 KB POST", 1.05, post(&large), &large),
    ];
    for _ in 0..ROUNDS {
        cases.iter_mut().for_each(Case::measure);
    }

    println!("case           sign ns   bare ns   ratio  limit");
    let mut all_within = true;
    for Case { name, limit, sign_times, bare_times, .. } in cases {
        let (sign, bare) = (median(sign_times), median(bare_times));
        let ratio = sign / bare;
        all_within &= ratio <= limit;
        println!("{name:<12} {sign:>9.0} {bare:>9.0} {ratio:>7.3} {limit:>6.2}");
    }
    if all_within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Case<'a> {
    name: &'static str,
    /// Highest ratio promised.
    limit: f64,
    request: Request<'a>,
    body: &'a [u8],
    key: SigningKey,
    canonical_request: String,
    string_to_sign: String,
    /// Calls in a batch.
    repeats: u32,
    /// Nanoseconds per call, one entry per round.
    sign_times: Vec<f64>,
    bare_times: Vec<f64>,
}

impl<'a> Case<'a> {
    fn new(name: &'static str, limit: f64, request: Request<'a>, body: &'a [u8]) -> Self {
        let key = SigningKey::sdk(ACCESS_KEY, SECRET_KEY);
        let mut case = Self {
            name,
            limit,
            request,
            body,
            canonical_request: sign::canonical_request(&request),
            string_to_sign: sign::string_to_sign(&key, &request, TIMESTAMP),
            key,
            repeats: 0,
            sign_times: Vec::with_capacity(ROUNDS),
            bare_times: Vec::with_capacity(ROUNDS),
        };
        let once = time(50, || case.bare());
        case.repeats = (BATCH_NANOSECONDS / once).ceil() as u32;
        case
    }

    fn measure(&mut self) {
        self.sign_times.push(time(self.repeats, || self.sign()));
        self.bare_times.push(time(self.repeats, || self.bare()));
    }

    fn sign(&self) {
        let (key, request) = (black_box(&self.key), black_box(&self.request));
        black_box(sign::sign(key, request, black_box(TIMESTAMP)));
    }

    fn bare(&self) {
        if !self.body.is_empty() {
            black_box(Sha256::digest(black_box(self.body)));
        }
        black_box(Sha256::digest(black_box(self.canonical_request.as_bytes())));
        if let Ok(mac) = Hmac::<Sha256>::new_from_slice(black_box(SECRET_KEY)) {
            let mac = mac.chain_update(black_box(self.string_to_sign.as_bytes()));
            black_box(mac.finalize());
        }
    }
}

/// Nanoseconds of one call of `work`.
fn time(repeats: u32, work: impl Fn()) -> f64 {
    let start = Instant::now();
    for _ in 0..repeats {
        work();
    }
    start.elapsed().as_nanos() as f64 / f64::from(repeats)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
