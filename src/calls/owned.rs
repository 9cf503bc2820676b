//! Operations of Rust's: each goes to a link, has a user word of its own, and works on memory that its state owns.
//!
//! A call comes as `RawCall`. `start` is inlined where it is asked for, where the kind is mostly known: what is left of
//! it is one call with all that matters in registers.

use super::accept::{Accept, accept};
use super::answer::Answer;
use super::fast_path::{Way, Words};
use super::link::Link;
use super::start::{self, Fast, FastShared, Waited};
use super::typed::Typed;
use crate::engine::arming;
use crate::engine::call::{
    Call, Datagram, InputCall, Readv, Recv, Recvfrom, Recvmsg, Send, Sendmsg, Sendto, Writev,
};
use crate::event::RawEvent;
use crate::queue::op::{Kind, Request};
use crate::state::attachment::{Attachment, Held, Locked};
use crate::state::slot::{LENGTH_BEHIND, is_low};
use crate::state::word::Linked;
use crate::sync::access::{Access, Sole};
use crate::sys::{Errno, UserPtr};
use core::ffi::c_int;

/// A call without its descriptor. What a kind does not use is ignored.
#[derive(Clone, Copy)]
pub(crate) struct RawCall {
    pub(crate) kind: Kind,
    /// sendfile, splice: FROM_SOURCE.
    pub(crate) flags: u8,
    /// Flags, events, how, or options.
    pub(crate) arg: c_int,
    /// Buffer, iovec array, msghdr, siginfo_t; the number of the other descriptor.
    pub(crate) buf: usize,
    /// Bytes or iovecs.
    pub(crate) len: usize,
    /// An address, or an offset.
    pub(crate) addr: usize,
    /// Where the length of the address is, or (connect, sendto) that itself; splice: the other offset.
    pub(crate) addrlen: usize,
    /// Time limit, or what a timer waits for; 0: no limit but the descriptor's.
    pub(crate) nanoseconds: u64,
}

/// What the operation says beside the call.
#[derive(Clone, Copy)]
struct Owned<const INLINE: bool> {
    to: Linked,
    word: usize,
    timeout: u64,
}

impl<const INLINE: bool> Words for Owned<INLINE> {
    const WAY: Way = if INLINE { Way::Inline } else { Way::Submit };

    #[inline(always)]
    fn user(&self) -> Option<usize> {
        Some(self.word)
    }

    #[inline(always)]
    fn timeout(&self) -> u64 {
        self.timeout
    }

    #[inline(always)]
    fn suit<A: Access>(&self, attachment: &Held<A>) -> bool {
        attachment.word() == self.to.word()
    }

    fn lock(&self, node: &'static Attachment) -> Option<Locked> {
        arming::lock_if(node, |locked| self.suit(locked))
    }
}

/// Begins an operation: 0 if it is queued, else an errno, and nothing was done: EIOEVENTFULL, ENOMEM; EINVAL if the
/// link is another pipe's; EBADF if its pipe is gone.
///
/// # Safety
///
/// The memory that the call names is the operation's until its event, which has the user word `word`, has been taken
/// out of the pipe.
#[inline(always)]
pub(crate) unsafe fn start(typed: &Typed, link: Link, word: usize, call: RawCall) -> c_int {
    let to = typed.to();
    let node = link.node();
    if call.kind == Kind::Read && call.nanoseconds == 0 {
        return read(node, call.buf, call.len, word, to);
    }
    if call.kind == Kind::Write && call.nanoseconds == 0 {
        return write(node, call.buf, call.len, word, to);
    }
    let RawCall { kind, flags, arg, buf, len, addr, addrlen, nanoseconds } = call;
    other(node, buf, len, word, to, kind, arg, addr, addrlen, flags, nanoseconds)
}

/// The same; with the event, if the operation could be finished at once.
///
/// # Safety
///
/// As for `start`. With an event, the memory is not the operation's any more.
#[inline(never)]
pub(crate) unsafe fn start_inline(
    typed: &Typed,
    link: Link,
    word: usize,
    call: &RawCall,
) -> Result<Option<RawEvent>, Errno> {
    let to = typed.to();
    let event = |result, errno| Ok(Some(RawEvent { user: word as *mut _, result, errno }));
    match begin(link.node(), call, Owned::<true> { to, word, timeout: call.nanoseconds }) {
        Answer::Queued => Ok(None),
        Answer::Done(n @ 0..) => event(n as c_int, 0),
        Answer::Done(n) => event(-1, -n as c_int),
        Answer::Slow(Ok(n)) => event(n as c_int, 0),
        Answer::Slow(Err(errno)) => event(-1, errno.0),
        Answer::Refused(errno) => Err(errno),
        Answer::Libcs => Err(why_not(link.node())),
    }
}

#[inline(always)]
fn read_of(buf: usize, len: usize) -> Recv {
    Recv { kind: Kind::Read, buf: UserPtr::number(buf), len, flags: 0 }
}

#[inline(always)]
fn write_of(buf: usize, len: usize) -> Send {
    Send { kind: Kind::Write, buf: UserPtr::number(buf), len, flags: 0 }
}

/// Of an operation without a limit of its own, which ends in an event.
#[inline(always)]
fn plain(word: usize, to: Linked) -> Owned<false> {
    Owned { to, word, timeout: 0 }
}

// Those that are called from where `start` is inlined do not unwind, which `extern "C"` tells the compiler: nothing has
// to be kept for that. All that they need is in registers, the first ones where the system call wants them.

#[inline(never)]
extern "C" fn read(node: &'static Attachment, buf: usize, len: usize, word: usize, to: Linked) -> c_int {
    let call = read_of(buf, len);
    match start::wait_sole((node, to.pipe()), call, plain(word, to)) {
        Waited::Queued => 0,
        _ => read_otherwise(node, buf, len, word, to),
    }
}

/// The same by a thread that locks, or if it does not wait.
#[inline(never)]
extern "C" fn read_otherwise(
    node: &'static Attachment,
    buf: usize,
    len: usize,
    word: usize,
    to: Linked,
) -> c_int {
    let call = read_of(buf, len);
    if start::wait_shared(node, call, plain(word, to)) {
        return 0;
    }
    read_slow(node, buf, len, word, to)
}

#[inline(never)]
extern "C" fn read_slow(node: &'static Attachment, buf: usize, len: usize, word: usize, to: Linked) -> c_int {
    let call = read_of(buf, len);
    done(input_otherwise(node, call, plain(word, to)), node)
}

#[inline(never)]
extern "C" fn write(node: &'static Attachment, buf: usize, len: usize, word: usize, to: Linked) -> c_int {
    let call = write_of(buf, len);
    match start::output_sole((node, to.pipe()), call, plain(word, to)) {
        Fast::Queued => 0,
        Fast::Begun(sole, sent) => write_begun(sole, node, buf, len, word, sent),
        _ => write_otherwise(node, buf, len, word, to),
    }
}

#[cold]
#[inline(never)]
fn write_begun(
    sole: Sole,
    node: &'static Attachment,
    buf: usize,
    len: usize,
    word: usize,
    sent: isize,
) -> c_int {
    let call = write_of(buf, len);
    // SAFETY: it was attached when this was begun, and no other thread has come in between.
    let to = Linked::to(unsafe { node.read().attached_pipe_unchecked() });
    match start::output_begun(sole, node, call, plain(word, to), sent) {
        Answer::Refused(errno) => errno.0,
        _ => 0,
    }
}

/// The same by a thread that locks, or if it is not done at once.
#[inline(never)]
extern "C" fn write_otherwise(
    node: &'static Attachment,
    buf: usize,
    len: usize,
    word: usize,
    to: Linked,
) -> c_int {
    let call = write_of(buf, len);
    match start::output_shared(node, call, plain(word, to)) {
        FastShared::Queued => 0,
        FastShared::First(attachment) => announce(attachment),
        FastShared::Begun(attachment, sent) => write_shared_begun(attachment, buf, len, word, to, sent),
        FastShared::Not(attachment) => write_slow(attachment, node, buf, len, word, to),
    }
}

#[inline(never)]
fn announce(attachment: Locked) -> c_int {
    start::announce_shared(attachment);
    // As in `ffi::entry::output_shared`: so that this is the last call of its caller.
    core::hint::black_box(0)
}

#[cold]
#[inline(never)]
fn write_shared_begun(
    attachment: Locked,
    buf: usize,
    len: usize,
    word: usize,
    to: Linked,
    sent: isize,
) -> c_int {
    let node = attachment.node();
    let call = write_of(buf, len);
    done(start::output_shared_begun(attachment, call, plain(word, to), sent), node)
}

#[inline(never)]
fn write_slow(
    attachment: Option<Locked>,
    node: &'static Attachment,
    buf: usize,
    len: usize,
    word: usize,
    to: Linked,
) -> c_int {
    drop(attachment);
    let call = write_of(buf, len);
    done(start::output(node, call, plain(word, to)), node)
}

/// Any call. All of it comes as scalars: given a struct, the compiler would store all of that before it knows whether
/// it needs it.
#[inline(never)]
extern "C" fn other(
    node: &'static Attachment,
    buf: usize,
    len: usize,
    word: usize,
    to: Linked,
    kind: Kind,
    arg: c_int,
    addr: usize,
    addrlen: usize,
    flags: u8,
    nanoseconds: u64,
) -> c_int {
    let call = RawCall { kind, flags, arg, buf, len, addr, addrlen, nanoseconds };
    let words = Owned::<false> { to, word, timeout: nanoseconds };
    done(begin(node, &call, words), node)
}

/// Why an operation is refused that was to go to this node, as a link to the caller's pipe.
#[cold]
fn why_not(node: &Attachment) -> Errno {
    if node.is_attached() { Errno::EINVAL } else { Errno::EBADF }
}

/// What a call comes to that always ends in an event.
#[inline(always)]
fn done(answer: Answer, node: &'static Attachment) -> c_int {
    match answer {
        Answer::Refused(errno) => errno.0,
        Answer::Libcs => why_not(node).0,
        Answer::Queued | Answer::Done(_) | Answer::Slow(_) => 0,
    }
}

#[inline(always)]
fn begin<const INLINE: bool>(node: &'static Attachment, call: &RawCall, words: Owned<INLINE>) -> Answer {
    let RawCall { kind, flags, arg, len, .. } = *call;
    let [buf, addr, addrlen] = [call.buf, call.addr, call.addrlen].map(UserPtr::number);
    match kind {
        Kind::Read => input(node, Recv { kind, buf, len, flags: 0 }, words),
        Kind::Recv if addr.is_null() => input(node, Recv { kind, buf, len, flags: arg }, words),
        Kind::Recv if addrlen.addr() == addr.addr() + LENGTH_BEHIND && is_low(words.word) => {
            input(node, Datagram { buf, len, flags: arg, addr }, words)
        }
        Kind::Recv => input(node, Recvfrom { buf, len, flags: arg, addr, addrlen }, words),
        Kind::Readv => input(node, Readv { iov: buf, count: len as u32 }, words),
        Kind::Recvmsg => input(node, Recvmsg { message: buf, flags: arg }, words),
        Kind::Write => output(node, Send { kind, buf, len, flags: 0 }, words),
        Kind::Send if addr.is_null() => output(node, Send { kind, buf, len, flags: arg }, words),
        Kind::Send => {
            output(node, Sendto { buf, len, flags: arg, addr, addrlen: addrlen.addr() as u32 }, words)
        }
        Kind::Writev => output(node, Writev { iov: buf, count: len as c_int }, words),
        Kind::Sendmsg => output(node, Sendmsg { message: buf, flags: arg }, words),
        Kind::Accept => accept(node, Accept { addr, addrlen, flags: arg }, words),
        Kind::Poll if start::poll_sole((node, words.to.pipe()), arg as i16, words) => Answer::Queued,
        Kind::Poll => start::poll(node, arg as i16, words),
        _ => {
            let request = Request { kind, buf, len, addr, addrlen, arg, flags, ..Request::NOTHING };
            start::slow_at(node, request, words)
        }
    }
}

#[inline(always)]
fn input<C: InputCall, const INLINE: bool>(
    node: &'static Attachment,
    call: C,
    words: Owned<INLINE>,
) -> Answer {
    match start::wait_sole((node, words.to.pipe()), call, words) {
        Waited::Queued => Answer::Queued,
        _ => input_otherwise(node, call, words),
    }
}

#[inline(never)]
fn input_otherwise<C: InputCall, const INLINE: bool>(
    node: &'static Attachment,
    call: C,
    words: Owned<INLINE>,
) -> Answer {
    if start::wait_shared(node, call, words) || start::wait_otherwise(node, call, words) {
        return Answer::Queued;
    }
    start::input(node, call, words)
}

#[inline(always)]
fn output<C: Call, const INLINE: bool>(node: &'static Attachment, call: C, words: Owned<INLINE>) -> Answer {
    match start::output_sole((node, words.to.pipe()), call, words) {
        Fast::Queued => Answer::Queued,
        Fast::Done(n) => Answer::Done(n),
        Fast::Begun(sole, sent) => start::output_begun(sole, node, call, words, sent),
        Fast::Not => output_otherwise(node, call, words),
    }
}

#[inline(never)]
fn output_otherwise<C: Call, const INLINE: bool>(
    node: &'static Attachment,
    call: C,
    words: Owned<INLINE>,
) -> Answer {
    match start::output_shared(node, call, words) {
        FastShared::Queued => return Answer::Queued,
        FastShared::First(attachment) => {
            start::announce_shared(attachment);
            return Answer::Queued;
        }
        FastShared::Begun(attachment, sent) => {
            return start::output_shared_begun(attachment, call, words, sent);
        }
        FastShared::Not(attachment) => drop(attachment),
    }
    start::output(node, call, words)
}
