//! Asynchronous preemption: a goroutine that never gives way is made to.
//!
//! Go's counterparts: `runtime/preempt.go`, `doSigPreempt` and `preemptM` in
//! `runtime/signal_unix.go`.
//!
//! ```text
//!   sysmon            the M's thread
//!   g.preempt = true
//!   preempt_m ------> SIGURG: doSigPreempt, on the signal stack
//!                       may it give way here? no: nothing happens
//!                       yes: g.locks + 1, "call asyncPreempt"
//!                     asyncPreempt, on the goroutine's stack: saves everything
//!                       asyncPreempt2: mcall
//!                     gopreempt_m, on g0: g.locks - 1,
//!                       Running -> Runnable, the global queue, schedule
//!                          ...
//!                     asyncPreempt, on any thread: puts everything back
//!                     the next instruction
//! ```
//!
//! **Where a goroutine may be interrupted for good.** Go asks its compiler, and takes
//! its whole runtime out. Here the runtime is inlined into users' code, so that
//! no address tells the two apart; the goroutine itself says so:
//!
//! 1. `g.locks` is 0: nobody has its M, a P's data or a lock of the runtime. Every
//!    use of those stands between `acquirem` and `releasem`, or on g0, which is
//!    never preempted.
//! 2. It is at no instruction of the allocator's usual way, which has a P's cache
//!    without counting: that is in a section of its own, between two labels.
//! 3. It is in the program's own code, not in the vDSO's, whose every function ends
//!    soon, and neither in asyncPreempt itself nor in Gosched, where it changes stacks.
//! 4. It is on its stack, and the stack has room. That also rules out the two
//!    instructions in each switch between which g and rsp do not agree.
//! 5. Its state is Running, on this M. A goroutine that is being handed over is
//!    off its stack, by 4, or has `g.locks` up, by `mcall`.
//!
//! A request that comes at a bad moment is lost; whoever wants the goroutine to stop
//! asks again, sysmon in its next round.
//!
//! Under a libc nobody is preempted: a C function there may have looked up
//! its thread's TLS, and would go on with it on another thread.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::gosched::gosched_impl;
use super::newproc::end_time_slice;
use super::proc::{left, mcall};
use super::runtime2::{G, GStatus, M};
use super::{getp, readgstatus};
use crate::debug::trace;
use crate::os::{self, SignalContext};
use crate::{arch, boot};

/// What asyncPreempt and what it calls need of a stack beside the vector state:
/// its own 300 bytes and red zone, and the frames up to g0 in an unoptimized build.
const FRAMES: usize = 4 << 10;

/// The handler is there, and nothing forbids preemption.
static ENABLED: AtomicBool = AtomicBool::new(false);

/// How often a goroutine has been made to give way.
static PREEMPTIONS: AtomicUsize = AtomicUsize::new(0);

/// Where asyncPreempt is, its start and its end, once it may be called; zeros before. A
/// program that has one goroutine need not have it, but for who asks where it is.
static ASYNC_PREEMPT: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// For tests: everybody is to be preempted all the time.
static STORM: AtomicBool = AtomicBool::new(false);

/// The pace of that, in nanoseconds.
pub(super) const STORM_PACE: i64 = 20_000;

/// Where code lies: the addresses of its beginning and of what is behind its end.
#[repr(C)]
struct Text {
    async_preempt: [usize; 2],
    gosched: [usize; 2],
    program: [usize; 2],
    malloc: [usize; 2],
}

// SAFETY: the contracts stand in asm/preempt_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.asyncPreempt"]
    fn async_preempt();
    #[link_name = "runtime.preemptText"]
    safe static TEXT: Text;
}

/// Gets ready for preemption, unless it is not wanted or cannot be: the handler. With
/// the first `go`, as long as there is one goroutine it need not give way.
pub(super) fn init() {
    let [malloc, emalloc] = TEXT.malloc;
    if malloc < emalloc && !boot::hosted() && !boot::asyncpreemptoff() {
        os::init_preempt_signal();
        // Relaxed: who finds a goroutine in there has seen it preempted, which is later.
        for (known, label) in ASYNC_PREEMPT.iter().zip(TEXT.async_preempt) {
            known.store(label, Ordering::Relaxed);
        }
        ENABLED.store(true, Ordering::Release); // pairs with preempt_m
    }
}

/// Has the M's thread look whether its goroutine is to give way, which `g.preempt`
/// says. At most one signal to each M is on its way. From any thread and stack.
#[unsafe(export_name = "runtime.preemptM")]
#[inline(never)]
pub(super) fn preempt_m(mp: &M) {
    // Acquire pairs with init.
    if !ENABLED.load(Ordering::Acquire) {
        return;
    }
    if arch::xsave_size() == 0 {
        arch::init_xsave(arch::has(arch::Features::OSXSAVE));
    }
    // SeqCst, as in the handler: either it sees g.preempt, which was set before this,
    // or we see that it has begun, and send another.
    // An M whose thread has ended is another's by and by, who would wait for that signal
    // for ever; what is on its way to a thread that ends is forgotten by `minit`.
    if !mp.signal_pending.swap(true, Ordering::SeqCst) && !os::preempt_thread(mp.procid.get()) {
        mp.signal_pending.store(false, Ordering::SeqCst);
    }
}

/// SIGURG's handler, on the M's signal stack with all signals blocked; asm's
/// sigPreemptTramp calls it. Whoever sent the signal, nothing worse can happen than
/// that a goroutine gives way that was asked to.
#[unsafe(export_name = "runtime.doSigPreempt")]
pub(super) extern "C" fn do_sig_preempt(context: *mut c_void) {
    // A thread that is not ours has no g, and what is one of ours always has an M.
    // SAFETY: null, or a G, and none is ever freed.
    let Some(gp) = (unsafe { arch::getg().cast::<G>().as_ref() }) else {
        return;
    };
    // SAFETY: null, or an M, and none is ever freed.
    let Some(mp) = (unsafe { gp.m.load(Ordering::Relaxed).as_ref() }) else {
        return; // this thread wrote it
    };
    mp.signal_pending.store(false, Ordering::SeqCst); // see preempt_m
    // SAFETY: the kernel's, for this handler.
    let context = unsafe { SignalContext::new(context) };
    if wants_preempt(gp, mp) && is_async_safe_point(gp, context.pc(), context.sp()) {
        // Nothing may come between here and g0, whatever is requested.
        gp.locks
            .store(gp.locks.load(Ordering::Relaxed) + 1, Ordering::Relaxed); // this thread alone
        // SAFETY: asyncPreempt preserves all that there is, and the stack has room.
        unsafe { context.push_call(async_preempt as *const () as usize) };
    }
}

/// Tells whether this is a goroutine, running, which was asked to give way, and holds
/// on to nothing. In the handler.
fn wants_preempt(gp: &G, mp: &M) -> bool {
    gp.goid.get() != 0
        && gp.locks.load(Ordering::Relaxed) == 0 // this thread's, as is curg
        && ptr::eq(mp.curg.load(Ordering::Relaxed), gp)
        && gp.preempt.load(Ordering::SeqCst) // see preempt_m
        && readgstatus(gp) == GStatus::Running as u32
}

/// Tells whether a goroutine can go on later from this instruction, with this stack
/// pointer. In the handler.
fn is_async_safe_point(gp: &G, pc: usize, sp: usize) -> bool {
    let within = |[start, end]: [usize; 2]| (start..end).contains(&pc);
    let size = arch::xsave_size();
    let needed = size + FRAMES;
    size != 0
        && within(TEXT.program)
        && !within(TEXT.malloc)
        && !within(TEXT.async_preempt)
        && !within(TEXT.gosched)
        && sp <= gp.stack.hi.get()
        && sp.saturating_sub(needed) >= gp.stack.lo.get()
}

/// Gives way, in the middle of anything. asyncPreempt calls it, on the goroutine,
/// with `g.locks` up by the handler's one.
#[unsafe(export_name = "runtime.asyncPreempt2")]
extern "C" fn async_preempt2() {
    PREEMPTIONS.fetch_add(1, Ordering::Relaxed); // a counter
    mcall(gopreempt_m);
}

/// Puts the goroutine that was preempted on the global queue. On g0.
///
/// With that the P has done what sysmon asked of it, but for runnext, which shall not
/// inherit a time slice that is over. Were the request left to `find_runnable`, the
/// global queue would come first, with this same goroutine in it.
#[unsafe(export_name = "runtime.gopreempt_m")]
extern "C" fn gopreempt_m(gp: &'static G) -> ! {
    super::unlock(gp); // what the handler took
    let mp = left(gp);
    trace::preempt(mp);
    end_time_slice(getp(mp));
    gosched_impl(mp, gp)
}

/// Tells whether an instruction is of what a preempted goroutine has been made to call.
pub(crate) fn is_async_preempt(pc: usize) -> bool {
    let [start, end] = &ASYNC_PREEMPT;
    // Relaxed: see init.
    (start.load(Ordering::Relaxed)..end.load(Ordering::Relaxed)).contains(&pc)
}

/// For tests: has sysmon ask everybody to give way, every [`STORM_PACE`].
pub(crate) fn storm(on: bool) {
    STORM.store(on, Ordering::Relaxed); // ordered with nothing
}

/// For tests: returns how often a goroutine has been made to give way.
pub(crate) fn preemptions() -> usize {
    PREEMPTIONS.load(Ordering::Relaxed) // a counter
}

/// Tells whether there is a [`storm`].
pub(super) fn is_storm() -> bool {
    STORM.load(Ordering::Relaxed) // as above
}
