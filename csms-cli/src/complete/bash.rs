//! Bash, which breaks words where names of ours do not end: at `@`, `:` and `=`.

use std::{ffi::OsString, io, path::Path};

use clap::Command;
use clap_complete::{engine, env::EnvCompleter};

/// The script and the protocol of bash, from 3.2 on.
pub(super) struct Bash;

/// Words between which there is no blank are one again, without their quotes; of the candidates, bash wants what follows
/// its own last break, quoted as the word is from there on. What bash puts on the line is run when somebody presses Enter, and
/// names are chosen by others: nothing is split, globbed or evaluated here.
const SCRIPT: &str = r#"_BIN_plain() {
    local rest=$1 char
    plain= open=
    while [[ -n $rest ]]; do
        char=${rest:0:1} rest=${rest:1}
        if [[ -n $open && $char == "$open" ]]; then
            open=
        elif [[ -z $open && $char == [\'\"] ]]; then
            open=$char
        elif [[ $char == \\ && $open != \' && ( -z $open || -z $rest || $rest == [\"\\\$\`]* ) ]]; then
            plain+=${rest:0:1} rest=${rest:1}
        else
            plain+=$char
        fi
    done
}
_BIN_quoted() {
    local rest=$1 char
    quoted=
    if [[ -z $open ]]; then
        if [[ $rest == \~* || $rest == *[!A-Za-z0-9_.,:/@=+%~-]* ]]; then printf -v quoted %q "$rest"; else quoted=$rest; fi
        return
    fi
    while [[ -n $rest ]]; do
        char=${rest:0:1} rest=${rest:1}
        case $open$char in
            "''") quoted+="'\\''" ;;
            \"[\"\\\$\`]) quoted+=\\$char ;;
            \"!) quoted+='"\!"' ;;
            *) quoted+=$char ;;
        esac
    done
    # Bash closes the quote unless it seems to be closed.
    if [[ $quoted == *"$open" ]]; then quoted+=$open; fi
}
_BIN() {
    local rest=${COMP_LINE:0:COMP_POINT} words=() word blank i plain open quoted candidate last end=0
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blank=${rest%%[![:space:]]*}
        rest=${rest#"$blank"}
        word=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then word=$rest; fi
        rest=${rest#"$word"}
        if [[ -n $blank ]] || ((i == 0)); then words+=("$word"); else words[${#words[@]}-1]+=$word; fi
        if ((end == 0)) && [[ -n $blank && $word == -- && i -lt COMP_CWORD ]]; then end=$i; fi
    done
    # The command behind `--` has a completion of its own.
    if ((end > 0)) && [[ " ${COMP_WORDS[*]:0:end} " == *' exec '* || " ${COMP_WORDS[*]:0:end} " == *' emulate '* ]] &&
        declare -F _command_offset >/dev/null; then
        _command_offset $((end + 1))
        return
    fi
    word=${words[${#words[@]}-1]}
    local broken=$2
    if [[ $COMP_WORDBREAKS == *"$broken"* ]]; then broken=; fi
    for ((i = 0; i < ${#words[@]}; i++)); do
        _BIN_plain "${words[i]}"
        words[i]=$plain
    done
    _BIN_plain "${word%"$broken"}"
    COMPREPLY=()
    while IFS= read -r candidate; do
        last=$candidate
        if [[ -n $broken || $plain == *[@:=] ]]; then candidate=${candidate#"$plain"}; fi
        _BIN_quoted "$candidate"
        COMPREPLY+=("$quoted")
    done < <(VARIABLE=bash COMPLETER -- "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && $last == *[=/:@] ]]; then compopt -o nospace 2>/dev/null; fi
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
            let candidate = candidate.get_value().to_string_lossy();
            // In lines there is no way to write it.
            if !candidate.contains('\n') {
                writeln!(candidates, "{candidate}")?;
            }
        }
        Ok(())
    }
}
