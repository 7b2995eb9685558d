//! The list of all operations.

use std::fmt::Debug;

use serde::de::DeserializeOwned;

use crate::operation::{Operation, OperationInfo, Service};

/// Lists the operations of a service by chapter: as a table, and as types for those who go through all of them.
macro_rules! registry {
    ($($chapter:ident: $($operation:ident),+;)+) => {
        pub(crate) const OPERATIONS: &[&crate::operation::OperationInfo] =
            &[$($(<$chapter::$operation as crate::operation::Operation>::INFO),+),+];

        pub(crate) fn visit(visitor: &mut impl crate::OperationVisitor) {
            $($(visitor.visit::<$chapter::$operation>();)+)+
        }
    };
}
pub(crate) use registry;

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

/// Something to be done for the type of every operation, such as a test.
pub trait OperationVisitor {
    /// Does it for one.
    fn visit<O: Operation<Response: Debug> + DeserializeOwned + Debug + 'static>(&mut self);
}

/// Goes through the types of all [`operations`].
pub fn visit_operations(visitor: &mut impl OperationVisitor) {
    crate::csms::visit(visitor);
    crate::kms::visit(visitor);
    crate::iam::visit(visitor);
}
