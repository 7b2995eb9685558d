//! Recorded exchanges: reading them, and comparing a request with one.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value as Json};

use super::{Outcome, Sent, json_headers, shown, target, target::Target};
use crate::{
    error::{Error, ErrorKind},
    registry::operations,
    secret::{SecretBytes, SecretJson},
};

/// A request that was recorded.
pub(super) struct Recording {
    method: String,
    path: String,
    query: Map<String, Json>,
    body: Option<SecretJson>,
}

/// Reads a recording: the request, what it is for, and its answer.
pub(super) fn parse(text: &str) -> Result<(Recording, Target, Outcome), Error> {
    parse_exchange(text).map_err(|problem| {
        Error::new(ErrorKind::Configuration, format!("this is no recorded exchange: {problem}"))
            .with_help("the documentation of `csms_sdk::testing` has the form")
    })
}

fn parse_exchange(text: &str) -> Result<(Recording, Target, Outcome), String> {
    let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut exchange = Members::new("it", json)?;
    let mut request = Members::new("request", exchange.take("request").unwrap_or_default())?;
    let mut response = Members::new("response", exchange.take("response").unwrap_or_default())?;

    let operation = exchange.text("operation")?;
    let info = operations().find(|info| info.id() == operation).ok_or_else(|| format!("no operation {operation}"))?;
    let recorded = Recording {
        method: request.text("method")?,
        path: request.text("path")?,
        query: request.take("query").map_or(Ok(Map::new()), |query| object("request.query", query))?,
        body: request.take("body").map(SecretJson::from),
    };
    if recorded.method != info.method.as_str() || target::values(info.path, &recorded.path).is_none() {
        let (method, path) = (info.method.as_str(), info.path);
        return Err(format!("{operation} is {method} {path}, not {} {}", recorded.method, recorded.path));
    }

    let status = response.take("status").and_then(|status| status.as_u64()).and_then(|status| status.try_into().ok());
    let status = status.filter(|status| (100..1000).contains(status)).ok_or("response.status is no HTTP status")?;
    let headers = response.take("headers").map_or(Ok(Map::new()), |headers| object("response.headers", headers))?;
    let headers = header_map(headers)?;
    let body = body_bytes(&headers, response.take("body").map(SecretJson::from));

    request.finish(&["headers"])?;
    response.finish(&[])?;
    exchange.finish(&["case", "source", "input"])?;
    Ok((recorded, Target::Operation(info), Outcome::Answer { status, headers, body }))
}

impl Recording {
    /// Where a request differs from this one. Its credentials and its project do not count.
    pub(super) fn difference(&self, sent: &Sent) -> Option<String> {
        let template = sent.operation().map_or("", |info| info.path);
        let others = |path| {
            let mut values = target::values(template, path)?;
            values.retain(|(name, _)| *name != "project_id");
            Some(values)
        };
        if self.method != sent.method() || others(&self.path) != others(sent.path()) {
            return Some(format!("recorded is {} {}", self.method, self.path));
        }
        if let Some(difference) = shown::difference(sent.shape(), &self.query, &sent.query()) {
            return Some(format!("in the query {difference}"));
        }
        let body = sent.body();
        match (&self.body, body.expose_secret()) {
            (None, _) if sent.has_body() => Some("there is a body, recorded is none".to_owned()),
            (None, _) => None,
            (Some(_), _) if !sent.has_body() => Some("there is no body, recorded is one".to_owned()),
            (Some(recorded), found) => match (recorded.expose_secret(), found) {
                (Json::Object(recorded), Json::Object(found)) => shown::difference(sent.shape(), recorded, found)
                    .map(|difference| format!("in the body {difference}")),
                (recorded, found) => (recorded != found).then(|| "the bodies differ".to_owned()),
            },
        }
    }
}

fn header_map(members: Map<String, Json>) -> Result<HeaderMap, String> {
    let mut headers = json_headers();
    for (name, value) in members {
        let header = || Some((HeaderName::try_from(&name).ok()?, HeaderValue::try_from(value.as_str()?).ok()?));
        let (name, value) = header().ok_or_else(|| format!("response.headers.{name} is no header"))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

fn body_bytes(headers: &HeaderMap, body: Option<SecretJson>) -> SecretBytes {
    let is_json = headers.get(http::header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let bytes = match body.as_ref().map(SecretJson::expose_secret) {
        None => Vec::new(),
        Some(Json::String(text)) if !is_json => text.clone().into_bytes(),
        Some(json) => json.to_string().into_bytes(),
    };
    bytes.into()
}

/// The members of an object, taken one by one so that those misspelt show.
struct Members {
    name: &'static str,
    members: Map<String, Json>,
}

impl Members {
    fn new(name: &'static str, value: Json) -> Result<Self, String> {
        object(name, value).map(|members| Self { name, members })
    }

    fn take(&mut self, member: &str) -> Option<Json> {
        self.members.shift_remove(member)
    }

    fn text(&mut self, member: &str) -> Result<String, String> {
        match self.take(member) {
            Some(Json::String(text)) => Ok(text),
            _ => Err(format!("{} lacks the text `{member}`", self.name)),
        }
    }

    /// Refuses what was not taken, but for these.
    fn finish(self, ignored: &[&str]) -> Result<(), String> {
        match self.members.keys().find(|member| !ignored.contains(&member.as_str())) {
            Some(member) => Err(format!("{} has an unknown member `{member}`", self.name)),
            None => Ok(()),
        }
    }
}

fn object(name: &str, value: Json) -> Result<Map<String, Json>, String> {
    match value {
        Json::Object(members) => Ok(members),
        _ => Err(format!("{name} is no object")),
    }
}
