//! Everything that is logged in this process, by `tracing` and by `log`, at every level.

use std::{
    fmt::{self, Write as _},
    sync::{Mutex, Once, PoisonError},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

static TEXT: Mutex<String> = Mutex::new(String::new());

/// Begins to capture; once for the whole process.
///
/// # Panics
/// When another subscriber or logger is there already.
#[allow(clippy::expect_used)] // nobody else sets one in a test
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Capture).expect("no other subscriber");
        log::set_logger(&Capture).expect("no other logger");
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// What was captured so far.
#[must_use]
pub fn text() -> String {
    TEXT.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

struct Capture;

impl Capture {
    fn write(line: fmt::Arguments<'_>) {
        let mut text = TEXT.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = text.write_fmt(line);
        text.push('\n');
    }
}

impl Subscriber for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut line = Line(format!("{} {}", span.metadata().target(), span.metadata().name()));
        span.record(&mut line);
        Self::write(format_args!("{}", line.0));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        Self::write(format_args!("{}", line.0));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        Self::write(format_args!("{}", line.0));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // Not quoted: quotes would hide a value that needs escapes from the search.
        let _ = write!(self.0, " {field}={value}");
    }
}

impl log::Log for Capture {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        // The mock server tells what it received; it is not a part of the client.
        !metadata.target().starts_with("wiremock")
    }

    fn log(&self, record: &log::Record<'_>) {
        if log::Log::enabled(self, record.metadata()) {
            Self::write(format_args!("{} {}", record.target(), record.args()));
        }
    }

    fn flush(&self) {}
}
