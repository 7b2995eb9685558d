//! One call from the first attempt to the last: sign, send, judge, wait, again.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use tracing::{Instrument as _, Span};
use url::Url;

use super::{CallOptions, diagnose, span};
use crate::{
    clock::Clock,
    credentials::{AccessKeys, Cache, Context, Credentials, Current},
    encode::{self, Encoded},
    error::{Error, ErrorBody, ErrorKind},
    model::Object,
    operation::{Answer as _, Auth, Method, Operation, OperationInfo, Response, Service},
    region::{Endpoint, Settings},
    retry::{self, Budget, Failure, RetryPolicy},
    secret::{SecretBytes, SecretString},
    sign::{self, HexDigest, Payload, SigningKey},
    transport::{HttpAnswer, HttpRequest, Proxy, SendError, Transport, TransportConfig},
};

/// What a client, its clones and its siblings for other regions share.
#[derive(Debug)]
pub(crate) struct Core {
    transport: Transport,
    transport_config: TransportConfig,
    /// For the addresses of this very server, which no proxy may see; made when first needed.
    local: OnceLock<Transport>,
    clock: Clock,
    /// How far the service's clock is ahead of ours, as far as a refused signature has shown.
    skew_millis: AtomicI64,
    budget: Budget,
    retry: RetryPolicy,
    call_timeout: Duration,
    signing: Signing,
}

/// Which algorithm signs requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signing {
    /// `SDK-HMAC-SHA256`, which every endpoint takes.
    #[default]
    SdkHmacSha256,
    /// `V11-HMAC-SHA256`, whose key is derived for the day, the region and the service. For clouds that insist on it.
    V11HmacSha256,
}

/// A call with everything but its authentication.
pub(crate) struct Call<'c> {
    pub(crate) info: Option<&'static OperationInfo>,
    pub(super) service: Service,
    pub(super) region: Option<&'c str>,
    pub(super) method: http::Method,
    pub(super) endpoint: &'c Endpoint,
    path: String,
    query: String,
    headers: Vec<(&'static str, SecretString)>,
    body: Option<Bytes>,
    payload_hash: HexDigest,
    project_id: Option<&'c str>,
    idempotent: bool,
    options: &'c CallOptions,
    /// When its time began to run.
    started: Instant,
}

/// A request that no operation describes.
pub(crate) struct RawRequest<'a> {
    pub(crate) service: Service,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Option<SecretBytes>,
    pub(crate) project_id: Option<&'a str>,
}

/// Who a request is sent as.
pub(crate) enum Authentication<'a> {
    /// Nobody.
    None,
    /// Whoever signs with these keys.
    Keys { key: Box<SigningKey>, keys: &'a AccessKeys },
    /// The holder of this token.
    Token(&'a SecretString),
    /// Whoever the client's provider finds.
    Provider { cache: &'a Cache, context: Context<'a> },
}

impl<'a> Authentication<'a> {
    pub(crate) fn keys(keys: &'a AccessKeys) -> Self {
        Self::Keys { key: Box::new(keys.signing_key()), keys }
    }
}

/// An answer that reports success, not yet read.
pub(crate) struct RawAnswer {
    info: Option<&'static OperationInfo>,
    pub(crate) answer: HttpAnswer,
    pub(crate) request_id: Option<String>,
    pub(crate) attempts: u32,
    /// That of the call, which ends once the answer is read.
    span: Span,
}

/// What is to be known of an attempt once its request is gone.
struct Attempt<'a> {
    /// The address of the endpoint that it went to.
    base: &'a Url,
    /// The credentials of the client's provider, if they were used.
    current: Option<Arc<Current>>,
    /// When it was signed; `None` when it was not.
    signed: Option<Signed>,
}

/// The moment of a signature.
struct Signed {
    /// In the service's time, as far as it was known.
    at: DateTime<Utc>,
    /// By our own clock.
    clock: DateTime<Utc>,
}

impl Core {
    pub(crate) fn new(
        transport_config: TransportConfig,
        clock: Clock,
        retry: RetryPolicy,
        call_timeout: Duration,
        signing: Signing,
    ) -> Result<Self, Error> {
        Ok(Self {
            transport: Transport::new(&transport_config)?,
            transport_config,
            local: OnceLock::new(),
            clock,
            skew_millis: AtomicI64::new(0),
            budget: Budget::default(),
            retry,
            call_timeout,
            signing,
        })
    }

    /// The service's time, as far as it is known.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.service_time(self.clock.now())
    }

    fn service_time(&self, clock: DateTime<Utc>) -> DateTime<Utc> {
        clock + TimeDelta::milliseconds(self.skew_millis.load(Ordering::Relaxed))
    }

    /// A transport that uses no proxy.
    pub(crate) fn local_transport(&self) -> Result<&Transport, Error> {
        if let Some(transport) = self.local.get() {
            return Ok(transport);
        }
        // Metadata answers within milliseconds or is not there at all.
        let config = TransportConfig {
            proxy: Proxy::Direct,
            connect_timeout: Duration::from_secs(1),
            ..self.transport_config.clone()
        };
        let transport = Transport::new(&config)?;
        Ok(self.local.get_or_init(|| transport))
    }

    /// One exchange of an unsigned call, whatever the answer. Tells its status, and how far the service's clock is ahead.
    pub(crate) async fn probe(&self, call: &Call<'_>) -> Result<(u16, Option<TimeDelta>), Error> {
        let (request, _) = self.unsigned(call, None)?;
        let answer = self.transport.exchange(request).await.map_err(|SendError { error, .. }| error)?;
        let ahead = diagnose::date(&answer.headers).map(|service| service - self.clock.now());
        Ok((answer.status, ahead))
    }

    /// Carries a call out within its time.
    pub(crate) async fn run(&self, call: Call<'_>, authentication: &Authentication<'_>) -> Result<RawAnswer, Error> {
        let span = span::call(&call);
        let mut attempts = 0;
        // Boxed: with the HTTP layer inside it would make every future that calls too large for the stack of a thread.
        let work = Box::pin(self.attempts(&call, authentication, &mut attempts));
        let outcome = work.instrument(span.clone()).await;
        match outcome {
            Ok(answer) => {
                span::answered(&span, &answer);
                let request_id = request_id(&answer.headers).map(str::to_owned);
                Ok(RawAnswer { info: call.info, answer, request_id, attempts, span })
            }
            Err(error) => {
                span::failed(&span, &error);
                Err(told_of(error, call.info, attempts))
            }
        }
    }

    /// Time for a call with these options.
    pub(crate) fn call_timeout(&self, options: &CallOptions) -> Duration {
        options.call_timeout.unwrap_or(self.call_timeout)
    }

    async fn attempts(
        &self,
        call: &Call<'_>,
        authentication: &Authentication<'_>,
        attempts: &mut u32,
    ) -> Result<HttpAnswer, Error> {
        let limit = self.call_timeout(call.options);
        let policy = call.options.retry.unwrap_or(self.retry);
        let mut retries = 0;
        let mut corrections = Corrections::default();
        loop {
            let (mut request, attempt) = self.sign(call, authentication).await?;
            let left = limit.saturating_sub(call.started.elapsed());
            if left.is_zero() {
                return Err(out_of_time(limit));
            }
            // The last attempt's time is what is left of the call's: one timer for both.
            request.timeout = request.timeout.min(left);
            *attempts += 1;
            let span = span::attempt(call, attempt.base, *attempts);
            let outcome = self.transport.exchange(request).instrument(span.clone()).await;
            let (failure, error) = match outcome {
                Ok(answer) if (200..300).contains(&answer.status) => {
                    trace(call, *attempts, span, Ok(&answer));
                    self.budget.refund(retries > 0);
                    return Ok(answer);
                }
                Ok(answer) => {
                    let error = self.refusal(call, &attempt, &answer, authentication);
                    if self.correct(&mut corrections, &attempt, &answer, &error, authentication) {
                        trace(call, *attempts, span, Err(&error));
                        continue;
                    }
                    let failure = match error.kind() {
                        ErrorKind::Throttled => Failure::Refused,
                        _ if error.is_retryable() => Failure::Unclear,
                        _ => Failure::Final,
                    };
                    (failure, error)
                }
                Err(SendError { error, .. })
                    if error.kind() == ErrorKind::Timeout && call.started.elapsed() >= limit =>
                {
                    span::failed(&span, &error);
                    return Err(out_of_time(limit));
                }
                Err(SendError { not_sent, error }) => {
                    let goes_on = not_sent && call.endpoint.advance(attempt.base);
                    if goes_on {
                        tracing::debug!(host = attempt.base.host_str(), "endpoint not reached, going on to the next");
                    }
                    let failure = match not_sent {
                        _ if !goes_on && !error.is_retryable() => Failure::Final,
                        true => Failure::NotSent,
                        false => Failure::Unclear,
                    };
                    (failure, error)
                }
            };
            trace(call, *attempts, span, Err(&error));
            let random = retry::random();
            let Some(wait) = retry::decide(&policy, retries, failure, call.idempotent, error.retry_after(), random)
            else {
                return Err(error);
            };
            // Saturating: the service may ask for any number of seconds.
            if call.started.elapsed().saturating_add(wait) >= limit || !self.budget.spend() {
                return Err(error);
            }
            retries += 1;
            tokio::time::sleep(wait).await;
        }
    }

    /// Makes a request of a call, signed for this moment.
    async fn sign<'a>(
        &self,
        call: &'a Call<'_>,
        authentication: &Authentication<'_>,
    ) -> Result<(HttpRequest, Attempt<'a>), Error> {
        match authentication {
            Authentication::None => self.unsigned(call, None),
            Authentication::Token(token) => self.unsigned(call, Some(token)),
            Authentication::Keys { key, keys } => self.signed(call, key, keys),
            Authentication::Provider { cache, context } => {
                let current = match cache.fresh(context) {
                    Some(current) => current,
                    None => self.in_time(call, cache.get(context)).await?,
                };
                let (request, attempt) = match &current.provided.credentials {
                    Credentials::Keys(keys) => self.signed(call, current.signing_key(keys), keys),
                    Credentials::Token(token) => self.unsigned(call, Some(&token.token)),
                }?;
                Ok((request, Attempt { current: Some(current), ..attempt }))
            }
        }
    }

    /// Gives up when the call's time is over.
    async fn in_time<T>(&self, call: &Call<'_>, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let limit = self.call_timeout(call.options);
        let left = limit.saturating_sub(call.started.elapsed());
        tokio::time::timeout(left, work).await.unwrap_or_else(|_| Err(out_of_time(limit)))
    }

    fn unsigned<'a>(
        &self,
        call: &'a Call<'_>,
        token: Option<&SecretString>,
    ) -> Result<(HttpRequest, Attempt<'a>), Error> {
        let base = call.endpoint.url();
        let mut headers = call.plain_headers()?;
        if call.body.is_some() {
            headers.insert(http::header::CONTENT_TYPE, JSON);
        }
        if let Some(project_id) = call.project_id {
            headers.insert(X_PROJECT_ID, header("the project id", project_id)?);
        }
        if let Some(token) = token {
            headers.insert(X_AUTH_TOKEN, secret_header("the token", token)?);
        }
        let request = call.request(call.url(base), headers, self.timeout(call));
        Ok((request, Attempt { base, current: None, signed: None }))
    }

    fn signed<'a>(
        &self,
        call: &'a Call<'_>,
        key: &SigningKey,
        keys: &AccessKeys,
    ) -> Result<(HttpRequest, Attempt<'a>), Error> {
        let base = call.endpoint.url();
        let url = call.url(base);
        let clock = self.clock.now();
        let signed = Signed { at: self.service_time(clock), clock };
        let date = sign::timestamp(signed.at);
        let host = authority(&url);
        let signed_headers = call.signed_headers(&host, &date, keys);
        let request = sign::Request {
            method: call.method.as_str(),
            path: url.path(),
            query: url.query().unwrap_or_default(),
            headers: &signed_headers,
            payload: Payload::Digest(call.payload_hash.as_str()),
        };
        let derived;
        let key = match (&self.signing, call.service) {
            // IAM and STS know the plain algorithm only.
            (Signing::SdkHmacSha256, _) | (_, Service::Iam | Service::Sts) => key,
            (Signing::V11HmacSha256, service) => {
                let region = call.region.unwrap_or("globe");
                let secret = keys.secret_key.expose_secret().as_bytes();
                derived = SigningKey::v11(&keys.access_key, secret, &date[..8], region, service.as_str());
                &derived
            }
        };
        let authorization = sign::sign(key, &request, &date);

        let mut headers = call.plain_headers()?;
        for (name, value) in &signed_headers {
            // The HTTP layer writes the host, from the same URL and in the same form.
            if *name != "host" {
                headers.insert(HeaderName::from_static(name), header(name, *value)?);
            }
        }
        if let Some(token) = &keys.security_token {
            headers.insert(X_SECURITY_TOKEN, secret_header("the security token", token)?);
        }
        headers.insert(http::header::AUTHORIZATION, sensitive(header("the access key", authorization)?));
        let request = call.request(url, headers, self.timeout(call));
        Ok((request, Attempt { base, current: None, signed: Some(signed) }))
    }

    /// The first attempt's request as anyone can send it, host included.
    pub(crate) async fn prepare(
        &self,
        call: &Call<'_>,
        authentication: &Authentication<'_>,
    ) -> Result<http::Request<SecretBytes>, Error> {
        let signed = self.sign(call, authentication).await;
        let (HttpRequest { method, url, headers, body, .. }, _) =
            signed.map_err(|error| told_of(error, call.info, 0))?;
        let mut request = http::Request::new(SecretBytes::from(body.unwrap_or_default().to_vec()));
        *request.method_mut() = method;
        *request.uri_mut() = url
            .as_str()
            .parse()
            .map_err(|error: http::uri::InvalidUri| Error::new(ErrorKind::Configuration, error.to_string()))?;
        *request.headers_mut() = headers;
        request.headers_mut().insert(http::header::HOST, header("the host", authority(&url))?);
        Ok(request)
    }

    fn timeout(&self, call: &Call<'_>) -> Duration {
        call.options.attempt_timeout.unwrap_or(self.transport_config.attempt_timeout)
    }

    /// The error that an answer reports, with advice.
    fn refusal(
        &self,
        call: &Call<'_>,
        attempt: &Attempt<'_>,
        answer: &HttpAnswer,
        authentication: &Authentication<'_>,
    ) -> Error {
        let request_id = request_id(&answer.headers).map(str::to_owned);
        if (300..400).contains(&answer.status) {
            return Error::new(ErrorKind::UnexpectedAnswer, "the endpoint redirects elsewhere, which is not followed")
                .with_status(answer.status)
                .with_request_id(request_id)
                .with_help("check the endpoint, and whether a proxy asks for a login");
        }
        let body = ErrorBody::parse(answer.body.expose_secret());
        let error = Error::from_answer(answer.status, body, request_id)
            .with_retry_after(retry_after(&answer.headers, self.clock.now()));
        if error.kind() != ErrorKind::Unauthenticated {
            return error;
        }
        let skew = attempt.skew(answer, &error);
        let help = match (skew, authentication) {
            (Some(skew), _) => Some(diagnose::skew_advice(skew)),
            (None, Authentication::Provider { .. }) => {
                let origin = attempt.current.as_ref().map(|current| current.provided.origin.as_str());
                let difference = self.difference(call, attempt, error.message());
                diagnose::credentials_advice(origin, difference)
            }
            (None, _) => None,
        };
        match help {
            Some(help) => error.with_help(help),
            None => error,
        }
    }

    /// Where the canonical request that the gateway quotes differs from ours.
    fn difference(&self, call: &Call<'_>, attempt: &Attempt<'_>, message: &str) -> Option<String> {
        let signed = attempt.signed.as_ref()?;
        let Credentials::Keys(keys) = &attempt.current.as_ref()?.provided.credentials else { return None };
        let url = call.url(attempt.base);
        let (host, date) = (authority(&url), sign::timestamp(signed.at));
        let headers = call.signed_headers(&host, &date, keys);
        let payload = Payload::Digest(call.payload_hash.as_str());
        let ours = sign::canonical_request(&sign::Request::from_url(call.method.as_str(), &url, &headers, payload));
        diagnose::first_difference(message, &ours)
    }

    /// Mends what a refusal of the credentials tells of, at most once each; true when it is worth another attempt.
    fn correct(
        &self,
        corrections: &mut Corrections,
        attempt: &Attempt<'_>,
        answer: &HttpAnswer,
        error: &Error,
        authentication: &Authentication<'_>,
    ) -> bool {
        if error.kind() != ErrorKind::Unauthenticated {
            return false;
        }
        if let Some(skew) = attempt.skew(answer, error) {
            if std::mem::replace(&mut corrections.clock, true) {
                return false;
            }
            tracing::warn!(
                seconds = skew.num_seconds(),
                "the clock is off; requests are signed with the service's time"
            );
            self.skew_millis.store(skew.num_milliseconds(), Ordering::Relaxed);
            return true;
        }
        let Authentication::Provider { cache, .. } = authentication else { return false };
        let Some(current) = &attempt.current else { return false };
        !std::mem::replace(&mut corrections.credentials, true) && cache.invalidate(current)
    }
}

impl Attempt<'_> {
    /// How far the service's clock is ahead of ours, if that is why the signature was refused.
    fn skew(&self, answer: &HttpAnswer, error: &Error) -> Option<TimeDelta> {
        let signed = self.signed.as_ref()?;
        // Measured from our own clock, so that calls refused together do not add up their corrections.
        Some(diagnose::service_time(&answer.headers, error.message(), signed.at)? - signed.clock)
    }
}

/// What has been mended during a call. More than one go would lock the access key out.
#[derive(Default)]
struct Corrections {
    clock: bool,
    credentials: bool,
}

/// Options of calls that a client makes for itself.
static USUAL: CallOptions = CallOptions::new();

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const X_PROJECT_ID: HeaderName = HeaderName::from_static("x-project-id");
const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const X_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-security-token");
const X_LANGUAGE: HeaderName = HeaderName::from_static("x-language");

impl<'c> Call<'c> {
    /// A call of an operation.
    pub(crate) fn of(
        operation: &impl Operation,
        settings: &'c Settings,
        project_id: Option<&'c str>,
    ) -> Result<Self, Error> {
        let info = operation_info(operation);
        Self::of_object(info, &Object::Typed(operation), settings, project_id, &USUAL, Instant::now())
    }

    /// A call of an operation whose request is given as an object.
    pub(crate) fn of_object(
        info: &'static OperationInfo,
        request: &Object<'_>,
        settings: &'c Settings,
        project_id: Option<&'c str>,
        options: &'c CallOptions,
        started: Instant,
    ) -> Result<Self, Error> {
        let Encoded { path, query, headers, body } = encode::encode(info, request, project_id, options.validation)
            .map_err(|error| error.with_operation(info))?;
        let endpoint = settings.endpoint(info.service).map_err(|error| error.with_operation(info))?;
        Ok(Self {
            info: Some(info),
            service: info.service,
            region: settings.region.as_deref(),
            method: http_method(info.method),
            endpoint,
            path,
            query,
            headers,
            payload_hash: sign::payload_hash(body.as_ref().map_or(&[], SecretBytes::expose_secret)),
            body: body.map(Bytes::from),
            project_id,
            idempotent: info.idempotent,
            options,
            started,
        })
    }

    /// A call of a path that no operation describes.
    pub(crate) fn raw(
        request: RawRequest<'c>,
        settings: &'c Settings,
        options: &'c CallOptions,
        started: Instant,
    ) -> Result<Self, Error> {
        let RawRequest { service, method, path, query, body, project_id } = request;
        Ok(Self {
            info: None,
            service,
            region: settings.region.as_deref(),
            idempotent: method == Method::GET,
            method: http_method(method),
            endpoint: settings.endpoint(service)?,
            path,
            query,
            headers: Vec::new(),
            payload_hash: sign::payload_hash(body.as_ref().map_or(&[], SecretBytes::expose_secret)),
            body: body.map(Bytes::from),
            project_id,
            options,
            started,
        })
    }

    /// The address of this call below `base`, whose host need not be parsed once more.
    fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        match base.path().trim_end_matches('/') {
            "" => url.set_path(&self.path),
            prefix => url.set_path(&[prefix, &self.path].concat()),
        }
        if !self.query.is_empty() {
            url.set_query(Some(&self.query));
        }
        url
    }

    /// The headers that are signed, in the order of their names.
    fn signed_headers<'a>(
        &'a self,
        host: &'a str,
        date: &'a str,
        keys: &'a AccessKeys,
    ) -> Vec<(&'static str, &'a str)> {
        let mut headers = Vec::with_capacity(5);
        if self.body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        headers.push(("host", host));
        if let Some(project_id) = self.project_id {
            headers.push(("x-project-id", project_id));
        }
        headers.push(("x-sdk-date", date));
        if let Some(token) = &keys.security_token {
            headers.push(("x-security-token", token.expose_secret()));
        }
        headers
    }

    /// The headers that are the same with any authentication.
    fn plain_headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::with_capacity(8);
        // Without it, messages may come in Chinese.
        headers.insert(X_LANGUAGE, HeaderValue::from_static("en-us"));
        for (name, value) in &self.headers {
            let header = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::invalid(*name, "is not the name of a header"))?;
            let value = secret_header(name, value)
                .map_err(|_| Error::invalid(*name, "holds characters that no header can carry"))?;
            headers.insert(header, value);
        }
        Ok(headers)
    }

    fn request(&self, url: Url, headers: HeaderMap, timeout: Duration) -> HttpRequest {
        HttpRequest {
            method: self.method.clone(),
            url,
            headers,
            body: self.body.clone(),
            timeout,
            #[cfg(feature = "testing")]
            operation: self.info,
        }
    }

    pub(crate) fn auth(&self) -> Auth {
        self.info.map_or(Auth::Credentials, |info| info.auth)
    }
}

fn http_method(method: Method) -> http::Method {
    match method {
        Method::GET => http::Method::GET,
        Method::POST => http::Method::POST,
        Method::PUT => http::Method::PUT,
        Method::DELETE => http::Method::DELETE,
    }
}

fn operation_info<O: Operation>(_: &O) -> &'static OperationInfo {
    O::INFO
}

impl RawAnswer {
    /// Reads the answer of an operation.
    pub(crate) fn read<O: Operation>(self) -> Result<Response<O::Response>, Error> {
        let body = read_body::<O::Response>(&self.answer, &self.request_id);
        let mut body = body.map_err(|error| self.unreadable(error))?;
        body.read_headers(&self.answer.headers);
        Ok(self.with_body(body))
    }

    /// The error of a call whose answer cannot be read.
    pub(crate) fn unreadable(&self, error: Error) -> Error {
        span::failed(&self.span, &error);
        told_of(error, self.info, self.attempts)
    }

    /// This answer, read.
    pub(crate) fn with_body<T>(self, body: T) -> Response<T> {
        Response::new(body, self.answer.status, self.request_id, self.attempts)
    }
}

/// The error of a call that sent so many requests.
fn told_of(error: Error, info: Option<&'static OperationInfo>, attempts: u32) -> Error {
    let error = error.with_attempts(attempts);
    match info {
        Some(info) => error.with_operation(info),
        None => error,
    }
}

/// The error of a call whose time is over.
pub(crate) fn out_of_time(limit: Duration) -> Error {
    Error::new(ErrorKind::Timeout, format!("no answer within {limit:?}, all attempts together"))
        .with_help("try again, or allow more time for a call")
        .retryable()
}

fn read_body<T: crate::operation::Answer>(answer: &HttpAnswer, request_id: &Option<String>) -> Result<T, Error> {
    let body = answer.body.expose_secret();
    refuse_html(answer, request_id)?;
    T::read(body).map_err(|error| Error::decode(error, answer.status, request_id.clone()))
}

/// A proxy's page with status 200 is no answer, even where none is expected.
pub(crate) fn refuse_html(answer: &HttpAnswer, request_id: &Option<String>) -> Result<(), Error> {
    if answer.body.expose_secret().trim_ascii_start().starts_with(b"<") {
        return Err(Error::new(ErrorKind::UnexpectedAnswer, "an HTML page came instead of an answer")
            .with_status(answer.status)
            .with_request_id(request_id.clone())
            .with_help("check the endpoint, and whether a proxy stands in between"));
    }
    Ok(())
}

/// Host, with the port where it is not the scheme's own: the form in which HTTP sends it.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn header(what: &str, value: impl TryInto<HeaderValue>) -> Result<HeaderValue, Error> {
    value
        .try_into()
        .map_err(|_| Error::new(ErrorKind::Configuration, format!("{what} holds characters that cannot be sent")))
}

fn secret_header(what: &str, value: &SecretString) -> Result<HeaderValue, Error> {
    header(what, value.expose_secret()).map(sensitive)
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

pub(super) fn request_id(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("x-request-id").or_else(|| headers.get("x-iam-trace-id"))?;
    value.to_str().ok().filter(|text| !text.is_empty())
}

/// `Retry-After`: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now).to_std().ok(),
    }
}

/// Tells how an attempt went: in its span, which ends here, and in a line of the log.
fn trace(call: &Call<'_>, attempt: u32, span: Span, outcome: Result<&HttpAnswer, &Error>) {
    let operation = span::operation(call);
    match outcome {
        Ok(answer) => {
            span::answered(&span, answer);
            span.in_scope(|| tracing::debug!(operation, attempt, status = answer.status, "answered"));
        }
        Err(error) => {
            span::failed(&span, error);
            span.in_scope(|| tracing::debug!(operation, attempt, status = error.status(), %error, "failed"));
        }
    }
}
