//! Clients that send what the fixtures have recorded.

use std::{
    collections::HashMap,
    future::Future,
    time::{Duration, SystemTime},
};

use csms_sdk::{
    Client, ClientBuilder, OperationInfo, Service, clock::Clock, credentials::Credentials, env::Env, operations,
    retry::RetryPolicy,
};
use tokio::runtime::Runtime;
use wiremock::MockServer;
use wiremock_fixtures::{ACCESS_KEY, Fixture, PROJECT_ID, REGION, SECRET_KEY, UNIX_TIME};

/// A server that answers one exchange at a time, and clients that call it.
pub struct Replay {
    runtime: Runtime,
    server: MockServer,
    /// By user token: setting up a client reads the system's certificates, which is slow.
    clients: HashMap<Option<&'static str>, Client>,
}

impl Replay {
    /// Starts the server.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    #[allow(clippy::expect_used)] // without a runtime there is no test
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let server = runtime.block_on(MockServer::start());
        Self { runtime, server, clients: HashMap::new() }
    }

    /// Answers this exchange, and no other, from now on.
    ///
    /// To the recorded headers and signature. Where the answer says that the request is not authentic, the client
    /// may repeat it with the server's time, which no recording knows: then the content alone decides.
    pub fn answer(&mut self, fixture: &Fixture) {
        if self.received().len() > 1 {
            // A client that repeated its request has learned another time.
            self.clients.clear();
        }
        self.runtime.block_on(async {
            self.server.reset().await;
            fixture.strict_mock().mount(&self.server).await;
            if !fixture.is_success() {
                fixture.mock().with_priority(9).mount(&self.server).await;
            }
        });
    }

    /// Answers the content of this exchange, whoever sends it.
    pub fn answer_leniently(&self, fixture: &Fixture) {
        self.runtime.block_on(async {
            self.server.reset().await;
            fixture.mount(&self.server).await;
        });
    }

    /// Where the server listens.
    #[must_use]
    pub fn uri(&self) -> String {
        self.server.uri()
    }

    /// A client for this exchange.
    ///
    /// # Panics
    /// When its settings are refused.
    #[allow(clippy::expect_used)] // the settings are ours
    pub fn client(&mut self, fixture: &'static Fixture) -> Client {
        let uri = self.server.uri();
        let token = fixture.request.headers.get("x-auth-token").map(String::as_str);
        self.clients.entry(token).or_insert_with(|| client_of(fixture, &uri).build().expect("good settings")).clone()
    }

    /// Waits for a call.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// What the server received for the exchange.
    pub fn received(&self) -> Vec<wiremock::Request> {
        self.runtime.block_on(self.server.received_requests()).unwrap_or_default()
    }
}

/// A client in the recorded context: project, region, time, and the kind of credentials of this exchange. It
/// calls the region's own endpoints and repeats nothing.
pub fn client(fixture: &Fixture) -> ClientBuilder {
    let credentials = match fixture.request.headers.get("x-auth-token") {
        Some(token) => Credentials::token(token.as_str()),
        None => Credentials::keys(ACCESS_KEY, SECRET_KEY),
    };
    Client::builder()
        .region(REGION)
        .project_id(PROJECT_ID)
        .credentials(credentials)
        .clock(Clock::from_fn(|| SystemTime::UNIX_EPOCH + Duration::from_secs(UNIX_TIME)))
        .env(Env::from_pairs([("", ""); 0]))
        .retry(RetryPolicy::none())
        .no_proxy()
}

/// The same client, calling `url` for every service.
pub fn client_of(fixture: &Fixture, url: &str) -> ClientBuilder {
    client(fixture).endpoint(url).iam_endpoint(url).service_endpoint(Service::Sts, url)
}

/// `csms/CreateSecret/success`.
#[must_use]
pub fn name(fixture: &Fixture) -> String {
    format!("{}/{}", fixture.operation, fixture.case)
}

/// The operation of an exchange.
///
/// # Panics
/// When the SDK has no such operation.
#[must_use]
pub fn info(fixture: &Fixture) -> &'static OperationInfo {
    operations().find(|info| info.id() == fixture.operation).unwrap_or_else(|| panic!("no {}", fixture.operation))
}
