//! The description of the API's structs, as data.
//!
//! Every struct of the API derives [`Model`](csms_sdk_macros::Model), which writes down its [`Shape`] and a way to
//! [visit](Fields::each) its fields. Requests are checked and written, help and skeletons are printed and
//! the conformance test is run from these tables alone; nothing else knows the fields of a struct.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::{encode, secret::SecretJson, time::Timestamp};

/// A struct of the API: a request, an answer, or a part of one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Shape {
    /// The reference's name, misspellings included.
    pub name: &'static str,
    /// What it is, as Markdown.
    pub docs: &'static str,
    /// Its fields in the order of the struct.
    pub fields: &'static [Field],
    /// Sets of fields of which exactly one must be given.
    pub exactly_one: &'static [&'static [&'static str]],
}

impl Shape {
    /// Describes a struct. For the derive.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        docs: &'static str,
        fields: &'static [Field],
        exactly_one: &'static [&'static [&'static str]],
    ) -> Self {
        Self { name, docs, fields, exactly_one }
    }

    /// The field of this wire name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// One field of a [`Shape`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Field {
    /// Name on the wire.
    pub name: &'static str,
    /// Other spellings under which answers are known to carry it.
    pub aliases: &'static [&'static str],
    /// Meaning, unit, range and default, as Markdown.
    pub docs: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// How a scalar is written.
    pub format: Format,
    /// Whether a request without it is refused.
    pub required: bool,
    /// Where a request carries it; answers carry everything in the body or a header.
    pub place: Place,
    /// What a value must fulfil before it is sent.
    pub checks: &'static [Check],
}

impl Field {
    /// Describes a field. For the derive.
    #[doc(hidden)]
    #[must_use]
    #[allow(clippy::too_many_arguments)] // written by the derive only, never by hand
    pub const fn new(
        name: &'static str,
        aliases: &'static [&'static str],
        docs: &'static str,
        kind: Kind,
        format: Format,
        required: bool,
        place: Place,
        checks: &'static [Check],
    ) -> Self {
        Self { name, aliases, docs, kind, format, required, place, checks }
    }

    /// Whether it, or anything inside it, is a secret.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        self.kind.is_sensitive()
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// Text.
    Text,
    /// Text that must never be printed.
    Secret,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A point in time.
    Time,
    /// Free-form JSON.
    Json,
    /// Free-form JSON that must never be printed.
    SecretJson,
    /// One of these texts, or one that is not known yet.
    Enum(&'static [&'static str]),
    /// Any number of these.
    List(&'static Kind),
    /// A struct.
    Object(&'static Shape),
    /// Members whose names the reference does not tell.
    Rest,
}

impl Kind {
    /// Whether it, or anything inside it, is a secret.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        match self {
            Self::Secret | Self::SecretJson => true,
            Self::List(item) => item.is_sensitive(),
            Self::Object(shape) => shape.fields.iter().any(Field::is_sensitive),
            _ => false,
        }
    }
}

/// How a scalar is written in a request (answers are read in any form).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As its JSON kind; a time as a number of milliseconds.
    Plain,
    /// As text: digits, `true` or `false`; a time as digits in milliseconds.
    Text,
    /// A flag as the text `0` or `1`.
    Digit,
    /// A time as a number of seconds.
    Seconds,
    /// A time as digits in seconds.
    SecondsText,
    /// A time as RFC 3339 text.
    Rfc3339,
}

/// Where a request carries a field. Two of the four places can hold for one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// In the path, at `{name}`.
    pub path: bool,
    /// In the query.
    pub query: bool,
    /// In a header of this name.
    pub header: bool,
    /// In the JSON body.
    pub body: bool,
}

impl Place {
    /// Puts a field somewhere. For the derive.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(path: bool, query: bool, header: bool, body: bool) -> Self {
        Self { path, query, header, body }
    }
}

/// What a value must fulfil before it is sent. Only what the service is certain to refuse is listed;
/// limits on which its documents disagree are left to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// 1 to 64 letters, digits, `_`, `-` or `.` (the dot is in the newer documents only).
    Name,
    /// A number from the first to the second; a time is the number that is sent.
    Range(i64, i64),
    /// A number that this divides.
    MultipleOf(i64),
    /// Text of at most so many bytes.
    MaxBytes(usize),
    /// A list of so many items, from the first to the second.
    Items(usize, usize),
    /// A whole number and a unit `d`, `h`, `m` or `s`, from the first to the second in seconds.
    Period(u64, u64),
}

/// A struct whose fields can be visited.
pub trait Fields: Sync {
    /// Its description.
    fn shape(&self) -> &'static Shape;

    /// Visits every field that is set, in the order of the struct.
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'static Field, View<'a>));
}

/// The JSON body of a request or an answer, written as the reference prints it. Fields that are not set and
/// those that travel in path, query or headers are left out.
///
/// ```
/// use csms_sdk::{csms::CreateSecretStage, model};
///
/// let request = CreateSecretStage::new("demo", "blue", "v1");
/// assert_eq!(model::to_json(&request).expose_secret()["name"], "blue");
/// ```
#[must_use]
pub fn to_json(fields: &dyn Fields) -> SecretJson {
    // Reading what was just written cannot fail.
    serde_json::from_slice::<Json>(encode::body(fields).expose_secret()).map(SecretJson::from).unwrap_or_default()
}

/// A borrowed value of a field.
#[derive(Clone)]
pub enum View<'a> {
    /// Text, an enumeration's text, or a secret; the field's kind tells which.
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A point in time.
    Time(Timestamp),
    /// Any JSON.
    Json(&'a Json),
    /// Several values.
    List(List<'a>),
    /// A struct.
    Object(Object<'a>),
    /// Members whose names the reference does not tell; they stand beside the fields, not under a name.
    Members(&'a serde_json::Map<String, Json>),
}

/// Several borrowed values: of a typed list, or of JSON that is to be read as one.
#[derive(Clone)]
pub enum List<'a> {
    /// A `Vec` of a struct's field.
    Typed(&'a dyn Items),
    /// JSON, and what its items are.
    Json(&'static Kind, &'a [Json]),
}

/// A borrowed struct: a typed one, or JSON that is to be read as one.
#[derive(Clone)]
pub enum Object<'a> {
    /// A struct.
    Typed(&'a dyn Fields),
    /// JSON, and what it stands for.
    Json(&'static Shape, &'a serde_json::Map<String, Json>),
}

/// A list whose items can be visited.
pub trait Items: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// Visits them in order.
    fn each<'a>(&'a self, visit: &mut dyn FnMut(View<'a>));
}

/// A JSON value that cannot stand for a field: what would have been needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mismatch(pub(crate) &'static str);

impl<'a> View<'a> {
    /// Reads JSON as `kind`. Scalars are taken in any of their forms, text of digits for a number included.
    pub(crate) fn of_json(kind: &'static Kind, json: &'a Json) -> Result<Self, Mismatch> {
        let view = match (kind, json) {
            (Kind::Text | Kind::Secret | Kind::Enum(_), Json::String(text)) => Self::Text(text.into()),
            (Kind::Text | Kind::Secret | Kind::Enum(_), Json::Number(_) | Json::Bool(_)) => {
                Self::Text(json.to_string().into())
            }
            (Kind::Text | Kind::Secret | Kind::Enum(_), _) => return Err(Mismatch("text")),
            (Kind::Integer, _) => match json {
                Json::Number(number) => number.as_i64(),
                Json::String(text) => text.parse().ok(),
                _ => None,
            }
            .map(Self::Integer)
            .ok_or(Mismatch("a whole number"))?,
            (Kind::Boolean, _) => match json {
                Json::Bool(flag) => Some(*flag),
                Json::String(text) => flag(text),
                Json::Number(number) => number.as_i64().and_then(flag_of_number),
                _ => None,
            }
            .map(Self::Boolean)
            .ok_or(Mismatch("true or false"))?,
            (Kind::Time, _) => match json {
                Json::Number(number) => number.as_i64().map(Timestamp::from_number),
                Json::String(text) => Timestamp::parse(text),
                _ => None,
            }
            .map(Self::Time)
            .ok_or(Mismatch("a time: seconds, milliseconds or RFC 3339"))?,
            (Kind::Json | Kind::SecretJson | Kind::Rest, _) => Self::Json(json),
            (Kind::List(item), Json::Array(items)) => Self::List(List::Json(item, items)),
            (Kind::List(_), _) => return Err(Mismatch("a list")),
            (Kind::Object(shape), Json::Object(members)) => Self::Object(Object::Json(shape, members)),
            (Kind::Object(_), _) => return Err(Mismatch("an object")),
        };
        Ok(view)
    }
}

/// The flag that a text stands for.
pub(crate) fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "1" | "Y" | "yes" => Some(true),
        "false" | "False" | "FALSE" | "0" | "N" | "no" => Some(false),
        _ => None,
    }
}

/// The flag that a number stands for.
pub(crate) fn flag_of_number(number: i64) -> Option<bool> {
    match number {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

impl<'a> From<&'a SecretJson> for View<'a> {
    fn from(json: &'a SecretJson) -> Self {
        Self::Json(json.expose_secret())
    }
}
