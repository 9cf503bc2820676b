//! What this library set out to reach, and whether it is reached: absolute figures, and some beside another in the same
//! runs.

use crate::measure_memory;
use crate::peers::{
    EDGE, INLINE, LEVEL, LIMIT, ONE_SHOT, OURS, PIPE, PLAIN, POLL, READV, RECV, RECV_LIMIT, RECVMSG, RUST,
    RUST_THREADS, SUBMIT, THREADS, with_threads,
};
use crate::result::among_idle;
use crate::samples::{Load, Measure, Samples, Summary};

/// One of the figures.
pub(crate) struct Target {
    /// The measure, under which conditions, and of whom.
    pub(crate) what: String,
    /// At most this, if it is known.
    pub(crate) limit: Option<f64>,
    /// Where that comes from, if it is no fixed number.
    pub(crate) beside: String,
    /// Digits after the point.
    pub(crate) decimals: usize,
    /// What we have.
    pub(crate) ours: Option<Summary>,
}

/// All figures so far, and the samples.
struct Targets<'a> {
    samples: &'a Samples,
    all: Vec<Target>,
}

impl Targets<'_> {
    fn median(&self, measure: Measure, case: &str, who: &str) -> Option<f64> {
        Some(self.samples.summary(measure, case, who)?.median)
    }

    fn push(
        &mut self,
        measure: Measure,
        case: &str,
        who: &str,
        what: &str,
        limit: Option<f64>,
        beside: String,
    ) {
        let ours = self.samples.summary(measure, case, who);
        let what = format!("{who}: {what}");
        self.all.push(Target { what, limit, beside, decimals: measure.decimals(), ours });
    }

    /// At most a number.
    fn fixed(&mut self, measure: Measure, case: &str, who: &str, what: &str, limit: f64) {
        self.push(measure, case, who, what, Some(limit), String::new());
    }

    /// At most what another has in the same case, and this much more.
    fn above(&mut self, measure: Measure, case: &str, who: &str, what: &str, (other, more): (&str, f64)) {
        let limit = self.median(measure, case, other).map(|median| median + more);
        let beside = if more == 0.0 { other.to_owned() } else { format!("{other} + {more}") };
        self.push(measure, case, who, what, limit, beside);
    }

    /// At most so many times what another has in the same case.
    fn times(&mut self, measure: Measure, case: &str, who: &str, what: &str, (other, factor): (&str, f64)) {
        let limit = self.median(measure, case, other).map(|median| factor * median);
        self.push(measure, case, who, what, limit, format!("{factor} times {other}"));
    }
}

/// The ways to ask, and how many instructions more than read, write and ioevent_wait each may take.
const WAYS: [(&str, f64); 9] = [
    (PIPE, 10.0),
    (RECV, 25.0),
    (READV, 25.0),
    (RECVMSG, 25.0),
    (POLL, 25.0),
    (INLINE, 25.0),
    (SUBMIT, 60.0),
    (LIMIT, 60.0),
    (RECV_LIMIT, 60.0),
];

/// The program in Rust beside the one in C: instructions per request at most so many times, and no more system calls.
/// (A run differs from another by some calls in a thousand requests.)
const RUST_INSTRUCTIONS: f64 = 1.15;
const RUST_CALLS: f64 = 0.01;

/// Counts.
fn counts(targets: &mut Targets<'_>) {
    let case = |active| Load::ping_pong(active, 0, 64).to_string();
    // By its plain name each call may take ten more. With one connection each request has a harvest of its own: it is
    // three calls then, and else two.
    for (active, limit, plain) in [(32, 200.0, 20.0), (1, 400.0, 30.0)] {
        let what = format!("instructions per request, {}", case(active));
        targets.fixed(Measure::Instructions, &case(active), OURS, &what, limit);
        for (who, more) in WAYS {
            targets.above(Measure::Instructions, &case(active), who, &what, (OURS, more));
        }
        targets.above(Measure::Instructions, &case(active), PLAIN, &what, (PIPE, plain));
        targets.times(Measure::Instructions, &case(active), RUST, &what, (OURS, RUST_INSTRUCTIONS));
        let what = format!("system calls per request, {}", case(active));
        targets.above(Measure::Calls, &case(active), RUST, &what, (OURS, RUST_CALLS));
    }
    let case = case(32);
    let what = format!("instructions per request, {case}");
    targets.fixed(Measure::Instructions, &case, INLINE, &what, 180.0);
    for who in [OURS, PLAIN].into_iter().chain(WAYS.map(|(who, _)| who)) {
        targets.times(Measure::Instructions, &case, &with_threads(who), &what, (who, 1.5));
    }
    targets.times(Measure::Instructions, &case, RUST_THREADS, &what, (THREADS, RUST_INSTRUCTIONS));
    let what = format!("system calls per request, {case}");
    for (who, limit) in [(POLL, 2.1), (INLINE, 2.06)] {
        targets.fixed(Measure::Calls, &case, who, &what, limit);
    }
}

/// Times of the echo servers.
fn times(targets: &mut Targets<'_>) {
    let mut cases: Vec<String> =
        [1, 64, 1000].map(|active| Load::ping_pong(active, 0, 64).to_string()).into();
    cases.extend(among_idle(targets.samples, Measure::Ratio, 64));
    for case in cases {
        for who in [OURS, RECV, LIMIT] {
            let what = format!("server CPU over generator CPU, {case}");
            targets.above(Measure::Ratio, &case, who, &what, (EDGE, 0.01));
        }
    }
    let case = Load::ping_pong(64, 0, 64).to_string();
    let what = format!("server CPU over generator CPU, {case}");
    targets.fixed(Measure::Ratio, &case, THREADS, &what, 1.0);
    for active in [64, 1000] {
        let case = Load::ping_pong(active, 0, 64).to_string();
        let what = format!("99th percentile in us, {case}");
        targets.above(Measure::P99, &case, THREADS, &what, (ONE_SHOT, 0.0));
    }
    let case = Load::flood(10).to_string();
    let what = format!("median latency in us, {case}");
    targets.times(Measure::FloodP50, &case, OURS, &what, (LEVEL, 1.1));
}

/// What is measured inside one process.
fn inside(targets: &mut Targets<'_>) {
    let what = "nanoseconds to set and cancel a time limit that does not expire";
    targets.fixed(Measure::TimeLimit, "each read", OURS, what, 20.0);
    let case = targets
        .samples
        .cases(Measure::TimerCancel)
        .first()
        .map_or_else(String::new, |case| (*case).to_owned());
    let what = format!("nanoseconds to cancel a timer by its user pointer, {case}");
    targets.fixed(Measure::TimerCancel, &case, OURS, &what, 1000.0);
    let case = crate::measure_post::case(1);
    let what = format!("nanoseconds to post an event from one thread to another, {case}");
    targets.fixed(Measure::PostTwo, &case, OURS, &what, 120.0);
    for how in measure_memory::ASKS {
        for (case, limit) in [(measure_memory::UNLIMITED_CASE, 80.0), (measure_memory::LIMITED_CASE, 112.0)] {
            let what = format!("bytes per idle descriptor with an operation outstanding, {case}");
            targets.fixed(Measure::MemoryLibrary, case, &measure_memory::label(how), &what, limit);
        }
    }
}

/// All of them, with what the samples say.
pub(crate) fn all(samples: &Samples) -> Vec<Target> {
    let mut targets = Targets { samples, all: Vec::new() };
    counts(&mut targets);
    times(&mut targets);
    inside(&mut targets);
    targets.all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Sample;

    #[test]
    fn nothing_measured_is_nothing_reached() {
        assert!(all(&Samples::default()).iter().all(|target| target.ours.is_none()));
    }

    #[test]
    fn a_limit_may_be_the_figure_of_another() {
        let load = Load::ping_pong(32, 0, 64);
        let mut samples = Samples::default();
        for (who, value) in [(OURS, 200.0), (RECV, 226.0), (THREADS, 299.0)] {
            samples.0.push(Sample::new(Measure::Instructions, load, who, value));
        }
        let targets = all(&samples);
        let limit = |who: &str| {
            let start = format!("{who}: instructions per request, 32 active");
            targets.iter().find(|target| target.what == start).and_then(|target| target.limit)
        };
        assert_eq!([limit(OURS), limit(RECV), limit(SUBMIT)], [Some(200.0), Some(225.0), Some(260.0)]);
        assert_eq!(limit(THREADS), Some(300.0));
        assert_eq!(limit(&with_threads(RECV)), Some(339.0));
    }
}
