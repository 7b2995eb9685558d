//! Randomness of the operating system.

use getrandom::{SysRng, rand_core::Rng, rand_core::UnwrapErr};
use zeroize::Zeroizing;

/// `length` random bytes.
///
/// # Panics
/// If the operating system has no randomness to give; nothing here can go on without.
pub(crate) fn bytes(length: usize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    rng().fill_bytes(&mut bytes);
    bytes
}

/// The same source for the crates that draw from it themselves.
pub(super) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_differ_and_have_the_length_asked_for() {
        assert_eq!(bytes(0).len(), 0);
        assert_eq!(bytes(1024).len(), 1024);
        assert_ne!(bytes(32), bytes(32));
    }
}
