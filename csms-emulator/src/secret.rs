//! Text that must not be printed.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A secret that is stored. Has neither `Debug` nor `Display`; wiped on drop.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text(Zeroizing<String>);

impl Text {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned().into())
    }
}
