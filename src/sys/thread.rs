//! Threads of the library's own: bare pthreads, without the thread-locals of Rust's, which a forked child would be left
//! with; and with all signals blocked (rule 5.5).

use super::{Errno, Result, process};
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::null_mut;

/// A thread that has been started and not yet joined, by its handle: a number with glibc, a pointer with musl.
pub(crate) struct Thread(usize);

/// What a new thread is to do. It gets nothing but a reference that lives for ever, so that nothing of it is lost in a
/// forked child, which has the memory but not the thread.
pub(crate) trait Task: Sync + 'static {
    fn run(&'static self);
}

extern "C" fn enter<T: Task>(task: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passes on a reference that lives for ever.
    unsafe { &*task.cast::<T>() }.run();
    null_mut()
}

impl Thread {
    /// Starts a thread. EAGAIN if there is none to be had; no thread either if signals cannot be blocked in it.
    pub(crate) fn start<T: Task>(task: &'static T, stack: usize) -> Result<Thread> {
        let mut attributes = MaybeUninit::uninit();
        let mut thread = MaybeUninit::uninit();
        let task = core::ptr::from_ref(task).cast_mut().cast();
        // SAFETY: the attributes are made, used and destroyed here; the task lives for ever.
        let r = process::with_all_signals_blocked(|| unsafe {
            libc::pthread_attr_init(attributes.as_mut_ptr());
            // If it is too small for this system's thread-locals, the default is taken.
            libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), stack);
            let r = libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), enter::<T>, task);
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            r
        })?;
        if r != 0 {
            return Err(Errno(r));
        }
        // SAFETY: pthread_create has succeeded.
        let thread = unsafe { thread.assume_init() };
        // SAFETY: the thread has not been joined.
        unsafe { libc::pthread_setname_np(thread, c"ioevent".as_ptr()) };
        Ok(Thread(thread as usize))
    }

    /// Whether it is the calling thread.
    pub(crate) fn is_current(&self) -> bool {
        // SAFETY: no pointers.
        self.0 == unsafe { libc::pthread_self() } as usize
    }

    /// No thread will wait for its end.
    pub(crate) fn detach(self) {
        // SAFETY: the thread has been neither joined nor detached.
        unsafe { libc::pthread_detach(self.0 as libc::pthread_t) };
    }

    /// Waits for its end.
    pub(crate) fn join(self) {
        // Joining is a cancellation point, which no call here may be (rule 5.3).
        const DISABLE: core::ffi::c_int = 1;
        let mut state = 0;
        // SAFETY: the thread has not been joined, and is not this one; the state is written and put back.
        unsafe {
            pthread_setcancelstate(DISABLE, &mut state);
            libc::pthread_join(self.0 as libc::pthread_t, null_mut());
            pthread_setcancelstate(state, null_mut());
        }
    }
}

unsafe extern "C" {
    // Not in the libc crate for glibc; cbindgen.toml keeps it out of the header.
    fn pthread_setcancelstate(state: core::ffi::c_int, old: *mut core::ffi::c_int) -> core::ffi::c_int;
}
