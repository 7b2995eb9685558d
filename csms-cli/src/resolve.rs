//! From what stands for values, references and ciphertexts, to the values.

use csms_sdk::{
    Client, SecretBytes, SecretString,
    kms::DecryptData,
    reference::Reference,
    store::{SecretStore, SecretValue},
};
use futures_util::{StreamExt as _, stream};

use crate::{
    commands::secret::told_of_reference,
    connection::Connection,
    error::{Exit, Failure},
    session::Session,
};

/// What begins a reference that can be nothing else.
pub(crate) const SCHEME: &str = "csms://";
const CIPHER: &str = "kms:";
/// Ciphertexts that are decrypted side by side.
const AT_ONCE: usize = 4;

/// Stands for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A secret, a version of it, or a field.
    Secret(Reference),
    /// A ciphertext of KMS in Base64, to be decrypted in place.
    Cipher(String),
}

/// A value, and where it is from.
pub(crate) enum Resolved {
    Secret(SecretValue),
    /// What was decrypted, or has stood there as it is.
    Plain(SecretBytes),
}

impl Target {
    /// Reads what can be nothing else. `flag` names who wrote it.
    pub(crate) fn of(flag: &str, text: &str) -> Result<Self, Failure> {
        match text.strip_prefix(CIPHER) {
            Some(base64) => match SecretString::from(base64).decode_base64() {
                Some(bytes) if !bytes.expose_secret().is_empty() => Ok(Self::Cipher(base64.to_owned())),
                _ => Err(Failure::usage("invalid_value", format!("{flag}: there is no Base64 behind `kms:`"))
                    .cause("a ciphertext is written as KMS answers it; nothing was sent")
                    .hint("csms key encrypt KEY makes one")),
            },
            None => text.parse().map(Self::Secret).map_err(|error| {
                // It tells what is wrong, and does not repeat what may be a value in the wrong place.
                let what = format!("{flag}: the reference {}", error.message());
                Failure::from(error).renamed(what).hint("write NAME, NAME@VERSION, NAME#FIELD or kms:BASE64")
            }),
        }
    }

    /// Reads what may be a plain value as well: `None`.
    pub(crate) fn marked(flag: &str, text: &str) -> Option<Result<Self, Failure>> {
        (text.starts_with(SCHEME) || text.starts_with(CIPHER)).then(|| Self::of(flag, text))
    }
}

impl Resolved {
    /// The value itself.
    pub(crate) fn expose_secret(&self) -> &[u8] {
        match self {
            Self::Secret(value) => value.expose_secret(),
            Self::Plain(bytes) => bytes.expose_secret(),
        }
    }
}

/// Reads all of them, in their order. Where some fail, each is told and none is given.
pub(crate) async fn all(
    session: &Session<'_>,
    connection: &Connection,
    targets: &[Target],
) -> Result<Vec<Resolved>, Failure> {
    let mut outcomes: Vec<Option<Result<Resolved, Failure>>> = targets.iter().map(|_| None).collect();
    for place in places(targets) {
        let store = SecretStore::new(&connection.client_at(session, place[0].1)?);
        let values = store.get_many(place.iter().map(|(_, reference)| reference.here())).await;
        for ((at, reference), value) in place.iter().zip(values) {
            let told = |error| told_of_reference(session, reference, error);
            outcomes[*at] = Some(value.map(Resolved::Secret).map_err(told));
        }
    }
    let ciphers = ciphers(targets);
    let answers = stream::iter(ciphers.iter().map(|(base64, _)| decrypted(&connection.client, base64)));
    let answers: Vec<_> = answers.buffered(AT_ONCE).collect().await;
    for ((_, places), answer) in ciphers.iter().zip(answers) {
        match answer {
            Ok(bytes) => places.iter().for_each(|at| outcomes[*at] = Some(Ok(Resolved::Plain(bytes.clone())))),
            // Once is enough.
            Err(failure) => outcomes[places[0]] = Some(Err(failure)),
        }
    }
    let (mut values, mut failures) = (Vec::new(), Vec::new());
    for outcome in outcomes.into_iter().flatten() {
        match outcome {
            Ok(value) => values.push(value),
            Err(failure) => failures.push(failure),
        }
    }
    let mut failures = failures.into_iter();
    match failures.next() {
        None => Ok(values),
        // One ends the program; people want to mend all of them.
        Some(first) => Err(first.also(failures.map(|failure| failure.what().to_owned()).collect())),
    }
}

/// Has all of them watched that can come to mean another value.
#[cfg(unix)] // as `--watch` is
pub(crate) fn watched(
    session: &Session<'_>,
    connection: &Connection,
    targets: &[Target],
    mut watch: csms_sdk::watch::Watch,
) -> Result<csms_sdk::watch::Watch, Failure> {
    for place in places(targets) {
        let store = SecretStore::new(&connection.client_at(session, place[0].1)?);
        watch = watch.secrets(&store, place.iter().map(|(_, reference)| reference.here()))?;
    }
    Ok(watch)
}

/// Reads secrets, in their order, those of one place in batches. Where some fail, each is told and none is given.
pub(crate) async fn secrets(
    session: &Session<'_>,
    connection: &Connection,
    references: &[Reference],
) -> Result<Vec<SecretValue>, Failure> {
    let targets: Vec<_> = references.iter().cloned().map(Target::Secret).collect();
    let values = all(session, connection, &targets).await?.into_iter();
    let secret = |value| match value {
        Resolved::Secret(secret) => Some(secret),
        Resolved::Plain(_) => None,
    };
    Ok(values.filter_map(secret).collect())
}

/// The references of each place together, with their positions.
fn places(targets: &[Target]) -> Vec<Vec<(usize, &Reference)>> {
    let place = |reference: &Reference| {
        let text = |part: Option<&str>| part.map(str::to_owned);
        (text(reference.region()), text(reference.profile()), text(reference.project()))
    };
    let mut places: Vec<Vec<(usize, &Reference)>> = Vec::new();
    for (at, target) in targets.iter().enumerate() {
        let Target::Secret(reference) = target else { continue };
        match places.iter_mut().find(|others| place(others[0].1) == place(reference)) {
            Some(others) => others.push((at, reference)),
            None => places.push(vec![(at, reference)]),
        }
    }
    places
}

/// Each ciphertext, with the positions that it has.
fn ciphers(targets: &[Target]) -> Vec<(&str, Vec<usize>)> {
    let mut ciphers: Vec<(&str, Vec<usize>)> = Vec::new();
    for (at, target) in targets.iter().enumerate() {
        let Target::Cipher(base64) = target else { continue };
        match ciphers.iter_mut().find(|(other, _)| other == base64) {
            Some((_, places)) => places.push(at),
            None => ciphers.push((base64, vec![at])),
        }
    }
    ciphers
}

async fn decrypted(client: &Client, base64: &str) -> Result<SecretBytes, Failure> {
    let answer = DecryptData::new(base64).send(client).await?.into_body();
    // The plain text is not to be relied on where it is not printable.
    let bytes = match (&answer.plain_text_base64, &answer.plain_text) {
        (Some(base64), _) => base64.decode_base64(),
        (None, Some(text)) => Some(text.expose_secret().as_bytes().to_vec().into()),
        (None, None) => None,
    };
    bytes.ok_or_else(|| {
        Failure::new(Exit::Unexpected, "unexpected_answer", "DecryptData: the answer has no value")
            .cause("it came, and holds neither text nor Base64")
            .hint("run it again with -vv")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn plain_values_are_told_from_what_stands_for_one() {
        assert!(Target::marked("--env-file", "db#password").is_none());
        assert!(matches!(Target::marked("--env-file", "csms://db").unwrap().unwrap(), Target::Secret(_)));
        assert!(matches!(Target::of("--env", "db#password").unwrap(), Target::Secret(_)));
        assert_eq!(Target::of("--env", "kms:AAEC").unwrap(), Target::Cipher("AAEC".to_owned()));
        for text in ["kms:", "kms:hunter2!", "csms://hunter2!"] {
            let failure = Target::marked("--env-file", text).unwrap().unwrap_err();
            assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        }
    }

    #[test]
    fn references_to_one_place_are_read_together() {
        let targets: Vec<_> = ["a", "kms:AAEC", "b?region=cn-east-3", "c#x", "d?region=cn-east-3", "e?profile=p"]
            .map(|text| Target::of("", text).unwrap())
            .into();
        let at: Vec<Vec<_>> = places(&targets).iter().map(|place| place.iter().map(|(at, _)| *at).collect()).collect();
        assert_eq!(at, [vec![0, 3], vec![2, 4], vec![5]]);
    }

    #[test]
    fn a_ciphertext_that_is_wanted_twice_is_one() {
        let targets: Vec<_> =
            ["kms:AAEC", "a", "kms:AAED", "kms:AAEC"].map(|text| Target::of("", text).unwrap()).into();
        assert_eq!(ciphers(&targets), [("AAEC", vec![0, 3]), ("AAED", vec![2])]);
    }
}
