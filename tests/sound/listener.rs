//! Listeners that need no name in the file system.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// A listener to which any number of connections can be made at once, and its address.
pub(crate) fn listener() -> (UnixListener, SocketAddr) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("ioevent-sound-{}-{}", std::process::id(), NUMBER.fetch_add(1, SeqCst));
    let address = SocketAddr::from_abstract_name(name).unwrap();
    (UnixListener::bind_addr(&address).unwrap(), address)
}
