//! An attachment that begins and ends while operations are queued and completed. Only the protocol is under test here,
//! in a model of its own.

use crate::model;
use crate::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// A descriptor as `attachment`, `attach` and the engine treat it: a table that is read without a lock, a node that is
/// used again, and edges that name a node and its generation.
struct Descriptor {
    /// What the table says: the node is attached.
    table: AtomicBool,
    node: Mutex<Node>,
    /// Results that came out, by the user pointer of the operation.
    events: Mutex<Vec<(u32, Outcome)>>,
}

struct Node {
    attached: bool,
    generation: u32,
    user: u32,
    /// How many operations wait.
    parked: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    Done,
    Canceled,
}

impl Descriptor {
    /// `attach::attach_new`, and an operation that is queued.
    fn attach(&self, user: u32) -> bool {
        let mut node = self.node.lock().unwrap();
        if node.attached {
            return false;
        }
        *node = Node { attached: true, user, parked: 0, generation: node.generation };
        self.table.store(true, Ordering::Release);
        true
    }

    /// `submit`: looks into the table, locks, and makes sure that the node is still what it looked for.
    fn submit(&self) -> Option<u32> {
        if !self.table.load(Ordering::Acquire) {
            return None;
        }
        let mut node = self.node.lock().unwrap();
        if !node.attached {
            return None;
        }
        node.parked += 1;
        Some(node.user)
    }

    /// `Epoll::edge`, with what the kernel was told when the descriptor was attached.
    fn edge(&self, generation: u32) {
        let mut node = self.node.lock().unwrap();
        if node.attached && node.generation == generation {
            self.complete(&mut node, Outcome::Done);
        }
    }

    fn complete(&self, node: &mut Node, outcome: Outcome) {
        let mut events = self.events.lock().unwrap();
        events.extend((0..core::mem::take(&mut node.parked)).map(|_| (node.user, outcome)));
    }

    /// `attach::release`.
    fn detach(&self) {
        let mut node = self.node.lock().unwrap();
        if !core::mem::take(&mut node.attached) {
            return;
        }
        self.complete(&mut node, Outcome::Canceled);
        node.generation += 1;
        self.table.store(false, Ordering::Release);
    }
}

/// Rules 2.2 and 4.3: attach against detach against completion: each operation that was queued has exactly one event,
/// and an edge of the descriptor before completes nothing of the new one.
#[test]
fn attach_detach_and_completion_give_one_event_each() {
    model(None, || {
        let node = Node { attached: false, generation: 0, user: 0, parked: 0 };
        let descriptor = Arc::new(Descriptor {
            table: AtomicBool::new(false),
            node: Mutex::new(node),
            events: Mutex::new(Vec::new()),
        });
        assert!(descriptor.attach(1));
        assert_eq!(descriptor.submit(), Some(1));
        // The kernel's edge for the first attachment, on its way.
        let other = descriptor.clone();
        let edge = thread::spawn(move || other.edge(0));
        // Another thread queues, on whatever is attached.
        let other = descriptor.clone();
        let submitter = thread::spawn(move || other.submit());
        descriptor.detach();
        assert!(descriptor.attach(2));
        edge.join().unwrap();
        let queued = submitter.join().unwrap();
        descriptor.detach();
        let events = descriptor.events.lock().unwrap();
        let of = |user| events.iter().filter(|event| event.0 == user).count();
        assert_eq!(of(1), 1 + usize::from(queued == Some(1)), "{events:?}");
        assert_eq!(of(2), usize::from(queued == Some(2)), "{events:?}");
        assert!(!events.contains(&(2, Outcome::Done)), "{events:?}");
    });
}
