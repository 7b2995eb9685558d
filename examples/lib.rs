//! What the examples talk to: the emulator inside this process, or the real service.

use csms_emulator::Emulator;
use csms_sdk::Client;

/// What goes wrong in an example.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A client, and the emulator behind it if there is one.
///
/// With `CSMS_EXAMPLES=live` the client is set up from your own credentials and region, and calls cost what they cost.
/// Without it, an emulator plays the service; it needs no account and keeps nothing.
pub struct Service {
    /// To send operations with.
    pub client: Client,
    /// Stops when it is dropped.
    _emulator: Option<Emulator>,
}

impl Service {
    /// Starts it.
    ///
    /// # Errors
    /// When the settings of a live run are incomplete, or there is no free port.
    pub async fn start() -> Result<Self, Error> {
        if std::env::var("CSMS_EXAMPLES").is_ok_and(|value| value == "live") {
            return Ok(Self { client: Client::builder().build()?, _emulator: None });
        }
        let emulator = Emulator::start().await?;
        Ok(Self { client: emulator.client(), _emulator: Some(emulator) })
    }
}
