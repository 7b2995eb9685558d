//! The canonical request: the one spelling of a request that both sides hash.

use std::{borrow::Cow, cmp::Ordering};

use sha2::digest::Update;
use url::Url;

use super::{
    HexDigest,
    digest::Text,
    payload_hash,
    percent::{IN_PATH, IN_QUERY, canonicalise, decoded},
};

/// The parts of a request that are signed.
///
/// Has no `Debug`: headers and body can hold secrets.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Method, e.g. `GET`; signed in upper case.
    pub method: &'a str,
    /// Path as the URL has it, escapes included. An escaped `/` is signed as a separator; `.` and `..` segments are
    /// signed as they are, so resolve them before.
    pub path: &'a str,
    /// Query as the URL has it, without `?`; empty for none. Pairs in any order. `+` is a plus, not a space.
    pub query: &'a str,
    /// Names and values of the headers to sign, names in any case and order, each once. Of those given, the ones with
    /// `_` in the name are left out. Lower-case names in byte order cost least.
    pub headers: &'a [(&'a str, &'a str)],
    /// Body, or its hash.
    pub payload: Payload<'a>,
}

impl<'a> Request<'a> {
    /// Takes path and query from `url`. The host is signed if `headers` has it.
    #[must_use]
    pub fn from_url(method: &'a str, url: &'a Url, headers: &'a [(&'a str, &'a str)], payload: Payload<'a>) -> Self {
        Self { method, path: url.path(), query: url.query().unwrap_or_default(), headers, payload }
    }
}

/// What is signed of the body.
///
/// Has no `Debug`: bodies hold secrets.
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    /// The exact bytes that are sent; empty when there is no body.
    Bytes(&'a [u8]),
    /// A text signed in place of the hash: one from [`payload_hash`], or the value of an `X-Sdk-Content-Sha256` header,
    /// `UNSIGNED-PAYLOAD` included. That header must be among those signed; it is not added here.
    Digest(&'a str),
}

/// `query` in the form that is signed: pairs sorted by name and value, escapes in one spelling, `=` after every name.
///
/// Sending this very text leaves a gateway nothing to reorder or respell.
#[must_use]
pub fn canonical_query(query: &str) -> String {
    let mut text = Text::default();
    write_query(&mut text, query);
    text.into_string()
}

/// A request with what its canonical form needs to be known up front.
pub(super) struct Canonical<'a> {
    request: &'a Request<'a>,
    headers: Cow<'a, [(&'a str, &'a str)]>,
    signed_headers: String,
    payload_hash: PayloadHash<'a>,
}

impl<'a> Canonical<'a> {
    pub(super) fn new(request: &'a Request<'a>) -> Self {
        let headers = sorted_headers(request.headers);
        Self {
            request,
            signed_headers: names(&headers),
            headers,
            payload_hash: match request.payload {
                Payload::Bytes(bytes) => PayloadHash::Computed(payload_hash(bytes)),
                Payload::Digest(text) => PayloadHash::Given(text),
            },
        }
    }

    /// Lower-case names of the signed headers, joined by `;`.
    pub(super) fn signed_headers(&self) -> &str {
        &self.signed_headers
    }

    pub(super) fn write(&self, out: &mut impl Update) {
        write_method(out, self.request.method);
        out.update(b"\n");
        write_path(out, self.request.path);
        out.update(b"\n");
        write_query(out, self.request.query);
        out.update(b"\n");
        // The list already has the names in lower case, which left their lengths as they were.
        let mut names = self.signed_headers.as_str();
        for (name, value) in self.headers.iter() {
            let (name, rest) = names.split_at(name.len());
            names = rest.strip_prefix(';').unwrap_or(rest);
            out.update(name.as_bytes());
            out.update(b":");
            out.update(value.trim().as_bytes());
            out.update(b"\n");
        }
        out.update(b"\n");
        out.update(self.signed_headers.as_bytes());
        out.update(b"\n");
        out.update(self.payload_hash.as_bytes());
    }
}

enum PayloadHash<'a> {
    Computed(HexDigest),
    Given(&'a str),
}

impl PayloadHash<'_> {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Computed(hash) => hash.as_bytes(),
            Self::Given(text) => text.as_bytes(),
        }
    }
}

type Pair<'a> = (&'a str, &'a str);
/// Name and value of the query, escaped.
type RawPair<'a> = (&'a [u8], &'a [u8]);

/// The headers to sign, by lower-case name; copied only if they do not come that way.
fn sorted_headers<'a>(headers: &'a [Pair<'a>]) -> Cow<'a, [Pair<'a>]> {
    // The vendor's signers leave out names with an underscore, so it is not known that the service would take them.
    let is_signed = |(name, _): &Pair<'_>| !name.contains('_');
    if headers.iter().all(is_signed) && headers.is_sorted_by(|a, b| by_name(a, b).is_le()) {
        return Cow::Borrowed(headers);
    }
    let mut signed: Vec<_> = headers.iter().copied().filter(is_signed).collect();
    signed.sort_by(by_name);
    Cow::Owned(signed)
}

fn by_name(a: &Pair<'_>, b: &Pair<'_>) -> Ordering {
    let a_name = a.0.bytes().map(|byte| byte.to_ascii_lowercase());
    let b_name = b.0.bytes().map(|byte| byte.to_ascii_lowercase());
    // The value decides only for a name given twice, which then signs the same in either order.
    a_name.cmp(b_name).then_with(|| a.1.cmp(b.1))
}

/// The names in lower case, joined by `;`.
fn names(headers: &[Pair<'_>]) -> String {
    let length: usize = headers.iter().map(|(name, _)| name.len() + 1).sum();
    let mut names = String::with_capacity(length);
    for (index, (name, _)) in headers.iter().enumerate() {
        if index > 0 {
            names.push(';');
        }
        names.push_str(name);
    }
    names.make_ascii_lowercase();
    names
}

fn write_method(out: &mut impl Update, method: &str) {
    if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
        out.update(method.to_ascii_uppercase().as_bytes());
    } else {
        out.update(method.as_bytes());
    }
}

fn write_path(out: &mut impl Update, path: &str) {
    canonicalise(out, path.as_bytes(), IN_PATH);
    // An empty path becomes `/` by the same rule.
    if !["/", "%2F", "%2f"].iter().any(|slash| path.ends_with(slash)) {
        out.update(b"/");
    }
}

fn write_query(out: &mut impl Update, query: &str) {
    let given = query.as_bytes().split(|&byte| byte == b'&');
    let mut pairs: Vec<_> = given.filter(|pair| !pair.is_empty()).map(name_and_value).collect();
    pairs.sort_by(by_decoded);
    for (index, (name, value)) in pairs.into_iter().enumerate() {
        if index > 0 {
            out.update(b"&");
        }
        canonicalise(out, name, IN_QUERY);
        out.update(b"=");
        canonicalise(out, value, IN_QUERY);
    }
}

fn name_and_value(pair: &[u8]) -> RawPair<'_> {
    match pair.iter().position(|&byte| byte == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, b""),
    }
}

fn by_decoded(a: &RawPair<'_>, b: &RawPair<'_>) -> Ordering {
    let names = decoded(a.0).cmp(decoded(b.0));
    names.then_with(|| decoded(a.1).cmp(decoded(b.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Request<'_> =
        Request { method: "get", path: "/v1/a", query: "", headers: &[], payload: Payload::Digest("UNSIGNED-PAYLOAD") };

    fn canonical(request: &Request<'_>) -> String {
        let mut text = Text::default();
        Canonical::new(request).write(&mut text);
        text.into_string()
    }

    #[test]
    fn a_request_without_query_and_headers_keeps_their_lines() {
        assert_eq!(canonical(&PLAIN), "GET\n/v1/a/\n\n\n\nUNSIGNED-PAYLOAD");
    }

    #[test]
    fn a_path_ends_in_exactly_the_slash_it_has_or_gets() {
        for (path, expected) in [
            ("", "/"),
            ("/", "/"),
            ("//", "//"),
            ("/a", "/a/"),
            ("/a/", "/a/"),
            ("/a%2F", "/a/"),
            ("/a%2f", "/a/"),
            ("/a%252F", "/a%252F/"),
        ] {
            let request = Request { path, ..PLAIN };
            let canonical = canonical(&request);
            assert_eq!(canonical.lines().nth(1), Some(expected), "{path:?}");
        }
    }

    #[test]
    fn query_pairs_sort_by_what_they_stand_for() {
        for (query, expected) in [
            ("", ""),
            ("&", ""),
            ("b&a", "a=&b="),
            ("a=2&a=1&&", "a=1&a=2"),
            ("z=1&%61=2", "a=2&z=1"),
            ("a=%7E&a=%2F", "a=%2F&a=~"),
            ("k=a=b", "k=a%3Db"),
            ("a+b=c+d", "a%2Bb=c%2Bd"),
            ("=v", "=v"),
        ] {
            assert_eq!(canonical_query(query), expected, "{query:?}");
        }
    }

    #[test]
    fn headers_sort_by_lower_case_name_whatever_their_case() {
        let headers: &[Pair<'_>] = &[("B", " 2\t"), ("a", "1  1"), ("x_y", "no"), ("X-Y", "")];
        let request = Request { headers, ..PLAIN };
        assert_eq!(canonical(&request), "GET\n/v1/a/\n\na:1  1\nb:2\nx-y:\n\na;b;x-y\nUNSIGNED-PAYLOAD");
    }
}
