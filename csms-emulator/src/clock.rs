//! The emulator's time of day: the system's, which a control call can move forward.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// Milliseconds since 1970, as the services count time.
pub(crate) type Millis = i64;

/// One day.
pub(crate) const DAY: Millis = 24 * 60 * 60 * 1000;

/// A time in RFC 3339, to the second.
pub(crate) fn text(time: Millis) -> String {
    let time = DateTime::from_timestamp_millis(time).unwrap_or(DateTime::<Utc>::MAX_UTC);
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Two times of day.
///
/// What is stored, scheduled and expires goes by the time that can be moved. Signatures and the `Date` header go by the
/// time of the system, because clients sign with theirs.
pub(crate) struct Clock {
    system: csms_sdk::clock::Clock,
    /// How far it was moved, in milliseconds.
    ahead: AtomicI64,
}

impl Clock {
    pub(crate) fn new(system: csms_sdk::clock::Clock) -> Self {
        Self { system, ahead: AtomicI64::new(0) }
    }

    /// The time that clients share.
    pub(crate) fn system(&self) -> DateTime<Utc> {
        self.system.now()
    }

    /// The time that can be moved.
    pub(crate) fn now(&self) -> Millis {
        self.system().timestamp_millis().saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    /// How far the time was moved.
    pub(crate) fn ahead(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.ahead.load(Ordering::Relaxed))
    }

    /// Moves the time forward; it never goes back.
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.ahead.fetch_add(by.num_milliseconds().max(0), Ordering::Relaxed);
    }
}
