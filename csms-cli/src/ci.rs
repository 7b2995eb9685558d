//! Systems that run jobs and show their logs: having them hide values.

use std::env;

use crate::{
    error::{Failure, Reporter},
    output,
};

/// Prints the commands that have the CI system hide these values, line by line, ahead of anything else.
///
/// GitHub, Gitea and Azure Pipelines take them on stdout. Others have none: that is said, and nothing is printed.
pub(crate) fn mask<'a>(values: impl Iterator<Item = &'a [u8]>, reporter: &Reporter) -> Result<(), Failure> {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let prefix = if is_set("GITHUB_ACTIONS") || is_set("GITEA_ACTIONS") {
        "::add-mask::"
    } else if is_set("TF_BUILD") {
        "##vso[task.setsecret]"
    } else {
        reporter.warn("--ci-mask: this is no CI system that can be told to hide values");
        return Ok(());
    };
    for line in values.flat_map(|value| value.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // What has nothing to hide would hide everything.
        if !line.trim_ascii().is_empty() {
            output::line(prefix, line)?;
        }
    }
    Ok(())
}
