//! Sockets: addresses, messages with descriptors, and sockets that are not connected yet.
//!
//! The standard library makes sockets that listen and sockets that are connected. To connect one asynchronously it is
//! made with [`stream_socket`], attached, and connected by an operation:
//!
//! ```
//! use ioevent::net::{Address, stream_socket};
//! use ioevent::{Attached, EventPipe, Events, Op};
//! use std::io;
//! use std::net::{TcpListener, TcpStream};
//!
//! struct Client {
//!     server: Address,
//!     stream: Attached<TcpStream>,
//! }
//!
//! # fn main() -> io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let server = listener.local_addr()?;
//!
//! let pipe = EventPipe::new(1)?;
//! let stream = pipe.attach(TcpStream::from(stream_socket(&server)?))?;
//! let client = Client { server: server.into(), stream };
//! pipe.submit(Op::new(client), |c| c.stream.connect(&mut c.server))?;
//! for event in pipe.wait(&mut Events::with_capacity(1), None)? {
//!     let (client, outcome) = event.into_parts();
//!     outcome.done()?;
//!     assert_eq!(client.stream.get_ref().peer_addr()?, server);
//! }
//! # Ok(()) }
//! ```

mod address;
mod control;
mod message;
mod sockets;

pub use address::Address;
pub use message::Message;
pub use sockets::{datagram_socket, stream_socket, unix_stream_socket};
