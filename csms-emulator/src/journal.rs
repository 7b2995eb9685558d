//! Brings changes to the disk, several calls' at once.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use tokio::sync::watch;

use crate::{
    fault::Fault,
    store::{Change, Store},
    world::World,
};

/// The way to the store. Changes are noted in the order they are made, and written by one thread, which takes whatever
/// has come together while it was writing: one wait for the disk serves many calls.
pub(crate) struct Journal {
    /// Absent where nothing is kept.
    writer: Option<Writer>,
    /// How many batches of changes were noted.
    noted: AtomicU64,
}

struct Writer {
    desk: Arc<Desk>,
    /// How many are on the disk, or why there will be no more.
    written: watch::Receiver<Result<u64, String>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What waits to be written.
#[derive(Default)]
struct Desk {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    changes: Vec<Change>,
    /// The number of the last batch among them.
    last: u64,
    closed: bool,
}

impl Journal {
    /// Keeps nothing.
    pub(crate) fn none() -> Self {
        Self { writer: None, noted: AtomicU64::new(0) }
    }

    /// Writes to `store`, from a thread of its own.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn new(store: Store) -> std::io::Result<Self> {
        let desk = Arc::new(Desk::default());
        let (sender, written) = watch::channel(Ok(0));
        let thread = std::thread::Builder::new().name("csms-emulator-store".to_owned()).spawn({
            let desk = desk.clone();
            move || desk.write_all(&store, &sender)
        })?;
        Ok(Self { writer: Some(Writer { desk, written, thread: Mutex::new(Some(thread)) }), noted: AtomicU64::new(0) })
    }

    /// Notes what has changed in the world, while it is still held: so changes are written in the order they were made.
    pub(crate) fn note(&self, world: &mut World) {
        let Some(writer) = &self.writer else { return world.forget_changes() };
        let changes = world.take_changes();
        if changes.is_empty() {
            return;
        }
        let mut waiting = writer.desk.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.changes.extend(changes);
        waiting.last += 1;
        self.noted.store(waiting.last, Ordering::Release);
        writer.desk.changed.notify_one();
    }

    /// Writes what is left, and lets go of the file. Nothing is acknowledged from then on.
    pub(crate) fn close(&self) {
        if let Some(writer) = &self.writer {
            writer.close();
        }
    }

    /// Waits until everything noted so far is on the disk.
    ///
    /// # Errors
    /// When the disk refuses. Nothing is acknowledged from then on.
    pub(crate) async fn written(&self) -> Result<(), Fault> {
        let Some(writer) = &self.writer else { return Ok(()) };
        let last = self.noted.load(Ordering::Acquire);
        let mut written = writer.written.clone();
        let outcome = written.wait_for(|written| written.as_ref().map_or(true, |count| *count >= last)).await;
        match outcome.as_deref() {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Fault::new(500, "APIGW.0601", format!("the emulator cannot keep its data: {error}"))),
            Err(_) => Err(Fault::new(500, "APIGW.0601", "the emulator cannot keep its data: it is shutting down")),
        }
    }
}

impl Writer {
    fn close(&self) {
        self.desk.waiting.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.desk.changed.notify_one();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

impl Desk {
    fn write_all(&self, store: &Store, written: &watch::Sender<Result<u64, String>>) {
        loop {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            while waiting.changes.is_empty() && !waiting.closed {
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            if waiting.changes.is_empty() {
                return;
            }
            let (changes, last) = (std::mem::take(&mut waiting.changes), waiting.last);
            drop(waiting);
            let outcome = store.commit(&changes);
            let failed = outcome.is_err();
            let _ = written.send_replace(outcome.map(|()| last).map_err(|error| error.to_string()));
            if failed {
                return;
            }
        }
    }
}
