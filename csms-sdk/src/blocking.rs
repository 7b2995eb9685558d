//! For programs without `async`. Feature `blocking`.
//!
//! ```no_run
//! use csms_sdk::{blocking, csms::{ListSecrets, ShowSecretVersion}, wait::Wait};
//!
//! # fn example() -> Result<(), csms_sdk::Error> {
//! let client = csms_sdk::Client::builder().region("cn-north-4").build()?;
//! let client = blocking::Client::new(client)?;
//!
//! let answer = client.send(ShowSecretVersion::new("db-password", "latest"))?;
//! for secret in client.items(ListSecrets::new()) {
//!     println!("{:?}", secret?.name);
//! }
//!
//! // Everything else: the same client, awaited.
//! let replica = client.block_on(async |client| Wait::new().secret_replica(client, "db-password", "cn-east-3").await)?;
//! # Ok(())
//! # }
//! ```
//!
//! Threads share a client: clone it or borrow it, and call at the same time. There is no thread in the background; whoever
//! waits drives the connections of all. Only names are resolved and files are read on short-lived threads of `tokio`.
//!
//! Inside an async runtime every call answers an error of the kind [`Configuration`](ErrorKind::Configuration), because waiting
//! there would stop the runtime. That holds for `spawn_blocking` as well, which cannot be told apart: there,
//! `Handle::current().block_on(…)` waits for the async client.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::yield_now,
};

use crate::{
    client::CallOptions,
    error::{Error, ErrorKind},
    operation::{Method, Operation, OperationInfo, Paged, Response, Service},
    page,
    secret::SecretJson,
};

/// A client whose calls return when they are done. Cheap to clone; clones share everything. See [`blocking`](self).
#[derive(Clone, Debug)]
pub struct Client {
    client: crate::Client,
    driver: Arc<Driver>,
}

/// The runtime that drives connections and timers while somebody waits; `None` only when it is being dropped.
#[derive(Debug)]
struct Driver(Option<Runtime>);

impl Driver {
    fn start() -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
            let message = format!("the system has no means left to wait for the network: {error}");
            Error::new(ErrorKind::Configuration, message).with_source(error)
        })?;
        Ok(Self(Some(runtime)))
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        let Some(runtime) = self.0.as_ref().filter(|_| Handle::try_current().is_err()) else {
            let message = "a blocking client was called inside an async runtime, which would stop it";
            return Err(Error::new(ErrorKind::Configuration, message)
                .with_help("use csms_sdk::Client there, or a thread of your own"));
        };
        Ok(runtime.block_on(async {
            // Nobody looked after the connections meanwhile. The first turn learns which of them were closed, the second
            // takes them out of the pool, so that no request is sent into one.
            yield_now().await;
            yield_now().await;
            work.await
        }))
    }
}

/// Waits for nothing, so that a client can be dropped anywhere, inside a runtime too.
impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// Makes calls with `client`. Give it one of its own: connections belong to the runtime in which they were made.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    pub fn new(client: crate::Client) -> Result<Self, Error> {
        Ok(Self { client, driver: Arc::new(Driver::start()?) })
    }

    /// [`Client::send`](crate::Client::send).
    ///
    /// # Errors
    /// Those of the async one, and being called inside a runtime.
    pub fn send<O: Operation>(&self, operation: O) -> Result<Response<O::Response>, Error> {
        self.driver.wait(self.client.send(operation))?
    }

    /// [`Client::send_json`](crate::Client::send_json).
    ///
    /// # Errors
    /// Those of the async one, and being called inside a runtime.
    pub fn send_json(
        &self,
        info: &'static OperationInfo,
        request: &Map<String, Json>,
    ) -> Result<Response<SecretJson>, Error> {
        self.driver.wait(self.client.send_json(info, request))?
    }

    /// [`Client::raw`](crate::Client::raw).
    ///
    /// # Errors
    /// Those of the async one, and being called inside a runtime.
    pub fn raw(
        &self,
        service: Service,
        method: Method,
        path: &str,
        body: Option<&Json>,
    ) -> Result<Response<SecretJson>, Error> {
        self.driver.wait(self.client.raw(service, method, path, body))?
    }

    /// The items of a list, one after the other, page after page.
    pub fn items<O: Paged>(&self, operation: O) -> Items<O> {
        self.iter(self.client.items(operation))
    }

    /// The items of a walk that was set up elsewhere, e.g. `client.iter(client.as_async().items(op).max_items(1000))`.
    pub fn iter<O: Paged>(&self, items: page::Items<O>) -> Items<O> {
        Items { items, driver: Arc::clone(&self.driver), failed: false }
    }

    /// Waits for anything that is done with the async client: [`wait`](crate::wait), [`envelope`](crate::envelope), several calls
    /// at once. `tokio`'s timers and IO work inside.
    ///
    /// # Errors
    /// Those of `work`, and being called inside a runtime.
    pub fn block_on<T, E: From<Error>>(&self, work: impl AsyncFnOnce(&crate::Client) -> Result<T, E>) -> Result<T, E> {
        self.driver.wait(async { work(&self.client).await })?
    }

    /// The async client behind this one, to set lists up with. Await it in [`block_on`](Self::block_on) only: its connections
    /// belong to the runtime in there.
    #[must_use]
    pub fn as_async(&self) -> &crate::Client {
        &self.client
    }

    /// [`Client::for_region`](crate::Client::for_region).
    ///
    /// # Errors
    /// Those of the async one.
    pub fn for_region(&self, region: &str) -> Result<Self, Error> {
        Ok(Self { client: self.client.for_region(region)?, driver: Arc::clone(&self.driver) })
    }

    /// [`Client::with_options`](crate::Client::with_options).
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        Self { client: self.client.with_options(options), driver: Arc::clone(&self.driver) }
    }
}

/// The items of a list, one after the other. Ends after the first error, so that nothing asks for a page for ever.
#[must_use = "nothing is sent before `next`"]
pub struct Items<O: Paged> {
    items: page::Items<O>,
    driver: Arc<Driver>,
    failed: bool,
}

impl<O: Paged> Items<O> {
    /// Where the page begins that the next item is in; see [`page::Items::marker`].
    #[must_use]
    pub fn marker(&self) -> Option<String> {
        self.items.marker()
    }
}

impl<O: Paged> Iterator for Items<O> {
    type Item = Result<O::Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let item = self.driver.wait(self.items.next()).unwrap_or_else(|error| Some(Err(error)));
        self.failed = matches!(item, Some(Err(_)));
        item
    }
}
