//! Lines for the one who debugs a program, on its standard error: each by one write(2), without memory of the heap.

use super::raw::{self, Sysno};
use super::{errno, process};
use core::fmt;

/// The longest line.
const ROOM: usize = 512;

/// A line that is being written. What is too long for it is cut off.
pub(crate) struct Line {
    text: [u8; ROOM],
    len: usize,
}

impl Line {
    /// Sends a line.
    pub(crate) fn send(text: fmt::Arguments) {
        let mut line = Line { text: [0; ROOM], len: 0 };
        let _ = fmt::write(&mut line, format_args!("ioevent: {text}"));
        // One byte is left for it.
        line.len = line.len.min(ROOM - 1);
        if let Some(end) = line.text.get_mut(line.len) {
            *end = b'\n';
        }
        let _errno = errno::Kept::new();
        let (at, len) = (line.text.as_ptr() as usize, line.len + 1);
        let _ = process::without_sigpipe(|| {
            // SAFETY: the kernel reads the line.
            unsafe { raw::call3(Sysno::write, libc::STDERR_FILENO as usize, at, len) }
        });
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = self.text.get_mut(self.len..).unwrap_or(&mut []);
        for (to, byte) in room.iter_mut().zip(part.bytes()) {
            *to = byte;
            self.len += 1;
        }
        Ok(())
    }
}
