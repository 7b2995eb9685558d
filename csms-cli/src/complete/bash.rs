//! Bash, which breaks words where names of ours do not end: at `@`, `:` and `=`.

use std::{ffi::OsString, io, path::Path};

use clap::Command;
use clap_complete::{engine, env::EnvCompleter};

/// The script and the protocol of bash, from 3.2 on.
pub(super) struct Bash;

/// Words between which there is no blank are one again; of the candidates, bash wants what follows its own last break.
const SCRIPT: &str = r#"_BIN() {
    local rest=${COMP_LINE:0:COMP_POINT} words=() word blank i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blank=${rest%%[![:space:]]*}
        rest=${rest#"$blank"}
        word=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then word=$rest; fi
        rest=${rest#"$word"}
        if [[ -n $blank ]] || ((i == 0)); then words+=("$word"); else words[${#words[@]}-1]+=$word; fi
    done
    word=${words[${#words[@]}-1]}
    local broken=$2 IFS=$'\n'
    if [[ $COMP_WORDBREAKS == *"$broken"* ]]; then broken=; fi
    local before=${word%"$broken"}
    COMPREPLY=($(VARIABLE=bash COMPLETER -- "${words[@]}" 2>/dev/null))
    if [[ -n $broken || $before == *[@:=] ]]; then COMPREPLY=("${COMPREPLY[@]#"$before"}"); fi
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/:@] ]]; then compopt -o nospace 2>/dev/null; fi
}
if [[ ${BASH_VERSINFO[0]} -gt 4 || ${BASH_VERSINFO[0]} -eq 4 && ${BASH_VERSINFO[1]} -ge 4 ]]; then
    complete -o bashdefault -o nosort -F _BIN BIN
else
    complete -o bashdefault -F _BIN BIN
fi
"#;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        variable: &str,
        _: &str,
        bin: &str,
        completer: &str,
        script: &mut dyn io::Write,
    ) -> io::Result<()> {
        let text = SCRIPT.replace("VARIABLE", variable).replace("COMPLETER", completer).replace("BIN", bin);
        script.write_all(text.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        here: Option<&Path>,
        candidates: &mut dyn io::Write,
    ) -> io::Result<()> {
        let last = words.len() - 1;
        for candidate in engine::complete(command, words, last, here)? {
            writeln!(candidates, "{}", candidate.get_value().to_string_lossy())?;
        }
        Ok(())
    }
}
