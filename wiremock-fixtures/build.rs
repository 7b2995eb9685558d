//! Rebuilds the crate when a fixture is added: `include_dir` only notices files it already knows.

fn main() {
    for service in ["csms", "kms", "iam"] {
        println!("cargo::rerun-if-changed={service}");
    }
}
