//! What a step of a script is for.

use std::{borrow::Cow, fmt};

use super::Sent;
use crate::{
    operation::{Method, OperationInfo},
    sign,
};

#[derive(Clone, Debug)]
pub(super) enum Target {
    /// Any request of an operation.
    Operation(&'static OperationInfo),
    /// What no operation describes, at this path.
    Raw(Method, String),
}

impl Target {
    pub(super) fn raw(method: Method, path: &str) -> Self {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        Self::Raw(method, path.to_owned())
    }

    pub(super) fn operation(&self) -> Option<&'static OperationInfo> {
        match self {
            Self::Operation(info) => Some(info),
            Self::Raw(..) => None,
        }
    }

    /// Whether a request is one of these.
    pub(super) fn is_of(&self, sent: &Sent) -> bool {
        match (self, sent.operation()) {
            // By name: every crate has its own copy of a constant.
            (Self::Operation(info), Some(other)) => (info.service, info.name) == (other.service, other.name),
            (Self::Raw(method, path), None) => method.as_str() == sent.method() && values(path, sent.path()).is_some(),
            _ => false,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation(info) => f.write_str(&info.id()),
            Self::Raw(method, path) => write!(f, "{} {path}", method.as_str()),
        }
    }
}

/// The values of the names in braces of a template; `None` when the path is none of its paths.
pub(super) fn values<'t>(template: &'t str, path: &str) -> Option<Vec<(&'t str, String)>> {
    let (names, segments): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    // An endpoint can have a path of its own in front.
    let prefix = segments.len().checked_sub(names.len())?;
    let mut found = Vec::new();
    for (name, segment) in names.into_iter().zip(&segments[prefix..]) {
        match name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !segment.is_empty() => found.push((name, decoded(segment).into_owned())),
            None if decoded(name) == decoded(segment) || (prefix > 0 && name.is_empty()) => {}
            _ => return None,
        }
    }
    Some(found)
}

fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let bytes: Vec<u8> = sign::decoded(text.as_bytes()).collect();
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_gives_the_values_of_its_template() {
        let template = "/v1/{project_id}/secrets/{secret_name}/versions";
        for (path, name) in [
            ("/v1/p/secrets/demo/versions", Some("demo")),
            ("/prefix/v1/p/secrets/a%2Fb%20c/versions", Some("a/b c")),
            ("/v1/p/secrets/demo", None),
            ("/v1/p/secrets//versions", None),
            ("/v2/p/secrets/demo/versions", None),
            ("", None),
        ] {
            let found = values(template, path);
            assert_eq!(found.as_ref().map(|values| values[1].1.as_str()), name, "{path}");
        }
    }
}
