//! CSMS, KMS, IAM and STS on one machine, for development and tests. Never a place for production secrets.

#![allow(dead_code, reason = "the services that use these modules are still to come")]

mod auth;
mod crypto;
mod fault;
mod faults;
mod region;
mod request;
mod route;
mod server;
mod store;
mod table;
mod tls;
