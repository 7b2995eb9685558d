//! Key Management Service: every operation of its API reference, one chapter per file.
//!
//! KMS sends most numbers and flags as text; they are numbers and flags here. Times are milliseconds as text,
//! documented as seconds. Data keys, their ciphertexts and random data are hexadecimal; everything else that is
//! binary is Base64.

mod types;

pub use types::*;
