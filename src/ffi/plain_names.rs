//! What libioevent_posix is told, and tells: the library of libc's own names, which lead to the functions of this one
//! (rule 6). Nothing of it is for others, so it has no exported function, but is a command of `ioevent_fcntl`.

use crate::calls::attach;
use crate::calls::{close, lookup};
use crate::state::attachment::{Attachment, Entry};
use crate::state::{table, world};
use crate::sys::{Errno, Result, errno, next};
use core::ffi::{c_int, c_uint, c_void};

/// ioevent_fcntl(-1, this, const struct Next *, struct Answer *). The number is another when the structs are.
pub(super) const F_PLAIN_NAMES: c_int = 0x494f_7001;

/// Where libc's own functions are.
#[repr(C)]
pub(super) struct Next {
    /// Of this struct, in bytes.
    size: usize,
    functions: [*const c_void; next::COUNT],
}

/// What is behind a number.
#[repr(C)]
pub(super) struct Answer {
    /// Of this struct, in bytes: as the caller knows it, and as it is here.
    size: usize,
    /// The words of the numbers below `count`, `stride` bytes apart: 0 if the number is nothing of ours.
    words: *const c_void,
    count: usize,
    stride: usize,
    /// What there is in this process (`world::Own`).
    state: *const c_void,
    /// What a number is: `NOTHING` and its like.
    what: extern "C" fn(c_int) -> c_int,
    /// Closes the attached descriptors and the pipes among these numbers.
    close_all: extern "C" fn(c_uint, c_uint),
}

const NOTHING: c_int = 0;
const ATTACHED: c_int = 1;
const PIPE: c_int = 2;
/// Attached, with IOEVENT_POLLONLY.
const POLL_ONLY: c_int = 3;

/// Takes over where libc's functions are, and says how numbers are looked up. EINVAL for structs of another size.
///
/// # Safety
///
/// The pointers are null or lead to such structs; the functions are of those names.
pub(super) unsafe fn meet(next: *const Next, answer: *mut Answer) -> Result<c_int> {
    if next.is_null() || answer.is_null() {
        return Err(Errno::EFAULT);
    }
    // SAFETY: as promised by the caller. Each begins with its size, whatever follows.
    let sizes = unsafe { (next.cast::<usize>().read(), answer.cast::<usize>().read()) };
    if sizes != (size_of::<Next>(), size_of::<Answer>()) {
        return Err(Errno::EINVAL);
    }
    let (words, count) = table::near_words();
    let what_there_is = Answer {
        size: size_of::<Answer>(),
        words,
        count,
        stride: size_of::<Attachment>(),
        state: core::ptr::from_ref(world::own()).cast(),
        what,
        close_all,
    };
    // SAFETY: as promised by the caller, and of these sizes. (Until now there are no functions in the answer, so there
    // is no reference to it.)
    unsafe {
        answer.write(what_there_is);
        next::set(&(*next).functions);
    }
    Ok(0)
}

extern "C" fn what(fd: c_int) -> c_int {
    match lookup::get(fd) {
        Entry::Nothing => NOTHING,
        Entry::Pipe(_) => PIPE,
        Entry::Attachment(_) => match attach::modes(fd) {
            Ok(modes) if modes.poll_only => POLL_ONLY,
            Ok(_) => ATTACHED,
            Err(_) => NOTHING,
        },
    }
}

extern "C" fn close_all(first: c_uint, last: c_uint) {
    lookup::inspect();
    let Some(world) = world::world() else { return };
    if world::is_borrowed() {
        return;
    }
    let _kept = errno::Kept::new();
    let is_meant =
        |number: &c_int| u32::try_from(*number).is_ok_and(|number| (first..=last).contains(&number));
    for number in table::attached_numbers().filter(is_meant) {
        let _ = close::close_number(number);
    }
    for number in world.pipes.in_use().map(|pipe| pipe.number()).filter(is_meant) {
        let _ = close::close_number(number);
    }
}
