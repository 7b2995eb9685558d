//! Sign a request without sending it, and call a path that has no type here.
//!
//! `cargo run --example prepare`
#![allow(clippy::print_stdout)] // an example shows what it does

use csms_examples::{Error, Service};
use csms_sdk::{
    Service as Cloud,
    csms::{CreateSecret, ListSecrets, ShowSecretVersion},
    operation::Method,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start().await?;
    CreateSecret::new("demo").secret_string("value").send(&service.client).await?;

    let request = service.client.prepare(ListSecrets::new().limit(10)).await?;
    println!("{} {}", request.method(), request.uri().path_and_query().map_or("/", |target| target.as_str()));
    for (name, value) in request.headers() {
        // The values of secret headers are marked, so that `{:?}` does not show them.
        println!("  {name}: {value:?}");
    }

    let path = "/v1/{project_id}/secrets/demo/versions/latest";
    let answer = service.client.raw(Cloud::Csms, Method::GET, path, None).await?;
    let same = ShowSecretVersion::new("demo", "latest").send(&service.client).await?;
    println!("raw: HTTP {}, typed: HTTP {}", answer.status(), same.status());
    Ok(())
}
