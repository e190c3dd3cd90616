//! Threads, as the runtime asks for them: Ms. `kernel` has what they are here.
//!
//! Linux's counterparts: clone, exit, futex, nanosleep, sched_yield.

use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use x86_64::instructions::interrupts::without_interrupts;

use super::super::thread::Thread;
use super::cpu::INTERRUPT_STACK;
use super::kernel::{self, Context};
use super::paging::PAGE;
use super::{cpus, memory, nanotime};

/// The errno of a thread that there is no memory for.
pub(crate) const EAGAIN: i32 = 11;

/// The least that anybody sleeps, in nanoseconds, and how late who sleeps longer may be:
/// Linux's slack of timers, which spares it interrupts.
const SLACK: i64 = 50_000;

/// A thread and its interrupt stack, with a page below that is a guard.
#[repr(C, align(4096))]
struct Block {
    guard: [u8; PAGE],
    interrupts: [u8; INTERRUPT_STACK],
    thread: Context,
}

/// What `switchThread` takes off a new thread's stack, from the low end on.
#[repr(C)]
struct FirstFrame {
    r15: usize,
    r14: usize,
    /// What it runs.
    r13: usize,
    /// Its g0.
    r12: usize,
    /// Its M.
    rbx: usize,
    rbp: usize,
    entry: usize,
    /// So that the entry finds rsp divisible by 16.
    end: [usize; 2],
}

// SAFETY: the routine's contract stands in asm/trap_none_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.threadEntry"]
    fn thread_entry();
}

/// Starts a thread with all signals kept back: `start` sets its mask when it can take some.
/// Returns the errno if there is no memory for it. Go's `newosproc`.
///
/// # Safety
///
/// The M, its g0, the stack and the TLS block must be used by nobody else, ever.
pub(crate) unsafe fn new_thread(thread: &Thread) -> Result<(), i32> {
    cpus::start_others();
    // SAFETY: the caller's promise.
    unsafe { start(thread) }
}

/// The same for who is none of the runtime's: `mp` may be null.
///
/// # Safety
///
/// As above.
pub(super) unsafe fn start(thread: &Thread) -> Result<(), i32> {
    let new = free_block().ok_or(EAGAIN)?;
    // SAFETY: the caller's promise.
    unsafe { prepare(new, thread) };
    kernel::locked(|kernel, _| {
        kernel.register(new);
        kernel.ready(new);
    });
    Ok(())
}

/// Has a thread begin, when it is switched to, with what `thread` says.
///
/// # Safety
///
/// As above; and the thread must be nobody's yet.
pub(super) unsafe fn prepare(new: &Context, thread: &Thread) {
    let frame: *mut FirstFrame =
        ptr::with_exposed_provenance_mut((thread.stack_hi & !15) - size_of::<FirstFrame>());
    let contents = FirstFrame {
        r15: 0,
        r14: 0,
        r13: thread.start as usize,
        r12: thread.g0.expose_provenance(),
        rbx: thread.mp.expose_provenance(),
        rbp: 0,
        entry: thread_entry as *const () as usize,
        end: [0; 2],
    };
    // SAFETY: the caller's promise: the thread's own stack.
    unsafe { frame.write(contents) };
    new.sp.set(frame.addr());
    new.fs.set(thread.tls);
    new.mask.store(!0, Ordering::SeqCst);
    new.pending.store(0, Ordering::SeqCst);
    new.signal_stack.set([0; 2]);
    new.cpu.set(ptr::null());
}

/// Returns a thread that is nobody's, with its interrupt stack, all of which is there.
fn free_block() -> Option<&'static Context> {
    if let Some(ended) = kernel::locked(|kernel, _| kernel.free.pop()) {
        return Some(ended);
    }
    let block: *mut Block = memory::map_now(size_of::<Block>())?.cast();
    // SAFETY: our own, and nobody's yet. Without memory for that there is no guard.
    unsafe { memory::protect(block.cast(), PAGE) };
    // SAFETY: our own; the address is all that is wanted.
    let new = unsafe { &raw const (*block).thread };
    // SAFETY: as above.
    let end = unsafe { &raw const (*block).interrupts }.addr() + INTERRUPT_STACK;
    // SAFETY: our own, its zeros are one, and it stays for good.
    let new = unsafe { &*new };
    new.interrupt_stack.set(end);
    Some(new)
}

/// Ends this thread alone. `alive` becomes zero when nobody uses its stacks and its M any
/// more.
pub(crate) fn exit_thread(alive: &'static AtomicU32) -> ! {
    kernel::locked(|kernel, me| {
        me.alive.set(alive);
        kernel.end(me);
    });
    crate::arch::abort() // never reached
}

/// What a thread's function has returned to.
#[unsafe(export_name = "runtime.threadEnds")]
extern "C" fn thread_ends() -> ! {
    static NOBODY_WAITS: AtomicU32 = AtomicU32::new(0);
    exit_thread(&NOBODY_WAITS)
}

/// Returns the number of the CPU that this thread is on at this moment.
pub(crate) fn getcpu() -> u32 {
    without_interrupts(|| super::cpu::this().id.get())
}

/// Returns this thread's number.
pub(crate) fn thread_id() -> u64 {
    super::cpu::current().id.get()
}

/// Sleeps until [`futexwakeup`] of that word, if `value` is in it: for at most `ns`
/// nanoseconds, or for ever if that is negative. May return for no reason at all.
pub(crate) fn futexsleep(word: &AtomicU32, value: u32, ns: i64) {
    let deadline = match ns {
        0.. => nanotime().saturating_add(ns.max(SLACK)),
        _ => i64::MAX,
    };
    kernel::locked(|kernel, me| {
        // Behind the lock, as are those who wake: nobody changes it and finds us awake.
        if word.load(Ordering::SeqCst) == value {
            kernel.sleep(me, word.as_ptr().addr(), deadline);
        }
    });
}

/// There is none: another CPU would have to be interrupted for it, and answer.
pub(crate) fn register_membarrier() -> bool {
    false
}

/// What the runtime calls where that is prepared: never.
pub(crate) fn membarrier() -> bool {
    false
}

/// Wakes up to `count` threads that sleep on that word.
pub(crate) fn futexwakeup(word: &AtomicU32, count: u32) {
    kernel::locked(|kernel, _| {
        for _ in 0..count {
            if !kernel.wake_one(word.as_ptr().addr()) {
                break;
            }
        }
    });
}

/// Lets whoever else waits for this CPU go first.
pub(crate) fn osyield() {
    kernel::locked(|kernel, me| kernel.give_way(me));
}

/// Puts this thread to sleep for at least so many nanoseconds.
pub(crate) fn nap(nanoseconds: u64) {
    let ns = i64::try_from(nanoseconds).unwrap_or(i64::MAX);
    let end = nanotime().saturating_add(ns);
    let first = nanotime().saturating_add(ns.max(SLACK));
    while nanotime() < end {
        kernel::locked(|kernel, me| kernel.sleep(me, 0, first));
    }
}
