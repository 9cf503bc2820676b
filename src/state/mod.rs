//! What there is: pipes, attachments, and the table of them. Nothing here decides what is to be done.

pub(crate) mod attachment;
pub(crate) mod attendance;
pub(crate) mod blocked;
pub(crate) mod faults;
pub(crate) mod file_class;
pub(crate) mod handover;
pub(crate) mod inside;
pub(crate) mod jobs;
pub(crate) mod known_pipes;
pub(crate) mod named_call;
pub(crate) mod outstanding;
pub(crate) mod pipe;
mod pipes;
pub(crate) mod polled_apart;
pub(crate) mod poller;
pub(crate) mod private;
pub(crate) mod probes;
pub(crate) mod slot;
pub(crate) mod stats_page;
pub(crate) mod table;
mod users;
pub(crate) mod watchdog;
pub(crate) mod word;
pub(crate) mod world;
