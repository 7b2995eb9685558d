//! What the dependency tree may hold: licences, one crypto provider, one TLS stack.
//!
//! Security advisories are not looked up: their database is no registry package and cannot be had offline.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{collections::BTreeSet, process::Command};

use serde_json::Value as Json;

/// Licences that ask for no more than their text. A dual licence needs one of these.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// A second implementation of what is here already, or one that needs a C library of the system.
const UNWANTED: &[&str] = &["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls", "serde_yaml"];

fn packages() -> Vec<Json> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Json = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn every_dependency_has_a_permissive_licence() {
    let mut refused = Vec::new();
    for package in packages() {
        let expression = package["license"].as_str().unwrap_or("none").replace('/', " OR ");
        let allowed = |part: &str| {
            let part = part.trim_matches(|character| "() ".contains(character));
            part.split(" AND ").all(|licence| LICENCES.contains(&licence.split(" WITH ").next().unwrap().trim()))
        };
        if !expression.split(" OR ").any(allowed)
            && !expression.split(" AND ").all(|part| part.split(" OR ").any(allowed))
        {
            refused.push(format!("{} ({expression})", package["name"]));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn there_is_one_crypto_provider_and_one_tls_stack() {
    let names: BTreeSet<String> =
        packages().iter().map(|package| package["name"].as_str().unwrap().to_owned()).collect();
    let unwanted: Vec<_> = UNWANTED.iter().filter(|name| names.contains(**name)).collect();
    assert!(names.contains("ring") && unwanted.is_empty(), "{unwanted:?}");
}
