//! How a goroutine is made.
//!
//! Go's counterparts: `newproc`, `newproc1` in `runtime/proc.go`. A new goroutine's stack, from the top:
//!
//! ```text
//!   hi ->   +--------------------+
//!           | a line of the slab |
//!           +--------------------+
//!           | G                  |  the struct itself: one page, touched anyway
//!           +--------------------+
//!           | the closure        |  moved here by who starts it
//!           +--------------------+
//!           | runtime.goexit + 1 |  <- sched.sp: as if goexit had called the entry
//!           +--------------------+
//!           |                    |
//! ```
//!
//! `gogo` jumps to sched.pc with the closure's address in rdi. When the entry
//! returns, it returns into goexit; a closure's goes there by a jump.

use crate::alloc::boxed::Box;
use core::alloc::Layout;
use core::arch::asm;
use core::num::NonZero;
use core::panic::Location;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::gfree::{gfget, warm};
use super::glist::BATCH;
use super::gosched::gosched_if_asked;
use super::idle::wakep_for_new;
use super::proc::many;
use super::procresize::allp;
use super::runtime2::{G, GStatus, P};
use super::status::casgstatus;
use super::system::system_goroutines;
use super::{GOMAXPROCS, SCHED, acquirem, getg, getp, held, releasem};
use crate::debug::fatal::throw;
use crate::debug::trace;
use crate::mem;
use crate::os;

/// A goroutine's first function: its argument is the closure's address.
pub(crate) type Entry = extern "C" fn(*mut u8);

/// A closure larger than this, or aligned to more, goes to the heap instead.
const MAX_CLOSURE: usize = 8 << 10;
const MAX_CLOSURE_ALIGN: usize = 64;

/// How many goroutine numbers a P takes at a time.
const GOID_BATCH: u64 = 16;

// SAFETY: a label in asm/switch_amd64.S; only its address is used.
unsafe extern "C" {
    #[link_name = "runtime.goexit"]
    fn runtime_goexit();
}

/// How many goroutines one makes before it may have to give way to them. Those of a tree
/// make some each: if they all gave way, all of the tree would be there at once.
const MANY_MADE: u32 = 64;

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

/// The same, which returns the goroutine's number, its `goid`. Where there is no
/// room, `f` is dropped.
pub(crate) fn try_go<F: FnOnce() + Send + 'static>(
    f: F,
    location: Option<&'static Location<'static>>,
    stack: usize,
) -> Result<NonZero<u64>, NoRoom> {
    // SAFETY: what it borrows lives for ever.
    unsafe { try_go_unchecked(f, location, stack) }
}

/// The same of an `f` that borrows something.
///
/// # Safety
///
/// What it borrows must live until the goroutine has ended; if that is by `goexit`, so
/// must what that leaves borrowed on its stack.
pub(crate) unsafe fn try_go_unchecked<F: FnOnce() + Send>(
    f: F,
    location: Option<&'static Location<'static>>,
    stack: usize,
) -> Result<NonZero<u64>, NoRoom> {
    super::machine::start_sysmon();
    super::syscall::need_p();
    if size_of::<F>() > MAX_CLOSURE || align_of::<F>() > MAX_CLOSURE_ALIGN {
        start(Box::new(f), location, stack, |f| (*f)())
    } else {
        start(f, location, stack, |f| f())
    }
}

/// Starts a goroutine that calls `call` (a function without data) with `f`.
fn start<F: Send, C: FnOnce(F)>(
    f: F,
    location: Option<&'static Location<'static>>,
    stack: usize,
    _call: C,
) -> Result<NonZero<u64>, NoRoom> {
    extern "C" fn entry<F, C: FnOnce(F)>(closure: *mut u8) {
        // SAFETY: what started this moved an F there, and this is its only use.
        let f = unsafe { closure.cast::<F>().read() };
        // SAFETY: C has no bytes, so that any address holds one.
        let call = unsafe { ptr::dangling::<C>().read() };
        call(f);
        // As if it returned. The CPU foresees a return by the last call, and this was not
        // called: the next returns of who goes on would all be foreseen wrong.
        // SAFETY: goexit leaves this stack for good; rsp is aligned, as for a call.
        unsafe { asm!("jmp {}", sym runtime_goexit, options(noreturn)) }
    }
    const { assert!(size_of::<C>() == 0) };
    let made = &getg().made;
    made.set(made.get().wrapping_add(1));
    if made.get() > MANY_MADE {
        made.set(look_at_queue());
    }
    let new = newproc(entry::<F, C>, Layout::new::<F>(), location, stack, gfget).ok_or(NoRoom)?;
    // SAFETY: newproc has made room for an F there, and nobody else knows the goroutine.
    unsafe { new.closure.cast::<F>().write(f) };
    Ok(run(new))
}

/// Ends the program: it has to have that goroutine.
#[cold]
#[inline(never)]
fn no_room() -> ! {
    mem::hint();
    throw("out of memory (stack allocation)")
}

/// Takes or makes a dead goroutine with a stack of at least that size, if there is
/// room. A parameter, so that a program that has but one goroutine need not know how
/// others are made.
type Take = fn(&'static P, usize) -> Option<&'static G>;

/// The closure of a goroutine that has none.
pub(crate) const NOTHING: Layout = Layout::new::<()>();

/// A goroutine that has been made, and that nobody knows of yet.
pub(crate) struct NewG {
    gp: &'static G,
    /// Where its closure is to be moved.
    closure: *mut u8,
}

impl NewG {
    /// Puts it next on this P's queue; returns its number.
    #[inline(never)] // the boot needs no more than this
    pub(crate) fn queue(self) -> NonZero<u64> {
        let goid = queue(getp(held(getg())), &self);
        releasem();
        goid
    }
}

/// Makes a goroutine with room for a closure of that layout, if there is room for it. The
/// caller puts one there and queues the goroutine; it keeps its M meanwhile. From a
/// goroutine or g0.
#[unsafe(export_name = "runtime.newproc")]
#[inline(never)]
pub(crate) fn newproc(
    entry: Entry,
    closure: Layout,
    location: Option<&'static Location<'static>>,
    stack: usize,
    take: Take,
) -> Option<NewG> {
    crate::stops_here!();
    let mp = acquirem();
    let new = newproc1(entry, closure, getg(), getp(mp), location, stack, take);
    if new.is_none() {
        releasem();
    }
    new
}

/// Queues a goroutine as the P's next; returns its number.
#[inline(always)]
fn queue(pp: &'static P, new: &NewG) -> NonZero<u64> {
    let goid = new.gp.goid.get(); // once queued, it may end and be another one
    runqput(pp, new.gp, true);
    NonZero::new(goid).unwrap_or(NonZero::<u64>::MIN) // numbers begin at 1
}

/// Queues a goroutine and sees to it that it runs soon; returns its number.
#[inline(never)]
fn run(new: NewG) -> NonZero<u64> {
    let gp = getg();
    let pp = getp(held(gp));
    let goid = queue(pp, &new);
    wakep_for_new(pp);
    releasem();
    gosched_if_asked(gp); // one that only spawns
    goid
}

/// Makes a runnable goroutine: a dead one again, or a new stack if there is room.
#[unsafe(export_name = "runtime.newproc1")]
#[inline(never)]
fn newproc1(
    entry: Entry,
    closure: Layout,
    callergp: &G,
    pp: &'static P,
    location: Option<&'static Location<'static>>,
    stack: usize,
    take: Take,
) -> Option<NewG> {
    let newg = take(pp, stack)?;
    // The closure below the G, then the return address, so that the entry finds
    // the stack as behind a call: rsp + 8 divisible by 16.
    let align = closure.align().max(16);
    let data = (ptr::from_ref(newg).addr() - closure.size()) & !(align - 1);
    let sp = data - 8;
    // Below the G, of which we only have a reference: stackalloc exposed it all.
    let below = |address: usize| ptr::with_exposed_provenance_mut::<u8>(address);
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
    count_up(&pp.made);
    trace::create(pp, newg);
    casgstatus(newg, GStatus::Dead, GStatus::Runnable);
    Some(NewG {
        gp: newg,
        closure: below(data),
    })
}

/// Counts one more. By the P's owner.
#[inline]
pub(super) fn count_up(count: &AtomicUsize) {
    let more = count.load(Ordering::Relaxed).wrapping_add(1); // only we write it
    count.store(more, Ordering::Release); // pairs with num_goroutine
}

/// Counts the program's goroutines that are not dead. Exact when nobody makes or
/// ends one, else not too few: whoever ended in what is read first was made before.
pub(crate) fn num_goroutine() -> usize {
    acquirem(); // the number of Ps is what it is
    let sum = |count: fn(&P) -> &AtomicUsize| {
        // Acquire pairs with count_up: who has ended, has been made.
        let one = |pp| count(pp).load(Ordering::Acquire);
        allp().iter().map(one).fold(0, usize::wrapping_add)
    };
    let ended = sum(|pp| &pp.ended);
    let made = sum(|pp| &pp.made);
    releasem();
    made.wrapping_sub(ended).saturating_sub(system_goroutines())
}

/// Puts a goroutine on a P's queue; half of a full one goes to the global queue.
// A call in `ready` would be half of what a traced message costs.
#[inline(always)]
pub(super) fn runqput(pp: &'static P, gp: &'static G, next: bool) {
    // SAFETY: what a run queue holds are Gs, which are never freed.
    let put_off = |gp: *mut G| trace::leaves_next(pp, unsafe { &*gp });
    if let Err(gp) = pp.runq.try_put(ptr::from_ref(gp).cast_mut(), next, put_off)
        && let Some(many) = many()
    {
        (many.runqputslow)(pp, gp);
    }
}

/// Puts a goroutine back as the P's next, who was that, or else was taken from the ring.
pub(super) fn runqputback(pp: &'static P, gp: &'static G, was_next: bool) {
    trace::put_back(pp, gp, was_next);
    runqput(pp, gp, true);
}

/// Puts on a P's queue what that had no room for. By the P's owner.
pub(super) fn runqputslow(pp: &'static P, gp: *mut G) {
    // SAFETY: what a run queue holds are Gs, which are never freed.
    let of = |gp: *mut G| unsafe { &*gp };
    let mut batch = [of(gp); BATCH];
    let mut count = 0;
    pp.runq.put(gp, false, |overflow| {
        if let Some(slot) = batch.get_mut(count) {
            *slot = of(overflow);
            count += 1;
        }
    });
    if let Some(batch) = batch.get(..count) {
        super::proc::globrunqputbatch(&mut SCHED.lock.lock(), batch);
    }
}

/// Gives way to those that fill this P's queue, if it is nearly full. Returns with how
/// many the caller starts to count anew: it looks again when it has made a few more.
#[cold]
#[inline(never)]
fn look_at_queue() -> u32 {
    /// How many more it makes before it looks again.
    const FEW: u32 = 16;
    let count = getp(acquirem()).runq.len();
    releasem();
    if count + FEW < super::runq::RUNQ_SIZE as u32 {
        return MANY_MADE - FEW;
    }
    make_room();
    0
}

/// Lets those go first that fill this P's queue, if that helps: when they have ended, or
/// wait, the goroutines that the caller is about to make have their stacks, or at least
/// find their memory near, instead of a queue that gets longer and longer.
///
/// It does not where they take long: the caller would come back late each time. The next
/// times are skipped then, twice as many as before, and what there is no room for goes to
/// the global queue, as in Go. Where that is empty it is tried each time: it shall stay so.
fn make_room() {
    /// How many times are skipped at most.
    const MAX_SKIPS: u32 = 255;
    /// What is late, in nanoseconds: some 4 µs for each in the queue.
    const LATE: i64 = 1_000_000;

    if !super::may_go() {
        return;
    }
    let skips = &getp(acquirem()).spawn_skips;
    let (left, last) = skips.get();
    let skip = left > 0 && super::proc::global_queue_len() > 0;
    if skip {
        skips.set((left - 1, last));
    }
    releasem();
    if skip {
        return;
    }
    let start = os::nanotime();
    super::gosched();
    let pp = getp(acquirem()); // maybe another one
    let next = if os::nanotime() - start > LATE {
        (last * 2 + 1).min(MAX_SKIPS)
    } else {
        last / 2
    };
    pp.spawn_skips.set((next, next));
    releasem();
}

/// Does what sysmon has asked of a P: nobody inherits the time slice, and runnext goes
/// to the queue's end. By the P's owner.
pub(super) fn end_time_slice(pp: &'static P) {
    pp.preempt.store(false, Ordering::Relaxed); // a request; a lost one comes again
    if let Some(next) = pp.runq.take_next() {
        // SAFETY: what a run queue holds are Gs, which are never freed.
        let next = unsafe { &*next };
        trace::leaves_next(pp, next);
        runqput(pp, next, false);
    }
}

/// Takes the next from the P's own queue, and tells whether it inherits the time slice.
pub(super) fn runqget(pp: &'static P) -> Option<(&'static G, bool)> {
    match runqgetnext(pp) {
        Some(next) => {
            trace::leaves_next(pp, next);
            Some((next, true))
        }
        None => runqgetring(pp).map(|gp| (gp, false)),
    }
}

/// Takes the one in front of the P's own queue: who was readied last, and inherits the time
/// slice.
#[inline(always)]
pub(super) fn runqgetnext(pp: &P) -> Option<&'static G> {
    let next = if is_alone() {
        pp.runq.take_next_alone()
    } else {
        pp.runq.take_next()
    };
    // SAFETY: what a run queue holds are Gs, which are never freed.
    next.map(|gp| unsafe { &*gp })
}

/// Takes the first of the others.
#[inline(always)]
pub(super) fn runqgetring(pp: &'static P) -> Option<&'static G> {
    let found = if is_alone() {
        pp.runq.get_ring_alone()
    } else {
        pp.runq.get_ring()
    };
    let gp = found?;
    if let Some(next) = pp.runq.crowds_next() {
        warm(next);
    }
    // SAFETY: as above.
    Some(unsafe { &*gp })
}

/// A P alone has no thieves; how many there are changes with the world stopped.
#[inline(always)]
fn is_alone() -> bool {
    GOMAXPROCS.load(Ordering::Relaxed) == 1
}

/// Returns how many Ps there are.
pub(crate) fn gomaxprocs() -> i32 {
    GOMAXPROCS.load(Ordering::Relaxed) // written with the world stopped
}
