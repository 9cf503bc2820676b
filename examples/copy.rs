//! copy FROM TO: copies a file, with 32 reads and writes under way at a time.
//!
//! The two files are no part of the operations' states: all chunks share them, so they are named at submission
//! (`submit_on`). Each chunk is in one place at a time: being read, being written, or here.
#![forbid(unsafe_code)]

use ioevent::{Attached, EventPipe, Events, Io, Op, Outcome};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;

const CHUNKS: usize = 32;
const BYTES: usize = 64 * 1024;

/// A part of the file on its way.
struct Chunk {
    bytes: Vec<u8>,
    /// Where in the file it belongs.
    offset: u64,
    /// So many bytes of it were read.
    filled: usize,
    /// So many of those were written; none before all were read.
    written: usize,
    phase: Phase,
}

enum Phase {
    Read,
    Write,
}

impl Chunk {
    /// What is to be read still. (`get`, because slicing would panic beyond the end, where this never is.)
    fn read(&mut self) -> Io<'_> {
        let offset = self.offset + self.filled as u64;
        Io::read_at(self.bytes.get_mut(self.filled..).unwrap_or_default(), offset)
    }

    /// What is to be written still.
    fn write(&mut self) -> Io<'_> {
        let offset = self.offset + self.written as u64;
        Io::write_at(self.bytes.get(self.written..self.filled).unwrap_or_default(), offset)
    }
}

struct Copy {
    pipe: EventPipe<Chunk>,
    from: Attached<File>,
    to: Attached<File>,
    /// Where the next chunk begins.
    next: u64,
}

impl Copy {
    fn submit(&self, chunk: Op<Chunk>) -> io::Result<()> {
        match chunk.phase {
            Phase::Read => self.pipe.submit_on(&self.from, chunk, Chunk::read)?,
            Phase::Write => self.pipe.submit_on(&self.to, chunk, Chunk::write)?,
        }
        Ok(())
    }

    /// Lets a chunk read the next part of the file.
    fn read_next(&mut self, mut chunk: Op<Chunk>) -> io::Result<()> {
        (chunk.offset, chunk.filled, chunk.written, chunk.phase) = (self.next, 0, 0, Phase::Read);
        self.next += BYTES as u64;
        self.submit(chunk)
    }

    /// An operation is complete: what does its chunk need now? At the end of the file it is dropped.
    fn completed(&mut self, mut chunk: Op<Chunk>, outcome: Outcome) -> io::Result<()> {
        match (&chunk.phase, outcome.bytes()?) {
            (Phase::Read, 0) if chunk.filled == 0 => return Ok(()),
            (Phase::Read, 0) => chunk.phase = Phase::Write,
            (Phase::Read, n) => {
                chunk.filled += n;
                if chunk.filled == BYTES {
                    chunk.phase = Phase::Write;
                }
            }
            (Phase::Write, 0) => return Err(io::ErrorKind::WriteZero.into()),
            (Phase::Write, n) => {
                chunk.written += n;
                if chunk.written == chunk.filled {
                    return self.read_next(chunk);
                }
            }
        }
        self.submit(chunk)
    }
}

/// Opens both files. The second is emptied, so it must not be the first.
fn open(from: &Path, to: &Path) -> io::Result<(File, File)> {
    let source = File::open(from)?;
    let known = source.metadata()?;
    if !known.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    if fs::metadata(to).is_ok_and(|other| (other.dev(), other.ino()) == (known.dev(), known.ino())) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "both are the same file"));
    }
    Ok((source, File::create(to)?))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = open(from, to)?;
    // As many places as chunks: it cannot be full.
    let pipe = EventPipe::new(CHUNKS)?;
    let (from, to) = (pipe.attach(from)?, pipe.attach(to)?);
    let mut copy = Copy { pipe, from, to, next: 0 };
    for _ in 0..CHUNKS {
        let chunk = Chunk { bytes: vec![0; BYTES], offset: 0, filled: 0, written: 0, phase: Phase::Read };
        copy.read_next(Op::new(chunk))?;
    }
    let mut events = Events::with_capacity(CHUNKS);
    while copy.pipe.places_taken() > 0 {
        for event in copy.pipe.wait(&mut events, None)? {
            let (chunk, outcome) = event.into_parts();
            copy.completed(chunk, outcome)?; // an error ends it: what is under way is ended with the pipe
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [from, to] = &*arguments else {
        eprintln!("usage: copy FROM TO");
        return ExitCode::from(2);
    };
    match copy(from.as_ref(), to.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("copy: {from:?} to {to:?}: {error}");
            ExitCode::FAILURE
        }
    }
}
