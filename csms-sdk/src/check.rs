//! What is refused before it is sent, by name.

use std::fmt;

use serde_json::{Map, Value as Json};

use crate::{
    error::Error,
    model::{Check, Field, Format, Object, Shape, View},
    operation::OperationInfo,
};

/// Checks a request as whoever receives it would: parameters that the operation does not have are borne.
///
/// `request` holds the parameters of all places under their wire names.
///
/// # Errors
/// The first parameter that is missing, excluded by another or of a wrong value; [`Error::field`] names it.
pub fn received(info: &'static OperationInfo, request: &Map<String, Json>) -> Result<(), Error> {
    object(info.request, &Object::Json(info.request, request), Path::ROOT, Unknown::Borne)
}

/// What becomes of members that a shape does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// They are refused: most likely somebody mistyped a name.
    Refused,
    /// They are ignored.
    Borne,
}

/// Where a value stands in a request: `notification.target_id`, `tags.0.key`.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Name(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub(crate) const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    fn name(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Name(name) }
    }

    fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    fn error(&self, problem: impl Into<String>) -> Error {
        Error::invalid(self.to_string(), problem)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if !matches!(parent.step, Step::Root) {
                f.write_str(".")?;
            }
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Name(name) => f.write_str(name),
            Step::Index(index) => write!(f, "{index}"),
        }
    }
}

/// Checks a request or a part of one: unknown members, missing ones, exclusive ones, and every value.
pub(crate) fn object(
    shape: &'static Shape,
    object: &Object<'_>,
    path: Path<'_>,
    unknown: Unknown,
) -> Result<(), Error> {
    if let Object::Json(_, members) = object
        && unknown == Unknown::Refused
    {
        for name in members.keys() {
            if shape.field(name).is_none() {
                let known = shape.fields.iter().map(|field| field.name);
                return Err(path.name(name).error(match nearest(name, known) {
                    Some(near) => format!("is not a parameter; did you mean `{near}`?"),
                    None => "is not a parameter".to_owned(),
                }));
            }
        }
    }

    let mut given: Vec<&'static str> = Vec::with_capacity(shape.fields.len());
    let mut outcome = Ok(());
    let visited = object.each(&mut |field, view| {
        given.push(field.name);
        if outcome.is_ok() {
            outcome = value(field, &view, path.name(field.name), unknown);
        }
    });
    visited.map_err(|(field, mismatch)| path.name(field.name).error(format!("has to be {}", mismatch.0)))?;
    outcome?;

    if let Some(missing) = shape.fields.iter().find(|field| field.required && !given.contains(&field.name)) {
        return Err(path.name(missing.name).error("is required"));
    }
    for group in shape.exactly_one {
        let names = || group.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
        match group.iter().filter(|name| given.contains(name)).count() {
            1 => {}
            0 => return Err(path.name(group[0]).error(format!("is missing: give exactly one of {}", names()))),
            _ => return Err(path.name(group[0]).error(format!("is one too many: give exactly one of {}", names()))),
        }
    }
    Ok(())
}

fn value(field: &'static Field, view: &View<'_>, path: Path<'_>, unknown: Unknown) -> Result<(), Error> {
    for check in field.checks {
        if let Some(problem) = problem(*check, field.format, view) {
            return Err(path.error(problem));
        }
    }
    match view {
        View::Object(inner) => object(inner.shape(), inner, path, unknown),
        View::List(list) => {
            let mut outcome = Ok(());
            let mut index = 0;
            let visited = list.each(&mut |item| {
                if let (Ok(()), View::Object(inner)) = (&outcome, &item) {
                    outcome = object(inner.shape(), inner, path.index(index), unknown);
                }
                index += 1;
            });
            visited.map_err(|(index, mismatch)| path.index(index).error(format!("has to be {}", mismatch.0)))?;
            outcome
        }
        _ => Ok(()),
    }
}

impl Object<'_> {
    fn shape(&self) -> &'static Shape {
        match self {
            Self::Typed(fields) => fields.shape(),
            Self::Json(shape, _) => shape,
        }
    }
}

/// What is wrong with a value; never the value itself.
fn problem(check: Check, format: Format, view: &View<'_>) -> Option<String> {
    match (check, view) {
        (Check::Name, View::Text(text)) => name_problem(text).map(str::to_owned),
        (Check::Range(low, high), View::Integer(number)) => out_of_range(*number, low, high),
        (Check::Range(low, high), View::Time(time)) => match format {
            Format::Seconds | Format::SecondsText => out_of_range(time.as_seconds(), low, high),
            _ => out_of_range(time.as_millis(), low, high),
        },
        (Check::MultipleOf(unit), View::Integer(number)) => {
            (number % unit != 0).then(|| format!("has to be a multiple of {unit}"))
        }
        (Check::MaxBytes(most), View::Text(text)) => {
            (text.len() > most).then(|| format!("is {} bytes long, the service takes {most}", text.len()))
        }
        (Check::Items(fewest, most), View::List(list)) => {
            let count = list.count();
            (count < fewest || count > most).then(|| format!("has {count} items, the service takes {fewest} to {most}"))
        }
        (Check::Period(shortest, longest), View::Text(text)) => match seconds(text) {
            Some(seconds) if (shortest..=longest).contains(&seconds) => None,
            Some(_) => Some(format!("has to be from {} to {} hours", shortest / 3600, longest / 3600)),
            None => Some("has to be a whole number and a unit d, h, m or s, such as 30d".to_owned()),
        },
        _ => None,
    }
}

/// What is wrong with the name of a secret, a stage or an event.
pub(crate) fn name_problem(name: &str) -> Option<&'static str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (name.is_empty() || name.len() > 64 || !name.bytes().all(allowed))
        .then_some("has to be 1 to 64 letters, digits, `_`, `-` or `.`")
}

fn out_of_range(number: i64, low: i64, high: i64) -> Option<String> {
    (number < low || number > high).then(|| format!("has to be from {low} to {high}"))
}

/// `30d` in seconds.
fn seconds(period: &str) -> Option<u64> {
    let unit = match period.as_bytes().last()? {
        b'd' => 86_400,
        b'h' => 3_600,
        b'm' => 60,
        b's' => 1,
        _ => return None,
    };
    period[..period.len() - 1].parse::<u64>().ok()?.checked_mul(unit)
}

/// The known name that is most like `name`, if any is like it at all.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let name = fold(name);
    // One slip of a finger, two letters that changed places for example: likeness alone misses it in short names.
    let is_slip = |candidate: &str| name.len() > 2 && strsim::osa_distance(&name, candidate) == 1;
    known
        .into_iter()
        .map(|candidate| (fold(candidate), candidate))
        .map(|(folded, candidate)| (strsim::jaro_winkler(&name, &folded), is_slip(&folded), candidate))
        .filter(|(likeness, is_slip, _)| *is_slip || *likeness > 0.75)
        .max_by(|(left, ..), (right, ..)| left.total_cmp(right))
        .map(|(.., candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_and_a_likeness_find_the_name_that_was_meant_and_nothing_else_does() {
        let known = ["get", "exec", "import", "secret", "list_secrets"];
        for (typed, meant) in [
            ("gte", Some("get")),
            ("gett", Some("get")),
            ("Imports", Some("import")),
            ("list-secrts", Some("list_secrets")),
            ("zebra", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
    }
}
