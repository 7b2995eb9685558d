//! Reading the error bodies of the services, the gateway and whatever stands in between.

use serde_json::{Map, Value as Json};

/// What an error body tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
    pub(crate) authorization_message: Option<String>,
}

/// More of an unknown body than this says nothing more.
const MAX_TEXT: usize = 1000;

/// Long enough for a canonical request that the gateway repeats.
const MAX_MESSAGE: usize = 16 * 1024;

/// The pairs under which code and message are known to travel.
const PAIRS: [(&str, &str); 3] = [("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message")];

/// Headers whose values the gateway repeats in its account of a wrong signature.
const SECRET_HEADERS: [&str; 4] = ["x-security-token:", "x-auth-token:", "x-subject-token:", "authorization:"];

impl ErrorBody {
    /// Reads a body of any of the known shapes, at any depth; the whole text is the message of any other.
    ///
    /// The operation is not asked which shape it should send: the same operation answers in another shape
    /// when the gateway answers in its place.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let mut found = Self::default();
        if let Ok(json) = serde_json::from_slice::<Json>(body)
            && found.search(&json)
        {
            found.message = one_line(&redact(&found.message), MAX_MESSAGE);
            found.code = found.code.map(|code| one_line(&code, MAX_TEXT));
            found.request_id = found.request_id.map(|id| one_line(&id, MAX_TEXT));
            return found;
        }
        found.message = plain_text(body);
        found
    }

    fn search(&mut self, json: &Json) -> bool {
        match json {
            Json::Object(members) => {
                self.read_extras(members);
                self.read_pair(members) || members.values().any(|member| self.search(member))
            }
            Json::Array(items) => items.iter().any(|item| self.search(item)),
            _ => false,
        }
    }

    fn read_extras(&mut self, members: &Map<String, Json>) {
        for (name, slot) in
            [("encoded_authorization_message", &mut self.authorization_message), ("request_id", &mut self.request_id)]
        {
            if let Some(value) = members.get(name).and_then(text) {
                slot.get_or_insert(value);
            }
        }
    }

    fn read_pair(&mut self, members: &Map<String, Json>) -> bool {
        for (code, message) in PAIRS {
            let (Some(code), Some(message)) = (members.get(code), members.get(message)) else { continue };
            let (code, message) = (text(code), text(message));
            if code.is_none() && message.is_none() {
                continue;
            }
            self.code = code;
            self.message = message.unwrap_or_else(|| "the service gave no reason".to_owned());
            return true;
        }
        false
    }
}

/// A scalar, or an object in its JSON form; `None` when it is null or empty.
fn text(json: &Json) -> Option<String> {
    match json {
        Json::Null => None,
        Json::String(text) if text.is_empty() => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn plain_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        return "the answer has no body".to_owned();
    }
    if text.starts_with('<') {
        let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
        return match title {
            Some((title, _)) => format!("an HTML page came instead of an answer: {}", one_line(title.trim(), MAX_TEXT)),
            None => "an HTML page came instead of an answer".to_owned(),
        };
    }
    one_line(&redact(text), MAX_TEXT)
}

/// Errors are one line, and what a stranger sends does not steer the terminal it is shown on.
fn one_line(text: &str, most_bytes: usize) -> String {
    let text = &text[..text.floor_char_boundary(most_bytes)];
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// Replaces tokens in a canonical request that the gateway repeats: its lines are separated by `|`.
fn redact(message: &str) -> String {
    let lower = message.to_ascii_lowercase();
    if !SECRET_HEADERS.iter().any(|header| lower.contains(header)) {
        return message.to_owned();
    }
    let lines = message.split('|').map(|line| {
        let start = line.to_ascii_lowercase();
        match SECRET_HEADERS.iter().find(|header| start.starts_with(**header)) {
            Some(header) => &line[..header.len()],
            None => line,
        }
    });
    lines.collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::{hash_map, vec},
        prelude::*,
        sample,
    };

    use super::*;

    fn parse(text: &str) -> (Option<String>, String) {
        let body = ErrorBody::parse(text.as_bytes());
        (body.code, body.message)
    }

    fn known(code: &str, message: &str) -> (Option<String>, String) {
        (Some(code.to_owned()), message.to_owned())
    }

    #[test]
    fn every_known_shape_is_read() {
        for text in [
            r#"{"error_code":"X.1","error_msg":"m"}"#,
            r#"{"errorCode":"X.1","errorMsg":"m"}"#,
            r#"{"code":"X.1","message":"m"}"#,
            r#"{"error":{"error_code":"X.1","error_msg":"m"}}"#,
            r#"{"error":[{"error_code":"X.1","error_msg":"m"}]}"#,
            r#"{"error_msg":"m","error_code":"X.1","request_id":"r"}"#,
            r#"{"a":{"b":{"c":{"code":"X.1","message":"m"}}}}"#,
            r#"{"error":{"code":"X.1","message":"m","title":"t"}}"#,
            r#"{"details":[{"error_code":"X.1","error_msg":"m"}]}"#,
        ] {
            assert_eq!(parse(text), known("X.1", "m"), "{text}");
        }
    }

    #[test]
    fn numbers_nulls_and_objects_are_text() {
        assert_eq!(parse(r#"{"error":{"code":401,"message":"no"}}"#), known("401", "no"));
        assert_eq!(parse(r#"{"error_code":null,"error_msg":"m"}"#), (None, "m".into()));
        assert_eq!(parse(r#"{"error_code":"X.1","error_msg":{"en":"m"}}"#), known("X.1", r#"{"en":"m"}"#));
    }

    #[test]
    fn anything_else_is_its_own_message() {
        assert_eq!(parse(""), (None, "the answer has no body".into()));
        assert_eq!(parse("busy"), (None, "busy".into()));
        assert_eq!(parse(r#"{"error_msg":"only"}"#), (None, r#"{"error_msg":"only"}"#.into()));
        assert_eq!(
            parse("<html><head><title>502 Bad Gateway</title></head></html>"),
            (None, "an HTML page came instead of an answer: 502 Bad Gateway".into())
        );
        let long = "ü".repeat(5000);
        assert!(parse(&long).1.len() <= MAX_TEXT);
        assert!(ErrorBody::parse(&[0xff, 0xfe]).code.is_none());
    }

    #[test]
    fn what_is_told_stays_on_one_line_of_bounded_length() {
        assert_eq!(parse("no\nroom\u{1b}[2J"), (None, "no room [2J".into()));
        assert_eq!(parse("{\"error_code\":\"X\\n1\",\"error_msg\":\"no\\r\\nroom\"}"), known("X 1", "no  room"));
        let long = format!(r#"{{"error_code":"X.1","error_msg":"{}"}}"#, "m".repeat(1_000_000));
        assert!(parse(&long).1.len() <= MAX_MESSAGE);
    }

    #[test]
    fn the_extras_are_found_beside_the_pair_and_around_it() {
        let body = ErrorBody::parse(
            br#"{"request_id":"r","error":{"encoded_authorization_message":"e","error_code":"X.1","error_msg":"m"}}"#,
        );
        assert_eq!(body.request_id.as_deref(), Some("r"));
        assert_eq!(body.authorization_message.as_deref(), Some("e"));
    }

    #[test]
    fn tokens_in_a_repeated_canonical_request_are_dropped() {
        let (_, message) = parse(
            r#"{"error_code":"APIGW.0301","error_msg":"verify aksk signature fail, canonicalRequest:GET|/v1/|a=1|host:h|X-Security-Token:verysecret|x-sdk-date:d||host;x-security-token|hash"}"#,
        );
        assert!(!message.contains("verysecret"), "{message}");
        assert!(message.contains("x-sdk-date:d"), "{message}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(body in vec(any::<u8>(), 0..200)) {
            ErrorBody::parse(&body);
        }

        #[test]
        fn any_json_around_a_pair_is_read(
            members in hash_map("[a-z_]{1,8}", "\\PC{0,20}", 0..4),
            code in "[A-Z]{1,6}[.][0-9]{4}",
            message in "\\PC{1,30}",
            depth in 0..4_usize,
        ) {
            let mut body = serde_json::json!({"error_code": code, "error_msg": message});
            for _ in 0..depth {
                body = serde_json::json!({"about": members, "inner": [body]});
            }
            prop_assume!(!["code", "message"].iter().any(|name| members.contains_key(*name)));
            let body = ErrorBody::parse(body.to_string().as_bytes());
            prop_assert_eq!(body.code, Some(code));
            prop_assert_eq!(body.message, message);
        }

        #[test]
        fn a_repeated_token_is_dropped_wherever_its_line_stands(
            before in "[a-z:/|]{0,20}",
            after in "[a-z:/|]{0,20}",
            header in sample::select(&["X-Security-Token:", "x-auth-token:", "AUTHORIZATION:", "x-subject-token:"][..]),
            nested in any::<bool>(),
        ) {
            let text = format!("canonicalRequest:{before}|{header}T0KEN|{after}");
            let body = if nested { serde_json::json!({"code": "X", "message": text}).to_string() } else { text };
            let message = ErrorBody::parse(body.as_bytes()).message;
            prop_assert!(!message.contains("T0KEN"), "{}", message);
        }
    }
}
