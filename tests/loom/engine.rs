//! The files under test from src/engine/, where they find each other under the names that they have there.

#[path = "../../src/engine/access.rs"]
pub(crate) mod access;
#[path = "../../src/engine/bias.rs"]
pub(crate) mod bias;
#[path = "../../src/engine/lock.rs"]
pub(crate) mod lock;
#[path = "../../src/engine/places.rs"]
pub(crate) mod places;
#[path = "../../src/engine/ring.rs"]
pub(crate) mod ring;
#[path = "../../src/engine/sleepers.rs"]
pub(crate) mod sleepers;
#[path = "../../src/engine/wake.rs"]
pub(crate) mod wake;
