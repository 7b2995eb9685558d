//! The program as its users run it: the real binary, a mock server, a cleared environment.

#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

mod emulate;
mod errors;
mod help;
mod local;
mod operations;
mod output;
mod paging;
mod program;
mod secrets;
mod settings;
