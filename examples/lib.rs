//! What the examples talk to: recorded exchanges on this machine, or the real service.

use csms_sdk::{Client, Error, credentials::Credentials};
use wiremock::MockServer;

/// A client, and the local server behind it if there is one.
///
/// With `CSMS_EXAMPLES=live` the client is set up from your own credentials and region, and calls cost what they
/// cost. Without it, a server on this machine answers from the recorded exchanges of `wiremock-fixtures`; it
/// needs no account.
pub struct Service {
    /// To send operations with.
    pub client: Client,
    server: Option<MockServer>,
}

impl Service {
    /// Starts it with these exchanges mounted, e.g. `csms/CreateSecret/minimal`.
    ///
    /// # Errors
    /// When the settings of a live run are incomplete.
    ///
    /// # Panics
    /// When there is no such exchange.
    pub async fn start(exchanges: &[&str]) -> Result<Self, Error> {
        if std::env::var("CSMS_EXAMPLES").is_ok_and(|value| value == "live") {
            return Ok(Self { client: Client::builder().build()?, server: None });
        }
        let server = MockServer::start().await;
        for name in exchanges {
            let exchange = wiremock_fixtures::find(name).unwrap_or_else(|| panic!("{name} is not recorded"));
            exchange.mount(&server).await;
        }
        let client = Client::builder()
            .region(wiremock_fixtures::REGION)
            .project_id(wiremock_fixtures::PROJECT_ID)
            .endpoint(server.uri())
            .iam_endpoint(server.uri())
            .credentials(Credentials::keys(wiremock_fixtures::ACCESS_KEY, wiremock_fixtures::SECRET_KEY))
            .no_proxy()
            .build()?;
        Ok(Self { client, server: Some(server) })
    }

    /// What the local server received: method, path, and whether the signature is valid. Nothing in a live run.
    pub async fn received(&self) -> Vec<String> {
        let Some(server) = &self.server else { return Vec::new() };
        let requests = server.received_requests().await.unwrap_or_default();
        let line = |request: &wiremock::Request| {
            let signature = match wiremock_fixtures::verify_signature(request, wiremock_fixtures::SECRET_KEY) {
                Ok(()) => "signature valid".to_owned(),
                Err(problem) => format!("SIGNATURE WRONG: {problem}"),
            };
            format!("{} {} ({signature})", request.method, request.url.path())
        };
        requests.iter().map(line).collect()
    }
}
