//! Signals: what the runtime has on Linux, made of exceptions, and of bits that threads set
//! in each other.
//!
//! | comes from | by |
//! | --- | --- |
//! | an exception | [`fault`], on the exception's stack |
//! | another thread, or the same one | [`signal_thread`]: a bit, and an interrupt where that thread runs |
//!
//! A handler runs on the thread's signal stack, as an ordinary part of the thread, with all
//! signals kept back: what it has interrupted lies above it, for the handler to see and to
//! change, and `runtime.sigreturn` goes back there. SIGURG's handler is the exception, since
//! it comes often and does little: it runs within the interrupt.
//!
//! ```text
//!   signal stack   | Frame         |  all registers
//!                  | vector state  |
//!                  | mask          |  what was kept back before
//!                  | siginfo_t     |
//!                  | -> Frame      |
//!          rsp ->  | sigreturn     |  where the handler returns to
//! ```
//!
//! What no handler is for ends the program with the status that a shell has for it, as on
//! Linux, or is nothing. So does an exception that is kept back. One within the kernel, or
//! before there are threads, ends the program with a line.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use x86_64::instructions::interrupts;

use super::super::fault::{OnFault, fault as sigtrampgo, tell_of_faults};
use super::super::signal_table::{
    LAST_SIGNAL, NEVER_BLOCKED, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGURG, signal_bit,
};
use super::kernel::{self, Context};
use super::paging::PAGE;
use super::signal_context::RED_ZONE;
use super::trap::{Frame, INTERRUPTS};
use super::{apic, cpu, exit, memory};
use crate::arch;
use crate::debug::print::say;

/// The handlers that are none: nothing special, and nothing at all.
const DEFAULT: usize = 0;
const IGNORE: usize = 1;

/// `si_code`: a thread has sent it.
const SI_TKILL: i32 = -6;

/// What is done about a signal.
#[derive(Clone, Copy)]
pub(crate) struct Sigaction {
    handler: usize,
}

/// Of each signal: a handler.
static ACTIONS: [AtomicUsize; LAST_SIGNAL as usize + 1] =
    [const { AtomicUsize::new(DEFAULT) }; LAST_SIGNAL as usize + 1];

// SAFETY: the contracts stand in asm/trap_none_amd64.S and asm/preempt_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.sigreturn"]
    fn sigreturn();
    #[link_name = "runtime.sigNotifyTramp"]
    fn sig_notify_tramp();
    #[link_name = "runtime.sigPreemptTramp"]
    fn sig_preempt_tramp(signal: i32, info: *const c_void, context: *mut c_void);
}

impl Sigaction {
    /// What happens of itself: the end, or nothing.
    pub(crate) const DEFAULT: Self = Self { handler: DEFAULT };

    /// Nothing at all.
    pub(crate) const IGNORE: Self = Self { handler: IGNORE };

    /// Has `runtime.sighandler` called.
    pub(crate) fn handled() -> Self {
        Self {
            handler: sig_notify_tramp as *const () as usize,
        }
    }

    /// Tells whether nothing happens.
    pub(crate) fn ignores(&self) -> bool {
        self.handler == IGNORE
    }

    /// Tells whether it is [`handled`](Self::handled).
    pub(crate) fn is_handled(&self) -> bool {
        self.handler == Self::handled().handler
    }
}

/// Linux's `siginfo_t`, as far as anybody reads it.
#[repr(C)]
pub(super) struct Info {
    signal: i32,
    errno: i32,
    pub(super) code: i32,
    addr: usize,
    rest: [usize; 13],
}

/// What is put on the signal stack below the vector state.
#[repr(C)]
struct SignalFrame {
    back: usize,
    frame: usize,
    info: Info,
    mask: u64,
}

/// How much room that takes: a call leaves rsp 8 short of a multiple of 16, as this does.
const SIGNAL_FRAME: usize = size_of::<SignalFrame>().next_multiple_of(16) + 8;
const _: () = assert!(align_of::<SignalFrame>() <= 8);

/// Returns where the vector state that belongs to a frame is.
fn vector_state(frame: usize) -> usize {
    (frame - arch::xsave_size()) & !63
}

/// An instruction cannot go on. On the exception's stack, with interrupts off.
pub(super) fn fault(frame: &mut Frame, signal: i32, code: i32, addr: usize) {
    let me = cpu::current();
    let handler = handler(signal);
    let in_kernel = frame.rflags & INTERRUPTS == 0 || me.signal_stack.get() == [0; 2];
    if in_kernel {
        die_in_kernel(frame, signal, addr);
    }
    let kept_back = me.mask.load(Ordering::SeqCst) & signal_bit(signal) != 0;
    if kept_back || handler <= IGNORE || !deliver(frame, me, handler, signal, code, addr) {
        exit(128 + signal);
    }
}

/// Has the interrupted thread go on in a handler. With interrupts off. False where its
/// signal stack has no memory.
fn deliver(
    frame: &mut Frame,
    me: &Context,
    handler: usize,
    signal: i32,
    code: i32,
    addr: usize,
) -> bool {
    let [lo, hi] = me.signal_stack.get();
    if hi == 0 {
        return false;
    }
    let sp = frame.rsp as usize;
    // On it already: below what is in use. Whoever has left it, begins at its top again.
    let top = match (lo + 1..=hi).contains(&sp) {
        true => sp - RED_ZONE,
        false => hi,
    };
    let size = arch::xsave_size();
    let at = (top - size_of::<Frame>()) & !63;
    let state = vector_state(at);
    let sp = state - SIGNAL_FRAME;
    if sp < lo || !is_there(sp, top) {
        return false;
    }
    let mask = me.mask.swap(!0, Ordering::SeqCst);
    let saved: *mut Frame = ptr::with_exposed_provenance_mut(at);
    // SAFETY: there is memory, on the thread's own signal stack, below what is in use.
    unsafe { saved.write(*frame) };
    let from: *const u8 = ptr::with_exposed_provenance(vector_state(ptr::from_mut(frame).addr()));
    let to: *mut u8 = ptr::with_exposed_provenance_mut(state);
    // SAFETY: as above; and the assembly has saved that much there.
    unsafe { to.copy_from_nonoverlapping(from, size) };
    let below: *mut SignalFrame = ptr::with_exposed_provenance_mut(sp);
    let contents = SignalFrame {
        back: sigreturn as *const () as usize,
        frame: at,
        info: Info {
            signal,
            errno: 0,
            code,
            addr,
            rest: [0; 13],
        },
        mask,
    };
    // SAFETY: as above.
    unsafe { below.write(contents) };
    frame.rip = handler as u64;
    frame.rsp = sp as u64;
    frame.rdi = signal as u64;
    // SAFETY: as above.
    frame.rsi = unsafe { &raw const (*below).info }.expose_provenance() as u64;
    frame.rdx = saved.expose_provenance() as u64;
    frame.rbp = 0;
    frame.rflags |= INTERRUPTS;
    true
}

/// Sees to it that there is memory, as if somebody touched it.
fn is_there(lo: usize, hi: usize) -> bool {
    let pages = (lo & !(PAGE - 1)..hi).step_by(PAGE);
    pages.into_iter().all(|page| memory::page_fault(page, 0))
}

/// A handler has returned; asm's sigreturn calls it, with interrupts off, on the signal
/// stack below the frame that it goes back to then.
#[unsafe(export_name = "runtime.sigreturned")]
extern "C" fn sigreturned(frame: &mut Frame) {
    let below = vector_state(ptr::from_mut(frame).addr()) - SIGNAL_FRAME;
    let below: *const SignalFrame = ptr::with_exposed_provenance(below);
    // SAFETY: `deliver` has put it there.
    let mask = unsafe { (*below).mask };
    cpu::current().mask.store(mask, Ordering::SeqCst);
    // What has come meanwhile is seen with the next interrupt: have one now.
    if cpu::current().has_signal() {
        apic::interrupt_self(apic::WAKE);
    }
}

/// Does what is to be done about the signals of the thread that was interrupted. On its
/// interrupt stack, with interrupts off.
pub(super) fn deliver_pending(frame: &mut Frame, me: &Context) {
    while let Some(signal) = take_one(me) {
        match handler(signal) {
            IGNORE => {}
            DEFAULT if is_nothing(signal) => {}
            DEFAULT => exit(128 + signal),
            handler if signal == SIGURG && handler == sig_preempt_tramp as *const () as usize => {
                // SAFETY: what has been interrupted, for the handler, which returns.
                unsafe { sig_preempt_tramp(signal, ptr::null(), ptr::from_mut(frame).cast()) };
            }
            handler => {
                if !deliver(frame, me, handler, signal, SI_TKILL, 0) {
                    exit(128 + signal);
                }
            }
        }
    }
}

/// Takes one of a thread's signals.
fn take_one(me: &Context) -> Option<i32> {
    let open = me.pending.load(Ordering::SeqCst) & !me.mask.load(Ordering::SeqCst);
    let bit = open & open.wrapping_neg();
    if bit == 0 {
        return None;
    }
    me.pending.fetch_and(!bit, Ordering::SeqCst);
    Some(bit.trailing_zeros() as i32 + 1)
}

/// Does what is to be done about this thread's signals now. With interrupts on.
pub(super) fn take() {
    // SAFETY: the handler of that vector leaves all registers as they are, or has a signal's
    // handler called that does.
    unsafe { core::arch::asm!("int {}", const apic::SIGNAL) };
}

/// Ends the program because of an exception where no thread is that could die.
#[cold]
pub(super) fn die_in_kernel(frame: &Frame, signal: i32, addr: usize) -> ! {
    let numbers = [frame.vector, frame.error, frame.rip, addr as u64, frame.rsp];
    say(
        "gort: exception %d, error 0x%x, in the kernel: pc=0x%x addr=0x%x sp=0x%x",
        &numbers,
        &[],
    );
    exit(128 + signal)
}

/// Returns a signal's handler.
fn handler(signal: i32) -> usize {
    let action = ACTIONS.get(signal as usize);
    action.map_or(DEFAULT, |action| action.load(Ordering::SeqCst))
}

/// Tells whether a signal does nothing unless somebody wants it.
fn is_nothing(signal: i32) -> bool {
    const SIGCHLD: i32 = 17;
    const SIGCONT: i32 = 18;
    const SIGWINCH: i32 = 28;
    matches!(signal, SIGCHLD | SIGCONT | SIGURG | SIGWINCH)
}

/// Has `on_fault` called for exceptions, on the threads' signal stacks.
pub(crate) fn initsig(on_fault: OnFault) {
    tell_of_faults(on_fault);
    let action = Sigaction {
        handler: sigtrampgo as *const () as usize,
    };
    for signal in [SIGILL, SIGBUS, SIGFPE, SIGSEGV] {
        change_action(signal, &action);
    }
}

/// Has SIGURG's handler called for it.
pub(crate) fn init_preempt_signal() {
    let action = Sigaction {
        handler: sig_preempt_tramp as *const () as usize,
    };
    change_action(SIGURG, &action);
}

/// Changes what is done about a signal, and returns what was done before.
pub(crate) fn change_action(signal: i32, action: &Sigaction) -> Sigaction {
    match ACTIONS.get(signal as usize) {
        Some(place) => Sigaction {
            handler: place.swap(action.handler, Ordering::SeqCst),
        },
        None => Sigaction::DEFAULT,
    }
}

/// Returns what is done about a signal.
pub(crate) fn action(signal: i32) -> Sigaction {
    Sigaction {
        handler: handler(signal),
    }
}

/// Gives this thread its signal stack.
pub(crate) fn set_signal_stack(stack: *mut u8, size: usize) {
    let lo = stack.expose_provenance();
    interrupts::without_interrupts(|| cpu::current().signal_stack.set([lo, lo + size]));
}

/// Lets through what the runtime cannot do without, and returns the signals that this
/// thread has kept back before.
pub(crate) fn save_mask() -> u64 {
    let before = cpu::current()
        .mask
        .fetch_and(!NEVER_BLOCKED, Ordering::SeqCst);
    take_open();
    before
}

/// Lets through what says that this thread cannot go on, and not what would preempt it.
pub(crate) fn let_faults_through() {
    let through = NEVER_BLOCKED & !signal_bit(SIGURG);
    cpu::current().mask.fetch_and(!through, Ordering::SeqCst);
    take_open();
}

/// Sets which signals this thread keeps back, and returns those before.
pub(crate) fn set_mask(mask: u64) -> u64 {
    let before = cpu::current().mask.swap(mask, Ordering::SeqCst);
    take_open();
    before
}

/// Returns the mask that a thread has which is to have `mask`: without what no thread may
/// keep back.
pub(crate) fn thread_mask(mask: u64) -> u64 {
    mask & !NEVER_BLOCKED
}

/// Takes what has come and is let through now.
fn take_open() {
    if cpu::current().has_signal() {
        take();
    }
}

/// Forgets the signals that a write has sent to this thread: none.
#[cfg(feature = "sched-trace")]
pub(crate) fn forget_write_signals() {}

/// Sends a signal to the thread that has that number; false if there is none.
pub(crate) fn signal_thread(thread: u64, signal: i32) -> bool {
    kernel::locked(|kernel, me| {
        let Some(thread) = kernel.find(thread) else {
            return false;
        };
        thread
            .pending
            .fetch_or(signal_bit(signal), Ordering::SeqCst);
        // It may sleep on: it has nothing that could be preempted.
        if signal != SIGURG {
            kernel.wake(thread);
        }
        kernel.interrupt(thread, me);
        true
    })
}

/// Sends a signal to a thread that lets it through: this one if it does.
pub(crate) fn signal_process(signal: i32) {
    let thread = kernel::locked(|kernel, me| {
        let open = |thread: &&Context| thread.mask.load(Ordering::SeqCst) & signal_bit(signal) == 0;
        let mut all = core::iter::once(me).chain(kernel.all());
        all.find(open).unwrap_or(me).id.get()
    });
    signal_thread(thread, signal);
}

/// Has a thread look whether its goroutine is to give way; false if it has ended.
pub(crate) fn preempt_thread(thread: u64) -> bool {
    signal_thread(thread, SIGURG)
}

/// Ends the program as a signal does.
pub(crate) fn die_from_signal(signal: i32) -> ! {
    exit(128 + signal)
}

/// Ends the program as SIGABRT does.
pub(crate) fn die_by_abort() -> ! {
    die_from_signal(SIGABRT)
}
