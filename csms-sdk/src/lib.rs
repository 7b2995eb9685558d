//! Typed async client for Huawei Cloud CSMS (secrets) and KMS (keys).

pub mod check;
mod encode;
pub mod error;
pub mod model;
pub mod operation;
mod registry;
pub mod secret;
pub mod sign;
pub mod time;
pub mod value;

pub mod csms;
pub mod kms;

pub use registry::{operation, operations};

pub use csms_sdk_macros::Model;
pub use error::{Error, ErrorKind};
pub use operation::{Caller, Operation, OperationInfo, Response, Service};
pub use secret::{SecretBytes, SecretJson, SecretString};
pub use time::Timestamp;
/// Placeholder.
pub struct Client;
