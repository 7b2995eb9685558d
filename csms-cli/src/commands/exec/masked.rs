//! A command whose output is read, and values in it hidden, before anybody sees it.

use std::{
    io::{self, Read},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{sync::mpsc, time::timeout};

use crate::{
    connection,
    error::{Exit, Failure, Reporter},
    exec::Running,
    output::{self, Stream},
    redactor::{self, Patterns},
};

/// How long to wait for output after the command has ended: what it has left running may keep it open for ever.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked whether that wait is for the command's output, or for whoever reads ours.
const LOOK: Duration = Duration::from_millis(50);

/// Runs a command to its end. Where we write to a terminal the command does so as well, to one that is read here. Output that
/// is lost is told, as a failure where the command has none of its own.
pub(super) fn run(mut command: Command, patterns: Patterns, reporter: &Reporter) -> Result<u8, Failure> {
    let patterns = Arc::new(patterns);
    // Of output that is lost. Its end is that of all readers.
    let (losses, mut all_losses) = mpsc::unbounded_channel();
    let writes = Arc::new(AtomicUsize::new(0));
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
    let mut lost = None;
    let code = connection::runtime()?.block_on(async {
        let running = Running::start(&mut command)?;
        // It holds the other ends, without which there would be no end of the output.
        drop(command);
        for (reader, stream) in readers {
            let (patterns, writes, losses) = (Arc::clone(&patterns), Arc::clone(&writes), losses.clone());
            thread::spawn(move || {
                let copied = redactor::copy(reader, &patterns, |bytes| {
                    writes.fetch_add(1, Ordering::SeqCst);
                    let written = stream.write(bytes);
                    writes.fetch_sub(1, Ordering::SeqCst);
                    written
                });
                match copied {
                    // Nobody is told who does not read.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                    // Nobody may wait for it any more.
                    Err(error) => drop(losses.send(error)),
                    // A terminal that everybody has left cannot be read.
                    Ok(_) => {}
                }
            });
        }
        #[cfg(unix)]
        if let Some(terminal) = terminal {
            terminal.follow(running.process())?;
        }
        drop(losses);
        running.end_and(printed(&mut all_losses, &writes, &mut lost)).await
    })?;
    match lost.map(|error| output::unprintable(&error)) {
        Some(failure) if code == 0 => Err(failure),
        Some(failure) => {
            reporter.warn(&failure.summary());
            Ok(code)
        }
        None => Ok(code),
    }
}

/// Waits until all output is printed, or none has come for too long. However slow its reader is, all of it is printed.
async fn printed(losses: &mut mpsc::UnboundedReceiver<io::Error>, writes: &AtomicUsize, lost: &mut Option<io::Error>) {
    let mut left = PATIENCE;
    while !left.is_zero() {
        match timeout(LOOK, losses.recv()).await {
            Ok(Some(error)) => *lost = Some(error),
            Ok(None) => return,
            Err(_) if writes.load(Ordering::SeqCst) == 0 => left = left.saturating_sub(LOOK),
            Err(_) => {}
        }
    }
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
        process::{Pid, Signal, kill_process},
        pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
        termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize},
    };

    use super::unreadable;
    use crate::{error::Failure, output::Stream};

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
        pub(super) fn follow(self, command: Pid) -> Result<(), Failure> {
            use tokio::signal::unix::{SignalKind, signal};
            let mut changes = signal(SignalKind::window_change()).map_err(|error| unreadable(&error))?;
            tokio::spawn(async move {
                while changes.recv().await.is_some() {
                    let changed = tcgetwinsize(&self.like).and_then(|size| tcsetwinsize(&self.ours, size));
                    // The command was told before its terminal had changed.
                    if changed.is_ok() {
                        let _ = kill_process(command, Signal::WINCH);
                    }
                }
            });
            Ok(())
        }
    }
}
