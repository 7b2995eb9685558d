//! Systems that run jobs and show their logs: having them hide values.

use std::env;

use csms_sdk::SecretBytes;

use crate::{
    error::{Failure, Reporter},
    redactor::SHORTEST,
};

/// Says on stderr what has the CI system hide these values, line by line, ahead of anything else; or in lines of their own,
/// where somebody may have said a part of a line already. Each value comes with what it is called.
///
/// GitHub, Gitea and Azure Pipelines read commands from both streams, and stdout may be on its way to somewhere else. Others
/// have none: that is said.
pub(crate) fn mask<'a>(
    values: impl Iterator<Item = (&'a str, &'a [u8])>,
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
        reporter.command("", b"")?;
    }
    for (name, value) in values {
        let lines = value.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        // What is shorter would hide everything.
        let mut lines = lines.filter(|line| line.trim_ascii().len() >= SHORTEST).peekable();
        if lines.peek().is_none() && !value.trim_ascii().is_empty() {
            reporter.warn(&format!("{name} is not hidden: its value is too short to be told from other text"));
        }
        lines.try_for_each(|line| reporter.command(prefix, escaped(line, percent).expose_secret()))?;
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
