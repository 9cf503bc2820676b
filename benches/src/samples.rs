//! Samples: what was measured, once; and what they come to.

use ioevent_benches::load::{FLOODING, Kind, PIECE};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a sample is a sample of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Measure {
    /// System calls of the server per request.
    Calls,
    /// User-space instructions of the server per request.
    Instructions,
    /// CPU time of the server over that of the generator, both on one core.
    Ratio,
    /// CPU time of the server per request, in microseconds, in the same runs.
    Cpu,
    /// CPU time of the server per request, in microseconds, with server and generator on different cores.
    CpuApart,
    /// Requests per second with server and generator on different cores.
    Throughput,
    /// Latencies in microseconds in the same runs.
    P50,
    /// Likewise.
    P99,
    /// Likewise.
    P999,
    /// Latencies of polite requests beside a flood, in microseconds.
    FloodP50,
    /// Likewise.
    FloodP99,
    /// CPU time of the server, in microseconds, for one polite request and what it did for the flood meanwhile.
    FloodCpu,
    /// What came back to the flood in the same runs, in MiB per second.
    FloodMoved,
    /// Resident memory of the server per idle connection, in bytes, between none and all of them.
    Memory,
    /// The same between a ninth of the connections and all of them.
    MemoryFurther,
    /// Memory of the library alone per idle attached descriptor with one outstanding input operation.
    MemoryLibrary,
    /// Chain: nanoseconds per event.
    Chain,
    /// Nanoseconds for posting and harvesting one event in one thread.
    PostOne,
    /// The same from one thread to another.
    PostTwo,
    /// Nanoseconds from one thread to another and back.
    PostRound,
    /// Nanoseconds that setting and cancelling a time limit adds to a read that waits for its data.
    TimeLimit,
    /// Nanoseconds for setting one of many timers.
    TimerSet,
    /// Nanoseconds for cancelling one of them by its user pointer.
    TimerCancel,
    /// Microseconds for reading from a file.
    Files,
    /// Nanoseconds for a call in its typical use.
    Function,
}

impl Measure {
    /// Digits after the point.
    pub(crate) fn decimals(self) -> usize {
        match self {
            Measure::Ratio | Measure::Calls | Measure::Cpu | Measure::CpuApart | Measure::Files => 2,
            Measure::P50 | Measure::P99 | Measure::P999 | Measure::PostOne | Measure::PostTwo => 1,
            Measure::FloodP50 | Measure::FloodP99 | Measure::FloodCpu | Measure::TimeLimit => 1,
            _ => 0,
        }
    }

    /// What is better.
    pub(crate) fn more_is_better(self) -> bool {
        matches!(self, Measure::Throughput | Measure::FloodMoved)
    }
}

/// One figure of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// What was measured.
    pub(crate) measure: Measure,
    /// Under which conditions.
    pub(crate) case: String,
    /// Of which peer.
    pub(crate) who: String,
    /// What came out.
    pub(crate) value: f64,
}

impl Sample {
    /// A sample.
    pub(crate) fn new(
        measure: Measure,
        case: impl fmt::Display,
        who: impl fmt::Display,
        value: f64,
    ) -> Sample {
        Sample { measure, case: case.to_string(), who: who.to_string(), value }
    }
}

/// How an echo server is loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Load {
    /// What the clients do.
    pub(crate) kind: Kind,
    /// Connections that always have a message under way.
    pub(crate) active: usize,
    /// Connections that are only open.
    pub(crate) idle: usize,
    /// The length of a message.
    pub(crate) bytes: usize,
}

impl Load {
    /// Ping-pong on connections that stay.
    pub(crate) fn ping_pong(active: usize, idle: usize, bytes: usize) -> Load {
        Load { kind: Kind::PingPong, active, idle, bytes }
    }

    /// A connection for each request; so many are open at once.
    pub(crate) fn short(active: usize) -> Load {
        Load { kind: Kind::Short, active, idle: 0, bytes: 64 }
    }

    /// Polite clients beside a flood.
    pub(crate) fn flood(active: usize) -> Load {
        Load { kind: Kind::Flood, active, idle: 0, bytes: 64 }
    }

    /// The server's buffer for a connection: larger than a message, as buffers are. A read that fills its buffer does
    /// not tell whether there is more, and who would make use of that has to try once more.
    pub(crate) fn buffer(&self) -> usize {
        let longest = if self.kind == Kind::Flood { PIECE } else { self.bytes };
        (2 * longest).max(4096)
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::PingPong => write!(f, "{} active", self.active)?,
            Kind::Short => write!(f, "{} short", self.active)?,
            Kind::Flood => write!(f, "{} beside a flood of {FLOODING}", self.active)?,
        }
        if self.idle > 0 {
            write!(f, " + {} idle", self.idle)?;
        }
        match self.bytes {
            64 => Ok(()),
            n if n % 1024 == 0 => write!(f, ", {} KiB", n / 1024),
            n => write!(f, ", {n} B"),
        }
    }
}

/// Several samples of the same.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Summary {
    /// Half of them are below.
    pub(crate) median: f64,
    /// A quarter of them is below.
    pub(crate) low: f64,
    /// A quarter of them is above.
    pub(crate) high: f64,
    /// How many there are.
    pub(crate) count: usize,
}

/// The value below which `part` of the sorted values are, between neighbours in proportion.
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let place = part * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted.get(place.floor() as usize)?, sorted.get(place.ceil() as usize)?);
    Some(below + (above - below) * place.fract())
}

impl Summary {
    /// The summary of these values, if there are any.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Summary> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Some(Summary {
            median: quantile(&sorted, 0.5)?,
            low: quantile(&sorted, 0.25)?,
            high: quantile(&sorted, 0.75)?,
            count: sorted.len(),
        })
    }
}

/// All samples of a run, in the order in which they were taken.
#[derive(Default, Debug, Serialize, Deserialize)]
pub(crate) struct Samples(pub(crate) Vec<Sample>);

impl Samples {
    /// The different values of a field among the samples of a measure, in order of appearance.
    fn distinct<'a>(&'a self, measure: Measure, field: impl Fn(&'a Sample) -> &'a str) -> Vec<&'a str> {
        let mut found = Vec::new();
        for value in self.0.iter().filter(|sample| sample.measure == measure).map(field) {
            if !found.contains(&value) {
                found.push(value);
            }
        }
        found
    }

    /// The cases of a measure.
    pub(crate) fn cases(&self, measure: Measure) -> Vec<&str> {
        self.distinct(measure, |sample| &sample.case)
    }

    /// Who was measured.
    pub(crate) fn who(&self, measure: Measure) -> Vec<&str> {
        self.distinct(measure, |sample| &sample.who)
    }

    /// What the samples of one measure, case and peer come to.
    pub(crate) fn summary(&self, measure: Measure, case: &str, who: &str) -> Option<Summary> {
        let of = |sample: &&Sample| sample.measure == measure && sample.case == case && sample.who == who;
        Summary::of(self.0.iter().filter(of).map(|sample| sample.value))
    }

    /// The peer with the best median in one case, among those that `which` lets pass.
    pub(crate) fn best(
        &self,
        measure: Measure,
        case: &str,
        which: impl Fn(&str) -> bool,
    ) -> Option<(&str, Summary)> {
        let sign = if measure.more_is_better() { -1.0 } else { 1.0 };
        let all = self.who(measure).into_iter().filter(|who| which(who));
        let all = all.filter_map(|who| Some((who, self.summary(measure, case, who)?)));
        all.min_by(|a, b| (sign * a.1.median).total_cmp(&(sign * b.1.median)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_neighbours() {
        let summary = Summary::of([4.0, 1.0, 3.0, 2.0]);
        assert_eq!(summary, Some(Summary { median: 2.5, low: 1.75, high: 3.25, count: 4 }));
        assert_eq!(Summary::of([]), None);
        assert_eq!(Summary::of([7.0]).map(|s| (s.low, s.median, s.high)), Some((7.0, 7.0, 7.0)));
    }

    #[test]
    fn a_load_says_what_it_is() {
        assert_eq!(Load::ping_pong(1, 0, 64).to_string(), "1 active");
        assert_eq!(Load::ping_pong(64, 9000, 16384).to_string(), "64 active + 9000 idle, 16 KiB");
        assert_eq!(Load::short(32).to_string(), "32 short");
        assert_eq!(Load::flood(10).to_string(), "10 beside a flood of 100");
    }

    #[test]
    fn the_best_is_the_least_or_the_most() {
        let mut samples = Samples::default();
        for (who, value) in [("a", 1.0), ("b", 2.0)] {
            samples.0.push(Sample::new(Measure::Ratio, "x", who, value));
            samples.0.push(Sample::new(Measure::Throughput, "x", who, value));
        }
        assert_eq!(samples.best(Measure::Ratio, "x", |_| true).map(|b| b.0), Some("a"));
        assert_eq!(samples.best(Measure::Throughput, "x", |_| true).map(|b| b.0), Some("b"));
        assert_eq!(samples.best(Measure::Ratio, "x", |who| who != "a").map(|b| b.0), Some("b"));
    }
}
