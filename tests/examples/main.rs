//! The programs of examples/, as processes of their own, under load. Ports are free ones, which the programs print;
//! every wait is for a condition, with a watchdog that ends a program which takes too long.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod process;

use process::{Running, WATCHDOG, example, run};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(WATCHDOG)).unwrap();
    stream.set_write_timeout(Some(WATCHDOG)).unwrap();
    stream
}

/// Bytes that nothing else gives, by a generator of which the seed is known.
fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_ne_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// Sends and receives at the same time, to the end, and compares.
fn is_echoed(server: SocketAddr, seed: u64, len: usize) {
    let mut stream = connect(server);
    let mut sender = stream.try_clone().unwrap();
    let sent = bytes(seed, len);
    thread::scope(|scope| {
        scope.spawn(|| {
            for piece in sent.chunks(1 + seed as usize * 977 % 30_000) {
                sender.write_all(piece).unwrap();
            }
            sender.shutdown(Shutdown::Write).unwrap();
        });
        let mut back = Vec::new();
        stream.read_to_end(&mut back).unwrap();
        assert!(back == sent, "{} bytes came back of {len}, or others", back.len());
    });
}

/// Many connections at once, some of which are idle and some of which the client resets.
fn serves_many(server: SocketAddr) {
    let idle: Vec<_> = (0..100).map(|_| connect(server)).collect();
    thread::scope(|scope| {
        for seed in 0..40 {
            scope.spawn(move || is_echoed(server, seed, 300_000));
            scope.spawn(move || is_echoed(server, seed, seed as usize));
        }
        scope.spawn(|| {
            for _ in 0..100 {
                let mut stream = connect(server);
                stream.write_all(b"never read").unwrap();
                stream.peek(&mut [0]).unwrap(); // something is there
                drop(stream); // unread bytes: the kernel sends a reset
            }
        });
    });
    for mut stream in idle {
        stream.write_all(b"still here").unwrap();
        let mut back = [0; 10];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"still here");
    }
}

#[test]
fn echo_serves_many() {
    let mut echo = Running::example("echo", &["127.0.0.1:0"]);
    serves_many(echo.address());
}

#[test]
fn futures_serve_many() {
    let mut futures = Running::example("futures", &["127.0.0.1:0"]);
    serves_many(futures.address());
}

#[test]
fn servers_go_on_when_they_are_out_of_descriptors() {
    for name in ["echo", "pool", "futures"] {
        goes_on_without_descriptors(name);
    }
}

fn goes_on_without_descriptors(name: &str) {
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -n 20 && exec "$0" 127.0.0.1:0"#]).arg(example(name));
    let mut running = Running::start(&mut command);
    let server = running.address();
    let waiting: Vec<_> = (0..60u8)
        .map(|number| {
            let mut stream = connect(server);
            stream.write_all(&[number]).unwrap();
            stream
        })
        .collect();
    running.wait_for(&format!("{name}: cannot take a connection: "));
    // They are accepted in turn, and each that is closed makes room for the next.
    for (number, mut stream) in waiting.into_iter().enumerate() {
        let mut back = [0];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(usize::from(back[0]), number);
    }
    is_echoed(server, 1, 100_000);
}

/// With more clients than it takes, the rest have their turn as others go.
fn serves_so_many_at_a_time(server: SocketAddr, limit: usize) {
    let clients = 2 * limit + 3;
    let mut waiting: VecDeque<_> = (0..clients)
        .map(|number| {
            let mut stream = connect(server);
            stream.write_all(&number.to_ne_bytes()).unwrap();
            (number, stream)
        })
        .collect();
    let mut served = VecDeque::new();
    while let Some((number, mut stream)) = waiting.pop_front() {
        let mut back = [0; size_of::<usize>()];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(back, number.to_ne_bytes());
        served.push_back(stream);
        if served.len() == limit {
            // All places are taken, the first time: the next one waits, and still does when the server has tried again.
            if let Some((_, next)) = waiting.front().filter(|_| number + 1 == limit) {
                next.set_read_timeout(Some(Duration::from_millis(250))).unwrap();
                assert_eq!(next.peek(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
                next.set_read_timeout(Some(WATCHDOG)).unwrap();
            }
            served.pop_front();
        }
    }
    for mut stream in served {
        stream.write_all(b"!").unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }
}

#[test]
fn servers_with_all_places_taken_take_more_later() {
    let mut echo = Running::example("echo", &["127.0.0.1:0", "8"]);
    serves_so_many_at_a_time(echo.address(), 8);
    let mut pool = Running::example("pool", &["127.0.0.1:0", "3", "8"]);
    serves_so_many_at_a_time(pool.address(), 8);
}

#[test]
fn pool_serves_many_and_ends_when_told() {
    for threads in ["1", "2", "5"] {
        let mut pool = Running::example("pool", &["127.0.0.1:0", threads]);
        let server = pool.address();
        serves_many(server);
        let mut open = connect(server);
        pool.terminate();
        let (status, _, err) = pool.end();
        assert!(status.success(), "{status}: {err}");
        assert_eq!(open.read(&mut [0]).unwrap_or(0), 0, "a connection outlived the server");
    }
}

#[test]
fn copy_copies() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("copy-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let (from, to) = (directory.join("from"), directory.join("to"));
    let [source, copied] = [&from, &to].map(|path| path.to_str().unwrap());
    for len in [0, 1, 65_535, 65_536, 65_537, 1_000_000, 100_000_000] {
        let mut file = File::create(&from).unwrap();
        let piece = bytes(len as u64, len.min(1_000_003));
        let mut left = len;
        while left > 0 {
            let now = left.min(piece.len());
            file.write_all(&piece[..now]).unwrap();
            left -= now;
        }
        let (status, _, err) = run("copy", &[source, copied]);
        assert_eq!(status, Some(0), "{err}");
        assert!(are_equal(&from, &to), "{len} bytes");
    }
    // The last is overwritten by a shorter one. The same file under another name stays what it is.
    fs::write(&from, "short").unwrap();
    assert_eq!(run("copy", &[source, copied]).0, Some(0));
    assert_eq!(fs::read(&to).unwrap(), b"short");
    fs::remove_file(&to).unwrap();
    fs::hard_link(&from, &to).unwrap();
    let (status, _, err) = run("copy", &[source, copied]);
    assert_eq!((status, err.contains("same file")), (Some(1), true), "{err}");
    assert_eq!(fs::read(&from).unwrap(), b"short");
    fs::remove_dir_all(&directory).unwrap();
}

fn are_equal(one: &Path, other: &Path) -> bool {
    let [mut one, mut other] = [one, other].map(|path| File::open(path).unwrap());
    let (mut a, mut b) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let [n, m] =
            [(&mut one, &mut a), (&mut other, &mut b)].map(|(file, bytes)| fill(file, bytes).unwrap());
        if n != m || a[..n] != b[..m] {
            return false;
        }
        if n == 0 {
            return true;
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    loop {
        match file.read(&mut bytes[filled..])? {
            0 => return Ok(filled),
            n => filled += n,
        }
    }
}

#[test]
fn udp_answers_each_of_many() {
    let mut udp = Running::example("udp", &["127.0.0.1:0"]);
    let server = udp.address();
    let client = || {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket
    };
    thread::scope(|scope| {
        for seed in 0..8 {
            scope.spawn(move || {
                let socket = client();
                for turn in 0..200 {
                    is_answered(&socket, &bytes(seed * 1000 + turn, 8 + turn as usize * 37 % 4000));
                }
            });
        }
    });
    let socket = client();
    is_answered(&socket, &bytes(1, 65_507));
    is_answered(&socket, b"");
}

/// A datagram may be lost, even here: then it is sent again. What comes back is that one, or an older one's second
/// answer.
fn is_answered(socket: &UdpSocket, datagram: &[u8]) {
    let mut back = vec![0; 65_536];
    for _ in 0..20 {
        socket.send(datagram).unwrap();
        while let Ok(n) = socket.recv(&mut back) {
            if &back[..n] == datagram {
                return;
            }
        }
    }
    panic!("{} bytes were sent 20 times and never came back", datagram.len());
}

#[test]
fn multi_sees_all_five() {
    let (status, out, err) = run("multi", &[]);
    assert_eq!(status, Some(0), "{err}");
    for line in
        ["datagram: hello", "timer: after 20ms", "signal: ", "child: process ", "posted: from another thread"]
    {
        assert_eq!(out.lines().filter(|said| said.starts_with(line)).count(), 1, "{line:?} in {out:?}");
    }
    assert!(out.contains("exit status: 7"), "{out:?}");
}

#[test]
fn embed_is_part_of_both_loops() {
    let (status, out, err) = run("embed", &[]);
    assert_eq!(status, Some(0), "{err}");
    for line in ["a timer of 10ms is over", r#"read "ELF"#] {
        assert_eq!(out.matches(line).count(), 2, "{line:?} in {out:?}");
    }
    assert!(out.contains("mio: woken") && out.contains("tokio: slept"), "{out:?}");
}

#[test]
fn bytes_checks_echo() {
    let mut echo = Running::example("echo", &["127.0.0.1:0"]);
    let server = echo.address().to_string();
    thread::scope(|scope| {
        for count in [0, 1, 50_000] {
            let server = &server;
            scope.spawn(move || {
                let (status, out, err) = run("bytes", &[server, &count.to_string()]);
                assert_eq!((status, &*out), (Some(0), &*format!("{count} lines came back\n")), "{err}");
            });
        }
    });
}

#[test]
fn bytes_says_what_did_not_come_back() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = listener.local_addr().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"line 0\nline 2\n").unwrap();
            stream.read_to_end(&mut Vec::new()).ok();
        });
        let (status, _, err) = run("bytes", &[&server.to_string(), "3"]);
        assert_eq!((status, err.contains("out of turn")), (Some(1), true), "{err}");
    });
}

#[test]
fn wrong_arguments_are_told() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases: [(&str, &[&str], i32); 21] = [
        ("futures", &["nonsense"], 1),
        ("futures", &["127.0.0.1:0", "1"], 2),
        ("echo", &["127.0.0.1:0", "0"], 2),
        ("echo", &["127.0.0.1:0", "1", "2"], 2),
        ("echo", &["nonsense"], 1),
        ("echo", &[&taken], 1),
        ("pool", &["127.0.0.1:0", "0"], 2),
        ("pool", &["127.0.0.1:0", "many"], 2),
        ("pool", &["127.0.0.1:0", "2", "x"], 2),
        ("pool", &["127.0.0.1:0", "2", "3", "4"], 2),
        ("pool", &[&taken], 1),
        ("udp", &["127.0.0.1:0", "2"], 2),
        ("udp", &["127.0.0.1:99999"], 1),
        ("copy", &[], 2),
        ("copy", &["/no/such/file", "/dev/null"], 1),
        ("copy", &["/", "/dev/null"], 1),
        ("multi", &["1"], 2),
        ("embed", &["1"], 2),
        ("bytes", &["nonsense"], 2),
        ("bytes", &["127.0.0.1:7777", "-1"], 2),
        ("bytes", &["127.0.0.1:7777", "1", "1"], 2),
    ];
    for (name, arguments, expected) in cases {
        let (status, _, err) = run(name, arguments);
        assert_eq!(status, Some(expected), "{name} {arguments:?}: {err}");
        let start = if expected == 2 { format!("usage: {name} ") } else { format!("{name}: ") };
        assert!(err.starts_with(&start) || err == format!("usage: {name}\n"), "{name} {arguments:?}: {err}");
        assert!(!err.contains("panicked"), "{name} {arguments:?}: {err}");
    }
    // Not UTF-8, which is no reason to panic.
    let mut command = Command::new(example("echo"));
    command.arg(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff:1"));
    assert_eq!(Running::start(&mut command).end().0.code(), Some(1));
}

#[test]
fn no_example_is_unsafe() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.lines().any(|line| line == "#![forbid(unsafe_code)]"), "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 8, "{seen} examples");
}
