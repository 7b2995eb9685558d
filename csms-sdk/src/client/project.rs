//! A project id that is looked up when first needed.

use std::sync::OnceLock;

use crate::{error::Error, single_flight::SingleFlight};

/// The id, once it is known; one look-up however many calls wait for it.
#[derive(Debug, Default)]
pub(super) struct Project {
    id: OnceLock<String>,
    flight: SingleFlight,
}

impl Project {
    pub(super) fn known(&self) -> Option<&str> {
        self.id.get().map(String::as_str)
    }

    pub(super) async fn get_or(&self, look_up: impl Future<Output = Result<String, Error>>) -> Result<&str, Error> {
        let look_up = async { look_up.await.map(|id| self.id.get_or_init(|| id).as_str()) };
        self.flight.run(|| self.known(), look_up).await
    }
}
