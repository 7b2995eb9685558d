//! The program on a terminal: somebody types, and reads what is shown.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};
use tempfile::TempDir;

use crate::program::Program;

/// So long a test waits for what does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run of the program whose stdin, stdout and stderr are one terminal.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<(Mutex<Screen>, Condvar)>,
    /// Where it runs, if that is gone with it.
    _home: Option<TempDir>,
}

#[derive(Default)]
struct Screen {
    shown: String,
    is_closed: bool,
}

impl Terminal {
    /// Starts a call on a terminal of this width.
    pub(crate) fn open(program: Program, columns: u16) -> Self {
        let (command, home) = program.into_command();
        Self { _home: Some(home), ..Self::start(&command, columns) }
    }

    /// Starts a command on a terminal of this width.
    pub(crate) fn start(command: &Command, columns: u16) -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let path = ptsname(&keyboard, Vec::new()).unwrap().into_string().unwrap();
        let terminal = OpenOptions::new().read(true).write(true).open(path).unwrap();
        tcsetwinsize(&terminal, Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        // Passwords are read from the terminal that controls the session, which has to be made ours.
        let mut outer = Command::new("setsid");
        outer.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
        outer.env("PATH", std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin")));
        outer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        outer.current_dir(command.get_current_dir().unwrap());
        let stdio = || Stdio::from(terminal.try_clone().unwrap());
        let child = outer.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        drop(outer);
        let keyboard = File::from(keyboard);
        let screen = Arc::<(Mutex<Screen>, Condvar)>::default();
        let (mut output, seen) = (keyboard.try_clone().unwrap(), Arc::clone(&screen));
        thread::spawn(move || {
            let (mut buffer, mut shown) = ([0; 4096], Vec::new());
            // Linux answers an error when nobody has the terminal open any more.
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                // A character may come in two parts.
                shown.extend_from_slice(&buffer[..count]);
                seen.0.lock().unwrap().shown = String::from_utf8_lossy(&shown).into_owned();
                seen.1.notify_all();
            }
            seen.0.lock().unwrap().is_closed = true;
            seen.1.notify_all();
        });
        Self { child, keyboard, screen, _home: None }
    }

    /// Waits until this is shown.
    #[track_caller]
    pub(crate) fn waits_for(&self, text: &str) -> &Self {
        self.wait_until(text, |screen| screen.shown.contains(text));
        self
    }

    /// Types a line.
    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        self.keyboard.write_all(text.as_bytes()).unwrap();
        self.keyboard.write_all(b"\n").unwrap();
        self
    }

    /// Types a line once the terminal no longer shows what is typed.
    #[track_caller]
    pub(crate) fn types_unseen(&mut self, text: &str) -> &mut Self {
        let started = Instant::now();
        while tcgetattr(&self.keyboard).unwrap().local_modes.contains(LocalModes::ECHO) {
            assert!(started.elapsed() < PATIENCE, "what is typed would be shown: {}", self.shown());
            thread::sleep(Duration::from_millis(5));
        }
        self.types(text)
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupts(&mut self) -> &mut Self {
        self.keyboard.write_all(b"\x03").unwrap();
        self
    }

    /// Sends it a signal.
    pub(crate) fn is_sent(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// What has been shown so far.
    pub(crate) fn shown(&self) -> String {
        self.screen.0.lock().unwrap().shown.clone()
    }

    /// Waits for the end: the exit code, -1 for a signal, and all that was shown.
    #[track_caller]
    pub(crate) fn ends(mut self) -> (i32, String) {
        self.wait_until("the end", |screen| screen.is_closed);
        let status = self.child.wait().unwrap();
        (status.code().unwrap_or(-1), self.shown())
    }

    #[track_caller]
    fn wait_until(&self, what: &str, is_there: impl Fn(&Screen) -> bool) {
        let (screen, changed) = &*self.screen;
        let (screen, timeout) =
            changed.wait_timeout_while(screen.lock().unwrap(), PATIENCE, |screen| !is_there(screen)).unwrap();
        let is_there = is_there(&screen);
        let shown = screen.shown.clone();
        drop(screen);
        assert!(is_there, "{what} did not come in {PATIENCE:?} ({timeout:?}): {shown}");
    }
}
