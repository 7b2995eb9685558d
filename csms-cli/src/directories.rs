//! Directories of this program for its user, where the system has programs keep such things.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// A place for one kind of files.
pub(crate) struct Directory {
    variable: &'static str,
    below_home: &'static str,
    windows: &'static str,
}

/// What only the user could make again, if anybody.
pub(crate) const DATA: Directory =
    Directory { variable: "XDG_DATA_HOME", below_home: ".local/share", windows: "LOCALAPPDATA" };
/// What would be missed, but not be taken along to another machine.
pub(crate) const STATE: Directory =
    Directory { variable: "XDG_STATE_HOME", below_home: ".local/state", windows: "LOCALAPPDATA" };
/// What the user has written or set.
pub(crate) const CONFIG: Directory =
    Directory { variable: "XDG_CONFIG_HOME", below_home: ".config", windows: "APPDATA" };
/// What can be fetched again.
pub(crate) const CACHE: Directory =
    Directory { variable: "XDG_CACHE_HOME", below_home: ".cache", windows: "LOCALAPPDATA" };

impl Directory {
    /// Where it is, whether or not it is there; `None` where no variable says it.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        // The specification has relative paths ignored.
        let path = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let windows = || if cfg!(windows) { path(self.windows) } else { None };
        let home = path(self.variable).or_else(windows).or_else(|| Some(path("HOME")?.join(self.below_home)));
        Some(home?.join("csms"))
    }
}

/// Makes a directory, and those above it, for its user alone. One that is there stays as it is.
pub(crate) fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
