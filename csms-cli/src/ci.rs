//! Systems that run jobs and show their logs: having them hide values.

use std::env;

use csms_sdk::SecretBytes;

use crate::{
    error::{Failure, Reporter},
    output,
};

/// Prints the commands that have the CI system hide these values, line by line, ahead of anything else; or in lines of their
/// own, where somebody may have printed a part of a line already.
///
/// GitHub, Gitea and Azure Pipelines take them on stdout. Others have none: that is said, and nothing is printed.
pub(crate) fn mask<'a>(
    values: impl Iterator<Item = &'a [u8]>,
    is_first: bool,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let (prefix, percent) = if is_set("GITHUB_ACTIONS") || is_set("GITEA_ACTIONS") {
        ("::add-mask::", "%25")
    } else if is_set("TF_BUILD") {
        // A job can say that its agent leaves this one as it is.
        let is_left = env::var("DECODE_PERCENTS").is_ok_and(|value| value.eq_ignore_ascii_case("false"));
        ("##vso[task.setsecret]", if is_left { "%" } else { "%AZP25" })
    } else {
        reporter.warn("--ci-mask: this is no CI system that can be told to hide values");
        return Ok(());
    };
    if !is_first {
        output::line("", b"")?;
    }
    for line in values.flat_map(|value| value.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // What has nothing to hide would hide everything.
        if !line.trim_ascii().is_empty() {
            output::line(prefix, escaped(line, percent).expose_secret())?;
        }
    }
    Ok(())
}

/// A line as the data of a command, from which the system reads the line back.
fn escaped(line: &[u8], percent: &str) -> SecretBytes {
    // The longest that it can become.
    let mut out = SecretBytes::with_capacity(percent.len().max(3) * line.len());
    for byte in line {
        match byte {
            b'%' => out.extend_from_slice(percent.as_bytes()),
            b'\r' => out.extend_from_slice(b"%0D"),
            byte => out.extend_from_slice(&[*byte]),
        }
    }
    out
}
