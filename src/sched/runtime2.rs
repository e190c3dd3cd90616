//! The runtime's structs: goroutine, machine, processor.
//!
//! Go's counterpart: `runtime/runtime2.go`; the fields keep Go's names. The file needs nothing
//! but `core`: build.rs compiles it too, and takes from it the offsets that the assembly uses.
//!
//! A G, an M and a P are never freed: a reference to one is good for ever, and
//! a dead one is used again. A dead G's memory may become zeros meanwhile, which are
//! an idle G; see `gfree`. Each plain (`Cell`) field has one owner at a time, which makes the
//! `Sync` at the end of this file true:
//!
//! - of a G: whoever moved it to its present status. Running: the M that runs
//!   it. Runnable: whoever took it off its queue. Waiting: whoever readies it.
//!   Dead: the free list that it is on.
//! - of an M: its own thread; before that, the thread that makes it.
//! - of a P: the M that holds it; an idle one, whoever holds `sched.lock`.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use super::pstatus::PState;
use super::runq::RunQueue;
use super::waitreason::WaitReason;

/// The bytes below which a stack is too small to call anything, above stack.lo.
pub(crate) const STACK_GUARD: usize = 928;

/// The size of the stack that the entry carves out for m0's g0.
pub(crate) const G0_STACK: usize = 64 * 1024;

/// What a goroutine is doing: `G::atomicstatus`. Go's `_Gidle` etc.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
#[allow(
    dead_code,
    reason = "Go's states are all here, also those that nothing reaches; see below"
)]
pub(crate) enum GStatus {
    /// Just made, not yet set up.
    Idle = 0,
    /// On a run queue.
    Runnable = 1,
    /// On an M with a P, running.
    Running = 2,
    /// In a system call.
    Syscall = 3,
    /// Parked.
    Waiting = 4,
    /// Go has no use for it.
    MoribundUnused = 5,
    /// Finished and free for reuse, or being set up.
    Dead = 6,
    /// Go has no use for it.
    EnqueueUnused = 7,
    /// Its stack is being moved. Here none is ever.
    Copystack = 8,
    /// It has stopped for the collector. Here who is preempted is [`Runnable`](Self::Runnable).
    Preempted = 9,
    /// The collector has found that nothing can wake it.
    Leaked = 10,
    /// Stands for a thread that a libc has made and that has called in.
    Deadextra = 11,
}

/// What one thread sleeps on until another wakes it, once; see `note`.
#[repr(C)]
pub(crate) struct Note {
    /// 0 until it is woken. The futex.
    pub(super) key: AtomicU32,
}

impl Note {
    /// Makes one that nobody has woken: all zeros.
    pub(crate) const fn new() -> Self {
        Self {
            key: AtomicU32::new(0),
        }
    }
}

/// A stack's bounds: the addresses `lo..hi`.
#[repr(C)]
pub(crate) struct Stack {
    /// The lowest address, above the guard.
    pub(crate) lo: Cell<usize>,
    /// The address behind the highest.
    pub(crate) hi: Cell<usize>,
}

/// What lies at the top of a segment of stack: the way back. Go's, up to 1.2.
#[repr(C, align(16))]
pub(crate) struct Stktop {
    /// The bounds of what the goroutine left for this segment. First, since frames
    /// begin right below it: morestack's argument and its stack pointer are one.
    pub(crate) stack: Stack,
    /// The same of the segment that was left, or null if it was none.
    pub(crate) link: Cell<*const Stktop>,
}

/// Where a goroutine goes on. `gogo` and `mcall` read and write it.
#[repr(C)]
pub(crate) struct Gobuf {
    /// The stack pointer.
    pub(crate) sp: Cell<usize>,
    /// The next instruction.
    pub(crate) pc: Cell<usize>,
    /// The goroutine that this belongs to.
    pub(crate) g: Cell<*const G>,
    /// The first argument of a goroutine that has not run yet.
    pub(crate) ctxt: Cell<*mut u8>,
    /// The frame pointer.
    pub(crate) bp: Cell<usize>,
}

impl Gobuf {
    /// Makes an empty one.
    pub(crate) const fn new() -> Self {
        Self {
            sp: Cell::new(0),
            pc: Cell::new(0),
            g: Cell::new(ptr::null()),
            ctxt: Cell::new(ptr::null_mut()),
            bp: Cell::new(0),
        }
    }
}

/// What `gopark` calls when the goroutine is saved: lets others find it,
/// or says false.
pub(crate) type UnlockFn = unsafe fn(&'static G, *const c_void) -> bool;

/// The beginning of what the module `thread` keeps for a goroutine.
#[repr(C)]
pub(crate) struct ThreadHead {
    /// Is called when the goroutine ends, on the goroutine; leaves null in its G.
    pub(crate) end: unsafe fn(),
}

/// Where in the source a goroutine was made.
pub(crate) type Location = core::panic::Location<'static>;

/// What keeps a dead goroutine for another life.
pub(crate) type Gfput = fn(&'static P, &'static G);

/// A goroutine. It lives at the top of its own stack, but for g0 of m0.
#[repr(C)]
pub(crate) struct G {
    /// The stack's bounds.
    pub(crate) stack: Stack,
    /// Where the stack counts as used up.
    pub(crate) stackguard0: AtomicUsize,
    /// The same for code on g0.
    pub(crate) stackguard1: AtomicUsize,
    /// The M that runs this, or null.
    pub(crate) m: AtomicPtr<M>,
    /// Where it goes on, while it is not running.
    pub(crate) sched: Gobuf,
    /// A [`GStatus`].
    pub(crate) atomicstatus: AtomicU32,
    /// What keeps it on its M, and on the CPU: how often `acquirem` was called and not yet
    /// `releasem`. Not in the M as in Go: the way there is what must not be interrupted. An
    /// atomic for the signal handler, which looks.
    pub(crate) locks: AtomicI32,
    /// sysmon asks it to give way.
    pub(crate) preempt: AtomicBool,
    /// It ended from inside, with frames on its stack that others may borrow from:
    /// nobody gets that stack.
    pub(crate) abandoned: Cell<bool>,
    /// What `lockedm` (bit 0) and `check_stack` (bit 1) say. Not 0: all switches go the long way.
    pub(crate) special: Cell<u8>,
    /// It has panicked, and formats what with: 1. Or has by that panicked again: 2.
    pub(crate) printing: Cell<u8>,
    /// Its number, from 1.
    pub(crate) goid: Cell<u64>,
    /// Its number for GORT_TRACE, and what that has said: `trace::words::SAID`.
    #[cfg(feature = "sched-trace")]
    pub(crate) trace_goid: Cell<u64>,
    /// The number of the goroutine that made it.
    pub(crate) parent_goid: Cell<u64>,
    /// The next in the queue or list that this is in.
    pub(crate) schedlink: Cell<*mut G>,
    /// In the global queue: its turn is when so many others have been taken from there.
    pub(crate) turn: Cell<usize>,
    /// How many it has made since it last gave way to those. Only it reads and writes this.
    pub(crate) made: Cell<u32>,
    /// Its `thread::Thread`, or null while nobody has asked for that. Its own while it lives.
    pub(crate) thread: Cell<*const ThreadHead>,
    /// The M that this is locked to, or null.
    pub(crate) lockedm: AtomicPtr<M>,
    /// Why it waits, or waited last.
    pub(crate) waitreason: Cell<Option<WaitReason>>,
    /// Since when it waits, in nanoseconds, by sysmon's clock; 0 if that stood still.
    pub(crate) waitsince: Cell<i64>,
    /// The `lock` that it gave to gopark: what it waits on, while it waits. For debuggers.
    pub(crate) waitlock: Cell<*const c_void>,
    /// The function that it started with.
    pub(crate) startpc: Cell<usize>,
    /// The `go` statement that made it.
    pub(crate) gopc: Cell<Option<&'static Location>>,
    /// The top of the segment that it runs on, or null on its own stack.
    pub(crate) stktop: Cell<*const Stktop>,
    /// The slab that its stack is from, a `mem::Slab`.
    pub(crate) slab: Cell<*const ()>,
    /// Looks whether it has left its stack, where there is no guard to see to that.
    pub(crate) check_stack: Cell<Option<fn(&'static G)>>,
    /// Puts it on a list of dead ones. A program without a second goroutine has no such list.
    pub(crate) gfput: Cell<Option<Gfput>>,
}

impl G {
    /// Makes an idle one without a stack: all zeros.
    pub(crate) const fn new() -> Self {
        Self {
            stack: Stack {
                lo: Cell::new(0),
                hi: Cell::new(0),
            },
            stackguard0: AtomicUsize::new(0),
            stackguard1: AtomicUsize::new(0),
            m: AtomicPtr::new(ptr::null_mut()),
            sched: Gobuf::new(),
            atomicstatus: AtomicU32::new(GStatus::Idle as u32),
            locks: AtomicI32::new(0),
            preempt: AtomicBool::new(false),
            abandoned: Cell::new(false),
            special: Cell::new(0),
            printing: Cell::new(0),
            goid: Cell::new(0),
            parent_goid: Cell::new(0),
            schedlink: Cell::new(ptr::null_mut()),
            turn: Cell::new(0),
            made: Cell::new(0),
            thread: Cell::new(ptr::null()),
            lockedm: AtomicPtr::new(ptr::null_mut()),
            waitreason: Cell::new(None),
            waitsince: Cell::new(0),
            waitlock: Cell::new(ptr::null()),
            startpc: Cell::new(0),
            gopc: Cell::new(None),
            stktop: Cell::new(ptr::null()),
            slab: Cell::new(ptr::null()),
            check_stack: Cell::new(None),
            gfput: Cell::new(None),
            #[cfg(feature = "sched-trace")]
            trace_goid: Cell::new(0),
        }
    }

    /// Makes it an idle one again, whatever it was: nobody has it, but somebody may
    /// look at it.
    pub(crate) fn reset(&self) {
        // Every field by its name, so that none is forgotten.
        let Self {
            stack,
            stackguard0,
            stackguard1,
            m,
            sched,
            atomicstatus,
            locks,
            preempt,
            abandoned,
            special,
            printing,
            waitreason,
            goid,
            parent_goid,
            schedlink,
            turn,
            made,
            thread,
            lockedm,
            waitsince,
            waitlock: _, // says nothing before it waits again
            startpc,
            gopc,
            stktop,
            slab,
            check_stack,
            gfput,
            #[cfg(feature = "sched-trace")]
                trace_goid: _, // `trace::create` sets it
        } = self;
        // Relaxed: malg's change of its status hands it on.
        atomicstatus.store(GStatus::Idle as u32, Ordering::Relaxed);
        m.store(ptr::null_mut(), Ordering::Relaxed);
        lockedm.store(ptr::null_mut(), Ordering::Relaxed);
        stackguard0.store(0, Ordering::Relaxed);
        stackguard1.store(0, Ordering::Relaxed);
        locks.store(0, Ordering::Relaxed);
        preempt.store(false, Ordering::Relaxed);
        stack.lo.set(0);
        stack.hi.set(0);
        sched.sp.set(0);
        sched.pc.set(0);
        sched.g.set(ptr::null());
        sched.ctxt.set(ptr::null_mut());
        sched.bp.set(0);
        abandoned.set(false);
        special.set(0);
        printing.set(0);
        waitreason.set(None);
        goid.set(0);
        parent_goid.set(0);
        schedlink.set(ptr::null_mut());
        turn.set(0);
        made.set(0);
        thread.set(ptr::null());
        stktop.set(ptr::null());
        waitsince.set(0);
        startpc.set(0);
        gopc.set(None);
        slab.set(ptr::null());
        check_stack.set(None);
        gfput.set(None);
    }
}

/// A machine: a thread of the operating system.
#[repr(C)]
pub(crate) struct M {
    /// The goroutine whose stack the scheduler runs on.
    pub(crate) g0: Cell<*const G>,
    /// The goroutine whose stack signal handlers run on, or null.
    pub(crate) gsignal: Cell<*const G>,
    /// The thread's id.
    pub(crate) procid: Cell<u64>,
    /// m0's thread-local storage: the slot of g, then what FS points at (the
    /// pointer to itself at FS:0 and the stack canary at FS:0x28). Not used where
    /// the program has more of it: see needtls in asm/asm_amd64.S.
    pub(crate) tls: [Cell<usize>; 8],
    /// The goroutine that runs on this.
    pub(crate) curg: AtomicPtr<G>,
    /// The P that this holds, or null.
    pub(crate) p: AtomicPtr<P>,
    /// The ranks of the runtime locks that it holds, one bit each; kept in debug builds.
    pub(crate) lock_ranks: Cell<u32>,
    /// What gopark leaves for park_m to call.
    pub(crate) waitunlockf: Cell<Option<UnlockFn>>,
    /// The argument of that.
    pub(crate) waitlock: Cell<*const c_void>,
    /// Its number.
    pub(crate) id: Cell<i64>,
    /// What it runs on its g0 in place of the scheduler, if anything.
    pub(crate) mstartfn: Cell<Option<extern "C" fn()>>,
    /// The cache of the P that it holds, a `mem::MCache`; null without a P, and
    /// until the first allocation that is made with that P.
    pub(crate) mcache: Cell<*mut ()>,
    /// How many panics and throws deep this thread is.
    pub(crate) dying: Cell<i32>,
    /// The goroutine that is locked to this thread, or null.
    pub(crate) lockedg: Cell<*const G>,
    /// How often the user locked the thread.
    pub(crate) locked_ext: Cell<u32>,
    /// How often the runtime locked the thread.
    pub(crate) locked_int: Cell<u32>,
    /// The state of this M's cheap random numbers.
    pub(crate) cheaprand: Cell<u64>,
    /// The signal mask that the thread began with.
    pub(crate) sigmask: Cell<u64>,
    /// The next in the list of all.
    pub(crate) alllink: Cell<*const M>,
    /// A signal that may preempt its goroutine is on its way.
    pub(crate) signal_pending: AtomicBool,
    /// It is out of work, and looks for some.
    pub(crate) spinning: Cell<bool>,
    /// What it sleeps on while it has no P.
    pub(crate) park: Note,
    /// The P that whoever wakes it gives it.
    pub(crate) nextp: AtomicPtr<P>,
    /// The P that it had when it went into a system call.
    pub(crate) oldp: Cell<*const P>,
    /// The next in the list of idle ones, or of those whose threads have ended.
    pub(crate) schedlink: Cell<*const M>,
    /// The block of memory that all of it lies in, or 0 for m0.
    pub(crate) block: Cell<usize>,
    /// Not 0 while the kernel has the thread.
    pub(crate) alive: AtomicU32,
}

impl M {
    /// Makes one without a thread: all zeros.
    pub(crate) const fn new() -> Self {
        Self {
            g0: Cell::new(ptr::null()),
            gsignal: Cell::new(ptr::null()),
            procid: Cell::new(0),
            tls: [const { Cell::new(0) }; 8],
            curg: AtomicPtr::new(ptr::null_mut()),
            p: AtomicPtr::new(ptr::null_mut()),
            waitunlockf: Cell::new(None),
            waitlock: Cell::new(ptr::null()),
            id: Cell::new(0),
            mstartfn: Cell::new(None),
            lock_ranks: Cell::new(0),
            mcache: Cell::new(ptr::null_mut()),
            dying: Cell::new(0),
            lockedg: Cell::new(ptr::null()),
            locked_ext: Cell::new(0),
            locked_int: Cell::new(0),
            cheaprand: Cell::new(0),
            sigmask: Cell::new(0),
            alllink: Cell::new(ptr::null()),
            signal_pending: AtomicBool::new(false),
            spinning: Cell::new(false),
            park: Note::new(),
            nextp: AtomicPtr::new(ptr::null_mut()),
            oldp: Cell::new(ptr::null()),
            schedlink: Cell::new(ptr::null()),
            block: Cell::new(0),
            alive: AtomicU32::new(0),
        }
    }
}

/// How many dead goroutines a P keeps before it gives half of them away.
pub(crate) const MAX_G_FREE: usize = 64;

/// The dead goroutines of a P, the coldest first: who takes one knows the next one, too.
#[repr(C)]
pub(crate) struct GCache {
    /// How many there are.
    pub(crate) size: Cell<u32>,
    /// Them.
    pub(crate) gs: [Cell<*mut G>; MAX_G_FREE],
}

/// What sysmon last saw of a P.
#[repr(C)]
pub(crate) struct Sysmontick {
    /// Its schedtick.
    pub(crate) schedtick: Cell<u32>,
    /// Its `lone`.
    pub(crate) lone: Cell<u32>,
    /// When that began, in nanoseconds.
    pub(crate) schedwhen: Cell<i64>,
    /// The system call that it was in.
    pub(crate) syscall: Cell<Option<u32>>,
    /// When that began.
    pub(crate) syscallwhen: Cell<i64>,
}

/// A processor: what an M must hold to run goroutines. All zeros are a new one.
#[repr(C)]
pub(crate) struct P {
    /// Its number, from 0.
    pub(crate) id: Cell<i32>,
    /// What it is doing, and which system call that is.
    pub(crate) state: PState,
    /// The next in the list of idle ones.
    pub(crate) link: Cell<*mut P>,
    /// Goes up with each goroutine that it runs.
    pub(crate) schedtick: AtomicU32,
    /// The time slice is over: sysmon's request, for whoever looks for the next goroutine.
    pub(crate) preempt: AtomicBool,
    /// One of its timers is late: sysmon's request, however much there is to run.
    pub(crate) late: AtomicBool,
    /// How often its owner readied just one goroutine, which it may run next itself.
    pub(crate) lone: AtomicU32,
    /// How many of the next of those others are to be woken for at once.
    pub(crate) eager: AtomicU32,
    /// How often who finds the queue full shall not give way for that, now and the last time.
    pub(crate) spawn_skips: Cell<(u32, u32)>,
    /// When the oldest batch of the global queue last had its turn here, by `nanotime`.
    pub(crate) oldest_turn: Cell<i64>,
    /// sysmon's notes; only sysmon touches them.
    pub(crate) sysmontick: Sysmontick,
    /// The M that holds this, or null.
    pub(crate) m: AtomicPtr<M>,
    /// The next goroutine number of its batch.
    pub(crate) goidcache: Cell<u64>,
    /// The end of the batch.
    pub(crate) goidcacheend: Cell<u64>,
    /// How many goroutines were made with it, and how many ended.
    pub(crate) made: AtomicUsize,
    pub(crate) ended: AtomicUsize,
    /// Its cache of small objects, a `mem::MCache`; null before it allocates.
    pub(crate) mcache: Cell<*mut ()>,
    /// Its timers, a `TimerSet`; null before the first.
    pub(crate) timers: AtomicPtr<()>,
    /// Where it notes what it does, a `debug::trace`'s ring; null without a trace.
    #[cfg(feature = "sched-trace")]
    pub(crate) trace: Cell<*mut ()>,
    /// Whose memory it asked for last, of those that were the next ones to be made again.
    pub(crate) warmed: Cell<*const G>,
    /// Dead goroutines, with their stacks. Last are the large ones, not often touched as a whole.
    pub(crate) g_free: GCache,
    /// The goroutines that may run.
    pub(crate) runq: RunQueue<G>,
}

// SAFETY: the plain fields have one owner at a time, as the head of this file
// says; the scheduler hands that ownership on with release and acquire.
unsafe impl Sync for G {}
// SAFETY: as for G.
unsafe impl Sync for M {}
// SAFETY: as for G.
unsafe impl Sync for P {}
