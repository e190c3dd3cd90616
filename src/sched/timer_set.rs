//! The timers of a P: their heap, its lock, and what can be seen without it.
//!
//! Go's counterpart: `timers` and its `addHeap`, `cleanHead`, `adjust`, `check`,
//! `run`, `take`, `wakeTime` in `runtime/time.go`.
//!
//! Anybody may look when the next is due, and any P may run what is due; the lock is
//! taken by those who have found that there is something. The functions are called in
//! batches with the lock given back: by then their timers are out of the heap, or set
//! for their next time, and somebody else may stop them, set them, or free them.
//!
//! Invariants:
//! 1. `wake_time` is never after the time of a timer that is pending in the heap, as
//!    far as the looker can know of it: `min_when_heap` is not after the first entry,
//!    and `min_when_modified` not after any timer that was set to before its entry.
//! 2. The heap's lock is taken before a timer's, never after it.
//! 3. An entry's timer has HEAPED set, and its memory is good: whoever has the lock
//!    may look at the timers of all entries.
//!
//! The file stands alone, as `timer` does; `super::TimersLock` is its lock.

use core::ptr;

use super::TimersLock;
use super::atomic::{AtomicI64, AtomicIsize, AtomicUsize, Ordering};
use super::timer::{Call, MODIFIED, Timer, ZOMBIE};
use super::timer_heap::{Entry, TimerHeap};
use super::trace;

/// How many functions are called between taking the lock twice.
const BATCH: usize = 16;

/// How many entries of each end are swept out at most when a timer is added: nobody
/// shall wait for that.
const CLEAN: usize = 32;

/// The timers of a P. Made at the first use, and never freed.
pub(crate) struct TimerSet {
    heap: TimersLock<TimerHeap<Timer>>,
    /// How long the heap is, to look at without the lock.
    len: AtomicUsize,
    /// How many of its entries have been stopped.
    zombies: AtomicIsize,
    /// The time of the first entry, or an earlier one; 0 if there is none. Written
    /// under the lock.
    min_when_heap: AtomicI64,
    /// A time that is not after that of any timer whose entry is later than it should
    /// be; 0 if there is no such timer.
    min_when_modified: AtomicI64,
}

impl TimerSet {
    /// Makes one without timers.
    pub(crate) fn new() -> Self {
        Self {
            heap: TimersLock::new(TimerHeap::new()),
            len: AtomicUsize::new(0),
            zombies: AtomicIsize::new(0),
            min_when_heap: AtomicI64::new(0),
            min_when_modified: AtomicI64::new(0),
        }
    }

    /// Adds a timer if it is pending and in no heap. Returns when it is due if that is
    /// before all others there, so that who sleeps until the next is to be woken. With
    /// `acquirem` in force; a sleeper's timer may be gone when this returns.
    pub(super) fn add(&self, timer: &Timer) -> Option<i64> {
        let mut heap = self.heap.lock();
        self.clean_head(&mut heap);
        heap.reserve(); // nothing is allocated with the timer's lock held
        let mut held = timer.lock();
        let mut wake = None;
        if held.needs_add() {
            let next = self.wake_time();
            let when = held.enter(self);
            heap.push(Entry { when, timer });
            wake = (next == 0 || when < next).then_some(when);
        }
        drop(held);
        self.publish(&heap);
        wake
    }

    /// Calls what is due at `now`; if that is 0, `clock` is asked when the time is
    /// needed. Returns the time, when the next timer is due (0 if there is none), and
    /// whether anything was called. If `local`, the heap is its own P's, which sweeps
    /// out what was stopped when that is more than a quarter of it. When `enough` says so,
    /// the rest of what is due is left for the next time. On g0.
    pub(super) fn check(
        &self,
        now: i64,
        local: bool,
        clock: fn() -> i64,
        enough: impl Fn() -> bool,
    ) -> (i64, i64, bool) {
        let mut now = now;
        let mut ran = false;
        loop {
            let next = self.wake_time();
            if next == 0 {
                return (now, 0, ran);
            }
            if now == 0 {
                now = clock();
            }
            if now < next && !(local && self.has_many_zombies()) {
                return (now, next, ran);
            }
            ran |= self.run(now, local);
            if ran && enough() {
                return (now, self.wake_time(), ran);
            }
        }
    }

    /// Calls what is due, a batch at most, and tells whether it called anything.
    fn run(&self, now: i64, local: bool) -> bool {
        let mut calls = [Call::NONE; BATCH];
        let mut heap = self.heap.lock();
        self.adjust(&mut heap, now, false);
        let count = self.take_due(&mut heap, now, &mut calls);
        if count < BATCH && local && self.has_many_zombies() {
            self.adjust(&mut heap, now, true);
        }
        self.publish(&heap);
        drop(heap);
        for call in &calls[..count] {
            trace::timer();
            call.make();
        }
        count > 0
    }

    /// Takes what is due out of the heap, or sets it for its next time; returns how many
    /// calls that makes.
    ///
    /// The entries are taken first, and their timers looked at afterwards: those lie on
    /// the stacks of goroutines that have slept for long, and their memory comes for all
    /// of them at the same time. An entry that is out of the heap meanwhile is missed by
    /// nobody: who stops its timer, or sets it, does no more than to mark it, and
    /// `wake_time` is that of before until `publish`.
    fn take_due(&self, heap: &mut TimerHeap<Timer>, now: i64, calls: &mut [Call; BATCH]) -> usize {
        let mut due = [ptr::null(); BATCH];
        let mut count = 0;
        loop {
            let mut taken = 0;
            for slot in &mut due[count..] {
                let Some(entry) = heap.first().filter(|first| first.when <= now) else {
                    break;
                };
                heap.remove_first();
                super::prefetch(entry.timer.cast());
                *slot = entry.timer;
                taken += 1;
            }
            if taken == 0 {
                if count < BATCH {
                    self.clean_front(heap); // or somebody would be woken for what was stopped
                }
                return count;
            }
            let (from, to) = (count, count + taken);
            for &timer in &due[from..to] {
                // SAFETY: invariant 3: it was in the heap, and is HEAPED still.
                let timer = unsafe { &*timer };
                heap.reserve(); // nothing is allocated with the timer's lock held
                let mut held = timer.lock();
                if held.is(ZOMBIE) {
                    held.exit();
                    continue;
                }
                if held.when() <= now {
                    let (call, next) = held.fire(now);
                    call.warm();
                    calls[count] = call;
                    count += 1;
                    if next == 0 {
                        held.exit();
                        continue;
                    }
                }
                // Due again, or put off.
                let when = held.entry_is_right();
                heap.push(Entry { when, timer });
            }
        }
    }

    /// Removes stopped timers from the heap's end and front, a few at most: where timers
    /// come and go the heap stays short.
    fn clean_head(&self, heap: &mut TimerHeap<Timer>) {
        for _ in 0..CLEAN {
            let Some(last) = heap.len().checked_sub(1).and_then(|last| heap.get(last)) else {
                return;
            };
            // SAFETY: invariant 3.
            let timer = unsafe { &*last.timer };
            if !timer.needs_look() {
                break;
            }
            let held = timer.lock();
            if !held.is(ZOMBIE) {
                break;
            }
            heap.remove_last();
            held.exit();
        }
        self.clean_front(heap);
    }

    /// The same for the front alone. What was set to another time goes where it belongs.
    fn clean_front(&self, heap: &mut TimerHeap<Timer>) {
        for _ in 0..CLEAN {
            let Some(first) = heap.first() else {
                return;
            };
            // SAFETY: invariant 3.
            let timer = unsafe { &*first.timer };
            if !timer.needs_look() {
                break;
            }
            let mut held = timer.lock();
            if held.is(ZOMBIE) {
                heap.remove_first();
                held.exit();
            } else if held.is(MODIFIED) {
                heap.move_first(held.entry_is_right());
            } else {
                break;
            }
        }
    }

    /// Sweeps out all that were stopped, and brings those to their places that were set
    /// to another time, if one of them is due or if it must be.
    ///
    /// `wake_time` stays right meanwhile, for others look at it without the lock: what
    /// `min_when_modified` says is kept in `min_when_heap` while the timers are looked
    /// through. Who sets a timer at the same time has its lock when it writes to
    /// `min_when_modified`: if that is before it becomes 0 here, LOCKED is seen below,
    /// or what comes of it; else what was written stays.
    fn adjust(&self, heap: &mut TimerHeap<Timer>, now: i64, force: bool) {
        if !force {
            let first = self.min_when_modified.load(Ordering::Relaxed); // asked again below
            if first == 0 || first > now {
                return;
            }
        }
        // Release pairs with wake_time's acquire of the other.
        self.min_when_heap
            .store(self.wake_time(), Ordering::Release);
        // Acquire pairs with may_be_earlier's release: the LOCKED of all who have been
        // there is seen below. Release pairs with wake_time's acquire.
        self.min_when_modified.swap(0, Ordering::AcqRel);
        let mut changed = false;
        let mut index = 0;
        while let Some(entry) = heap.get(index) {
            // SAFETY: invariant 3.
            let timer = unsafe { &*entry.timer };
            if timer.needs_look() {
                let mut held = timer.lock();
                if held.is(ZOMBIE) {
                    heap.swap_remove(index);
                    held.exit();
                    changed = true;
                    continue; // another one is there now
                }
                if held.is(MODIFIED) {
                    heap.set_when(index, held.entry_is_right());
                    changed = true;
                }
            }
            index += 1;
        }
        if changed {
            heap.rebuild();
        }
    }

    /// Lets others see how long the heap is and when the first is due. Before the lock
    /// is given back.
    fn publish(&self, heap: &TimerHeap<Timer>) {
        self.len.store(heap.len(), Ordering::Relaxed); // a hint, or read when all is still
        let first = heap.first().map_or(0, |entry| entry.when);
        // Relaxed: written under the lock, which we have.
        if self.min_when_heap.load(Ordering::Relaxed) != first {
            // SeqCst: who adds one looks for a sleeper afterwards, and who is about to
            // sleep looks here after it has said so. One of them sees the other.
            self.min_when_heap.store(first, Ordering::SeqCst);
        }
    }

    /// A timer in the heap has been set to before its entry: notes the time, and tells
    /// whether it is before all others. By whoever has the timer's lock.
    pub(super) fn may_be_earlier(&self, when: i64) -> bool {
        let next = self.wake_time();
        let mut seen = self.min_when_modified.load(Ordering::Relaxed); // only compared
        loop {
            let earliest = if seen == 0 { when } else { when.min(seen) };
            // Written also where it stays the same: it is by this that `adjust` sees
            // LOCKED. SeqCst as in `publish`. Relaxed: only compared again.
            match self.min_when_modified.compare_exchange_weak(
                seen,
                earliest,
                Ordering::SeqCst,
                Ordering::Relaxed,
            ) {
                Ok(_) => return next == 0 || when < next,
                Err(other) => seen = other,
            }
        }
    }

    /// Returns when a timer may be due, 0 if there is none. Anybody may ask.
    pub(super) fn wake_time(&self) -> i64 {
        // In this order: `adjust` first writes to the other what it then takes away
        // here. SeqCst also for who is about to sleep; see `publish`.
        let modified = self.min_when_modified.load(Ordering::SeqCst);
        let heap = self.min_when_heap.load(Ordering::SeqCst);
        if heap == 0 || (modified != 0 && modified < heap) {
            modified
        } else {
            heap
        }
    }

    /// One timer in the heap more, or less, is a zombie. By whoever has that timer's
    /// lock.
    pub(super) fn zombies_changed(&self, by: isize) {
        self.zombies.fetch_add(by, Ordering::Relaxed); // a count
    }

    /// More than a quarter of the heap has been stopped.
    fn has_many_zombies(&self) -> bool {
        let zombies = self.zombies.load(Ordering::Relaxed); // a hint
        zombies > (self.len.load(Ordering::Relaxed) / 4) as isize // as above
    }

    /// Tells whether a timer is pending. Exact when nobody changes one.
    pub(super) fn any(&self) -> bool {
        let zombies = self.zombies.load(Ordering::Relaxed); // see above
        (self.len.load(Ordering::Relaxed) as isize) > zombies // as above
    }

    /// Returns how many timers are in the heap: a hint.
    #[allow(
        dead_code,
        reason = "for the scheduler's trace, which some builds lack"
    )]
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed) // as above
    }

    /// Takes all timers of `other`, which nobody uses as a P's any more. Who has no P
    /// may still stop a timer meanwhile, or set it: it stays HEAPED all the time.
    pub(super) fn take(&self, other: &Self) {
        // One lock at a time: what is between the two is in no heap, but says so to
        // nobody.
        let mut moved = core::mem::replace(&mut *other.heap.lock(), TimerHeap::new());
        let mut heap = self.heap.lock();
        while let Some(entry) = moved.remove_last() {
            heap.reserve();
            // SAFETY: invariant 3.
            let timer = unsafe { &*entry.timer };
            let mut held = timer.lock();
            if held.is(ZOMBIE) {
                held.exit();
            } else {
                let when = held.enter(self);
                heap.push(Entry {
                    when,
                    timer: ptr::from_ref(timer),
                });
            }
        }
        moved.clear();
        self.publish(&heap);
        drop(heap);
        let empty = other.heap.lock();
        other.min_when_modified.store(0, Ordering::SeqCst); // none of its timers is left
        other.publish(&empty);
    }
}
