//! Requests and answers without their secrets.

use csms_sdk::model::Kind;
use serde_json::{Map, Value as Json};

/// Stands for a secret value: of fixed width, so that it tells nothing about it.
pub(crate) const HIDDEN: &str = "****";

/// The same without its secrets. What is not known may be one.
pub(crate) fn mask(kind: &Kind, json: &Json) -> Json {
    match (kind, json) {
        (_, Json::Null) => Json::Null,
        (Kind::List(item), Json::Array(items)) => items.iter().map(|json| mask(item, json)).collect(),
        (Kind::Object(shape), Json::Object(members)) => {
            let masked = members.iter().map(|(name, json)| match shape.field(name) {
                Some(field) => (name.clone(), mask(&field.kind, json)),
                None => (name.clone(), HIDDEN.into()),
            });
            masked.collect::<Map<_, _>>().into()
        }
        _ if kind.is_sensitive() => HIDDEN.into(),
        _ => json.clone(),
    }
}

/// The ends of an access key id, enough to tell it from others.
pub(crate) fn shortened_key(key: &str) -> String {
    let characters: Vec<_> = key.chars().collect();
    match characters.len() {
        // Of a short one the ends would be nearly all.
        0..12 => HIDDEN.to_owned(),
        length => {
            let ends = |range: &[char]| range.iter().collect::<String>();
            format!("{}…{}", ends(&characters[..4]), ends(&characters[length - 4..]))
        }
    }
}

/// A URL without the password that may stand in it.
pub(crate) fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    match rest.rsplit_once('@') {
        Some((_, host)) if scheme.is_empty() => format!("{HIDDEN}@{host}"),
        Some((_, host)) => format!("{scheme}://{HIDDEN}@{host}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ends_of_a_key_are_shown() {
        assert_eq!(shortened_key("FIXTUREACCESSKEY0001"), "FIXT…0001");
        assert_eq!(shortened_key("short"), "****");
        assert_eq!(shortened_key(""), "****");
        assert_eq!(shortened_key("éééééééééééé"), "éééé…éééé");
    }

    #[test]
    fn a_url_is_shown_without_its_password() {
        assert_eq!(without_password("http://me:hunter2@proxy:8080"), "http://****@proxy:8080");
        assert_eq!(without_password("me:hunter2@proxy"), "****@proxy");
        assert_eq!(without_password("http://proxy"), "http://proxy");
    }
}
