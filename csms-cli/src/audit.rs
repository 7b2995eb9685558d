//! In debug builds, a check that a command calls nothing but what it says it may, so that every test of a command is one of
//! `csms policy` as well.

use std::{fmt, fs, sync::OnceLock};

use clap::ArgMatches;
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, filter, layer::Context, registry::LookupSpan};

use crate::{error::Failure, needs::Needs};

/// What the command may call; one process runs one command.
static EXPECTED: OnceLock<Vec<String>> = OnceLock::new();

/// Says what the command that follows may call; `matches` are its arguments. Nothing is made of it in a release build.
pub(crate) fn expect(matches: &ArgMatches, calls: impl FnOnce() -> Result<Needs, Failure>) {
    // What comes from stdin or through a pipe cannot be read twice.
    let is_stream = |path: &String| path == "-" || fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    let words = |argument| matches.try_get_many::<String>(argument).ok().flatten().into_iter().flatten();
    let reads_stream = || ["input", "env-file", "file", "A", "B"].into_iter().flat_map(words).any(is_stream);
    if cfg!(debug_assertions)
        && !reads_stream()
        // A line that cannot be right is refused by the command itself.
        && let Ok(needs) = calls()
    {
        let _ = EXPECTED.set(needs.calls.iter().map(|call| call.info.id()).collect());
    }
}

/// The check of every call; only debug builds have it.
pub(crate) fn check<S: Subscriber + for<'a> LookupSpan<'a>>() -> Option<impl Layer<S>> {
    let is_of_sdk = filter::filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("csms_sdk"));
    cfg!(debug_assertions).then(|| Check { expected: &EXPECTED }.with_filter(is_of_sdk))
}

/// Fails at the first call that was not told of.
struct Check {
    /// None where a command calls nothing, or nobody has asked it.
    expected: &'static OnceLock<Vec<String>>,
}

impl<S: Subscriber> Layer<S> for Check {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut called = Called(None);
        span.record(&mut called);
        let (Some(called), Some(expected)) = (called.0, self.expected.get()) else { return };
        // Credentials and projects are looked for in IAM for every command.
        let is_of_command = called.starts_with("csms/") || called.starts_with("kms/");
        assert!(
            !is_of_command || expected.contains(&called),
            "{called} is called, but not among the `calls` of the command"
        );
    }
}

/// The operation that a span is of.
struct Called(Option<String>);

impl Visit for Called {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "rpc.method" {
            self.0 = Some(format!("{value:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// A call of this operation, where only reading a stage was told of.
    fn call(operation: &str) {
        let check = Check { expected: Box::leak(Box::new(OnceLock::from(vec!["csms/ShowSecretStage".to_owned()]))) };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(check), || {
            let _ = tracing::info_span!(target: "csms_sdk", "call", rpc.method = %operation).entered();
        });
    }

    #[test]
    fn what_was_told_of_and_calls_of_the_sdk_itself_may_be_called() {
        call("csms/ShowSecretStage");
        call("iam/KeystoneListProjects");
    }

    #[test]
    #[should_panic(expected = "csms/DeleteSecret is called")]
    fn what_was_not_told_of_ends_the_program() {
        call("csms/DeleteSecret");
    }
}
