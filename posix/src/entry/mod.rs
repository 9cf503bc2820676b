//! The exported functions: a few instructions each, which leave all arguments where they are and jump on, so that no
//! frame of ours is on the stack, whatever the function takes: another's cancellation, unwinding and signal handlers find
//! what they would find without this library.
//!
//! They use only addresses relative to themselves, which are right before relocation.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
use aarch64::{checked, enter_cold, forward, look_up, look_up_both};
#[cfg(target_arch = "x86_64")]
use x86_64::{checked, enter_cold, forward, look_up, look_up_both};

/// One look at the target.
macro_rules! forwarded {
    ($($name:ident)*) => { $(
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name() {
            forward!($name)
        }
    )* };
}

/// One look at the descriptor, and the next function; or the function of ours that looks more closely.
macro_rules! looked_up {
    ($($name:ident: $look:ident, $slow:path;)*) => { $(
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name() {
            $look!($name, $slow)
        }
    )* };
}

/// The fortified functions: if the buffer is too short the next one, which ends the process. Else the plain function
/// `$plain`; `$bytes` and `$room` are the arguments to compare, and then arguments are moved to where that has them.
macro_rules! fortified {
    ($($name:ident: $plain:ident, $bytes:ident <= $room:ident, $move:ident;)*) => { $(
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name() {
            checked!($name, $plain, $bytes, $room, $move)
        }
    )* };
}

forwarded! {
    read write readv writev pread pwrite preadv pwritev recv recvfrom recvmsg send sendto sendmsg accept accept4 connect
    sendfile splice fsync fdatasync waitid shutdown close dup2 dup3 fcntl close_range closefrom
    pread64 pwrite64 preadv64 pwritev64 sendfile64 fcntl64
    __read __write __pread64 __pwrite64 __send __connect __close __dup2 __fcntl
    strerror strerror_r __xpg_strerror_r strerror_l strerrorname_np strerrordesc_np perror
}

looked_up! {
    preadv2: look_up, crate::vectors::preadv2;
    preadv64v2: look_up, crate::vectors::preadv64v2;
    pwritev2: look_up, crate::vectors::pwritev2;
    pwritev64v2: look_up, crate::vectors::pwritev64v2;
    recvmmsg: look_up, crate::descriptors::recvmmsg;
    sendmmsg: look_up, crate::descriptors::sendmmsg;
    tee: look_up_both, crate::descriptors::tee;
    vmsplice: look_up, crate::descriptors::vmsplice;
    eventfd_read: look_up, crate::vectors::eventfd_read;
    eventfd_write: look_up, crate::vectors::eventfd_write;
}

fortified! {
    __read_chk: read, third <= fourth, nothing;
    __pread_chk: pread, third <= fifth, nothing;
    __pread64_chk: pread64, third <= fifth, nothing;
    __recv_chk: recv, third <= fourth, one;
    __recvfrom_chk: recvfrom, third <= fourth, three;
}

enter_cold!();
