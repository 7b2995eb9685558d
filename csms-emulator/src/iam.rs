//! IAM and STS: who there is, and how they get credentials.

mod accounts;
mod codes;
pub(crate) mod directory;
mod discovery;
mod federation;
pub(crate) mod metadata;
pub(crate) mod oidc;
mod projects;
mod regions;
mod session;
mod sts;
mod temporary_keys;
mod tokens;
pub(crate) mod totp;

pub(crate) use directory::Directory;

use crate::{
    call::Named,
    server::{Incoming, Outgoing},
    shared::Shared,
};

/// What carries the operations of both services out, by service.
pub(crate) fn handlers() -> impl Iterator<Item = (&'static str, Named)> {
    let chapters = [
        ("iam", tokens::HANDLERS),
        ("iam", temporary_keys::HANDLERS),
        ("iam", federation::HANDLERS),
        ("iam", projects::HANDLERS),
        ("iam", accounts::HANDLERS),
        ("iam", regions::HANDLERS),
        ("sts", sts::HANDLERS),
    ];
    chapters.into_iter().flat_map(|(service, named)| named.iter().map(move |named| (service, *named)))
}

/// Answers what is no operation but asked of IAM, of a server's metadata or of a pod's identity: see
/// [`discovery`] and [`metadata`].
pub(crate) async fn answer(
    shared: &Shared,
    incoming: &Incoming,
    region: &str,
    base: &str,
    path: &str,
) -> Option<Outgoing> {
    match discovery::answer(incoming, base, path) {
        Some(answer) => Some(answer),
        None => metadata::answer(shared, incoming, region, path).await,
    }
}
