//! CSMS, KMS, IAM and STS on one machine, for development and tests. Never a place for production secrets.
//!
//! One HTTP server, in this process, that answers every operation of the SDK with state, with real cryptography and with
//! signatures and tokens checked. The official SDKs cannot tell it from the service.
//!
//! ```
//! use csms_emulator::Emulator;
//! use csms_sdk::csms::{CreateSecret, ShowSecretVersion};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::start().await?;
//! let client = emulator.client();
//! CreateSecret::new("demo").secret_string("value").send(&client).await?;
//! let answer = ShowSecretVersion::new("demo", "latest").send(&client).await?;
//! assert!(answer.version.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! It stops when it is dropped. Other programs reach it at [`Emulator::endpoint`] with [`Emulator::keys`]; `csms emulate`
//! prints the variables that lead them there.
//!
//! # Regions
//!
//! Each has a project of its own. A request is for the region that its path begins with
//! ([`endpoint_in`](Emulator::endpoint_in)), that its host names (`kms.cn-east-3.…`), or that its project belongs to.
//!
//! ```
//! # use csms_emulator::Emulator;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::builder().regions(["cn-north-4", "cn-east-3"]).start().await?;
//! let elsewhere = emulator.client().for_region("cn-east-3")?;
//! assert_eq!(elsewhere.project_id().await?, emulator.project_id("cn-east-3").ok_or("not played")?);
//! # Ok(())
//! # }
//! ```
//!
//! # What is kept
//!
//! Nothing, or with [`Builder::data`] everything: in one file, sealed under the key in the file beside it. An answered
//! write survives the end of the process at any moment.
//!
//! ```no_run
//! # use csms_emulator::Emulator;
//! # async fn example() -> Result<(), csms_emulator::StartError> {
//! let emulator = Emulator::builder().data("emulator.data").start().await?;
//! emulator.shutdown().await; // or drop it
//! # Ok(())
//! # }
//! ```
//!
//! # Faults and time
//!
//! [`seed`] tells what an emulator can begin with, [`control`] what can be done to it while it runs, [`faults`] what can be
//! made to go wrong.
//!
//! ```
//! # use csms_emulator::Emulator;
//! # use csms_sdk::{ErrorKind, csms::ShowSecret};
//! # use std::time::Duration;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::start().await?;
//! emulator.set_faults(&serde_json::json!([{"operation": "ShowSecret", "status": 403}]))?;
//! let error = ShowSecret::new("demo").send(&emulator.client()).await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::PermissionDenied);
//! emulator.clear_faults();
//! // A week on, what was to be deleted within it is gone.
//! emulator.advance(Duration::from_secs(7 * 24 * 60 * 60));
//! # Ok(())
//! # }
//! ```
//!
//! # HTTPS
//!
//! With [`Builder::tls`] the same port takes HTTPS as well, under an authority that clients have to be told to trust.
//!
//! ```
//! # use csms_emulator::Emulator;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::builder().tls().start().await?;
//! let (access_key, secret_key) = emulator.keys();
//! let client = csms_sdk::Client::builder()
//!     .region("cn-north-4")
//!     .endpoint(emulator.tls_endpoint().ok_or("no TLS")?)
//!     .iam_endpoint(emulator.tls_endpoint().ok_or("no TLS")?)
//!     .credentials(csms_sdk::credentials::Credentials::keys(access_key, secret_key))
//!     .root_certificates_pem(emulator.ca_pem().ok_or("no TLS")?)
//!     .no_proxy()
//!     .build()?;
//! client.project_id().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! What needs other parts of the cloud keeps its states and answers as documented, and does nothing outside: databases
//! whose passwords rotate, clusters of hardware modules, messages of SMN, enclaves. There are no policies: credentials may
//! do everything in their account, a token and the temporary keys it buys in the one project it is scoped to. The data file
//! is sealed against a look at the disk, not against who runs the process.

mod agenda;
mod auth;
mod call;
mod clock;
pub mod control;
mod crypto;
mod csms;
mod emulator;
mod fault;
pub mod faults;
mod gateway;
mod iam;
mod id;
mod journal;
mod kms;
mod options;
mod region;
mod request;
mod route;
mod secret;
pub mod seed;
mod server;
mod shared;
mod store;
mod table;
mod tags;
mod tls;
mod world;

pub use emulator::{Emulator, StartError, StartErrorKind};
pub use options::{Builder, Quotas};

/// The code of the README, which has to compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
