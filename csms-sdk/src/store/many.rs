//! Many secrets at once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use futures_util::future::join_all;

use super::{Place, SecretStore, SecretValue};
use crate::{
    csms::{BatchGetSecretValue, Version},
    error::{Error, ErrorKind},
    reference::{CURRENT, Reference, VersionRef},
};

/// Most names of a batch call.
const BATCH: usize = 20;

/// A version that is to be read: where, and what without its field.
struct Read {
    place: Place,
    reference: Reference,
}

/// What a call is to read, by the indexes of the reads.
enum Call {
    Batch(Vec<usize>),
    Single(usize),
}

type Outcome = Result<SecretValue, Error>;

/// Calls under way at a time. KMS takes 20 requests a second of most users, and a call takes about a fifth of a second.
pub(crate) const CALLS_AT_ONCE: usize = 4;

pub(super) async fn read(
    store: &SecretStore,
    references: Vec<Result<Reference, Error>>,
    concurrency: usize,
) -> Vec<Outcome> {
    let mut reads = Vec::new();
    let mut known = HashMap::new();
    let mut plan = |reference: Reference| {
        let place = store.place(&reference)?;
        // The store's own region may be named or not.
        let key = (place.client.region().map(str::to_owned), reference.name().to_owned(), reference.version().clone());
        let at = *known.entry(key).or_insert_with(|| {
            reads.push(Read { place, reference: reference.clone().with_field(None) });
            reads.len() - 1
        });
        Ok((reference, at))
    };
    let wanted: Vec<_> = references.into_iter().map(|reference| reference.and_then(&mut plan)).collect();

    let mut outcomes: Vec<Option<Outcome>> = reads.iter().map(|_| None).collect();
    let read = |call| async {
        match call {
            Call::Batch(batch) => in_batch(&reads, batch).await,
            Call::Single(at) => vec![(at, store.read(&reads[at].reference).await)],
        }
    };
    for (at, outcome) in at_once(concurrency, calls(&reads), read).await.into_iter().flatten() {
        outcomes[at] = Some(outcome);
    }
    // What no batch told.
    let left = outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_none());
    let left = left.map(|(at, _)| Call::Single(at)).collect();
    for (at, outcome) in at_once(concurrency, left, read).await.into_iter().flatten() {
        outcomes[at] = Some(outcome);
    }

    let answer = |(reference, at): (Reference, usize)| match (&outcomes[at], reference.field()) {
        (Some(Ok(value)), Some(field)) => value.with_field(field),
        (Some(Ok(value)), None) => Ok(value.clone()),
        (Some(Err(error)), _) => Err(error.duplicate()),
        // Not to be seen: every read has been asked for by now.
        (None, _) => Err(Error::new(ErrorKind::UnexpectedAnswer, format!("{reference} was not read"))),
    };
    wanted.into_iter().map(|wanted| wanted.and_then(answer)).collect()
}

/// The calls to begin with: batches of current versions, region by region, and the rest one by one.
fn calls(reads: &[Read]) -> Vec<Call> {
    let mut current: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    let mut calls = Vec::new();
    for (at, Read { place, reference }) in reads.iter().enumerate() {
        match reference.version() {
            VersionRef::Current if place.offers_batches() => {
                current.entry(place.client.region()).or_default().push(at);
            }
            _ => calls.push(Call::Single(at)),
        }
    }
    calls.extend(current.values().flat_map(|reads| reads.chunks(BATCH)).map(|batch| Call::Batch(batch.to_vec())));
    calls
}

/// What one batch call tells about these reads of one region; nothing about those that have to be asked for singly.
async fn in_batch(reads: &[Read], batch: Vec<usize>) -> Vec<(usize, Outcome)> {
    let Some(place) = batch.first().map(|at| &reads[*at].place) else { return Vec::new() };
    let names: Vec<_> = batch.iter().map(|at| reads[*at].reference.name().to_owned()).collect();
    match BatchGetSecretValue::new().secret_name_list(names).send(&place.client).await {
        Ok(answer) => {
            let mut found = by_name(answer.into_body().versions);
            let told = batch.into_iter().filter_map(|at| {
                let name = reads[at].reference.name();
                let version = current(found.remove(name)?)?;
                Some((at, Ok(SecretValue::of(name, version).ok()?)))
            });
            told.collect()
        }
        Err(error) => match error.kind() {
            ErrorKind::NotOffered => {
                place.lacks_batches();
                Vec::new()
            }
            // One secret may have spoilt it for the others, or the batch call alone is not permitted.
            ErrorKind::PermissionDenied | ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Rejected => Vec::new(),
            _ => batch.into_iter().map(|at| (at, Err(error.duplicate()))).collect(),
        },
    }
}

fn by_name(versions: Vec<Version>) -> HashMap<String, Vec<Version>> {
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for version in versions {
        if let Some(name) = version.version_metadata.as_ref().and_then(|metadata| metadata.secret_name.clone()) {
            found.entry(name).or_default().push(version);
        }
    }
    found
}

/// The current version of those that came for one secret, if it is clear which that is. The reference shows an answer with two.
fn current(versions: Vec<Version>) -> Option<Version> {
    let stages = |version: &Version| version.version_metadata.as_ref().map(|metadata| metadata.version_stages.clone());
    let is_current = |version: &Version| stages(version).is_some_and(|stages| stages.iter().any(|it| it == CURRENT));
    let alone = versions.len() == 1;
    let mut fitting = versions
        .into_iter()
        .filter(|version| is_current(version) || (alone && stages(version).is_none_or(|stages| stages.is_empty())));
    let version = fitting.next()?;
    fitting.next().is_none().then_some(version)
}

/// Carries out `work` for every job, so many at a time; the outcomes come in no order.
pub(crate) async fn at_once<J, T, F: Future<Output = T>>(
    concurrency: usize,
    jobs: Vec<J>,
    work: impl Fn(J) -> F,
) -> Vec<T> {
    let lanes = concurrency.min(jobs.len());
    let jobs = Mutex::new(jobs.into_iter());
    let lane = || async {
        let mut done = Vec::new();
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
            match job {
                Some(job) => done.push(work(job).await),
                None => return done,
            }
        }
    };
    join_all((0..lanes).map(|_| lane())).await.into_iter().flatten().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::csms::VersionMetadata;

    fn version(id: &str, stages: &[&str]) -> Version {
        let metadata = VersionMetadata {
            id: Some(id.to_owned()),
            version_stages: stages.iter().map(|stage| (*stage).to_owned()).collect(),
            ..VersionMetadata::default()
        };
        Version { version_metadata: Some(metadata), ..Version::default() }
    }

    #[test]
    fn the_current_version_is_taken_only_where_it_is_clear_which_it_is() {
        let id = |versions| current(versions).map(|version| version.version_metadata.unwrap().id.unwrap());
        let (old, new) = (|| version("v1", &["SYSPREVIOUS"]), || version("v2", &["blue", CURRENT]));
        assert_eq!(id(vec![new()]).as_deref(), Some("v2"));
        assert_eq!(id(vec![old(), new()]).as_deref(), Some("v2"));
        assert_eq!(id(vec![version("v1", &[])]).as_deref(), Some("v1"), "the call gives no others");
        assert_eq!(id(vec![old()]), None);
        assert_eq!(id(vec![version("v1", &[CURRENT]), new()]), None, "both claim to be it");
        assert_eq!(id(vec![version("v1", &[]), version("v2", &[])]), None);
    }
}
