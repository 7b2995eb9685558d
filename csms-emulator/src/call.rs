//! One call of an operation, read and checked, and what answers it.

use chrono::{DateTime, Utc};
use csms_sdk::{OperationInfo, SecretString, model::Kind};
use serde_json::{Map, Value as Json};

use crate::{auth::Identity, clock::Millis, fault::Fault, shared::Shared, world::World};

/// A call that has passed the gateway: who calls what, where and when. Has no `Debug`: the parameters hold secrets.
pub(crate) struct Call {
    pub(crate) info: &'static OperationInfo,
    /// The parameters of all places under their wire names. Those the operation knows have been checked.
    pub(crate) params: Map<String, Json>,
    pub(crate) caller: Identity,
    pub(crate) region: String,
    /// The project of the path; where the path has none, that of the credentials or the caller's in this region.
    pub(crate) project_id: String,
    /// Scheme and host that the client used, with the region in front of the path if it was there, for links in answers.
    pub(crate) base: String,
    pub(crate) now: Millis,
    /// The time that is not moved, by which those who call make codes and tokens of their own.
    pub(crate) time: DateTime<Utc>,
    /// `X-Auth-Token` as sent, for operations that take a token without the gateway looking at it.
    pub(crate) auth_token: Option<SecretString>,
}

impl Call {
    /// Takes parameters in: `null` is as good as absent, and a number or a flag sent for a text is read as one.
    pub(crate) fn normalize(info: &OperationInfo, params: &mut Map<String, Json>) {
        params.retain(|_, value| !value.is_null());
        for field in info.request.fields {
            if let (Kind::Text | Kind::Secret | Kind::Enum(_), Some(value @ (Json::Number(_) | Json::Bool(_)))) =
                (field.kind, params.get_mut(field.name))
            {
                *value = value.to_string().into();
            }
        }
    }

    /// One of many calls that this one stands for, by the same caller at the same time.
    pub(crate) fn part(&self, info: &'static OperationInfo, mut params: Map<String, Json>) -> Self {
        Self::normalize(info, &mut params);
        Self {
            info,
            params,
            caller: self.caller.clone(),
            region: self.region.clone(),
            project_id: self.project_id.clone(),
            base: self.base.clone(),
            now: self.now,
            time: self.time,
            auth_token: self.auth_token.clone(),
        }
    }

    /// A required text; the gateway has refused the call without it.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.optional(name).unwrap_or_default()
    }

    /// A text, if it was given. An empty one was.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.params.get(name)?.as_str()
    }

    /// A whole number, sent as one or as text.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.params.get(name)? {
            Json::String(text) => text.trim().parse().ok(),
            value => value.as_i64(),
        }
    }

    /// A flag, sent as one or as text.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.params.get(name)? {
            Json::String(text) => text.parse().ok(),
            value => value.as_bool(),
        }
    }

    /// A list, if it was given.
    pub(crate) fn list(&self, name: &str) -> Option<&[Json]> {
        self.params.get(name)?.as_array().map(Vec::as_slice)
    }

    /// A list of texts, if it was given.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.list(name)?.iter().filter_map(Json::as_str).collect())
    }

    /// An object, if it was given.
    pub(crate) fn object(&self, name: &str) -> Option<&Map<String, Json>> {
        self.params.get(name)?.as_object()
    }
}

/// What is answered. Has no `Debug`: it may hold secrets.
#[derive(Default)]
pub(crate) struct Reply {
    /// `null` for none. Without one, or with status 204, nothing is sent.
    pub(crate) body: Json,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl From<Json> for Reply {
    fn from(body: Json) -> Self {
        Self { body, headers: Vec::new() }
    }
}

/// What comes of a call.
pub(crate) type Outcome = Result<Reply, Fault>;

/// Carries an operation out.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// Only looks.
    Read(fn(&Call, &World) -> Outcome),
    /// Changes something. A refusal leaves everything as it was.
    Write(fn(&Call, &mut World) -> Outcome),
    /// Computes for longer than others should wait: runs on a thread of its own and takes the world when it needs it.
    Slow(fn(&Call, &Shared) -> Outcome),
}

/// An operation's name and what carries it out.
pub(crate) type Named = (&'static str, Handler);
