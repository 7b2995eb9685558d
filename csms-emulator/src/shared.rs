//! What all requests of one emulator share.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

use csms_sdk::OperationInfo;

use crate::{
    auth::Lockouts,
    call::{Handler, Named},
    clock::Clock,
    csms,
    faults::Faults,
    iam,
    journal::Journal,
    kms,
    options::Gate,
    region::Regions,
    route::Router,
    world::World,
};

/// The one state of an emulator, and the ways to it.
pub(crate) struct Shared {
    pub(crate) gate: Gate,
    pub(crate) regions: Regions,
    pub(crate) router: Router,
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    world: RwLock<World>,
    pub(crate) lockouts: Lockouts,
    faults: Mutex<Faults>,
    handlers: HashMap<(&'static str, &'static str), Handler>,
}

impl Shared {
    pub(crate) fn new(
        gate: Gate,
        regions: Regions,
        clock: Clock,
        journal: Journal,
        world: World,
        faults: Faults,
    ) -> Self {
        Self {
            gate,
            regions,
            router: Router::new(),
            clock,
            journal,
            world: RwLock::new(world),
            lockouts: Lockouts::default(),
            faults: Mutex::new(faults),
            handlers: handlers().map(|(service, (name, handler))| ((service, name), handler)).collect(),
        }
    }

    /// What carries an operation out.
    pub(crate) fn handler(&self, info: &OperationInfo) -> Option<Handler> {
        self.handlers.get(&(info.service.as_str(), info.name)).copied()
    }

    /// Looks at the world, once whatever is due has been done.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        let world = self.world.read().unwrap_or_else(PoisonError::into_inner);
        if !world.agenda.is_due(self.clock.now()) {
            return look(&world);
        }
        drop(world);
        self.write(|world| look(world))
    }

    /// Changes the world, once whatever is due has been done, and notes what changed for the store.
    pub(crate) fn write<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
        world.settle(self.clock.now());
        let result = change(&mut world);
        self.journal.note(&mut world);
        result
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handlers of all services.
fn handlers() -> impl Iterator<Item = (&'static str, Named)> {
    let of = |service: &'static str, named: Vec<&'static [Named]>| {
        named.into_iter().flatten().map(move |named| (service, *named))
    };
    of("csms", csms::handlers()).chain(of("kms", kms::handlers())).chain(iam::handlers())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use csms_sdk::operations;

    use super::*;

    #[test]
    fn every_operation_is_carried_out_by_one_handler() {
        let mut missing: BTreeSet<_> = operations().map(|info| (info.service.as_str(), info.name)).collect();
        for (service, (name, _)) in handlers() {
            assert!(missing.remove(&(service, name)), "{service}/{name} is none, or is handled twice");
        }
        assert!(missing.is_empty(), "{missing:?}");
    }
}
