//! Ms: the main thread's, and how another is made.
//!
//! Go's counterparts: `mstart1`, `mcommoninit`, `newm`, `newosproc`, `minit`.
//! A new M is one stack like a goroutine's; nothing of it is ever given back, but where
//! its thread ends the next M takes it over:
//!
//! ```text
//!   | guard | g0's stack    | TLS | TCB, M, g0, gsignal | guard | signal stack, 32 KiB |
//!                                 FS
//! ```
//!
//! What lies above g0's stack shares a page with its top: one page fault less.
//! Of its address range g0 gets all that the rest leaves, at least 64 KiB: where
//! the program has much TLS, the stack is a larger one.
//!
//! A signal stack's guard is a page, enough for Rust, and the runtime's handlers are that.
//! m0's signal stack lies in .bss, with a page below it that becomes its guard
//! when there is to be a second thread: a program with one goroutine need not make a
//! system call for what its two short handlers do not need. Where the system has no room
//! for a guard there is none. `fault` has what happens when one is hit.
//!
//! TLS is laid out as m0's is by `needtls`: the image of PT_TLS below FS, above it
//! the control block, with the canary of the thread that makes the M, since a
//! goroutine may enter a C function on one M and leave it on another. Under a
//! libc that is less than its functions need, which have a control block of their
//! own: what runs on these Ms must not call them. There it is sysmon alone.

use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::Ordering;

use spin::Once;

use super::findrunnable::start_many;
use super::idle::take_nextp;
use super::runtime2::{G, G0_STACK, M, P, STACK_GUARD};
use super::sysmon::{hurry_sysmon, wake_sysmon};
use super::{M0, NoRoom, SCHED, SchedLocked, acquirem, releasem};
use crate::debug::fatal::{self, throw};
use crate::debug::lock;
use crate::debug::print::say;
use crate::debug::trace;
use crate::{arch, boot, mem, os};

/// The size of a signal stack: the kernel puts the whole vector state there,
/// 12 KiB of it on a CPU with AMX.
const SIGNAL_STACK: usize = 32 << 10;

/// The M and its two Gs, a cache line each at least.
const M_SIZE: usize = size_of::<M>().next_multiple_of(64);
const G_SIZE: usize = size_of::<G>().next_multiple_of(64);
const STRUCTS: usize = M_SIZE + 2 * G_SIZE;

/// The thread control block above the TLS image: the pointer to itself at FS:0,
/// the stack canary at [`arch::TCB_CANARY`].
const TCB: usize = 64;

/// What is below a signal stack, and shall fault when touched.
const SIGNAL_GUARD: usize = mem::PAGE_SIZE;

/// What the kernel is not told of a signal stack, at its low end: as much as a function may
/// use below its stack pointer without moving it. So whoever touches the guard has left the
/// stack by the kernel's reckoning, and the handler for that begins at its top again.
const RED_ZONE: usize = 128;

/// m0's signal stack, and the page for its guard.
#[repr(C, align(4096))]
struct SignalStack(UnsafeCell<[u8; SIGNAL_GUARD + SIGNAL_STACK]>);

const _: () = assert!(align_of::<SignalStack>() == mem::PAGE_SIZE);

// SAFETY: only the kernel puts anything there, for one thread.
unsafe impl Sync for SignalStack {}

#[unsafe(link_section = ".bss.large.sigstack")]
static M0_SIGNAL_STACK: SignalStack =
    SignalStack(UnsafeCell::new([0; SIGNAL_GUARD + SIGNAL_STACK]));
static M0_GSIGNAL: G = G::new();

/// sysmon has its M. If that fails it is tried again.
static SYSMON_STARTED: Once = Once::new();

// SAFETY: the routine's contract stands in asm/switch_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.mstart"]
    safe fn runtime_mstart() -> !;
}

/// What a thread does first in Rust, on its g0; asm/switch_amd64.S's mstart calls
/// it. Never returns, but for an M that has a function of its own to run.
#[unsafe(export_name = "runtime.mstart1")]
extern "C" fn mstart1() -> ! {
    let mp = acquirem();
    releasem();
    if ptr::eq(mp, &M0) {
        mstartm0();
    } else {
        minit(mp);
        trace::start_m(mp);
    }
    if let Some(start) = mp.mstartfn.get() {
        start();
    }
    if mp.p.load(Ordering::Relaxed).is_null() {
        throw("mstart1: no P");
    }
    super::proc::schedule()
}

/// The main thread alone: its signal stack, and the process's signal handlers.
#[unsafe(export_name = "runtime.mstartm0")]
#[inline(never)]
fn mstartm0() {
    M0.procid.set(os::thread_id());
    let guard: *mut u8 = M0_SIGNAL_STACK.0.get().cast();
    let stack = guard.wrapping_add(SIGNAL_GUARD);
    set_stack(&M0_GSIGNAL, stack.addr(), stack.addr() + SIGNAL_STACK);
    M0_GSIGNAL
        .m
        .store(ptr::from_ref(&M0).cast_mut(), Ordering::Relaxed); // this thread's
    M0.gsignal.set(&M0_GSIGNAL);
    set_signal_stack(&M0_GSIGNAL);
    os::initsig(fatal::fault);
    if cfg!(feature = "signals") {
        super::sighandler::initsig(M0.procid.get());
    }
}

/// Any other thread: its signal stack, and the mask that it was born without.
fn minit(mp: &'static M) {
    // SAFETY: newm set it, and a G is never freed.
    let gsignal = unsafe { &*mp.gsignal.get() };
    set_signal_stack(gsignal);
    // A signal to the thread that had this memory before us may have been on its way when
    // that ended. Release pairs with preempt_m's swap: who sends one from here on knows our
    // procid.
    mp.signal_pending.store(false, Ordering::Release);
    os::set_mask(mp.sigmask.get());
}

/// Has this thread's handlers run on that stack.
fn set_signal_stack(gsignal: &G) {
    let lo = gsignal.stack.lo.get() + RED_ZONE;
    os::set_signal_stack(
        ptr::with_exposed_provenance_mut(lo),
        SIGNAL_STACK - RED_ZONE,
    );
}

/// Returns the g of this thread's signal stack, if the address is on that, or in its guard.
/// From any stack.
#[cfg(not(feature = "archive"))]
pub(crate) fn gsignal_at(address: usize) -> Option<&'static G> {
    // SAFETY: null, or a G, which is never freed.
    let gsignal = unsafe { super::getm()?.gsignal.get().as_ref() }?;
    let (lo, hi) = (gsignal.stack.lo.get(), gsignal.stack.hi.get());
    (lo - SIGNAL_GUARD..hi)
        .contains(&address)
        .then_some(gsignal)
}

/// Gives an M its number, its random state, and its place in the list of all.
#[unsafe(export_name = "runtime.mcommoninit")]
#[inline(never)]
pub(crate) fn mcommoninit(mp: &'static M) {
    mp.cheaprand.set(boot::rand());
    let mut sched = SCHED.lock.lock();
    mp.id.set(sched.mnext);
    sched.mnext += 1;
    checkmcount(&sched);
    mp.alllink.set(sched.allm);
    sched.allm = mp;
}

/// Ends the program if there are more Ms than there may be. Go's `checkmcount`.
fn checkmcount(sched: &SchedLocked) {
    if sched.mnext - sched.nmfreed > sched.maxmcount {
        let limit = sched.maxmcount;
        say(
            "runtime: program exceeds %d-thread limit",
            &[limit as u64],
            &[],
        );
        throw("thread exhaustion");
    }
}

/// Sets how many Ms there may be, and returns how many there might be before. From a
/// goroutine.
pub(crate) fn set_max_threads(threads: i64) -> i64 {
    let mut sched = SCHED.lock.lock();
    let before = core::mem::replace(&mut sched.maxmcount, threads);
    checkmcount(&sched);
    before
}

/// Starts a new M that runs `f` on its g0, or else the scheduler, with the P; false if
/// there is no room for that. From g0.
///
/// Where the current thread is locked to its goroutine, or ends since it was, sysmon
/// makes the clone.
#[unsafe(export_name = "runtime.newm")]
#[inline(never)]
#[must_use]
pub(super) fn newm(f: Option<extern "C" fn()>, pp: Option<&'static P>, spinning: bool) -> bool {
    lock::expect_threads();
    let Some(mp) = allocm() else {
        return false;
    };
    mp.mstartfn.set(Some(f.unwrap_or(work)));
    mp.spinning.set(spinning);
    mp.nextp.store(
        pp.map_or(ptr::null_mut(), |pp| ptr::from_ref(pp).cast_mut()),
        Ordering::Relaxed,
    ); // clone hands it over
    let me = acquirem();
    let locked = me.locked_ext.get() > 0;
    releasem();
    if locked && f.is_none() {
        let mut sched = SCHED.lock.lock();
        mp.schedlink.set(sched.newm);
        sched.newm = mp;
        wake_sysmon(&sched);
        drop(sched);
        hurry_sysmon();
    } else {
        newosproc(mp);
    }
    true
}

/// Starts the threads of the Ms that others have left for us. By sysmon.
pub(super) fn start_threads() {
    loop {
        let mut sched = SCHED.lock.lock();
        // SAFETY: an M is never freed.
        let Some(mp) = (unsafe { sched.newm.as_ref() }) else {
            return;
        };
        sched.newm = mp.schedlink.replace(ptr::null());
        drop(sched);
        newosproc(mp);
    }
}

/// What a new M does, unless it has something else to do. On its g0.
extern "C" fn work() {
    let mp = acquirem();
    releasem();
    take_nextp(mp);
}

/// Makes an M, with all that a thread needs, out of fresh memory or out of one whose
/// thread has ended. None if there is no room.
fn allocm() -> Option<&'static M> {
    let tls = boot::tls_image();
    let align = tls.align.max(64);
    // Below, FS is rounded down to align, and g0's top to 64.
    let least = G0_STACK + 64 + tls.size + align + TCB + STRUCTS + SIGNAL_GUARD + SIGNAL_STACK;
    let size = least.next_multiple_of(mem::PAGE_SIZE);
    let size = size.max(mem::DEFAULT_STACK);
    let ended = take_ended();
    let lo = match ended {
        Some(block) => block,
        None => mem::stackalloc(size)?.get(),
    };
    let hi = lo + size;
    let signal_lo = hi - SIGNAL_STACK;
    let signal_guard = signal_lo - SIGNAL_GUARD;
    if ended.is_none() {
        // SAFETY: of our own memory, and nobody has used it.
        unsafe { mem::guard_page(signal_guard) };
    }
    let fs = (signal_guard - STRUCTS - TCB) & !(align - 1);
    let g0_hi = (fs - tls.size) & !63;
    debug_assert!(g0_hi - lo >= G0_STACK);
    let fs: *mut u8 = ptr::with_exposed_provenance_mut(fs);
    // SAFETY: the stack has room for the image between g0_hi and FS.
    let image = unsafe { fs.sub(tls.size) };
    // SAFETY: the linker's image has that many bytes, and ours at least as many.
    unsafe { image.copy_from_nonoverlapping(tls.start, tls.file_size) };
    // SAFETY: as above.
    let behind = unsafe { image.add(tls.file_size) };
    // SAFETY: as above; what is behind the image's bytes is zeros.
    unsafe { behind.write_bytes(0, tls.size - tls.file_size) };
    // SAFETY: TCB bytes above FS are ours and aligned.
    unsafe { fs.cast::<usize>().write(fs.addr()) };
    // SAFETY: as above.
    unsafe {
        fs.wrapping_add(arch::TCB_CANARY)
            .cast::<u64>()
            .write(arch::canary())
    };

    // SAFETY: STRUCTS bytes above the TCB are ours, and aligned to 64.
    let at_m: *mut M = unsafe { fs.add(TCB) }.cast();
    // SAFETY: as above.
    let at_g0: *mut G = unsafe { fs.add(TCB + M_SIZE) }.cast();
    // SAFETY: as above.
    let at_gsignal: *mut G = unsafe { fs.add(TCB + M_SIZE + G_SIZE) }.cast();
    // SAFETY: our own memory, which is an M's for good; and the zeros in it, or what an
    // M has left that has ended, are an M without a thread.
    let mp = unsafe { &*at_m };
    // SAFETY: as above: an idle G without a stack.
    let g0 = unsafe { &*at_g0 };
    // SAFETY: as above.
    let gsignal = unsafe { &*at_gsignal };
    set_stack(g0, lo, g0_hi);
    set_stack(gsignal, signal_lo, hi);
    g0.m.store(at_m, Ordering::Relaxed); // clone hands all of this over
    g0.locks.store(0, Ordering::Relaxed); // as above
    gsignal.m.store(at_m, Ordering::Relaxed); // as above
    mp.g0.set(g0);
    mp.gsignal.set(gsignal);
    mp.sigmask.set(os::thread_mask(M0.sigmask.get()));
    mp.block.set(lo);
    mp.schedlink.set(ptr::null());
    mp.locked_ext.set(0); // it was not, where a goroutine ended that was locked
    mp.signal_pending.store(false, Ordering::Relaxed); // it may have ended before it came
    mcommoninit(mp);
    Some(mp)
}

/// Starts the thread of an M.
fn newosproc(mp: &'static M) {
    // SAFETY: allocm made it; a G is never freed.
    let g0 = unsafe { &*mp.g0.get() };
    let tls = ptr::from_ref(mp).addr() - TCB;
    let thread = os::Thread {
        stack_hi: g0.stack.hi.get(),
        mp: ptr::from_ref(mp).cast(),
        g0: ptr::from_ref(g0).cast(),
        start: mstart,
        tls,
    };
    // SAFETY: all of it was made by allocm for this thread alone.
    if let Err(errno) = unsafe { os::new_thread(&thread) } {
        let numbers = [mp.id.get() as u64, errno as u64];
        say(
            "runtime: failed to create new OS thread (have %d already; errno=%d)",
            &numbers,
            &[],
        );
        if errno == os::EAGAIN {
            say(
                "runtime: may need to increase max user processes (ulimit -u)",
                &[],
                &[],
            );
        }
        throw("newosproc");
    }
}

/// Takes the memory of an M whose thread the kernel has done with.
fn take_ended() -> Option<usize> {
    let mut sched = SCHED.lock.lock();
    let mut link = &raw mut sched.freem;
    loop {
        // SAFETY: the list's head, behind the lock, or a link of an M on it.
        let mp = unsafe { *link };
        // SAFETY: an M is never freed.
        let ended = unsafe { mp.as_ref() }?;
        // Acquire pairs with the kernel's store: nobody runs on its stack any more.
        if ended.alive.load(Ordering::Acquire) == 0 {
            // SAFETY: as above.
            unsafe { *link = ended.schedlink.replace(ptr::null()) };
            return Some(ended.block.get());
        }
        link = ended.schedlink.as_ptr();
    }
}

/// Takes an M that is about to end off the list of all, and notes its memory for the
/// next one. On its g0.
pub(super) fn retire(mp: &'static M) {
    let mut sched = SCHED.lock.lock();
    let mut link = &raw mut sched.allm;
    loop {
        // SAFETY: the list's head, behind the lock, or a link of an M on it.
        let at = unsafe { *link };
        if ptr::eq(at, mp) {
            // SAFETY: as above.
            unsafe { *link = mp.alllink.get() };
            break;
        }
        // SAFETY: an M is never freed.
        match unsafe { at.as_ref() } {
            Some(other) => link = other.alllink.as_ptr(),
            None => throw("m not found in allm"),
        }
    }
    mp.lockedg.set(ptr::null());
    mp.schedlink.set(sched.freem);
    sched.freem = mp;
}

/// What a new thread starts with; see mstart in asm/switch_amd64.S.
extern "C" fn mstart() {
    runtime_mstart()
}

/// Sets a stack's bounds and guards.
fn set_stack(gp: &G, lo: usize, hi: usize) {
    gp.stack.lo.set(lo);
    gp.stack.hi.set(hi);
    gp.stackguard0.store(lo + STACK_GUARD, Ordering::Relaxed); // nobody else knows it yet
    gp.stackguard1.store(lo + STACK_GUARD, Ordering::Relaxed); // as above
}

/// Starts sysmon on an M of its own, unless it has been started. On a goroutine.
///
/// Go does so in runtime.main. Here the first goroutine beside the main one
/// brings it: while there is one alone, nobody waits for its P. A thread costs
/// 50 µs to make and to end, a fifth of what the shortest program takes.
#[inline]
pub(crate) fn start_sysmon() {
    if !SYSMON_STARTED.is_completed() && !try_start_sysmon() {
        throw("runtime: cannot map a stack for a new thread");
    }
}

/// Starts an M that runs `f` for good, never has a P, and is none of a deadlock's
/// business; false if there is no room for it. On g0.
#[cfg(feature = "sched-trace")]
#[must_use]
pub(crate) fn start_system_m(f: extern "C" fn()) -> bool {
    let started = newm(Some(f), None, false);
    if started {
        SCHED.lock.lock().nmsys += 1;
    }
    started
}

/// The same for who can do without; false if there is no room for it.
#[must_use]
pub(super) fn try_start_sysmon() -> bool {
    // sysmon must not find anybody to preempt before start_many; nor before it counts as
    // started: where the goroutine is locked to its M, stoplockedm asks for that, and would
    // wait for what it has interrupted.
    acquirem();
    let once = SYSMON_STARTED.try_call_once(|| {
        super::preempt::init();
        // SAFETY: nobody else is to touch that page.
        unsafe { mem::guard_page(M0_SIGNAL_STACK.0.get().addr()) };
        let mut started = false;
        super::proc::systemstack(|| started = newm(Some(super::sysmon::sysmon), None, false));
        if started {
            SCHED.lock.lock().nmsys += 1;
            super::proc::systemstack(trace::start_writer);
            start_many();
            SCHED.parallel.store(!boot::hosted(), Ordering::Relaxed); // see parallel
        }
        started.then_some(()).ok_or(NoRoom)
    });
    releasem();
    once.is_ok()
}
