//! How a goroutine is made, and how it ends.
//!
//! Go's counterparts: `newproc`, `newproc1`, `goexit1`, `goexit0` in
//! `runtime/proc.go`. A new goroutine's stack, from the top:
//!
//! ```text
//!   hi ->   +--------------------+
//!           | a line of the slab |
//!           +--------------------+
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

use crate::alloc::boxed::Box;
use core::mem::ManuallyDrop;
use core::num::NonZero;
use core::panic::Location;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::gfree::{gfget, warm};
use super::glist::BATCH;
use super::idle::wakep_with_p;
use super::locked::lock_to;
use super::proc::{dropg, left, many, mcall, schedule};
use super::procresize::allp;
use super::runtime2::{G, GStatus, M, P};
use super::status::casgstatus;
use super::switch::{drop_left, next_at_hand, switch};
use super::system::system_goroutines;
use super::{GOMAXPROCS, SCHED, acquirem, getg, getp, releasem};
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
    let made = &getg().made;
    made.set(made.get().wrapping_add(1));
    if made.get() > MANY_MADE && queue_is_full() {
        made.set(0);
        make_room();
    }
    let started = newproc(entry::<F, C>, &closure, location, stack, gfget);
    match started {
        Ok(_) => {
            wakep_with_p();
            // The cooperative end of sysmon's request: a goroutine that only spawns
            // gives way here.
            if getg().preempt.load(Ordering::Relaxed) && super::may_go() {
                super::gosched();
            }
        }
        Err(_) => drop(ManuallyDrop::into_inner(f)), // nobody has moved it
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

/// Makes a goroutine and puts it next on this P's queue; returns its number. From
/// a goroutine or g0.
#[unsafe(export_name = "runtime.newproc")]
#[inline(never)]
pub(crate) fn newproc(
    entry: Entry,
    closure: &Closure,
    location: Option<&'static Location<'static>>,
    stack: usize,
    take: Take,
) -> Result<NonZero<u64>, NoRoom> {
    crate::stops_here!();
    let mp = acquirem();
    let pp = getp(mp);
    let Some(newg) = newproc1(entry, closure, getg(), pp, location, stack, take) else {
        releasem();
        return Err(NoRoom);
    };
    let goid = newg.goid.get(); // once queued, it may end and be another one
    runqput(pp, newg, true);
    releasem();
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
    take: Take,
) -> Option<&'static G> {
    let newg = take(pp, stack)?;
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
    count_up(&pp.made);
    trace::create(pp, newg);
    casgstatus(newg, GStatus::Dead, GStatus::Runnable);
    Some(newg)
}

/// Counts one more. By the P's owner.
#[inline]
fn count_up(count: &AtomicUsize) {
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
pub(super) fn runqput(pp: &'static P, gp: &'static G, next: bool) {
    if let Err(gp) = pp.runq.try_put(ptr::from_ref(gp).cast_mut(), next)
        && let Some(many) = many()
    {
        (many.runqputslow)(pp, gp);
    }
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

/// Tells whether the P's queue is full.
fn queue_is_full() -> bool {
    let count = getp(acquirem()).runq.len();
    releasem();
    count >= super::runq::RUNQ_SIZE as u32
}

/// Lets those go first that fill this P's queue, if that helps: when they have ended, or
/// wait, the goroutines that the caller is about to make have their stacks, or at least
/// find their memory near, instead of a queue that gets longer and longer.
///
/// It does not where they take long: the caller would come back late each time. The next
/// times are skipped then, twice as many as before, and what there is no room for goes to
/// the global queue, as in Go. Where that is empty it is tried each time: it shall stay so.
#[cold]
#[inline(never)]
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
        runqput(pp, unsafe { &*next }, false);
    }
}

/// Takes the next from the P's own queue, and tells whether it inherits the time slice.
pub(super) fn runqget(pp: &'static P) -> Option<(&'static G, bool)> {
    // A P alone has no thieves; how many there are changes with the world stopped.
    let found = if GOMAXPROCS.load(Ordering::Relaxed) == 1 {
        pp.runq.get_alone()
    } else {
        pp.runq.get()
    };
    let (gp, inherit_time) = found?;
    // What was in front of the ring leaves that as it was.
    if !inherit_time && let Some(next) = pp.runq.crowds_next() {
        warm(next);
    }
    // SAFETY: what a run queue holds are Gs, which are never freed.
    Some((unsafe { &*gp }, inherit_time))
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
    if let Some(many) = many() {
        (many.exit)();
    }
    mcall(goexit0);
    crate::arch::abort() // nobody runs a dead goroutine
}

/// Ends the current goroutine and goes on with the next, if that is at hand: else it
/// comes back. On the goroutine.
pub(super) fn exit_to_next() {
    extern "C" fn ended(gp: &'static G, mp: &&'static M) -> bool {
        drop_left(gp);
        destroy(gp, getp(mp));
        true
    }
    let gp = getg();
    let mp = acquirem();
    if let Some(next) = next_at_hand(gp, mp) {
        trace::end_run(mp, next);
        switch(gp, mp, next, ended, &mp);
    }
    releasem();
}

/// Ends a goroutine. On g0.
#[unsafe(export_name = "runtime.goexit0")]
pub(super) extern "C" fn goexit0(gp: &'static G) -> ! {
    let mp = left(gp);
    let pp = getp(mp);
    trace::end(mp);
    let locked = ptr::eq(mp.lockedg.get(), gp);
    if mp.locked_int.get() != 0 {
        throw("exited a goroutine internally locked to the OS thread");
    }
    dropg(mp, gp);
    lock_to(gp, ptr::null_mut()); // as it is, where it was not locked
    mp.lockedg.set(ptr::null()); // locked_ext stays: see newm
    destroy(gp, pp);
    if let (true, Some(many)) = (locked, many()) {
        (many.mexit)(mp); // who knows what it has done to its thread
    }
    schedule()
}

/// Puts a goroutine that has ended, and whose stack nobody is on, on the P's free list.
#[inline]
fn destroy(gp: &'static G, pp: &'static P) {
    casgstatus(gp, GStatus::Running, GStatus::Dead);
    count_up(&pp.ended);
    gp.preempt.store(false, Ordering::Relaxed); // the free list hands it on
    gp.gopc.set(None);
    if let Some(gfput) = gp.gfput.get() {
        gfput(pp, gp); // somebody may have it from here on
    }
}

/// Returns how many Ps there are.
pub(crate) fn gomaxprocs() -> i32 {
    GOMAXPROCS.load(Ordering::Relaxed) // written with the world stopped
}
