//! Points in time as the services write them.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

/// A number at or above this is milliseconds, below it seconds.
///
/// The reference says "seconds" for nearly every time, the services send milliseconds, and a few fields
/// really are seconds. 10^11 seconds is the year 5138, 10^11 milliseconds is March 1973; no time of a
/// cloud resource lies outside.
const FIRST_MILLISECOND: i64 = 100_000_000_000;

/// A point in time, to the millisecond.
///
/// Reads a number or a text of digits, in seconds or milliseconds, and RFC 3339 text. Is written in the
/// form and unit that the reference prints for the field.
///
/// ```
/// use csms_sdk::Timestamp;
///
/// let time = Timestamp::from_millis(1_581_507_580_000);
/// assert_eq!(time.to_string(), "2020-02-12T11:39:40Z");
/// assert_eq!(Timestamp::parse("1581507580"), Some(time));
/// assert_eq!(time.to_datetime().unwrap().timestamp(), 1_581_507_580);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// From a number whose unit is told by its size: 10^11 and more are milliseconds.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        if number >= FIRST_MILLISECOND { Self::from_millis(number) } else { Self::from_seconds(number) }
    }

    /// From digits (seconds or milliseconds, told by size) or RFC 3339 text; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(number) => Some(Self::from_number(number)),
            Err(_) => DateTime::parse_from_rfc3339(text).ok().map(|time| Self(time.timestamp_millis())),
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The calendar time; `None` beyond the years that `chrono` knows (about ±262,000).
    #[must_use]
    pub fn to_datetime(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }
}

/// RFC 3339 in UTC, with milliseconds where there are any.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_datetime() {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_milliseconds_are_told_by_size() {
        let time = Some(Timestamp::from_millis(1_581_507_580_000));
        assert_eq!(Timestamp::parse("1581507580"), time);
        assert_eq!(Timestamp::parse("1581507580000"), time);
        assert_eq!(Timestamp::parse("2020-02-12T11:39:40Z"), time);
        assert_eq!(Timestamp::parse("2020-02-12T19:39:40.000000+08:00"), time);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "soon", "2020-02-12", "99999999999999999999"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn extreme_numbers_do_not_panic() {
        for number in [i64::MIN, -1, 0, i64::MAX] {
            let _ = Timestamp::from_number(number).to_string();
            let _ = Timestamp::from_seconds(number).as_seconds();
        }
    }
}
