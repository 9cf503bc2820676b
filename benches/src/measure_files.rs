//! Reads from files: from the page cache, and from a file that the library reads with its pool.

use crate::peers::OURS;
use crate::samples::{Measure, Sample};
use crate::settings::Settings;
use anyhow::{Context, Result, bail, ensure};
use crossbeam_channel::unbounded;
use ioevent_benches::c::Event;
use ioevent_benches::interface::Pipe;
use std::fs::{self, File};
use std::io::{Error, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use threadpool::ThreadPool;

/// The length of the files.
const FILE: usize = 16 << 20;
/// Reads that are under way at once, where there are several.
const DEPTH: usize = 16;
/// Threads of the pool that ours is compared with: as many as ours has.
const THREADS: usize = 4;

/// The offset of the read with this number.
fn offset(number: usize, len: usize) -> u64 {
    (number.wrapping_mul(0x9e37_79b1) % (FILE / len) * len) as u64
}

/// The byte that is at an offset of the files.
fn byte_at(offset: u64) -> u8 {
    (offset / 4096 % 251) as u8
}

/// Whether a read brought what the file has.
fn check(buffer: &[u8], n: usize, offset: u64) -> Result<()> {
    let right = n == buffer.len() && buffer.first() == Some(&byte_at(offset));
    ensure!(right, "wrong bytes at offset {offset}, or only {n} of {}", buffer.len());
    Ok(())
}

fn plain(file: &File, len: usize, reads: usize) -> Result<()> {
    let mut buffer = vec![0; len];
    for number in 0..reads {
        let offset = offset(number, len);
        let n = file.read_at(&mut buffer, offset)?;
        check(&buffer, n, offset)?;
    }
    Ok(())
}

fn ours(file: &File, len: usize, reads: usize, depth: usize) -> Result<()> {
    let mut buffers = vec![vec![0; len]; depth];
    // Closed before the buffers go, whatever happens.
    let pipe = Pipe::new(depth as i32)?;
    // The user pointer belongs to a descriptor: so each buffer has one of its own, and its index is the pointer.
    let files = (0..depth).map(|_| file.try_clone()).collect::<Result<Vec<File>, Error>>()?;
    for (index, file) in files.iter().enumerate() {
        pipe.attach(file, index)?;
    }
    let queue = |index: usize, number: usize, buffers: &mut [Vec<u8>]| -> Result<()> {
        let (file, buffer) = files.get(index).zip(buffers.get_mut(index)).context("no such buffer")?;
        // SAFETY: the buffer is looked at when its event has come, and outlives the pipe.
        unsafe {
            pipe.pread(file.as_raw_fd(), buffer.as_mut_ptr(), len, offset(number, len) as libc::off_t)?
        };
        Ok(())
    };
    // Which read each buffer is for.
    let mut numbers: Vec<usize> = (0..depth).collect();
    let mut next = depth.min(reads);
    for index in 0..next {
        queue(index, index, &mut buffers)?;
    }
    let (mut left, mut room) = (reads, [Event::default(); 64]);
    while left > 0 {
        let n = pipe.harvest(&mut room)?;
        left -= n;
        for event in room.iter().take(n) {
            if event.result < 0 {
                bail!("a read failed: {}", Error::from_raw_os_error(event.errno));
            }
            let number = numbers.get_mut(event.user).context("an event of nobody")?;
            let buffer = buffers.get(event.user).context("an event of nobody")?;
            check(buffer, event.result as usize, offset(*number, len))?;
            if next < reads {
                *number = next;
                queue(event.user, next, &mut buffers)?;
                next += 1;
            }
        }
    }
    Ok(())
}

fn pool(file: &Arc<File>, len: usize, reads: usize, depth: usize) -> Result<()> {
    let pool = ThreadPool::new(THREADS);
    let (sender, receiver) = unbounded();
    let queue = |number: usize, mut buffer: Vec<u8>| {
        let (file, sender) = (Arc::clone(file), sender.clone());
        pool.execute(move || {
            let result = file.read_at(&mut buffer, offset(number, len));
            // No thread waits any more, so it is not needed.
            let _ = sender.send((number, buffer, result));
        });
    };
    let mut next = 0;
    while next < depth.min(reads) {
        queue(next, vec![0; len]);
        next += 1;
    }
    for _ in 0..reads {
        let (number, buffer, result) = receiver.recv()?;
        check(&buffer, result?, offset(number, len))?;
        if next < reads {
            queue(next, buffer);
            next += 1;
        }
    }
    pool.join();
    Ok(())
}

/// Fills a file with what `check` looks for.
fn fill(mut file: File) -> Result<Arc<File>> {
    let block = |block: usize| [byte_at(block as u64 * 4096); 4096];
    for number in 0..FILE / 4096 {
        file.write_all(&block(number))?;
    }
    Ok(Arc::new(file))
}

/// Whether the kernel reads from it without waiting, when asked to.
fn reads_without_waiting(file: &File) -> bool {
    let mut byte = 0_u8;
    let vector = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    // SAFETY: one buffer of one byte.
    unsafe { libc::preadv2(file.as_raw_fd(), &vector, 1, 0, libc::RWF_NOWAIT) == 1 }
}

/// Everything, in turn.
pub(crate) fn all(settings: &Settings, directory: &Path) -> Result<Vec<Sample>> {
    let path = directory.join("file");
    let cached = File::options().read(true).write(true).create(true).truncate(true).open(&path);
    let cached = cached.with_context(|| path.display().to_string())?;
    fs::remove_file(&path)?;
    let cached = fill(cached)?;
    // SAFETY: the name is a string.
    let memfd = unsafe { libc::memfd_create(c"bench".as_ptr(), libc::MFD_CLOEXEC) };
    ensure!(memfd != -1, "memfd_create: {}", Error::last_os_error());
    // SAFETY: it was just made, and has no other owner.
    let memfd = fill(unsafe { File::from_raw_fd(memfd) })?;

    let mut samples = Vec::new();
    for _ in 0..settings.rounds {
        for (kind, file) in [("page cache", &cached), ("memfd", &memfd)] {
            let way = if reads_without_waiting(file) { "without waiting" } else { "by the pool" };
            for len in [4 << 10, 64 << 10] {
                let reads = settings.reads;
                let case = format!("{} KiB, {kind} ({way})", len >> 10);
                let mut sample = |who: &str, run: &dyn Fn() -> Result<()>| -> Result<()> {
                    let begin = Instant::now();
                    run().with_context(|| format!("{who}, {case}"))?;
                    let each = begin.elapsed().as_nanos() as f64 / 1000.0 / reads as f64;
                    samples.push(Sample::new(Measure::Files, &case, who, each));
                    Ok(())
                };
                sample("pread(2)", &|| plain(file, len, reads))?;
                sample("threadpool, one read at a time", &|| pool(file, len, reads, 1))?;
                sample(&format!("threadpool, {DEPTH} reads"), &|| pool(file, len, reads, DEPTH))?;
                sample(&format!("{OURS}, one read at a time"), &|| ours(file, len, reads, 1))?;
                sample(&format!("{OURS}, {DEPTH} reads"), &|| ours(file, len, reads, DEPTH))?;
            }
        }
    }
    Ok(samples)
}
