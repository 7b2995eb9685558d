//! The control path: what no cloud has.
//!
//! | request | does |
//! | --- | --- |
//! | `GET /_emulator` | tells the version, the regions with endpoint and project of the default account, and how much there is |
//! | `GET /_emulator/clock` | tells the time, and how far it was moved |
//! | `POST /_emulator/clock` with `{"advance_seconds": N}` | moves the time forward, and does what is due then |
//! | `GET /_emulator/faults` | lists the fault rules, with what is left of `times` |
//! | `PUT /_emulator/faults` with a list of rules | puts these in place of what was there |
//! | `DELETE /_emulator/faults` | removes them all |
//!
//! Everything is JSON. A mistake is answered with `{"error": "what is wrong"}` and 400, 404 or 405. Nobody has to prove who
//! they are. The time that is moved is the one that schedules, expiries and times in answers go by; signatures go by the
//! system's, because clients sign with theirs.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use http::{HeaderValue, Method, header};
use serde_json::{Value as Json, json};

use crate::{
    clock::Millis,
    server::{Incoming, Outgoing},
    shared::Shared,
};

const ROOT: &str = "/_emulator";

/// The time moves a hundred years at once at most.
const LONGEST_ADVANCE: i64 = 100 * 366 * 24 * 60 * 60;

/// Why a request is refused: status and message.
type Refusal = (u16, String);

/// Answers a request to the control path; `None` for every other.
pub(crate) async fn answer(shared: &Shared, incoming: &Incoming, path: &str) -> Option<Outgoing> {
    let place = path.strip_prefix(ROOT).filter(|place| place.is_empty() || place.starts_with('/'))?;
    let answered = match place.trim_end_matches('/') {
        "" => match incoming.method {
            Method::GET => Ok(overview(shared, incoming)),
            _ => Err(not_allowed("GET")),
        },
        "/clock" => match incoming.method {
            Method::GET => Ok(clock(shared)),
            Method::POST => advance(shared, incoming),
            _ => Err(not_allowed("GET, POST")),
        },
        "/faults" => match incoming.method {
            Method::GET => Ok(shared.faults().list()),
            Method::PUT => set_faults(shared, incoming),
            Method::DELETE => {
                shared.faults().clear();
                Ok(json!([]))
            }
            _ => Err(not_allowed("GET, PUT, DELETE")),
        },
        _ => Err((404, format!("there is no control path {path}; there are {ROOT}, {ROOT}/clock and {ROOT}/faults"))),
    };
    if let Err(fault) = shared.journal.written().await {
        return Some(Outgoing::refusal(&fault, None, &incoming.request_id));
    }
    Some(match answered {
        Ok(body) => Outgoing::json(200, &body),
        Err((status, problem)) => {
            let mut answer = Outgoing::json(status, &json!({"error": problem}));
            if status == 405
                && let Some((_, allowed)) = problem.split_once(": ")
                && let Ok(allowed) = HeaderValue::from_str(allowed)
            {
                answer.headers.insert(header::ALLOW, allowed);
            }
            answer
        }
    })
}

/// Moves the time forward, a hundred years at most, and does what is due then.
pub(crate) fn advance_by(shared: &Shared, by: TimeDelta) {
    shared.clock.advance(by.min(TimeDelta::seconds(LONGEST_ADVANCE)));
    shared.write(|_| ());
}

fn overview(shared: &Shared, incoming: &Incoming) -> Json {
    let host = incoming.header("host").unwrap_or_default();
    shared.read(|world| {
        let account = world.directory.anybody().account_id;
        let regions = shared.regions.iter().map(|region| {
            json!({
                "id": region,
                "endpoint": format!("http://{host}/{region}"),
                "project_id": world.project_in(&account, region),
            })
        });
        let (secrets, keys) = world.projects().fold((0, 0), |(secrets, keys), (_, project)| {
            (secrets + project.csms.secrets.len(), keys + project.kms.keys.len())
        });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "regions": regions.collect::<Vec<_>>(),
            "time": text(shared.clock.now()),
            "counts": {
                "accounts": world.directory.accounts.len(),
                "projects": world.directory.projects.len(),
                "sessions": world.directory.sessions.len(),
                "secrets": secrets,
                "keys": keys,
            },
        })
    })
}

fn clock(shared: &Shared) -> Json {
    json!({"time": text(shared.clock.now()), "advanced_seconds": shared.clock.ahead().num_seconds()})
}

fn advance(shared: &Shared, incoming: &Incoming) -> Result<Json, Refusal> {
    let body = body(incoming)?;
    let Json::Object(members) = &body else {
        return Err((400, "an object is wanted, such as {\"advance_seconds\": 60}".to_owned()));
    };
    if let Some(unknown) = members.keys().find(|name| *name != "advance_seconds") {
        return Err((400, format!("`{unknown}` is not known here; did you mean `advance_seconds`?")));
    }
    let seconds = members.get("advance_seconds").and_then(Json::as_i64);
    let Some(seconds) = seconds.filter(|seconds| (0..=LONGEST_ADVANCE).contains(seconds)) else {
        return Err((400, format!("`advance_seconds`: a whole number from 0 to {LONGEST_ADVANCE} is wanted")));
    };
    advance_by(shared, TimeDelta::seconds(seconds));
    Ok(clock(shared))
}

fn set_faults(shared: &Shared, incoming: &Incoming) -> Result<Json, Refusal> {
    let rules = body(incoming)?;
    let mut faults = shared.faults();
    faults.replace(&rules).map_err(|bad| (400, bad.to_string()))?;
    Ok(faults.list())
}

fn body(incoming: &Incoming) -> Result<Json, Refusal> {
    serde_json::from_slice(&incoming.body)
        .map_err(|error| (400, format!("the body is not JSON: line {}, column {}", error.line(), error.column())))
}

fn not_allowed(allowed: &str) -> Refusal {
    (405, format!("allowed here: {allowed}"))
}

fn text(time: Millis) -> String {
    let time = DateTime::from_timestamp_millis(time).unwrap_or(DateTime::<Utc>::MAX_UTC);
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
