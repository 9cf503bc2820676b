//! The peers: the C programs of benches/peers, as far as they were built.

use std::path::{Path, PathBuf};

/// An echo server, or a chain.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// As it is called in the report.
    pub(crate) label: &'static str,
    /// The program.
    pub(crate) program: PathBuf,
    /// Worker threads; 0: the program has no such option.
    pub(crate) threads: usize,
}

/// Name of the program, label in the report, threads.
const ECHO: [(&str, &str, usize); 10] = [
    ("echo_epoll_lt", "epoll, level-triggered", 0),
    ("echo_epoll_et", "epoll, edge-triggered", 0),
    ("echo_ev", "libev", 0),
    ("echo_event", "libevent", 0),
    ("echo_uv", "libuv", 0),
    ("echo_uring", "io_uring by hand", 0),
    ("echo_ioevent", OURS, 0),
    ("echo_ioevent_inline", INLINE, 0),
    ("echo_epoll_oneshot", "epoll, one-shot, 2 threads", 2),
    ("echo_ioevent", THREADS, 2),
];

const CHAIN: [(&str, &str, usize); 5] = [
    ("chain_epoll", "epoll", 0),
    ("chain_ev", "libev", 0),
    ("chain_event", "libevent", 0),
    ("chain_uv", "libuv", 0),
    ("chain_ioevent", OURS, 0),
];

/// The labels of our own.
pub(crate) const OURS: &str = "libioevent";
/// With IOEVENT_INLINE.
pub(crate) const INLINE: &str = "libioevent, inline";
/// Two threads on one pipe.
pub(crate) const THREADS: &str = "libioevent, 2 threads";

/// Whether it is one of ours.
pub(crate) fn is_ours(label: &str) -> bool {
    label.starts_with(OURS)
}

/// Whether it has several threads.
pub(crate) fn has_threads(label: &str) -> bool {
    label.ends_with("threads")
}

fn find(directory: &Path, all: &[(&str, &'static str, usize)], notes: &mut Vec<String>) -> Vec<Peer> {
    let mut found = Vec::new();
    for &(name, label, threads) in all {
        let program = directory.join(name);
        if program.is_file() {
            found.push(Peer { label, program, threads });
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
