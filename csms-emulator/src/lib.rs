//! CSMS, KMS, IAM and STS on one machine, for development and tests. Never a place for production secrets.

#[allow(dead_code)] // until the KMS calls it
mod crypto;
mod fault;
mod table;
