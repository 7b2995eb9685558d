//! The program as its users run it: the real binary, a mock server, a cleared environment.

#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

mod bulk;
mod cloud;
mod completion;
mod config;
mod doctor;
mod emulate;
mod envelope;
mod errors;
#[cfg(unix)] // the commands are those of a Unix shell
mod exec;
#[cfg(unix)] // the commands are those of a Unix shell
mod exec_watch;
#[cfg(unix)] // signals are among them
mod exit_codes;
mod export;
#[cfg(target_os = "linux")]
mod faults;
mod files;
mod help;
mod import_material;
mod inject;
#[cfg(target_os = "linux")]
mod interaction;
mod keys;
mod local;
#[cfg(target_os = "linux")]
mod narrow;
mod operations;
mod output;
mod paging;
#[cfg(unix)] // the commands are those of a Unix shell
mod policy;
mod program;
mod redacting;
mod replicas;
mod secrets;
mod settings;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(unix)] // the commands are those of a Unix shell
mod tour;
#[cfg(target_os = "linux")]
mod transcript;
mod user;
mod verbs;
mod waiting;
mod writing;
