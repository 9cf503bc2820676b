//! The structs of sendmsg(2) and recvmsg(2) as the kernel has them.
//!
//! glibc's are the kernel's. musl's are as POSIX has them: its lengths are half as long as the kernel's, with padding
//! in the place of the upper half, and its own functions hand the kernel a copy in which the padding is zero. So do
//! these.

use super::UserPtr;

/// Calls `call` with the kernel's form of the msghdr of a message to be sent. What is returned: bytes, or -errno.
#[cfg(not(target_env = "musl"))]
#[inline(always)]
pub(super) fn sent(message: UserPtr, call: impl FnOnce(UserPtr) -> isize) -> isize {
    call(message)
}

/// Calls `call` with the kernel's form of the msghdr of a message to be received, and leaves what the kernel has
/// written to it. What is returned: bytes, or -errno.
#[cfg(not(target_env = "musl"))]
#[inline(always)]
pub(super) fn received(message: UserPtr, call: impl FnOnce(UserPtr) -> isize) -> isize {
    call(message)
}

#[cfg(target_env = "musl")]
pub(super) use musl::{received, sent};

#[cfg(target_env = "musl")]
mod musl {
    use super::UserPtr;
    use core::ffi::{c_int, c_void};

    #[repr(C)]
    struct Kernels {
        name: *mut c_void,
        namelen: libc::socklen_t,
        iov: *mut libc::iovec,
        iovlen: usize,
        control: *mut c_void,
        controllen: usize,
        flags: c_int,
    }

    const _: () = assert!(size_of::<Kernels>() == size_of::<libc::msghdr>());

    impl Kernels {
        fn of(message: &libc::msghdr) -> Kernels {
            Kernels {
                name: message.msg_name,
                namelen: message.msg_namelen,
                iov: message.msg_iov,
                // A negative number is too large for the kernel (EMSGSIZE), as in musl.
                iovlen: message.msg_iovlen as u32 as usize,
                control: message.msg_control,
                controllen: message.msg_controllen as usize,
                flags: message.msg_flags,
            }
        }

        fn pointer(&mut self) -> UserPtr {
            // SAFETY: it is used only during the call.
            unsafe { UserPtr::new(core::ptr::from_mut(self)) }
        }
    }

    /// The head of each part of control data; the next part begins at the next multiple of eight.
    const HEAD: usize = size_of::<libc::cmsghdr>();

    /// As much control data as musl's sendmsg takes: as many descriptors as kernels have ever let a message pass.
    const MOST_CONTROL: usize = 66 * HEAD;

    #[repr(C, align(8))]
    struct Control([u8; MOST_CONTROL]);

    /// Clears the padding in the head of each part.
    fn clear(control: &mut [u8]) {
        let mut rest = control;
        while let Some((len, after)) = rest.split_first_chunk_mut::<4>() {
            let Some((padding, _)) = after.split_first_chunk_mut::<4>() else { return };
            *padding = [0; 4];
            let len = u32::from_ne_bytes(*len) as usize;
            if len < HEAD {
                return;
            }
            rest = rest.get_mut(len.next_multiple_of(8)..).unwrap_or_default();
        }
    }

    pub(in crate::sys) fn sent(message: UserPtr, call: impl FnOnce(UserPtr) -> isize) -> isize {
        if message.is_null() {
            return call(message);
        }
        // SAFETY: a `UserPtr` stands for memory that the operation may use. As with musl's own function it must be
        // there.
        let mut kernels = Kernels::of(unsafe { &*(message.addr() as *const libc::msghdr) });
        if kernels.controllen == 0 {
            return call(kernels.pointer());
        }
        let mut copy = Control([0; MOST_CONTROL]);
        let Some(room) = copy.0.get_mut(..kernels.controllen) else { return -(libc::ENOMEM as isize) };
        // SAFETY: as above; there is room for it.
        unsafe {
            core::ptr::copy_nonoverlapping(kernels.control.cast::<u8>(), room.as_mut_ptr(), room.len());
        }
        clear(room);
        kernels.control = room.as_mut_ptr().cast();
        call(kernels.pointer())
    }

    pub(in crate::sys) fn received(message: UserPtr, call: impl FnOnce(UserPtr) -> isize) -> isize {
        if message.is_null() {
            return call(message);
        }
        // SAFETY: as in `sent`; nothing else uses it now.
        let message = unsafe { &mut *(message.addr() as *mut libc::msghdr) };
        let mut kernels = Kernels::of(message);
        let answer = call(kernels.pointer());
        message.msg_namelen = kernels.namelen;
        message.msg_controllen = kernels.controllen as libc::socklen_t;
        message.msg_flags = kernels.flags;
        answer
    }
}
