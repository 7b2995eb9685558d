//! The Rust types that a field of the API can have.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde_json::{Map, Value as Json};

use crate::{
    model::{self, Items, Kind, List, View},
    secret::{SecretJson, SecretString},
    time::Timestamp,
};

/// A type that a field can have: how it is described, read and looked at.
///
/// Reading is lenient, because the services are inconsistent and a client that fails on an answer it could
/// have understood helps nobody: numbers and flags may come as text, text as a number or flag, times in any
/// unit, one object instead of a list and the reverse; `null` and an empty text stand for absence.
pub trait Value: Sized + Send + Sync {
    /// What it holds.
    const KIND: Kind;

    /// Reads one.
    ///
    /// # Errors
    /// When the input cannot stand for this type in any of its forms.
    fn read<'de, D: Deserializer<'de>>(input: D) -> Result<Self, D::Error>;

    /// Reads one that may be missing: `null`, and for anything but text an empty text, are `None`.
    ///
    /// # Errors
    /// When the input is there but cannot stand for this type in any of its forms.
    fn read_optional<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Self>, D::Error> {
        input.deserialize_option(OptionVisitor(PhantomData))
    }

    /// What it is when an answer leaves it out.
    fn absent() -> Self;

    /// Its content; `None` when it is not set.
    fn view(&self) -> Option<View<'_>>;
}

struct OptionVisitor<T>(PhantomData<T>);

impl<'de, T: Value> Visitor<'de> for OptionVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, input: D) -> Result<Option<T>, D::Error> {
        T::read(input).map(Some)
    }
}

impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;

    fn read<'de, D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        T::read_optional(input)
    }

    fn absent() -> Self {
        None
    }

    fn view(&self) -> Option<View<'_>> {
        self.as_ref().and_then(T::view)
    }
}

/// Reads a [`Value`] where serde wants a seed.
#[doc(hidden)]
pub struct Read<T>(pub PhantomData<T>);

impl<'de, T: Value> DeserializeSeed<'de> for Read<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<T, D::Error> {
        T::read(input)
    }
}

/// A scalar in whatever form it comes.
enum Scalar<'a> {
    Absent,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(&'a str),
}

/// Reads a scalar and turns it into `T` with a plain function; `None` from it is a type error.
struct ScalarVisitor<T, F> {
    expected: &'static str,
    convert: F,
    result: PhantomData<T>,
}

impl<T, F: Fn(Scalar<'_>) -> Option<T>> ScalarVisitor<T, F> {
    fn convert<E: de::Error>(&self, scalar: Scalar<'_>) -> Result<T, E> {
        // The value itself is never part of the message: it may be a secret.
        (self.convert)(scalar).ok_or_else(|| E::custom(format_args!("expected {}", self.expected)))
    }
}

impl<'de, T, F: Fn(Scalar<'_>) -> Option<T>> Visitor<'de> for ScalarVisitor<T, F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<T, E> {
        self.convert(Scalar::Boolean(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<T, E> {
        self.convert(Scalar::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<T, E> {
        match i64::try_from(value) {
            Ok(value) => self.convert(Scalar::Integer(value)),
            Err(_) => self.convert(Scalar::Text(&value.to_string())),
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<T, E> {
        self.convert(Scalar::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<T, E> {
        self.convert(Scalar::Text(value))
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        self.convert(Scalar::Absent)
    }
}

fn read_scalar<'de, D: Deserializer<'de>, T>(
    input: D,
    expected: &'static str,
    convert: impl Fn(Scalar<'_>) -> Option<T>,
) -> Result<T, D::Error> {
    input.deserialize_any(ScalarVisitor { expected, convert, result: PhantomData })
}

fn text(scalar: Scalar<'_>) -> Option<String> {
    match scalar {
        Scalar::Absent => Some(String::new()),
        Scalar::Text(text) => Some(text.to_owned()),
        Scalar::Boolean(flag) => Some(flag.to_string()),
        Scalar::Integer(number) => Some(number.to_string()),
        Scalar::Float(number) => Some(number.to_string()),
    }
}

fn integer(scalar: Scalar<'_>) -> Option<i64> {
    match scalar {
        Scalar::Absent | Scalar::Text("") => Some(0),
        Scalar::Integer(number) => Some(number),
        Scalar::Text(text) => text.trim().parse().ok(),
        // 2^53: beyond it a float does not tell whole numbers apart.
        Scalar::Float(number) if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 => {
            Some(number as i64)
        }
        Scalar::Float(_) | Scalar::Boolean(_) => None,
    }
}

fn boolean(scalar: Scalar<'_>) -> Option<bool> {
    match scalar {
        Scalar::Absent | Scalar::Text("") => Some(false),
        Scalar::Boolean(flag) => Some(flag),
        Scalar::Text(text) => model::flag(text),
        Scalar::Integer(number) => model::flag_of_number(number),
        Scalar::Float(_) => None,
    }
}

fn time(scalar: Scalar<'_>) -> Option<Timestamp> {
    match scalar {
        Scalar::Absent | Scalar::Text("") => Some(Timestamp::default()),
        Scalar::Integer(number) => Some(Timestamp::from_number(number)),
        Scalar::Text(text) => Timestamp::parse(text),
        Scalar::Float(_) => integer(scalar).map(Timestamp::from_number),
        Scalar::Boolean(_) => None,
    }
}

macro_rules! scalar {
    ($type:ty, $kind:expr, $expected:literal, $convert:expr, $view:expr) => {
        impl Value for $type {
            const KIND: Kind = $kind;

            fn read<'de, D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                read_scalar(input, $expected, $convert)
            }

            fn read_optional<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Self>, D::Error> {
                read_scalar(input, $expected, |scalar| match scalar {
                    Scalar::Absent => Some(None),
                    // An empty text is a text; where anything else is expected, it means "none".
                    Scalar::Text("") if !matches!($kind, Kind::Text | Kind::Secret) => Some(None),
                    scalar => $convert(scalar).map(Some),
                })
            }

            fn absent() -> Self {
                Self::default()
            }

            fn view(&self) -> Option<View<'_>> {
                let view: fn(&Self) -> View<'_> = $view;
                Some(view(self))
            }
        }
    };
}

scalar!(String, Kind::Text, "text", text, |text| View::Text(text.as_str().into()));
scalar!(SecretString, Kind::Secret, "text", |scalar| text(scalar).map(SecretString::from), |secret| {
    View::Text(secret.expose_secret().into())
});
scalar!(i64, Kind::Integer, "a whole number", integer, |number| View::Integer(*number));
scalar!(
    i32,
    Kind::Integer,
    "a whole number of 32 bits",
    |scalar| integer(scalar).and_then(|number| number.try_into().ok()),
    |number| View::Integer((*number).into())
);
scalar!(bool, Kind::Boolean, "true or false", boolean, |flag| View::Boolean(*flag));
scalar!(Timestamp, Kind::Time, "a time", time, |time| View::Time(*time));

/// Reads an enumeration from any scalar. For the derive.
#[doc(hidden)]
pub fn read_enum<'de, D: Deserializer<'de>, T: Enumeration>(input: D) -> Result<T, D::Error> {
    read_scalar(input, "text", enumeration)
}

/// Reads an enumeration that may be absent or empty. For the derive.
#[doc(hidden)]
pub fn read_optional_enum<'de, D: Deserializer<'de>, T: Enumeration>(input: D) -> Result<Option<T>, D::Error> {
    read_scalar(input, "text", |scalar| match scalar {
        Scalar::Absent | Scalar::Text("") => Some(None),
        scalar => enumeration(scalar).map(Some),
    })
}

/// Made from text; a text that is known needs no copy of it. For the derive.
#[doc(hidden)]
pub trait Enumeration: From<String> + for<'a> From<&'a str> {}

impl<T: From<String> + for<'a> From<&'a str>> Enumeration for T {}

fn enumeration<T: Enumeration>(scalar: Scalar<'_>) -> Option<T> {
    match scalar {
        Scalar::Text(known) => Some(T::from(known)),
        scalar => text(scalar).map(T::from),
    }
}

/// Free-form JSON.
impl Value for Json {
    const KIND: Kind = Kind::Json;

    fn read<'de, D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(input)
    }

    fn absent() -> Self {
        Self::Null
    }

    fn view(&self) -> Option<View<'_>> {
        (!self.is_null()).then_some(View::Json(self))
    }
}

impl Value for SecretJson {
    const KIND: Kind = Kind::SecretJson;

    fn read<'de, D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Json::read(input).map(Self::from)
    }

    fn absent() -> Self {
        Self::default()
    }

    fn view(&self) -> Option<View<'_>> {
        self.expose_secret().view()
    }
}

/// Members whose names the reference does not tell (`#[field(rest)]`); the derive fills it.
impl Value for Map<String, Json> {
    const KIND: Kind = Kind::Rest;

    fn read<'de, D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(input)
    }

    fn absent() -> Self {
        Self::new()
    }

    fn view(&self) -> Option<View<'_>> {
        (!self.is_empty()).then_some(View::Members(self))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Value> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Read(PhantomData))? {
            list.push(item);
        }
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Vec<T>, A::Error> {
        Ok(vec![T::read(MapAccessDeserializer::new(members))?])
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        Err(E::custom("expected a list"))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }
}

/// Written empty or not: an empty list clears, a `None` around it leaves as it is.
impl<T: Value> Value for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);

    fn read<'de, D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(ListVisitor(PhantomData))
    }

    fn absent() -> Self {
        Self::new()
    }

    fn view(&self) -> Option<View<'_>> {
        Some(View::List(List::Typed(self)))
    }
}

impl<T: Value> Items for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }

    fn each<'a>(&'a self, visit: &mut dyn FnMut(View<'a>)) {
        self.iter().filter_map(Value::view).for_each(visit);
    }
}

/// A struct that derives `Model`.
#[doc(hidden)]
pub trait Struct: Value {
    /// Reads the members of an object.
    ///
    /// # Errors
    /// When a member cannot stand for its field.
    fn read_members<'de, A: MapAccess<'de>>(members: A) -> Result<Self, A::Error>;
}

/// Reads a struct from an object, or from the first object of a list. For the derive.
#[doc(hidden)]
pub fn read_struct<'de, D: Deserializer<'de>, T: Struct>(input: D) -> Result<T, D::Error> {
    input.deserialize_any(StructVisitor(PhantomData))
}

struct StructVisitor<T>(PhantomData<T>);

impl<'de, T: Struct> Visitor<'de> for StructVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::read_members(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<T, A::Error> {
        let first = items.next_element_seed(Read(PhantomData))?.unwrap_or_else(T::absent);
        while items.next_element::<de::IgnoredAny>()?.is_some() {}
        Ok(first)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        if text.is_empty() {
            return Ok(T::absent());
        }
        Err(E::custom("expected an object"))
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        Ok(T::absent())
    }
}

/// Reads a member's name as the index of its field, without a copy of it. For the derive.
#[doc(hidden)]
pub struct Name(pub fn(&str) -> usize);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<usize, D::Error> {
        input.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<usize, E> {
        Ok((self.0)(name))
    }
}
