//! What was to be reached, and whether it is.

use crate::peers::{INLINE, OURS, THREADS, has_threads, is_ours};
use crate::samples::{Load, Measure, Samples, Summary};

/// One of the figures that this library set out to reach.
pub(crate) struct Target {
    /// The measure, and under which conditions.
    pub(crate) what: &'static str,
    /// What the best peers had when it was set.
    pub(crate) stated: &'static str,
    /// At most this.
    pub(crate) limit: f64,
    /// Digits after the point.
    pub(crate) decimals: usize,
    /// What we have now.
    pub(crate) ours: Option<Summary>,
    /// What the best peer has now, where there is one that does the same.
    pub(crate) best: Option<(String, Summary)>,
}

/// The case of a measure with so many active connections, small messages, and idle connections or none.
fn case(samples: &Samples, measure: Measure, active: usize, idle: bool) -> String {
    let plain = Load { active, idle: 0, bytes: 64 }.to_string();
    if !idle {
        return plain;
    }
    let start = format!("{plain} + ");
    let fits = |case: &&&str| case.starts_with(&start) && !case.contains(',');
    samples.cases(measure).iter().find(fits).map_or(plain, |case| (*case).to_owned())
}

/// The first case of a measure.
fn first_case(samples: &Samples, measure: Measure) -> String {
    samples.cases(measure).first().map_or_else(String::new, |case| (*case).to_owned())
}

/// One peer's figure in one case over that in another, run by run.
fn factor(samples: &Samples, measure: Measure, over: &str, under: &str, who: &str) -> Option<Summary> {
    let of = |case: &str| -> Vec<f64> {
        let fits = samples.0.iter().filter(|s| s.measure == measure && s.case == case && s.who == who);
        fits.map(|sample| sample.value).collect()
    };
    Summary::of(of(over).into_iter().zip(of(under)).map(|(over, under)| over / under))
}

/// All of them, with what the samples say.
pub(crate) fn all(samples: &Samples) -> Vec<Target> {
    let mut targets = Vec::new();
    // What, how it stood, limit; measure, case, who of ours, whether with threads.
    let mut add = |what, stated, limit, measure: Measure, case: String, who: &str, threads: bool| {
        let peer = |label: &str| !is_ours(label) && has_threads(label) == threads;
        let best = samples.best(measure, &case, peer).map(|(who, summary)| (who.to_owned(), summary));
        let ours = samples.summary(measure, &case, who);
        targets.push(Target { what, stated, limit, decimals: measure.decimals(), ours, best });
    };
    let at = |measure, active, idle| case(samples, measure, active, idle);
    add(
        "system calls per request, 32 connections",
        "raw epoll 2.03, libev 2.04, libuv 3.03",
        2.05,
        Measure::Calls,
        at(Measure::Calls, 32, false),
        OURS,
        false,
    );
    add(
        "system calls per request, 1 connection",
        "3.00",
        3.05,
        Measure::Calls,
        at(Measure::Calls, 1, false),
        OURS,
        false,
    );
    let instructions = at(Measure::Instructions, 32, false);
    add(
        "user-space instructions per request, 32 connections",
        "libev 158, libevent 329, libuv 726",
        200.0,
        Measure::Instructions,
        instructions.clone(),
        OURS,
        false,
    );
    add("the same, IOEVENT_INLINE", "", 150.0, Measure::Instructions, instructions, INLINE, false);
    add(
        "user-space instructions per request, 1 connection",
        "libev 422, libevent 605, libuv 1,161",
        400.0,
        Measure::Instructions,
        at(Measure::Instructions, 1, false),
        OURS,
        false,
    );
    add(
        "server CPU over generator CPU, one core, 64 connections",
        "epoll 1.00, edge-triggered 0.98, libev 1.00, libevent 1.01, libuv 1.12, io_uring 0.85",
        0.97,
        Measure::Ratio,
        at(Measure::Ratio, 64, false),
        OURS,
        false,
    );
    add(
        "the same, 1,000 connections, all active",
        "epoll 0.92, edge-triggered 0.91, libev 1.11, libevent 0.90, libuv 1.27",
        0.90,
        Measure::Ratio,
        at(Measure::Ratio, 1000, false),
        OURS,
        false,
    );
    add(
        "the same, 64 active among idle ones",
        "epoll 0.99, libev 1.00, libevent 1.01, libuv 1.17",
        0.97,
        Measure::Ratio,
        at(Measure::Ratio, 64, true),
        OURS,
        false,
    );
    add(
        "the same, 1 connection",
        "edge-triggered epoll 0.93, libev 1.06, libevent 0.99, libuv 1.08",
        0.97,
        Measure::Ratio,
        at(Measure::Ratio, 1, false),
        OURS,
        false,
    );
    add(
        "the same, two worker threads on one pipe, 64 connections",
        "one-shot epoll 1.11",
        1.00,
        Measure::Ratio,
        at(Measure::Ratio, 64, false),
        THREADS,
        true,
    );
    let (busy, quiet) = (at(Measure::Ratio, 64, true), at(Measure::Ratio, 64, false));
    if busy != quiet {
        let factor = |who: &str| factor(samples, Measure::Ratio, &busy, &quiet, who);
        let peers = samples.who(Measure::Ratio).into_iter().filter(|who| !is_ours(who) && !has_threads(who));
        let figures = peers.filter_map(|who| Some((who.to_owned(), factor(who)?)));
        targets.push(Target {
            what: "cost per event with idle descriptors over the cost with none (64 connections)",
            stated: "epoll about 1.0",
            limit: 1.05,
            decimals: 2,
            ours: factor(OURS),
            best: figures.min_by(|a, b| a.1.median.total_cmp(&b.1.median)),
        });
    }
    for (what, stated, limit, measure, case) in [
        (
            "library memory per idle attached descriptor with one outstanding read, in bytes",
            "libevent: an event of 128 bytes and its map entry",
            128.0,
            Measure::MemoryLibrary,
            first_case(samples, Measure::MemoryLibrary),
        ),
        (
            "post and harvest in one thread, ns per event, batches of 64",
            "",
            25.0,
            Measure::PostOne,
            crate::measure_post::case(64),
        ),
    ] {
        let best = samples.best(measure, &case, |who| !is_ours(who));
        let best = best.map(|(who, summary)| (who.to_owned(), summary));
        let ours = samples.summary(measure, &case, OURS);
        targets.push(Target { what, stated, limit, decimals: measure.decimals(), ours, best });
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Sample;

    #[test]
    fn nothing_measured_is_nothing_reached() {
        assert!(all(&Samples::default()).iter().all(|target| target.ours.is_none() && target.best.is_none()));
    }

    #[test]
    fn idle_connections_are_compared_run_by_run() {
        let busy = Load { active: 64, idle: 9000, bytes: 64 };
        let quiet = Load { idle: 0, ..busy };
        let mut samples = Samples::default();
        for (load, value) in [(quiet, 1.0), (busy, 1.1), (quiet, 2.0), (busy, 2.0)] {
            samples.0.push(Sample::new(Measure::Ratio, load, OURS, value));
            samples.0.push(Sample::new(Measure::Ratio, load, "libev", value));
        }
        let targets = all(&samples);
        let row = targets.iter().find(|target| target.limit == 1.05).unwrap();
        assert_eq!(row.ours.map(|s| (s.median * 1000.0).round()), Some(1050.0));
        let among = targets.iter().find(|target| target.what.contains("among")).unwrap();
        assert_eq!(among.ours.map(|s| s.median), Some(1.55));
        assert_eq!(among.best.as_ref().map(|b| b.0.as_str()), Some("libev"));
    }
}
