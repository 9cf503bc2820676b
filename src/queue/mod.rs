//! Operations and events: from the call that queues one until its event is harvested.

pub(crate) mod alarm;
pub(crate) mod counts;
pub(crate) mod deadlines;
pub(crate) mod event_queue;
pub(crate) mod lane;
mod lane_memory;
pub(crate) mod lanes;
pub(crate) mod limit_entry;
pub(crate) mod op;
pub(crate) mod op_list;
pub(crate) mod ring_accepts;
pub(crate) mod stock;
mod timer_users;

use crate::sys::Errno;

/// The pipe is full: nothing was scheduled.
pub(crate) const EIOEVENTFULL: Errno = Errno(crate::EIOEVENTFULL);
