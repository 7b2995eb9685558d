//! CSMS, KMS, IAM and STS on one machine, for development and tests. Never a place for production secrets.

mod fault;
mod store;
mod table;
