//! A look at the files that can hold keys, for those who want to know before a call does.

use super::{KooCli, ProfileFile, ProvideError};
use crate::{env::Env, error::Error};

/// What a file that can hold keys is like. Holds nothing of its content.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyFileState {
    /// It can be used, and only its owner can read it.
    Sound(
        /// Its path.
        String,
    ),
    /// It can be used, and its group can read or change it as well.
    OpenToGroup(
        /// Its path.
        String,
    ),
    /// It cannot be used, or must not: everybody can read it, its keys are encrypted, a file that was named is missing.
    /// Calls fail where it is the one that credentials come from.
    Broken(Error),
}

/// Looks at the files of [`ProfileFile`] and [`KooCli`], whichever credentials are in use. Asks nobody. What is not there and
/// was not named is left out.
///
/// ```no_run
/// # async fn example() {
/// use csms_sdk::{credentials::{KeyFileState, inspect_files}, env::Env};
///
/// for file in inspect_files(&Env::process()).await {
///     if let KeyFileState::Broken(error) = file {
///         println!("{error}");
///     }
/// }
/// # }
/// ```
pub async fn inspect_files(env: &Env) -> Vec<KeyFileState> {
    let looked = [ProfileFile::default().inspect(env).await, KooCli::default().inspect(env).await];
    let state = |outcome| match outcome {
        Ok((path, false)) => Some(KeyFileState::Sound(path)),
        Ok((path, true)) => Some(KeyFileState::OpenToGroup(path)),
        Err(ProvideError::NotConfigured(_)) => None,
        Err(ProvideError::Broken(error)) => Some(KeyFileState::Broken(error)),
    };
    looked.into_iter().filter_map(state).collect()
}
