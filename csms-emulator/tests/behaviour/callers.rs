//! Who calls: clients with other credentials than those of the default account, and plain HTTP.

use csms_emulator::Emulator;
use csms_sdk::{
    Client, Service,
    client::ClientBuilder,
    credentials::{AccessKeys, Credentials},
    env::Env,
    iam,
    retry::RetryPolicy,
};
use serde_json::Value as Json;

/// Sets up a client of all services, in the default region, that does not retry and reads no variables.
pub(crate) fn client(emulator: &Emulator) -> ClientBuilder {
    let anywhere = format!("{}/{{region}}", emulator.endpoint());
    let builder = Client::builder().region(&emulator.regions()[0]).no_proxy().retry(RetryPolicy::none()).env(env(&[]));
    let services = [Service::Csms, Service::Kms, Service::Iam, Service::Sts];
    services.into_iter().fold(builder, |builder, service| builder.service_endpoint(service, anywhere.clone()))
}

/// A client with these credentials.
pub(crate) fn with(emulator: &Emulator, credentials: impl Into<Credentials>) -> Client {
    client(emulator).credentials(credentials.into()).build().unwrap()
}

/// These environment variables.
pub(crate) fn env(variables: &[(&str, &str)]) -> Env {
    Env::from_pairs(variables.iter().copied())
}

/// The keys of an answer of IAM.
pub(crate) fn keys(credential: Option<iam::Credential>) -> AccessKeys {
    let credential = credential.unwrap();
    AccessKeys::new(credential.access.unwrap(), credential.secret.unwrap())
        .with_security_token(credential.securitytoken.unwrap())
}

/// A client of plain HTTP.
pub(crate) fn plain() -> reqwest::Client {
    // It asks for one, though it needs none. Another test may have been faster.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Status and body of a plain request.
pub(crate) async fn http(
    emulator: &Emulator,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let client = plain();
    let url = format!("{}{path}", emulator.endpoint());
    let request = client.request(method.parse().unwrap(), url).body(body.to_owned());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Status and JSON of a plain request.
pub(crate) async fn json(
    emulator: &Emulator,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, Json) {
    let (status, body) = http(emulator, method, path, headers, body).await;
    (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("{body}")))
}
