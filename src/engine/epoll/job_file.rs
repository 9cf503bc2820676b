//! The file of a job: how a worker makes its calls on the program's own number. See `blocking`.

use crate::state::jobs::Workers;
use crate::sys::{Errno, Result, nature};
use core::cell::Cell;
use core::ffi::c_int;

/// How calls are made on the descriptor that owns an operation: a worker uses its number for one call at a time, since
/// the program may take it away in between.
pub(crate) trait Own {
    fn call<T>(&self, call: impl FnOnce(c_int) -> Result<T>) -> Result<T>;
}

/// The file of a job.
pub(crate) struct JobFile {
    pub(crate) number: c_int,
    pub(crate) identity: c_int,
    /// Its class is `Special`.
    pub(crate) is_special: bool,
    /// Where the number is, if a worker does it.
    pub(crate) seat: Option<(&'static Workers, usize)>,
    /// The number is another file's by now, or none's.
    pub(crate) is_gone: Cell<bool>,
}

impl Own for JobFile {
    /// Makes a call on the file; EBADF if its number was closed, or has become another file.
    fn call<T>(&self, call: impl FnOnce(c_int) -> Result<T>) -> Result<T> {
        let Some((workers, index)) = self.seat else { return call(self.number) };
        loop {
            let number = workers.number(index, false);
            if nature::identity(number) != self.identity {
                if workers.number(index, false) != number {
                    continue;
                }
                self.is_gone.set(true);
                return Err(Errno::EBADF);
            }
            if workers.number(index, true) == number {
                let r = call(number);
                workers.number(index, false);
                return r;
            }
        }
    }
}
