//! YAML, read twice: for what its parts are, and for how they are written.

use csms_sdk::SecretString;
use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use serde_saphyr::NonFiniteFloatPolicy;

use super::{Members, value::Value};

/// The members of a YAML document in their order. An error tells where it is faulty, and not what stands there.
pub(super) fn members(text: &str) -> Result<Vec<(String, Value)>, String> {
    let fault = |error: serde_saphyr::Error| match error.location() {
        // What it says may quote the file.
        Some(at) => format!("line {}, column {}: it is not written as YAML, or is no mapping", at.line(), at.column()),
        None => "it is not written as YAML, or is no mapping".to_owned(),
    };
    // What is not finite is a number as well, and told by its name.
    let options = serde_saphyr::options! { non_finite_float_policy: NonFiniteFloatPolicy::PassThrough };
    let members: Members<Kind> = serde_saphyr::from_str_with_options(text, options).map_err(fault)?;
    let kinds = Kind::Map(members.0);
    // A second time, for texts and numbers as they are written.
    match serde_saphyr::with_deserializer_from_str(text, |reader| Written(&kinds).deserialize(reader)) {
        Ok(Value::Map(members)) => Ok(members),
        Ok(_) => Ok(Vec::new()),
        Err(error) => Err(fault(error)),
    }
}

/// What a part of a YAML document is, without the texts in it.
enum Kind {
    Null,
    Bool(bool),
    /// In decimal digits.
    Integer(SecretString),
    Float,
    Text,
    List(Vec<Kind>),
    Map(Vec<(String, Kind)>),
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Kind;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Kind, E> {
                Ok(Kind::Null)
            }

            fn visit_bool<E>(self, is_true: bool) -> Result<Kind, E> {
                Ok(Kind::Bool(is_true))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Kind, E> {
                Ok(Kind::Integer(number.to_string().into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Kind, E> {
                Ok(Kind::Integer(number.to_string().into()))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Kind, E> {
                Ok(Kind::Float)
            }

            fn visit_str<E>(self, _: &str) -> Result<Kind, E> {
                Ok(Kind::Text)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Kind, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items)).map(Kind::List)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Kind, A::Error> {
                Members::deserialize(MapAccessDeserializer::new(map)).map(|members| Kind::Map(members.0))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// What is written for a part of this kind.
struct Written<'a>(&'a Kind);

impl<'de> DeserializeSeed<'de> for Written<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.0 {
            Kind::Null => IgnoredAny::deserialize(deserializer).map(|_| Value::Null),
            Kind::Text => SecretString::deserialize(deserializer).map(Value::Text),
            Kind::Bool(is_true) => {
                let written = SecretString::deserialize(deserializer)?;
                Ok(Value::Scalar(written, Some(is_true.to_string().into())))
            }
            Kind::Integer(whole) => {
                SecretString::deserialize(deserializer).map(|written| Value::number(written, Some(whole.clone())))
            }
            Kind::Float => SecretString::deserialize(deserializer).map(|written| Value::number(written, None)),
            Kind::List(_) => deserializer.deserialize_seq(self),
            Kind::Map(_) => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Written<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list or a mapping")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let Kind::List(kinds) = self.0 else { return Ok(Value::Null) };
        let mut values = Vec::new();
        for kind in kinds {
            values.extend(items.next_element_seed(Written(kind))?);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Kind::Map(kinds) = self.0 else { return Ok(Value::Null) };
        let mut members = Vec::new();
        for (name, kind) in kinds {
            let Some(IgnoredAny) = map.next_key()? else { break };
            members.push((name.clone(), map.next_value_seed(Written(kind))?));
        }
        Ok(Value::Map(members))
    }
}
