//! Key policies: which access points may open the capsules of a key space, and when.
//!
//! # Limits
//! - Data security zones are kept and shown, but nothing here can prove to be one.

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    key_spaces::{check_exists, check_length, check_name, missing, page},
    refusal,
};
use crate::{
    call::{Call, Handler, Named, Outcome, Reply},
    clock::{self, Millis},
    fault::Fault,
    id,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CreateKeyPolicy", Handler::Write(create)),
    ("ShowKeyPolicy", Handler::Read(show)),
    ("ListKeyPolicy", Handler::Read(list)),
    ("UpdateKeyPolicy", Handler::Write(update)),
    ("DeleteKeyPolicy", Handler::Write(delete)),
];

/// A policy under a name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeyPolicy {
    id: String,
    name: String,
    pub(super) keyspace_id: String,
    pub(super) policy: Policy,
    description: Option<String>,
    created_by: String,
    created: Millis,
    modified: Millis,
    /// When a capsule under it was last made or opened.
    pub(super) accessed: Option<Millis>,
}

/// What may open a capsule, and when. Written in snake case or in camel case; what is shown depends on the operation.
///
/// Unknown members are refused: a condition that is not understood must not be taken for none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    version: String,
    /// Ids of access points.
    #[serde(alias = "allowedAccessPoint", skip_serializing_if = "Option::is_none")]
    allowed_access_point: Option<Vec<String>>,
    #[serde(alias = "allowedDataSecurityZone", skip_serializing_if = "Option::is_none")]
    allowed_data_security_zone: Option<Vec<String>>,
    #[serde(alias = "validityPeriod", skip_serializing_if = "Option::is_none")]
    validity_period: Option<Period>,
}

/// When a policy holds: from its start on and up to its end. Each may be left open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Period {
    #[serde(alias = "startTime", skip_serializing_if = "Option::is_none")]
    start_time: Option<String>,
    #[serde(alias = "endTime", skip_serializing_if = "Option::is_none")]
    end_time: Option<String>,
}

impl Policy {
    /// Reads the JSON text of parameter `name`.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, Fault> {
        let invalid = |problem: &dyn std::fmt::Display| refusal("KMS.0308").because(format!("`{name}` {problem}"));
        let policy: Self =
            serde_json::from_str(text).map_err(|error| invalid(&format!("is no key policy: {error}")))?;
        let (start, end) = policy.period().map_err(|problem| invalid(&problem))?;
        match start.zip(end) {
            Some((start, end)) if end <= start => Err(refusal("KMS.2801")),
            _ => Ok(policy),
        }
    }

    /// The access points that may open, while the policy holds.
    pub(super) fn access_points(&self, now: Millis) -> &[String] {
        let holds = self
            .period()
            .is_ok_and(|(start, end)| start.is_none_or(|start| start <= now) && end.is_none_or(|end| now < end));
        self.allowed_access_point.as_deref().filter(|_| holds).unwrap_or_default()
    }

    /// The form of the times is not documented; it is that of all other times of these chapters.
    fn period(&self) -> Result<(Option<Millis>, Option<Millis>), String> {
        let Some(period) = &self.validity_period else { return Ok((None, None)) };
        let read = |name: &str, text: &Option<String>| {
            let time = |text: &String| DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_millis());
            text.as_ref()
                .map(time)
                .transpose()
                .map_err(|_| format!("has a `{name}` that is not like 2026-01-01T00:00:00Z"))
        };
        Ok((read("start_time", &period.start_time)?, read("end_time", &period.end_time)?))
    }

    fn in_snake_case(&self) -> Json {
        json!(self)
    }

    /// As lists show it: two members are in camel case, there only.
    fn in_list(&self) -> Json {
        let Json::Object(members) = json!(self) else { return Json::Null };
        let renamed = members.into_iter().map(|(name, value)| match name.as_str() {
            "allowed_access_point" => ("allowedAccessPoint".to_owned(), value),
            "validity_period" => ("validityPeriod".to_owned(), value),
            _ => (name, value),
        });
        Json::Object(renamed.collect())
    }
}

fn create(call: &Call, world: &mut World) -> Outcome {
    let keys = &mut world.project_mut(&call.project_id)?.kms;
    let (name, keyspace_id) = (call.text("policy_name"), call.text("keyspace_id"));
    // The table says 100, its text 255: what the stricter one takes is good for both.
    check_name(call, "policy_name", 100)?;
    let policy = sent(call)?;
    check_exists(keys, keyspace_id)?;
    if keys.key_policies.values().any(|policy| policy.keyspace_id == keyspace_id && policy.name == name) {
        return Err(refusal("KMS.0308").because("`policy_name` is that of another key policy"));
    }
    let policy = KeyPolicy {
        id: id::uuid(),
        name: name.to_owned(),
        keyspace_id: keyspace_id.to_owned(),
        policy,
        description: call.optional("description").map(str::to_owned),
        created_by: call.caller.user_id.clone(),
        created: call.now,
        modified: call.now,
        accessed: None,
    };
    let answer = json!({"policy_id": policy.id});
    keys.key_policies.insert(policy.id.clone(), policy);
    Ok(answer.into())
}

fn sent(call: &Call) -> Result<Policy, Fault> {
    check_length(call, "policy", 2, 1000)?;
    Policy::parse("policy", call.text("policy"))
}

fn show(call: &Call, world: &World) -> Outcome {
    let policies = &world.project(&call.project_id)?.kms.key_policies;
    let policy = policies.get(call.text("policy_id")).ok_or_else(|| missing("key policy"))?;
    Ok(details(policy, policy.policy.in_snake_case()).into())
}

fn list(call: &Call, world: &World) -> Outcome {
    let keys = &world.project(&call.project_id)?.kms;
    let keyspace_id = call.text("keyspace_id");
    check_exists(keys, keyspace_id)?;
    let wanted = |policy: &KeyPolicy| policy.keyspace_id == keyspace_id;
    page(call, "keyspace_policies", &keys.key_policies, wanted, |policy| details(policy, policy.policy.in_list()))
}

fn update(call: &Call, world: &mut World) -> Outcome {
    let new = sent(call)?;
    let policies = &mut world.project_mut(&call.project_id)?.kms.key_policies;
    let policy = policies.get_mut(call.text("policy_id")).ok_or_else(|| missing("key policy"))?;
    policy.policy = new;
    policy.modified = call.now;
    // Left out, it stays.
    if let Some(description) = call.optional("description") {
        policy.description = Some(description.to_owned());
    }
    let mut answer = json!({
        "policy_id": policy.id,
        "policy": policy.policy.in_snake_case(),
        "last_modify_time": clock::text(policy.modified),
    });
    describe(&mut answer, policy);
    Ok(answer.into())
}

/// Capsules under it cannot be opened any more.
fn delete(call: &Call, world: &mut World) -> Outcome {
    let policies = &mut world.project_mut(&call.project_id)?.kms.key_policies;
    policies.remove(call.text("policy_id")).ok_or_else(|| missing("key policy"))?;
    Ok(Reply::default())
}

/// A key policy as it is shown.
fn details(policy: &KeyPolicy, content: Json) -> Json {
    let mut details = json!({
        "policy_id": policy.id,
        "policy_name": policy.name,
        "keyspace_id": policy.keyspace_id,
        "policy": content,
        "created_by": policy.created_by,
        "create_time": clock::text(policy.created),
        "last_modify_time": clock::text(policy.modified),
        // Declared as always there, so empty until there is one.
        "last_access_time": policy.accessed.map(clock::text).unwrap_or_default(),
    });
    describe(&mut details, policy);
    details
}

fn describe(answer: &mut Json, policy: &KeyPolicy) {
    if let Some(description) = &policy.description {
        answer["description"] = description.as_str().into();
    }
}
