//! Typed async client for Huawei Cloud CSMS (secrets) and KMS (keys).

pub mod check;
pub mod client;
pub mod clock;
pub mod credentials;
mod encode;
pub mod env;
pub mod error;
pub mod model;
pub mod operation;
pub mod page;
pub mod region;
mod registry;
pub mod retry;
pub mod secret;
pub mod sign;
pub mod time;
mod transport;
pub mod value;

pub mod csms;
pub mod iam;
pub mod kms;

pub(crate) use registry::registry;
pub use registry::{OperationVisitor, operation, operations, visit_operations};

pub use client::{CallOptions, Client, ClientBuilder};
pub use csms_sdk_macros::Model;
pub use error::{Error, ErrorKind};
pub use operation::{Caller, Operation, OperationInfo, Response, Service};
pub use secret::{SecretBytes, SecretJson, SecretString};
pub use time::Timestamp;
