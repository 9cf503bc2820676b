//! Calls as reports name them.

use crate::queue::op::Kind;
use core::ffi::c_int;
use core::fmt;

/// A call on a descriptor.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    pub(crate) is_addressed: bool,
    pub(crate) fd: c_int,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} of descriptor {}", name(self.kind, self.is_addressed), self.fd)
    }
}

/// The name of the call that a kind stands for.
fn name(kind: Kind, is_addressed: bool) -> &'static str {
    match kind {
        Kind::Read => "ioevent_read",
        Kind::Readv => "ioevent_readv",
        Kind::Recv if is_addressed => "ioevent_recvfrom",
        Kind::Recv => "ioevent_recv",
        Kind::Recvmsg => "ioevent_recvmsg",
        Kind::Accept => "ioevent_accept",
        Kind::Write => "ioevent_write",
        Kind::Writev => "ioevent_writev",
        Kind::Send if is_addressed => "ioevent_sendto",
        Kind::Send => "ioevent_send",
        Kind::Sendmsg => "ioevent_sendmsg",
        Kind::Connect => "ioevent_connect",
        Kind::Poll => "ioevent_poll",
        Kind::Pread => "ioevent_pread",
        Kind::Preadv => "ioevent_preadv",
        Kind::Pwrite => "ioevent_pwrite",
        Kind::Pwritev => "ioevent_pwritev",
        Kind::Sendfile => "ioevent_sendfile",
        Kind::Splice => "ioevent_splice",
        Kind::Fsync => "ioevent_fsync",
        Kind::Fdatasync => "ioevent_fdatasync",
        Kind::Shutdown => "ioevent_shutdown",
        Kind::Waitid => "ioevent_waitid",
        Kind::Timer => "a timer",
        Kind::Posted | Kind::Kept => "an event",
    }
}
