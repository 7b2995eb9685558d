//! Files with values in them that only the command and what it starts can open.

use std::{
    ffi::OsString,
    io::{self, Write as _},
};

use csms_sdk::SecretBytes;

/// A file in memory, which is gone with the last process that has it open.
#[cfg(target_os = "linux")]
pub(super) struct MemoryFile(std::fs::File);

#[cfg(target_os = "linux")]
impl MemoryFile {
    /// Whether the command still has it when this process is no more.
    pub(super) const OUTLIVES_US: bool = true;

    pub(super) fn with(value: &SecretBytes) -> io::Result<Self> {
        use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

        // Without CLOEXEC: the command inherits it.
        let mut file = std::fs::File::from(memfd_create("csms", MemfdFlags::ALLOW_SEALING)?);
        file.write_all(value.expose_secret())?;
        file.set_permissions(Permissions::from_mode(0o400))?;
        fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
        Ok(Self(file))
    }

    /// The path by which every process that has inherited the file opens it, from its beginning.
    pub(super) fn path(&self) -> OsString {
        use std::os::fd::AsRawFd as _;
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }
}

/// A file that only its owner can read, removed when this is dropped.
#[cfg(not(target_os = "linux"))]
pub(super) struct MemoryFile(tempfile::NamedTempFile);

#[cfg(not(target_os = "linux"))]
impl MemoryFile {
    /// Whether the command still has it when this process is no more.
    pub(super) const OUTLIVES_US: bool = false;

    pub(super) fn with(value: &SecretBytes) -> io::Result<Self> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(value.expose_secret())?;
        file.flush()?;
        Ok(Self(file))
    }

    pub(super) fn path(&self) -> OsString {
        self.0.path().into()
    }
}
