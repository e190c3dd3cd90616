//! Models of `sched::sigqueue`: from a handler by way of sysmon to the receiver.
//!
//! A handler is a thread of loom's, and so are sysmon, with the futex that it sleeps on, and
//! the receiver, with a status that goes Running, Waiting, Runnable as in `sched::status`.
//! Were a signal lost, all would sleep, and loom say so.

use std::ptr;

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread::{self, JoinHandle, Thread};

use crate::sigqueue::SigQueue;

const RUNNING: u32 = 0;
const WAITING: u32 = 1;
const RUNNABLE: u32 = 2;

/// Two signals, and one that ends the receiver.
const ONE: u64 = 1;
const TWO: u64 = 2;
const END: u64 = 4;

/// The receiver.
struct Goroutine {
    thread: Thread,
    status: AtomicU32,
    /// Written when it is saved, and read by whoever readies it.
    context: UnsafeCell<u32>,
}

impl Goroutine {
    /// Makes one of the current thread.
    fn new() -> Self {
        Self {
            thread: thread::current(),
            status: AtomicU32::new(RUNNING),
            context: UnsafeCell::new(0),
        }
    }

    /// Is parked until somebody readies it.
    fn wait(&self) {
        while self.status.load(Ordering::Acquire) != RUNNABLE {
            thread::park();
        }
        self.change(RUNNABLE, RUNNING);
    }

    /// Changes the status, as casgstatus does.
    fn change(&self, from: u32, to: u32) {
        let changed = self
            .status
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
        assert!(changed.is_ok(), "bad status");
    }
}

/// sysmon's word, and what the kernel has for who sleeps on it.
struct World {
    queue: SigQueue<Goroutine>,
    note: AtomicU32,
    kernel: Mutex<()>,
    woken: Condvar,
    /// sysmon shall end.
    over: AtomicU32,
}

impl World {
    /// Makes one that wants these signals.
    fn new(wanted: u64) -> Arc<Self> {
        let world = Self {
            queue: SigQueue::new(),
            note: AtomicU32::new(0),
            kernel: Mutex::new(()),
            woken: Condvar::new(),
            over: AtomicU32::new(0),
        };
        world.queue.want(wanted);
        Arc::new(world)
    }

    /// As `hurry_sysmon`: in a handler.
    fn hurry_sysmon(&self) {
        if self.note.swap(1, Ordering::Release) == 0 {
            let kernel = self.kernel.lock().unwrap();
            self.woken.notify_one();
            drop(kernel);
        }
    }

    /// A signal comes.
    fn send(&self, bit: u64) -> bool {
        self.queue.send(bit, || self.hurry_sysmon())
    }

    /// As `sysmon`, with nothing else to do.
    fn sysmon(&self) {
        while self.over.load(Ordering::Acquire) == 0 {
            let kernel = self.kernel.lock().unwrap();
            if self.note.load(Ordering::Relaxed) == 0 {
                drop(self.woken.wait(kernel).unwrap());
            } else {
                drop(kernel);
            }
            self.note.swap(0, Ordering::Acquire);
            if self.queue.calls() {
                // SAFETY: null, or the receiver's, which is there until sysmon has ended.
                if let Some(receiver) = unsafe { self.queue.answer().as_ref() } {
                    // SAFETY: loom sees to it that nobody else is here.
                    receiver.context.with(|saved| unsafe { *saved });
                    receiver.change(WAITING, RUNNABLE);
                    receiver.thread.unpark();
                }
            }
        }
    }

    /// As the unlock function.
    fn publish(&self, receiver: &Goroutine) {
        let receiver = ptr::from_ref(receiver).cast_mut();
        self.queue.publish(receiver, || self.hurry_sysmon());
    }

    /// As `signal_recv`.
    fn receive(&self, me: &Goroutine) -> u64 {
        self.receive_by(me, || self.publish(me))
    }

    /// The same, with another unlock function.
    fn receive_by(&self, me: &Goroutine, mut publish: impl FnMut()) -> u64 {
        loop {
            let signals = self.queue.take();
            if signals != 0 {
                return signals;
            }
            // SAFETY: loom sees to it that nobody else is here.
            me.context.with_mut(|saved| unsafe { *saved += 1 });
            me.change(RUNNING, WAITING);
            publish();
            me.wait();
        }
    }

    /// Ends sysmon.
    fn end(&self) {
        self.over.store(1, Ordering::Release);
        self.hurry_sysmon();
    }
}

/// Calls `f` on a thread of its own.
fn go<T: 'static>(world: &Arc<World>, f: impl FnOnce(&World) -> T + 'static) -> JoinHandle<T> {
    let world = Arc::clone(world);
    thread::spawn(move || f(&world))
}

/// Runs a model in every order with so many preemptions.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Two handlers at the same time, of which one comes again.
#[test]
fn none_is_lost() {
    check(3, || {
        let world = World::new(ONE | TWO);
        let sysmon = go(&world, World::sysmon);
        let handler = go(&world, |world| assert!(world.send(TWO)));
        let me = Goroutine::new();
        assert!(world.send(ONE)); // on the receiver's own thread
        let mut got = 0;
        while got != ONE | TWO {
            got |= world.receive(&me);
        }
        handler.join().unwrap();
        world.end();
        sysmon.join().unwrap();
    });
}

/// The same kind comes again: it is received again, or was when the second one came.
#[test]
fn each_is_received_after_it_came() {
    check(3, || {
        let world = World::new(ONE | END);
        let sent = Arc::new(AtomicU32::new(0));
        let sysmon = go(&world, World::sysmon);
        let handler = {
            let (world, sent) = (Arc::clone(&world), Arc::clone(&sent));
            thread::spawn(move || {
                for count in 1..=2 {
                    sent.store(count, Ordering::Relaxed);
                    assert!(world.send(ONE));
                }
            })
        };
        let me = Goroutine::new();
        // Who has received the last one knows of it.
        while sent.load(Ordering::Relaxed) < 2 {
            world.receive(&me);
        }
        handler.join().unwrap();
        world.end();
        sysmon.join().unwrap();
    });
}

/// A wish is taken back: what came before is handed on when that is over, and nothing is
/// afterwards.
#[test]
fn who_has_stopped_gets_no_more() {
    check(2, || {
        let world = World::new(ONE | END);
        // What the channel has got. A plain cell: it is the stopper's in the end.
        let channel = Arc::new(UnsafeCell::new(0));
        let sysmon = go(&world, World::sysmon);
        let receiver = {
            let (world, channel) = (Arc::clone(&world), Arc::clone(&channel));
            thread::spawn(move || {
                let me = Goroutine::new();
                loop {
                    let got = world.receive(&me);
                    if got & ONE != 0 {
                        // SAFETY: loom sees to it that nobody else is here.
                        channel.with_mut(|count| unsafe { *count += 1 });
                    }
                    if got & END != 0 {
                        break;
                    }
                }
                world.end();
                me // sysmon may look at it until it has ended
            })
        };
        let handler = go(&world, |world| world.send(ONE));
        world.queue.drop_wish(ONE, false);
        while !world.queue.is_idle() {
            thread::yield_now();
        }
        // SAFETY: as above.
        let handed_on = channel.with(|count| unsafe { *count });
        let sent = handler.join().unwrap();
        assert_eq!(handed_on, u32::from(sent));
        assert!(world.send(END));
        drop(receiver.join().unwrap());
        sysmon.join().unwrap();
    });
}

/// Who parks the receiver is still at it when that has been found, has run, and parks again, on
/// another M: as a thread of its own here.
#[test]
fn it_parks_again_while_it_is_published() {
    check(2, || {
        let world = World::new(ONE | END);
        let sysmon = go(&world, World::sysmon);
        let me = Arc::new(Goroutine::new());
        let handler = go(&world, |world| {
            world.send(ONE);
            world.send(END);
        });
        let mut first = None;
        let mut publish = || {
            if first.is_none() {
                let receiver = Arc::clone(&me);
                first = Some(go(&world, move |world| world.publish(&receiver)));
            } else {
                world.publish(&me);
            }
        };
        while world.receive_by(&me, &mut publish) & END == 0 {}
        handler.join().unwrap();
        if let Some(first) = first {
            first.join().unwrap();
        }
        world.end();
        sysmon.join().unwrap();
    });
}
