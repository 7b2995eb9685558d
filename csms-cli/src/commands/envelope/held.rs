//! What must not be seen before all of it is there: in memory as far as it is small, else in a file without a name.

use std::{
    fs,
    io::{self, Seek as _, Write as _},
    pin::Pin,
    task::{Context, Poll},
};

use csms_sdk::SecretBytes;
use tokio::{fs::File, io::AsyncWrite};

/// Bytes that are held in memory.
const SMALL: usize = 16 << 20;

/// Takes a stream. Nobody else can open what it holds, and it is gone with this process.
#[derive(Default)]
pub(super) struct Held {
    memory: SecretBytes,
    /// Once it is more than [`SMALL`]: all of it, in TMPDIR.
    file: Option<File>,
}

/// All of a stream.
pub(super) enum Content {
    Memory(SecretBytes),
    /// To be read from its beginning.
    File(fs::File),
}

impl Held {
    /// What it was given, once that is all.
    pub(super) async fn content(self) -> io::Result<Content> {
        let Some(file) = self.file else { return Ok(Content::Memory(self.memory)) };
        let mut file = file.into_std().await;
        file.rewind()?;
        Ok(Content::File(file))
    }

    fn spill(&mut self) -> io::Result<File> {
        let mut file = tempfile::tempfile()?;
        file.write_all(self.memory.expose_secret())?;
        self.memory = SecretBytes::default();
        Ok(File::from_std(file))
    }
}

impl AsyncWrite for Held {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None if self.memory.expose_secret().len() + bytes.len() <= SMALL => {
                self.memory.extend_from_slice(bytes);
                return Poll::Ready(Ok(bytes.len()));
            }
            None => self.spill()?,
        };
        let written = Pin::new(&mut file).poll_write(context, bytes);
        self.file = Some(file);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.file {
            Some(file) => Pin::new(file).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use std::io::Read as _;

    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::connection::runtime;

    #[test]
    fn only_what_has_no_room_in_memory_is_on_the_disk() {
        let held = |pieces: &[usize]| {
            runtime().unwrap().block_on(async {
                let mut held = Held::default();
                for length in pieces {
                    held.write_all(&vec![b'x'; *length]).await.unwrap();
                }
                held.flush().await.unwrap();
                held.content().await.unwrap()
            })
        };
        let in_memory = |content: &Content| matches!(content, Content::Memory(_));
        assert!(in_memory(&held(&[])) && in_memory(&held(&[9])) && in_memory(&held(&[SMALL - 1, 1])));
        let Content::File(mut file) = held(&[SMALL - 1, 2, 3]) else { panic!("it has no room in memory") };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert!(bytes.len() == SMALL + 4 && bytes.iter().all(|byte| *byte == b'x'));
    }
}
