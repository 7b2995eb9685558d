//! What sends: a client, the runtime it runs on and, with `--local`, the emulator it talks to.

use csms_emulator::Emulator;
use csms_sdk::{Client, reference::Reference};
use tokio::runtime::Runtime;

use crate::{
    error::{Exit, Failure},
    session::Session,
    settings::Settings,
    signals::Signals,
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

    /// A client for the place that a reference names: its region, and whoever its profile calls as.
    pub(crate) fn client_at(&self, session: &Session<'_>, reference: &Reference) -> Result<Client, Failure> {
        if reference.profile().is_some() || reference.project().is_some() {
            return session.settings.at(reference)?.client();
        }
        match reference.region() {
            Some(region) if Some(region) != self.client.region() => Ok(self.client.for_region(region)?),
            _ => Ok(self.client.clone()),
        }
    }

    /// Works until it is done or a signal asks this process to end. Then the work is dropped, so that it leaves nothing
    /// unfinished behind.
    pub(crate) fn until_interrupted<T>(self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let mut signals = self.block_on(async { Signals::listen() })?;
        self.until_signal(&mut signals, work)
    }

    /// The same for those who listen to signals before and afterwards.
    pub(crate) fn until_signal<T>(
        self,
        signals: &mut Signals,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let outcome = self.block_on(async {
            tokio::select! {
                outcome = work => outcome,
                _ = signals.next() => Err(Failure::new(Exit::Interrupted, "interrupted", "interrupted")
                    .cause("a signal asked to end; no half-written file is left")
                    .hint("run it again")),
            }
        });
        let Self { client, _emulator, runtime } = self;
        drop((client, _emulator));
        // A read that waits for a pipe or a person must not keep the program.
        runtime.shutdown_background();
        outcome
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
