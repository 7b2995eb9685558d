//! Typed async client for Huawei Cloud CSMS (secrets) and KMS (keys).
//!
//! Every operation of the API reference is a struct in [`csms`], [`kms`] or [`iam`]: `new` takes what is required, a setter
//! each takes the rest, `send` sends it to a [`Client`].
//!
//! ```no_run
//! use csms_sdk::{Client, csms, kms};
//!
//! # async fn example() -> Result<(), csms_sdk::Error> {
//! let client = Client::builder().region("cn-north-4").build()?;
//!
//! csms::CreateSecret::new("db-password").secret_string("correct horse").send(&client).await?;
//! let answer = csms::ShowSecretVersion::new("db-password", "latest").send(&client).await?;
//! let value = answer.version.as_ref().and_then(|version| version.secret_string.as_ref());
//! assert_eq!(format!("{value:?}"), "Some([REDACTED])");
//!
//! let random = kms::CreateRandom::new(512).send(&client).await?;
//! println!("request {:?}", random.request_id());
//! # Ok(())
//! # }
//! ```
//!
//! | to | look at |
//! | --- | --- |
//! | set a client up | [`ClientBuilder`], [`credentials`], [`region`] |
//! | read, log and classify what went wrong | [`Error`], [`ErrorKind`] |
//! | handle values that must not be printed | [`SecretString`] |
//! | read and change secrets by reference | [`store`], [`reference`](mod@reference) |
//! | bring many secrets to given values | [`bulk`] |
//! | call keys by name or alias, create them | [`keys`] |
//! | give keys material of your own | `keys::Import`, with the feature `import` |
//! | make a password up | [`password`] |
//! | keep secrets at hand | [`cache`] |
//! | list everything, page by page | [`page`] |
//! | wait until something is in a state | [`wait`] |
//! | notice that secrets have changed | [`watch`] |
//! | copy a secret or a key to several regions | [`replicate`] |
//! | repeat, time out, send unchecked | [`RetryPolicy`](retry::RetryPolicy), [`CallOptions`] |
//! | work from the tables instead of the types | [`operations`], [`model`], [`Client::send_json`], [`page`] |
//! | sign without a client | [`sign`] |
//! | write the IAM policy that some calls need | [`policy`] |
//! | test your own code | `testing`, with the feature of that name |
//! | call without `async` | `blocking`, with the feature of that name |
//!
//! Needs a `tokio` runtime. Makes `ring` the process's TLS provider unless the program has chosen one; trusts the
//! system's certificate authorities and those added. Logs through `tracing`, at `debug` and `warn`, with a [span](client#spans)
//! for each call, never a secret.

#[cfg(feature = "blocking")]
pub mod blocking;
pub mod bulk;
pub mod cache;
pub mod check;
pub mod client;
pub mod clock;
pub mod credentials;
mod encode;
pub mod env;
pub mod envelope;
pub mod error;
pub mod keys;
pub mod model;
pub mod operation;
pub mod page;
pub mod password;
pub mod policy;
pub mod reference;
pub mod region;
mod registry;
pub mod replicate;
pub mod retry;
pub mod secret;
pub mod sign;
mod single_flight;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
mod transport;
pub mod value;
pub mod wait;
pub mod watch;

pub mod csms;
pub mod iam;
pub mod kms;

pub(crate) use registry::registry;
pub use registry::{OperationVisitor, operation, operations, visit_operations};

pub use client::{CallOptions, Client, ClientBuilder};
pub use error::{Error, ErrorKind};
pub use operation::{Caller, Operation, OperationInfo, Response, Service};
pub use secret::{SecretBytes, SecretJson, SecretString};
pub use time::Timestamp;
