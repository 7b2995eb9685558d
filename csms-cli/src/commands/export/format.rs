//! The forms in which variables are written. Each is read back by its reader as the same bytes, or refused. Of the many
//! readers of `.env` files it is a shell that is meant, and csms itself; what some others misread is told.

use std::fmt::Write as _;

use csms_sdk::{SecretBytes, SecretJson, SecretString};
use serde_json::{Map, Value as Json, json};

use crate::{
    dotenv,
    error::{Exit, Failure},
    output,
    sources::Item,
    text,
};

/// A form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Dotenv,
    Shell,
    Json,
    Yaml,
    Toml,
    Tfvars,
    Properties,
    Docker,
    /// A Secret of this name.
    Kubernetes(String),
    GithubEnv,
}

impl Form {
    pub(super) const NAMES: [&str; 10] =
        ["dotenv", "shell", "json", "yaml", "toml", "tfvars", "properties", "docker", "k8s", "github-env"];

    /// The form of this name; that of Kubernetes needs one for what it is to make.
    pub(super) fn of(form: &str, name: Option<&str>) -> Result<Self, Failure> {
        Ok(match form {
            "shell" => Self::Shell,
            "json" => Self::Json,
            "yaml" => Self::Yaml,
            "toml" => Self::Toml,
            "tfvars" => Self::Tfvars,
            "properties" => Self::Properties,
            "docker" => Self::Docker,
            "github-env" => Self::GithubEnv,
            "k8s" => {
                Self::Kubernetes(name.filter(|name| is_object_name(name)).map(str::to_owned).ok_or_else(|| {
                    Failure::usage("missing_argument", "--name has to be that of a Secret")
                        .cause("Kubernetes takes lower-case letters, digits, `-` and `.`; nothing was sent")
                        .hint("--format k8s --name my-secret")
                })?)
            }
            _ => Self::Dotenv,
        })
    }

    /// What readers of this form do not agree upon.
    pub(super) fn doubts(&self, items: &[Item]) -> Vec<String> {
        let doubt = |item: &Item| {
            let readers = dotenv::misread_by(str::from_utf8(item.value.expose_secret()).ok()?)?;
            Some(format!("{} is misread by {readers}; --format shell or json suits every value", item.name))
        };
        match self {
            Self::Dotenv => items.iter().filter_map(doubt).collect(),
            _ => Vec::new(),
        }
    }

    /// Writes all of them, or says which it cannot hold.
    pub(super) fn write(&self, items: &[Item], out: &mut SecretBytes) -> Result<(), Failure> {
        let refused = |item: &Item, problem: &str| {
            Failure::usage("not_representable", format!("{} cannot be written in this form", item.name))
                .cause(format!("{problem}; it is of {}, and nothing was printed", item.origin))
                .hint("leave it out, or take another --format: json holds every text, k8s all bytes")
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            if let Some(problem) = self.name_problem(&item.name) {
                return Err(refused(item, problem));
            }
            if matches!(self, Self::Kubernetes(_)) {
                continue;
            }
            let text = str::from_utf8(item.value.expose_secret()).map_err(|_| refused(item, "its value is no text"))?;
            if let Some(problem) = self.value_problem(text) {
                return Err(refused(item, problem));
            }
            texts.push((item.name.as_str(), text));
        }
        match self {
            Self::Dotenv => {
                lines(out, &texts, |out, name, text| add(out, &[name, "=", dotenv::quoted(text).expose_secret()]))
            }
            Self::Shell => lines(out, &texts, |out, name, text| {
                add(out, &["export ", name, "=", SecretString::from(text::shell_word(text)).expose_secret()]);
            }),
            Self::Docker => lines(out, &texts, |out, name, text| add(out, &[name, "=", text])),
            Self::Toml => lines(out, &texts, |out, name, text| {
                basic(out, name);
                add(out, &[" = "]);
                basic(out, text);
            }),
            Self::Tfvars => lines(out, &texts, |out, name, text| {
                add(out, &[name, " = "]);
                template(out, text);
            }),
            Self::Properties => lines(out, &texts, |out, name, text| {
                property(out, name, true);
                add(out, &["="]);
                property(out, text, false);
            }),
            Self::GithubEnv => {
                let delimiter = delimiter(&texts)?;
                lines(out, &texts, |out, name, text| add(out, &[name, "<<", &delimiter, "\n", text, "\n", &delimiter]));
            }
            Self::Json => {
                // Into a buffer that wipes what it leaves behind.
                let written = serde_json::to_writer_pretty(&mut *out, object(&texts).expose_secret());
                written.map_err(|_| Failure::new(Exit::Unexpected, "json", "the values cannot be written as JSON"))?;
                add(out, &["\n"]);
            }
            Self::Yaml => yaml(out, object(&texts).expose_secret())?,
            Self::Kubernetes(name) => yaml(out, manifest(name, items).expose_secret())?,
        }
        Ok(())
    }

    fn name_problem(&self, name: &str) -> Option<&'static str> {
        let is_word = |more: &str| {
            !name.starts_with(|character: char| character.is_ascii_digit() || more.contains(character))
                && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_' || more.contains(it))
        };
        match self {
            Self::Dotenv | Self::Shell | Self::Docker | Self::GithubEnv if !is_word("") => {
                Some("its name has to be letters, digits and `_`, no digit first")
            }
            Self::Tfvars if !is_word("-") => Some("its name has to be letters, digits, `_` and `-`, a letter first"),
            Self::Kubernetes(_)
                if !name.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it)) || name.len() > 253 =>
            {
                Some("its name has to be letters, digits, `-`, `_` and `.`")
            }
            _ => None,
        }
    }

    fn value_problem(&self, text: &str) -> Option<&'static str> {
        match self {
            Self::Docker if text.contains(['\n', '\r']) => Some("its value has several lines"),
            Self::Dotenv | Self::Shell | Self::Docker | Self::GithubEnv if text.contains('\0') => {
                Some("its value holds a zero byte")
            }
            // The runner ends lines of its own accord, and takes each kind of line end for the system's.
            Self::GithubEnv if text.contains('\r') => Some("its value holds a carriage return"),
            _ => None,
        }
    }
}

fn lines(out: &mut SecretBytes, texts: &[(&str, &str)], line: impl Fn(&mut SecretBytes, &str, &str)) {
    for (name, text) in texts {
        line(out, name, text);
        add(out, &["\n"]);
    }
}

fn add(out: &mut SecretBytes, parts: &[&str]) {
    parts.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
}

fn object(texts: &[(&str, &str)]) -> SecretJson {
    let members = texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).into()));
    Json::Object(members.collect::<Map<_, _>>()).into()
}

fn manifest(name: &str, items: &[Item]) -> SecretJson {
    let base64 = |item: &Item| SecretString::from_bytes_as_base64(&item.value).expose_secret().to_owned();
    let data: Map<_, _> = items.iter().map(|item| (item.name.clone(), base64(item).into())).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "data": data}).into()
}

fn yaml(out: &mut SecretBytes, json: &Json) -> Result<(), Failure> {
    let yaml = SecretString::from(output::yaml(json)?);
    add(out, &[yaml.expose_secret()]);
    if !yaml.expose_secret().ends_with('\n') {
        add(out, &["\n"]);
    }
    Ok(())
}

/// A basic string of TOML.
fn basic(out: &mut SecretBytes, text: &str) {
    escaped(out, text, |character| match character {
        '\u{7f}' => Some(r"\u007F"),
        _ => None,
    });
}

/// A string of Terraform, in which nothing is a template.
fn template(out: &mut SecretBytes, text: &str) {
    // `${` and `%{` begin one.
    let mut characters = text.chars().peekable();
    let mut plain = String::with_capacity(text.len() * 2);
    while let Some(character) = characters.next() {
        if matches!(character, '$' | '%') && characters.peek() == Some(&'{') {
            plain.push(character);
        }
        plain.push(character);
    }
    escaped(out, SecretString::from(plain).expose_secret(), |_| None);
}

/// A text in double quotes, with the escapes that JSON, TOML and HCL have in common, and those of `more`.
fn escaped(out: &mut SecretBytes, text: &str, more: impl Fn(char) -> Option<&'static str>) {
    add(out, &["\""]);
    for character in text.chars() {
        match character {
            '"' => add(out, &["\\\""]),
            '\\' => add(out, &["\\\\"]),
            '\n' => add(out, &["\\n"]),
            '\r' => add(out, &["\\r"]),
            '\t' => add(out, &["\\t"]),
            other => match more(other) {
                Some(escape) => add(out, &[escape]),
                None if other < ' ' => unit(out, other as u16),
                None => add(out, &[other.encode_utf8(&mut [0; 4])]),
            },
        }
    }
    add(out, &["\""]);
}

/// A key or a value of Java's properties, which are read as Latin-1.
fn property(out: &mut SecretBytes, text: &str, is_key: bool) {
    let begin = text.len() - text.trim_start_matches(' ').len();
    for (at, character) in text.char_indices() {
        match character {
            '\\' => add(out, &["\\\\"]),
            '\n' => add(out, &["\\n"]),
            '\r' => add(out, &["\\r"]),
            '\t' => add(out, &["\\t"]),
            ' ' if is_key || at < begin => add(out, &["\\ "]),
            '=' | ':' | '#' | '!' if is_key => add(out, &["\\", character.encode_utf8(&mut [0; 4])]),
            ' '..='~' => add(out, &[character.encode_utf8(&mut [0; 4])]),
            other => other.encode_utf16(&mut [0; 2]).iter().for_each(|half| unit(out, *half)),
        }
    }
}

/// `\u000A`
fn unit(out: &mut SecretBytes, unit: u16) {
    let mut escape = String::new();
    // Writing into memory does not fail.
    let _ = write!(escape, "\\u{unit:04X}");
    add(out, &[&escape]);
}

/// A line that no value has, and that nobody can have put into one.
fn delimiter(texts: &[(&str, &str)]) -> Result<String, Failure> {
    loop {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            Failure::new(Exit::Unexpected, "random", format!("the system gives no random numbers: {error}"))
        })?;
        let delimiter = format!("csms_{:032x}", u128::from_ne_bytes(random));
        if !texts.iter().any(|(_, text)| text.contains(&delimiter)) {
            return Ok(delimiter);
        }
    }
}

fn is_object_name(name: &str) -> bool {
    let is_end = |character: Option<char>| character.is_some_and(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
    let is_part = |part: &str| {
        let is_inner = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
        is_end(part.chars().next()) && is_end(part.chars().last()) && part.chars().all(is_inner)
    };
    name.len() <= 253 && name.split('.').all(is_part)
}

#[cfg(test)]
mod tests;
