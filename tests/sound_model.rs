//! Random sequences of calls, beside a model that only counts: every accepted submission gives exactly one event, or
//! its state is dropped with the pipe; data come in order; the places that are taken are those of the model.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sound/kinds.rs"]
mod kinds;
#[path = "sound/listener.rs"]
mod listener;
#[path = "sound/model.rs"]
mod model;
#[path = "sound/tally.rs"]
mod tally;
#[path = "sound/test.rs"]
mod test;

use kinds::Kind;
use model::{LINES, Model};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A call of the program's, or something that its peers do.
#[derive(Clone, Debug)]
enum Step {
    Submit(usize, Kind),
    Inline(usize, Kind),
    Post(u32),
    PeerWrite(usize, usize),
    PeerRead(usize),
    PeerCloses(usize),
    Connect,
    Cancel(usize, usize),
    CancelOne(usize),
    SetTimeout(usize, bool),
    DropHandle(usize),
    Renew(usize),
    Harvest {
        room: usize,
        take: usize,
    },
    DropEvents,
    Resize(usize),
    /// With what is complete, outstanding, and in `Events`.
    DropPipe,
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => (1usize..24).prop_map(Kind::Read),
        2 => Just(Kind::ReadSpare),
        2 => (1usize..24).prop_map(Kind::ReadTimed),
        4 => (1usize..24).prop_map(Kind::Write),
        1 => Just(Kind::Poll),
        2 => Just(Kind::Accept),
        1 => Just(Kind::LongTimer),
        2 => (0u64..300).prop_map(Kind::ShortTimer),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let line = 0..LINES;
    prop_oneof![
        24 => (line.clone(), kinds()).prop_map(|(line, kind)| Step::Submit(line, kind)),
        6 => (line.clone(), kinds()).prop_map(|(line, kind)| Step::Inline(line, kind)),
        3 => any::<u32>().prop_map(Step::Post),
        10 => (line.clone(), 1usize..60).prop_map(|(line, len)| Step::PeerWrite(line, len)),
        4 => line.clone().prop_map(Step::PeerRead),
        1 => line.clone().prop_map(Step::PeerCloses),
        3 => Just(Step::Connect),
        2 => (line.clone(), 0usize..4).prop_map(|(line, what)| Step::Cancel(line, what)),
        3 => (0usize..8).prop_map(Step::CancelOne),
        2 => (line.clone(), any::<bool>()).prop_map(|(line, short)| Step::SetTimeout(line, short)),
        1 => line.clone().prop_map(Step::DropHandle),
        2 => line.prop_map(Step::Renew),
        16 => (1usize..9, 0usize..9).prop_map(|(room, take)| Step::Harvest { room, take }),
        1 => Just(Step::DropEvents),
        2 => (0usize..12).prop_map(Step::Resize),
        1 => Just(Step::DropPipe),
    ]
}

fn carry_out(model: &mut Model, step: &Step) {
    match *step {
        Step::Submit(line, kind) => model.submit(line, kind),
        Step::Inline(line, kind) => model.submit_inline(line, kind),
        Step::Post(value) => model.post(value),
        Step::PeerWrite(line, len) => model.peer_write(line, len),
        Step::PeerRead(line) => {
            model.peer_read(line);
        }
        Step::PeerCloses(line) => model.peer_closes(line),
        Step::Connect => model.connect(),
        Step::Cancel(line, what) => model.cancel(line, what),
        Step::CancelOne(which) => model.cancel_one(which),
        Step::SetTimeout(line, short) => model.set_timeout(line, short),
        Step::DropHandle(line) => model.drop_handle(line),
        Step::Renew(line) => model.renew(line),
        Step::Harvest { room, take } => model.harvest(room, take),
        Step::DropEvents => model.drop_events(),
        Step::Resize(capacity) => model.resize(capacity),
        Step::DropPipe => model.drop_pipe(),
    }
    model.assert_counts();
}

/// The sequences are the same each time; PROPTEST_CASES says how many.
fn for_sequences(f: impl Fn(Vec<Step>)) {
    let _test = test::begin();
    let cases = std::env::var("PROPTEST_CASES").map_or(150, |cases| cases.parse().unwrap());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let run = |steps| {
        f(steps);
        Ok(())
    };
    if let Err(error) = runner.run(&prop::collection::vec(steps(), 1..80), run) {
        panic!("{error}");
    }
}

#[test]
fn every_submission_has_exactly_one_event() {
    for_sequences(|steps| {
        let mut model = Model::new();
        steps.iter().for_each(|step| carry_out(&mut model, step));
        // Whatever waits yet is ended, and comes.
        model.finish();
    });
}

#[test]
fn or_its_state_is_dropped_with_the_pipe() {
    for_sequences(|steps| {
        let mut model = Model::new();
        steps.iter().for_each(|step| carry_out(&mut model, step));
        model.drop_pipe();
        model.assert_counts();
    });
}
