//! Flags for the parameters of operations, and the requests that they make.

use clap::{Arg, ArgAction, ArgMatches, Command};
use csms_sdk::{
    OperationInfo, SecretJson,
    model::{Field, Kind, Shape},
};
use serde_json::{Map, Value as Json, json};

use crate::{
    error::Failure,
    input::{self, Sources},
    text,
};

/// Reaches a parameter whatever else its name means.
const PREFIX: &str = "param:";

/// Deeper than any request; ends the walk should a struct ever hold itself.
const DEEPEST: usize = 12;

/// One flag: a field of the request, a member of one, or an item of a list.
#[derive(Clone, Debug)]
struct Param {
    /// Wire names and indices between dots: `name`, `auth.scope`, `tags.0.key`.
    path: String,
    field: &'static Field,
    kind: Kind,
    is_required: bool,
}

impl Param {
    fn depth(&self) -> usize {
        self.path.split('.').count()
    }

    fn id(&self) -> String {
        format!("{PREFIX}{}", self.path)
    }
}

/// Adds a flag for every parameter, nested ones included, and for the items of lists that `words` name.
/// `own` are flags of the operation that are no parameters.
pub(crate) fn add_flags(command: Command, info: &'static OperationInfo, words: &[String], own: &[Arg]) -> Command {
    let mut params = Vec::new();
    collect(info.request, "", true, 0, &mut params);
    let taken = taken(own);
    let mut spellings: Vec<(String, String)> = Vec::new();
    for name in words.iter().skip_while(|word| *word != "api").filter_map(|word| word.strip_prefix("--")) {
        let name = name.split_once('=').map_or(name, |(name, _)| name);
        let plain = name.strip_prefix(PREFIX).unwrap_or(name);
        if let Some(param) = find(info.request, plain) {
            if !taken.contains(&name.to_owned()) {
                spellings.push((param.path.clone(), name.to_owned()));
            }
            if !params.iter().any(|known| known.path == param.path) {
                params.push(param);
            }
        }
    }
    params.sort_by_key(|param| (!param.is_required, param.path.contains('.')));
    command.args(params.iter().map(|param| flag(info, param, &taken, &spellings)))
}

/// The request: `--input`, and what the flags change in it.
pub(crate) fn request(
    info: &'static OperationInfo,
    matches: &ArgMatches,
    sources: &mut Sources<'_>,
) -> Result<SecretJson, Failure> {
    let mut request = match matches.get_one::<String>("input") {
        Some(source) => sources.request(source)?,
        None => Map::new(),
    };
    let mut given: Vec<_> = matches
        .ids()
        .filter_map(|id| id.as_str().strip_prefix(PREFIX))
        .filter_map(|path| find(info.request, path))
        .collect();
    // Whole objects and lists first, so that what stands in them is changed after.
    given.sort_by_key(Param::depth);
    for param in given {
        let values: Vec<_> =
            matches.get_many::<String>(&param.id()).into_iter().flatten().map(String::as_str).collect();
        let flag = format!("--{}", param.path);
        let value = value(&param.kind, &flag, &values, sources)?;
        put(&mut request, &param.path, value).map_err(|problem| {
            Failure::usage("invalid_index", format!("{flag} {problem}"))
                .cause("items of a list are numbered from 0 without gaps; nothing was sent")
                .hint("give the items in order, or the whole list as JSON")
        })?;
    }
    Ok(Json::Object(request).into())
}

/// What is given for a parameter, as it stands on the command line.
pub(crate) fn given<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.try_get_one::<String>(&format!("{PREFIX}{name}")).ok().flatten().map(String::as_str)
}

/// What a field holds, for help.
pub(crate) fn kind_name(kind: &Kind) -> String {
    match kind {
        Kind::Text | Kind::Enum(_) => "text".to_owned(),
        Kind::Secret => "secret text".to_owned(),
        Kind::Integer => "whole number".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Time => "time".to_owned(),
        Kind::Json | Kind::Rest => "JSON".to_owned(),
        Kind::SecretJson => "secret JSON".to_owned(),
        Kind::List(item) => format!("list of {}", kind_name(item)),
        Kind::Object(_) => "object".to_owned(),
        _ => "value".to_owned(),
    }
}

/// The values that are known of an enumeration or a list of one; others are sent as well.
pub(crate) fn known_values(kind: &Kind) -> &'static [&'static str] {
    match kind {
        Kind::Enum(known) => known,
        Kind::List(item) => known_values(item),
        _ => &[],
    }
}

/// The names that flags have already: those of the operation and the global ones.
fn taken(own: &[Arg]) -> Vec<String> {
    let globals = crate::cli::globals();
    let longs = own.iter().chain(&globals).filter_map(Arg::get_long);
    longs.chain(["help", "version"]).map(str::to_owned).collect()
}

fn collect(shape: &'static Shape, prefix: &str, is_required: bool, depth: usize, params: &mut Vec<Param>) {
    for field in shape.fields {
        let path = format!("{prefix}{}", field.name);
        let is_required = is_required && field.required;
        if let Kind::Object(inner) = field.kind
            && depth < DEEPEST
        {
            collect(inner, &format!("{path}."), is_required, depth + 1, params);
        }
        params.push(Param { path, field, kind: field.kind, is_required });
    }
}

/// The parameter that a flag without its dashes names; `-` and `_` are the same, and so are cases of letters.
fn find(shape: &'static Shape, name: &str) -> Option<Param> {
    let fold = |text: &str| text.replace('-', "_").to_ascii_lowercase();
    let mut parts = name.split('.');
    let first = fold(parts.next()?);
    let mut field = shape.fields.iter().find(|field| fold(field.name) == first)?;
    let mut param = Param { path: field.name.to_owned(), field, kind: field.kind, is_required: false };
    for part in parts {
        let step = match param.kind {
            Kind::Object(inner) => {
                field = inner.fields.iter().find(|field| fold(field.name) == fold(part))?;
                param.kind = field.kind;
                field.name.to_owned()
            }
            Kind::List(item) => {
                param.kind = *item;
                // Canonical, so that `00` is not a second name of `0`.
                part.parse::<u16>().ok().filter(|index| index.to_string() == part)?.to_string()
            }
            _ => return None,
        };
        param.path = format!("{}.{step}", param.path);
    }
    param.field = field;
    Some(param)
}

fn flag(info: &OperationInfo, param: &Param, taken: &[String], spellings: &[(String, String)]) -> Arg {
    let is_taken = |name: &String| taken.contains(name);
    let long = match is_taken(&param.path) {
        true => param.id(),
        false => param.path.clone(),
    };
    let spelled = spellings.iter().filter(|(path, name)| *path == param.path && *name != long);
    let mut aliases: Vec<String> = spelled.map(|(_, name)| name.clone()).collect();
    let kebab = param.path.replace('_', "-");
    if kebab != long && !is_taken(&kebab) && !aliases.contains(&kebab) {
        aliases.push(kebab);
    }
    let is_list = matches!(param.kind, Kind::List(_));
    let (heading, is_hidden) = match param.path.split('.').any(|part| part.bytes().all(|byte| byte.is_ascii_digit())) {
        // An item of a list is known only because it was named.
        true => ("Parameters", true),
        false if param.is_required => ("Required parameters", false),
        false => ("Parameters", false),
    };
    let arg = Arg::new(param.id())
        .long(long)
        .aliases(aliases)
        .value_name(value_name(&param.kind))
        .help(help(info, param))
        .help_heading(heading)
        .hide(is_hidden)
        .allow_negative_numbers(true)
        .action(if is_list { ArgAction::Append } else { ArgAction::Set });
    match param.kind {
        Kind::Boolean => arg.num_args(0..=1).default_missing_value("true"),
        _ => arg,
    }
}

/// A flag for one field: for verbs, which name it as people do.
pub(crate) fn arg(id: &'static str, long: String, field: &'static Field) -> Arg {
    let mut help = text::plain(field.docs);
    let known = known_values(&field.kind);
    if !known.is_empty() {
        help.push_str(&format!(" Known: {}.", known.join(", ")));
    }
    let is_pairs = matches!(field.kind, Kind::List(item) if is_pair(item));
    if is_pairs {
        help.push_str(" Repeat the flag for each.");
    }
    let arg = Arg::new(id)
        .long(long)
        .value_name(if is_pairs { "KEY=VALUE" } else { value_name(&field.kind) })
        .help(help)
        .allow_negative_numbers(true)
        .action(if matches!(field.kind, Kind::List(_)) { ArgAction::Append } else { ArgAction::Set });
    match field.kind {
        Kind::Boolean => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        _ => arg,
    }
}

/// Whether an object is a key with a value, as a tag is.
fn is_pair(kind: &Kind) -> bool {
    matches!(kind, Kind::Object(shape) if shape.fields.iter().map(|field| field.name).eq(["key", "value"]))
}

fn value_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Secret | Kind::SecretJson => "SOURCE",
        Kind::Integer => "NUMBER",
        Kind::Boolean => "true|false",
        Kind::Time => "TIME",
        Kind::Json | Kind::Object(_) | Kind::Rest => "JSON",
        Kind::List(Kind::Object(_)) => "JSON",
        Kind::List(item) => value_name(item),
        _ => "TEXT",
    }
}

fn help(info: &OperationInfo, param: &Param) -> String {
    let mut help = text::plain(param.field.docs);
    let mut add = |text: String| {
        help.push(' ');
        help.push_str(&text);
    };
    match param.kind {
        Kind::Time => add("Seconds, milliseconds or RFC 3339.".to_owned()),
        Kind::List(Kind::Object(shape)) => {
            let names: Vec<_> = shape.fields.iter().map(|field| field.name).collect();
            add(format!(
                "Objects of {}; or --{}.0.{} and so on.",
                names.join(", "),
                param.path,
                names.first().unwrap_or(&"…")
            ));
        }
        _ => {}
    }
    let known = known_values(&param.kind);
    if !known.is_empty() {
        add(format!("Known: {}.", known.join(", ")));
    }
    if let Kind::List(item) = param.kind
        && !matches!(item, Kind::Object(_))
    {
        add("Repeat the flag, or give a JSON list.".to_owned());
    }
    if param.kind.is_sensitive() {
        add("Secret: file://, fileb:// (as Base64), env:// or -.".to_owned());
    }
    let choice = info.request.exactly_one.iter().find(|group| group.contains(&param.path.as_str()));
    if let Some(group) = choice {
        let others: Vec<_> = group.iter().filter(|name| **name != param.path).map(|name| format!("--{name}")).collect();
        add(format!("Either this or {}.", others.join(" or ")));
    }
    help
}

/// The value of a field from the texts behind its flag; of several the last counts, unless it is a list.
pub(crate) fn value(kind: &Kind, flag: &str, texts: &[&str], sources: &mut Sources<'_>) -> Result<Json, Failure> {
    match kind {
        Kind::List(item) => {
            let mut items = Vec::new();
            for text in texts {
                match list(item, flag, text, sources)? {
                    Json::Array(more) => items.extend(more),
                    item => items.push(item),
                }
            }
            Ok(Json::Array(items))
        }
        kind => one(kind, flag, texts.last().copied().unwrap_or_default(), sources),
    }
}

/// A JSON list, or one item of it.
fn list(item: &Kind, flag: &str, text: &str, sources: &mut Sources<'_>) -> Result<Json, Failure> {
    let is_json = text.trim_start().starts_with('[');
    match item {
        Kind::Secret => one(item, flag, text, sources),
        Kind::Object(_) if is_pair(item) && !is_json && !text.starts_with('{') && !input::is_source(text) => {
            Ok(pair(text))
        }
        Kind::Object(_) => sources.json(flag, text, item.is_sensitive()),
        _ if is_json => sources.json(flag, text, item.is_sensitive()),
        item => one(item, flag, text, sources),
    }
}

/// `key=value`, or a key without a value.
fn pair(text: &str) -> Json {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    json!({"key": key, "value": value})
}

fn one(kind: &Kind, flag: &str, text: &str, sources: &mut Sources<'_>) -> Result<Json, Failure> {
    let json = match kind {
        Kind::Secret => sources.secret(flag, text)?.expose_secret().into(),
        Kind::SecretJson | Kind::Json | Kind::Object(_) | Kind::Rest => {
            sources.json(flag, text, kind.is_sensitive())?
        }
        // What is no number is sent on as text, so that the checks can name the field.
        Kind::Integer | Kind::Time => text.parse::<i64>().map_or_else(|_| text.into(), Json::from),
        Kind::Boolean => text.parse::<bool>().map_or_else(|_| text.into(), Json::from),
        _ => text.into(),
    };
    Ok(json)
}

/// Puts a value at its path and makes what leads there.
fn put(request: &mut Map<String, Json>, path: &str, value: Json) -> Result<(), &'static str> {
    let mut parts = path.split('.');
    let first = parts.next().unwrap_or_default();
    let mut place = request.entry(first).or_insert(Json::Null);
    for part in parts {
        place = match part.parse::<usize>() {
            Ok(index) => {
                if !place.is_array() {
                    *place = Json::Array(Vec::new());
                }
                let items = place.as_array_mut().ok_or("is no list")?;
                if index == items.len() {
                    items.push(Json::Null);
                }
                items.get_mut(index).ok_or("leaves items out")?
            }
            Err(_) => {
                if !place.is_object() {
                    *place = Json::Object(Map::new());
                }
                place.as_object_mut().ok_or("is no object")?.entry(part).or_insert(Json::Null)
            }
        };
    }
    *place = value;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use csms_sdk::{Service, operation, operations};

    #[test]
    fn every_parameter_of_every_operation_is_reachable() {
        let mut collisions = Vec::new();
        for info in operations() {
            let mut params = Vec::new();
            collect(info.request, "", true, 0, &mut params);
            let own = crate::commands::api::own_flags(info);
            for param in params {
                let found = find(info.request, &param.path).unwrap();
                assert_eq!(found.path, param.path);
                for spelling in [param.path.clone(), param.path.replace('_', "-"), param.id()] {
                    let words = ["csms", "api", "csms", info.name, &format!("--{spelling}")].map(str::to_owned);
                    let command = add_flags(Command::new("x"), info, &words, &own);
                    if taken(&own).contains(&spelling) {
                        collisions.push(format!("{} {spelling}", info.id()));
                        continue;
                    }
                    let arg = command.get_arguments().find(|arg| arg.get_id().as_str() == param.id()).unwrap();
                    let names = arg.get_all_aliases().unwrap_or_default();
                    assert!(arg.get_long() == Some(&spelling) || names.contains(&spelling.as_str()), "{spelling}");
                }
            }
        }
        collisions.dedup();
        assert_eq!(collisions, ["csms/CreateSecretReplica region"], "reachable as --param:region");
    }

    #[test]
    fn paths_go_into_objects_and_lists() {
        let mut request = json!({"tags": [{"key": "a"}], "name": "n"}).as_object().unwrap().clone();
        put(&mut request, "tags.0.value", json!("v")).unwrap();
        put(&mut request, "tags.1.key", json!("b")).unwrap();
        put(&mut request, "auth.scope.name", json!("s")).unwrap();
        put(&mut request, "name", json!("m")).unwrap();
        let expected =
            json!({"tags": [{"key": "a", "value": "v"}, {"key": "b"}], "name": "m", "auth": {"scope": {"name": "s"}}});
        assert_eq!(Json::Object(request.clone()), expected);
        assert!(put(&mut request, "tags.5.key", json!("b")).is_err());
    }

    #[test]
    fn names_are_found_in_any_spelling() {
        let validate = operation(Service::Iam, "KeystoneValidateToken").unwrap();
        assert_eq!(find(validate.request, "x-subject-token").unwrap().path, "X-Subject-Token");
        let tags = operation(Service::Csms, "BatchCreateOrDeleteTags").unwrap();
        assert_eq!(find(tags.request, "tags.12.key").unwrap().path, "tags.12.key");
        for name in ["tags.x.key", "tags.00.key", "tags.0.nothing", "tags.0.key.more", "", ".", "tags."] {
            assert!(find(tags.request, name).is_none(), "{name}");
        }
    }
}
