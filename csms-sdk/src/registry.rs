//! The list of all operations.

use crate::operation::{OperationInfo, Service};

/// Lists the operations of a service by chapter: a constant table, and a macro that hands every type of it
/// to another macro (for tests that go through all types).
#[doc(hidden)]
#[macro_export]
macro_rules! registry {
    ($($chapter:ident: $($operation:ident),+;)+) => {
        pub(crate) const OPERATIONS: &[&crate::operation::OperationInfo] =
            &[$($(<$chapter::$operation as crate::operation::Operation>::INFO),+),+];
    };
}

/// Every operation of CSMS, KMS, IAM and STS.
pub fn operations() -> impl Iterator<Item = &'static OperationInfo> {
    crate::csms::OPERATIONS.iter().chain(crate::kms::OPERATIONS).chain(crate::iam::OPERATIONS).copied()
}

/// The operation of this service and name. The name may be written as the reference does or in kebab case,
/// in any case of letters: `CreateSecret`, `create-secret`.
#[must_use]
pub fn operation(service: Service, name: &str) -> Option<&'static OperationInfo> {
    let plain = |text: &str| text.replace('-', "").to_ascii_lowercase();
    let name = plain(name);
    operations().find(|info| info.service == service && plain(info.name) == name)
}
