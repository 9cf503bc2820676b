//! What a program can ask for.

pub(crate) mod accept;
pub(crate) mod answer;
pub(crate) mod attach;
pub(crate) mod close;
pub(crate) mod create;
pub(crate) mod fast_path;
mod fork;
pub(crate) mod harvest;
mod harvest_shared;
pub(crate) mod harvester;
pub(crate) mod link;
mod lookout;
pub(crate) mod lookup;
pub(crate) mod owned;
mod places;
pub(crate) mod post;
mod publish;
mod remains;
mod standby;
pub(crate) mod start;
pub(crate) mod stats;
pub(crate) mod submit;
pub(crate) mod typed;
mod watchdog;
