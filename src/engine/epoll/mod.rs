//! The epoll engine: descriptors are registered once, edge-triggered, and what cannot be done at once is parked.
//!
//! # Protocol
//!
//! READABLE and WRITABLE on an attachment mean "worth a try". A try that finds nothing clears the bit, and so does a
//! short read where that proves that nothing is left; from then on the kernel owes an edge for whatever comes. All of
//! it happens under the lock of the attachment: an edge that was taken from the kernel before the try but is handled
//! after it only causes one try more. An attachment begins with both bits set: nothing is known of it, and a call that
//! fails whatever comes (on a socket that is not connected, say) gets no edge. For the same reason an operation that
//! differs from those before it is tried once even while its bit is unset (`Op::waits_like_others`).
//!
//! Edges carry the node of the attachment and its generation; one that is late, for a descriptor that is no more (its
//! open file may live on in a dup or a child), is ignored.

mod attempt;
mod blocking;
mod buffers;
mod class;
mod connection;
mod disk;
mod edge;
mod file_io;
mod interest;
mod job_file;
mod nonblock;
mod parked;
pub(crate) mod polls;
mod receive;
mod run;
mod send;
mod step;
mod transfer;
mod unordered;
mod wait;
mod worker;

use crate::engine::completions::Completions;
use crate::engine::{Attach, Engine, Handled, Heard};
use crate::event::RawEvent;
use crate::queue::lane::{Lane, MOST_EDGES};
use crate::queue::op::{Kind, OpRef, Order};
use crate::state::attachment::{LEVEL, Locked};
use crate::state::file_class::Class;
use crate::state::pipe::Pipe;
use crate::state::poller::Poller;
use crate::sync::access::Sole;
use crate::sys::{Errno, Result, epoll as sys, nature};
use core::mem::MaybeUninit;

pub(crate) use connection::{NotAtOnce, accept_at_once};

impl Engine for Poller {
    type Found = wait::Found;
    const MOST: usize = MOST_EDGES;

    #[inline]
    fn wait(&self, found: &mut wait::Found, most: usize, timeout: Option<u64>) -> Result<usize> {
        self.wait_for_edges(found, most, timeout)
    }

    #[inline(always)]
    fn wait_plainly(&self, found: &mut wait::Found, most: usize, waits: bool) -> isize {
        self.wait_for_edges_plainly(found, most, waits)
    }

    #[inline]
    fn handle(&self, found: &wait::Found, from: usize, out: &Completions) -> Heard {
        self.handle_edges(found, from, out)
    }

    #[inline(always)]
    fn handle_sole(
        sole: &Sole,
        found: &wait::Found,
        pipe: &'static Pipe,
        lane: &'static Lane,
        room: &mut [MaybeUninit<RawEvent>],
    ) -> Handled {
        Self::handle_edges_sole(sole, found.edges(0), pipe, lane, room)
    }

    #[inline(always)]
    fn handle_only(sole: &Sole, found: &wait::Found) -> Option<RawEvent> {
        Self::event_of::<false>(sole, found.only()?)
    }

    #[inline(always)]
    fn handle_shared(
        found: &wait::Found,
        pipe: &'static Pipe,
        lane: &'static Lane,
        room: &mut [MaybeUninit<RawEvent>],
    ) -> Handled {
        Self::handle_edges_shared(found.edges(0), pipe, lane, room)
    }

    fn told(attachment: &Locked, events: i16, out: &Completions) -> bool {
        unordered::told_apart(attachment, events, out)
    }

    fn attach(&self, attachment: &Locked, how: Attach) -> Result<()> {
        if !self.is_whole() {
            return Err(Errno::EBADF);
        }
        match how {
            Attach::Again => {
                class::begin_anew(attachment);
                interest::register(self, attachment)?;
                polls::go_to_another_pipe(attachment);
                Ok(())
            }
            Attach::New(look) => {
                class::classify(attachment, look)?;
                interest::register(self, attachment)
            }
        }
    }

    fn detach(&self, attachment: &Locked) {
        if attachment.class.get() != Class::Disk {
            let _ = sys::delete(self.epfd(), attachment.fd());
        }
    }

    fn is_same_file(&self, attachment: &Locked) -> bool {
        match attachment.class.get() {
            Class::Disk => class::is_same_disk(attachment),
            Class::Perf | Class::Special => nature::identity(attachment.fd()) == attachment.identity(),
            _ => sys::is_registered(self.epfd(), attachment.fd()),
        }
    }

    fn learn(&self, attachment: &Locked, order: Order) {
        match attachment.class.get() {
            Class::Fresh if order == Order::Output => class::learn(attachment),
            Class::MetIdle if order == Order::Input => class::learn(attachment),
            _ => {}
        }
    }

    fn attempt(&self, attachment: &Locked, op: OpRef) -> Option<Result<usize>> {
        run::try_at_once(attachment, op)
    }

    fn enqueue(&self, attachment: &Locked, op: OpRef, out: &Completions) {
        if op.kind.get() == Kind::Poll && polls::enter(attachment, op.arg.get() as i16) {
            // The kernel tells of what is there when it is polled next.
            return attachment.unordered.push(op);
        }
        if attachment.has(LEVEL) {
            polls::leave(attachment);
        }
        match op.order() {
            Order::Input => run::submit_input(attachment, op, out),
            Order::Output => run::submit_output(attachment, op, out),
            Order::Unordered => {
                unordered::submit_unordered(attachment, op, out);
                run::let_go(attachment);
            }
        }
    }

    fn enqueue_begun(&self, attachment: &Locked, op: OpRef, sent: Result<usize>, out: &Completions) {
        run::output_begun(attachment, op, sent, out);
    }

    fn resume(&self, attachment: &Locked, out: &Completions) {
        run::resume(attachment, out);
    }

    fn retract(&self, op: OpRef) -> bool {
        op.may_be_ended() || blocking::withdraw(op)
    }
}
