//! Setting up a client.

use std::{path::Path, sync::Arc, time::Duration};

use super::{CallOptions, Client, Core, Project, Shared, Signing};
use crate::{
    clock::Clock,
    credentials::{Cache, ProvideCredentials, default_chain},
    env::Env,
    error::{Error, ErrorKind},
    operation::Service,
    region::{Given, Settings},
    retry::RetryPolicy,
    transport::{Proxy, TransportConfig},
};

/// Sets up a [`Client`]. Everything has a default except where to call: a region, or endpoints.
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    given: Given,
    provider: Option<Arc<dyn ProvideCredentials>>,
    env: Env,
    clock: Clock,
    transport: TransportConfig,
    retry: RetryPolicy,
    call_timeout: Duration,
    signing: Signing,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            given: Given::default(),
            provider: None,
            env: Env::process(),
            clock: Clock::system(),
            transport: TransportConfig {
                connect_timeout: Duration::from_secs(5),
                // The service's documentation advises 5 to 8 seconds.
                attempt_timeout: Duration::from_secs(8),
                // The largest documented answer is a backup of 5 MiB.
                max_answer_bytes: 16 * 1024 * 1024,
                proxy: Proxy::Environment,
                root_certificates: Vec::new(),
                http1_only: false,
                user_agent: concat!("csms-sdk-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
                #[cfg(feature = "testing")]
                script: None,
            },
            retry: RetryPolicy::standard(),
            call_timeout: Duration::from_secs(60),
            signing: Signing::default(),
        }
    }
}

impl ClientBuilder {
    /// Region id, e.g. `cn-north-4`. Default: `HW_REGION_NAME`, then `OS_REGION_NAME`, then what the credentials'
    /// source names.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.given.region = Some(region.into());
        self
    }

    /// Project id, 32 characters. Default: what the credentials' source names, else the region's default project,
    /// asked of IAM.
    #[must_use]
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.given.project_id = Some(project_id.into());
        self
    }

    /// Endpoint of CSMS and KMS, which share one. `{region}` in it stands for the region; several are separated by
    /// commas, and the next is used when one cannot be reached.
    #[must_use]
    pub fn endpoint(self, url: impl Into<String>) -> Self {
        let url = url.into();
        self.service_endpoint(Service::Csms, url.clone()).service_endpoint(Service::Kms, url)
    }

    /// Endpoint of one service, in the form of [`endpoint`](Self::endpoint).
    #[must_use]
    pub fn service_endpoint(mut self, service: Service, url: impl Into<String>) -> Self {
        self.given.endpoints.insert(service, url.into());
        self
    }

    /// Endpoint of one service where neither the program nor the environment names one, in the form of
    /// [`endpoint`](Self::endpoint): for programs with a configuration file of their own, which comes after variables
    /// and before the regions file.
    #[must_use]
    pub fn fallback_endpoint(mut self, service: Service, url: impl Into<String>) -> Self {
        self.given.fallbacks.insert(service, url.into());
        self
    }

    /// Says who named the endpoint of a service, such as a flag or a variable: errors and [`Client::endpoint`] repeat it.
    #[must_use]
    pub fn endpoint_origin(mut self, service: Service, origin: impl Into<String>) -> Self {
        self.given.origins.insert(service, origin.into());
        self
    }

    /// Endpoint of IAM, in the form of [`endpoint`](Self::endpoint).
    #[must_use]
    pub fn iam_endpoint(self, url: impl Into<String>) -> Self {
        self.service_endpoint(Service::Iam, url)
    }

    /// Credentials, or a provider of them. Default: the [default chain](default_chain).
    #[must_use]
    pub fn credentials(self, provider: impl ProvideCredentials + 'static) -> Self {
        self.credentials_provider(Arc::new(provider))
    }

    /// A provider of credentials that others use as well.
    #[must_use]
    pub fn credentials_provider(mut self, provider: Arc<dyn ProvideCredentials>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Environment variables to be used instead of the process's own.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// A clock to be used instead of the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// When and how often calls are repeated.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Time for a connection to be made; default 5 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.transport.connect_timeout = timeout;
        self
    }

    /// Time for one attempt, from the first byte sent to the last received; default 8 s.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.transport.attempt_timeout = timeout;
        self
    }

    /// Time for a call, all attempts and waits together; default 60 s.
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// Largest answer that is read; default 16 MiB.
    #[must_use]
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.transport.max_answer_bytes = bytes;
        self
    }

    /// Proxy for all requests but those for server metadata. Default: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.transport.proxy = Proxy::Url(url.into());
        self
    }

    /// No proxy, whatever the environment says.
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.transport.proxy = Proxy::Direct;
        self
    }

    /// Trusts certificate authorities besides the system's: one or more certificates in PEM.
    #[must_use]
    pub fn root_certificates_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.root_certificates.push(pem.into());
        self
    }

    /// Trusts the certificate authorities in this PEM file besides the system's.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn root_certificates_file(self, path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let pem = std::fs::read(path).map_err(|error| {
            Error::new(ErrorKind::Configuration, format!("the CA file {} cannot be read: {error}", path.display()))
        })?;
        Ok(self.root_certificates_pem(pem))
    }

    /// Speaks HTTP/1.1 only. Default: HTTP/2 where the endpoint offers it.
    #[must_use]
    pub fn http1_only(mut self) -> Self {
        self.transport.http1_only = true;
        self
    }

    /// Text in front of this SDK's name in the `User-Agent` header.
    #[must_use]
    pub fn user_agent(mut self, product: &str) -> Self {
        self.transport.user_agent = format!("{product} {}", self.transport.user_agent);
        self
    }

    /// Algorithm that signs requests; default `SDK-HMAC-SHA256`.
    #[must_use]
    pub fn signing(mut self, signing: Signing) -> Self {
        self.signing = signing;
        self
    }

    /// Answers from a script instead of opening sockets.
    #[cfg(feature = "testing")]
    pub(crate) fn script(mut self, script: crate::testing::Script) -> Self {
        self.transport.script = Some(script);
        self
    }

    /// The client. Reads settings, sends nothing.
    ///
    /// # Errors
    /// A region, endpoint, proxy or certificate that cannot be right.
    pub fn build(self) -> Result<Client, Error> {
        let Self { mut given, provider, env, clock, transport, retry, call_timeout, signing } = self;
        let provider = provider.unwrap_or_else(|| Arc::new(default_chain()));
        given.region = given
            .region
            .or_else(|| env.first(&["HW_REGION_NAME", "OS_REGION_NAME"]).map(|(_, region)| region))
            .or_else(|| provider.region(&env));
        let settings = Settings::resolve(&given, env)?;
        let core = Core::new(transport, clock, retry, call_timeout, signing)?;
        let shared = Shared {
            core: Arc::new(core),
            cache: Arc::new(Cache::new(provider)),
            given,
            settings,
            project: Project::default(),
        };
        Ok(Client { shared: Arc::new(shared), options: CallOptions::default() })
    }
}
