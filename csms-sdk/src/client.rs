//! The client: build one, send operations.
//!
//! # Spans
//!
//! Every call is a [`tracing`] span of level `info`, and every attempt of it one of level `debug` inside, both of target
//! `csms_sdk` and with OpenTelemetry's field names. `tracing-opentelemetry` makes them spans of kind client, named
//! `csms/CreateSecret` and `POST`. A call for credentials or for a project id has a span of its own. What is refused before
//! it could be sent has none.
//!
//! | field | on | |
//! | --- | --- | --- |
//! | `otel.name`, `otel.kind`, `otel.status_code` | both | the last is `ERROR` when it failed, else not set |
//! | `rpc.system.name`, `rpc.method` | call | `huaweicloud`, `csms/CreateSecret`; `csms/raw` for [`Client::raw`] |
//! | `cloud.region` | call | where a region is known |
//! | `server.address`, `server.port` | both | the endpoint; that of the first attempt for a call |
//! | `http.request.method` | attempt | |
//! | `http.request.resend_count` | attempt | from 1, on the second and later ones |
//! | `http.response.status_code` | both | that of the last answer for a call |
//! | `error.type` | both | [`ErrorKind::as_str`] |
//! | `csms.error_code`, `csms.request_id` | both | the service's own, where it sent them |
//!
//! None holds a path, a query, a header, a body or a message: those name secrets, or carry them. The log lines of an attempt, of
//! level `debug`, stand in its span. Where nobody listens, no field is made and nothing is allocated.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value as Json};
use tokio::time::Instant;

use crate::{
    credentials::{Cache, Context},
    encode::Validation,
    error::{Error, ErrorKind},
    iam,
    model::Object,
    operation::{Auth, Caller, Method, Operation, OperationInfo, Paged, Response, Service},
    page::{Items, JsonPages, Pages},
    region::{Given, Settings, check_project_id},
    retry::RetryPolicy,
    secret::{SecretBytes, SecretJson},
};

mod builder;
mod core;
mod diagnose;
mod project;
mod span;

pub(crate) use self::core::{Authentication, Call, Core};
pub use self::{builder::ClientBuilder, core::Signing};
use self::{core::RawRequest, project::Project};

/// A client for one region of Huawei Cloud.
///
/// Cheap to clone; clones share connections, credentials and the retry budget. `Send + Sync`.
///
/// ```no_run
/// use csms_sdk::{Client, csms::ShowSecretVersion};
///
/// # async fn example() -> Result<(), csms_sdk::Error> {
/// // Credentials from the environment, a profile file or the server's agency.
/// let client = Client::builder().region("cn-north-4").build()?;
/// let answer = ShowSecretVersion::new("db-password", "latest").send(&client).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    options: CallOptions,
}

#[derive(Debug)]
struct Shared {
    core: Arc<Core>,
    cache: Arc<Cache>,
    given: Given,
    settings: Settings,
    project: Project,
}

/// How calls are carried out, where that differs from the client's own way.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CallOptions {
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) call_timeout: Option<Duration>,
    pub(crate) validation: Validation,
}

/// What answers at the address of a service; see [`Client::probe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// HTTP status.
    pub status: u16,
    /// How far the service's clock is ahead of ours, to a second and the time that the answer took; `None` where the answer
    /// has no date.
    pub clock_ahead: Option<chrono::TimeDelta>,
}

impl CallOptions {
    /// Nothing differs.
    #[must_use]
    pub const fn new() -> Self {
        Self { retry: None, attempt_timeout: None, call_timeout: None, validation: Validation::On }
    }

    /// Repeats by another policy.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Allows so much time for one attempt.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// Allows so much time for a call, all attempts and waits together.
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = Some(timeout);
        self
    }

    /// Sends what our own checks would refuse: the service may know better.
    #[must_use]
    pub fn without_validation(mut self) -> Self {
        self.validation = Validation::Off;
        self
    }
}

impl Client {
    /// Sets up a client. Without credentials it asks the [default chain](crate::credentials::default_chain).
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Sends an operation and reads its answer.
    ///
    /// # Errors
    /// Every [`Error`]: input that cannot be right, no credentials, no answer, a refusal of the service, an answer
    /// that cannot be read.
    pub async fn send<O: Operation>(&self, operation: O) -> Result<Response<O::Response>, Error> {
        let call = self.call_of(O::INFO, &Object::Typed(&operation)).await?;
        // From here on the request lives in the call only, and secrets in the struct can be wiped.
        drop(operation);
        self.run(call).await?.read::<O>()
    }

    /// The pages of a list, one after the other; see [`page`](crate::page).
    pub fn pages<O: Paged>(&self, operation: O) -> Pages<O> {
        Pages::new(self.clone(), operation)
    }

    /// The items of a list, one after the other, page after page; see [`page`](crate::page).
    ///
    /// ```no_run
    /// # async fn example(client: csms_sdk::Client) -> Result<(), csms_sdk::Error> {
    /// let mut keys = client.items(csms_sdk::kms::ListKeys::new()).max_items(1000);
    /// while let Some(key) = keys.next().await {
    ///     println!("{:?}", key?.key_alias);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// An operation without pages is not taken:
    ///
    /// ```compile_fail,E0277
    /// # fn example(client: csms_sdk::Client) {
    /// client.items(csms_sdk::csms::ShowSecret::new("demo"));
    /// # }
    /// ```
    pub fn items<O: Paged>(&self, operation: O) -> Items<O> {
        Items::new(self.clone(), operation)
    }

    /// The pages of a list in JSON, one after the other, from a request in the form of [`send_json`](Client::send_json); `None`
    /// where an operation has no pages.
    #[must_use]
    pub fn json_pages(&self, info: &'static OperationInfo, request: Map<String, Json>) -> Option<JsonPages> {
        JsonPages::new(self.clone(), info, request)
    }

    /// Makes the signed request of an operation without sending it.
    ///
    /// The signature is good for a quarter of an hour. `request.map(bytes::Bytes::from)` makes the body one that
    /// HTTP libraries take; it is wiped when its last copy is dropped.
    ///
    /// # Errors
    /// Input that cannot be right, no credentials, no project.
    pub async fn prepare<O: Operation>(&self, operation: O) -> Result<http::Request<SecretBytes>, Error> {
        let call = self.call_of(O::INFO, &Object::Typed(&operation)).await?;
        self.prepare_call(call).await
    }

    /// Sends an operation whose request is one flat JSON object by wire names: path, query, header and body fields
    /// together. Unknown members are refused, unless [`CallOptions::without_validation`] says otherwise.
    ///
    /// The answer is the body as it came, with the header fields of the operation as members.
    ///
    /// # Errors
    /// Those of [`send`](Client::send).
    pub async fn send_json(
        &self,
        info: &'static OperationInfo,
        request: &Map<String, Json>,
    ) -> Result<Response<SecretJson>, Error> {
        let call = self.call_of(info, &Object::Json(info.request, request)).await?;
        let answer = self.run(call).await?;
        json_of(answer, info.response)
    }

    /// Makes the signed request of [`send_json`](Client::send_json) without sending it.
    ///
    /// # Errors
    /// Those of [`prepare`](Client::prepare).
    pub async fn prepare_json(
        &self,
        info: &'static OperationInfo,
        request: &Map<String, Json>,
    ) -> Result<http::Request<SecretBytes>, Error> {
        let call = self.call_of(info, &Object::Json(info.request, request)).await?;
        self.prepare_call(call).await
    }

    /// Calls any path of a service with the same signing, retries and errors. `{project_id}` in the path is filled in,
    /// and the path may carry a query. Only GET counts as safe to repeat.
    ///
    /// # Errors
    /// Those of [`send`](Client::send).
    pub async fn raw(
        &self,
        service: Service,
        method: Method,
        path: &str,
        body: Option<&Json>,
    ) -> Result<Response<SecretJson>, Error> {
        let started = Instant::now();
        check_raw_path(path)?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let project_id = match is_project_scoped(service) {
            true => Some(self.project_id_in_time().await?),
            false => None,
        };
        let path = path.replace("{project_id}", project_id.unwrap_or_default());
        let body = body.map(|json| {
            let mut bytes = SecretBytes::default();
            crate::encode::write_json(&mut bytes, json);
            bytes
        });
        let request = RawRequest { service, method, path, query: query.to_owned(), body, project_id };
        let call = Call::raw(request, &self.shared.settings, &self.options, started)?;
        let answer = self.run(call).await?;
        json_of(answer, None)
    }

    /// The same client with other options for its calls.
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        Self { shared: Arc::clone(&self.shared), options }
    }

    /// A client for another region: same connections and credentials, its own project.
    ///
    /// # Errors
    /// When `region` is no region id, or an endpoint was given that serves one region only. Give endpoints with
    /// `{region}` in them to serve several.
    pub fn for_region(&self, region: &str) -> Result<Self, Error> {
        self.with_given(self.shared.given.for_region(region)?)
    }

    /// The same for a project of that region; for its default project where none is named.
    pub(crate) fn for_project(&self, region: &str, project_id: Option<&str>) -> Result<Self, Error> {
        let mut given = self.shared.given.for_region(region)?;
        if let Some(project_id) = project_id {
            given.project_id = Some(project_id.to_owned());
        }
        self.with_given(given)
    }

    fn with_given(&self, given: Given) -> Result<Self, Error> {
        let settings = Settings::resolve(&given, self.shared.settings.env.clone())?;
        let cache = match self.shared.cache.provider().is_regional() {
            true => Arc::new(Cache::new(Arc::clone(self.shared.cache.provider()))),
            false => Arc::clone(&self.shared.cache),
        };
        let shared =
            Shared { core: Arc::clone(&self.shared.core), cache, given, settings, project: Project::default() };
        Ok(Self { shared: Arc::new(shared), options: self.options.clone() })
    }

    /// The region; `None` when only endpoints were given.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.shared.settings.region.as_deref()
    }

    /// The endpoint of a service, and who named it.
    ///
    /// # Errors
    /// When neither a region nor an endpoint is known.
    pub fn endpoint(&self, service: Service) -> Result<(&str, &str), Error> {
        let endpoint = self.shared.settings.endpoint(service)?;
        Ok((endpoint.url().as_str(), &endpoint.origin))
    }

    /// Asks the address of a service for its root, unsigned and once, to see whether it can be reached and what time it is
    /// there. Every answer of HTTP counts as one: a service refuses whom it does not know.
    ///
    /// It goes the way of every call, through the proxy if there is one, and trusts the same certificates.
    ///
    /// # Errors
    /// [`ErrorKind::Connection`], [`ErrorKind::Timeout`] and [`ErrorKind::UnexpectedAnswer`], as of a call; and
    /// [`ErrorKind::Configuration`] when neither a region nor an endpoint is known.
    pub async fn probe(&self, service: Service) -> Result<Probe, Error> {
        let path = "/".to_owned();
        let request =
            RawRequest { service, method: Method::GET, path, query: String::new(), body: None, project_id: None };
        let call = Call::raw(request, &self.shared.settings, &self.options, Instant::now())?;
        let (status, clock_ahead) = self.shared.core.probe(&call).await?;
        Ok(Probe { status, clock_ahead })
    }

    /// Where the credentials come from, in words; asks for them if that has not happened yet.
    ///
    /// # Errors
    /// When there are none.
    pub async fn credentials(&self) -> Result<crate::credentials::Provided, Error> {
        let current = self.shared.cache.get(&self.context()).await?;
        Ok(current.provided.clone())
    }

    /// The project id: the one given, else the one that the credentials name, else that of the region's default
    /// project, asked of IAM once.
    ///
    /// # Errors
    /// When none can be told; the error says how to name it.
    pub async fn project_id(&self) -> Result<&str, Error> {
        match self.known_project_id() {
            Some(project_id) => Ok(project_id),
            None => self.shared.project.get_or(self.look_up_project()).await,
        }
    }

    fn known_project_id(&self) -> Option<&str> {
        self.shared.settings.project_id.as_deref().or_else(|| self.shared.project.known())
    }

    /// The look-up is part of the call that needs it.
    async fn project_id_in_time(&self) -> Result<&str, Error> {
        if let Some(project_id) = self.known_project_id() {
            return Ok(project_id);
        }
        let limit = self.shared.core.call_timeout(&self.options);
        tokio::time::timeout(limit, self.project_id()).await.unwrap_or_else(|_| Err(core::out_of_time(limit)))
    }

    async fn look_up_project(&self) -> Result<String, Error> {
        const ADVICE: &str = "name the project id in the settings; the console shows it under My Credentials";
        let current = self.shared.cache.get(&self.context()).await?;
        // The project that a profile names belongs to the region it was written for; that of a token to the token.
        if let Some(project_id) = &current.provided.project_id
            && (!self.shared.given.derived || current.provided.regional)
        {
            check_project_id(project_id)?;
            return Ok(project_id.clone());
        }
        let Some(region) = self.region() else {
            let message = "no project id is known, and without a region it cannot be looked up";
            return Err(Error::new(ErrorKind::Configuration, message).with_help(ADVICE));
        };
        let request = iam::KeystoneListProjects::new().name(region);
        let info = iam::KeystoneListProjects::INFO;
        let (settings, options) = (&self.shared.settings, &self.options);
        let call = Call::of_object(info, &Object::Typed(&request), settings, None, options, Instant::now())?;
        let answer = match self.run(call).await {
            Ok(answer) => answer.read::<iam::KeystoneListProjects>()?,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(error.with_help(ADVICE)),
            Err(error) => return Err(error),
        };
        let mut ids: Vec<_> = answer.into_body().projects.into_iter().filter_map(|project| project.id).collect();
        match (ids.pop(), ids.len()) {
            (Some(id), 0) => Ok(id),
            (None, _) => {
                let message = format!("the account has no project in {region}; perhaps the region was never opened");
                Err(Error::new(ErrorKind::Configuration, message).with_help(ADVICE))
            }
            (Some(last), _) => {
                ids.push(last);
                let message = format!("{region} has several projects: {}", ids.join(", "));
                Err(Error::new(ErrorKind::Configuration, message).with_help(ADVICE))
            }
        }
    }

    fn context(&self) -> Context<'_> {
        Context::new(&self.shared.core, &self.shared.settings)
    }

    async fn call_of(&self, info: &'static OperationInfo, request: &Object<'_>) -> Result<Call<'_>, Error> {
        let started = Instant::now();
        let project_id = match (is_project_scoped(info.service), self.known_project_id()) {
            (false, _) => None,
            (true, Some(project_id)) => Some(project_id),
            (true, None) => {
                let about = |error: Error| error.with_operation(info);
                // Bad input is refused before anything is sent, the look-up of the project included.
                crate::encode::encode(info, request, Some(""), self.options.validation).map_err(about)?;
                Some(self.project_id_in_time().await.map_err(about)?)
            }
        };
        Call::of_object(info, request, &self.shared.settings, project_id, &self.options, started)
    }

    async fn run(&self, call: Call<'_>) -> Result<core::RawAnswer, Error> {
        let authentication = self.authentication(&call);
        self.shared.core.run(call, &authentication).await
    }

    async fn prepare_call(&self, call: Call<'_>) -> Result<http::Request<SecretBytes>, Error> {
        let authentication = self.authentication(&call);
        self.shared.core.prepare(&call, &authentication).await
    }

    fn authentication(&self, call: &Call<'_>) -> Authentication<'_> {
        match call.auth() {
            Auth::None => Authentication::None,
            Auth::Credentials => Authentication::Provider { cache: &self.shared.cache, context: self.context() },
        }
    }
}

impl Caller for Client {
    async fn call<O: Operation>(&self, operation: O) -> Result<Response<O::Response>, Error> {
        self.send(operation).await
    }
}

fn is_project_scoped(service: Service) -> bool {
    matches!(service, Service::Csms | Service::Kms)
}

/// Refuses what would reach the service as another path than the one given: a URL resolves dot segments, also when
/// they are escaped, takes `\` for `/`, drops tabs and line breaks, and ends at `#`.
fn check_raw_path(path: &str) -> Result<(), Error> {
    let (segments, _) = path.split_once('?').unwrap_or((path, ""));
    let is_dots = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    let problem = if !path.starts_with('/') {
        "has to begin with `/`"
    } else if path.contains(|char: char| char.is_control() || matches!(char, '\\' | '#')) {
        "cannot hold `\\`, `#` or control characters; escape them"
    } else if segments.split('/').any(is_dots) {
        "cannot hold `.` or `..` segments"
    } else {
        return Ok(());
    };
    Err(Error::invalid("path", problem))
}

/// The body of an answer as JSON, with the members that travel as headers.
fn json_of(
    answer: core::RawAnswer,
    shape: Option<&'static crate::model::Shape>,
) -> Result<Response<SecretJson>, Error> {
    core::refuse_html(&answer.answer, &answer.request_id).map_err(|error| answer.unreadable(error))?;
    let body = answer.answer.body.expose_secret();
    let mut json = match body.trim_ascii().is_empty() {
        true if shape.is_none() => Json::Null,
        _ => serde_json::from_slice(body).map_err(|error| {
            let error = crate::operation::decode_error(body, &error);
            answer.unreadable(Error::decode(error, answer.answer.status, answer.request_id.clone()))
        })?,
    };
    for field in shape.map_or(&[][..], |shape| shape.fields).iter().filter(|field| field.place.header) {
        if let (Some(text), Json::Object(members)) =
            (answer.answer.headers.get(field.name).and_then(|value| value.to_str().ok()), &mut json)
        {
            members.insert(field.name.to_owned(), text.into());
        }
    }
    Ok(answer.with_body(json.into()))
}
