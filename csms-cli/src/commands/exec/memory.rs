//! Files with values in them that only the command and what it starts can open.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Seek as _, Write as _},
};

use csms_sdk::SecretBytes;

/// The files of a command, by the variables that hold their paths.
pub(super) struct Files {
    files: Vec<(String, MemoryFile)>,
    is_final: bool,
}

impl Files {
    /// Files that stay as they are.
    pub(super) fn fixed() -> Self {
        Self { files: Vec::new(), is_final: true }
    }

    /// Files that can be renewed while the command has them.
    #[cfg(unix)] // as `--watch` is
    pub(super) fn renewable() -> Self {
        Self { files: Vec::new(), is_final: false }
    }

    /// Whether they are gone with this process, which then has to outlive the command.
    pub(super) fn need_us(&self) -> bool {
        !self.files.is_empty() && !MemoryFile::OUTLIVES_US
    }

    /// The path of the file for a variable, which from now on has this value.
    pub(super) fn path(&mut self, name: &str, value: &SecretBytes) -> io::Result<OsString> {
        if let Some((_, file)) = self.files.iter_mut().find(|(other, _)| other == name) {
            file.renew(value)?;
            return Ok(file.path());
        }
        let file = MemoryFile::with(value, self.is_final)?;
        let path = file.path();
        self.files.push((name.to_owned(), file));
        Ok(path)
    }
}

/// A file in memory, which is gone with the last process that has it open.
#[cfg(target_os = "linux")]
struct MemoryFile(File);

#[cfg(target_os = "linux")]
impl MemoryFile {
    /// Whether the command still has it when this process is no more.
    const OUTLIVES_US: bool = true;

    /// A file with a value, which stays as it is where `is_final`.
    fn with(value: &SecretBytes, is_final: bool) -> io::Result<Self> {
        use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

        let mut file = File::from(memfd_create("csms", MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC)?);
        file.write_all(value.expose_secret())?;
        file.set_permissions(Permissions::from_mode(0o400))?;
        if is_final {
            fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
        }
        inherited(&file).map(Self)
    }

    /// Puts another value in the place of the one it has. Who reads just then may see a part of either.
    fn renew(&mut self, value: &SecretBytes) -> io::Result<()> {
        renew(&mut self.0, value)
    }

    /// The path by which every process that has inherited the file opens it, from its beginning.
    fn path(&self) -> OsString {
        use std::os::fd::AsRawFd as _;
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }
}

/// The file again, for the command to inherit, and out of the way of the numbers that scripts give their own files
/// (`exec 3>log`) as far as the limit of open files allows.
#[cfg(target_os = "linux")]
fn inherited(file: &File) -> io::Result<File> {
    use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
    let high = [100, 10].into_iter().find_map(|lowest| fcntl_dupfd_cloexec(file, lowest).ok());
    let file = match high {
        Some(high) => high,
        None => fcntl_dupfd_cloexec(file, 0)?,
    };
    fcntl_setfd(&file, FdFlags::empty())?;
    Ok(file.into())
}

/// A file that only its owner can read, removed when this is dropped.
#[cfg(not(target_os = "linux"))]
struct MemoryFile(tempfile::NamedTempFile);

#[cfg(not(target_os = "linux"))]
impl MemoryFile {
    /// Whether the command still has it when this process is no more.
    const OUTLIVES_US: bool = false;

    fn with(value: &SecretBytes, _: bool) -> io::Result<Self> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(value.expose_secret())?;
        file.flush()?;
        Ok(Self(file))
    }

    fn renew(&mut self, value: &SecretBytes) -> io::Result<()> {
        renew(self.0.as_file_mut(), value)
    }

    fn path(&self) -> OsString {
        self.0.path().into()
    }
}

fn renew(file: &mut File, value: &SecretBytes) -> io::Result<()> {
    file.rewind()?;
    file.write_all(value.expose_secret())?;
    file.set_len(u64::try_from(value.expose_secret().len()).unwrap_or(u64::MAX))
}
