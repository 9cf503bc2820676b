//! The table of mounts, /proc/self/mountinfo: the kernel makes it up without asking any file system.

use super::fd::{self, OwnedFd};
use super::raw::{self, Sysno};
use core::ffi::c_int;

/// File systems that the kernel makes up, and whose files may be waited for.
const KINDS: [&[u8]; 13] = [
    b"proc",
    b"sysfs",
    b"debugfs",
    b"tracefs",
    b"cgroup",
    b"cgroup2",
    b"securityfs",
    b"selinuxfs",
    b"smackfs",
    b"configfs",
    b"bpf",
    b"nsfs",
    b"resctrl",
];

/// Whether a device number is that of such a file system. False too if there is no table to be had.
pub(super) fn is_of_the_kernel(device: u64) -> bool {
    let Ok(table) = fd::open(c"/proc/self/mountinfo", libc::O_RDONLY | libc::O_CLOEXEC) else { return false };
    let mut lines = Lines { table, text: [0; TEXT], begin: 0, end: 0 };
    while let Some(line) = lines.next() {
        if let Some(answer) = answer(line, device) {
            return answer;
        }
    }
    false
}

/// What a line of the table says of a device, if it is of that: "36 35 98:0 /root /mountpoint options - type ...".
fn answer(line: &[u8], device: u64) -> Option<bool> {
    let mut words = line.split(|byte| *byte == b' ');
    let mut numbers = words.nth(2)?.split(|byte| *byte == b':').map(number);
    let (major, minor) = (numbers.next()??, numbers.next()??);
    if libc::makedev(major, minor) != device {
        return None;
    }
    words.find(|word| *word == b"-")?;
    let kind = words.next()?;
    Some(KINDS.contains(&kind))
}

fn number(digits: &[u8]) -> Option<u32> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// Longer lines are cut; what is asked for comes early in most, and a name with a blank in it is written otherwise.
const TEXT: usize = 4096;

struct Lines {
    table: OwnedFd,
    text: [u8; TEXT],
    /// What has been read and not handed out.
    begin: usize,
    end: usize,
}

impl Lines {
    fn next(&mut self) -> Option<&[u8]> {
        loop {
            let known = self.text.get(self.begin..self.end)?;
            if let Some(length) = known.iter().position(|byte| *byte == b'\n') {
                let begin = self.begin;
                self.begin += length + 1;
                return self.text.get(begin..begin + length);
            }
            if self.begin == 0 && self.end == TEXT {
                // Too long a line: its beginning is lost, and what follows is no line of this device.
                self.end = 0;
            }
            self.text.copy_within(self.begin..self.end, 0);
            self.end -= self.begin;
            self.begin = 0;
            let n = self.read()?;
            self.end += n;
        }
    }

    /// More of the text; nothing at its end.
    fn read(&mut self) -> Option<usize> {
        let room = self.text.get_mut(self.end..)?;
        let (fd, to, len): (c_int, usize, usize) = (self.table.raw(), room.as_mut_ptr() as usize, room.len());
        // SAFETY: the kernel writes at most `len` bytes to the room.
        let r = unsafe { raw::call3(Sysno::read, fd as usize, to, len) };
        r.ok().filter(|n| *n > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_of_its_device() {
        let line = b"36 35 0:22 / /mnt rw,noatime shared:1 - proc proc rw";
        assert_eq!(answer(line, libc::makedev(0, 22)), Some(true));
        assert_eq!(answer(line, libc::makedev(0, 23)), None);
        assert_eq!(answer(b"36 35 8:1 / / rw - ext4 /dev/sda1 rw", libc::makedev(8, 1)), Some(false));
        assert_eq!(answer(b"nonsense", libc::makedev(8, 1)), None);
    }
}
