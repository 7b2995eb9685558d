//! Every operation by its type, behind objects that a loop can go through.

use std::{collections::BTreeMap, fmt::Debug, future::Future, pin::Pin};

use csms_sdk::{
    Client, Error, Operation, OperationInfo, OperationVisitor, Response, SecretBytes,
    model::{self, Fields, View},
    operation::{Answer, DecodeError},
    visit_operations,
};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

/// An operation, with readers for its request and its answer.
pub struct Typed {
    /// Its description.
    pub info: &'static OperationInfo,
    /// Reads its request from flat JSON.
    pub request: fn(Json) -> serde_json::Result<Box<dyn Request>>,
    /// Reads its answer from a body.
    pub answer: fn(&[u8]) -> Result<Answered, DecodeError>,
}

/// What a typed answer holds.
#[derive(Default)]
pub struct Answered {
    /// Its body, written back; `None` when it has no content.
    pub body: Option<Json>,
    /// What it took from headers, by field.
    pub headers: BTreeMap<&'static str, String>,
    /// Its `Debug`, that of the envelope included.
    pub shown: String,
    /// Status and request id; not set for an answer that never travelled.
    pub envelope: Option<(u16, Option<String>)>,
}

/// A future that stays on its thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A typed request whose type is forgotten.
pub trait Request: Debug {
    /// Sends it.
    fn send(self: Box<Self>, client: &Client) -> LocalFuture<'_, Result<Answered, Error>>;

    /// Makes it ready without sending it.
    fn prepare(self: Box<Self>, client: &Client) -> LocalFuture<'_, Result<http::Request<SecretBytes>, Error>>;
}

impl<O: Operation<Response: Debug> + Debug + 'static> Request for O {
    fn send(self: Box<Self>, client: &Client) -> LocalFuture<'_, Result<Answered, Error>> {
        Box::pin(async move {
            let answer: Response<O::Response> = client.send(*self).await?;
            let envelope = Some((answer.status(), answer.request_id().map(str::to_owned)));
            let shown = format!("{answer:?} {answer:#?}");
            Ok(Answered { envelope, shown, ..answered(&*answer) })
        })
    }

    fn prepare(self: Box<Self>, client: &Client) -> LocalFuture<'_, Result<http::Request<SecretBytes>, Error>> {
        Box::pin(async move { client.prepare(*self).await })
    }
}

/// All operations, in the order of the registry.
#[must_use]
pub fn all() -> Vec<Typed> {
    struct Collect(Vec<Typed>);

    impl OperationVisitor for Collect {
        fn visit<O: Operation<Response: Debug> + DeserializeOwned + Debug + 'static>(&mut self) {
            self.0.push(Typed {
                info: O::INFO,
                request: |json| Ok(Box::new(serde_json::from_value::<O>(json)?)),
                answer: |body| O::Response::read(body).map(|answer| answered(&answer)),
            });
        }
    }

    let mut collect = Collect(Vec::new());
    visit_operations(&mut collect);
    collect.0
}

/// This operation among them.
///
/// # Panics
/// When it is not there.
#[must_use]
#[allow(clippy::expect_used)] // the registry lists all types
pub fn of<'a>(all: &'a [Typed], info: &OperationInfo) -> &'a Typed {
    let same = |typed: &&Typed| (typed.info.service, typed.info.name) == (info.service, info.name);
    all.iter().find(same).expect("an operation of the registry")
}

fn answered<A: Answer + Debug>(answer: &A) -> Answered {
    let mut headers = BTreeMap::new();
    if let Some(fields) = answer.fields() {
        fields.each(&mut |field, view| {
            if let (true, View::Text(text)) = (field.place.header, view) {
                headers.insert(field.name, text.into_owned());
            }
        });
    }
    let body = answer.fields().map(|fields: &dyn Fields| model::to_json(fields).expose_secret().clone());
    Answered { body, headers, shown: format!("{answer:?}"), envelope: None }
}
