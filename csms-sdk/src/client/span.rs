//! Spans of calls and of their attempts, under OpenTelemetry's names.
//!
//! A call is a span at `info`, an attempt one at `debug` below it. No span holds a path, a query, a header or a body: they name
//! and carry secrets. When nobody listens, a span is a flag, and no field of it is made.

use tracing::{Span, debug_span, field::Empty, info_span};
use url::Url;

use super::core::{Call, request_id};
use crate::{error::Error, transport::HttpAnswer};

/// The target of all spans.
const TARGET: &str = "csms_sdk";

/// The name of what is called.
pub(super) fn operation(call: &Call<'_>) -> &'static str {
    call.info.map_or("raw", |info| info.name)
}

/// The span of a call, all attempts and the waits between them included.
pub(super) fn call(call: &Call<'_>) -> Span {
    let url = call.endpoint.url();
    info_span!(
        target: TARGET,
        "call",
        otel.name = %format_args!("{}/{}", call.service.as_str(), operation(call)),
        otel.kind = "client",
        otel.status_code = Empty,
        rpc.system.name = "huaweicloud",
        rpc.method = %format_args!("{}/{}", call.service.as_str(), operation(call)),
        cloud.region = call.region,
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        http.response.status_code = Empty,
        error.type = Empty,
        csms.error_code = Empty,
        csms.request_id = Empty,
    )
}

/// The span of the attempt of this number, from 1: one HTTP exchange.
pub(super) fn attempt(call: &Call<'_>, base: &Url, number: u32) -> Span {
    debug_span!(
        target: TARGET,
        "attempt",
        otel.name = call.method.as_str(),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = call.method.as_str(),
        http.request.resend_count = (number > 1).then(|| number - 1),
        server.address = base.host_str(),
        server.port = base.port_or_known_default(),
        http.response.status_code = Empty,
        error.type = Empty,
        csms.error_code = Empty,
        csms.request_id = Empty,
    )
}

/// Records an answer that reports success.
pub(super) fn answered(span: &Span, answer: &HttpAnswer) {
    if span.is_disabled() {
        return;
    }
    span.record("http.response.status_code", answer.status);
    span.record("csms.request_id", request_id(&answer.headers));
}

/// Records what went wrong: its class and the service's code, never its message.
pub(super) fn failed(span: &Span, error: &Error) {
    if span.is_disabled() {
        return;
    }
    span.record("otel.status_code", "ERROR");
    span.record("error.type", error.kind().as_str());
    span.record("http.response.status_code", error.status());
    span.record("csms.error_code", error.code());
    span.record("csms.request_id", error.request_id());
}
