//! What a cache can be told.

use std::time::Duration;

use super::SecretCache;
use crate::Client;

/// What is longer counts as this. It keeps times within what a clock can show.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) ttl: Duration,
    pub(super) max_age: Duration,
    /// Zero for never.
    pub(super) refresh_ahead: Duration,
    /// Zero for never.
    pub(super) stale_on_failure: Duration,
    pub(super) capacity: usize,
}

/// Sets up a [`SecretCache`]. Everything has a default. What is longer than ten years counts as ten years.
#[derive(Clone, Debug)]
#[must_use = "`build` makes the cache"]
pub struct Builder {
    client: Client,
    settings: Settings,
}

impl Builder {
    pub(super) fn new(client: &Client) -> Self {
        let settings = Settings {
            ttl: Duration::from_secs(5 * 60),
            max_age: Duration::from_secs(60 * 60),
            refresh_ahead: Duration::ZERO,
            stale_on_failure: Duration::ZERO,
            capacity: 1000,
        };
        Self { client: client.clone(), settings }
    }

    /// How long a value is handed out before the service is asked whether it is still the right one; default 5 minutes.
    ///
    /// Of that up to a tenth is left out at random, so that values read together are not asked for together. It counts from
    /// before the question. With zero every read asks.
    ///
    /// Five minutes are twelve questions an hour for a secret, whatever the traffic. The value before a rotation is staged
    /// `SYSPREVIOUS`, and where two users take turns it works until the next rotation. Where there is only one user it does
    /// not: then [`refresh`](SecretCache::refresh) when the value is refused, rather than shorten the time.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.settings.ttl = ttl.min(LONGEST);
        self
    }

    /// How long a value is kept by confirmation alone before it is fetched anew; default 1 hour. With zero it is never
    /// confirmed but always fetched.
    ///
    /// Only a fetch shows that the caller may still read the value, and that its key can still be used.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.settings.max_age = max_age.min(LONGEST);
        self
    }

    /// Lets a read that comes so long before the end of the time to live renew the value in the background, so that no read
    /// has to wait; default never. At most half of the time to live counts.
    ///
    /// One task of `tokio` at a time does it for a value, and ends with the cache. What fails is tried again a few seconds
    /// later. A value that nobody reads is not renewed.
    pub fn refresh_ahead(mut self, ahead: Duration) -> Self {
        self.settings.refresh_ahead = ahead.min(LONGEST);
        self
    }

    /// How long after its time to live a value may be used on when asking fails for what may pass: throttled, a failure of
    /// the service, no connection, a time-out; default not at all.
    ///
    /// The service is then asked again every five seconds at most, or when it says. It also is how long a revoked
    /// secret may be used on by a program that is cut off from the service.
    pub fn stale_on_failure(mut self, longest: Duration) -> Self {
        self.settings.stale_on_failure = longest.min(LONGEST);
        self
    }

    /// Most values that are held, versions of secrets and not their fields; default 1000, at least 1.
    ///
    /// What comes on top takes the place of one whose time to live is over, or else of the one that was not read for the
    /// longest. Finding it takes a look at each.
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.settings.capacity = capacity.max(1);
        self
    }

    /// Makes the cache.
    #[must_use]
    pub fn build(self) -> SecretCache {
        let Self { client, settings } = self;
        SecretCache::from_settings(client, settings)
    }
}
