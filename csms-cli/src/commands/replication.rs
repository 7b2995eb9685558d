//! Copies in other regions, of secrets and of keys: what their verbs share.

use std::process::ExitCode;

use clap::{Arg, ArgAction};
use csms_sdk::{
    replicate::{Replicated, Replication, ReplicationStatus, StatusType, Step},
    wait::Wait,
};
use serde_json::json;

use crate::{
    commands::report::{Progress, Report},
    error::Failure,
    session::Session,
    settings,
};

/// The flag that names regions.
pub(super) fn regions(flag: &'static str, help: &'static str) -> Arg {
    let regions = Arg::new(flag).long(flag).value_name("REGIONS").required(true).value_delimiter(',');
    regions.action(ArgAction::Append).help(help)
}

/// The flag that has the verb wait.
pub(super) fn wait() -> Arg {
    let wait = Arg::new("wait").long("wait").value_name("TIME").num_args(0..=1).require_equals(true);
    wait.default_missing_value("5m").help("Wait until it is done everywhere, at most so long; --wait alone: 5m")
}

/// Says what is done as it is done.
pub(super) async fn follow(session: &Session<'_>, mut replication: Replication) -> Result<Replicated, csms_sdk::Error> {
    let mut progress = Progress::new(session.reporter);
    while let Some(event) = replication.next().await {
        let step = match event.step {
            Step::Started => "started".to_owned(),
            Step::Removed => "removed what was there".to_owned(),
            Step::Created => "created".to_owned(),
            // The end is told by itself.
            Step::Seen(StatusType::InSync | StatusType::Failed) => continue,
            Step::Seen(status) => status.to_string(),
            Step::Ended(status) => status.status.to_string(),
            Step::Absent => "no replica is left".to_owned(),
            _ => continue,
        };
        progress.tell(&event.region, &step);
    }
    replication.finish().await
}

/// What became of each region.
pub(super) fn report(replicated: &Replicated) -> Report {
    let mut report = Report::new("REGION", "region");
    replicated.replication_status.iter().for_each(|status| add_status(&mut report, status));
    report
}

pub(super) fn add_status(report: &mut Report, status: &ReplicationStatus) {
    let message = status.status_message.clone().unwrap_or_default();
    match (&status.status, &status.error) {
        (StatusType::Failed, Some(error)) => {
            report.add_failed_as(&status.region, "Failed", message, Failure::of(error))
        }
        (kind, _) => report.add(&status.region, kind.to_string(), message),
    }
}

/// How long `--wait` says to wait.
pub(super) fn deadline(session: &Session<'_>) -> Result<Option<Wait>, Failure> {
    let time = session.text("wait").map(|time| settings::duration("--wait", time)).transpose()?;
    Ok(time.map(|time| Wait::new().deadline(time)))
}

/// What a dry run says.
pub(super) fn would(
    session: &Session<'_>,
    member: &str,
    name: &str,
    what: &str,
    where_: &str,
    regions: &[&str],
) -> Result<ExitCode, Failure> {
    let text = format!("would {what} {name} {where_} {}", regions.join(", "));
    session.output.done(session.reporter, &text, &json!({member: name, "regions": regions, "dry_run": true}))?;
    Ok(ExitCode::SUCCESS)
}
