//! What tests of several subjects need.

use std::time::Duration;

use csms_emulator::Emulator;
use csms_sdk::{CallOptions, Client, Error, Service, operation};
use serde_json::Value as Json;

/// In milliseconds.
pub(crate) const DAY: i64 = 24 * 60 * 60 * 1000;

/// Status and code of a refusal.
pub(crate) type Refusal = (u16, String);

/// Sends an operation as it is and answers with what came back on the wire: every refusal is left to the emulator.
pub(crate) async fn send(client: &Client, service: Service, name: &str, request: Json) -> Result<Json, Error> {
    let info = operation(service, name).unwrap();
    let client = client.with_options(CallOptions::default().without_validation());
    let answer = client.send_json(info, request.as_object().unwrap()).await?;
    Ok(answer.expose_secret().clone())
}

/// [`send`] for CSMS.
pub(crate) async fn csms(client: &Client, name: &str, request: Json) -> Result<Json, Error> {
    send(client, Service::Csms, name, request).await
}

/// The names of an object's members in alphabetical order.
pub(crate) fn members(object: &Json) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// A member that is a text.
pub(crate) fn text<'a>(answer: &'a Json, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_else(|| panic!("{name} is no text"))
}

/// Status and code of what has to be a refusal.
pub(crate) fn refusal<T>(result: Result<T, Error>) -> Refusal {
    match result {
        Ok(_) => panic!("was not refused"),
        Err(error) => refused(&error),
    }
}

/// Status and code of an error; what it says where it has no code.
pub(crate) fn refused(error: &Error) -> Refusal {
    (error.status().unwrap_or_default(), error.code().unwrap_or(error.message()).to_owned())
}

/// Lets days go by.
pub(crate) fn pass_days(emulator: &Emulator, days: u32) {
    emulator.advance(Duration::from_secs(86_400) * days);
}
