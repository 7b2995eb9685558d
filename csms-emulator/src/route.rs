//! From method and path to the operations that are meant.

use std::{borrow::Cow, collections::HashMap};

use csms_sdk::{OperationInfo, operations};
use serde_json::{Map, Value as Json};

use crate::fault::Fault;

/// A parameter that the reference prints in paths, but whose only value is its own name.
const LITERAL_PARAMETER: &str = "resource_instances";

/// Operations that share an address, and the `methods` of the body that tell them apart.
const BY_METHODS: &[(&str, &[&str])] = &[
    ("KeystoneCreateUserTokenByPassword", &["password"]),
    ("KeystoneCreateUserTokenByPasswordAndMfa", &["password", "totp"]),
    ("KeystoneCreateAgencyToken", &["assume_role"]),
    ("CreateTemporaryAccessKeyByAgency", &["assume_role"]),
    ("CreateTemporaryAccessKeyByToken", &["token"]),
];

/// The addresses of all operations.
pub(crate) struct Router {
    /// By number of segments; of several that match, the one to be preferred comes first.
    routes: HashMap<usize, Vec<Route>>,
}

/// What a request may mean.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    /// More than one where operations share an address; see [`choose`].
    pub(crate) candidates: &'a [&'static OperationInfo],
    /// The parameters in the path, `project_id` included, decoded.
    pub(crate) parameters: Vec<(&'static str, String)>,
}

struct Route {
    method: &'static str,
    segments: Vec<Segment>,
    operations: Vec<&'static OperationInfo>,
}

/// Ordered by preference: what is more particular comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(&'static str),
    Parameter(&'static str),
}

impl Router {
    pub(crate) fn new() -> Self {
        let mut routes = HashMap::<_, Vec<Route>>::new();
        for info in operations() {
            let segments: Vec<_> = info.path.split('/').map(Segment::of_template).collect();
            let method = info.method.as_str();
            let routes = routes.entry(segments.len()).or_default();
            match routes.iter_mut().find(|route| route.method == method && route.segments == segments) {
                Some(route) => route.operations.push(info),
                None => routes.push(Route { method, segments, operations: vec![info] }),
            }
        }
        for routes in routes.values_mut() {
            routes.sort_by(|a, b| a.segments.cmp(&b.segments));
        }
        Self { routes }
    }

    /// Looks up a path as sent, escapes included, without a region in front.
    ///
    /// # Errors
    /// 404, for an unknown path as for a method that the path does not have.
    pub(crate) fn find(&self, method: &str, path: &str) -> Result<Found<'_>, Fault> {
        let given: Vec<_> = path.split('/').collect();
        let routes = self.routes.get(&given.len()).into_iter().flatten();
        routes.filter(|route| route.method == method).find_map(|route| route.read(&given)).ok_or_else(not_published)
    }
}

impl Route {
    fn read(&self, given: &[&str]) -> Option<Found<'_>> {
        let mut parameters = Vec::new();
        for (segment, given) in self.segments.iter().zip(given) {
            let value = decode(given)?;
            match *segment {
                Segment::Literal(LITERAL_PARAMETER) if value == LITERAL_PARAMETER => {
                    parameters.push((LITERAL_PARAMETER, value.into_owned()));
                }
                Segment::Literal(text) if value == text => {}
                Segment::Parameter(name) if !value.is_empty() => parameters.push((name, value.into_owned())),
                _ => return None,
            }
        }
        Some(Found { candidates: &self.operations, parameters })
    }
}

impl Segment {
    fn of_template(text: &'static str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(LITERAL_PARAMETER) => Self::Literal(LITERAL_PARAMETER),
            Some(name) => Self::Parameter(name),
            None => Self::Literal(text),
        }
    }
}

/// The one of `candidates` that a body asks for; `None` when it asks for none of them.
pub(crate) fn choose(
    candidates: &[&'static OperationInfo],
    body: &Map<String, Json>,
) -> Option<&'static OperationInfo> {
    if let [only] = candidates {
        return Some(only);
    }
    let methods = body.get("auth")?.get("identity")?.get("methods")?.as_array()?;
    let asks_for = |expected: &[&str]| {
        methods.len() == expected.len() && expected.iter().all(|&method| methods.iter().any(|given| given == method))
    };
    let wanted = |info: &&&OperationInfo| BY_METHODS.iter().any(|&(name, list)| name == info.name && asks_for(list));
    candidates.iter().find(wanted).copied()
}

/// `text` with its escapes undone, `+` kept; `None` when that is no text. A `%` that starts no escape stands for itself.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(text.into());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|&digit| char::from(digit).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high << 4 | low) as u8);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// What the gateway says of an address that it does not know.
pub(crate) fn not_published() -> Fault {
    Fault::new(404, "APIGW.0101", "The API does not exist or has not been published in the environment")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn filled(template: &str) -> (String, Vec<(String, String)>) {
        let mut parameters = Vec::new();
        let fill = |segment: &str| match segment.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(LITERAL_PARAMETER) => {
                parameters.push((LITERAL_PARAMETER.to_owned(), LITERAL_PARAMETER.to_owned()));
                LITERAL_PARAMETER.to_owned()
            }
            Some(name) => {
                parameters.push((name.to_owned(), format!("a {name}/密")));
                format!("a%20{name}%2f%E5%AF%86")
            }
            None => segment.to_owned(),
        };
        let path = template.split('/').map(fill).collect::<Vec<_>>().join("/");
        (path, parameters)
    }

    #[test]
    fn every_operation_is_found_at_its_own_address() {
        let router = Router::new();
        let mut shared = BTreeSet::new();
        for info in operations() {
            let (path, parameters) = filled(info.path);
            let found = router.find(info.method.as_str(), &path).unwrap_or_else(|_| panic!("{}", info.id()));
            let found_parameters: Vec<_> =
                found.parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            assert_eq!(found_parameters, parameters, "{}", info.id());
            let names: Vec<_> = found.candidates.iter().map(|info| info.name).collect();
            assert!(names.contains(&info.name), "{}: {names:?}", info.id());
            if names.len() > 1 {
                shared.extend(names);
            }
        }
        let told_apart: BTreeSet<_> = BY_METHODS.iter().map(|&(name, _)| name).collect();
        assert_eq!(shared, told_apart);
    }

    #[test]
    fn the_body_tells_operations_of_one_address_apart() {
        let router = Router::new();
        let body = |methods: &[&str]| match json!({"auth": {"identity": {"methods": methods}}}) {
            Json::Object(body) => body,
            _ => panic!("an object"),
        };
        for path in ["/v3/auth/tokens", "/v3.0/OS-CREDENTIAL/securitytokens"] {
            let found = router.find("POST", path).unwrap_or_else(|_| panic!("{path}"));
            for info in found.candidates {
                let methods = BY_METHODS.iter().find(|(name, _)| *name == info.name).map_or(&[][..], |(_, list)| list);
                let mut reversed = methods.to_vec();
                reversed.reverse();
                for methods in [methods, &reversed] {
                    assert_eq!(choose(found.candidates, &body(methods)).map(|info| info.name), Some(info.name));
                }
            }
            for other in [&[][..], &["hw_ak_sk"], &["password", "password"], &["totp"]] {
                assert!(choose(found.candidates, &body(other)).is_none(), "{other:?}");
            }
            assert!(choose(found.candidates, &Map::new()).is_none());
        }
        let only = router.find("GET", "/v3/projects").unwrap_or_else(|_| panic!("one operation"));
        assert_eq!(choose(only.candidates, &Map::new()).map(|info| info.name), Some("KeystoneListProjects"));
    }

    #[test]
    fn literals_win_over_parameters() {
        let router = Router::new();
        let name = |method, path: &str| router.find(method, path).ok().map(|found| found.candidates[0].name);
        assert_eq!(name("POST", "/v1/p/csms/resource_instances/action"), Some("ListResourceInstances"));
        for (method, path) in [
            ("POST", "/v1/p/csms/else/action"),
            ("PATCH", "/v1/p/secrets"),
            ("PUT", "/v1/p/secrets"),
            ("get", "/v1/p/secrets"),
            ("GET", "/v1//secrets"),
            ("GET", "/v1/p/secrets/"),
            ("GET", "/v1/p/secrets/%FF"),
            ("GET", "v1/p/secrets"),
            ("GET", ""),
            ("GET", "/nothing/here"),
        ] {
            assert_eq!(name(method, path), None, "{method} {path}");
        }
        let fault = router.find("GET", "/nothing/here").err();
        assert_eq!(fault.map(|fault| (fault.status, fault.code)), Some((404, "APIGW.0101".to_owned())));
    }

    #[test]
    fn escapes_are_undone_once() {
        for (given, expected) in
            [("a", "a"), ("%41%2fb", "A/b"), ("%2541", "%41"), ("100%", "100%"), ("%4", "%4"), ("+%zz", "+%zz")]
        {
            assert_eq!(decode(given).as_deref(), Some(expected));
        }
        assert_eq!(decode("%e5%af"), None);
    }
}
