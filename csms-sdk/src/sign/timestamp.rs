//! The time of a signature, `YYYYMMDDTHHMMSSZ`.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike as _, NaiveDateTime, Timelike as _, Utc};

const FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// `time` as `X-Sdk-Date` carries it, e.g. `20191115T033655Z`; fractions of a second are dropped.
///
/// The service refuses a time more than 15 minutes away from its own clock.
#[must_use]
pub fn timestamp(time: DateTime<Utc>) -> String {
    // By hand: chrono would read its format anew for every signature.
    let mut text = String::with_capacity("YYYYMMDDTHHMMSSZ".len());
    let _ = write!(text, "{:04}{:02}{:02}T", time.year(), time.month(), time.day());
    let _ = write!(text, "{:02}{:02}{:02}Z", time.hour(), time.minute(), time.second());
    text
}

/// Reads what [`timestamp`] writes; `None` for any other text.
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<DateTime<Utc>> {
    let time = NaiveDateTime::parse_from_str(text, FORMAT).ok()?.and_utc();
    // chrono also reads signs, spaces and missing digits.
    (timestamp(time) == text).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_time_convert_both_ways() {
        let time = DateTime::from_timestamp(1_573_789_015, 999_999_999);
        assert_eq!(time.map(timestamp).as_deref(), Some("20191115T033655Z"));
        let whole = DateTime::from_timestamp(1_573_789_015, 0);
        assert_eq!(parse_timestamp("20191115T033655Z"), whole);
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "20191115T033655",
            "2019-11-15T03:36:55Z",
            "20191315T033655Z",
            "+20191115T033655Z",
            " 20191115T033655Z",
            "2019111 T033655Z",
            "20191115T03365Z",
            "20191115t033655z",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text:?}");
        }
    }
}
