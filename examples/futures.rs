//! echo with futures: `futures [address]`. One thread and no executor: `block_on` runs one future, which is all of the
//! connections. (It polls every connection when one is woken. `FuturesUnordered` of futures-util, or an executor, does
//! better; with tokio, a thread calls `reactor.run()` beside it.)
#![forbid(unsafe_code)]

use ioevent::future::Reactor;
use ioevent::{Attached, Io};
use std::future::{Future, poll_fn};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

/// Sends back what comes, until the end, or until nothing has come for a minute.
async fn echo(reactor: &Reactor, stream: Attached<TcpStream>) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(4096);
    loop {
        let time = Duration::from_secs(60);
        let (bytes, outcome) =
            reactor.submit(&stream, buffer, |buffer| Io::read_spare(buffer).timeout(time)).await;
        if outcome?.bytes()? == 0 {
            return Ok(());
        }
        let (mut written, outcome) = reactor.submit(&stream, bytes, |bytes| Io::write(bytes)).await;
        outcome?.done()?;
        written.clear();
        buffer = written;
    }
}

async fn serve(reactor: &Reactor, listener: &Attached<TcpListener>) -> io::Result<()> {
    let mut connections: Vec<Pin<Box<dyn Future<Output = io::Result<()>> + '_>>> = Vec::new();
    loop {
        let mut accept = pin!(reactor.submit(listener, (), |()| Io::accept()));
        let accepted = poll_fn(|context| {
            // A connection that has ended, for whatever reason, is dropped, and closed by that.
            connections.retain_mut(|connection| connection.as_mut().poll(context).is_pending());
            match accept.as_mut().poll(context) {
                Poll::Ready(((), accepted)) => Poll::Ready(accepted),
                Poll::Pending => Poll::Pending,
            }
        });
        let stream = TcpStream::from(accepted.await?.descriptor()?);
        connections.push(Box::pin(echo(reactor, reactor.attach(stream)?)));
    }
}

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7777".into());
    // As many operations at a time; if there are more connections, some wait.
    let reactor = Reactor::new(10_000)?;
    let listener = reactor.attach(TcpListener::bind(address)?)?;
    reactor.block_on(serve(&reactor, &listener))?
}
