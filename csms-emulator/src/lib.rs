//! CSMS, KMS, IAM and STS on one machine, for development and tests. Never a place for production secrets.

#![allow(dead_code, reason = "the services that use these modules are still to come")]

mod fault;
mod faults;
mod table;
