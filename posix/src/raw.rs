//! System calls without libc, for as long as libc's functions are not known.
//!
//! The code here runs before this library's own relocations too, so it uses no address that needs one: no function of
//! another library, no table of pointers. errno can be set only afterwards.

use crate::{errors, start};
use core::arch::asm;
use core::ffi::c_int;

/// What stands in for a function.
pub(crate) enum Raw {
    /// The system call with this number, given so many arguments of the function's; the others are 0.
    Call(u16, u8),
    /// preadv2, pwritev2: the system call has the offset in two halves.
    Vectors(u16),
    /// dup2, which not every architecture has.
    Dup2,
    /// closefrom(first).
    Closefrom,
    /// eventfd_read(fd, value).
    EventfdRead,
    /// eventfd_write(fd, value).
    EventfdWrite,
    /// The description of an error.
    Text,
    /// EINVAL, as an answer.
    Unknown,
    /// NULL, or nothing.
    Nothing,
    /// The process ends.
    Abort,
}

/// Calls what stands in for the function with this index, with these arguments.
///
/// # Safety
///
/// The arguments are what the function takes.
pub(crate) unsafe extern "C" fn call(index: usize, arguments: &[usize; 6]) -> isize {
    let Some(raw) = crate::names::RAW.get(index) else { abort() };
    let &[a, b, c, d, e, f] = arguments;
    // SAFETY (of all of them): the arguments are the function's, in the order of the system call's.
    let result = match *raw {
        Raw::Call(number, given) => {
            let or_0 = |place, argument| if place < given { argument } else { 0 };
            // SAFETY: as above.
            unsafe { system(number, [a, or_0(1, b), or_0(2, c), or_0(3, d), or_0(4, e), or_0(5, f)]) }
        }
        // SAFETY: as above.
        Raw::Vectors(number) => unsafe { system(number, [a, b, c, d, 0, e]) },
        // SAFETY: there are no pointers.
        Raw::Dup2 => unsafe { dup2(a, b) },
        Raw::Closefrom => {
            let first = (a as c_int).max(0) as usize;
            // SAFETY: there are no pointers.
            unsafe { system(libc::SYS_close_range as u16, [first, u32::MAX as usize, 0, 0, 0, 0]) }
        }
        // SAFETY: the caller gives a number to write to.
        Raw::EventfdRead => whole(unsafe { system(libc::SYS_read as u16, [a, b, 8, 0, 0, 0]) }),
        Raw::EventfdWrite => {
            let value = &raw const b as usize;
            // SAFETY: these are the eight bytes of a number of ours.
            whole(unsafe { system(libc::SYS_write as u16, [a, value, 8, 0, 0, 0]) })
        }
        Raw::Text => return errors::text(a as c_int).unwrap_or(c"Unknown error").as_ptr() as isize,
        Raw::Unknown => return libc::EINVAL as isize,
        Raw::Nothing => return 0,
        Raw::Abort => abort(),
    };
    if !(-4095..0).contains(&result) {
        return result;
    }
    if start::is_relocated() {
        errors::set(-result as c_int);
    }
    -1
}

/// What eventfd_read and eventfd_write make of the result of a read or a write.
fn whole(result: isize) -> isize {
    if result == 8 { 0 } else { result.min(-1) }
}

/// # Safety
///
/// None: there are no pointers.
unsafe fn dup2(from: usize, to: usize) -> isize {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: there are no pointers.
    return unsafe { system(libc::SYS_dup2 as u16, [from, to, 0, 0, 0, 0]) };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: there are no pointers.
    return unsafe {
        if from as c_int == to as c_int {
            let flags = system(libc::SYS_fcntl as u16, [from, libc::F_GETFD as usize, 0, 0, 0, 0]);
            if flags < 0 { flags } else { to as c_int as isize }
        } else {
            system(libc::SYS_dup3 as u16, [from, to, 0, 0, 0, 0])
        }
    };
}

/// Ends the process.
pub(crate) fn abort() -> ! {
    // SAFETY: an instruction that is none.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("ud2", options(noreturn, nostack));
        #[cfg(target_arch = "aarch64")]
        asm!("udf #0", options(noreturn, nostack));
    }
}

/// # Safety
///
/// The arguments are what the system call takes.
#[inline(always)]
unsafe fn system(number: u16, arguments: [usize; 6]) -> isize {
    let [a, b, c, d, e, f] = arguments;
    let result: isize;
    // SAFETY: passed on to the caller; the kernel keeps all other registers.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("syscall", inlateout("rax") usize::from(number) as isize => result, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, in("r8") e, in("r9") f, lateout("rcx") _, lateout("r11") _, options(nostack));
        #[cfg(target_arch = "aarch64")]
        asm!("svc #0", in("x8") usize::from(number), inlateout("x0") a as isize => result, in("x1") b, in("x2") c,
            in("x3") d, in("x4") e, in("x5") f, options(nostack));
    }
    result
}
