//! The program as its users run it: the real binary, a mock server, a cleared environment.

#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

mod emulate;
mod envelope;
mod errors;
#[cfg(unix)] // the commands are those of a Unix shell
mod exec;
mod export;
mod help;
mod inject;
#[cfg(target_os = "linux")]
mod interaction;
mod keys;
mod local;
mod operations;
mod output;
mod paging;
mod program;
mod redacting;
mod replicas;
mod secrets;
mod settings;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(unix)] // the commands are those of a Unix shell
mod tour;
mod user;
mod verbs;
mod waiting;
mod writing;
