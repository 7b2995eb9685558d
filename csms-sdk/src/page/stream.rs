//! Lists as `futures` streams.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::{Items, Pages};
use crate::{
    credentials::BoxFuture,
    error::Error,
    operation::{Caller, Paged, Response},
};

impl<O: Paged, C: Caller + Send> Pages<O, C> {
    /// The pages as a stream. It ends after the first error, so that nothing asks for a page for ever.
    pub fn into_stream<'a>(self) -> impl Stream<Item = Result<Response<O::Response>, Error>> + Send + Unpin + 'a
    where
        O: 'a,
        C: 'a,
    {
        Steps::new(self, |mut pages| {
            Box::pin(async move {
                let page = pages.next().await;
                (pages, page)
            })
        })
    }
}

impl<O: Paged, C: Caller + Send> Items<O, C> {
    /// The items as a stream. It ends after the first error, so that nothing asks for a page for ever.
    pub fn into_stream<'a>(self) -> impl Stream<Item = Result<O::Item, Error>> + Send + Unpin + 'a
    where
        O: 'a,
        C: 'a,
    {
        Steps::new(self, |mut items| {
            Box::pin(async move {
                let item = items.next().await;
                (items, item)
            })
        })
    }
}

/// A step of a walk, and what it found.
type Step<'a, W, T> = BoxFuture<'a, (W, Option<Result<T, Error>>)>;

/// A stream of the steps of a walk.
struct Steps<'a, W, T> {
    /// Where the walk rests between two steps.
    walk: Option<W>,
    under_way: Option<Step<'a, W, T>>,
    step: fn(W) -> Step<'a, W, T>,
}

impl<'a, W, T> Steps<'a, W, T> {
    fn new(walk: W, step: fn(W) -> Step<'a, W, T>) -> Self {
        Self { walk: Some(walk), under_way: None, step }
    }
}

/// Nothing in it is pinned where it stands: what is under way has a place of its own.
impl<W, T> Unpin for Steps<'_, W, T> {}

impl<W, T> Stream for Steps<'_, W, T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let step = self.step;
        let mut under_way = match (self.under_way.take(), self.walk.take()) {
            (Some(under_way), _) => under_way,
            (None, Some(walk)) => step(walk),
            (None, None) => return Poll::Ready(None),
        };
        let Poll::Ready((walk, found)) = under_way.as_mut().poll(context) else {
            self.under_way = Some(under_way);
            return Poll::Pending;
        };
        if matches!(found, Some(Ok(_))) {
            self.walk = Some(walk);
        }
        Poll::Ready(found)
    }
}
