//! Faults on request: what goes wrong, for which operations, how often.
//!
//! Rules are a JSON list. Each has exactly one kind of fault, and says when it strikes:
//!
//! ```json
//! [
//!   {"operation": "ShowSecretVersion", "delay_ms": 1500, "times": 2},
//!   {"operation": "kms/*", "status": 429, "retry_after": 1, "probability": 0.25, "seed": 7},
//!   {"status": 503, "code": "KMS.0104", "message": "The request was not processed.", "times": 1},
//!   {"operation": "csms/CreateSecret", "cut_at": 0, "times": 1},
//!   {"skew_seconds": -1200},
//!   {"expired_credentials": true, "times": 1}
//! ]
//! ```
//!
//! | member | meaning |
//! | --- | --- |
//! | `operation` | a name, `service/name`, `service/*` or `*`; default `*` |
//! | `delay_ms` | wait so long, at most an hour, then go on |
//! | `status` | answer with this status, 400 to 599; with `code`, `message` and `retry_after` (seconds) if given |
//! | `cut_at` | close the connection after so many bytes of the answer's body, 0 before anything is sent. The operation is carried out |
//! | `skew_seconds` | the emulator's clock is ahead by so much, at most ten years either way |
//! | `expired_credentials` | `true`: the credentials of the request count as expired |
//! | `times` | strike so often at most; default without end |
//! | `probability` | strike with this probability, from 0 to 1; default 1 |
//! | `seed` | where the random numbers of `probability` start, from 0; default 0 |
//!
//! The first rule that strikes wins. Each rule draws its own random numbers, one for each of its requests, so that the same
//! rules and the same requests give the same faults.

use std::{fmt, time::Duration};

use chrono::TimeDelta;
use csms_sdk::{OperationInfo, operations};
use serde_json::{Map, Value as Json};

use crate::fault::Fault;

const MAX_DELAY_MS: i64 = 60 * 60 * 1000;
const MAX_SKEW_SECONDS: i64 = 10 * 366 * 24 * 60 * 60;

/// Members that each make a kind of fault.
const KINDS: [&str; 5] = ["delay_ms", "status", "cut_at", "skew_seconds", "expired_credentials"];
/// Members that go with `status`.
const OF_STATUS: [&str; 3] = ["code", "message", "retry_after"];
/// Members that go with every kind.
const COMMON: [&str; 4] = ["operation", "times", "probability", "seed"];

/// What the gateway says, and with which code, where a rule does not tell.
const ANSWERS: &[(u16, &str, &str)] = &[
    (400, "APIGW.0201", "Bad request"),
    (401, "APIGW.0301", "Incorrect IAM authentication information: Unauthorized"),
    (403, "APIGW.0302", "The IAM user is not authorized to access the API"),
    (404, "APIGW.0101", "The API does not exist or has not been published in the environment"),
    (429, "APIGW.0308", "The throttling threshold has been reached: policy user over ratelimit,limit:20,time:1 second"),
    (500, "APIGW.0601", "Internal server error"),
    (502, "APIGW.0202", "Backend unavailable"),
    (503, "APIGW.0613", "The IAM service is currently unavailable"),
    (504, "APIGW.0203", "Backend timeout"),
];

/// What goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It waits, and goes on.
    Delay(Duration),
    /// It is refused; the answer has a `Retry-After` header of so many seconds, if any.
    Refuse { fault: Fault, retry_after: Option<u32> },
    /// Its answer breaks off after so many bytes of the body; 0 before anything is sent.
    Cut(usize),
    /// The emulator's clock is ahead by this much.
    Skew(TimeDelta),
    /// Its credentials count as expired.
    ExpiredCredentials,
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    /// As given.
    members: Map<String, Json>,
    operation: Pattern,
    effect: Effect,
    /// How often it may still strike; `None` for ever.
    times: Option<u64>,
    probability: f64,
    random: SplitMix64,
}

#[derive(Debug)]
enum Pattern {
    Any,
    Service(&'static str),
    Operations(Vec<&'static OperationInfo>),
}

/// A fault rule that cannot be read. `Display` is one line that names it and its member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRule {
    /// Which rule, from 0; `None` when it is not a list of rules at all.
    pub(crate) index: Option<usize>,
    /// Which of its members, if it is one.
    pub(crate) member: Option<String>,
    pub(crate) problem: String,
}

impl fmt::Display for BadRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.index, &self.member) {
            (Some(index), Some(member)) => write!(f, "rule {index}, `{member}`: {}", self.problem),
            (Some(index), None) => write!(f, "rule {index}: {}", self.problem),
            _ => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for BadRule {}

impl Faults {
    /// Reads a list of rules.
    ///
    /// # Errors
    /// When one of them cannot be read; the error names it and its member.
    pub(crate) fn parse(rules: &Json) -> Result<Self, BadRule> {
        let Json::Array(rules) = rules else {
            return Err(BadRule { index: None, member: None, problem: "a list of rules is wanted".to_owned() });
        };
        let numbered = rules.iter().enumerate();
        let rules = numbered.map(|(index, rule)| {
            Rule::parse(rule).map_err(|(member, problem)| BadRule { index: Some(index), member, problem })
        });
        Ok(Self(rules.collect::<Result<_, _>>()?))
    }

    /// Puts other rules in place of these, which stay in force if the others cannot be read.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub(crate) fn replace(&mut self, rules: &Json) -> Result<(), BadRule> {
        *self = Self::parse(rules)?;
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The rules as they were given, but with `times` as what is left of it.
    pub(crate) fn list(&self) -> Json {
        let list = self.0.iter().map(|rule| {
            let mut members = rule.members.clone();
            if let Some(times) = rule.times {
                members.insert("times".to_owned(), times.into());
            }
            Json::Object(members)
        });
        list.collect()
    }

    /// What goes wrong with the next request of this operation; counts as a strike.
    pub(crate) fn next(&mut self, operation: &OperationInfo) -> Option<Effect> {
        self.0.iter_mut().find_map(|rule| rule.next(operation))
    }
}

/// The member at fault, and what is wrong with it.
type Problem = (Option<String>, String);

fn problem(member: &str, text: impl Into<String>) -> Problem {
    (Some(member.to_owned()), text.into())
}

impl Rule {
    fn next(&mut self, operation: &OperationInfo) -> Option<Effect> {
        if self.times == Some(0) || !self.operation.matches(operation) || self.random.fraction() >= self.probability {
            return None;
        }
        self.times = self.times.map(|times| times - 1);
        Some(self.effect.clone())
    }

    fn parse(rule: &Json) -> Result<Self, Problem> {
        let Json::Object(members) = rule else {
            return Err((None, "an object is wanted".to_owned()));
        };
        let mut kinds = KINDS.into_iter().filter(|kind| members.contains_key(*kind));
        let (Some(kind), None) = (kinds.next(), kinds.next()) else {
            return Err((None, format!("exactly one of {} is wanted", KINDS.join(", "))));
        };
        let is_known =
            |name: &str| name == kind || COMMON.contains(&name) || (kind == "status" && OF_STATUS.contains(&name));
        if let Some(name) = members.keys().find(|name| !is_known(name)) {
            return Err(problem(name, format!("does not go with `{kind}`")));
        }
        Ok(Self {
            operation: Pattern::parse(text(members, "operation")?.unwrap_or("*"))?,
            effect: effect(kind, members)?,
            times: integer(members, "times", 0, i64::MAX)?.map(i64::unsigned_abs),
            probability: match members.get("probability").map(Json::as_f64) {
                None => 1.0,
                Some(Some(probability)) if (0.0..=1.0).contains(&probability) => probability,
                Some(_) => return Err(problem("probability", "a number from 0 to 1 is wanted")),
            },
            random: SplitMix64(integer(members, "seed", 0, i64::MAX)?.unwrap_or(0).unsigned_abs()),
            members: members.clone(),
        })
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, Problem> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let service = text.strip_suffix("/*");
        let is_named = |info: &&OperationInfo| info.name == text || info.id() == text;
        let mut services = operations().map(|info| info.service.as_str());
        if let Some(service) = services.find(|name| Some(*name) == service) {
            return Ok(Self::Service(service));
        }
        let named: Vec<_> = operations().filter(is_named).collect();
        if named.is_empty() {
            return Err(problem("operation", format!("there is no operation `{text}`")));
        }
        Ok(Self::Operations(named))
    }

    fn matches(&self, operation: &OperationInfo) -> bool {
        match self {
            Self::Any => true,
            Self::Service(service) => operation.service.as_str() == *service,
            Self::Operations(named) => {
                named.iter().any(|info| info.service == operation.service && info.name == operation.name)
            }
        }
    }
}

fn effect(kind: &str, members: &Map<String, Json>) -> Result<Effect, Problem> {
    let number = |least, most| integer(members, kind, least, most).map(Option::unwrap_or_default);
    match kind {
        "delay_ms" => Ok(Effect::Delay(Duration::from_millis(number(0, MAX_DELAY_MS)?.unsigned_abs()))),
        "status" => refuse(number(400, 599)? as u16, members),
        "cut_at" => Ok(Effect::Cut(number(0, i64::from(u32::MAX))? as usize)),
        "skew_seconds" => Ok(Effect::Skew(TimeDelta::seconds(number(-MAX_SKEW_SECONDS, MAX_SKEW_SECONDS)?))),
        _ if members.get(kind) == Some(&Json::Bool(true)) => Ok(Effect::ExpiredCredentials),
        _ => Err(problem(kind, "only `true` has a meaning")),
    }
}

fn refuse(status: u16, members: &Map<String, Json>) -> Result<Effect, Problem> {
    let usual = ANSWERS.iter().find(|(known, ..)| *known == status);
    let code = text(members, "code")?.or(usual.map(|(_, code, _)| *code));
    let code = code.ok_or_else(|| problem("code", format!("is wanted: none is known for status {status}")))?;
    let message = text(members, "message")?.or(usual.map(|(.., message)| *message)).unwrap_or("A fault was asked for");
    let retry_after = integer(members, "retry_after", 0, i64::from(u32::MAX))?;
    Ok(Effect::Refuse {
        fault: Fault::new(status, code, message),
        retry_after: retry_after.and_then(|seconds| seconds.try_into().ok()),
    })
}

fn text<'a>(members: &'a Map<String, Json>, name: &str) -> Result<Option<&'a str>, Problem> {
    match members.get(name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(problem(name, "a text is wanted")),
    }
}

fn integer(members: &Map<String, Json>, name: &str, least: i64, most: i64) -> Result<Option<i64>, Problem> {
    match members.get(name).map(|value| value.as_i64().filter(|number| (least..=most).contains(number))) {
        None => Ok(None),
        Some(Some(number)) => Ok(Some(number)),
        Some(None) => Err(problem(name, format!("a whole number from {least} to {most} is wanted"))),
    }
}

/// The generator SplitMix64 (Steele, Lea, Flood 2014): its numbers depend on the seed alone, whatever the platform.
#[derive(Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to but not including 1, of the 53 bits that fit.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use csms_sdk::{Service, operation};
    use serde_json::json;

    use super::*;

    fn faults(rules: Json) -> Faults {
        Faults::parse(&rules).unwrap()
    }

    fn next(faults: &mut Faults, service: Service, name: &str) -> Option<Effect> {
        faults.next(operation(service, name).unwrap())
    }

    #[test]
    fn every_kind_is_read() {
        let effects = |rule: Json| next(&mut faults(json!([rule])), Service::Csms, "ListSecrets").unwrap();
        assert_eq!(effects(json!({"delay_ms": 1500})), Effect::Delay(Duration::from_millis(1500)));
        assert_eq!(effects(json!({"cut_at": 9})), Effect::Cut(9));
        assert_eq!(effects(json!({"skew_seconds": -1200})), Effect::Skew(TimeDelta::seconds(-1200)));
        assert_eq!(effects(json!({"expired_credentials": true})), Effect::ExpiredCredentials);
        let own = json!({"status": 503, "code": "KMS.0104", "message": "m", "retry_after": 2});
        let refusal = Effect::Refuse { fault: Fault::new(503, "KMS.0104", "m"), retry_after: Some(2) };
        assert_eq!(effects(own), refusal);
        for &(status, code, message) in ANSWERS {
            let refusal = Effect::Refuse { fault: Fault::new(status, code, message), retry_after: None };
            assert_eq!(effects(json!({"status": status})), refusal);
        }
    }

    #[test]
    fn the_first_rule_that_strikes_wins_and_is_used_up() {
        let rules = json!([
            {"operation": "csms/ListSecrets", "cut_at": 1, "times": 2},
            {"operation": "ListSecrets", "cut_at": 2, "times": 1},
            {"operation": "kms/*", "cut_at": 3},
            {"cut_at": 4, "times": 1},
        ]);
        let mut faults = faults(rules.clone());
        assert_eq!(faults.list(), rules);
        let mut cuts = |service, name| match next(&mut faults, service, name) {
            Some(Effect::Cut(at)) => at,
            _ => 0,
        };
        let list = [(); 5].map(|()| cuts(Service::Csms, "ListSecrets"));
        assert_eq!(list, [1, 1, 2, 4, 0]);
        assert_eq!(cuts(Service::Csms, "ShowSecret"), 0);
        assert_eq!(cuts(Service::Kms, "ListKeys"), 3);
        let left: Vec<_> = faults.list().as_array().unwrap().iter().map(|rule| rule["times"].clone()).collect();
        assert_eq!(left, [json!(0), json!(0), Json::Null, json!(0)]);
        faults.replace(&faults.list()).unwrap();
        assert_eq!(next(&mut faults, Service::Csms, "ListSecrets"), None, "what was used up stays so");
        faults.replace(&json!([{"cut_at": 5, "operation": "*"}])).unwrap();
        faults.replace(&json!([{"cut_at": -1}])).unwrap_err();
        assert_eq!(next(&mut faults, Service::Csms, "ListSecrets"), Some(Effect::Cut(5)));
        faults.clear();
        assert_eq!(next(&mut faults, Service::Csms, "ListSecrets"), None);
    }

    #[test]
    fn probabilities_are_kept_and_repeat() {
        let strikes = |rule: Json| {
            let mut faults = faults(json!([rule]));
            (0..1000).map(|_| next(&mut faults, Service::Csms, "ListSecrets").is_some()).collect::<Vec<_>>()
        };
        let count = |rule| strikes(rule).into_iter().filter(|&strike| strike).count();
        assert_eq!(count(json!({"cut_at": 0, "probability": 0})), 0);
        assert_eq!(count(json!({"cut_at": 0, "probability": 1})), 1000);
        let quarter = json!({"cut_at": 0, "probability": 0.25, "seed": 7});
        assert!((200..300).contains(&count(quarter.clone())), "{}", count(quarter.clone()));
        assert_eq!(strikes(quarter.clone()), strikes(quarter.clone()));
        assert_ne!(strikes(quarter), strikes(json!({"cut_at": 0, "probability": 0.25, "seed": 8})));
        assert_eq!(count(json!({"cut_at": 0, "probability": 0.25, "times": 3})), 3);
    }

    #[test]
    fn the_generator_agrees_with_the_published_numbers() {
        let mut random = SplitMix64(1_234_567);
        assert_eq!(
            [(); 3].map(|()| random.next()),
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn bad_rules_are_named() {
        let kinds = "rule 0: exactly one of delay_ms, status, cut_at, skew_seconds, expired_credentials is wanted";
        for (rules, expected) in [
            (json!({}), "a list of rules is wanted"),
            (json!([1]), "rule 0: an object is wanted"),
            (json!([{}]), kinds),
            (json!([{"cut_at": 1, "delay_ms": 1}]), kinds),
            (
                json!([{"cut_at": 1}, {"cut_at": 1, "retry_after": 1}]),
                "rule 1, `retry_after`: does not go with `cut_at`",
            ),
            (json!([{"cut_at": 1, "time": 1}]), "rule 0, `time`: does not go with `cut_at`"),
            (json!([{"cut_at": 1, "operation": "Nothing"}]), "rule 0, `operation`: there is no operation `Nothing`"),
            (json!([{"cut_at": 1, "operation": "xyz/*"}]), "rule 0, `operation`: there is no operation `xyz/*`"),
            (json!([{"cut_at": 1, "operation": 1}]), "rule 0, `operation`: a text is wanted"),
            (json!([{"cut_at": "1"}]), "rule 0, `cut_at`: a whole number from 0 to 4294967295 is wanted"),
            (json!([{"delay_ms": 3_600_001}]), "rule 0, `delay_ms`: a whole number from 0 to 3600000 is wanted"),
            (json!([{"status": 200}]), "rule 0, `status`: a whole number from 400 to 599 is wanted"),
            (json!([{"status": 418}]), "rule 0, `code`: is wanted: none is known for status 418"),
            (json!([{"expired_credentials": false}]), "rule 0, `expired_credentials`: only `true` has a meaning"),
            (json!([{"cut_at": 1, "probability": 1.1}]), "rule 0, `probability`: a number from 0 to 1 is wanted"),
            (json!([{"cut_at": 1, "probability": "1"}]), "rule 0, `probability`: a number from 0 to 1 is wanted"),
            (
                json!([{"cut_at": 1, "times": 1.5}]),
                "rule 0, `times`: a whole number from 0 to 9223372036854775807 is wanted",
            ),
        ] {
            assert_eq!(Faults::parse(&rules).unwrap_err().to_string(), expected);
        }
    }
}
