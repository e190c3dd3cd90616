//! Models of `sched::spinning` with `sched::runq`: the end of `findRunnable`, `wakep`
//! and `resetspinning`, from the queueing of a goroutine to its running.
//!
//! A thread of loom's is an M. One queues goroutines and goes on running its own for as
//! long as it takes, with its P: what it has queued must be run by the others, as long
//! as they have a P that would lie idle otherwise. Were a wake-up lost, all would sleep,
//! and loom say so.

use loom::model::Builder;
use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
use loom::thread;

use crate::patient;
use crate::runq::RunQueue;
use crate::spinning::Spinning;

/// A P's number.
type Proc = usize;

/// A goroutine; only its address counts.
type Goroutine = u8;

/// The scheduler.
struct Sched {
    spinning: Spinning,
    queues: Vec<RunQueue<Goroutine, 2>>,
    /// What `Spinning::join` takes for GOMAXPROCS: the fewer, the fewer spin.
    procs: i32,
    lock: Mutex<Locked>,
    /// For all who wait for anything behind the lock.
    changed: Condvar,
}

/// What is behind the scheduler's lock.
#[derive(Default)]
struct Locked {
    idle: Vec<Proc>,
    /// The global queue.
    global: Vec<*mut Goroutine>,
    /// Ps for which an M was started, all to spin. Whoever was about to sleep plays it.
    starts: Vec<Proc>,
    /// How many goroutines run, or have run.
    ran: usize,
    /// How many there are. Each runs until all do, so that no P may lie idle.
    total: usize,
}

// SAFETY: the pointers are numbers.
unsafe impl Send for Locked {}

/// How an M begins.
#[derive(Clone, Copy)]
enum Begin {
    /// It holds a P and looks for something to run.
    Searching(Proc),
    /// The same, and spins.
    Spinning(Proc),
    /// It comes out of a system call, and takes an idle P if there is one.
    Returning,
}

/// Where something is queued.
#[derive(Clone, Copy)]
enum Where {
    /// In the ring of a P that the caller holds.
    Ring(Proc),
    /// In its runnext.
    Next(Proc),
    /// In the global queue.
    Global,
}

impl Sched {
    /// Makes one with so many Ps, of which some are idle.
    fn new(all: usize, idle: &[Proc], procs: i32, goroutines: usize) -> Arc<Self> {
        let sched = Self {
            spinning: Spinning::new(),
            queues: (0..all).map(|_| RunQueue::new()).collect(),
            procs,
            lock: Mutex::new(Locked {
                idle: idle.to_vec(),
                total: goroutines,
                ..Locked::default()
            }),
            changed: Condvar::new(),
        };
        sched.spinning.add_idle(idle.len() as i32);
        Arc::new(sched)
    }

    /// Takes the lock.
    fn locked(&self) -> MutexGuard<'_, Locked> {
        self.lock.lock().unwrap()
    }

    /// Queues goroutines, and wakes an M for each if need be.
    fn submit(&self, places: &[Where]) {
        for (number, place) in places.iter().enumerate() {
            let gp = std::ptr::without_provenance_mut(number + 1);
            match *place {
                Where::Ring(pp) => self.queues[pp].put(gp, false, |_| panic!("it has room")),
                Where::Next(pp) => self.queues[pp].put(gp, true, |_| panic!("it has room")),
                Where::Global => self.locked().global.push(gp),
            }
            self.wakep();
        }
    }

    /// Has an M spin, if a P is idle and no M does.
    fn wakep(&self) {
        let mut claimed = self.spinning.claim();
        while claimed {
            let mut sched = self.locked();
            if let Some(pp) = self.pidleget(&mut sched) {
                sched.starts.push(pp);
                self.changed.notify_all();
                return;
            }
            drop(sched);
            claimed = self.spinning.unclaim();
        }
    }

    /// Takes an idle P.
    fn pidleget(&self, sched: &mut Locked) -> Option<Proc> {
        let pp = sched.idle.pop()?;
        self.spinning.add_idle(-1);
        Some(pp)
    }

    /// Waits until all goroutines have run: what the submitter's own does.
    fn wait(&self) {
        let mut sched = self.locked();
        while sched.ran < sched.total {
            sched = self.changed.wait(sched).unwrap();
        }
    }

    /// Runs a goroutine: it waits for all others to run, too.
    fn run(&self) {
        self.locked().ran += 1;
        self.changed.notify_all();
        self.wait();
    }

    /// What an M does, until all goroutines have run.
    fn work(&self, begin: Begin) {
        let held = match begin {
            Begin::Searching(pp) => Some((pp, false)),
            Begin::Spinning(pp) => Some((pp, true)), // counted by whoever starts it
            Begin::Returning => {
                let pp = self.pidleget(&mut self.locked());
                pp.map(|pp| (pp, false))
            }
        };
        let mut held = held.or_else(|| self.stopm());
        while let Some((pp, spinning)) = held {
            held = self.find_runnable(pp, spinning);
        }
    }

    /// Runs something, or gives the P up and sleeps; returns with which P it goes on,
    /// and whether it spins, or nothing when all goroutines have run.
    fn find_runnable(&self, pp: Proc, spinning: bool) -> Option<(Proc, bool)> {
        let mut spinning = spinning;
        let mut found = self.queues[pp].get().is_some();
        if !found && (spinning || self.spinning.join(self.procs)) {
            spinning = true;
            found = self.steal(pp);
        }
        let mut sched = self.locked();
        found = found || sched.global.pop().is_some();
        if found {
            drop(sched);
            if spinning && self.spinning.leave() {
                self.wakep();
            }
            self.run();
            return Some((pp, false));
        }
        sched.idle.push(pp);
        self.spinning.add_idle(1);
        drop(sched);
        if self.spinning.rest(spinning) && self.anything() {
            let pp = self.pidleget(&mut self.locked());
            if let Some(pp) = pp {
                self.spinning.add();
                return Some((pp, true));
            }
        }
        self.stopm()
    }

    /// Takes something from another's queue.
    fn steal(&self, pp: Proc) -> bool {
        let mine = &self.queues[pp];
        let mut others = (0..self.queues.len()).filter(|&other| other != pp);
        others.any(|other| mine.steal_from(&self.queues[other], true, || ()).is_some())
    }

    /// The last look, without a P.
    fn anything(&self) -> bool {
        self.queues.iter().any(|queue| !queue.is_empty()) || !self.locked().global.is_empty()
    }

    /// Sleeps until it is started to spin with a P, or all goroutines have run.
    fn stopm(&self) -> Option<(Proc, bool)> {
        let mut sched = self.locked();
        loop {
            if let Some(pp) = sched.starts.pop() {
                return Some((pp, true));
            }
            if sched.ran == sched.total {
                return None;
            }
            sched = self.changed.wait(sched).unwrap();
        }
    }
}

/// Runs a model: `sched`, one M for each of `workers`, and the model's own, which
/// queues something at each of `places` and holds a P all the time.
fn model(
    preemptions: usize,
    sched: impl Fn() -> Arc<Sched> + Sync + Send + 'static,
    workers: &'static [Begin],
    places: &'static [Where],
) {
    let mut model = Builder::new();
    model.preemption_bound = Some(preemptions);
    model.max_branches = 10_000;
    model.check(move || {
        let sched = sched();
        for begin in workers {
            if matches!(begin, Begin::Spinning(_)) {
                sched.spinning.add();
            }
        }
        let workers: Vec<_> = workers
            .iter()
            .map(|&begin| {
                let sched = Arc::clone(&sched);
                thread::spawn(move || sched.work(begin))
            })
            .collect();
        sched.submit(places);
        sched.wait();
        for worker in workers {
            worker.join().unwrap();
        }
        assert!(sched.queues.iter().all(RunQueue::is_empty));
    });
}

/// One queues, the other goes to sleep at the same time.
#[test]
fn one_is_queued_while_one_goes_to_sleep() {
    for place in [&[Where::Ring(0)], &[Where::Next(0)], &[Where::Global]] {
        model(3, || Sched::new(2, &[], 2, 1), &[Begin::Spinning(1)], place);
        // The limit keeps it from spinning.
        model(
            3,
            || Sched::new(2, &[], 0, 1),
            &[Begin::Searching(1)],
            place,
        );
    }
}

/// The last to spin goes to sleep when another has gone without looking, since it
/// trusted in the last.
#[test]
fn one_is_queued_while_two_go_to_sleep() {
    model(
        2,
        || Sched::new(3, &[], 2, 1),
        &[Begin::Spinning(1), Begin::Searching(2)],
        &[Where::Ring(0)],
    );
}

/// Two goroutines for two other Ps: who finds the first wakes one for the second.
#[test]
fn two_are_queued_for_two() {
    model(
        patient(2),
        || Sched::new(3, &[], 2, 2),
        &[Begin::Spinning(1), Begin::Searching(2)],
        &[Where::Ring(0), Where::Ring(0)],
    );
}

/// An idle P is taken and given back by one that does not spin, while the right to
/// start an M for it is claimed.
#[test]
fn a_claim_for_a_p_that_has_gone() {
    model(
        3,
        || Sched::new(2, &[1], 0, 1),
        &[Begin::Returning],
        &[Where::Ring(0)],
    );
}
