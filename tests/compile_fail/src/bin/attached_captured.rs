//! A descriptor that the closure owns ends with the closure, not with the operation.

use ioevent::{Attached, EventPipe, Op};
use std::net::TcpListener;
use std::sync::Arc;

fn accept(pipe: &EventPipe<Arc<Attached<TcpListener>>>, listener: Arc<Attached<TcpListener>>) {
    #[cfg(feature = "misuse")]
    let _ = pipe.submit(Op::new(Arc::clone(&listener)), move |_| listener.accept()); //~ E0515
    #[cfg(not(feature = "misuse"))]
    let _ = pipe.submit(Op::new(Arc::clone(&listener)), move |own| own.accept());
}

fn main() {}
