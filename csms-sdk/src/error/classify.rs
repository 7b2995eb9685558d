//! From the service's code and the HTTP status to a kind.

use super::ErrorKind;

/// The kind of a failure, and whether the same request may succeed later.
///
/// The code decides first: CSMS reports a missing secret with status 400 and a used-up quota with 500, and
/// KMS reports a bad token with 403. Codes that are not listed here go by their status.
pub(crate) fn classify(code: Option<&str>, status: u16) -> (ErrorKind, bool) {
    match code.and_then(by_code) {
        // A code that the client has to answer for does not become retryable by its status.
        Some(kind) => (kind, kind == ErrorKind::Throttled),
        None => (by_status(status), is_transient(status)),
    }
}

/// Whether the gateway refuses the project that is called, whatever the caller may do in it.
pub(super) fn is_of_project(code: Option<&str>) -> bool {
    matches!(code, Some("APIGW.0310" | "APIG.0310"))
}

fn is_transient(status: u16) -> bool {
    matches!(status, 429 | 500 | 502 | 503 | 504)
}

fn by_status(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        409 | 412 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled,
        500.. => ErrorKind::Service,
        400.. => ErrorKind::Rejected,
        _ => ErrorKind::UnexpectedAnswer,
    }
}

fn by_code(code: &str) -> Option<ErrorKind> {
    use ErrorKind::{Conflict, NotFound, NotOffered, PermissionDenied, QuotaExceeded, Throttled, Unauthenticated};
    let (service, number) = code.split_once('.')?;
    let kind = match (service, number) {
        ("CSMS", "0005" | "0106") => NotFound,
        // In use already (01, 02, 04), pending deletion or not (03, 07, 08), built-in stage (05), disabled (09).
        ("CSMS", "0101" | "0102" | "0103" | "0104" | "0105" | "0107" | "0108" | "0109") => Conflict,
        ("CSMS", "0201" | "0202" | "0203" | "0204") => QuotaExceeded,
        ("CSMS", "0301") => Unauthenticated,
        ("CSMS", "0302") => PermissionDenied,

        ("KMS", "0207" | "3901" | "8003") => NotFound,
        // Replica is read-only, disabled, pending deletion, default key, not pending import, rotation off, frozen.
        ("KMS", "0106" | "0209" | "0210" | "0211" | "0310" | "0313" | "0320" | "0328") => Conflict,
        // Alias taken, not disabled, not enabled, already scheduled, not scheduled, other material than before, material busy,
        // rotation on.
        ("KMS", "1104" | "1201" | "1301" | "1402" | "1501" | "2606" | "2701" | "2901") => Conflict,
        ("KMS", "0409" | "1105" | "2301" | "2404" | "2405") => QuotaExceeded,
        // Tokens that are missing, wrong, expired or of another project come with 403.
        ("KMS", "0301" | "0302" | "0303" | "0304" | "0305") => Unauthenticated,

        // Shared and dedicated gateways number alike.
        ("APIGW" | "APIG", "0101") => NotOffered,
        ("APIGW" | "APIG", "0301" | "0303" | "0305" | "0307") => Unauthenticated,
        ("APIGW" | "APIG", "0308") => Throttled,
        _ => return None,
    };
    Some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_before_the_status() {
        assert_eq!(classify(Some("CSMS.0106"), 400), (ErrorKind::NotFound, false));
        assert_eq!(classify(Some("CSMS.0005"), 400), (ErrorKind::NotFound, false));
        assert_eq!(classify(Some("CSMS.0201"), 500), (ErrorKind::QuotaExceeded, false));
        assert_eq!(classify(Some("CSMS.0109"), 403), (ErrorKind::Conflict, false));
        assert_eq!(classify(Some("KMS.0303"), 403), (ErrorKind::Unauthenticated, false));
        assert_eq!(classify(Some("APIGW.0308"), 429), (ErrorKind::Throttled, true));
        assert_eq!(classify(Some("APIG.0101"), 404), (ErrorKind::NotOffered, false));
    }

    #[test]
    fn unknown_codes_go_by_status() {
        assert_eq!(classify(Some("KMS.8999"), 404), (ErrorKind::NotFound, false));
        assert_eq!(classify(Some("APIGW.0201"), 413), (ErrorKind::Rejected, false));
        assert_eq!(classify(Some("APIGW.0201"), 502), (ErrorKind::Service, true));
        assert_eq!(classify(Some("KMS.0104"), 503), (ErrorKind::Service, true));
        assert_eq!(classify(None, 501), (ErrorKind::Service, false));
        assert_eq!(classify(None, 302), (ErrorKind::UnexpectedAnswer, false));
        assert_eq!(classify(Some("nonsense"), 400), (ErrorKind::Rejected, false));
    }
}
