//! Calls of operations as JSON, whose answers are kept.

use std::collections::BTreeMap;

use csms_sdk::{Client, Service, operation};
use serde_json::Value as Json;

/// A client that remembers what every operation has answered, by `service/name`.
pub(crate) struct Calls {
    client: Client,
    pub(crate) answers: BTreeMap<String, Vec<Json>>,
}

impl Calls {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, answers: BTreeMap::new() }
    }

    /// Calls an operation that has to succeed.
    pub(crate) async fn call(&mut self, service: Service, name: &str, request: Json) -> Json {
        let info = operation(service, name).unwrap_or_else(|| panic!("{service} has no {name}"));
        let Json::Object(request) = request else { panic!("a request is an object") };
        let answer = self.client.send_json(info, &request).await.unwrap_or_else(|error| panic!("{error}"));
        let answer = answer.expose_secret().clone();
        self.answers.entry(info.id()).or_default().push(answer.clone());
        answer
    }
}
