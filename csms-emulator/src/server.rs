//! The HTTP server: one address, HTTP/1.1 and HTTP/2, one handler. Knows nothing of what it serves.

use std::{
    future::Future,
    hash::{BuildHasher as _, RandomState},
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use csms_sdk::OperationInfo;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::BodyExt as _;
use hyper::{
    body::{Body, Frame, SizeHint},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use serde_json::Value as Json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::Sleep,
};
use tokio_rustls::TlsAcceptor;

use crate::fault::Fault;

/// Largest request body, in bytes: what the gateway takes.
const MAX_BODY: usize = 12 << 20;
/// Longest address and longest header, in bytes.
const MAX_LINE: usize = 32 << 10;
/// All headers together, in bytes.
const MAX_HEADERS: usize = 128 << 10;
/// How long requests under way may take once the server is to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait when no connection can be accepted, which is when there are too many.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long what stands before a cut has to leave. Nothing tells when it has, least of all with HTTP/2.
const CUT_PAUSE: Duration = Duration::from_millis(20);

/// A request. Has no `Debug`: headers and body hold secrets.
pub(crate) struct Incoming {
    pub(crate) method: Method,
    /// As sent, escapes included.
    pub(crate) path: String,
    /// As sent, without the question mark; empty for none.
    pub(crate) query: String,
    /// Always with `host`, which HTTP/2 sends in another way.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether it came by TLS.
    pub(crate) is_secure: bool,
    /// What the answer will carry as `x-request-id`: 32 hexadecimal digits.
    pub(crate) request_id: String,
}

impl Incoming {
    /// A header as text: several of one name joined by commas, bytes that are no UTF-8 read as Latin-1.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let text = |value: &HeaderValue| match str::from_utf8(value.as_bytes()) {
            Ok(text) => text.to_owned(),
            Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
        };
        let values: Vec<_> = self.headers.get_all(name).iter().map(text).collect();
        (!values.is_empty()).then(|| values.join(","))
    }
}

/// An answer. `x-request-id`, `date` and the content type are added unless they are there.
pub(crate) struct Outgoing {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Break off after so many bytes of the body; 0 before anything is sent. A body that is not longer is sent whole.
    /// HTTP/1.1 loses the connection by it, HTTP/2 the stream.
    pub(crate) cut_at: Option<usize>,
    /// Wait so long before answering.
    pub(crate) delay: Duration,
}

impl Outgoing {
    /// Without content.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new(), cut_at: None, delay: Duration::ZERO }
    }

    pub(crate) fn json(status: u16, body: &Json) -> Self {
        Self { body: body.to_string().into(), ..Self::empty(status) }
    }

    /// As sent at `time`, whatever the time is.
    pub(crate) fn dated(mut self, time: DateTime<Utc>) -> Self {
        let text = time.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let Ok(date) = HeaderValue::from_str(&text) {
            self.headers.insert(header::DATE, date);
        }
        self
    }

    /// A refusal of `info`, or of a request that is no operation.
    pub(crate) fn refusal(fault: &Fault, info: Option<&OperationInfo>, request_id: &str) -> Self {
        Self::json(fault.status, &fault.body(info, request_id))
    }
}

/// A running server. Dropping it stops it, without waiting.
pub(crate) struct Server {
    address: SocketAddr,
    /// Every task of the server holds a receiver for as long as it runs.
    stop: watch::Sender<()>,
}

impl Server {
    /// Listens on `address` (port 0 is any free port) and answers with what `handler` returns. With `tls` it takes TLS and
    /// plain HTTP alike: the first byte tells them apart.
    ///
    /// # Errors
    /// When the address cannot be listened on; the error names it.
    pub(crate) async fn start<H, F>(address: SocketAddr, tls: Option<TlsAcceptor>, handler: H) -> io::Result<Self>
    where
        H: Fn(Incoming) -> F + Send + Sync + 'static,
        F: Future<Output = Outgoing> + Send + 'static,
    {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
        let listener = TcpListener::bind(address).await.map_err(named)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(());
        tokio::spawn(accept(listener, Desk { tls, handler: Arc::new(handler) }, stopped));
        Ok(Self { address, stop })
    }

    /// The address listened on, the port filled in.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, and returns once those under way are answered, or 5 seconds later.
    pub(crate) async fn stop(&self) {
        self.stop.send_replace(());
        self.stop.closed().await;
    }
}

/// What all connections have in common.
struct Desk<H> {
    tls: Option<TlsAcceptor>,
    handler: Arc<H>,
}

impl<H> Clone for Desk<H> {
    fn clone(&self) -> Self {
        Self { tls: self.tls.clone(), handler: self.handler.clone() }
    }
}

async fn accept<H, F>(listener: TcpListener, desk: Desk<H>, mut stop: watch::Receiver<()>)
where
    H: Fn(Incoming) -> F + Send + Sync + 'static,
    F: Future<Output = Outgoing> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, desk.clone(), stop.clone()))),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves one connection. What goes wrong with it is for the client to see: there is nobody else to tell.
async fn connection<H, F>(stream: TcpStream, desk: Desk<H>, mut stop: watch::Receiver<()>)
where
    H: Fn(Incoming) -> F + Send + Sync + 'static,
    F: Future<Output = Outgoing> + Send + 'static,
{
    // Answers are written at once, so there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    let Some(tls) = &desk.tls else {
        return serve(stream, false, desk, stop).await;
    };
    let opened = tokio::select! {
        _ = stop.changed() => return,
        opened = open(&stream) => opened,
    };
    match opened {
        Ok(Opening::Tls) => {
            let accepted = tokio::select! {
                _ = stop.changed() => return,
                accepted = tls.accept(stream) => accepted,
            };
            if let Ok(stream) = accepted {
                serve(stream, true, desk, stop).await;
            }
        }
        Ok(Opening::Plain) => serve(stream, false, desk, stop).await,
        Err(_) => {}
    }
}

enum Opening {
    Tls,
    Plain,
}

/// How a connection begins. A TLS handshake starts with the byte 22, which no HTTP method does.
async fn open(stream: &TcpStream) -> io::Result<Opening> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    Ok(if first == [22] { Opening::Tls } else { Opening::Plain })
}

async fn serve<S, H, F>(stream: S, is_secure: bool, desk: Desk<H>, mut stop: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Incoming) -> F + Send + Sync + 'static,
    F: Future<Output = Outgoing> + Send + 'static,
{
    let service = service_fn(move |request| answer(request, is_secure, desk.handler.clone()));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // The default has no room for a token of a few kilobytes beside the rest.
    builder.http2().max_header_list_size(2 * MAX_HEADERS as u32);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = tokio::time::timeout(GRACE, connection).await;
}

async fn answer<H, F>(
    request: Request<hyper::body::Incoming>,
    is_secure: bool,
    handler: Arc<H>,
) -> io::Result<Response<Reply>>
where
    H: Fn(Incoming) -> F + Send + Sync + 'static,
    F: Future<Output = Outgoing> + Send + 'static,
{
    let request_id = request_id();
    let (parts, body) = request.into_parts();
    let refusal = match (too_large(&parts), read(body).await?) {
        (None, Some(body)) => {
            let incoming = Incoming { is_secure, ..incoming(parts, body, request_id.clone()) };
            return reply(handler(incoming).await, &request_id).await;
        }
        (Some(fault), _) => fault,
        (None, None) => Fault::new(413, "APIGW.0201", "Request entity too large"),
    };
    reply(Outgoing::refusal(&refusal, None, &request_id), &request_id).await
}

/// The gateway's objection to the head of a request.
fn too_large(parts: &Parts) -> Option<Fault> {
    let address = parts.uri.path_and_query().map_or(0, |text| text.as_str().len());
    if address > MAX_LINE {
        return Some(Fault::new(414, "APIGW.0201", "Request URI too large"));
    }
    let lengths = || parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    let fits = lengths().all(|length| length <= MAX_LINE) && lengths().sum::<usize>() <= MAX_HEADERS;
    (!fits).then(|| Fault::new(494, "APIGW.0201", "Request headers too large"))
}

/// The body; `None` when it is too large. It is read to its end all the same: most clients look for an answer only
/// when they have sent everything.
async fn read(mut body: hyper::body::Incoming) -> io::Result<Option<Bytes>> {
    let mut collected = Some(BytesMut::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
        collected = collected.filter(|collected| collected.len() + data.len() <= MAX_BODY);
        if let Some(collected) = &mut collected {
            collected.extend_from_slice(&data);
        }
    }
    Ok(collected.map(BytesMut::freeze))
}

fn incoming(mut parts: Parts, body: Bytes, request_id: String) -> Incoming {
    if let Some(authority) = parts.uri.authority()
        && !parts.headers.contains_key(header::HOST)
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(header::HOST, host);
    }
    Incoming {
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        method: parts.method,
        headers: parts.headers,
        body,
        is_secure: false,
        request_id,
    }
}

async fn reply(outgoing: Outgoing, request_id: &str) -> io::Result<Response<Reply>> {
    // The timer rounds up: even no time would take a millisecond.
    if !outgoing.delay.is_zero() {
        tokio::time::sleep(outgoing.delay).await;
    }
    if outgoing.cut_at == Some(0) {
        return Err(io::Error::other("cut before the answer"));
    }
    let status = StatusCode::from_u16(outgoing.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = if status == StatusCode::NO_CONTENT { Bytes::new() } else { outgoing.body };
    let mut headers = outgoing.headers;
    if !body.is_empty() {
        headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.entry(HeaderName::from_static("x-request-id")).or_insert(id);
    }
    let mut response = Response::new(Reply::new(body, outgoing.cut_at));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// 32 hexadecimal digits that do not repeat: a counter hashed under two keys of this process.
fn request_id() -> String {
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    KEYS.iter().map(|key| format!("{:016x}", key.hash_one(number))).collect()
}

/// A body of known length that can break off.
struct Reply {
    length: u64,
    rest: Option<Bytes>,
    ending: Ending,
}

enum Ending {
    Whole,
    /// Fail, but only when what was written has had the time to leave.
    Cut(Pin<Box<Sleep>>),
}

impl Reply {
    fn new(mut body: Bytes, cut_at: Option<usize>) -> Self {
        let length = body.len() as u64;
        let mut ending = Ending::Whole;
        if let Some(cut_at) = cut_at.filter(|&at| at < body.len()) {
            body.truncate(cut_at);
            ending = Ending::Cut(Box::pin(tokio::time::sleep(CUT_PAUSE)));
        }
        Self { length, rest: Some(body).filter(|body| !body.is_empty()), ending }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(rest) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        match &mut self.ending {
            Ending::Whole => Poll::Ready(None),
            Ending::Cut(pause) => {
                pause.as_mut().poll(context).map(|()| Some(Err(io::Error::other("cut in the answer"))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && matches!(self.ending, Ending::Whole)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
pub(crate) mod tests {
    use csms_sdk::{
        Client,
        credentials::{AccessKeys, Credentials},
        csms::{ListSecrets, ShowSecret},
        retry::RetryPolicy,
    };
    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::tls::Certificates;

    /// A request as it would have come in.
    pub(crate) fn incoming(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Incoming {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Incoming {
            method: Method::try_from(method).unwrap(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: map,
            body: Bytes::copy_from_slice(body),
            is_secure: false,
            request_id: request_id(),
        }
    }

    pub(crate) fn now() -> DateTime<Utc> {
        std::time::SystemTime::now().into()
    }

    const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

    /// Tells what came in; paths ask for something else.
    async fn echo(incoming: Incoming) -> Outgoing {
        let seen = json!({
            "method": incoming.method.as_str(),
            "path": incoming.path,
            "query": incoming.query,
            "host": incoming.header("host"),
            "length": incoming.body.len(),
            "request_id": incoming.request_id,
        });
        let whole = Outgoing::json(200, &seen);
        match incoming.path.as_str() {
            "/empty" => Outgoing::empty(204),
            "/cut0" => Outgoing { cut_at: Some(0), ..whole },
            "/cut9" => Outgoing { cut_at: Some(9), ..whole },
            "/cut9999" => Outgoing { cut_at: Some(9999), ..whole },
            "/dated" => whole.dated(DateTime::UNIX_EPOCH),
            "/slow" => Outgoing { delay: Duration::from_millis(200), ..whole },
            _ => whole,
        }
    }

    fn plain_client() -> reqwest::Client {
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder().no_proxy().build().unwrap()
    }

    /// Sends bytes as they are and returns all that comes back.
    async fn raw(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn requests_come_in_whole_and_answers_carry_the_usual_headers() {
        let server = Server::start(LOCAL, None, echo).await.unwrap();
        let address = server.address();
        let client = plain_client();
        let answer = client.put(format!("http://{address}/a%2Fb/c?x=%20&y")).body("12345").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/json");
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        assert!(answer.headers().contains_key("date"));
        let seen: Json = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        let expected = json!({
            "method": "PUT", "path": "/a%2Fb/c", "query": "x=%20&y", "host": address.to_string(), "length": 5,
            "request_id": id,
        });
        assert_eq!(seen, expected);

        let answer = client.get(format!("http://{address}/empty")).send().await.unwrap();
        assert_eq!(answer.status(), 204);
        assert!(!answer.headers().contains_key("content-type"));
        assert_ne!(answer.headers()["x-request-id"], id.as_str());
        let answer = client.get(format!("http://{address}/dated")).send().await.unwrap();
        assert_eq!(answer.headers()["date"], "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused() {
        let server = Server::start(LOCAL, None, echo).await.unwrap();
        let base = format!("http://{}/", server.address());
        let client = plain_client();
        let exact = client.post(&base).body(vec![b' '; MAX_BODY]).send().await.unwrap();
        assert_eq!(exact.status(), 200);
        let long = "x".repeat(MAX_LINE);
        for (status, request) in [
            (413, client.post(&base).body(vec![b' '; MAX_BODY + 1])),
            (414, client.get(format!("{base}{long}"))),
            (494, client.get(&base).header("x-auth-token", &long)),
        ] {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), status);
            let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
            let body: Json = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            assert_eq!((&body["error_code"], &body["request_id"]), (&json!("APIGW.0201"), &json!(id)));
        }
    }

    #[tokio::test]
    async fn answers_break_off_where_they_are_told_to() {
        let server = Server::start(LOCAL, None, echo).await.unwrap();
        let get = |path| format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        let address = server.address();
        assert_eq!(raw(address, &get("/cut0")).await, "");
        let whole = raw(address, &get("/cut9999")).await;
        let cut = raw(address, &get("/cut9")).await;
        let (head, body) = cut.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, r#"{"method""#);
        let length = |head: &str| head.lines().find(|line| line.starts_with("content-length")).map(str::to_owned);
        assert!(whole.ends_with('}'));
        assert_ne!(length(head), None);
        assert_ne!(length(head), Some("content-length: 9".to_owned()), "the whole length is announced");
    }

    #[tokio::test]
    async fn a_stop_waits_for_answers_and_closes_idle_connections() {
        let server = Server::start(LOCAL, None, echo).await.unwrap();
        let address = server.address();
        let client = plain_client();
        client.get(format!("http://{address}/")).send().await.unwrap().bytes().await.unwrap();
        let _silent = TcpStream::connect(address).await.unwrap();
        let slow = tokio::spawn(client.get(format!("http://{address}/slow")).send());
        tokio::time::sleep(Duration::from_millis(50)).await;
        tokio::time::timeout(GRACE / 2, server.stop()).await.unwrap();
        assert_eq!(slow.await.unwrap().unwrap().status(), 200);
        assert!(TcpStream::connect(address).await.is_err());

        let server = Server::start(LOCAL, None, echo).await.unwrap();
        let address = server.address();
        drop(server);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_taken_address_is_named() {
        let server = Server::start(LOCAL, None, echo).await.unwrap();
        let address = server.address();
        let error = Server::start(address, None, echo).await.err().unwrap();
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }

    #[tokio::test]
    async fn one_port_takes_tls_and_plain_http() {
        let certificates = Certificates::new(&["kms.my-1.example.com".to_owned()], now()).unwrap();
        let server = Server::start(LOCAL, Some(certificates.acceptor()), echo).await.unwrap();
        let address = server.address();
        let plain = plain_client().get(format!("http://{address}/")).send().await.unwrap();
        assert_eq!(plain.status(), 200);

        let ca = reqwest::Certificate::from_pem(certificates.ca_pem().as_bytes()).unwrap();
        for http1 in [true, false] {
            for host in ["127.0.0.1", "localhost", "kms.my-1.example.com"] {
                let builder = reqwest::Client::builder().no_proxy().tls_certs_only([ca.clone()]).resolve(host, address);
                let client = if http1 { builder.http1_only() } else { builder }.build().unwrap();
                let url = format!("https://{host}:{}/", address.port());
                let answer = client.get(&url).send().await.unwrap();
                let version = if http1 { http::Version::HTTP_11 } else { http::Version::HTTP_2 };
                assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
                let seen: Json = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
                assert_eq!(seen["host"], format!("{host}:{}", address.port()));
                let mut answer = client.get(format!("{url}cut9")).send().await.unwrap();
                assert_eq!(answer.chunk().await.unwrap().unwrap(), r#"{"method""#);
                assert!(answer.chunk().await.is_err());
                assert!(client.get(format!("{url}cut0")).send().await.is_err());
            }
        }
    }

    /// Routes, verifies and answers, which is all that these modules are for.
    mod together {
        use super::*;
        use crate::{
            auth::{self, Lockouts, tests::Ring},
            region::Regions,
            request::flatten,
            route::{Router, choose},
        };

        async fn serve(tls: Option<TlsAcceptor>) -> Server {
            let regions = Regions::new("cn-north-4", ["my-1".to_owned()]);
            let state = Arc::new((regions, Router::new(), Lockouts::default()));
            let answer = move |incoming: Incoming| {
                let (regions, router, lockouts) = &*state;
                let located = regions.locate(&incoming);
                let result = router.find(incoming.method.as_str(), located.path).and_then(|found| {
                    let identity = auth::verify(&incoming, located.path, now(), &Ring, lockouts)?;
                    let info = choose(found.candidates, &Default::default()).unwrap();
                    let request = flatten(info, &found.parameters, &incoming).unwrap();
                    Ok(json!({
                        "page_info": {"current_count": 0},
                        "secrets": [],
                        "secret": {"name": request.get("secret_name"), "id": located.region.unwrap_or(regions.first())},
                        "user": identity.user_name,
                    }))
                });
                let outgoing = match result {
                    Ok(body) => Outgoing::json(200, &body),
                    Err(fault) => Outgoing::refusal(&fault, None, &incoming.request_id),
                };
                std::future::ready(outgoing)
            };
            Server::start(LOCAL, tls, answer).await.unwrap()
        }

        fn temporary(security_token: &str) -> Credentials {
            AccessKeys::new("AKTEMPORARY", "SKTEMPORARY").with_security_token(security_token).into()
        }

        fn client(endpoint: String, credentials: Credentials, ca: Option<&str>) -> Client {
            let builder = Client::builder()
                .endpoint(endpoint)
                .region("my-1")
                .project_id("p")
                .credentials(credentials)
                .retry(RetryPolicy::none())
                .no_proxy();
            let builder = match ca {
                Some(pem) => builder.root_certificates_pem(pem),
                None => builder,
            };
            builder.build().unwrap()
        }

        #[tokio::test]
        async fn the_sdk_is_let_in_under_every_address() {
            let certificates = Certificates::new(&[], now()).unwrap();
            let server = serve(Some(certificates.acceptor())).await;
            let port = server.address().port();
            for (endpoint, region) in [
                (format!("http://127.0.0.1:{port}"), "cn-north-4"),
                (format!("http://127.0.0.1:{port}/my-1"), "my-1"),
                (format!("https://localhost:{port}"), "cn-north-4"),
                (format!("https://localhost:{port}/my-1/"), "my-1"),
            ] {
                for credentials in [
                    Credentials::keys("AKPERMANENT", "SKPERMANENT"),
                    temporary("SECURITYTOKEN"),
                    Credentials::token("TOKEN"),
                ] {
                    let client = client(endpoint.clone(), credentials, Some(certificates.ca_pem()));
                    let answer = client.send(ShowSecret::new("a.b-c")).await.unwrap();
                    let secret = answer.into_body().secret.unwrap();
                    assert_eq!((secret.name.as_deref(), secret.id.as_deref()), (Some("a.b-c"), Some(region)));
                    client.send(ListSecrets::new().limit(2).marker("é /+*~")).await.unwrap();
                }
            }
        }

        #[tokio::test]
        async fn the_sdk_is_told_why_it_is_not_let_in() {
            let server = serve(None).await;
            let endpoint = format!("http://{}", server.address());
            for (credentials, text) in [
                (Credentials::keys("AKPERMANENT", "wrong"), "verify aksk signature fail"),
                (Credentials::keys("AKUNKNOWN", "wrong"), "ak not exist"),
                (temporary("other"), "decrypt token fail"),
                (Credentials::token("EXPIRED"), "The token must be updated"),
            ] {
                let error = client(endpoint.clone(), credentials, None).send(ListSecrets::new()).await.unwrap_err();
                assert_eq!(error.status(), Some(401));
                assert!(format!("{error:?}").contains(text), "{error:?}");
            }
        }
    }
}
