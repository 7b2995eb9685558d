//! A command whose output is read, and values in it hidden, before anybody sees it.

use std::{
    io::{self, Read},
    process::Command,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use crate::{
    connection,
    error::{Exit, Failure},
    exec,
    output::Stream,
    redactor::{self, Patterns},
};

/// How long to wait for output after the command has ended: what it has left running may keep it open for ever.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs a command to its end. Where we write to a terminal the command does so as well, to one that is read here.
pub(super) fn run(mut command: Command, patterns: Patterns) -> Result<u8, Failure> {
    let patterns = Arc::new(patterns);
    let (ended, all_ended) = mpsc::channel();
    let mut readers: Vec<(Box<dyn Read + Send>, Stream)> = Vec::new();
    #[cfg(unix)]
    let terminal = terminal::of(&mut command, &mut readers).map_err(|error| unreadable(&error))?;
    for stream in [Stream::Stdout, Stream::Stderr] {
        if readers.iter().any(|(_, other)| *other == stream) || (cfg!(unix) && stream.is_terminal()) {
            continue;
        }
        let (reader, writer) = io::pipe().map_err(|error| unreadable(&error))?;
        match stream {
            Stream::Stdout => command.stdout(writer),
            Stream::Stderr => command.stderr(writer),
        };
        readers.push((Box::new(reader), stream));
    }
    let code = connection::runtime()?.block_on(async {
        let (child, signals) = exec::spawn(&mut command)?;
        // It holds the other ends, without which there would be no end of the output.
        drop(command);
        for (reader, stream) in readers {
            let (patterns, ended) = (Arc::clone(&patterns), ended.clone());
            thread::spawn(move || {
                // A terminal that everybody has left answers with an error; nobody is told who does not read.
                let _ = redactor::copy(reader, &patterns, |bytes| stream.write(bytes));
                drop(ended);
            });
        }
        #[cfg(unix)]
        if let Some(terminal) = terminal {
            terminal.follow(child.id())?;
        }
        exec::supervise(child, signals).await
    })?;
    drop(ended);
    // Nothing is ever sent: this waits for all senders to go.
    let _: Result<(), _> = all_ended.recv_timeout(PATIENCE);
    Ok(code)
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(Exit::NotStarted, "mask", "--mask: the command's output cannot be read")
        .cause(error.to_string())
        .hint("without --mask it is not read")
}

#[cfg(unix)]
mod terminal {
    use std::{
        fs::File,
        io::{self, Read},
        os::fd::OwnedFd,
        process::Command,
    };

    use rustix::{
        process::{Signal, kill_process},
        pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
        termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize},
    };

    use super::unreadable;
    use crate::{error::Failure, exec, output::Stream};

    /// A terminal for what a command prints. Keys, and what they mean, stay with the one that it is started from.
    pub(super) struct Terminal {
        ours: File,
        like: OwnedFd,
    }

    /// Gives a command a terminal in place of each stream that is one; none where none is.
    pub(super) fn of(
        command: &mut Command,
        readers: &mut Vec<(Box<dyn Read + Send>, Stream)>,
    ) -> io::Result<Option<Terminal>> {
        let streams: Vec<_> = [Stream::Stdout, Stream::Stderr].into_iter().filter(|it| it.is_terminal()).collect();
        let Some(first) = streams.first() else { return Ok(None) };
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name = ptsname(&ours, Vec::new())?;
        let theirs = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let flags = rustix::fs::OFlags::from_bits_retain(theirs.bits()) | rustix::fs::OFlags::CLOEXEC;
        let theirs = rustix::fs::open(name, flags, rustix::fs::Mode::empty())?;
        // What is read here goes to a terminal, which does its own part.
        let mut modes = tcgetattr(&theirs)?;
        modes.make_raw();
        tcsetattr(&theirs, OptionalActions::Now, &modes)?;
        let like = first.duplicate()?;
        tcsetwinsize(&ours, tcgetwinsize(&like)?)?;
        for stream in &streams {
            match stream {
                Stream::Stdout => command.stdout(theirs.try_clone()?),
                Stream::Stderr => command.stderr(theirs.try_clone()?),
            };
        }
        let ours = File::from(ours);
        readers.push((Box::new(ours.try_clone()?), *first));
        Ok(Some(Terminal { ours, like }))
    }

    impl Terminal {
        /// Keeps it as large as the one that it stands for.
        pub(super) fn follow(self, child: u32) -> Result<(), Failure> {
            use tokio::signal::unix::{SignalKind, signal};
            let mut changes = signal(SignalKind::window_change()).map_err(|error| unreadable(&error))?;
            let child = exec::process(child);
            tokio::spawn(async move {
                while changes.recv().await.is_some() {
                    let changed = tcgetwinsize(&self.like).and_then(|size| tcsetwinsize(&self.ours, size));
                    // The command was told before its terminal had changed.
                    if let (Ok(()), Some(child)) = (changed, child) {
                        let _ = kill_process(child, Signal::WINCH);
                    }
                }
            });
            Ok(())
        }
    }
}
