//! What the SDK logs, on stderr: its warnings, and with `-vv` the rest as well.

use std::io;

use clap::ArgMatches;
use tracing_subscriber::{
    filter::{LevelFilter, filter_fn},
    fmt,
    layer::{Layer, SubscriberExt as _},
    registry,
    util::SubscriberInitExt as _,
};

use crate::{audit, error::Reporter};

/// From here on lines of the SDK are shown. Those of the layers below stay out: they may quote what is sent. So do spans,
/// whose fields would be repeated in front of every line.
pub(crate) fn show(matches: &ArgMatches, reporter: &Reporter) {
    let is_verbose = matches.try_get_one::<u8>("verbose").ok().flatten().is_some_and(|count| *count >= 2);
    let most = if is_verbose { LevelFilter::DEBUG } else { LevelFilter::WARN };
    let only_ours = filter_fn(move |metadata| {
        metadata.is_event() && metadata.target().starts_with("csms_sdk") && most >= *metadata.level()
    });
    let lines = fmt::layer().without_time().with_ansi(false);
    let reporter = *reporter;
    let lines = match is_verbose {
        true => lines.with_writer(io::stderr).boxed(),
        false => lines.with_level(false).with_target(false).with_writer(move || Warning(reporter)).boxed(),
    };
    // Fails only where a subscriber is set already, and there is none.
    let lines = lines.with_filter(only_ours.with_max_level_hint(most));
    let _ = registry().with(audit::check()).with(lines).try_init();
}

/// Takes each line as a warning.
struct Warning(Reporter);

impl io::Write for Warning {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.warn(&String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
