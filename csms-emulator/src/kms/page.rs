//! Lists that are paged by position: `marker` is the number of items before the page.

use serde_json::{Value as Json, json};

use super::refusal;
use crate::{
    call::{Call, Outcome},
    fault::Fault,
};

/// Most items of a page, and as many as come when no limit is asked for: the reference has no default.
const MOST: usize = 1000;

/// One page, and where it stands in its list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// Items of all pages.
    pub(super) total: usize,
    next: Option<usize>,
}

impl<T> Page<T> {
    /// The page of `items` that the call's `limit` and `marker` ask for.
    pub(super) fn of(call: &Call, items: impl Iterator<Item = T>) -> Result<Self, Fault> {
        let start = match call.optional("marker") {
            None | Some("") => 0,
            Some(marker) => marker.parse().map_err(|_| refusal("KMS.1602"))?,
        };
        Ok(Self::cut(items, start, limit(call)?))
    }

    /// At most `limit` of `items` from `start` on.
    pub(super) fn cut(items: impl Iterator<Item = T>, start: usize, limit: usize) -> Self {
        let mut page = Self { items: Vec::new(), total: 0, next: None };
        for item in items {
            if page.total >= start && page.items.len() < limit {
                page.items.push(item);
            }
            page.total += 1;
        }
        let end = start.saturating_add(page.items.len());
        page.next = (end < page.total).then_some(end);
        page
    }

    /// `answer` with what is said about the page.
    pub(super) fn answer(&self, mut answer: Json) -> Outcome {
        answer["next_marker"] = self.next.map(|next| next.to_string()).unwrap_or_default().into();
        answer["truncated"] = json!(self.next.is_some().to_string());
        answer["total"] = self.total.into();
        Ok(answer.into())
    }
}

/// Most items of a page, as the call has it.
pub(super) fn limit(call: &Call) -> Result<usize, Fault> {
    match call.number("limit").map(usize::try_from) {
        None => Ok(MOST),
        Some(Ok(limit)) if limit > 0 => Ok(limit.min(MOST)),
        Some(_) => Err(refusal("KMS.1601")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_the_next_one_begins() {
        let cut = |start, limit| {
            let page = Page::cut(0..5, start, limit);
            (page.items, page.total, page.next)
        };
        assert_eq!(cut(0, 2), (vec![0, 1], 5, Some(2)));
        assert_eq!(cut(2, 2), (vec![2, 3], 5, Some(4)));
        assert_eq!(cut(4, 2), (vec![4], 5, None));
        assert_eq!(cut(3, 2), (vec![3, 4], 5, None), "no empty page at the end");
        assert_eq!(cut(usize::MAX, 2), (vec![], 5, None));
    }
}
