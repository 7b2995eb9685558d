//! What an emulator can be told before it starts.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use csms_sdk::clock::Clock;
use serde_json::Value as Json;

use crate::{Emulator, StartError, fault::Fault};

/// Regions that are played unless others are named. The first is the one that is meant when nothing tells.
const REGIONS: [&str; 3] = ["cn-north-4", "cn-east-3", "ap-southeast-1"];

/// Sets up an [`Emulator`]. Everything has a default.
#[derive(Clone, Debug)]
#[must_use = "`start` starts it"]
pub struct Builder {
    pub(crate) listen: SocketAddr,
    pub(crate) regions: Vec<String>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) wait_for_data: Duration,
    pub(crate) seed: Option<Json>,
    pub(crate) tls: bool,
    pub(crate) clock: Clock,
    pub(crate) gate: Gate,
    pub(crate) rules: Rules,
}

/// How strict the front is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    /// Whether signatures and tokens are checked.
    pub(crate) checks: bool,
    /// Whether CSMS answers 404 for what does not exist, or 400 with the same code.
    pub(crate) missing_is_404: bool,
}

impl Gate {
    /// A refusal as it is to be sent.
    pub(crate) fn present(self, mut fault: Fault) -> Fault {
        if !self.missing_is_404 && fault.status == 404 && fault.code.starts_with("CSMS.") {
            fault.status = 400;
        }
        fault
    }
}

/// What the services go by.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// How long a replica stays behind its primary, in milliseconds.
    pub(crate) replication_delay: i64,
    /// How long a rotation takes, in milliseconds.
    pub(crate) rotation_delay: i64,
    pub(crate) quotas: Quotas,
}

/// Most of a kind that a project may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quotas {
    /// Secrets in a project; default 500.
    pub secrets: usize,
    /// Keys in a project, default keys not counted; default 100.
    pub keys: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { secrets: 500, keys: 100 }
    }
}

impl Quotas {
    /// As many as fit into memory.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { secrets: usize::MAX, keys: usize::MAX }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            regions: REGIONS.map(str::to_owned).to_vec(),
            data: None,
            wait_for_data: Duration::ZERO,
            seed: None,
            tls: false,
            clock: Clock::system(),
            gate: Gate { checks: true, missing_is_404: true },
            rules: Rules { replication_delay: 200, rotation_delay: 200, quotas: Quotas::default() },
        }
    }
}

impl Builder {
    /// Where to listen; default `127.0.0.1` and any free port. Beyond loopback everybody who can reach it can use it.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The regions to play, the default one first; default `cn-north-4`, `cn-east-3` and `ap-southeast-1`.
    pub fn regions(mut self, regions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.regions = regions.into_iter().map(Into::into).collect();
        self
    }

    /// Keeps everything in this file, sealed under a key in `<file>.key`; default in memory only.
    pub fn data(mut self, file: impl Into<PathBuf>) -> Self {
        self.data = Some(file.into());
        self
    }

    /// How long to wait while another emulator has the data file; default not at all.
    pub fn wait_for_data(mut self, patience: Duration) -> Self {
        self.wait_for_data = patience;
        self
    }

    /// Accounts, users, access keys, agencies and faults to begin with, in the form of [`seed`](crate::seed); default one
    /// account with one access key.
    pub fn seed(mut self, seed: Json) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Serves HTTPS beside HTTP on the same port, with a certificate authority made for it ([`Emulator::ca_pem`]).
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Where the time of day comes from; default the system.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Lets everybody in: neither signatures nor tokens are checked, and a project exists as soon as it is named.
    pub fn unchecked(mut self) -> Self {
        self.gate.checks = false;
        self
    }

    /// Has CSMS answer 400 instead of 404 for what does not exist. The service's documents name both.
    pub fn missing_is_400(mut self) -> Self {
        self.gate.missing_is_404 = false;
        self
    }

    /// How long a replica stays behind its primary; default 200 ms.
    pub fn replication_delay(mut self, delay: Duration) -> Self {
        self.rules.replication_delay = millis(delay);
        self
    }

    /// How long a rotation takes; default 200 ms.
    pub fn rotation_delay(mut self, delay: Duration) -> Self {
        self.rules.rotation_delay = millis(delay);
        self
    }

    /// How much a project may hold.
    pub fn quotas(mut self, quotas: Quotas) -> Self {
        self.rules.quotas = quotas;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// An address that cannot be listened on, a seed that cannot be right, a data file that is in use, damaged or foreign.
    pub async fn start(self) -> Result<Emulator, StartError> {
        Emulator::from_builder(self).await
    }
}

fn millis(delay: Duration) -> i64 {
    i64::try_from(delay.as_millis()).unwrap_or(i64::MAX)
}
