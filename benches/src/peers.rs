//! The peers: the programs of benches/peers, as far as they were built.

use crate::samples::Load;
use ioevent_benches::load::Kind;
use std::path::{Path, PathBuf};

/// What an echo server is measured for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Scope {
    /// System calls and instructions per request.
    Counts,
    /// CPU time, latency and memory, too, with the loads that README shows.
    Readme,
    /// Everything.
    All,
}

/// An echo server, or a chain.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// As it is called in the report.
    pub(crate) label: &'static str,
    /// The program.
    pub(crate) program: PathBuf,
    /// Worker threads; 0: one, and the program may have no such option.
    pub(crate) threads: usize,
    scope: Scope,
}

impl Peer {
    /// Whether its calls and instructions are counted under a load.
    pub(crate) fn is_counted(&self, load: &Load) -> bool {
        // One connection keeps only one of several threads busy.
        let enough = self.threads == 0 || load.active > 1;
        enough && (load.kind == Kind::PingPong || self.scope >= Scope::Readme)
    }

    /// Whether its times are taken under a load.
    pub(crate) fn is_timed(&self, load: &Load) -> bool {
        let shown = load.bytes == 64 && (load.idle == 0 || load.active == 64);
        match self.scope {
            Scope::All => true,
            Scope::Readme => shown && load.kind != Kind::Flood,
            Scope::Counts => false,
        }
    }

    /// Whether its memory is measured.
    pub(crate) fn is_weighed(&self) -> bool {
        self.scope >= Scope::Readme
    }
}

/// Program, label in the report, threads, scope.
type Row = (&'static str, &'static str, usize, Scope);

const ECHO: [Row; 34] = [
    ("echo_epoll_lt", LEVEL, 0, Scope::All),
    ("echo_epoll_et", EDGE, 0, Scope::All),
    ("echo_ev", "libev", 0, Scope::All),
    ("echo_event", "libevent", 0, Scope::All),
    ("echo_uv", "libuv", 0, Scope::All),
    ("echo_uring", "io_uring by hand", 0, Scope::All),
    ("echo_ioevent", OURS, 0, Scope::All),
    ("echo_rust", RUST, 0, Scope::Readme),
    ("echo_ioevent_pipe", PIPE, 0, Scope::Counts),
    ("echo_ioevent_plain", PLAIN, 0, Scope::Counts),
    ("echo_ioevent_recv", RECV, 0, Scope::Readme),
    ("echo_ioevent_readv", READV, 0, Scope::Counts),
    ("echo_ioevent_recvmsg", RECVMSG, 0, Scope::Counts),
    ("echo_ioevent_submit", SUBMIT, 0, Scope::Counts),
    ("echo_ioevent_poll", POLL, 0, Scope::Counts),
    ("echo_ioevent_inline", INLINE, 0, Scope::All),
    ("echo_ev_limit", "libev, time limit", 0, Scope::Readme),
    ("echo_event_limit", "libevent, time limit", 0, Scope::Readme),
    ("echo_uv_limit", "libuv, time limit", 0, Scope::Readme),
    ("echo_ioevent_limit", LIMIT, 0, Scope::Readme),
    ("echo_ioevent_recvlimit", RECV_LIMIT, 0, Scope::Counts),
    ("echo_epoll_oneshot", ONE_SHOT, 2, Scope::Readme),
    ("echo_ioevent", THREADS, 2, Scope::Readme),
    ("echo_rust", RUST_THREADS, 2, Scope::Readme),
    ("echo_ioevent_pipe", "libioevent, read of the pipe, 2 threads", 2, Scope::Counts),
    ("echo_ioevent_plain", "libioevent, plain names, 2 threads", 2, Scope::Counts),
    ("echo_ioevent_recv", "libioevent, recv, 2 threads", 2, Scope::Counts),
    ("echo_ioevent_readv", "libioevent, readv, 2 threads", 2, Scope::Counts),
    ("echo_ioevent_recvmsg", "libioevent, recvmsg, 2 threads", 2, Scope::Counts),
    ("echo_ioevent_submit", "libioevent, submit, 2 threads", 2, Scope::Counts),
    ("echo_ioevent_limit", "libioevent, time limit, 2 threads", 2, Scope::Counts),
    ("echo_ioevent_recvlimit", "libioevent, recv, time limit, 2 threads", 2, Scope::Counts),
    ("echo_ioevent_poll", "libioevent, poll only, 2 threads", 2, Scope::Counts),
    ("echo_ioevent_inline", "libioevent, inline, 2 threads", 2, Scope::Counts),
];

const CHAIN: [Row; 5] = [
    ("chain_epoll", "epoll", 0, Scope::All),
    ("chain_ev", "libev", 0, Scope::All),
    ("chain_event", "libevent", 0, Scope::All),
    ("chain_uv", "libuv", 0, Scope::All),
    ("chain_ioevent", OURS, 0, Scope::All),
];

/// The labels of epoll.
pub(crate) const LEVEL: &str = "epoll, level-triggered";
/// With short reads.
pub(crate) const EDGE: &str = "epoll, edge-triggered";
/// Two threads on one epoll.
pub(crate) const ONE_SHOT: &str = "epoll, one-shot, 2 threads";
/// The labels of our own: read, write and ioevent_wait.
pub(crate) const OURS: &str = "libioevent";
/// The same over the safe interface, in Rust.
pub(crate) const RUST: &str = "libioevent, Rust";
/// Harvests by ioevent_read.
pub(crate) const PIPE: &str = "libioevent, read of the pipe";
/// read, write, and read of the pipe, through libioevent_posix.
pub(crate) const PLAIN: &str = "libioevent, plain names";
/// ioevent_recv, ioevent_send.
pub(crate) const RECV: &str = "libioevent, recv";
/// ioevent_readv, ioevent_writev.
pub(crate) const READV: &str = "libioevent, readv";
/// ioevent_recvmsg, ioevent_sendmsg.
pub(crate) const RECVMSG: &str = "libioevent, recvmsg";
/// ioevent_submit, one operation a call.
pub(crate) const SUBMIT: &str = "libioevent, submit";
/// With IOEVENT_POLLONLY.
pub(crate) const POLL: &str = "libioevent, poll only";
/// With IOEVENT_INLINE.
pub(crate) const INLINE: &str = "libioevent, inline";
/// With F_SETIOEVENTTIMEO.
pub(crate) const LIMIT: &str = "libioevent, time limit";
/// Likewise.
pub(crate) const RECV_LIMIT: &str = "libioevent, recv, time limit";
/// Two threads on one pipe.
pub(crate) const THREADS: &str = "libioevent, 2 threads";
/// Likewise.
pub(crate) const RUST_THREADS: &str = "libioevent, Rust, 2 threads";

/// Whether it is one of ours.
pub(crate) fn is_ours(label: &str) -> bool {
    label.starts_with(OURS)
}

/// Whether it has several threads.
pub(crate) fn has_threads(label: &str) -> bool {
    label.ends_with(" threads")
}

/// The label of the same with two threads.
pub(crate) fn with_threads(label: &str) -> String {
    format!("{label}, 2 threads")
}

/// Whether its connections have time limits.
pub(crate) fn has_limits(label: &str) -> bool {
    label.contains(", time limit")
}

fn find(directory: &Path, all: &[Row], notes: &mut Vec<String>) -> Vec<Peer> {
    let mut found = Vec::new();
    for &(name, label, threads, scope) in all {
        let program = directory.join(name);
        if program.is_file() {
            found.push(Peer { label, program, threads, scope });
        } else {
            notes.push(format!("{label}: left out, {name} was not built"));
        }
    }
    found
}

/// The echo servers that there are; a note for each that there is not.
pub(crate) fn echo(directory: &Path, notes: &mut Vec<String>) -> Vec<Peer> {
    find(directory, &ECHO, notes)
}

/// The chains.
pub(crate) fn chain(directory: &Path, notes: &mut Vec<String>) -> Vec<Peer> {
    find(directory, &CHAIN, notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_label_is_there_once_and_says_what_it_is() {
        for (index, &(_, label, threads, _)) in ECHO.iter().enumerate() {
            assert!(ECHO.iter().skip(index + 1).all(|row| row.1 != label), "{label}");
            assert_eq!(has_threads(label), threads > 1, "{label}");
        }
    }

    #[test]
    fn each_way_is_there_with_two_threads() {
        for &(program, label, ..) in ECHO.iter().filter(|row| is_ours(row.1) && row.2 == 0) {
            assert!(ECHO.iter().any(|row| row.0 == program && row.1 == with_threads(label)), "{label}");
        }
    }

    #[test]
    fn the_ways_are_timed_where_readme_shows_it() {
        let peer = |scope| Peer { label: "", program: PathBuf::new(), threads: 0, scope };
        let (small, large) = (Load::ping_pong(64, 9000, 64), Load::ping_pong(64, 0, 16384));
        assert!(peer(Scope::Readme).is_timed(&small) && !peer(Scope::Readme).is_timed(&large));
        assert!(peer(Scope::All).is_timed(&large) && !peer(Scope::Counts).is_timed(&small));
        assert!(peer(Scope::Counts).is_counted(&small) && !peer(Scope::Counts).is_counted(&Load::short(64)));
    }
}
