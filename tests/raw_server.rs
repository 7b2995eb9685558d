//! An HTTP/1.1 server that answers byte by byte as a test tells it, right or wrong.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// What is done after a request was read. A connection stays open after the last step.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes one by one with this wait before each.
    Drip(Vec<u8>, Duration),
    /// Sends these bytes over and over until the other side has enough.
    Flood(Vec<u8>),
    /// Does nothing for a while, or until the client goes away.
    Wait(Duration),
    /// Closes the connection.
    Close,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// Number of requests that came before it.
    pub number: usize,
    /// Method.
    pub method: String,
    /// Path and query; the whole URL when it came to a proxy.
    pub target: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Received {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether the signature is right for this key.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn verify_signature(&self, secret_key: &str) -> Result<(), String> {
        let host = self.header("host").ok_or("there is no host")?;
        let url = format!("http://{host}{}", self.target);
        let mut headers = http::HeaderMap::new();
        for (name, value) in &self.headers {
            let name = http::HeaderName::try_from(name).map_err(|error| error.to_string())?;
            headers.insert(name, http::HeaderValue::try_from(value).map_err(|error| error.to_string())?);
        }
        let request = wiremock::Request {
            url: url.parse().map_err(|error: url::ParseError| error.to_string())?,
            method: self.method.parse().map_err(|_| "no method")?,
            headers,
            body: self.body.clone(),
        };
        wiremock_fixtures::verify_signature(&request, secret_key)
    }
}

/// The server. Stops when it is dropped.
#[derive(Debug)]
pub struct RawServer {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    requests: Mutex<Vec<Received>>,
    accepted: AtomicUsize,
    open: AtomicUsize,
    sent: AtomicUsize,
}

type Script = Arc<dyn Fn(&Received) -> Vec<Step> + Send + Sync>;

impl RawServer {
    /// Starts one that asks `script` what to do about each request.
    pub async fn start(script: impl Fn(&Received) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::start_with(None, Arc::new(script)).await
    }

    /// Starts one that speaks TLS.
    pub async fn start_tls(
        config: ServerConfig,
        script: impl Fn(&Received) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Some(TlsAcceptor::from(Arc::new(config))), Arc::new(script)).await
    }

    async fn start_with(tls: Option<TlsAcceptor>, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared::default());
        let accepting = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (shared, script, tls) = (Arc::clone(&shared), Arc::clone(&script), tls.clone());
                    tokio::spawn(async move { shared.connection(stream, tls, &script).await });
                }
            }
        });
        Self { address, scheme, shared, accepting }
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("{}://{}", self.scheme, self.authority())
    }

    /// Host and port.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// The requests that came so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Number of connections made so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(SeqCst)
    }

    /// Number of connections that are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.load(SeqCst)
    }

    /// Number of bytes sent so far, those in the buffers of the system included.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.shared.sent.load(SeqCst)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    /// Ends in an error when the client goes away, which is no fault.
    async fn connection(&self, stream: TcpStream, tls: Option<TlsAcceptor>, script: &Script) {
        self.accepted.fetch_add(1, SeqCst);
        self.open.fetch_add(1, SeqCst);
        let _ = stream.set_nodelay(true);
        let _ = match tls {
            None => self.converse(stream, script).await,
            Some(tls) => match tls.accept(stream).await {
                Ok(stream) => self.converse(stream, script).await,
                Err(error) => Err(error),
            },
        };
        self.open.fetch_sub(1, SeqCst);
    }

    async fn converse(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin, script: &Script) -> io::Result<()> {
        let mut buffer = Vec::new();
        while let Some(mut request) = read_request(&mut stream, &mut buffer).await? {
            {
                let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
                request.number = requests.len();
                requests.push(request.clone());
            }
            for step in script(&request) {
                match step {
                    Step::Send(bytes) => self.send(&mut stream, &bytes).await?,
                    Step::Drip(bytes, wait) => {
                        for byte in bytes {
                            sleep(wait).await;
                            self.send(&mut stream, &[byte]).await?;
                        }
                    }
                    Step::Flood(bytes) => loop {
                        self.send(&mut stream, &bytes).await?;
                    },
                    Step::Wait(time) => tokio::select! {
                        () = sleep(time) => {}
                        // The client went away, or asks for more, which comes next.
                        read = stream.read_buf(&mut buffer) => if read? == 0 { return Ok(()) },
                    },
                    Step::Close => return stream.shutdown().await,
                }
            }
        }
        Ok(())
    }

    async fn send(&self, stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
        stream.write_all(bytes).await?;
        stream.flush().await?;
        self.sent.fetch_add(bytes.len(), SeqCst);
        Ok(())
    }
}

/// The next request; `None` when the connection was closed or what came is none.
async fn read_request(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> io::Result<Option<Received>> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut lines = head.lines();
    let Some([method, target, _]) = lines
        .next()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .as_deref()
        .and_then(|words| <[&str; 3]>::try_from(words).ok())
    else {
        return Ok(None);
    };
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let total = end + length.unwrap_or(0);
    while buffer.len() < total {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let body = buffer[end..total].to_vec();
    buffer.drain(..total);
    Ok(Some(Received { number: 0, method: method.to_owned(), target: target.to_owned(), headers, body }))
}
