//! A running emulator.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use csms_sdk::{Client, SecretString, Service, credentials::Credentials};
use serde_json::Value as Json;

use crate::{
    clock::Clock,
    control,
    faults::BadRule,
    gateway,
    iam::{directory::Account, metadata::POD_PATH},
    journal::Journal,
    options::Builder,
    region::Regions,
    seed::Seed,
    server::Server,
    shared::Shared,
    store::{Store, StoreError},
    tls::Certificates,
    world::World,
};

/// How long to wait between two tries to get the file.
const DATA_PAUSE: Duration = Duration::from_millis(20);

/// CSMS, KMS, IAM and STS on one machine. Stops when it is dropped.
pub struct Emulator {
    shared: Arc<Shared>,
    server: Server,
    certificates: Option<Certificates>,
    regions: Vec<String>,
    /// Access key and secret key of the default account.
    keys: (String, SecretString),
}

/// Why an emulator does not start. `Display` is one line that says what to do.
#[derive(Debug)]
pub struct StartError {
    kind: StartErrorKind,
    message: String,
}

/// What has to change before an emulator can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartErrorKind {
    /// What it was told can never be right: a seed, the name of a region.
    InvalidInput,
    /// It cannot listen on the address.
    Address,
    /// Another emulator has the data file. It may be done with it soon.
    DataInUse,
    /// The data file cannot be used: damaged, foreign, or not to be written.
    Data,
    /// No certificates can be made for TLS.
    Tls,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StartError {}

impl StartError {
    /// What has to change.
    #[must_use]
    pub fn kind(&self) -> StartErrorKind {
        self.kind
    }

    fn new(kind: StartErrorKind, problem: impl fmt::Display) -> Self {
        Self { kind, message: problem.to_string() }
    }

    fn input(problem: impl fmt::Display) -> Self {
        Self::new(StartErrorKind::InvalidInput, problem)
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::new(if error.is_in_use() { StartErrorKind::DataInUse } else { StartErrorKind::Data }, error)
    }
}

impl Emulator {
    /// Starts one that keeps everything in memory, on a free port of this machine.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Sets one up.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) async fn from_builder(builder: Builder) -> Result<Self, StartError> {
        let Builder { listen, regions, data, wait_for_data, seed, tls, clock, gate, rules } = builder;
        let Some((first, others)) = regions.split_first() else {
            return Err(StartError::input("no region is named; one at least is needed"));
        };
        if let Some(name) = regions.iter().find(|name| !is_region(name)) {
            return Err(StartError::input(format!(
                "{name:?} names no region: letters, digits and hyphens do, as in cn-north-4"
            )));
        }
        if let Some((_, name)) = regions.iter().enumerate().find(|(at, name)| regions[..*at].contains(name)) {
            return Err(StartError::input(format!("region {name} is named twice")));
        }
        let played = Regions::new(first, others.iter().cloned());
        let Seed { directory, faults, rules } = match seed {
            Some(seed) => {
                Seed::parse(&seed, &played, rules).map_err(|error| StartError::input(format!("the seed: {error}")))?
            }
            None => Seed::standard(&played, rules),
        };
        let keys = directory.accounts.first().and_then(Account::first_key);
        let keys =
            keys.ok_or_else(|| StartError::input("the seed: accounts.0 has no access key; give one to a user of it"))?;
        let mut world = World::new(rules, directory);
        let journal = match data.as_deref() {
            Some(file) => open(file, wait_for_data, &mut world).await?,
            None => Journal::none(),
        };
        world.loaded();
        let certificates = match tls {
            true => {
                Some(Certificates::new(&[], clock.now()).map_err(|error| StartError::new(StartErrorKind::Tls, error))?)
            }
            false => None,
        };
        let shared = Arc::new(Shared::new(gate, played, Clock::new(clock), journal, world, faults));
        let acceptor = certificates.as_ref().map(Certificates::acceptor);
        let handler = {
            let shared = shared.clone();
            move |incoming| gateway::answer(shared.clone(), incoming)
        };
        let server = Server::start(listen, acceptor, handler).await;
        let server = server.map_err(|error| StartError::new(StartErrorKind::Address, error))?;
        Ok(Self { shared, server, certificates, regions, keys })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The endpoint of all services in the default region, e.g. `http://127.0.0.1:8080`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.reachable())
    }

    /// The same over TLS, e.g. `https://127.0.0.1:8080`; `None` unless it was asked for.
    #[must_use]
    pub fn tls_endpoint(&self) -> Option<String> {
        self.certificates.as_ref().map(|_| format!("https://{}", self.reachable()))
    }

    /// The endpoint of all services in one of the [`regions`](Self::regions).
    #[must_use]
    pub fn endpoint_in(&self, region: &str) -> String {
        format!("{}/{region}", self.endpoint())
    }

    /// The regions it plays, the default one first.
    #[must_use]
    pub fn regions(&self) -> &[String] {
        &self.regions
    }

    /// The access key and the secret key that are good for the default account.
    #[must_use]
    pub fn keys(&self) -> (&str, &str) {
        (&self.keys.0, self.keys.1.expose_secret())
    }

    /// The project of the default account in a region.
    #[must_use]
    pub fn project_id(&self, region: &str) -> Option<String> {
        self.shared.read(|world| world.project_in(&world.directory.anybody().account_id, region).map(str::to_owned))
    }

    /// A client of the default account in the default region; [`Client::for_region`] leads to the others.
    ///
    /// # Panics
    /// Never: an emulator's own address makes a client.
    #[must_use]
    pub fn client(&self) -> Client {
        let (access_key, secret_key) = self.keys();
        let anywhere = self.endpoint_in("{region}");
        let services = [Service::Csms, Service::Kms, Service::Iam, Service::Sts];
        let builder = Client::builder().region(&self.regions[0]).credentials(Credentials::keys(access_key, secret_key));
        let builder = services
            .into_iter()
            .fold(builder.no_proxy(), |builder, service| builder.service_endpoint(service, anywhere.clone()));
        builder.build().expect("an emulator's own address makes a client")
    }

    /// Where pods get keys, for `HC_CONTAINER_CREDENTIALS_FULL_URI`. Servers find theirs at the [`endpoint`](Self::endpoint).
    #[must_use]
    pub fn pod_identity_uri(&self) -> String {
        format!("{}{}", self.endpoint(), POD_PATH)
    }

    /// Moves the time forward and does what is due then: deletions, rotations, expiries. It never goes back.
    ///
    /// What is stored, scheduled and expires goes by this time; signatures go by the system's, as clients sign.
    pub fn advance(&self, by: Duration) {
        control::advance_by(&self.shared, TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX));
    }

    /// Puts fault rules in place of those in force, which stay if these cannot be read. They are those of the control path:
    ///
    /// ```
    /// # use serde_json::json;
    /// # async fn example(emulator: csms_emulator::Emulator) -> Result<(), csms_emulator::faults::BadRule> {
    /// emulator.set_faults(&json!([{"operation": "ShowSecretVersion", "status": 503, "times": 2}]))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The first rule that cannot be read.
    pub fn set_faults(&self, rules: &Json) -> Result<(), BadRule> {
        self.shared.faults().replace(rules)
    }

    /// Removes all fault rules.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// The certificate authority in PEM that clients of HTTPS have to trust; `None` unless TLS was asked for.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.certificates.as_ref().map(Certificates::ca_pem)
    }

    /// An address that reaches it from this machine, also where it listens on all of them.
    fn reachable(&self) -> SocketAddr {
        let mut address = self.address();
        match address {
            SocketAddr::V4(v4) if v4.ip().is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            SocketAddr::V6(v6) if v6.ip().is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        address
    }

    /// Takes no more requests and returns once those under way are answered, or 5 seconds later.
    pub async fn shutdown(self) {
        self.server.stop().await;
    }
}

impl Drop for Emulator {
    /// Stops, and lets go of the file.
    fn drop(&mut self) {
        self.shared.journal.close();
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("address", &self.address()).field("regions", &self.regions).finish()
    }
}

/// Whether a name can stand in a path, a host name and a variable.
fn is_region(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Reads the file in and keeps it up to date from now on.
async fn open(file: &Path, patience: Duration, world: &mut World) -> Result<Journal, StartError> {
    let deadline = Instant::now() + patience;
    let store = loop {
        match Store::open(file) {
            Err(error) if error.is_in_use() && Instant::now() < deadline => tokio::time::sleep(DATA_PAUSE).await,
            opened => break opened?,
        }
    };
    store.load(|record| world.load(&record))?;
    Journal::new(store).map_err(|error| StartError::new(StartErrorKind::Data, format!("{}: {error}", file.display())))
}
