//! What a typed, signed call costs next to the same exchange by a bare `reqwest` client, in processor time of the
//! client's thread.
//!
//! `bare` puts together, header by header, the request that the call sends, with a signature made beforehand, and reads
//! the answer into the same type. The service is another process, so its work does not count. The program fails if a call costs more than its
//! promised multiple of that.
#![allow(clippy::print_stdout, reason = "the table is the product")]

mod server;

use std::{error::Error, hint::black_box, process::ExitCode, sync::Arc, time::Duration};

use csms_sdk::{
    Client, Operation,
    credentials::AccessKeys,
    csms::{ListSecretResponseBody, ListSecrets, ShowSecretVersion, ShowSecretVersionResponseBody},
};
use rustix::time::{ClockId, clock_gettime};
use serde::de::DeserializeOwned;
use server::Server;
use tokio::{runtime::Runtime, task::JoinSet};

type Headers = Vec<(String, String)>;
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const PROJECT: &str = "0123456789abcdef0123456789abcdef";
/// A round measures every case once, SDK and bare in turn: a disturbance of the machine falls on both alike.
const ROUNDS: usize = 300;
/// Calls of a batch.
const BATCH: usize = 256;

fn main() -> Outcome<ExitCode> {
    if server::is_wanted() {
        server::serve()?;
        return Ok(ExitCode::SUCCESS);
    }
    let server = Server::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let pair = runtime.block_on(Pair::new(&server.endpoint))?;

    let mut cases = [
        Case::new("one at a time", 1.05, 1, Exchange::Version),
        Case::new("64 at once", 1.15, 64, Exchange::Version),
        Case::new("40 KB page", 1.05, 1, Exchange::Page),
    ];
    for round in 0..ROUNDS {
        for case in &mut cases {
            case.measure(&runtime, &pair, round % 2 == 0)?;
        }
    }

    println!("case             sdk us   bare us   ratio  limit");
    let mut all_within = true;
    for Case { name, limit, sdk_times, bare_times, .. } in cases {
        let (sdk, bare) = (median(sdk_times), median(bare_times));
        let ratio = sdk / bare;
        all_within &= ratio <= limit;
        println!("{name:<14} {sdk:>8.2} {bare:>9.2} {ratio:>7.3} {limit:>6.2}");
    }
    Ok(if all_within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Case {
    name: &'static str,
    /// Highest ratio promised.
    limit: f64,
    at_once: usize,
    exchange: Exchange,
    /// Microseconds per call, one entry per round.
    sdk_times: Vec<f64>,
    bare_times: Vec<f64>,
}

#[derive(Clone, Copy)]
enum Exchange {
    Version,
    Page,
}

impl Case {
    fn new(name: &'static str, limit: f64, at_once: usize, exchange: Exchange) -> Self {
        Self { name, limit, at_once, exchange, sdk_times: Vec::new(), bare_times: Vec::new() }
    }

    fn measure(&mut self, runtime: &Runtime, pair: &Arc<Pair>, sdk_first: bool) -> Outcome<()> {
        let (at_once, exchange) = (self.at_once, self.exchange);
        let mut sdk = || runtime.block_on(batch(at_once, pair, move |pair| async move { pair.sdk(exchange).await }));
        let mut bare = || runtime.block_on(batch(at_once, pair, move |pair| async move { pair.bare(exchange).await }));
        let (sdk_time, bare_time);
        if sdk_first {
            sdk_time = time(&mut sdk)?;
            bare_time = time(&mut bare)?;
        } else {
            bare_time = time(&mut bare)?;
            sdk_time = time(&mut sdk)?;
        }
        self.sdk_times.push(sdk_time);
        self.bare_times.push(bare_time);
        Ok(())
    }
}

/// Makes a batch of calls, so many at once.
async fn batch<F>(
    at_once: usize,
    pair: &Arc<Pair>,
    call: impl Fn(Arc<Pair>) -> F + Copy + Send + 'static,
) -> Outcome<()>
where
    F: Future<Output = Outcome<()>> + Send,
{
    let mut tasks = JoinSet::new();
    for _ in 0..at_once {
        let pair = Arc::clone(pair);
        tasks.spawn(async move {
            for _ in 0..BATCH / at_once {
                call(Arc::clone(&pair)).await?;
            }
            Outcome::Ok(())
        });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome??;
    }
    Ok(())
}

/// The two clients, and what the bare one has to know.
struct Pair {
    sdk: Client,
    bare: reqwest::Client,
    endpoint: String,
    version_headers: Headers,
    page_headers: Headers,
}

impl Pair {
    async fn new(endpoint: &str) -> Outcome<Arc<Self>> {
        let keys = AccessKeys::new("EXAMPLEACCESSKEY0001", "ExampleSecretKey/0123456789+abcdefABCDEF");
        let builder = Client::builder().endpoint(endpoint).project_id(PROJECT).no_proxy();
        let sdk = builder.credentials(csms_sdk::credentials::Credentials::from(keys)).build()?;
        // Built as it is here, it has none of its own, and asks for one even where no TLS is spoken.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The settings of the SDK's own client.
        let bare = reqwest::Client::builder()
            .user_agent(concat!("csms-sdk-rust/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(8))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .build()?;
        let version_headers = headers(&sdk, version()).await?;
        let page_headers = headers(&sdk, ListSecrets::new()).await?;
        Ok(Arc::new(Self { sdk, bare, endpoint: endpoint.to_owned(), version_headers, page_headers }))
    }

    async fn sdk(&self, exchange: Exchange) -> Outcome<()> {
        match exchange {
            Exchange::Version => drop(black_box(version().send(&self.sdk).await?)),
            Exchange::Page => drop(black_box(ListSecrets::new().send(&self.sdk).await?)),
        }
        Ok(())
    }

    async fn bare(&self, exchange: Exchange) -> Outcome<()> {
        let endpoint = &self.endpoint;
        match exchange {
            Exchange::Version => {
                let (name, version) = black_box(("db-password", "latest"));
                let url = format!("{endpoint}/v1/{PROJECT}/secrets/{name}/versions/{version}");
                let answer = self.get::<ShowSecretVersionResponseBody>(&url, &self.version_headers).await?;
                drop(black_box(answer));
            }
            Exchange::Page => {
                let url = format!("{endpoint}/v1/{PROJECT}/secrets");
                drop(black_box(self.get::<ListSecretResponseBody>(&url, &self.page_headers).await?));
            }
        }
        Ok(())
    }

    async fn get<T: DeserializeOwned>(&self, url: &str, headers: &Headers) -> Outcome<T> {
        let request = headers.iter().fold(self.bare.get(url), |request, (name, value)| request.header(name, value));
        let answer = request.send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }
}

fn version() -> ShowSecretVersion {
    let (name, version) = black_box(("db-password", "latest"));
    ShowSecretVersion::new(name, version)
}

/// The headers that the SDK sends; the HTTP layer adds the host.
async fn headers(sdk: &Client, operation: impl Operation) -> Outcome<Headers> {
    let request = sdk.prepare(operation).await?;
    let headers = request.headers().iter().filter(|(name, _)| *name != http::header::HOST);
    headers.map(|(name, value)| Ok((name.to_string(), value.to_str()?.to_owned()))).collect()
}

/// Processor time of a call in microseconds, as one of a batch.
fn time(batch: &mut impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let start = clock_gettime(ClockId::ThreadCPUTime);
    batch()?;
    let spent = clock_gettime(ClockId::ThreadCPUTime) - start;
    Ok((spent.tv_sec as f64 * 1e6 + spent.tv_nsec as f64 / 1e3) / BATCH as f64)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
