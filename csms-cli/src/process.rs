//! What the system may keep of this process when it dies: it holds credentials, and may hold values.

#[cfg(unix)]
use std::sync::OnceLock;

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How large a core this process was started to leave, at most.
#[cfg(unix)]
static AS_STARTED: OnceLock<Rlimit> = OnceLock::new();

/// Has this process leave no core, nor others of the same user look into it.
pub(crate) fn protect() {
    // Where any of it is refused, there is nothing that could be done.
    #[cfg(unix)]
    {
        let limit = AS_STARTED.get_or_init(|| getrlimit(Resource::Core));
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), ..*limit });
    }
    // A program that is given what dies through a pipe gets all of it whatever the limit. This ends where another program
    // takes the place of this one.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Has commands that are started from here on leave what they would have left without us: that is their own business.
pub(crate) fn let_commands_leave_cores() {
    #[cfg(unix)]
    if let Some(limit) = AS_STARTED.get() {
        // It was allowed before.
        let _ = setrlimit(Resource::Core, *limit);
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior};

    use super::*;

    #[test]
    fn a_protected_process_leaves_no_core_and_can_be_looked_into_by_nobody() {
        let before = getrlimit(Resource::Core);
        protect();
        protect();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        let_commands_leave_cores();
        assert_eq!(getrlimit(Resource::Core), before);
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
