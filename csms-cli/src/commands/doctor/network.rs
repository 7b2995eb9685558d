//! From a name to an answer: DNS, TCP, and TLS and HTTP as the SDK has them.

use std::{io, time::Duration};

use csms_sdk::{Client, ErrorKind, Service};
use tokio::net::{TcpStream, lookup_host};
use url::{Host, Url};

use super::finding::Finding;
use crate::error::{Exit, Failure};

const PROXIED: &str = "a proxy does that";
const NETWORK: &str = "check the region, the endpoint, the network and its firewall";

/// What is between here and one address.
pub(super) struct Looked {
    pub(super) findings: Vec<Finding>,
    pub(super) is_reached: bool,
    /// In seconds.
    pub(super) clock_ahead: Option<i64>,
}

/// The address of an endpoint.
pub(super) fn address(text: &str) -> Option<Url> {
    text.parse().ok()
}

/// Whether both are the same program on the same machine.
pub(super) fn is_same(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

/// Looks step by step, until one fails.
pub(super) async fn look(client: &Client, service: Service, url: &Url, is_proxied: bool, limit: Duration) -> Looked {
    let mut looked = Looked { findings: Vec::new(), is_reached: false, clock_ahead: None };
    let check = |step: &str| format!("{service} {step}");
    let skipped = |steps: &[&str], reason: &str| -> Vec<Finding> {
        steps.iter().map(|step| Finding::skipped(check(step), reason)).collect()
    };
    if is_proxied {
        looked.findings = skipped(&["dns", "tcp"], PROXIED);
    } else {
        match connected(url, limit).await {
            Ok((names, connection)) => {
                looked.findings.push(Finding::ok(check("dns"), names));
                looked.findings.push(Finding::ok(check("tcp"), connection));
            }
            Err(Unconnected::Name(failure)) => {
                looked.findings.push(Finding::failed(check("dns"), &failure));
                looked.findings.extend(skipped(&["tcp", "tls", "http"], "the name is not resolved"));
                return looked;
            }
            Err(Unconnected::Address(names, failure)) => {
                looked.findings.push(Finding::ok(check("dns"), names));
                looked.findings.push(Finding::failed(check("tcp"), &failure));
                looked.findings.extend(skipped(&["tls", "http"], "there is no connection"));
                return looked;
            }
        }
    }
    let is_tls = url.scheme() == "https";
    match client.probe(service).await {
        Ok(probe) => {
            looked.findings.push(match is_tls {
                true => Finding::ok(check("tls"), "the certificate is trusted"),
                false => unencrypted(check("tls"), url),
            });
            looked.findings.push(Finding::ok(check("http"), format!("answered with {}", probe.status)));
            looked.is_reached = true;
            looked.clock_ahead = probe.clock_ahead.map(|ahead| ahead.num_seconds());
        }
        // After the connection and before the first byte of HTTP; `Configuration` is that no authorities are known.
        Err(error) if is_tls && matches!(error.kind(), ErrorKind::Connection | ErrorKind::Configuration) => {
            looked.findings.push(Finding::failed(check("tls"), &Failure::of(&error)));
            looked.findings.extend(skipped(&["http"], "there is no connection that can be trusted"));
        }
        Err(error) => {
            looked.findings.extend(match is_tls {
                true => skipped(&["tls"], "it is not known how far it came"),
                false => vec![unencrypted(check("tls"), url)],
            });
            looked.findings.push(Finding::failed(check("http"), &Failure::of(&error)));
        }
    }
    looked
}

/// Why there is no connection.
enum Unconnected {
    Name(Failure),
    /// What the name stands for, and what came of it.
    Address(String, Failure),
}

/// The addresses of a name, and a connection to one of them, both in words.
async fn connected(url: &Url, limit: Duration) -> Result<(String, String), Unconnected> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or_default();
    let unanswered =
        |what: String, why: String| Failure::new(Exit::NoAnswer, "no_answer", what).cause(why).hint(NETWORK);
    let addresses = within(limit, async { lookup_host((host, port)).await.map(Vec::from_iter) }).await;
    let addresses =
        addresses.map_err(|why| Unconnected::Name(unanswered(format!("the name {host} cannot be resolved"), why)))?;
    let mut shown: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
    shown.dedup();
    let names = match url.host() {
        Some(Host::Domain(_)) => format!("{host} is {}", shown.join(", ")),
        _ => format!("{host} is an address"),
    };
    match within(limit, TcpStream::connect(addresses.as_slice())).await {
        Ok(stream) => {
            let peer = stream.peer_addr().map_or_else(|_| format!("port {port}"), |peer| peer.to_string());
            Ok((names, format!("connected to {peer}")))
        }
        Err(why) => {
            let what = format!("no connection to {host}, port {port}");
            Err(Unconnected::Address(names, unanswered(what, why)))
        }
    }
}

/// What comes of something within its time, or why it does not.
async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err(format!("nothing came within {limit:?}")),
    }
}

/// Plain HTTP, which is for this machine only.
fn unencrypted(check: String, url: &Url) -> Finding {
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match is_loopback {
        true => Finding::ok(check, "not used, and not needed on this machine"),
        false => Finding::warning(check, "not used: everybody on the way can read what is sent", "use https://"),
    }
}
