//! What the kernel does for the files under test: a futex, modelled by a list of waiters under one of loom's mutexes.
//! That orders more than the kernel promises; but there are interleavings in which no thread sleeps, and in those
//! nothing but what is tested orders what the threads do.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Errno {
    EINTR,
    ETIMEDOUT,
}

pub(crate) mod thread_pointer {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    /// Each thread of each model has a number of its own. One of the standard library's, which loom does not see.
    static NEXT: AtomicUsize = AtomicUsize::new(16);

    loom::thread_local! {
        static POINTER: usize = NEXT.fetch_add(16, Relaxed);
    }

    pub(crate) fn thread_pointer() -> usize {
        POINTER.with(|pointer| *pointer)
    }
}

pub(crate) mod process {
    use super::Errno;

    pub(crate) fn pause() {
        super::futex::pause();
    }

    pub(crate) fn prepare_barrier() -> Result<(), Errno> {
        Ok(())
    }

    pub(crate) fn barrier() {
        crate::barrier();
    }
}

pub(crate) mod observers {
    pub(crate) fn are_there() -> bool {
        false
    }
}

pub(crate) mod memory {
    /// What of a process is not shared with its children: a model forks none.
    pub(crate) struct Pages<T> {
        pub(crate) value: T,
    }

    impl<T> Pages<T> {
        pub(crate) fn new(value: T) -> Pages<T> {
            Pages { value }
        }

        pub(crate) fn wipe_on_fork(&self) -> bool {
            true
        }
    }
}

pub(crate) mod futex {
    use super::Errno;
    use crate::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use loom::sync::{Condvar, Mutex, MutexGuard};
    use std::sync::{Arc, OnceLock};

    struct Sleeper {
        word: *const AtomicU32,
        has_deadline: bool,
        outcome: OnceLock<Result<(), Errno>>,
        woken: Condvar,
    }

    // SAFETY: the pointer is compared, never followed.
    unsafe impl Send for Sleeper {}
    // SAFETY: the same.
    unsafe impl Sync for Sleeper {}

    #[derive(Default)]
    struct Kernel {
        waiters: Vec<Arc<Sleeper>>,
        /// Every deadline has passed.
        is_late: bool,
        /// A pause lasts until then.
        is_pause_long: bool,
    }

    loom::lazy_static! {
        static ref KERNEL: Mutex<Kernel> = Mutex::new(Kernel::default());
    }

    /// Begins a model, before it has threads: making the kernel would order what they do.
    pub(crate) fn boot() {
        drop(KERNEL.lock().unwrap());
    }

    pub(crate) fn wait(word: &AtomicU32, value: u32, deadline: Option<u64>) -> Result<(), Errno> {
        let kernel = KERNEL.lock().unwrap();
        // Relaxed: this may be an old value if the thread that wrote a new one has not called to wake others yet.
        if word.load(Relaxed) != value {
            return Ok(());
        }
        if deadline.is_some() && kernel.is_late {
            return Err(Errno::ETIMEDOUT);
        }
        sleep(kernel, word, deadline.is_some())
    }

    fn sleep(
        mut kernel: MutexGuard<'_, Kernel>,
        word: *const AtomicU32,
        has_deadline: bool,
    ) -> Result<(), Errno> {
        let me = Arc::new(Sleeper { word, has_deadline, outcome: OnceLock::new(), woken: Condvar::new() });
        kernel.waiters.push(me.clone());
        loop {
            kernel = me.woken.wait(kernel).unwrap();
            if let Some(outcome) = me.outcome.get() {
                return *outcome;
            }
        }
    }

    /// Two threads that try again and again would keep loom busy for ever: it lets them take turns with each other
    /// and with no third. So where there are two, they try again when the thread that they wait for says so.
    pub(crate) fn make_pauses_long() {
        KERNEL.lock().unwrap().is_pause_long = true;
    }

    pub(crate) fn pause() {
        let kernel = KERNEL.lock().unwrap();
        if kernel.is_pause_long && !kernel.is_late {
            let _ = sleep(kernel, core::ptr::null(), true);
        } else {
            drop(kernel);
            loom::thread::yield_now();
        }
    }

    fn end(kernel: &mut Kernel, most: usize, outcome: Result<(), Errno>, who: impl Fn(&Sleeper) -> bool) {
        let mut left = most;
        kernel.waiters.retain(|sleeper| {
            if left == 0 || !who(sleeper) {
                return true;
            }
            left -= 1;
            sleeper.outcome.set(outcome).unwrap();
            sleeper.woken.notify_one();
            false
        });
    }

    pub(crate) fn wake_one(word: &AtomicU32) {
        end(&mut KERNEL.lock().unwrap(), 1, Ok(()), |sleeper| core::ptr::eq(sleeper.word, word));
    }

    pub(crate) fn wake_all(word: &AtomicU32) {
        end(&mut KERNEL.lock().unwrap(), usize::MAX, Ok(()), |sleeper| core::ptr::eq(sleeper.word, word));
    }

    /// A signal for every thread that sleeps.
    pub(crate) fn signal() {
        end(&mut KERNEL.lock().unwrap(), usize::MAX, Err(Errno::EINTR), |_| true);
    }

    /// The time of all deadlines.
    pub(crate) fn strike() {
        let mut kernel = KERNEL.lock().unwrap();
        kernel.is_late = true;
        end(&mut kernel, usize::MAX, Err(Errno::ETIMEDOUT), |sleeper| sleeper.has_deadline);
    }
}
