//! How a goroutine is made, and how it ends.
//!
//! Go's counterparts: `newproc`, `newproc1`, `goexit1`, `goexit0`, `gfput`,
//! `gfget` in `runtime/proc.go`. A new goroutine's stack, from the top:
//!
//! ```text
//!   hi ->   +--------------------+
//!           | G                  |  the struct itself: one page, touched anyway
//!           +--------------------+
//!           | the closure        |  moved here by newproc1
//!           +--------------------+
//!           | runtime.goexit + 1 |  <- sched.sp: as if goexit had called the entry
//!           +--------------------+
//!           |                    |
//! ```
//!
//! `gogo` jumps to sched.pc with the closure's address in rdi. When the entry
//! returns, it returns into goexit.

use alloc::boxed::Box;
use core::mem::ManuallyDrop;
use core::num::NonZero;
use core::panic::Location;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::bgscavenge::system_goroutines;
use super::proc::{mcall, schedule};
use super::runtime2::{G, GStatus, P, STACK_GUARD};
use super::status::casgstatus;
use super::{GOMAXPROCS, SCHED, acquirem, getg, getp, releasem};
use crate::debug::fatal::throw;
use crate::mem;

/// A goroutine's first function: its argument is the closure's address.
pub(crate) type Entry = extern "C" fn(*mut u8);

/// A closure larger than this, or aligned to more, goes to the heap instead.
const MAX_CLOSURE: usize = 8 << 10;
const MAX_CLOSURE_ALIGN: usize = 64;

/// How many goroutine numbers a P takes at a time.
const GOID_BATCH: u64 = 16;

/// How many dead goroutines a P keeps before it gives half of them away.
const MAX_G_FREE: u32 = 64;

/// All goroutines that ever were, linked through `alllink`; nothing leaves it.
#[unsafe(export_name = "runtime.allgs")]
static ALLGS: AtomicPtr<G> = AtomicPtr::new(ptr::null_mut());

/// How many goroutines are dead, on any free list.
static DEAD: AtomicUsize = AtomicUsize::new(0);

/// How many there are in [`ALLGS`] without those that are abandoned.
static ALLGLEN: AtomicUsize = AtomicUsize::new(0);

// SAFETY: a label in asm/switch_amd64.S; only its address is used.
unsafe extern "C" {
    #[link_name = "runtime.goexit"]
    fn runtime_goexit();
}

/// The system has no room for a stack.
#[derive(Debug)]
pub(crate) struct NoRoom;

/// Starts a goroutine that calls `f` on a stack of at least `stack` bytes.
pub(crate) fn go<F: FnOnce() + Send + 'static>(
    f: F,
    location: Option<&'static Location<'static>>,
    stack: usize,
) {
    if try_go(f, location, stack).is_err() {
        no_room();
    }
}

/// Ends the program: it has to have that goroutine.
#[cold]
#[inline(never)]
pub(crate) fn no_room() -> ! {
    throw("out of memory (stack allocation)")
}

/// The same, which returns the goroutine's number, its `goid`. Where there is no
/// room, `f` is dropped.
pub(crate) fn try_go<F: FnOnce() + Send + 'static>(
    f: F,
    location: Option<&'static Location<'static>>,
    stack: usize,
) -> Result<NonZero<u64>, NoRoom> {
    super::machine::start_sysmon();
    if size_of::<F>() > MAX_CLOSURE || align_of::<F>() > MAX_CLOSURE_ALIGN {
        start(Box::new(f), location, stack, |f| (*f)())
    } else {
        start(f, location, stack, |f| f())
    }
}

/// Starts a goroutine that calls `call` (a function without data) with `f`.
fn start<F: Send + 'static, C: FnOnce(F)>(
    f: F,
    location: Option<&'static Location<'static>>,
    stack: usize,
    _call: C,
) -> Result<NonZero<u64>, NoRoom> {
    extern "C" fn entry<F, C: FnOnce(F)>(closure: *mut u8) {
        // SAFETY: newproc1 moved an F there, and this is its only use.
        let f = unsafe { closure.cast::<F>().read() };
        // SAFETY: C has no bytes, so that any address holds one.
        let call = unsafe { ptr::dangling::<C>().read() };
        call(f);
    }
    /// Moves an F.
    fn move_to<F>(to: *mut u8, from: *const u8) {
        // SAFETY: newproc1 calls this once, with `from` being the F below and `to`
        // a place for one.
        unsafe { to.cast::<F>().copy_from_nonoverlapping(from.cast(), 1) };
    }
    const { assert!(size_of::<C>() == 0) };
    let f = ManuallyDrop::new(f);
    let closure = Closure {
        data: (&raw const f).cast(),
        size: size_of::<F>(),
        align: align_of::<F>(),
        move_to: move_to::<F>,
    };
    let started = newproc(entry::<F, C>, closure, location, stack);
    if started.is_err() {
        drop(ManuallyDrop::into_inner(f)); // nobody has moved it
    }
    started
}

/// A closure that is to be moved onto the new stack.
pub(crate) struct Closure {
    /// Where it is.
    data: *const u8,
    size: usize,
    align: usize,
    /// Moves it: for its own type this is a few instructions.
    move_to: fn(*mut u8, *const u8),
}

impl Closure {
    /// Nothing at all.
    pub(crate) const NONE: Self = Self {
        data: ptr::dangling(),
        size: 0,
        align: 1,
        move_to: |_, _| {},
    };
}

/// Makes a goroutine and puts it next on this P's queue; returns its number. From
/// a goroutine or g0.
#[unsafe(export_name = "runtime.newproc")]
#[inline(never)]
pub(crate) fn newproc(
    entry: Entry,
    closure: Closure,
    location: Option<&'static Location<'static>>,
    stack: usize,
) -> Result<NonZero<u64>, NoRoom> {
    crate::stops_here!();
    let mp = acquirem();
    let pp = getp(mp);
    let Some(newg) = newproc1(entry, &closure, getg(), pp, location, stack) else {
        releasem(mp);
        return Err(NoRoom);
    };
    let goid = newg.goid.get(); // once queued, it may end and be another one
    runqput(pp, newg, true);
    releasem(mp);
    // The cooperative end of sysmon's request: a goroutine that only spawns
    // gives way here.
    if getg().preempt.load(Ordering::Relaxed) && mp.locks.get() == 0 && !on_g0() {
        super::proc::gosched();
    }
    NonZero::new(goid).ok_or(NoRoom) // numbers begin at 1
}

/// Makes a runnable goroutine: a dead one again, or a new stack if there is room.
#[unsafe(export_name = "runtime.newproc1")]
#[inline(never)]
fn newproc1(
    entry: Entry,
    closure: &Closure,
    callergp: &G,
    pp: &'static P,
    location: Option<&'static Location<'static>>,
    stack: usize,
) -> Option<&'static G> {
    let reused = if stack == mem::DEFAULT_STACK {
        gfget(pp)
    } else {
        None
    };
    let newg = match reused {
        Some(gp) => gp,
        None => malg(stack)?,
    };
    // The closure below the G, then the return address, so that the entry finds
    // the stack as behind a call: rsp + 8 divisible by 16.
    let align = closure.align.max(16);
    let data = (ptr::from_ref(newg).addr() - closure.size) & !(align - 1);
    let sp = data - 8;
    // Below the G, of which we only have a reference: stackalloc exposed it all.
    let below = |address: usize| ptr::with_exposed_provenance_mut::<u8>(address);
    (closure.move_to)(below(data), closure.data);
    // SAFETY: between the G and `lo`, which is far below, and divisible by 8;
    // nobody runs on this stack.
    unsafe {
        below(sp)
            .cast::<usize>()
            .write(runtime_goexit as *const () as usize + 1)
    };

    newg.sched.sp.set(sp);
    newg.sched.pc.set(entry as usize);
    newg.sched.g.set(newg);
    newg.sched.ctxt.set(below(data));
    newg.sched.bp.set(0);
    newg.startpc.set(entry as usize);
    newg.gopc.set(location);
    newg.parent_goid.set(callergp.goid.get());
    if pp.goidcache.get() == pp.goidcacheend.get() {
        let first = SCHED.goidgen.fetch_add(GOID_BATCH, Ordering::Relaxed) + 1; // a counter
        pp.goidcache.set(first);
        pp.goidcacheend.set(first + GOID_BATCH);
    }
    newg.goid.set(pp.goidcache.get());
    pp.goidcache.set(pp.goidcache.get() + 1);
    DEAD.fetch_sub(1, Ordering::Relaxed); // a counter
    casgstatus(newg, GStatus::Dead, GStatus::Runnable);
    Some(newg)
}

/// Makes a goroutine with a stack, dead as yet, and adds it to the list of all.
fn malg(stack: usize) -> Option<&'static G> {
    let lo = mem::stackalloc(stack)?.get();
    let hi = lo + stack;
    let place = (hi - size_of::<G>()) & !63;
    let gp: *const G = ptr::with_exposed_provenance(place);
    // SAFETY: the top of a fresh stack that is ours alone, aligned for a G; the
    // zeros there are an idle one. A stack that holds a G is never given back.
    let gp = unsafe { &*gp };
    gp.stack.lo.set(lo);
    gp.stack.hi.set(hi);
    gp.stackguard0.store(lo + STACK_GUARD, Ordering::Relaxed); // nobody knows it yet
    gp.stackguard1.store(!0, Ordering::Relaxed); // as above
    casgstatus(gp, GStatus::Idle, GStatus::Dead);
    DEAD.fetch_add(1, Ordering::Relaxed); // a counter
    ALLGLEN.fetch_add(1, Ordering::Relaxed); // a counter
    let mut head = ALLGS.load(Ordering::Relaxed); // the exchange below is what counts
    loop {
        gp.alllink.set(head);
        // Release pairs with the load in `allgs`.
        match ALLGS.compare_exchange_weak(
            head,
            ptr::from_ref(gp).cast_mut(),
            Ordering::Release,
            Ordering::Relaxed,
        ) {
            Ok(_) => return Some(gp),
            Err(now) => head = now,
        }
    }
}

/// Goes through all goroutines that ever were, newest first.
pub(super) fn allgs() -> impl Iterator<Item = &'static G> {
    let mut next = ALLGS.load(Ordering::Acquire); // pairs with malg's exchange
    core::iter::from_fn(move || {
        // SAFETY: the list holds Gs, which are never freed, linked before they
        // were published.
        let gp = unsafe { next.as_ref() }?;
        next = gp.alllink.get();
        Some(gp)
    })
}

/// Counts the program's goroutines that are not dead. Exact when nobody makes or
/// ends one.
pub(crate) fn num_goroutine() -> usize {
    let all = ALLGLEN.load(Ordering::Relaxed); // counters; the sum is a snapshot
    all.saturating_sub(DEAD.load(Ordering::Relaxed) + system_goroutines())
}

/// Puts a goroutine on a P's queue; half of a full one goes to the global queue.
pub(super) fn runqput(pp: &'static P, gp: &'static G, next: bool) {
    let mut batch = super::glist::GQueue::new();
    pp.runq.put(ptr::from_ref(gp).cast_mut(), next, |overflow| {
        // SAFETY: what a run queue holds are Gs, which are never freed.
        batch.push_back(unsafe { &*overflow });
    });
    if batch.len() > 0 {
        let mut sched = SCHED.lock.lock();
        while let Some(gp) = batch.pop() {
            super::proc::globrunqput(&mut sched, gp);
        }
    }
}

/// A goroutine's outermost function has returned: leave its stack, for good.
#[unsafe(export_name = "runtime.goexit1")]
#[inline(never)]
pub(super) extern "C" fn goexit1() -> ! {
    let thread = getg().thread.get();
    // SAFETY: null, or what the module `thread` left there.
    if let Some(head) = unsafe { thread.as_ref() } {
        // SAFETY: as above; this is the goroutine's end.
        unsafe { (head.end)() };
    }
    mcall(goexit0);
    crate::arch::abort() // nobody runs a dead goroutine
}

/// Ends a goroutine. On g0.
#[unsafe(export_name = "runtime.goexit0")]
pub(super) extern "C" fn goexit0(gp: &'static G) -> ! {
    let mp = acquirem();
    let pp = getp(mp);
    let locked = ptr::eq(mp.lockedg.get(), gp);
    debug_assert!(
        !locked || mp.locked_int.get() == 0,
        "exited a goroutine internally locked to the OS thread"
    );
    casgstatus(gp, GStatus::Running, GStatus::Dead);
    gp.m.store(ptr::null_mut(), Ordering::Relaxed); // the free list hands it on
    gp.lockedm.store(ptr::null_mut(), Ordering::Relaxed); // as above
    gp.preempt.store(false, Ordering::Relaxed); // as above
    gp.gopc.set(None);
    if locked {
        mp.lockedg.set(ptr::null());
        mp.locked_ext.set(0);
    }
    mp.curg.store(ptr::null_mut(), Ordering::Relaxed); // sysmon only peeks
    gfput(pp, gp);
    releasem(mp);
    schedule()
}

/// Puts a dead goroutine on the P's free list, and half of a long list on the
/// global one.
fn gfput(pp: &'static P, gp: &'static G) {
    if gp.abandoned.get() || gp.stack.hi.get() - gp.stack.lo.get() != mem::DEFAULT_STACK {
        ALLGLEN.fetch_sub(1, Ordering::Relaxed); // a counter
        return;
    }
    DEAD.fetch_add(1, Ordering::Relaxed); // a counter
    pp.g_free.push(gp);
    if pp.g_free.size.get() >= MAX_G_FREE {
        let mut sched = SCHED.lock.lock();
        while pp.g_free.size.get() > MAX_G_FREE / 2 {
            if let Some(gp) = pp.g_free.pop() {
                sched.g_free.push_back(gp);
            }
        }
    }
}

/// Takes a dead goroutine, from the P's list or else a batch from the global one.
fn gfget(pp: &'static P) -> Option<&'static G> {
    if pp.g_free.head.get().is_null() && DEAD.load(Ordering::Relaxed) > 0 {
        let mut sched = SCHED.lock.lock();
        while pp.g_free.size.get() < MAX_G_FREE / 2 {
            let Some(gp) = sched.g_free.pop() else { break };
            pp.g_free.push(gp);
        }
    }
    pp.g_free.pop()
}

/// Tells whether this is the scheduler itself.
fn on_g0() -> bool {
    getg().goid.get() == 0
}

/// Returns how many Ps there are.
pub(crate) fn gomaxprocs() -> i32 {
    GOMAXPROCS.load(Ordering::Relaxed) // written with the world stopped
}
