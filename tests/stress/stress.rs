//! Many threads, many descriptors, through the C interface: every EIOEVENTQUEUED has exactly one event (rule 2.2). The
//! same in C, with more of everything, is c-tests/torture.c; this one is for the thread sanitizer, which sees all of
//! the library here. (The locks are parking_lot's: it does not see those of the standard library.)

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

// No item of it: this links it.
use ioevent as _;
use parking_lot::{Mutex, RwLock};
use std::ffi::{c_int, c_short, c_void};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

const THREADS: u64 = 4;
const PAIRS: usize = 12;
const PLACES: c_int = 100;
const BYTES: usize = 64;

// As in include/ioevent.h.
const EIOEVENTFULL: c_int = 1997;
const EIOEVENTQUEUED: c_int = 1998;
const F_SETIOEVENTPIPE: c_int = 0x494f_0001;

/// struct ioevent.
#[derive(Clone, Copy)]
#[repr(C)]
struct Event {
    user: *mut c_void,
    result: c_int,
    errno: c_int,
}

unsafe extern "C" {
    safe fn ioeventpipe(nevents: c_int) -> c_int;
    fn ioevent_fcntl(fd: c_int, cmd: c_int, ...) -> c_int;
    fn ioevent_read(fd: c_int, buf: *mut c_void, nbytes: usize) -> isize;
    fn ioevent_write(fd: c_int, buf: *const c_void, nbytes: usize) -> isize;
    safe fn ioevent_poll(fd: c_int, events: c_short) -> c_int;
    safe fn ioevent_cancel(fd: c_int) -> c_int;
    fn ioevent_wait(
        pipefd: c_int,
        events: *mut Event,
        nevents: c_int,
        timeout: *const libc::timespec,
    ) -> c_int;
    fn ioevent_close(fd: c_int) -> c_int;
}

fn close(fd: c_int) {
    // SAFETY: it is the test's own, and nothing uses its number afterwards.
    assert_eq!(unsafe { ioevent_close(fd) }, 0);
}

/// One end of a socket pair. Its buffers live as long as the test.
struct End {
    fd: c_int,
    index: usize,
}

#[derive(Default)]
struct Count {
    queued: AtomicUsize,
    events: AtomicUsize,
}

struct Stress {
    pipe: c_int,
    pairs: Vec<RwLock<[End; 2]>>,
    counts: Vec<Count>,
    read_into: Vec<Mutex<Vec<u8>>>,
    over: AtomicBool,
}

fn errno() -> c_int {
    std::io::Error::last_os_error().raw_os_error().unwrap()
}

fn random(seed: &mut u64) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 16) as usize
}

impl Stress {
    fn new() -> Stress {
        let pipe = ioeventpipe(PLACES);
        assert!(pipe >= 0);
        let counts = (0..2 * PAIRS).map(|_| Count::default()).collect();
        let read_into = (0..2 * PAIRS).map(|_| Mutex::new(vec![0; BYTES])).collect();
        let mut stress = Stress { pipe, pairs: Vec::new(), counts, read_into, over: AtomicBool::new(false) };
        stress.pairs = (0..PAIRS).map(|pair| RwLock::new(stress.open(pair))).collect();
        stress
    }

    fn open(&self, pair: usize) -> [End; 2] {
        let mut fds = [0; 2];
        // SAFETY: room for two descriptors.
        assert_eq!(unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, fds.as_mut_ptr()) }, 0);
        let [a, b] = fds;
        let ends = [End { fd: a, index: 2 * pair }, End { fd: b, index: 2 * pair + 1 }];
        ends.iter().for_each(|end| self.attach(end));
        ends
    }

    fn attach(&self, end: &End) {
        // SAFETY: the arguments of F_SETIOEVENTPIPE.
        let r = unsafe { ioevent_fcntl(end.fd, F_SETIOEVENTPIPE, self.pipe, end.index + 1) };
        assert_eq!(r, 0);
    }

    fn operate(&self, end: &End, what: usize) {
        let count = &self.counts[end.index];
        count.queued.fetch_add(1, SeqCst);
        let buffer = self.read_into[end.index].lock().as_mut_ptr();
        // SAFETY: the buffers live longer than the pipe; what is read into them does not matter.
        let r = unsafe {
            match what % 8 {
                0 => ioevent_poll(end.fd, libc::POLLIN) as isize,
                1..=3 => ioevent_read(end.fd, buffer.cast(), 1 + what % BYTES),
                _ => ioevent_write(end.fd, [7u8; BYTES].as_ptr().cast(), 1 + what % 4),
            }
        };
        assert_eq!(r, -1);
        if errno() != EIOEVENTQUEUED {
            assert_eq!(errno(), EIOEVENTFULL);
            count.queued.fetch_sub(1, SeqCst);
        }
    }

    fn harvest(&self, room: usize, wait: Duration) -> usize {
        let mut events = [Event { user: std::ptr::null_mut(), result: 0, errno: 0 }; 16];
        let time = libc::timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
        // SAFETY: room for as many events.
        let n = unsafe { ioevent_wait(self.pipe, events.as_mut_ptr(), 1 + (room % 16) as c_int, &time) };
        assert!(n >= 0, "{}", errno());
        for event in &events[..n as usize] {
            let count = &self.counts[event.user as usize - 1];
            let events = count.events.fetch_add(1, SeqCst) + 1;
            assert!(events <= count.queued.load(SeqCst), "an event that nobody asked for");
        }
        n as usize
    }

    fn work(&self, mut seed: u64) {
        while !self.over.load(SeqCst) {
            let (pair, what) = (random(&mut seed) % PAIRS, random(&mut seed));
            match what % 100 {
                0..50 => drop(self.harvest(what, Duration::from_micros(what as u64 % 3 * 100))),
                50..93 => self.operate(&self.pairs[pair].read()[what % 2], random(&mut seed)),
                93..96 => {
                    assert!(ioevent_cancel(self.pairs[pair].read()[what % 2].fd) >= 0);
                }
                96..98 => self.attach(&self.pairs[pair].read()[what % 2]),
                _ => {
                    let mut ends = self.pairs[pair].write();
                    ends.iter().for_each(|end| close(end.fd));
                    *ends = self.open(pair);
                }
            }
        }
    }
}

#[test]
fn rule_2_2_every_operation_has_exactly_one_event() {
    let seconds = std::env::var("STRESS_SECONDS").map_or(2, |s| s.parse().unwrap());
    let stress = Stress::new();
    std::thread::scope(|scope| {
        let stress = &stress;
        let threads: Vec<_> = (1..=THREADS)
            .map(|thread| scope.spawn(move || stress.work(0x9e37_79b9_7f4a_7c15 ^ thread)))
            .collect();
        let end = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < end {
            std::thread::park_timeout(end - Instant::now());
        }
        stress.over.store(true, SeqCst);
        // Each by itself: the sanitizer does not see how the end of a scope waits.
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    for pair in &stress.pairs {
        pair.read().iter().for_each(|end| close(end.fd));
    }
    while stress.harvest(15, Duration::ZERO) > 0 {}
    let total: usize = stress.counts.iter().map(|count| count.queued.load(SeqCst)).sum();
    assert!(total > 1000);
    for count in &stress.counts {
        assert_eq!(count.queued.load(SeqCst), count.events.load(SeqCst));
    }
    close(stress.pipe);
}
