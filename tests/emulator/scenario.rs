//! Every operation at least once, in an order in which all of them succeed.

mod iam;
mod keys;
mod secrets;

use csms_emulator::Emulator;
use serde_json::{Value as Json, json};

use crate::calls::Calls;

/// Accounts for the operations of IAM and STS.
pub(crate) fn seed() -> Json {
    iam::seed()
}

/// Calls every operation.
pub(crate) async fn every_operation(emulator: &Emulator, calls: &mut Calls) {
    secrets::every_operation(emulator, calls).await;
    keys::every_operation(emulator, calls).await;
    iam::every_operation(emulator, calls).await;
}

/// The text at a pointer such as `/secret/id`.
fn text(answer: &Json, pointer: &str) -> String {
    answer.pointer(pointer).and_then(Json::as_str).unwrap_or_else(|| panic!("no text at {pointer}")).to_owned()
}

/// Another region that is played.
fn other_region(emulator: &Emulator) -> Json {
    json!(emulator.regions()[1])
}
