//! The only place that opens sockets: one HTTP exchange, bounded in time and size.

mod trust;

use std::{error::Error as _, sync::Arc, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use url::Url;

use self::trust::Trust;
use crate::{
    error::{Error, ErrorKind},
    secret::SecretBytes,
};

/// Time-outs and limits of the transport.
#[derive(Clone, Debug)]
pub(crate) struct TransportConfig {
    pub(crate) connect_timeout: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) max_answer_bytes: usize,
    pub(crate) proxy: Proxy,
    pub(crate) root_certificates: Vec<Vec<u8>>,
    pub(crate) http1_only: bool,
    pub(crate) user_agent: String,
    #[cfg(feature = "testing")]
    pub(crate) script: Option<crate::testing::Script>,
}

/// Which proxy requests go through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Proxy {
    /// The one that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name, if any.
    #[default]
    Environment,
    /// None.
    Direct,
    /// This one.
    Url(String),
}

/// One request as it goes out.
pub(crate) struct HttpRequest {
    pub(crate) method: http::Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// Time for the whole exchange.
    pub(crate) timeout: Duration,
    /// What it carries out, where that is an operation.
    #[cfg(feature = "testing")]
    pub(crate) operation: Option<&'static crate::operation::OperationInfo>,
}

/// One answer as it came in.
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: SecretBytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct SendError {
    /// Whether not a byte of the request can have reached the service.
    pub(crate) not_sent: bool,
    pub(crate) error: Error,
}

/// Room is made for no more than this before the bytes are there, whatever `Content-Length` promises.
const MOST_BELIEVED: usize = 1024 * 1024;

/// What carries requests out.
#[derive(Clone, Debug)]
pub(crate) enum Transport {
    Sockets(Sockets),
    /// Answers without a network.
    #[cfg(feature = "testing")]
    Script(crate::testing::Script),
}

impl Transport {
    pub(crate) fn new(config: &TransportConfig) -> Result<Self, Error> {
        #[cfg(feature = "testing")]
        if let Some(script) = &config.script {
            return Ok(Self::Script(script.clone()));
        }
        Sockets::new(config).map(Self::Sockets)
    }

    /// Sends one request and collects its answer.
    pub(crate) async fn exchange(&self, request: HttpRequest) -> Result<HttpAnswer, SendError> {
        match self {
            Self::Sockets(sockets) => sockets.exchange(request).await,
            #[cfg(feature = "testing")]
            Self::Script(script) => script.exchange(&request),
        }
    }
}

/// The network.
#[derive(Clone, Debug)]
pub(crate) struct Sockets {
    http: reqwest::Client,
    trust: Arc<Trust>,
    max_answer_bytes: usize,
}

impl Sockets {
    fn new(config: &TransportConfig) -> Result<Self, Error> {
        let trust = Arc::new(Trust::new(&config.root_certificates)?);
        let mut tls = trust.client_config()?;
        let versions: &[&str] = if config.http1_only { &["http/1.1"] } else { &["h2", "http/1.1"] };
        tls.alpn_protocols = versions.iter().map(|version| (*version).into()).collect();
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(&config.user_agent)
            .connect_timeout(config.connect_timeout)
            // Redirects are answers that cannot be right: the new address would get a signature made for the old.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        if config.http1_only {
            builder = builder.http1_only();
        }
        match &config.proxy {
            Proxy::Environment => {}
            Proxy::Direct => builder = builder.no_proxy(),
            Proxy::Url(url) => {
                let proxy = reqwest::Proxy::all(url).map_err(|error| {
                    Error::new(ErrorKind::Configuration, "the proxy is no URL").with_source(error.without_url())
                })?;
                builder = builder.proxy(proxy);
            }
        }
        let http = builder.build().map_err(|error| {
            Error::new(ErrorKind::Configuration, format!("the HTTP client cannot be set up: {}", root_cause(&error)))
                .with_source(error)
        })?;
        Ok(Self { http, trust, max_answer_bytes: config.max_answer_bytes })
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpAnswer, SendError> {
        if request.url.scheme() == "https" {
            self.trust.read_ahead();
        }
        let mut outgoing = reqwest::Request::new(request.method, request.url);
        *outgoing.headers_mut() = request.headers;
        *outgoing.body_mut() = request.body.map(Into::into);
        *outgoing.timeout_mut() = Some(request.timeout);

        let mut incoming = self.http.execute(outgoing).await.map_err(send_error)?;
        let status = incoming.status().as_u16();
        let expected = incoming.content_length().map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
        if expected > self.max_answer_bytes {
            return Err(self.too_large(status));
        }
        let mut body = SecretBytes::with_capacity(expected.min(MOST_BELIEVED));
        while let Some(chunk) = incoming.chunk().await.map_err(send_error)? {
            if body.expose_secret().len() + chunk.len() > self.max_answer_bytes {
                return Err(self.too_large(status));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpAnswer { status, headers: std::mem::take(incoming.headers_mut()), body })
    }

    fn too_large(&self, status: u16) -> SendError {
        let message = format!("the answer is larger than {} bytes", self.max_answer_bytes);
        let error = Error::new(ErrorKind::UnexpectedAnswer, message)
            .with_status(status)
            .with_help("check the endpoint, and whether a proxy stands in between");
        SendError { not_sent: false, error }
    }
}

fn send_error(error: reqwest::Error) -> SendError {
    // The URL names secrets and keys; the host is enough to tell where it failed.
    let host = error.url().and_then(Url::host_str).unwrap_or("the endpoint").to_owned();
    let error = error.without_url();
    let not_sent = error.is_connect();
    let tls = find_cause::<rustls::Error>(&error);
    let is_no_http = find_cause::<hyper::Error>(&error).is_some_and(hyper::Error::is_parse);
    // What `trust` says where there is nothing to trust by.
    let no_authorities = match tls {
        Some(rustls::Error::Other(cause)) => Some(cause.to_string()),
        _ => None,
    };
    // What either side is will not have changed by the next attempt.
    let is_lasting =
        is_no_http || no_authorities.is_some() || matches!(tls, Some(rustls::Error::InvalidCertificate(_)));
    let kind = if no_authorities.is_some() {
        ErrorKind::Configuration
    } else if error.is_timeout() {
        ErrorKind::Timeout
    } else if is_no_http {
        ErrorKind::UnexpectedAnswer
    } else {
        ErrorKind::Connection
    };
    let cause = root_cause(&error);
    let (message, help) = if error.is_dns() {
        (format!("the name {host} cannot be resolved: {cause}"), "check the region, the endpoint and the network")
    } else if let Some(cause) = no_authorities {
        (
            format!("whether {host} can be trusted is not known, as no certificate authorities can be read: {cause}"),
            "install those of the system, mostly a package `ca-certificates`, or name a file of them in SSL_CERT_FILE",
        )
    } else if tls.is_some() {
        (
            format!("no trusted TLS connection to {host}: {cause}"),
            "check the endpoint, or add the certificate authority of your proxy or cloud",
        )
    } else if is_no_http {
        (
            format!("what {host} sent is no HTTP answer: {cause}"),
            "check the endpoint, and whether a proxy stands in between",
        )
    } else if not_sent && error.is_timeout() {
        (format!("no connection to {host} in time"), "check the network, the proxy and the endpoint")
    } else if not_sent {
        (format!("no connection to {host}: {cause}"), "check the network, the proxy and the endpoint")
    } else if error.is_timeout() {
        (format!("{host} did not answer in time"), "try again, or allow more time for an attempt")
    } else {
        (format!("the connection to {host} broke before the answer was complete: {cause}"), "try again")
    };
    let error = Error::new(kind, message).with_help(help).with_source(error);
    SendError { not_sent, error: if is_lasting { error } else { error.retryable() } }
}

/// The first cause of this type.
fn find_cause<T: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        next = match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            // An IO error hides what it wraps from `source`, and one can wrap another.
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

/// The innermost cause: the outer ones only repeat that sending failed.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
