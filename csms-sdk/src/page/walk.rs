//! Walking through a list: page by page, item by item, and page by page in JSON.

use serde_json::{Map, Value as Json};

use super::cursor::Cursor;
use crate::{
    client::Client,
    error::Error,
    model::{Field, Fields, Object, Shape, View},
    operation::{Answer as _, Caller, Operation, OperationInfo, Paged, Response},
    secret::SecretJson,
};

/// The pages of a list, one after the other. Made by [`Client::pages`]; see [`page`](super).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `next`"]
pub struct Pages<O, C = Client> {
    caller: C,
    operation: O,
    cursor: Cursor,
}

impl<O: Paged, C: Caller> Pages<O, C> {
    /// The pages that `caller` fetches with `operation`. Fields of the operation that say where to begin are kept.
    pub fn new(caller: C, operation: O) -> Self {
        Self { caller, operation, cursor: Cursor::new(O::PAGING) }
    }

    /// Begins where [`marker`](Self::marker) told.
    pub fn from_marker(mut self, marker: impl Into<String>) -> Self {
        let members = self.cursor.members.clone();
        let request = Turned { operation: &self.operation, members };
        self.cursor.start_at(marker.into(), &Object::Typed(&request));
        self
    }

    /// Asks for so many items a page. The operation's own limit, if it has a field for it, says the same.
    pub fn page_size(mut self, size: u32) -> Self {
        self.cursor.set_size(size, &Object::Typed(&self.operation));
        self
    }

    /// Ends after so many pages.
    pub fn max_pages(mut self, most: usize) -> Self {
        self.cursor.set_most_pages(most);
        self
    }

    /// Asks for no more pages than so many items need. The last page comes whole.
    pub fn max_items(mut self, most: usize) -> Self {
        self.cursor.set_most_items(most);
        self
    }

    /// Where the page begins that comes next; `None` at the beginning of a list, and when nothing is left of it.
    #[must_use]
    pub fn marker(&self) -> Option<String> {
        self.cursor.marker(&Object::Typed(&self.turned()))
    }

    /// The next page; `None` after the last. After an error, it asks for the same page again.
    pub async fn next(&mut self) -> Option<Result<Response<O::Response>, Error>> {
        match self.cursor.is_over() {
            Ok(false) => {}
            Ok(true) => return None,
            Err(error) => return Some(Err(error.with_operation(O::INFO))),
        }
        Some(self.fetch().await)
    }

    async fn fetch(&mut self) -> Result<Response<O::Response>, Error> {
        let request = self.turned();
        request.check()?;
        let answer = self.caller.call(&request).await?;
        let request = Turned { operation: &self.operation, members: request.members };
        self.cursor.pass(&Object::Typed(&request), answer.fields().map(Object::Typed).as_ref());
        Ok(answer)
    }

    fn turned(&self) -> Turned<'_, O> {
        Turned { operation: &self.operation, members: self.cursor.members.clone() }
    }
}

/// The items of a list, one after the other. Made by [`Client::items`]; see [`page`](super).
#[derive(Debug)]
#[must_use = "nothing is sent before `next`"]
pub struct Items<O: Paged, C = Client> {
    pages: Pages<O, C>,
    /// What is left of the page that came last, and where that page begins.
    page: std::vec::IntoIter<O::Item>,
    marker: Option<String>,
    most: usize,
}

impl<O: Paged, C: Caller> Items<O, C> {
    /// The items that `caller` fetches with `operation`. Fields of the operation that say where to begin are kept.
    pub fn new(caller: C, operation: O) -> Self {
        Self { pages: Pages::new(caller, operation), page: Vec::new().into_iter(), marker: None, most: usize::MAX }
    }

    /// Begins where [`marker`](Self::marker) told.
    pub fn from_marker(mut self, marker: impl Into<String>) -> Self {
        self.pages = self.pages.from_marker(marker);
        self
    }

    /// Asks for so many items a page. The operation's own limit, if it has a field for it, says the same.
    pub fn page_size(mut self, size: u32) -> Self {
        self.pages = self.pages.page_size(size);
        self
    }

    /// Ends after so many pages.
    pub fn max_pages(mut self, most: usize) -> Self {
        self.pages = self.pages.max_pages(most);
        self
    }

    /// Ends after so many items, and asks for no more pages than they need.
    pub fn max_items(mut self, most: usize) -> Self {
        self.pages = self.pages.max_items(most);
        self.most = most;
        self
    }

    /// Where the page begins that the next item is in; `None` on the first page, and when nothing is left of the list.
    ///
    /// The services know where pages begin, not where items are: a walk from here may see items of that page again, and
    /// misses none.
    #[must_use]
    pub fn marker(&self) -> Option<String> {
        match self.page.len() {
            0 => self.pages.marker(),
            _ => self.marker.clone(),
        }
    }

    /// The next item; `None` after the last. After an error, it asks for the same page again.
    pub async fn next(&mut self) -> Option<Result<O::Item, Error>> {
        while self.most > 0 {
            if let Some(item) = self.page.next() {
                self.most -= 1;
                return Some(Ok(item));
            }
            self.marker = self.pages.marker();
            match self.pages.next().await? {
                Ok(answer) => self.page = O::items(answer.into_body()).into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}

/// The pages of any list in JSON, one after the other. Made by [`Client::json_pages`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `next`"]
pub struct JsonPages {
    client: Client,
    info: &'static OperationInfo,
    request: Map<String, Json>,
    cursor: Cursor,
}

impl JsonPages {
    pub(crate) fn new(client: Client, info: &'static OperationInfo, request: Map<String, Json>) -> Option<Self> {
        Some(Self { client, info, request, cursor: Cursor::new(info.paging?) })
    }

    /// Asks for no more pages than so many items need. The last page comes whole.
    pub fn max_items(mut self, most: usize) -> Self {
        self.cursor.set_most_items(most);
        self
    }

    /// Where the page begins that comes next; `None` at the beginning of a list, and when nothing is left of it.
    #[must_use]
    pub fn marker(&self) -> Option<String> {
        self.cursor.marker(&Object::Json(self.info.request, &self.turned()))
    }

    /// The next page; `None` after the last. After an error, it asks for the same page again.
    pub async fn next(&mut self) -> Option<Result<Response<SecretJson>, Error>> {
        match self.cursor.is_over() {
            Ok(false) => {}
            Ok(true) => return None,
            Err(error) => return Some(Err(error.with_operation(self.info))),
        }
        Some(self.fetch().await)
    }

    async fn fetch(&mut self) -> Result<Response<SecretJson>, Error> {
        let request = self.turned();
        let answer = self.client.send_json(self.info, &request).await?;
        let members = answer.expose_secret().as_object();
        let page = self.info.response.zip(members).map(|(shape, members)| Object::Json(shape, members));
        self.cursor.pass(&Object::Json(self.info.request, &request), page.as_ref());
        Ok(answer)
    }

    fn turned(&self) -> Map<String, Json> {
        let mut request = self.request.clone();
        request.extend(self.cursor.members.clone());
        request
    }
}

/// An operation turned to another page: some of its fields have other values.
struct Turned<'a, O> {
    operation: &'a O,
    members: Map<String, Json>,
}

impl<O: Operation> Turned<'_, O> {
    /// Markers of numbered pages have to be numbers.
    fn check(&self) -> Result<(), Error> {
        for (name, json) in &self.members {
            if let Some(field) = O::INFO.field(name)
                && let Err(mismatch) = View::of_json(&field.kind, json)
            {
                return Err(Error::invalid(field.name, format!("has to be {}", mismatch.0)).with_operation(O::INFO));
            }
        }
        Ok(())
    }
}

impl<O: Operation> Operation for Turned<'_, O> {
    type Response = O::Response;
    const INFO: &'static OperationInfo = O::INFO;
}

impl<O: Operation> Fields for Turned<'_, O> {
    fn shape(&self) -> &'static Shape {
        self.operation.shape()
    }

    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'static Field, View<'a>)) {
        self.operation.each(&mut |field, view| {
            if !self.members.contains_key(field.name) {
                visit(field, view);
            }
        });
        for (name, json) in &self.members {
            if let Some(field) = self.shape().field(name)
                && let Ok(view) = View::of_json(&field.kind, json)
            {
                visit(field, view);
            }
        }
    }
}
