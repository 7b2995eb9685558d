//! How the emulator behaves to those who call it: one file per subject.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

mod agreement;
mod authentication;
mod backups;
mod batches;
mod callers;
mod control;
mod data_keys;
mod encryption;
mod events;
mod federation;
mod key_aliases;
mod key_grants;
mod key_import;
mod key_queries;
mod key_regions;
mod key_rotation;
mod key_spaces;
mod key_tags;
mod keys;
mod keystores;
mod kms_caller;
mod macs;
mod metadata;
mod passwords;
mod persistence;
mod secret_grants;
mod secret_replicas;
mod secret_rotation;
mod secret_tags;
mod secret_users;
mod secrets;
mod signatures;
mod support;
mod tokens;
mod versions;
