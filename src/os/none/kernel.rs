//! What is below Ms where there is no system: threads, and how they share the CPUs.
//!
//! **There are more Ms than CPUs**, here as on Linux: sysmon has one, and so has every call
//! that blocks. So an M is not a CPU. It is a thread, which has a CPU while it runs, and
//! sleeps until a word changes, the time comes or a signal does. What is above, with its
//! notes and hand-offs, sysmon's pace and its signals, is the same on both. The other way
//! was to have an M be a CPU, and sysmon's work be done by the timer's interrupt: it would
//! have been another scheduler above, and a program on one CPU could not have blocked in
//! anything.
//!
//! ```text
//!               new_thread
//!                   v               switch
//!    wake, expire   ready  ------------------------>  running  --exit_thread-->  free
//!       ^             ^     tick, osyield               |
//!       |             +---------------------------------+
//!    sleeping <-----------------------------------------+
//!                     futexsleep, nap
//! ```
//!
//! **One queue for all CPUs**, first come, first served, behind one lock: there are as many
//! threads to run as Ps, or few more. A CPU without one runs its idle thread, which halts;
//! whoever makes a thread ready sends such a CPU an interrupt. Where others are ready a
//! thread has its CPU for [`SLICE`]; one whose time has come gets a CPU at once, and who had
//! that gets the rest of his slice behind it. That is sysmon, above all.
//!
//! **A thread that is switched away** has its callee-saved registers on its stack, if it
//! called for that, or all it has on its interrupt stack, if the timer did. Each thread has
//! an interrupt stack of its own for that; which one it is stands in the CPU's TSS.
//!
//! Invariants:
//! 1. The lock is taken with interrupts off, and with it a thread switches to the next, who
//!    unlocks: nobody finds a thread on a queue whose stack is in use.
//! 2. Whoever has the lock takes no other: memory for a thread is there before.
//! 3. `current` of a CPU is who runs there, and a thread's `cpu` is where it does, or did
//!    last.

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use spin::mutex::SpinMutex;
use x86_64::instructions::interrupts;

use super::super::thread::Thread;
use super::cpu::{self, Cpu};
use super::queue::Queue;
use super::thread;
use super::{apic, nanotime, signal};

/// How long a thread has its CPU where others wait for one, in nanoseconds.
const SLICE: i64 = 3_000_000;

/// No time at all.
const NEVER: i64 = i64::MAX;

// SAFETY: the routine's contract stands in asm/trap_none_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.switchThread"]
    fn switch_thread(from: *mut usize, to: usize);
}

/// What a thread is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    Running,
    Sleeping,
}

/// A thread. Its cells are behind the kernel's lock, but for `signal_stack`, which is its
/// own.
pub(super) struct Context {
    /// Where `switchThread` has left it, or is to find it first.
    pub(super) sp: Cell<usize>,
    /// Its thread-local storage.
    pub(super) fs: Cell<usize>,
    /// The end of its interrupt stack.
    pub(super) interrupt_stack: Cell<usize>,
    pub(super) id: Cell<u64>,
    pub(super) state: Cell<State>,
    /// The next one on the queue that it is on.
    pub(super) link: Cell<*const Self>,
    /// The next one of all.
    all_link: Cell<*const Self>,
    /// The word that it sleeps on, or 0; and until when.
    pub(super) word: Cell<usize>,
    pub(super) deadline: Cell<i64>,
    /// What is left of its slice; 0 for a whole one.
    slice: Cell<i64>,
    pub(super) cpu: Cell<*const Cpu>,
    /// What becomes zero when it has ended.
    pub(super) alive: Cell<*const AtomicU32>,
    /// Signals that have come, as bits, and those that are not to come through.
    pub(super) pending: AtomicU64,
    pub(super) mask: AtomicU64,
    /// Where handlers run, its low and its high end; zeros at first.
    pub(super) signal_stack: Cell<[usize; 2]>,
}

// SAFETY: the cells are used behind the kernel's lock, or by the thread itself.
unsafe impl Sync for Context {}

impl Context {
    pub(super) const fn new() -> Self {
        Self {
            sp: Cell::new(0),
            fs: Cell::new(0),
            interrupt_stack: Cell::new(0),
            id: Cell::new(0),
            state: Cell::new(State::Ready),
            link: Cell::new(ptr::null()),
            all_link: Cell::new(ptr::null()),
            word: Cell::new(0),
            deadline: Cell::new(0),
            slice: Cell::new(0),
            cpu: Cell::new(ptr::null()),
            alive: Cell::new(ptr::null()),
            pending: AtomicU64::new(0),
            mask: AtomicU64::new(0),
            signal_stack: Cell::new([0; 2]),
        }
    }

    /// Tells whether a signal has come that is let through.
    pub(super) fn has_signal(&self) -> bool {
        self.pending.load(Ordering::SeqCst) & !self.mask.load(Ordering::SeqCst) != 0
    }

    /// Tells whether this is that one.
    fn is(&self, other: *const Self) -> bool {
        ptr::eq(self, other)
    }
}

/// All that is behind the lock.
pub(super) struct Kernel {
    ready: Queue,
    sleeping: Queue,
    /// Those whose memory the next new thread may have.
    pub(super) free: Queue,
    /// The last one made, and by `all_link` the others.
    all: Cell<*const Context>,
    last_id: Cell<u64>,
    /// Who has left its stack for good a moment ago.
    ended: Cell<*const Context>,
}

// SAFETY: it is behind the lock.
unsafe impl Send for Kernel {}

static KERNEL: SpinMutex<Kernel> = SpinMutex::new(Kernel {
    ready: Queue::new(),
    sleeping: Queue::new(),
    free: Queue::new(),
    all: Cell::new(ptr::null()),
    last_id: Cell::new(0),
    ended: Cell::new(ptr::null()),
});

/// Makes the thread that boots the first one, on the first CPU, which is this. Interrupts
/// stay off.
pub(super) fn begin(thread: &'static Context) {
    locked(|kernel, _| {
        kernel.register(thread);
        thread.state.set(State::Running);
        let cpu = cpu::this();
        let idle = Thread {
            stack_hi: cpu.idle_stack(),
            mp: ptr::null(),
            g0: ptr::null(),
            start: run_idle,
            tls: 0,
        };
        // SAFETY: its own stack; and an idle thread needs nothing else.
        unsafe { thread::prepare(cpu.idle(), &idle) };
        cpu.idle().cpu.set(cpu);
        cpu.join();
    });
}

/// Calls `f` with the lock, and with interrupts off. It may come back on another CPU, when
/// it has switched.
pub(super) fn locked<R>(f: impl FnOnce(&Kernel, &'static Context) -> R) -> R {
    let enabled = interrupts::are_enabled();
    interrupts::disable();
    let result = f(lock(), cpu::current());
    // SAFETY: `lock` has taken it, and who switches comes back with it.
    unsafe { unlock() };
    if enabled {
        interrupts::enable();
        if cpu::current().has_signal() {
            signal::take();
        }
    }
    result
}

/// Takes the lock. Interrupts are off. Until [`unlock`], by this thread or by whom it
/// switches to.
fn lock() -> &'static Kernel {
    core::mem::forget(KERNEL.lock());
    // SAFETY: locked, and all that is in there is for sharing.
    unsafe { &*KERNEL.as_mut_ptr() }
}

/// Gives the lock back.
///
/// # Safety
///
/// This CPU must have it, with interrupts off.
unsafe fn unlock() {
    // SAFETY: the caller's promise.
    unsafe { KERNEL.force_unlock() }
}

impl Kernel {
    /// Gives a thread its number, and its place in the list of all.
    pub(super) fn register(&self, thread: &'static Context) -> u64 {
        /// Not 1: that process Linux protects from signals, and the runtime sees to it.
        const FIRST: u64 = 2;
        let id = (self.last_id.get() + 1).max(FIRST);
        self.last_id.set(id);
        thread.id.set(id);
        thread.all_link.set(self.all.get());
        self.all.set(thread);
        id
    }

    /// Finds the thread with that number.
    pub(super) fn find(&self, id: u64) -> Option<&'static Context> {
        self.all().find(|thread| thread.id.get() == id)
    }

    /// Goes through all threads but the idle ones, the last one made first.
    pub(super) fn all(&self) -> impl Iterator<Item = &'static Context> {
        // SAFETY: null, or a thread, whose memory stays one's.
        let next = |at: *const Context| unsafe { at.as_ref() };
        core::iter::successors(next(self.all.get()), move |at| next(at.all_link.get()))
    }

    /// Makes a thread ready that is on no queue, and finds it a CPU; false if all are busy.
    pub(super) fn ready(&self, thread: &'static Context) -> bool {
        self.ready.push(thread);
        self.find_cpu(thread)
    }

    /// The same for one that is on the queue by now.
    fn find_cpu(&self, thread: &'static Context) -> bool {
        thread.state.set(State::Ready);
        // SAFETY: null, or a CPU, which stays one.
        let last = unsafe { thread.cpu.get().as_ref() };
        let idle = |cpu: &&Cpu| cpu.is_idle() && !cpu.called.get();
        match last.filter(idle).or_else(|| cpu::all().find(idle)) {
            Some(cpu) => {
                cpu.called.set(true); // until it looks
                if !ptr::eq(cpu, cpu::this()) {
                    apic::interrupt(cpu.apic_id.get(), apic::WAKE);
                }
                true
            }
            None => {
                self.arm(cpu::this(), nanotime());
                false
            }
        }
    }

    /// The current thread sleeps until it is woken, or until that time. With no signal for
    /// it on its way.
    pub(super) fn sleep(&self, me: &'static Context, word: usize, deadline: i64) {
        if me.has_signal() {
            return;
        }
        me.word.set(word);
        me.deadline.set(deadline);
        me.state.set(State::Sleeping);
        self.sleeping.push(me);
        self.switch(me);
    }

    /// Ends a thread's sleep, if it sleeps.
    pub(super) fn wake(&self, thread: &'static Context) -> bool {
        let sleeps = thread.state.get() == State::Sleeping;
        if sleeps {
            self.sleeping.remove(thread);
            self.ready(thread);
        }
        sleeps
    }

    /// Wakes the first thread that sleeps on that word.
    pub(super) fn wake_one(&self, word: usize) -> bool {
        match self.sleeping.find(|thread| thread.word.get() == word) {
            Some(thread) => self.wake(thread),
            None => false,
        }
    }

    /// Has a thread's CPU look at its signals, where it runs on another one.
    pub(super) fn interrupt(&self, thread: &'static Context, me: &'static Context) {
        // SAFETY: null, or a CPU, which stays one for good.
        let cpu = unsafe { thread.cpu.get().as_ref() };
        if let (State::Running, false, Some(cpu)) = (thread.state.get(), thread.is(me), cpu) {
            apic::interrupt(cpu.apic_id.get(), apic::WAKE);
        }
    }

    /// Lets others go first, if there are any.
    pub(super) fn give_way(&self, me: &'static Context) {
        if !self.ready.is_empty() {
            me.state.set(State::Ready);
            self.ready.push(me);
            self.switch(me);
        }
    }

    /// The current thread ends: `alive` becomes zero when its stack is in use no more.
    pub(super) fn end(&self, me: &'static Context) {
        let mut link = &self.all;
        // SAFETY: null, or a thread.
        while let Some(at) = unsafe { link.get().as_ref() } {
            if at.is(me) {
                link.set(me.all_link.get());
                break;
            }
            link = &at.all_link;
        }
        me.id.set(0);
        self.ended.set(me);
        self.switch(me);
    }

    /// Leaves the current thread, which is on a queue, or ends. Comes back when it is its
    /// turn again, maybe on another CPU.
    fn switch(&self, me: &'static Context) {
        let cpu = cpu::this();
        let next = self.ready.pop().unwrap_or(cpu.idle());
        self.switch_to(cpu, me, next, nanotime());
    }

    /// The same with a given successor.
    fn switch_to(&self, cpu: &Cpu, me: &'static Context, next: &'static Context, now: i64) {
        next.state.set(State::Running);
        next.cpu.set(cpu);
        cpu.called.set(false);
        let slice = match next.slice.replace(0) {
            0 => SLICE,
            rest => rest,
        };
        cpu.slice_end.set(now.saturating_add(slice));
        cpu.current.set(next);
        self.arm(cpu, now);
        if me.is(next) {
            return;
        }
        cpu.set_interrupt_stack(next.interrupt_stack.get());
        me.fs.set(cpu::fs());
        // SAFETY: it is where the next thread has left it, and nothing here uses ours.
        unsafe { cpu::set_fs(next.fs.get()) };
        // SAFETY: interrupts are off, and the lock goes over; a thread that is no CPU's
        // current one has been left here, or is new, and `sp` says where.
        unsafe { switch_thread(me.sp.as_ptr(), next.sp.get()) };
        self.bury();
    }

    /// Sees to the thread that has switched to this one for good.
    fn bury(&self) {
        // SAFETY: null, or a thread.
        if let Some(ended) = unsafe { self.ended.replace(ptr::null()).as_ref() } {
            // SAFETY: null, or what `exit_thread` was given, which stays.
            if let Some(alive) = unsafe { ended.alive.replace(ptr::null()).as_ref() } {
                alive.store(0, Ordering::Release); // pairs with who waits for it
            }
            self.free.push(ended);
        }
    }

    /// Sets the CPU's timer to when it is next needed: for who has gone to sleep here, or
    /// since others wait and the current thread's slice ends.
    fn arm(&self, cpu: &Cpu, now: i64) {
        let sleepers = self.sleeping.iter();
        let ours = sleepers.filter(|thread| ptr::eq(thread.cpu.get(), cpu));
        let mut when = ours
            .map(|thread| thread.deadline.get())
            .fold(NEVER, i64::min);
        if !self.ready.is_empty() && !cpu.is_idle() {
            when = when.min(cpu.slice_end.get());
        }
        // One that comes too early does no harm, and is set anew then.
        if when < cpu.armed.get() {
            cpu.armed.set(when);
            apic::set_timer(when - now);
        }
    }

    /// Makes those ready whose time has come, before all others; tells whether one of them
    /// has no CPU.
    fn expire(&self, now: i64) -> bool {
        let mut waits = false;
        while let Some(thread) = self.sleeping.find(|thread| thread.deadline.get() <= now) {
            self.sleeping.remove(thread);
            self.ready.push_front(thread);
            waits |= !self.find_cpu(thread);
        }
        waits
    }

    /// What an interrupt of the timer's, or one that wakes, comes to.
    fn tick(&self, me: &'static Context) {
        let cpu = cpu::this();
        let now = nanotime();
        cpu.armed.set(NEVER);
        cpu.called.set(false);
        let expired = self.expire(now);
        let is_idle = cpu.is_idle();
        let left = cpu.slice_end.get() - now;
        let next = match is_idle || expired || left <= 0 {
            true => self.ready.pop(),
            false => None,
        };
        let Some(next) = next else {
            self.arm(cpu, now);
            return;
        };
        if !is_idle {
            me.state.set(State::Ready);
            if left > 0 {
                me.slice.set(left);
                self.ready.push_front(me);
            } else {
                self.ready.push(me);
            }
        }
        self.switch_to(cpu, me, next, now);
    }
}

/// An interrupt has come, of the timer's or one that wakes. On this thread's interrupt
/// stack, with interrupts off.
pub(super) fn interrupted() {
    let kernel = lock();
    kernel.tick(cpu::current());
    // SAFETY: as in `locked`.
    unsafe { unlock() };
}

/// The first that a new thread does, behind somebody's `switch_to`: unlocks, and returns its
/// number.
#[unsafe(export_name = "runtime.threadBegins")]
extern "C" fn thread_begins() -> u64 {
    // SAFETY: who has switched to us took it, and all that is in there is for sharing.
    let kernel = unsafe { &*KERNEL.as_mut_ptr() };
    kernel.bury();
    let id = cpu::current().id.get();
    // SAFETY: it came over with the CPU.
    unsafe { unlock() };
    id
}

/// What the first CPU's idle thread begins with.
extern "C" fn run_idle() {
    interrupts::disable();
    idle()
}

/// A CPU without a thread: halts, but for interrupts. On its idle thread, with interrupts
/// off.
pub(super) fn idle() -> ! {
    loop {
        let kernel = lock();
        let cpu = cpu::this();
        cpu.called.set(false);
        match kernel.ready.pop() {
            Some(next) => kernel.switch_to(cpu, cpu.idle(), next, nanotime()),
            None => kernel.arm(cpu, nanotime()),
        }
        // SAFETY: as in `locked`.
        unsafe { unlock() };
        interrupts::enable_and_hlt();
        interrupts::disable();
    }
}
