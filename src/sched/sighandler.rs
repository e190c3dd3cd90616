//! The handler of the signals that are no faults, what is installed at the start, and the
//! goroutine's end of the queue that it fills.
//!
//! Go's counterparts: `initsig`, `sighandler`, `sigpipe`, `ensureSigM` in
//! `runtime/signal_unix.go`, `signal_recv` and `signalWaitUntilIdle` in
//! `runtime/sigqueue.go`.
//!
//! Go installs its handler for all signals at the start. Here only what has to have it
//! does, by the feature `signals`: those that end in a dump, and SIGPIPE. All others keep
//! the kernel's action until `signal::notify` asks for them, so that what was ignored at
//! the start stays ignored, and SIGHUP, SIGINT and SIGTERM end the process as they do in
//! Go. Not process 1, which the kernel protects from that: there they get the handler,
//! which ends it. Nothing is installed where a libc hosts us: the signals are the host's.

use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use core::{hint, ptr};

use super::gfree::gfget;
use super::gosched::gosched_if_asked;
use super::newproc::{Entry, NOTHING, newproc};
use super::park::{gopark, goready};
use super::preempt::do_sig_preempt;
use super::runtime2::G;
use super::sigqueue::SigQueue;
use super::sysmon::hurry_sysmon;
use super::system::SIGNAL_RECEIVER;
use super::waitreason::WaitReason;
use super::{M0, acquirem, getg, gosched, releasem};
use crate::debug::fatal::{self, throw};
use crate::debug::sigquit;
use crate::os::{self, Sigaction, SignalClass, SignalContext, signal_bit};
use crate::{arch, boot};

/// What is on its way from the handlers to the receiver.
static QUEUE: SigQueue<G> = SigQueue::new();

/// What the handler needs of the scheduler where somebody wants signals: by pointer, so
/// that a program that has but the handler need not know how it is done.
struct Hooks {
    preempt: extern "C" fn(*mut c_void),
    wake: fn(),
}

/// Null while nobody wants any.
static HOOKS: AtomicPtr<Hooks> = AtomicPtr::new(ptr::null_mut());

/// What sysmon's thread shall let through although the process was started with it
/// blocked, and what it does.
static LET_THROUGH: AtomicU64 = AtomicU64::new(0);
static LETS_THROUGH: AtomicU64 = AtomicU64::new(0);

/// Which of [`AT_THE_START`] stay ignored where they are. Go keeps to that for SIGHUP and SIGINT
/// alone.
const STAY_IGNORED: u64 = signal_bit(os::SIGPIPE)
    | signal_bit(os::SIGHUP)
    | signal_bit(os::SIGINT)
    | signal_bit(os::SIGTERM);

/// How many of [`AT_THE_START`] are for each process.
const FOR_EACH: usize = 6;

/// What the handler is installed for at the start; the last three in process 1 alone.
const AT_THE_START: [i32; 9] = [
    os::SIGQUIT,
    os::SIGABRT,
    os::SIGTRAP,
    os::SIGSTKFLT,
    os::SIGSYS,
    os::SIGPIPE,
    os::SIGHUP,
    os::SIGINT,
    os::SIGTERM,
];

/// Installs the handler where it has to be from the start; with the feature `signals`
/// alone. `thread` is the main thread's
/// id, which is the process's. Go's `initsig`.
#[unsafe(export_name = "runtime.initsig")]
#[inline(never)]
pub(super) extern "C" fn initsig(thread: u64) {
    const PROCESS_1: u64 = 1;
    if boot::hosted() {
        return;
    }
    let mut signals = AT_THE_START.as_slice();
    if thread != PROCESS_1 {
        (signals, _) = signals.split_at(FOR_EACH);
    }
    // Hidden, or there would be a copy for each.
    for &signal in hint::black_box(signals) {
        let before = os::change_action(signal, &Sigaction::handled());
        if before.ignores() && STAY_IGNORED & signal_bit(signal) != 0 {
            os::change_action(signal, &before);
        }
    }
}

/// The handler, on the M's signal stack with all signals blocked; asm's sigNotifyTramp
/// calls it. On any thread, in the middle of anything.
#[unsafe(export_name = "runtime.sighandler")]
extern "C" fn sighandler(signal: i32, info: *const c_void, context: *mut c_void) {
    let (class, bit) = (os::signal_class(signal), signal_bit(signal));
    // SAFETY: null, or the address of a static that nobody changes. Acquire pairs with
    // start_signal_receiver, before which nothing is wanted.
    let hooks = unsafe { HOOKS.load(Ordering::Acquire).as_ref() };
    if let (SignalClass::Preempt, Some(hooks)) = (class, hooks) {
        (hooks.preempt)(context); // whoever sent it, the scheduler may have, too
    }
    // SAFETY: the kernel gave it to this handler.
    let code = unsafe { os::signal_code(info) };
    // What an instruction has done goes on for ever if the handler just returns.
    let from_instruction = code > 0 && matches!(class, SignalClass::Fault | SignalClass::Trap);
    let wake = || {
        if let Some(hooks) = hooks {
            (hooks.wake)();
        }
    };
    if !from_instruction && (QUEUE.send(bit, wake) || QUEUE.is_ignored(bit)) {
        return;
    }
    match class {
        SignalClass::Pipe | SignalClass::Preempt | SignalClass::Reserved => {}
        // It has been wanted until a moment ago, and the kernel's action is back: let that
        // happen, when the handler has returned.
        SignalClass::Plain => {
            os::signal_thread(os::thread_id(), signal);
        }
        // Another's thread: nothing to say of any goroutine.
        _ if arch::getg().is_null() => os::die_from_signal(signal),
        SignalClass::Kill => os::die_from_signal(signal),
        SignalClass::Fault => os::fault(signal, info, context),
        SignalClass::Dump | SignalClass::Trap => {
            // SAFETY: the kernel's, for this handler.
            let context = unsafe { SignalContext::new(context) };
            sigquit::dump(signal, code, context)
        }
    }
}

/// Somebody has written to a pipe or a socket that nobody reads, by descriptor 1 or 2:
/// that ends the program by SIGPIPE, as in Go. It returns where an error is what is
/// wanted: where SIGPIPE is ignored, or somebody is told of it; or the program is dying
/// already. From a goroutine.
#[cold]
pub(crate) fn sigpipe() {
    let dying = fatal::PANICKING.load(Ordering::SeqCst) != 0;
    if !dying && !is_wanted(os::SIGPIPE) && os::action(os::SIGPIPE).is_handled() {
        os::die_from_signal(os::SIGPIPE);
    }
}

/// Starts the goroutine that hands signals on, which calls `entry`, unless there is one.
/// One caller at a time, a goroutine.
pub(crate) fn start_signal_receiver(entry: Entry) {
    if SIGNAL_RECEIVER.exists() {
        return;
    }
    static WITH_SYSMON: Hooks = Hooks {
        preempt: do_sig_preempt,
        wake: hurry_sysmon,
    };
    super::machine::start_sysmon();
    HOOKS.store((&raw const WITH_SYSMON).cast_mut(), Ordering::Release); // pairs with sighandler
    super::syscall::need_p();
    match newproc(entry, NOTHING, None, 0, gfget) {
        Some(new) => SIGNAL_RECEIVER.set(new.queue().get()),
        None => throw("out of memory (stack allocation)"),
    }
}

/// Waits for signals, and returns those that have come, as bits. By the receiver.
#[unsafe(export_name = "runtime.signal_recv")]
#[inline(never)]
pub(crate) extern "C" fn signal_recv() -> u64 {
    /// Lets sysmon find the receiver, whose context has been saved.
    fn publish(gp: &'static G, _: *const c_void) -> bool {
        QUEUE.publish(ptr::from_ref(gp).cast_mut(), hurry_sysmon);
        true
    }
    loop {
        let signals = QUEUE.take();
        if signals != 0 {
            return signals;
        }
        // SAFETY: `publish` does what an unlock function may.
        unsafe { gopark(Some(publish), ptr::null(), WaitReason::SIGNAL_RECEIVE) };
    }
}

/// Tells whether signals may come that ready somebody: then nothing is a deadlock.
pub(super) fn signals_may_come() -> bool {
    SIGNAL_RECEIVER.exists()
}

/// Tells whether sysmon has to look after signals.
pub(super) fn signals_call() -> bool {
    QUEUE.calls()
}

/// Looks after signals: readies the receiver, and sees to sysmon's own mask. By sysmon.
pub(super) fn answer_signals() {
    if !QUEUE.calls() {
        return;
    }
    // SAFETY: null, or a G, which is never freed.
    if let Some(receiver) = unsafe { QUEUE.answer().as_ref() } {
        goready(receiver);
    }
    let through = LET_THROUGH.load(Ordering::SeqCst);
    if through != LETS_THROUGH.load(Ordering::Relaxed) {
        // sysmon's, as any thread's, was the one that the program was started with.
        os::set_mask(os::thread_mask(M0.sigmask.get()) & !through);
        LETS_THROUGH.store(through, Ordering::SeqCst); // pairs with let_through
    }
}

/// Changes what sysmon's thread lets through of the signals that the program was started
/// with blocked, and waits until it does. One caller at a time, a goroutine, behind
/// [`start_signal_receiver`].
fn let_through(signal: i32, through: bool) {
    let bit = signal_bit(signal);
    if M0.sigmask.get() & bit == 0 {
        return; // other threads do
    }
    if through {
        LET_THROUGH.fetch_or(bit, Ordering::SeqCst);
    } else {
        LET_THROUGH.fetch_and(!bit, Ordering::SeqCst);
    }
    while LETS_THROUGH.load(Ordering::SeqCst) != LET_THROUGH.load(Ordering::SeqCst) {
        QUEUE.call(hurry_sysmon);
        gosched();
    }
}

/// Has a signal handed to the receiver from now on. Returns what was done about it before.
/// One caller at a time, a goroutine, behind [`start_signal_receiver`].
pub(crate) fn enable_signal(signal: i32) -> Sigaction {
    QUEUE.want(signal_bit(signal));
    let before = os::change_action(signal, &Sigaction::handled());
    let_through(signal, true);
    before
}

/// Nobody wants a signal any more: `action` is done about it from now on. One caller at a
/// time, a goroutine. What is on its way is received; see [`signals_are_handed_on`].
pub(crate) fn disable_signal(signal: i32, action: &Sigaction) {
    if LET_THROUGH.load(Ordering::SeqCst) & signal_bit(signal) != 0 {
        let_through(signal, false);
    }
    os::change_action(signal, action);
    QUEUE.drop_wish(signal_bit(signal), action.ignores());
}

/// Nothing is to happen for a signal from now on, unless it comes from an instruction.
/// Not for SIGURG. Returns what was done about it before. One caller at a time, a goroutine.
pub(crate) fn ignore_signal(signal: i32) -> Sigaction {
    let bit = signal_bit(signal);
    if LET_THROUGH.load(Ordering::SeqCst) & bit != 0 {
        let_through(signal, false);
    }
    match os::signal_class(signal) {
        // The handler goes by the bit: what is not sent must go on as it does.
        SignalClass::Fault | SignalClass::Trap => {
            QUEUE.drop_wish(bit, true);
            os::change_action(signal, &Sigaction::handled())
        }
        _ => {
            let before = os::change_action(signal, &Sigaction::IGNORE);
            QUEUE.drop_wish(bit, true);
            before
        }
    }
}

/// Sends a signal to the current thread, whose handler has run then when this returns; to
/// the process if the program was started with it blocked, so that sysmon may take it.
/// From a goroutine.
pub(crate) fn raise_signal(signal: i32) {
    if M0.sigmask.get() & signal_bit(signal) != 0 {
        os::signal_process(signal);
    } else {
        acquirem(); // the thread stays ours
        os::signal_thread(os::thread_id(), signal);
        releasem();
    }
    // Who raises one after the other is hardly ever found outside of this, and others wait to
    // receive them.
    gosched_if_asked(getg());
}

/// Tells whether somebody wants a signal.
fn is_wanted(signal: i32) -> bool {
    QUEUE.is_wanted(signal_bit(signal))
}

/// Tells whether nothing happens for a signal.
pub(crate) fn signal_is_ignored(signal: i32) -> bool {
    QUEUE.is_ignored(signal_bit(signal)) || os::action(signal).ignores()
}

/// Waits until the receiver has handed on what came before this and is wanted no more. By
/// a goroutine that holds nothing the receiver needs.
pub(crate) fn signals_are_handed_on() {
    while !QUEUE.is_idle() {
        gosched();
    }
}
