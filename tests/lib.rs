//! Helpers that several test files share.

pub mod calls;
pub mod raw_server;
pub mod support;
