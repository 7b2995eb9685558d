//! `csms completion`: the script that has a shell complete command lines.

use clap::{Arg, ArgMatches, Command};

use crate::{complete, error::Failure, output};

/// The grammar of `completion`.
pub(crate) fn command() -> Command {
    let shell = Arg::new("shell").value_name("SHELL").required(true).value_parser(complete::SHELLS);
    Command::new("completion")
        .about("Prints the script that has a shell complete command lines")
        .arg(shell.help("The shell"))
        .after_help(
            "bash, in ~/.bashrc:        source <(csms completion bash)\n\
         zsh, in ~/.zshrc:          source <(csms completion zsh)\n\
         fish, in config.fish:      csms completion fish | source\n\
         PowerShell, in $PROFILE:   csms completion powershell | Out-String | Invoke-Expression\n\n\
         The script asks csms itself. Names of secrets and keys, never values, are fetched where that takes no longer \
         than a second, and kept for five minutes in the directory csms below XDG_CACHE_HOME.",
        )
}

/// Runs `completion`, without a look at the settings: it runs in every new shell.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let shell = matches.get_one::<String>("shell").map_or("", String::as_str);
    output::print(&complete::script(shell))
}
