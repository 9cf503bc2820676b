//! How much is measured: in full, or quickly.

use crate::samples::Load;
use std::time::Duration;

/// A chain: so many pairs, of which so many are active, and so many writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    /// Socket pairs.
    pub(crate) pairs: usize,
    /// Bytes under way at once.
    pub(crate) active: usize,
    /// Events beyond the first ones.
    pub(crate) writes: usize,
}

/// All sizes and numbers.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Whether this is only to see that all works.
    pub(crate) quick: bool,
    /// How often each figure is taken.
    pub(crate) rounds: usize,
    /// How long a run of load measures.
    pub(crate) time: Duration,
    /// Loads with server and generator on one core: the headline.
    pub(crate) one_core: Vec<Load>,
    /// Loads with server and generator on different cores.
    pub(crate) two_cores: Vec<Load>,
    /// Polite clients beside a flood.
    pub(crate) flood: Load,
    /// How long a run with a flood measures.
    pub(crate) flood_time: Duration,
    /// Loads for counting calls and instructions, and the two numbers of requests between which the difference is
    /// taken.
    pub(crate) counted: Vec<Load>,
    /// For strace.
    pub(crate) calls: (u64, u64),
    /// For callgrind.
    pub(crate) instructions: (u64, u64),
    /// How often calls and instructions are counted: they vary little.
    pub(crate) counts: usize,
    /// Idle connections for the memory of each.
    pub(crate) memory: usize,
    /// Descriptors for the memory of the library alone.
    pub(crate) memory_library: usize,
    /// Chains.
    pub(crate) chains: Vec<Chain>,
    /// Rounds in one run of a chain, beside the first.
    pub(crate) chain_rounds: usize,
    /// Events in one sample of posting and harvesting.
    pub(crate) posted: usize,
    /// Reads with a time limit in one sample of what that adds.
    pub(crate) limited: usize,
    /// Timers that are set at once, and how many of them are cancelled.
    pub(crate) timers: (usize, usize),
    /// Reads in one sample of reading files.
    pub(crate) reads: usize,
}

const LARGE: usize = 16 * 1024;

impl Settings {
    /// What `make bench` measures, in about an hour.
    pub(crate) fn full() -> Settings {
        let mut loads = Vec::new();
        for (bytes, idle) in [(64, 0), (64, 9000), (LARGE, 0)] {
            loads.extend([1, 64, 1000].map(|active| Load::ping_pong(active, idle, bytes)));
        }
        loads.extend([1, 64].map(Load::short));
        let chain =
            |active, writes| [100, 300, 1000, 3000, 9000].map(|pairs| Chain { pairs, active, writes });
        Settings {
            quick: false,
            rounds: 9,
            time: Duration::from_millis(500),
            one_core: loads.clone(),
            two_cores: loads,
            flood: Load::flood(10),
            flood_time: Duration::from_millis(1500),
            counted: vec![Load::ping_pong(32, 0, 64), Load::ping_pong(1, 0, 64), Load::short(32)],
            calls: (5_000, 20_000),
            instructions: (5_000, 20_000),
            counts: 3,
            memory: 9000,
            memory_library: 18_000,
            chains: chain(1, 1000).into_iter().chain(chain(100, 1000)).collect(),
            chain_rounds: 20,
            posted: 1_000_000,
            limited: 400_000,
            timers: (100_000, 1_000),
            reads: 10_000,
        }
    }

    /// What `make bench QUICK=1` measures, in about two minutes: to see that all works, and roughly where things stand.
    pub(crate) fn quick() -> Settings {
        let load = |active, idle| Load::ping_pong(active, idle, 64);
        let chain = |pairs| Chain { pairs, active: 100, writes: 1000 };
        Settings {
            quick: true,
            rounds: 3,
            time: Duration::from_millis(120),
            one_core: vec![load(1, 0), load(64, 0), load(1000, 0), load(64, 3000), Load::short(64)],
            two_cores: vec![load(64, 0), Load::short(64)],
            flood: Load::flood(10),
            flood_time: Duration::from_millis(300),
            counted: vec![load(32, 0), load(1, 0), Load::short(32)],
            calls: (1_000, 4_000),
            instructions: (1_000, 4_000),
            counts: 1,
            memory: 3000,
            memory_library: 18_000,
            chains: [100, 9000].map(chain).into(),
            chain_rounds: 5,
            posted: 100_000,
            limited: 40_000,
            timers: (100_000, 100),
            reads: 1_000,
        }
    }
}
