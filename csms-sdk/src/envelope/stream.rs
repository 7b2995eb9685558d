//! The chunks of one file, from a reader into a writer.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{
    EnvelopeError, FileKeys, Progress,
    chunk::{Chunks, TAG},
};
use crate::SecretBytes;

/// How much is copied at once.
const COPIED: usize = 256 << 10;

/// Seals everything up to the end, behind the header.
pub(super) async fn encrypt(
    header: &[u8],
    chunk_size: usize,
    keys: &FileKeys,
    reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
    progress: &Progress,
) -> Result<u64, EnvelopeError> {
    write(&mut writer, header).await?;
    let mut chunks = Chunks::new(keys);
    let seal = |chunk: &mut Vec<u8>, is_last: bool| {
        let length = chunk.len();
        chunks.seal(chunk, is_last)?;
        Ok(length)
    };
    each_chunk(chunk_size, reader, writer, progress, seal).await
}

/// Opens everything up to the end, and writes each chunk once it has been verified.
pub(super) async fn decrypt(
    chunk_size: usize,
    keys: &FileKeys,
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin,
    progress: &Progress,
) -> Result<u64, EnvelopeError> {
    let mut chunks = Chunks::new(keys);
    let open = |chunk: &mut Vec<u8>, is_last: bool| {
        chunks.open(chunk, is_last)?;
        Ok(chunk.len())
    };
    each_chunk(chunk_size + TAG, reader, writer, progress, open).await
}

/// Cuts what the reader gives into pieces of `size` and writes what `work` makes of them; `work` tells how many bytes of
/// plaintext a piece has.
///
/// A piece is the last one when nothing follows it, so one is read ahead.
async fn each_chunk(
    size: usize,
    mut reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
    progress: &Progress,
    mut work: impl FnMut(&mut Vec<u8>, bool) -> Result<usize, EnvelopeError>,
) -> Result<u64, EnvelopeError> {
    // Room for a tag as well, so that they never grow and leave a copy behind.
    let (mut chunk, mut next) = (SecretBytes::with_capacity(size + TAG), SecretBytes::with_capacity(size + TAG));
    let mut total = 0;
    read(&mut reader, chunk.as_mut_vec(), size).await?;
    loop {
        // Nothing can follow a piece that is not full.
        next.as_mut_vec().clear();
        if chunk.expose_secret().len() == size {
            read(&mut reader, next.as_mut_vec(), size).await?;
        }
        let is_last = next.expose_secret().is_empty();
        total += work(chunk.as_mut_vec(), is_last)? as u64;
        write(&mut writer, chunk.expose_secret()).await?;
        progress.tell(total);
        if is_last {
            writer.flush().await.map_err(EnvelopeError::writing)?;
            return Ok(total);
        }
        std::mem::swap(&mut chunk, &mut next);
        tokio::task::coop::consume_budget().await;
    }
}

/// Copies everything up to the end, as it is.
pub(super) async fn copy(
    mut reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
    progress: &Progress,
) -> Result<u64, EnvelopeError> {
    let mut buffer = Vec::with_capacity(COPIED);
    let mut total = 0;
    loop {
        read(&mut reader, &mut buffer, COPIED).await?;
        if buffer.is_empty() {
            writer.flush().await.map_err(EnvelopeError::writing)?;
            return Ok(total);
        }
        write(&mut writer, &buffer).await?;
        total += buffer.len() as u64;
        progress.tell(total);
        buffer.clear();
    }
}

/// Reads until the buffer holds `size` bytes; fewer only at the end.
pub(super) async fn read(
    reader: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    size: usize,
) -> Result<(), EnvelopeError> {
    while buffer.len() < size {
        let mut rest = (&mut *reader).take((size - buffer.len()) as u64);
        match rest.read_buf(buffer).await {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(EnvelopeError::reading(error)),
        }
    }
    Ok(())
}

pub(super) async fn write(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), EnvelopeError> {
    writer.write_all(bytes).await.map_err(EnvelopeError::writing)
}
