//! `csms explain`: all that is known about an operation, without calling it.

use clap::{Arg, ArgMatches, Command};
use csms_sdk::{
    OperationInfo,
    check::nearest,
    model::{Field, Kind, Place, Shape},
    operation::{Auth, Paging},
    operations,
};
use serde_json::{Value as Json, json};

use super::api::{is_name_of, operations_of, service_of, unknown_operation, unknown_service};
use crate::{
    config::Config,
    error::Failure,
    output::{self, Output},
    params::{kind_name, known_values},
    text,
};

/// Deeper than any answer; ends the walk should a struct ever hold itself.
const DEEPEST: usize = 12;

/// The grammar of `explain`.
pub(crate) fn command() -> Command {
    Command::new("explain").about("Explains an operation: what it does, takes, answers and needs").arg(
        Arg::new("operation")
            .value_name("OPERATION")
            .num_args(1..=2)
            .required(true)
            .help("Name of the operation, with its service in front where several have one of that name"),
    )
}

/// Runs `explain`.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let output = Output::of(matches, &Config::unread())?;
    let words: Vec<&str> = matches.get_many::<String>("operation").into_iter().flatten().map(String::as_str).collect();
    let info = match words.as_slice() {
        [service, name] => {
            if operations_of(service).next().is_none() {
                return Err(unknown_service(service));
            }
            operations_of(service)
                .find(|info| is_name_of(info, name))
                .ok_or_else(|| unknown_operation(service, name))?
        }
        [name] => by_name(name)?,
        _ => return Err(Failure::usage("missing_argument", "an operation is missing").hint("csms api --list")),
    };
    output.text(&page(info, output::help_width()), || to_json(info))
}

fn by_name(name: &str) -> Result<&'static OperationInfo, Failure> {
    // `csms/ListGrants` is how fixtures and logs write it.
    if let Some((service, name)) = name.split_once(['/', '.'])
        && let Some(info) = operations_of(service).find(|info| is_name_of(info, name))
    {
        return Ok(info);
    }
    let found: Vec<_> = operations().filter(|info| is_name_of(info, name)).collect();
    match found.as_slice() {
        [info] => Ok(info),
        [] => {
            let near = nearest(&name.replace('-', ""), operations().map(|info| info.name));
            let hint = near.map_or_else(|| "csms api --list".to_owned(), |near| format!("did you mean {near}?"));
            Err(Failure::usage("unknown_operation", format!("`{name}` is not an operation"))
                .cause("neither of csms nor of kms nor of iam")
                .hint(hint))
        }
        several => {
            let services: Vec<_> = several.iter().map(|info| service_of(info)).collect();
            let commands: Vec<_> =
                several.iter().map(|info| format!("csms explain {} {}", service_of(info), info.name)).collect();
            Err(Failure::usage(
                "ambiguous_operation",
                format!("{} is an operation of {}", several[0].name, services.join(" and of ")),
            )
            .cause("they differ in what they take and answer")
            .hint(commands.join(" or ")))
        }
    }
}

fn page(info: &OperationInfo, width: usize) -> String {
    let mut page = format!("#{} {}\n", info.service, info.name);
    page.push_str(&text::wrap(&text::plain(info.request.docs), 2, width));
    page.push('\n');

    let mut fact = |name: &str, value: &str| {
        let wrapped = text::wrap(value, 14, width);
        page.push_str(&format!("  {name:<12}{}", wrapped.trim_start()));
    };
    fact("request", &format!("{} {}", info.method.as_str(), info.path));
    fact("permission", info.permission.unwrap_or("none is published"));
    if info.auth == Auth::None {
        fact("credentials", "none: the request carries what proves the caller");
    }
    fact("success", &format!("HTTP {}{}", info.success, if info.response.is_none() { ", no content" } else { "" }));
    fact("repeatable", repeatable(info));
    if let Some(paging) = info.paging {
        fact("paged", &paging_in_words(paging));
    }
    if info.answers_secrets() {
        fact("secrets", "the answer holds secret values");
    }

    if !info.request.fields.is_empty() {
        page.push_str("\n#Parameters\n");
        for entry in entries(info.request) {
            let required = if entry.field.required { ", required" } else { "" };
            let place = if entry.is_nested() { String::new() } else { format!(", {}", place(entry.field.place)) };
            describe(&mut page, &entry, &format!("{place}{required}"), width);
        }
        for group in info.request.exactly_one {
            page.push_str(&text::wrap(&format!("Exactly one of: {}.", group.join(", ")), 2, width));
        }
    }
    if let Some(response) = info.response {
        page.push_str("\n#Answer\n");
        for entry in entries(response) {
            let place = if entry.field.place.header { ", in a header" } else { "" };
            describe(&mut page, &entry, place, width);
        }
    }
    page.push_str("\n#Example\n");
    page.push_str(&text::wrap(&example(info), 2, usize::MAX));
    page
}

/// A field and its place in the struct: `tags.N.key`.
struct Entry {
    path: String,
    field: &'static Field,
}

impl Entry {
    fn is_nested(&self) -> bool {
        self.path.contains('.')
    }
}

fn entries(shape: &'static Shape) -> Vec<Entry> {
    fn walk(shape: &'static Shape, prefix: &str, depth: usize, entries: &mut Vec<Entry>) {
        for field in shape.fields {
            let path = format!("{prefix}{}", field.name);
            let below = match field.kind {
                Kind::Object(inner) => Some((inner, format!("{path}."))),
                Kind::List(Kind::Object(inner)) => Some((*inner, format!("{path}.N."))),
                _ => None,
            };
            entries.push(Entry { path, field });
            if let Some((inner, prefix)) = below.filter(|_| depth < DEEPEST) {
                walk(inner, &prefix, depth + 1, entries);
            }
        }
    }
    let mut entries = Vec::new();
    walk(shape, "", 0, &mut entries);
    entries
}

fn describe(page: &mut String, entry: &Entry, more: &str, width: usize) {
    let kind = kind_name(&entry.field.kind);
    page.push_str(&text::wrap(&format!("{}  ({kind}{more})", entry.path), 2, width));
    page.push_str(&text::wrap(&text::plain(entry.field.docs), 6, width));
    let known = known_values(&entry.field.kind);
    if !known.is_empty() {
        page.push_str(&text::wrap(&format!("Known: {}.", known.join(", ")), 6, width));
    }
}

fn place(place: Place) -> String {
    let places = [(place.path, "path"), (place.query, "query"), (place.header, "header"), (place.body, "body")];
    let names: Vec<_> = places.iter().filter(|(holds, _)| *holds).map(|(_, name)| *name).collect();
    format!("in the {}", names.join(" and the "))
}

fn repeatable(info: &OperationInfo) -> &'static str {
    match info.idempotent {
        true => "yes: a call that failed halfway is repeated",
        false => "no: repeated only where the service cannot have carried it out",
    }
}

fn paging_in_words(paging: Paging) -> String {
    let how = match paging {
        Paging::Marker { next, .. } => format!("by marker, the next one in `{next}`"),
        Paging::Offset { .. } => "by offset".to_owned(),
        Paging::Page { number, size, .. } => {
            format!("by page number `{number}` and size `{size}`, whole without a size")
        }
        _ => "in pages".to_owned(),
    };
    format!("{how}; items in `{}`. `csms api` fetches all pages.", paging.items())
}

/// A command that calls it with what it requires.
fn example(info: &OperationInfo) -> String {
    let mut command = format!("csms api {} {}", service_of(info), info.name);
    let is_choice = |field: &Field| info.request.exactly_one.iter().any(|group| group.first() == Some(&field.name));
    for field in info.request.fields.iter().filter(|field| field.required || is_choice(field)) {
        let value = match field.kind {
            Kind::Secret => "file://PATH".to_owned(),
            Kind::SecretJson => "file://PATH.json".to_owned(),
            Kind::Object(_) if field.is_sensitive() => "file://PATH.json".to_owned(),
            Kind::List(item) if item.is_sensitive() => "file://PATH.json".to_owned(),
            Kind::Integer => "NUMBER".to_owned(),
            Kind::Boolean => "true".to_owned(),
            Kind::Time => "2030-01-31T00:00:00Z".to_owned(),
            Kind::Enum(_) | Kind::List(Kind::Enum(_)) => {
                known_values(&field.kind).first().copied().unwrap_or("TEXT").to_owned()
            }
            Kind::Object(_) | Kind::Json => "'{…}'".to_owned(),
            Kind::List(Kind::Object(_)) => "'[{…}]'".to_owned(),
            _ => field.name.to_ascii_uppercase(),
        };
        command.push_str(&format!(" --{} {value}", field.name));
    }
    command
}

fn to_json(info: &OperationInfo) -> Json {
    let fields = |shape: &'static Shape, is_request: bool| -> Json {
        let to_json = |entry: Entry| {
            let mut json = json!({"name": entry.path, "type": kind_name(&entry.field.kind), "docs": text::plain(entry.field.docs),
                "secret": entry.field.is_sensitive()});
            let known = known_values(&entry.field.kind);
            if !known.is_empty() {
                json["known"] = known.into();
            }
            if is_request {
                json["required"] = entry.field.required.into();
                json["place"] = place(entry.field.place).trim_start_matches("in the ").into();
            }
            json
        };
        entries(shape).into_iter().map(to_json).collect()
    };
    json!({
        "service": info.service.as_str(),
        "name": info.name,
        "docs": text::plain(info.request.docs),
        "method": info.method.as_str(),
        "path": info.path,
        "permission": info.permission,
        "needs_credentials": info.auth != Auth::None,
        "success": info.success,
        "repeatable": info.idempotent,
        "paging": info.paging.map(paging_in_words),
        "parameters": fields(info.request, true),
        "exactly_one": info.request.exactly_one,
        "answer": info.response.map(|shape| fields(shape, false)),
        "example": example(info),
    })
}
