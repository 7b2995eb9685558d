//! For tests of your own code: a real client without a network, and what it sent. Feature `testing`.
//!
//! A [`Script`] says what the services answer. [`Script::client`] is a [`Client`] like any other: it checks, signs, repeats and
//! reads answers as always; only the sockets are missing. Nothing of the environment is read, and repetitions do not wait.
//!
//! ```
//! use csms_sdk::{Client, Error, csms::ShowSecretVersion, testing::Script};
//! use serde_json::json;
//!
//! // The code under test.
//! async fn password_length(client: &Client) -> Result<usize, Error> {
//!     let answer = ShowSecretVersion::new("db-password", "latest").send(client).await?;
//!     let value = answer.version.as_ref().and_then(|version| version.secret_string.as_ref());
//!     Ok(value.map_or(0, |value| value.expose_secret().len()))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let script = Script::new();
//! script
//!     .on::<ShowSecretVersion>()
//!     .throttle()
//!     .answer(json!({"version": {"secret_string": "correct horse"}}));
//!
//! assert_eq!(password_length(&script.client()).await?, 13);
//!
//! script.assert_done();
//! let sent = script.sent_to::<ShowSecretVersion>();
//! assert_eq!(sent.len(), 2); // throttled once
//! sent[1].assert_fields(json!({"secret_name": "db-password", "version_id": "latest"}));
//! # Ok(())
//! # }
//! ```
//!
//! In `Cargo.toml`, `csms-sdk = { …, features = ["testing"] }` under `[dev-dependencies]`.
//!
//! # The rules of a script
//!
//! - An answer is good for one request: for one attempt, not for one call.
//! - The answers to one operation are used in the order in which they were given. Between operations there is no order;
//!   [`Script::sent`] tells in which order they were called.
//! - A request for which there is no answer gets an error of the kind [`Configuration`](ErrorKind::Configuration) that names it
//!   and what is left. It is not repeated. [`Script::assert_done`] names it again, should the code under test have swallowed it.
//! - Clones of a script, and the clients made of it, share its answers. The project of another region is not known, so
//!   [`Client::for_region`] takes an answer to [`KeystoneListProjects`](crate::iam::KeystoneListProjects).
//!
//! # Recorded exchanges
//!
//! [`Script::replay`] answers what was recorded to the request that was recorded, and to no other. A recording is a file of JSON that
//! you can write by hand; `wiremock-fixtures` has some of every operation, in the same form:
//!
//! ```json
//! {
//!   "operation": "csms/CreateSecret",
//!   "request": {
//!     "method": "POST",
//!     "path": "/v1/0123456789abcdef0123456789abcdef/secrets",
//!     "query": {},
//!     "body": {"name": "demo", "secret_string": "made up"}
//!   },
//!   "response": {
//!     "status": 200,
//!     "headers": {"x-request-id": "27ed751d624e275cd3497766d4562c35"},
//!     "body": {"secret": {"name": "demo"}}
//!   }
//! }
//! ```
//!
//! | member | meaning |
//! | --- | --- |
//! | `operation` | service and name; `sts/` for operations of STS |
//! | `request.method` | in upper case |
//! | `request.path` | as it is sent, escapes included; any project will do where the template has `{project_id}` |
//! | `request.query` | the parameters, decoded; default none |
//! | `request.body` | compared as JSON; without it, none may come |
//! | `response.status` | 100 to 999 |
//! | `response.headers` | default `content-type: application/json` |
//! | `response.body` | JSON, or text to be sent as it is where `content-type` is not JSON; default none |
//! | `case`, `source`, `input`, `request.headers` | for people; not looked at |
//!
//! # Which means for which test
//!
//! | to test | use |
//! | --- | --- |
//! | what your code sends, and what it does with one answer or one failure | a [`Script`] |
//! | that an exact exchange stays as it is | [`Script::replay`] |
//! | behaviour over several calls: create, rotate, replicate, list, wait | the emulator: `csms_emulator::Emulator::start().await?.client()` |
//! | the HTTP layer itself, or a program in another process | `wiremock-fixtures` on a mock server, or `csms emulate` |
//!
//! # Secrets
//!
//! What is recorded is shown by `{:?}` and by failed assertions without the fields that the tables call
//! [sensitive](crate::model::Field::is_sensitive), and without everything that no table knows. So a failing test prints no value,
//! not even a made-up one. Reading it all is spelled [`expose_secret`](crate::SecretJson::expose_secret).

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value as Json, json};

use crate::{
    client::{Client, ClientBuilder},
    credentials::Credentials,
    env::Env,
    error::{Error, ErrorKind},
    operation::{Method, Operation},
    retry::RetryPolicy,
    secret::SecretBytes,
    transport::{HttpAnswer, HttpRequest, SendError},
};

mod recording;
mod sent;
mod shown;
mod target;

pub use self::sent::Sent;
use self::{recording::Recording, target::Target};

/// Answers to requests that are yet to come, and the requests that came. Clones are the same script. See [`testing`](self).
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    steps: Vec<Step>,
    sent: Vec<Sent>,
    /// What went wrong, in words.
    unexpected: Vec<String>,
}

/// One request that is waited for, and what becomes of it.
struct Step {
    target: Target,
    /// What it has to be, where that was recorded.
    recorded: Option<Recording>,
    outcome: Outcome,
}

enum Outcome {
    Answer { status: u16, headers: HeaderMap, body: SecretBytes },
    Cut,
    TimeOut,
    Unreachable,
}

/// Adds answers to one operation; made by [`Script::on`]. Each is good for one attempt.
#[derive(Debug)]
pub struct On<'s> {
    script: &'s Script,
    target: Target,
}

impl Script {
    /// A script without answers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds answers to an operation, behind those that it has.
    pub fn on<O: Operation>(&self) -> On<'_> {
        On { script: self, target: Target::Operation(O::INFO) }
    }

    /// Adds answers to what [`Client::raw`] sends to this path; `{project_id}` stands for any project, and a query is not
    /// looked at.
    pub fn on_raw(&self, method: Method, path: &str) -> On<'_> {
        On { script: self, target: Target::raw(method, path) }
    }

    /// Adds a [recorded exchange](self#recorded-exchanges), given as the text of its file.
    ///
    /// # Errors
    /// When it is none: what is wrong with it, or which operation is not known.
    pub fn replay(&self, text: &str) -> Result<(), Error> {
        let (recorded, target, outcome) = recording::parse(text)?;
        self.state().steps.push(Step { target, recorded: Some(recorded), outcome });
        Ok(())
    }

    /// A client that gets its answers from here: in region `cn-north-4` and a made-up project, with made-up keys.
    ///
    /// # Panics
    /// Never: these settings make a client.
    #[must_use]
    #[allow(clippy::expect_used)] // the settings are ours
    pub fn client(&self) -> Client {
        self.client_builder().build().expect("good settings")
    }

    /// The same client before it is built, to be given another region, policy or clock.
    #[must_use]
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder()
            .env(Env::from_pairs([("", ""); 0]))
            .region("cn-north-4")
            .project_id("0123456789abcdef0123456789abcdef")
            .credentials(Credentials::keys("SCRIPTED", "made up"))
            .retry(RetryPolicy::standard().with_backoff(Duration::ZERO, Duration::ZERO))
            .script(self.clone())
    }

    /// Every request that came, in order. A call that was repeated shows once for each attempt.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// The requests to one operation, in order.
    #[must_use]
    pub fn sent_to<O: Operation>(&self) -> Vec<Sent> {
        let target = Target::Operation(O::INFO);
        self.state().sent.iter().filter(|sent| target.is_of(sent)).cloned().collect()
    }

    /// The one request to an operation.
    ///
    /// # Panics
    /// When there was none, or another.
    #[track_caller]
    #[must_use]
    pub fn sent_once<O: Operation>(&self) -> Sent {
        let mut sent = self.sent_to::<O>();
        match sent.pop() {
            Some(only) if sent.is_empty() => only,
            last => panic!(
                "{} was sent {} times, expected is once; sent were {:?}",
                O::INFO.id(),
                sent.len() + usize::from(last.is_some()),
                self.sent()
            ),
        }
    }

    /// Every answer was used, and nothing was sent for which there was none.
    ///
    /// # Panics
    /// When that is not so; the message names each of them.
    #[track_caller]
    pub fn assert_done(&self) {
        let state = self.state();
        let left = state.left();
        if state.unexpected.is_empty() && left.is_empty() {
            return;
        }
        let mut problems = state.unexpected.clone();
        if !left.is_empty() {
            problems.push(format!("left in the script: {}", left.join(", ")));
        }
        // A panic inside the lock would be told twice.
        drop(state);
        panic!("{}", problems.join("\n"));
    }

    /// Carries a request out.
    pub(crate) fn exchange(&self, request: &HttpRequest) -> Result<HttpAnswer, SendError> {
        let mut state = self.state();
        let sent = Sent::new(request);
        let taken = state.take(&sent);
        state.sent.push(sent.clone());
        let host = sent.host();
        let (kind, not_sent, message) = match taken {
            Ok(Outcome::Answer { status, mut headers, body }) => {
                headers.entry(REQUEST_ID).or_insert_with(|| HeaderValue::from(state.sent.len()));
                return Ok(HttpAnswer { status, headers, body });
            }
            Ok(Outcome::Cut) => {
                (ErrorKind::Connection, false, format!("the script cut the connection to {host} before the answer"))
            }
            Ok(Outcome::TimeOut) => (ErrorKind::Timeout, false, format!("the script let {host} not answer in time")),
            Ok(Outcome::Unreachable) => (ErrorKind::Connection, true, format!("the script let {host} not be reached")),
            Err(problem) => {
                let message = format!("{problem}: {sent:?}");
                state.unexpected.push(message.clone());
                return Err(SendError { not_sent: false, error: Error::new(ErrorKind::Configuration, message) });
            }
        };
        Err(SendError { not_sent, error: Error::new(kind, message).retryable() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything can fail.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl State {
    /// The outcome of the first step for this request, which is then done; else why there is none.
    fn take(&mut self, sent: &Sent) -> Result<Outcome, String> {
        let Some(index) = self.steps.iter().position(|step| step.target.is_of(sent)) else {
            return Err(match self.left() {
                left if left.is_empty() => "nothing is left in the script for this request".to_owned(),
                left => format!("the script is for {}, not for this request", left.join(", ")),
            });
        };
        if let Some(difference) = self.steps[index].recorded.as_ref().and_then(|recorded| recorded.difference(sent)) {
            return Err(format!("another request was recorded: {difference}"));
        }
        Ok(self.steps.remove(index).outcome)
    }

    fn left(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.target.to_string()).collect()
    }
}

impl On<'_> {
    /// Success, with this body. Members that the answer carries in headers go there; `null` is no body.
    pub fn answer(self, body: impl Into<Json>) -> Self {
        let (mut body, mut headers) = (body.into(), json_headers());
        let info = self.target.operation();
        let fields = info.and_then(|info| info.response).map_or(&[][..], |shape| shape.fields);
        for field in fields.iter().filter(|field| field.place.header) {
            let Some(Json::String(text)) = body.as_object_mut().and_then(|members| members.shift_remove(field.name))
            else {
                continue;
            };
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(field.name), HeaderValue::try_from(text)) {
                headers.insert(name, value);
            }
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let status = info.map_or(200, |info| info.success);
        self.then(Outcome::Answer { status, headers, body: body.into() })
    }

    /// The service refuses with this HTTP status, error code and message, e.g. `404`, `CSMS.0005` and anything.
    pub fn refuse(self, status: u16, code: &str, message: &str) -> Self {
        let body = json!({"error_code": code, "error_msg": message}).to_string().into_bytes();
        self.then(Outcome::Answer { status, headers: json_headers(), body: body.into() })
    }

    /// The gateway turns the request away: too many of them (429). Always repeated.
    pub fn throttle(self) -> Self {
        self.refuse(429, "APIGW.0308", "The throttling threshold has been reached")
    }

    /// The connection breaks before the answer; whether the request was carried out is not known. Repeated where that
    /// does no harm.
    pub fn cut(self) -> Self {
        self.then(Outcome::Cut)
    }

    /// The answer does not come in time. No time passes in the test. Repeated where that does no harm.
    pub fn time_out(self) -> Self {
        self.then(Outcome::TimeOut)
    }

    /// There is no connection, so nothing is sent. Always repeated.
    pub fn unreachable(self) -> Self {
        self.then(Outcome::Unreachable)
    }

    fn then(self, outcome: Outcome) -> Self {
        self.script.state().steps.push(Step { target: self.target.clone(), recorded: None, outcome });
        self
    }
}

fn json_headers() -> HeaderMap {
    HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

/// Shows what is left and what was sent; of neither a secret.
impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Script").field("left", &state.left()).field("sent", &state.sent).finish()
    }
}
