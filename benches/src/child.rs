//! Child processes: they start on the cores they are told, and end in any case, by their id.

use anyhow::{Context, Result, bail};
use ioevent_benches::sys;
use std::fs::File;
use std::io::{Error, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A child.
pub(crate) struct Process {
    name: String,
    child: Child,
    /// Readable when it has ended.
    ended: OwnedFd,
    /// What it says on standard error: a file, so that it never waits for us.
    said: File,
    /// A process that it has started, to be ended with it.
    inner: Option<u32>,
}

impl Process {
    /// Starts a command; its standard output goes to a pipe of ours.
    pub(crate) fn start(mut command: Command, cores: &[usize]) -> Result<Process> {
        let name = command.get_program().to_string_lossy().into_owned();
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        // SAFETY: the name is a string.
        let said = unsafe { libc::memfd_create(c"stderr".as_ptr(), libc::MFD_CLOEXEC) };
        if said == -1 {
            return Err(Error::last_os_error()).context("memfd_create");
        }
        // SAFETY: it was just made, and has no other owner.
        let said = unsafe { File::from_raw_fd(said) };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said.try_clone()?);
        let cores = cores.to_vec();
        let prepare = move || {
            // SAFETY: no pointers. Should we be killed, nobody else ends it.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            if cores.is_empty() { Ok(()) } else { sys::pin(&cores) }
        };
        // SAFETY: what it calls are plain system calls, and it allocates nothing.
        unsafe { command.pre_exec(prepare) };
        let child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        // SAFETY: no pointers.
        let ended = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id() as libc::pid_t, 0) };
        if ended == -1 {
            return Err(Error::last_os_error()).context("pidfd_open");
        }
        // SAFETY: it was just made, and has no other owner.
        let ended = unsafe { OwnedFd::from_raw_fd(ended as libc::c_int) };
        Ok(Process { name, child, ended, said, inner: None })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// It has started this process, which shall not outlive it.
    pub(crate) fn owns(&mut self, pid: u32) {
        self.inner = Some(pid);
    }

    /// One line of its standard output, without the newline.
    pub(crate) fn line(&mut self, time: Duration) -> Result<String> {
        let until = Instant::now() + time;
        let Some(output) = self.child.stdout.as_mut() else { bail!("{}: no standard output", self.name) };
        let mut line = Vec::new();
        loop {
            if !readable(output, until)? {
                bail!("{} was silent for {} s{}", self.name, time.as_secs(), self.complaint());
            }
            let mut byte = [0];
            match output.read(&mut byte)? {
                0 => bail!("{} ended before it was ready{}", self.name, self.complaint()),
                _ if byte == *b"\n" => return Ok(String::from_utf8_lossy(&line).into_owned()),
                _ => line.extend(byte),
            }
        }
    }

    /// All of its standard output up to its end, which must be a success.
    pub(crate) fn output(mut self, time: Duration) -> Result<String> {
        let until = Instant::now() + time;
        let Some(mut output) = self.child.stdout.take() else { bail!("{}: no standard output", self.name) };
        let mut text = Vec::new();
        let mut room = [0; 4096];
        loop {
            if !readable(&output, until)? {
                bail!("{} did not end within {} s{}", self.name, time.as_secs(), self.complaint());
            }
            match output.read(&mut room)? {
                0 => break,
                n => text.extend(room.iter().take(n)),
            }
        }
        let status = self.wait(Duration::from_secs(10))?;
        if !status.success() {
            bail!("{} failed ({status}){}", self.name, self.complaint());
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Waits for its end.
    fn wait(&mut self, time: Duration) -> Result<ExitStatus> {
        if !readable(&self.ended, Instant::now() + time)? {
            bail!("{} did not end within {} s{}", self.name, time.as_secs(), self.complaint());
        }
        Ok(self.child.wait()?)
    }

    /// How it ended, if it has ended already.
    pub(crate) fn fate(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        Some(format!("{} had ended ({status}){}", self.name, self.complaint()))
    }

    /// Ends a server: SIGTERM to what it owns, or to itself; it must then end with success.
    pub(crate) fn end(mut self, time: Duration) -> Result<()> {
        let pid = self.inner.unwrap_or(self.child.id());
        // Still there? Its number cannot be another's as long as we have not waited for the child.
        if readable(&self.ended, Instant::now())? {
            let status = self.child.wait()?;
            bail!("{} had ended too early ({status}){}", self.name, self.complaint());
        }
        // SAFETY: no pointers.
        unsafe { libc::kill(pid as libc::pid_t, libc::SIGTERM) };
        let status = self.wait(time)?;
        if !status.success() {
            bail!("{} failed at its end ({status}){}", self.name, self.complaint());
        }
        Ok(())
    }

    /// The last lines that it wrote to standard error, for a message.
    fn complaint(&self) -> String {
        let length = self.said.metadata().map_or(0, |metadata| metadata.len());
        let start = length.saturating_sub(4096);
        let mut text = vec![0; (length - start) as usize];
        // Not by the file's offset, which is the child's too.
        if self.said.read_exact_at(&mut text, start).is_err() {
            return String::new();
        }
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(3)..).unwrap_or_default();
        if last.is_empty() { String::new() } else { format!(": {}", last.join(" / ")) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let (Some(pid), Ok(None)) = (self.inner, self.child.try_wait()) {
            // SAFETY: no pointers. The child has not ended, so it has this one still.
            unsafe { libc::kill(pid as libc::pid_t, libc::SIGKILL) };
        }
        // Does nothing if it was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until there is something to read, or the end of it.
fn readable(fd: &impl AsRawFd, until: Instant) -> Result<bool> {
    loop {
        let left = until.saturating_duration_since(Instant::now()).as_millis().min(i32::MAX as u128);
        let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd.
        match unsafe { libc::poll(&mut poll, 1, left as libc::c_int) } {
            -1 if Error::last_os_error().raw_os_error() == Some(libc::EINTR) => {}
            -1 => return Err(Error::last_os_error()).context("poll"),
            n => return Ok(n > 0),
        }
    }
}
