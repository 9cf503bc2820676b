//! The exported functions: a few instructions each, which leave all arguments where they are and jump on, so that no
//! frame of ours is on the stack, whatever the function takes: another's cancellation, unwinding and signal handlers
//! find what they would find without this library.
//!
//! They use only addresses relative to themselves, which are right before relocation.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
use aarch64::{checked, enter_cold, forward, look_up, part};
#[cfg(target_arch = "x86_64")]
use x86_64::{checked, enter_cold, forward, look_up, part};

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

/// One look at the descriptor, and the next function, if it is nothing of libioevent's: that costs less than to go
/// there and back. Else the target.
macro_rules! looked_up {
    ($($which:ident: $($name:ident)*;)*) => { $($(
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name() {
            look_up!($name, $which)
        }
    )*)* };
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

// fcntl has commands on any descriptor.
forwarded! {
    fcntl fcntl64 __fcntl
    strerror strerror_r __xpg_strerror_r strerror_l strerrorname_np strerrordesc_np perror
}

// accept has libioevent.so forget what it knew of the number that comes out; close_range has it close what it has. A
// transfer harms no pipe in a child that was made without fork(3), so it is not what such a child is noticed by.
looked_up! {
    none: accept accept4 close_range closefrom;
    first: read __read readv pread pread64 __pread64 preadv preadv64 preadv2 preadv64v2 eventfd_read recv
        recvfrom recvmsg recvmmsg write __write writev pwrite pwrite64 __pwrite64 pwritev pwritev64 pwritev2
        pwritev64v2 eventfd_write send __send sendto sendmsg sendmmsg vmsplice connect __connect fsync
        fdatasync shutdown close __close;
    second: dup2 __dup2 dup3;
    first_and_second: sendfile sendfile64 tee;
    first_and_third: splice;
    second_if_pidfd: waitid;
}

fortified! {
    __read_chk: read, third <= fourth, nothing;
    __pread_chk: pread, third <= fifth, nothing;
    __pread64_chk: pread64, third <= fifth, nothing;
    __recv_chk: recv, third <= fourth, one;
    __recvfrom_chk: recvfrom, third <= fourth, three;
}

enter_cold!();
