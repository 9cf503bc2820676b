//! What threads agree by. `tests/loom/` runs nearly all of it through every interleaving.

pub(crate) mod access;
pub(crate) mod apart;
pub(crate) mod atomic;
mod bias;
pub(crate) mod identity_locks;
pub(crate) mod lock;
pub(crate) mod places;
#[cfg(not(loom))]
pub(crate) mod pool;
pub(crate) mod positions;
pub(crate) mod recent;
pub(crate) mod ring;
#[cfg(not(loom))]
pub(crate) mod sparse;
pub(crate) mod waiters;
pub(crate) mod wake;
