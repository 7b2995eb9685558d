//! The operations of the SDK against the inventory of the API reference, in both directions.
//!
//! Every difference is printed; the intended ones stand in [`INTENDED`] with their reasons. A difference that
//! is not listed fails, and so does a listed one that no longer exists.
#![allow(clippy::unwrap_used)] // the inventory is ours: a fault in it is a failed test

use std::collections::BTreeSet;

use csms_sdk::{
    OperationInfo,
    model::{Check, Field, Format, Kind, Place, Shape},
    operation::Paging,
    operations,
};
use serde_json::Value as Json;

mod intended;
use intended::INTENDED;

const INVENTORY: [&str; 3] = [
    include_str!("../inventory/csms.json"),
    include_str!("../inventory/kms.json"),
    include_str!("../inventory/iam.json"),
];

#[test]
fn every_operation_is_as_the_reference_says_or_differs_on_purpose() {
    let mut report = Report::default();
    for text in INVENTORY {
        let inventory = Inventory { json: serde_json::from_str(text).unwrap() };
        inventory.compare(&mut report);
    }
    for info in operations().filter(|info| !report.seen.contains(&info.id())) {
        report.differences.insert(format!("{}: not in the reference", info.id()));
    }
    let intended: BTreeSet<String> = INTENDED.iter().map(|(difference, _)| (*difference).to_owned()).collect();
    let unlisted: Vec<_> = report.differences.difference(&intended).collect();
    let stale: Vec<_> = intended.difference(&report.differences).collect();
    assert!(unlisted.is_empty() && stale.is_empty(), "unlisted: {unlisted:#?}\nlisted but gone: {stale:#?}");
}

#[test]
fn there_are_51_csms_78_kms_and_15_iam_and_sts_operations() {
    let count = |services: &[&str]| operations().filter(|info| services.contains(&info.service.as_str())).count();
    assert_eq!([count(&["csms"]), count(&["kms"]), count(&["iam", "sts"])], [51, 78, 15]);
}

#[derive(Default)]
struct Report {
    seen: BTreeSet<String>,
    differences: BTreeSet<String>,
}

impl Report {
    fn expect(&mut self, holds: bool, place: &str, difference: impl FnOnce() -> String) {
        if !holds {
            self.differences.insert(format!("{place}: {}", difference()));
        }
    }
}

/// Whether a struct is looked at as part of a request or of an answer.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Request,
    Answer,
}

struct Inventory {
    json: Json,
}

/// A field as the inventory has it, put together from parameters and body.
struct Expected<'a> {
    name: &'a str,
    json: &'a Json,
    place: [bool; 4],
}

impl Inventory {
    fn compare(&self, report: &mut Report) {
        for operation in self.json["operations"].as_array().unwrap() {
            let service = operation["service"].as_str().or(self.json["service"].as_str()).unwrap().to_lowercase();
            let id = format!("{service}/{}", operation["name"].as_str().unwrap());
            match operations().find(|info| info.id() == id) {
                Some(info) => self.compare_operation(report, &id, info, operation),
                None => report.expect(false, &id, || "missing".into()),
            }
            report.seen.insert(id);
        }
    }

    fn compare_operation(&self, report: &mut Report, id: &str, info: &'static OperationInfo, operation: &Json) {
        for (what, ours, theirs) in [
            ("method", info.method.as_str(), operation["method"].as_str()),
            ("path", info.path, operation["path"].as_str()),
            ("group", info.group, operation["group"].as_str()),
            ("permission", info.permission.unwrap_or("none"), Some(operation["permission"].as_str().unwrap_or("none"))),
            (
                "role",
                info.role_permission.unwrap_or("none"),
                Some(operation["role"].as_str().or(operation["permission"].as_str()).unwrap_or("none")),
            ),
        ] {
            report
                .expect(Some(ours) == theirs, id, || format!("{what} {ours} instead of {}", theirs.unwrap_or("none")));
        }
        let needs: Vec<&str> = operation["needs"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        report.expect(info.needs == needs, id, || format!("needs {:?} instead of {needs:?}", info.needs));
        let success = operation["success_status"].as_u64().unwrap();
        report.expect(u64::from(info.success) == success, id, || {
            format!("success {} instead of {success}", info.success)
        });
        report.expect(info.has_body == operation["body"].is_string(), id, || format!("has a body: {}", info.has_body));
        report.expect(!info.summary().is_empty(), id, || "no docs".into());
        self.compare_paging(report, id, info, &operation["pagination"]);

        let expected = self.request_fields(operation);
        self.compare_fields(report, id, info.request, &expected, Side::Request);
        let groups = self.exclusive_groups(&expected);
        let ours: BTreeSet<Vec<&str>> = info
            .request
            .exactly_one
            .iter()
            .map(|group| {
                let mut g = group.to_vec();
                g.sort_unstable();
                g
            })
            .collect();
        report.expect(ours == groups, id, || format!("exclusive {ours:?} instead of {groups:?}"));

        let headers: BTreeSet<&str> = operation["response_headers"]
            .as_array()
            .map(|headers| headers.iter().map(|header| header["name"].as_str().unwrap()).collect())
            .unwrap_or_default();
        match (info.response, operation["response"].as_str()) {
            (None, None) => {}
            (Some(shape), Some(name)) => self.compare_shape(report, id, shape, name, Side::Answer, &headers),
            (ours, theirs) => {
                report.expect(false, id, || format!("answer {:?} instead of {theirs:?}", ours.map(|shape| shape.name)));
            }
        }
    }

    fn compare_paging(&self, report: &mut Report, id: &str, info: &OperationInfo, pagination: &Json) {
        let style = pagination["style"].as_str().unwrap_or("none");
        let ours = match info.paging {
            None => "none",
            Some(Paging::Marker { .. }) => "marker",
            Some(Paging::Offset { .. }) => "offset",
            Some(Paging::Page { .. }) => "page-number",
            Some(_) => "unknown",
        };
        let theirs = if style.starts_with("none") { "none" } else { style.trim_end_matches("-in-body") };
        report.expect(ours == theirs, id, || format!("paging {ours} instead of {theirs}"));
        let (items, next) = match info.paging {
            Some(Paging::Marker { items, next, .. }) => (items, Some(next)),
            Some(Paging::Offset { items, .. } | Paging::Page { items, .. }) => (items, None),
            _ => return,
        };
        let first_word = |json: &Json| json.as_str().map(|text| text.split(' ').next().unwrap().to_owned());
        let expected = first_word(&pagination["response"]["items"]);
        report.expect(Some(items) == expected.as_deref(), id, || format!("pages of {items} instead of {expected:?}"));
        if let Some(next) = next {
            let expected = first_word(&pagination["response"]["next"]);
            report.expect(Some(next) == expected.as_deref(), id, || format!("next {next} instead of {expected:?}"));
        }
    }

    fn request_fields<'a>(&'a self, operation: &'a Json) -> Vec<Expected<'a>> {
        let mut fields: Vec<Expected<'a>> = Vec::new();
        for parameter in operation["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            let index = ["path", "query", "header"].iter().position(|place| parameter["in"] == *place).unwrap();
            if name != "project_id" {
                let mut place = [false; 4];
                place[index] = true;
                fields.push(Expected { name, json: parameter, place });
            }
        }
        for field in operation["body"].as_str().map(|body| self.fields(body)).unwrap_or_default() {
            match fields.iter_mut().find(|known| known.name == field.name) {
                Some(known) => known.place[3] = true,
                None => fields.push(field),
            }
        }
        fields
    }

    fn fields(&self, type_name: &str) -> Vec<Expected<'_>> {
        let fields = self.json["types"][type_name].as_array().unwrap();
        let body = [false, false, false, true];
        fields.iter().map(|json| Expected { name: json["name"].as_str().unwrap(), json, place: body }).collect()
    }

    fn exclusive_groups<'a>(&self, fields: &[Expected<'a>]) -> BTreeSet<Vec<&'a str>> {
        let mut members: Vec<&str> = fields
            .iter()
            .filter(|field| !field.json["constraints"]["exclusiveGroup"].is_null())
            .map(|field| field.name)
            .collect();
        members.sort_unstable();
        if members.is_empty() { BTreeSet::new() } else { BTreeSet::from([members]) }
    }

    fn compare_shape(
        &self,
        report: &mut Report,
        id: &str,
        shape: &Shape,
        name: &str,
        side: Side,
        headers: &BTreeSet<&str>,
    ) {
        // A request that stands inside another one has the operation's name, not its body's.
        let body_of_it = self.json["operations"]
            .as_array()
            .unwrap()
            .iter()
            .any(|operation| operation["name"] == shape.name && operation["body"] == name);
        report.expect(shape.name == name || body_of_it, id, || format!("type {} instead of {name}", shape.name));
        let expected = self.fields(name);
        // A type is the same wherever it stands, so a difference in it is told once.
        let service = id.split('/').next().unwrap();
        let place = format!("{service}/{name}");
        let carried: BTreeSet<&str> =
            shape.fields.iter().filter(|field| field.place.header).map(|field| field.name).collect();
        report.expect(&carried == headers, &place, || format!("headers {carried:?} instead of {headers:?}"));
        self.compare_fields(report, &place, shape, &expected, side);
    }

    fn compare_fields(&self, report: &mut Report, place: &str, shape: &Shape, expected: &[Expected<'_>], side: Side) {
        for theirs in expected {
            match shape.field(theirs.name) {
                Some(field) => self.compare_field(report, &format!("{place}.{}", field.name), field, theirs, side),
                None => report.expect(false, &format!("{place}.{}", theirs.name), || "missing".into()),
            }
        }
        for field in shape.fields {
            let known = expected.iter().any(|theirs| theirs.name == field.name);
            let apart = matches!(field.kind, Kind::Rest) || (side == Side::Answer && field.place.header);
            report.expect(known || apart, &format!("{place}.{}", field.name), || "not in the reference".into());
        }
    }

    fn compare_field(&self, report: &mut Report, place: &str, field: &Field, theirs: &Expected<'_>, side: Side) {
        report.expect(!field.docs.is_empty(), place, || "no docs".into());
        if side == Side::Request {
            let required = theirs.json["required"] == true;
            report.expect(field.required == required, place, || format!("required: {}", field.required));
            let Place { path, query, header, body, .. } = field.place;
            let ours = [path, query, header, body];
            report.expect(ours == theirs.place, place, || format!("place {ours:?} instead of {:?}", theirs.place));
            self.compare_checks(report, place, field, theirs);
        }
        let sensitive = matches!(field.kind, Kind::Secret | Kind::SecretJson);
        report.expect(sensitive == (theirs.json["sensitive"] == true), place, || format!("secret: {sensitive}"));
        let theirs_type = theirs.json["type"].as_str().unwrap();
        let in_json = field.place.body;
        self.compare_kind(
            report,
            place,
            &field.kind,
            field.format,
            theirs_type,
            &theirs.json["constraints"],
            side,
            in_json,
        );
    }

    #[allow(clippy::too_many_arguments)] // a comparison has two sides and their circumstances
    fn compare_kind(
        &self,
        report: &mut Report,
        place: &str,
        kind: &Kind,
        format: Format,
        theirs: &str,
        constraints: &Json,
        side: Side,
        in_json: bool,
    ) {
        if let Some(item) = theirs.strip_prefix("array<").and_then(|rest| rest.strip_suffix('>')) {
            match kind {
                Kind::List(ours) => {
                    self.compare_kind(report, place, ours, format, item, &constraints["items"], side, in_json);
                }
                _ => report.expect(false, place, || format!("{kind:?} instead of {theirs}")),
            }
            return;
        }
        if let Some(name) = theirs.strip_prefix("object ") {
            match kind {
                Kind::Object(shape) => self.compare_shape(report, place, shape, name, side, &BTreeSet::new()),
                _ => report.expect(false, place, || format!("{kind:?} instead of {theirs}")),
            }
            return;
        }
        // Outside JSON everything is text; inside, a number or flag that travels as text says so.
        let fits = match theirs.split('(').next().unwrap() {
            "string" => match kind {
                Kind::Text | Kind::Secret | Kind::Enum(_) => true,
                Kind::Integer => !in_json || format == Format::Text,
                Kind::Boolean => !in_json || matches!(format, Format::Text | Format::Digit),
                Kind::Time => matches!(format, Format::Text | Format::SecondsText | Format::Rfc3339),
                _ => false,
            },
            "integer" => match kind {
                Kind::Integer => format == Format::Plain,
                Kind::Time => matches!(format, Format::Plain | Format::Seconds),
                _ => false,
            },
            "boolean" => matches!(kind, Kind::Boolean) && format == Format::Plain,
            "map" => matches!(kind, Kind::Json | Kind::SecretJson),
            _ => false,
        };
        report.expect(fits, place, || format!("{kind:?} {format:?} instead of {theirs}"));
        if let Some(values) = constraints["enum"].as_array() {
            let values: BTreeSet<&str> = values.iter().filter_map(Json::as_str).collect();
            match kind {
                Kind::Enum(known) => {
                    let missing: Vec<_> = values.iter().filter(|value| !known.contains(value)).collect();
                    report.expect(missing.is_empty(), place, || format!("values {missing:?} are not known"));
                }
                Kind::Boolean => {}
                _ => report.expect(false, place, || format!("no enumeration of {values:?}")),
            }
        }
    }

    /// What the reference states as a bound is refused before it is sent.
    fn compare_checks(&self, report: &mut Report, place: &str, field: &Field, theirs: &Expected<'_>) {
        let constraints = &theirs.json["constraints"];
        let number = |name: &str| constraints[name].as_i64();
        let mut expected = Vec::new();
        // A marker is handed back as it came.
        if constraints["pattern"] == "^[a-zA-Z0-9_-]{1,64}$" && field.name != "marker" {
            expected.push(Check::Name);
        }
        let bounds = number("min").zip(number("max")).or(number("numericMin").zip(number("numericMax")));
        if let Some((low, high)) = bounds {
            expected.push(Check::Range(low, high));
        }
        if let Some(unit) = number("multipleOf") {
            expected.push(Check::MultipleOf(unit));
        }
        if let Some(most) = number("maxBytes") {
            expected.push(Check::MaxBytes(most as usize));
        }
        if let Some((fewest, most)) = number("minItems").zip(number("maxItems")) {
            expected.push(Check::Items(fewest as usize, most as usize));
        }
        if let Some((shortest, longest)) = number("minSeconds").zip(number("maxSeconds")) {
            expected.push(Check::Period(shortest as u64, longest as u64));
        }
        let ours = field.checks;
        let same = ours.len() == expected.len() && expected.iter().all(|check| ours.contains(check));
        report.expect(same, place, || format!("checks {ours:?} instead of {expected:?}"));
    }
}
