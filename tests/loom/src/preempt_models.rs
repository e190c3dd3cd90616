//! A model of the request to give way: `g.preempt` as sysmon sets it and `execute`
//! clears it, beside the status as `sched::status` changes it. The fields are copies;
//! what is modelled is that a request which comes too late, to a goroutine that is
//! queued, runs on another M or is dead, does no harm, and that one which is lost leaves
//! all as it was: sysmon asks again after its next look.

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use loom::thread;

use crate::runq::RunQueue;

const RUNNABLE: u32 = 1;
const RUNNING: u32 = 2;
const DEAD: u32 = 6;

/// A goroutine.
struct Goroutine {
    status: AtomicU32,
    preempt: AtomicBool,
    /// How often it ran: its context.
    context: UnsafeCell<u32>,
}

impl Goroutine {
    /// Changes the status, as casgstatus does.
    fn change(&self, from: u32, to: u32) {
        let changed = self
            .status
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
        assert!(changed.is_ok(), "bad status: {changed:?}, not {from}");
    }
}

/// Two Ms share a queue: what one puts there, the other may steal.
struct World {
    gp: Goroutine,
    queues: [RunQueue<Goroutine, 2>; 2],
    /// What the Ms run, or have run: sysmon only peeks.
    curg: [AtomicPtr<Goroutine>; 2],
}

// SAFETY: loom watches over the cell.
unsafe impl Sync for World {}
// SAFETY: as above.
unsafe impl Send for World {}

impl World {
    /// Makes one whose goroutine is in the first queue.
    fn new() -> Arc<Self> {
        let world = Arc::new(Self {
            gp: Goroutine {
                status: AtomicU32::new(RUNNABLE),
                preempt: AtomicBool::new(false),
                context: UnsafeCell::new(0),
            },
            queues: [RunQueue::new(), RunQueue::new()],
            curg: [AtomicPtr::default(), AtomicPtr::default()],
        });
        let gp = std::ptr::from_ref(&world.gp).cast_mut();
        world.queues[0].put(gp, false, |_| panic!("it has room"));
        world
    }

    /// Runs the goroutine on an M until it gives way, or has run `turns` times in all.
    /// Tells whether there was one to run.
    fn schedule(&self, mp: usize, turns: u32) -> bool {
        let mine = &self.queues[mp];
        let found = mine.get();
        let stolen = || mine.steal_from(&self.queues[1 - mp], true, || ());
        let Some((gp, _)) = found.or_else(stolen) else {
            return false;
        };
        self.curg[mp].store(gp, Ordering::Relaxed);
        // SAFETY: the models keep it to the end.
        let gp = unsafe { &*gp };
        gp.change(RUNNABLE, RUNNING);
        gp.preempt.store(false, Ordering::Relaxed);
        loop {
            // SAFETY: loom sees to it that nobody else is here.
            let ran = gp.context.with_mut(|ran| unsafe {
                *ran += 1;
                *ran
            });
            if ran == turns {
                gp.change(RUNNING, DEAD);
                return true;
            }
            if gp.preempt.load(Ordering::Relaxed) {
                gp.change(RUNNING, RUNNABLE);
                let gp = std::ptr::from_ref(gp).cast_mut();
                mine.put(gp, false, |_| panic!("it has room"));
                return true;
            }
        }
    }

    /// sysmon asks whoever runs to give way.
    fn preemptone(&self, mp: usize) {
        // SAFETY: as above.
        if let Some(gp) = unsafe { self.curg[mp].load(Ordering::Relaxed).as_ref() } {
            gp.preempt.store(true, Ordering::Relaxed);
        }
    }
}

/// Two Ms run it by turns, while sysmon asks who is seen on either.
#[test]
fn a_request_that_comes_late_does_no_harm() {
    let mut model = Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let world = World::new();
        let ms = [0, 1].map(|mp| {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.schedule(mp, 3);
                world.schedule(mp, 3);
            })
        });
        world.preemptone(0);
        world.preemptone(1);
        for mp in ms {
            mp.join().unwrap();
        }
        // At the end it runs out, whatever was asked.
        while world.gp.status.load(Ordering::Relaxed) != DEAD {
            assert!(world.schedule(0, 3), "it is in one of the queues");
        }
        assert!(!world.schedule(0, 3), "it was there twice");
    });
}
