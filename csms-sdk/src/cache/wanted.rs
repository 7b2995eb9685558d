//! What is asked of a cache.

use std::fmt;

use crate::{error::Error, reference::Reference};

/// What a cache takes for a reference: its text, which is the fastest, or a [`Reference`].
#[derive(Clone, Copy)]
pub enum Wanted<'a> {
    /// Text in the form of [`reference`](crate::reference). It is read once; after that it is recognised as it is.
    Text(&'a str),
    /// A reference that has been read already.
    Reference(&'a Reference),
}

/// Not the text: it may be a value pasted in the wrong place.
impl fmt::Debug for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(..)"),
            Self::Reference(reference) => write!(f, "Reference({reference})"),
        }
    }
}

impl<'a> From<&'a str> for Wanted<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Wanted<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Reference> for Wanted<'a> {
    fn from(reference: &'a Reference) -> Self {
        Self::Reference(reference)
    }
}

impl Wanted<'_> {
    pub(super) fn to_reference(self) -> Result<Reference, Error> {
        match self {
            Self::Text(text) => text.parse(),
            Self::Reference(reference) => Ok(reference.clone()),
        }
    }
}
