//! One module per command.

pub(crate) mod api;
pub(crate) mod emulate;
pub(crate) mod explain;
pub(crate) mod whoami;
