//! Recorded exchanges, typed operations behind plain functions, and captured logs.

pub mod capture;
pub mod compare;
pub mod recorded;
pub mod typed;
