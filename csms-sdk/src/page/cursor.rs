//! Where a walk through a list stands. Decisions only: nothing here sends.

use serde_json::{Map, Value as Json};

use super::{count, member, place, text, turn};
use crate::{
    error::{Error, ErrorKind},
    model::Object,
    operation::Paging,
};

/// Where a walk through a list stands, and how far it may go.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    paging: Paging,
    /// What comes over the members of the first request to ask for the page that is next.
    pub(super) members: Map<String, Json>,
    end: End,
    pages: usize,
    items: usize,
    lap: Lap,
}

/// How a list ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    NotYet,
    Circle,
    Last,
}

impl Cursor {
    pub(super) fn new(paging: Paging) -> Self {
        let (pages, items) = (usize::MAX, usize::MAX);
        Self { paging, members: Map::new(), end: End::NotYet, pages, items, lap: Lap::default() }
    }

    pub(super) fn start_at(&mut self, marker: String, request: &Object<'_>) {
        place(self.paging, request, marker.into(), &mut self.members);
    }

    pub(super) fn set_size(&mut self, size: u32, request: &Object<'_>) {
        self.members.insert(self.paging.size().into(), size.into());
        if let Paging::Page { first, .. } = self.paging
            && member(request, self.paging.marker()).is_none()
        {
            // The service wants both together.
            self.members.insert(self.paging.marker().into(), first.into());
        }
    }

    pub(super) fn set_most_pages(&mut self, most: usize) {
        self.pages = most;
    }

    pub(super) fn set_most_items(&mut self, most: usize) {
        self.items = most;
    }

    /// Where the page begins that `request` asks for; `None` at the beginning and past the end.
    pub(super) fn marker(&self, request: &Object<'_>) -> Option<String> {
        match self.end {
            End::NotYet => text(request, self.paging.marker()).filter(|marker| !marker.is_empty()),
            End::Circle | End::Last => None,
        }
    }

    /// Whether there is a page to be asked for; an error, once, where that would not end.
    pub(super) fn is_over(&mut self) -> Result<bool, Error> {
        if self.pages == 0 || self.items == 0 {
            return Ok(true);
        }
        match std::mem::replace(&mut self.end, End::Last) {
            End::NotYet => {
                self.end = End::NotYet;
                Ok(false)
            }
            End::Last => Ok(true),
            End::Circle => {
                let message = "the pages of the list go in a circle: a marker came again";
                let help = "read fewer items than there are in the list, or one page at a time, and report the list to the service";
                Err(Error::new(ErrorKind::UnexpectedAnswer, message).with_help(help))
            }
        }
    }

    /// Goes on to the page after `answer`, which `request` was answered with; an answer without content is the last.
    pub(super) fn pass(&mut self, request: &Object<'_>, answer: Option<&Object<'_>>) {
        self.pages = self.pages.saturating_sub(1);
        self.items = self.items.saturating_sub(answer.map_or(0, |answer| count(self.paging, answer)));
        let Some(marker) = answer.and_then(|answer| turn(self.paging, request, answer)) else {
            self.end = End::Last;
            return;
        };
        if self.lap.comes_again(&marker) {
            self.end = End::Circle;
        }
        place(self.paging, request, marker, &mut self.members);
    }
}

/// Finds out that markers go in a circle, by one earlier marker that is replaced after ever more pages (Brent's
/// algorithm): memory stays constant, and no circle is gone round more than three times.
#[derive(Clone, Debug)]
struct Lap {
    earlier: Json,
    pages: u64,
    until: u64,
}

impl Default for Lap {
    fn default() -> Self {
        Self { earlier: Json::Null, pages: 0, until: 1 }
    }
}

impl Lap {
    fn comes_again(&mut self, marker: &Json) -> bool {
        if self.earlier == *marker {
            return true;
        }
        self.pages += 1;
        if self.pages == self.until {
            *self = Self { earlier: marker.clone(), pages: 0, until: self.until.saturating_mul(2) };
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many markers pass until one comes again; the first `lead` never do.
    fn markers_until_found(lead: u64, circle: u64) -> u64 {
        let mut lap = Lap::default();
        let mut passed = 0;
        let marker = |at: u64| Json::from(if at < lead { at } else { lead + (at - lead) % circle });
        while !lap.comes_again(&marker(passed)) {
            passed += 1;
        }
        passed
    }

    #[test]
    fn every_circle_is_found_before_it_was_gone_round_three_times() {
        for lead in 0..40 {
            for circle in 1..40 {
                let passed = markers_until_found(lead, circle);
                assert!(passed >= lead + circle, "{lead} {circle}");
                assert!(passed <= 3 * (lead + circle), "{lead} {circle} {passed}");
            }
        }
    }

    #[test]
    fn markers_that_differ_are_no_circle() {
        let mut lap = Lap::default();
        assert!((0..100_000_u64).all(|marker| !lap.comes_again(&marker.into())));
    }
}
