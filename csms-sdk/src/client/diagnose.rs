//! Why a signature was refused, as far as the answer tells. Pure functions of the answer.

use chrono::{DateTime, Datelike as _, NaiveDateTime, TimeDelta, Utc};
use http::HeaderMap;

/// The service accepts a quarter of an hour; less than this is not why a signature was refused.
const NOTICEABLE: TimeDelta = TimeDelta::minutes(10);

/// The service's time, if it is far enough from the time a request was signed with to matter.
///
/// The refusal of an expired signature names the server's time; the `Date` header will do otherwise.
pub(super) fn service_time(headers: &HeaderMap, message: &str, signed_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let server = server_time(message).filter(is_believable).or_else(|| date(headers))?;
    ((server - signed_at).abs() >= NOTICEABLE).then_some(server)
}

/// The service's time by the `Date` of its answer.
pub(super) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = headers.get(http::header::DATE)?.to_str().ok()?;
    Some(DateTime::parse_from_rfc2822(date).ok()?.to_utc()).filter(is_believable)
}

/// A date can hold years that no signature can, and at their end adding to them fails.
fn is_believable(time: &DateTime<Utc>) -> bool {
    (1970..10_000).contains(&time.year())
}

/// `… server time:20211217T065804Z`
fn server_time(message: &str) -> Option<DateTime<Utc>> {
    let (_, rest) = message.split_once("server time:")?;
    let text = rest.trim_start().get(..16)?;
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok().map(|time| time.and_utc())
}

pub(super) fn skew_advice(skew: TimeDelta) -> String {
    let direction = if skew > TimeDelta::zero() { "behind" } else { "ahead of" };
    let minutes = skew.abs().num_minutes();
    format!("the clock here is {minutes} minutes {direction} the service's; set it right")
}

/// What to look at when the credentials were refused.
pub(super) fn credentials_advice(origin: Option<&str>, difference: Option<String>) -> Option<String> {
    match (origin, difference) {
        (_, Some(difference)) => Some(format!("the request was changed on its way: {difference}")),
        (Some(origin), None) => Some(format!("the credentials come from: {origin}")),
        (None, None) => None,
    }
}

/// The first line in which the canonical request that the gateway quotes differs from `ours`.
///
/// Names lines and headers, not their values: a value can be a token.
pub(super) fn first_difference(message: &str, ours: &str) -> Option<String> {
    let (_, theirs) = message.split_once("canonicalRequest:")?;
    let mut theirs = theirs.trim_end().split('|');
    for (index, our_line) in ours.lines().enumerate() {
        let their_line = theirs.next()?;
        if their_line == our_line || is_redacted(their_line) {
            continue;
        }
        let what = match index {
            0 => "the method".to_owned(),
            1 => "the path".to_owned(),
            2 => "the query".to_owned(),
            _ => match our_line.split_once(':') {
                Some((header, _)) => format!("the header {header}"),
                None => "the list of headers or the body".to_owned(),
            },
        };
        return Some(format!("the service saw another value of {what}"));
    }
    None
}

/// Values of secret headers have been dropped from the quotation.
fn is_redacted(line: &str) -> bool {
    line.ends_with(':')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use http::HeaderValue;

    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn the_clock_is_measured_from_the_message_or_the_date() {
        let message = "signature expired, signature time:20211217T064303Z,server time:20211217T065804Z";
        let told = |headers: &HeaderMap, message| service_time(headers, message, time("2021-12-17T06:43:03Z"));
        assert_eq!(told(&HeaderMap::new(), message), Some(time("2021-12-17T06:58:04Z")));
        let mut headers = HeaderMap::new();
        headers.insert("date", HeaderValue::from_static("Fri, 17 Dec 2021 06:13:03 GMT"));
        assert_eq!(told(&headers, "no"), Some(time("2021-12-17T06:13:03Z")));
        headers.insert("date", HeaderValue::from_static("Fri, 17 Dec 2021 06:44:00 GMT"));
        assert_eq!(told(&headers, "no"), None);
        headers.insert("date", HeaderValue::from_static("31 Dec 262142 23:59:59 GMT"));
        assert_eq!(told(&headers, "no"), None);
        for odd in ["server time:", "server time:2021", "server time:ééééééééé"] {
            assert_eq!(told(&HeaderMap::new(), odd), None);
        }
    }

    #[test]
    fn the_advice_names_the_clock() {
        assert!(skew_advice(TimeDelta::minutes(23)).contains("23 minutes behind"));
        assert!(skew_advice(TimeDelta::minutes(-23)).contains("23 minutes ahead"));
    }

    #[test]
    fn a_quoted_canonical_request_is_compared_line_by_line() {
        let ours = "GET\n/v1/\n\nhost:a\nx-security-token:t\n\nhost\nabc";
        let quoted = |text: &str| format!("verify aksk signature fail, canonicalRequest:{text}");
        assert_eq!(first_difference(&quoted("GET|/v1/||host:a|x-security-token:||host|abc"), ours), None);
        let difference = first_difference(&quoted("GET|/v1/||host:b|x-security-token:||host|abc"), ours).unwrap();
        assert!(difference.contains("the header host"), "{difference}");
        let difference = first_difference(&quoted("GET|/v2/||host:a"), ours).unwrap();
        assert!(difference.contains("the path"), "{difference}");
        assert_eq!(first_difference("no quotation", ours), None);
    }
}
