//! futures [ADDRESS]: echo with futures. One thread and no executor: `block_on` runs one future, which is all of the
//! connections. (It polls every connection when one is woken. `FuturesUnordered` of futures-util, or an executor, does
//! better; with tokio, a thread calls `reactor.run()` beside it.)
#![forbid(unsafe_code)]

use ioevent::future::Reactor;
use ioevent::{Attached, Io};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::time::Duration;

/// How long the listener pauses when it cannot go on.
const PAUSE: Duration = Duration::from_millis(100);

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

type Connection<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + 'a>>;

/// Runs the connections beside a future until that is ready. One that has ended, for whatever reason, is dropped, and
/// closed by that.
async fn beside<F: Future>(connections: &mut Vec<Connection<'_>>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        connections.retain_mut(|connection| connection.as_mut().poll(context).is_pending());
        future.as_mut().poll(context)
    })
    .await
}

async fn serve(reactor: &Reactor, listener: &Attached<TcpListener>) -> io::Result<Infallible> {
    let mut connections = Vec::new();
    loop {
        let accept = reactor.submit(listener, (), |()| Io::accept());
        let ((), accepted) = beside(&mut connections, accept).await;
        let stream = accepted.and_then(|outcome| outcome.descriptor());
        match stream.and_then(|stream| Ok(reactor.attach(TcpStream::from(stream))?)) {
            Ok(stream) => connections.push(Box::pin(echo(reactor, stream)) as Connection<'_>),
            // The peer has gone before it was its turn.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                eprintln!("futures: cannot take a connection: {error}");
                beside(&mut connections, reactor.sleep(PAUSE)).await?;
            }
        }
    }
}

fn run(address: &str) -> io::Result<Infallible> {
    // More places than there can be descriptors, each of which has one operation at a time: none waits for another's
    // place. A place costs nothing until it is used.
    let reactor = Reactor::new(1 << 20)?;
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    let listener = reactor.attach(listener)?;
    reactor.block_on(serve(&reactor, &listener))?
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    let address = match &*arguments {
        [] => "127.0.0.1:7777",
        [address] => address,
        _ => {
            eprintln!("usage: futures [ADDRESS], as 127.0.0.1:7777; port 0: any that is free");
            return ExitCode::from(2);
        }
    };
    let Err(error) = run(address);
    eprintln!("futures: {address}: {error}");
    ExitCode::FAILURE
}
