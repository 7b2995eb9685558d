//! `csms completion`: the script that has a shell complete command lines.

use std::process::ExitCode;

use clap::{Arg, Command};

use crate::{complete, error::Failure, needs::Needs, output, session::Session, verb::Own};

/// `csms completion`.
pub(crate) const COMPLETION: Own = Own {
    name: "completion",
    about: "Prints the script that has a shell complete command lines",
    grammar,
    run,
    calls: |_| Ok(Needs::none()),
};

fn grammar(command: Command) -> Command {
    let shell = Arg::new("shell").value_name("SHELL").required(true).value_parser(complete::SHELLS);
    command.arg(shell.help("The shell")).after_help(
        "bash, in ~/.bashrc:        source <(csms completion bash)\n\
         zsh, in ~/.zshrc:          source <(csms completion zsh)\n\
         fish, in config.fish:      csms completion fish | source\n\
         PowerShell, in $PROFILE:   csms completion powershell | Out-String | Invoke-Expression\n\n\
         The script asks csms itself. Names of secrets and keys, never values, are fetched where that takes no longer \
         than a second, and kept for five minutes in the directory csms below XDG_CACHE_HOME.",
    )
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    output::print(&complete::script(session.text("shell").unwrap_or_default()))?;
    Ok(ExitCode::SUCCESS)
}
