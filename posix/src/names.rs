//! The functions that are exported: what each is made of, in one table.

use crate::libioevent::*;
use crate::raw::Raw;
use crate::{descriptors, errors, vectors};
use libc::*;

/// Where a plain name leads once the next functions are known and libioevent.so has them.
pub(crate) enum Target {
    /// To libioevent's function, or to one of ours that calls it.
    To(usize),
    /// To the next one.
    Next,
}

macro_rules! names {
    ($($name:ident, $target:expr, $raw:expr;)*) => {
        /// An exported function.
        #[allow(non_camel_case_types)] // They have the names of the functions.
        #[derive(Clone, Copy)]
        #[repr(usize)]
        pub(crate) enum Name { $($name),* }

        /// All of them, in their order, which is also that of TEXTS and RAW.
        pub(crate) const NAMES: [Name; COUNT] = [$(Name::$name),*];
        pub(crate) const COUNT: usize = [$(stringify!($name)),*].len();

        /// Their names, one after the other, each ended by a zero: no table of pointers, which takes relocations.
        pub(crate) static TEXTS: &str = concat!($(stringify!($name), "\0"),*);

        /// The system call that stands in for a function while nothing better is known.
        pub(crate) static RAW: [Raw; COUNT] = [$($raw),*];

        /// Where it leads.
        pub(crate) fn target(name: Name) -> Target {
            match name { $(Name::$name => $target),* }
        }
    };
}

macro_rules! to {
    ($function:path) => {
        Target::To($function as *const () as usize)
    };
}
const fn call(number: c_long, arguments: u8) -> Raw {
    Raw::Call(number as u16, arguments)
}

names! {
    // Those that libioevent.so is told of, in the order of `Next`.
    read, to!(ioevent_read), call(SYS_read, 3);
    write, to!(ioevent_write), call(SYS_write, 3);
    readv, to!(ioevent_readv), call(SYS_readv, 3);
    writev, to!(ioevent_writev), call(SYS_writev, 3);
    pread, to!(ioevent_pread), call(SYS_pread64, 4);
    pwrite, to!(ioevent_pwrite), call(SYS_pwrite64, 4);
    preadv, to!(ioevent_preadv), call(SYS_preadv, 4);
    pwritev, to!(ioevent_pwritev), call(SYS_pwritev, 4);
    recv, to!(ioevent_recv), call(SYS_recvfrom, 4);
    recvfrom, to!(ioevent_recvfrom), call(SYS_recvfrom, 6);
    recvmsg, to!(ioevent_recvmsg), call(SYS_recvmsg, 3);
    send, to!(ioevent_send), call(SYS_sendto, 4);
    sendto, to!(ioevent_sendto), call(SYS_sendto, 6);
    sendmsg, to!(ioevent_sendmsg), call(SYS_sendmsg, 3);
    accept, to!(ioevent_accept), call(SYS_accept, 3);
    accept4, to!(ioevent_accept4), call(SYS_accept4, 4);
    connect, to!(ioevent_connect), call(SYS_connect, 3);
    sendfile, to!(ioevent_sendfile), call(SYS_sendfile, 4);
    splice, to!(ioevent_splice), call(SYS_splice, 6);
    fsync, to!(ioevent_fsync), call(SYS_fsync, 1);
    fdatasync, to!(ioevent_fdatasync), call(SYS_fdatasync, 1);
    waitid, to!(ioevent_waitid), call(SYS_waitid, 4);
    shutdown, to!(ioevent_shutdown), call(SYS_shutdown, 2);
    close, to!(ioevent_close), call(SYS_close, 1);
    dup2, to!(ioevent_dup2), Raw::Dup2;
    dup3, to!(ioevent_dup3), call(SYS_dup3, 3);
    fcntl, to!(ioevent_fcntl), call(SYS_fcntl, 3);
    strerror, to!(ioevent_strerror), Raw::Text;

    // The same under other names.
    pread64, to!(ioevent_pread), call(SYS_pread64, 4);
    pwrite64, to!(ioevent_pwrite), call(SYS_pwrite64, 4);
    preadv64, to!(ioevent_preadv), call(SYS_preadv, 4);
    pwritev64, to!(ioevent_pwritev), call(SYS_pwritev, 4);
    sendfile64, to!(ioevent_sendfile), call(SYS_sendfile, 4);
    fcntl64, to!(ioevent_fcntl), call(SYS_fcntl, 3);
    __read, to!(ioevent_read), call(SYS_read, 3);
    __write, to!(ioevent_write), call(SYS_write, 3);
    __pread64, to!(ioevent_pread), call(SYS_pread64, 4);
    __pwrite64, to!(ioevent_pwrite), call(SYS_pwrite64, 4);
    __send, to!(ioevent_send), call(SYS_sendto, 4);
    __connect, to!(ioevent_connect), call(SYS_connect, 3);
    __close, to!(ioevent_close), call(SYS_close, 1);
    __dup2, to!(ioevent_dup2), Raw::Dup2;
    __fcntl, to!(ioevent_fcntl), call(SYS_fcntl, 3);

    // Those that libioevent.so has no name for.
    preadv2, to!(vectors::preadv2), Raw::Vectors(SYS_preadv2 as u16);
    preadv64v2, to!(vectors::preadv64v2), Raw::Vectors(SYS_preadv2 as u16);
    pwritev2, to!(vectors::pwritev2), Raw::Vectors(SYS_pwritev2 as u16);
    pwritev64v2, to!(vectors::pwritev64v2), Raw::Vectors(SYS_pwritev2 as u16);
    recvmmsg, to!(descriptors::recvmmsg), call(SYS_recvmmsg, 5);
    sendmmsg, to!(descriptors::sendmmsg), call(SYS_sendmmsg, 4);
    tee, to!(descriptors::tee), call(SYS_tee, 4);
    vmsplice, to!(descriptors::vmsplice), call(SYS_vmsplice, 4);
    eventfd_read, to!(vectors::eventfd_read), Raw::EventfdRead;
    eventfd_write, to!(vectors::eventfd_write), Raw::EventfdWrite;

    // These come here only if the buffer is too short, to abort.
    __read_chk, Target::Next, Raw::Abort;
    __pread_chk, Target::Next, Raw::Abort;
    __pread64_chk, Target::Next, Raw::Abort;
    __recv_chk, Target::Next, Raw::Abort;
    __recvfrom_chk, Target::Next, Raw::Abort;

    close_range, to!(descriptors::close_range), call(SYS_close_range, 3);
    closefrom, to!(descriptors::closefrom), Raw::Closefrom;

    strerror_r, to!(errors::strerror_r), Raw::Text;
    __xpg_strerror_r, to!(errors::xpg_strerror_r), Raw::Unknown;
    strerror_l, to!(errors::strerror_l), Raw::Text;
    strerrorname_np, to!(errors::strerrorname_np), Raw::Nothing;
    strerrordesc_np, to!(errors::strerrordesc_np), Raw::Nothing;
    perror, to!(errors::perror), Raw::Nothing;
}

/// Those that not every libc has, and something of ours stands in for. To look for what is not there allocates: they wait
/// for a time when that is safe.
pub(crate) fn may_be_missing(name: Name) -> bool {
    matches!(name, Name::close_range | Name::closefrom | Name::strerrorname_np | Name::strerrordesc_np)
}
