//! What a program can ask for.

pub(crate) mod attach;
pub(crate) mod fast_path;
pub(crate) mod fork;
pub(crate) mod harvest;
mod harvest_shared;
mod harvester;
pub(crate) mod start;
pub(crate) mod submit;
pub(crate) mod watchdog;
