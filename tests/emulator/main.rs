//! The emulator against what was recorded of the services, and against a model of them.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

mod calls;
mod members;
mod model;

mod scenario;
mod shapes;
