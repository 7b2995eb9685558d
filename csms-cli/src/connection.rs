//! What sends: a client, the runtime it runs on and, with `--local`, the emulator it talks to.

use csms_emulator::Emulator;
use csms_sdk::Client;
use tokio::runtime::Runtime;

use crate::{
    error::{Exit, Failure},
    settings::Settings,
};

/// A client that calls as whoever the settings name.
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// Lets go of its file before the runtime that it needs ends.
    _emulator: Option<Emulator>,
    runtime: Runtime,
}

impl Connection {
    pub(crate) fn open(settings: &Settings) -> Result<Self, Failure> {
        let runtime = runtime()?;
        let emulator = settings.local.as_ref().map(|local| runtime.block_on(local.start(settings))).transpose()?;
        let client = match &emulator {
            Some(emulator) => settings.local_client(emulator)?,
            None => settings.client()?,
        };
        Ok(Self { client, _emulator: emulator, runtime })
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

/// A runtime, made only when something is sent.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let made = tokio::runtime::Builder::new_current_thread().enable_all().build();
    made.map_err(|error| Failure::new(Exit::Unexpected, "runtime", format!("the runtime cannot be started: {error}")))
}
