//! Signals: masks, actions, the stack that handlers run on; and the faults that end a
//! program with a message instead of silently.
//!
//! Go's counterparts: `initsig`, `sigaltstack`, `setsig`, `getsig`, `dieFromSignal` in
//! `runtime/signal_unix.go` and `os_linux.go`; the texts are those of `sigpanic`.
//!
//! A handler runs on the M's signal stack, with all signals blocked: the goroutine that
//! was interrupted may have no stack left, and no handler interrupts another. Who dies lets
//! faults through again, and so does the handler that preempts: where those fault there are
//! still words for it. g is the one that was interrupted, since there is one slot for it; a
//! thread that is not ours has none. There are three handlers:
//!
//! | handler | for | where |
//! | --- | --- | --- |
//! | `runtime.sigtrampgo` | the four faults, from boot on | here: formats into its own frame, writes and exits |
//! | `runtime.doSigPreempt` | SIGURG, from the first `go` on | `sched::preempt` |
//! | `runtime.sighandler` | all others that somebody wants, and those that end in a dump | `sched::sighandler` |

use core::ptr;

use super::super::fault::{OnFault, tell_of_faults};
use super::super::signal_table::{
    FAULTS, NEVER_BLOCKED, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGURG, signal_bit,
};
use super::syscall::{exit, nr, signal_thread, syscall4, thread_id};

const SA_SIGINFO: usize = 4;
const SA_RESTART: usize = 0x1000_0000;
const SA_ONSTACK: usize = 0x0800_0000;
const SA_RESTORER: usize = 0x0400_0000;

/// The handler that is none: the kernel's own action, and the one that nothing happens.
const SIG_DFL: usize = 0;
const SIG_IGN: usize = 1;

/// What is done about a signal: the kernel's `struct sigaction`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Sigaction {
    handler: usize,
    flags: usize,
    restorer: usize,
    mask: u64,
}

impl Sigaction {
    /// The kernel's own action, which for most is the end of the process.
    pub(crate) const DEFAULT: Self = Self::plain(SIG_DFL);

    /// Nothing at all.
    pub(crate) const IGNORE: Self = Self::plain(SIG_IGN);

    /// An action without a handler of ours.
    const fn plain(handler: usize) -> Self {
        Self {
            handler,
            flags: 0,
            restorer: 0,
            mask: 0,
        }
    }

    /// Has that routine called, on the M's signal stack with all signals blocked.
    fn calls(routine: unsafe extern "C" fn(), flags: usize) -> Self {
        Self {
            handler: routine as *const () as usize,
            flags: SA_SIGINFO | SA_ONSTACK | SA_RESTORER | flags,
            restorer: sigreturn as *const () as usize,
            mask: !0,
        }
    }

    /// Has `runtime.sighandler` called; the system call that is interrupted is made
    /// again where the kernel can do that.
    pub(crate) fn handled() -> Self {
        Self::calls(sig_notify_tramp, SA_RESTART)
    }

    /// Tells whether nothing happens.
    pub(crate) fn ignores(&self) -> bool {
        self.handler == SIG_IGN
    }

    /// Tells whether it is [`handled`](Self::handled).
    pub(crate) fn is_handled(&self) -> bool {
        self.handler == sig_notify_tramp as *const () as usize
    }
}

/// The kernel's `stack_t`.
#[repr(C)]
struct SignalStack {
    stack: *mut u8,
    flags: i32,
    size: usize,
}

// SAFETY: the routines' contracts stand in asm/sys_linux_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.sigreturn__sigaction"]
    fn sigreturn();
    #[link_name = "runtime.sigtramp"]
    fn sigtramp();
    #[link_name = "runtime.sigPreemptTramp"]
    fn sig_preempt_tramp();
    #[link_name = "runtime.sigNotifyTramp"]
    fn sig_notify_tramp();
}

const SIG_SETMASK: usize = 2;
const SIG_UNBLOCK: usize = 1;

/// Lets through what the runtime cannot do without, and returns the signal mask that
/// this thread had before.
pub(crate) fn save_mask() -> u64 {
    unblock(NEVER_BLOCKED)
}

/// Lets through what says that this thread cannot go on. Not what would preempt it: a report
/// is written on another stack than the signal's, and to the kernel that one is free then,
/// with the frames that the report is about.
pub(crate) fn let_faults_through() {
    unblock(NEVER_BLOCKED & !signal_bit(SIGURG));
}

/// Lets signals through, and returns the signal mask that this thread had before.
#[inline(never)] // for its size
fn unblock(signals: u64) -> u64 {
    change_mask(SIG_UNBLOCK, signals)
}

/// Sets the signal mask of this thread and returns the one before.
pub(crate) fn set_mask(mask: u64) -> u64 {
    change_mask(SIG_SETMASK, mask)
}

/// Returns the mask that a thread has which is to have `mask`: without what no thread
/// may block.
pub(crate) fn thread_mask(mask: u64) -> u64 {
    mask & !NEVER_BLOCKED
}

/// Forgets the signals that a write has sent to this thread, which blocks them.
#[cfg(feature = "sched-trace")]
pub(crate) fn forget_write_signals() {
    const SIGPIPE: u32 = 13;
    const SIGXFSZ: u32 = 25;
    let signals = 1u64 << (SIGPIPE - 1) | 1 << (SIGXFSZ - 1);
    let now = [0u64; 2];
    // SAFETY: the kernel reads eight bytes of ours, and the time: none at all.
    let take = || unsafe {
        syscall4(
            nr::RT_SIGTIMEDWAIT,
            [(&raw const signals).addr(), 0, (&raw const now).addr(), 8],
        )
    };
    while take() > 0 {}
}

/// Changes the signal mask of this thread and returns the one before.
fn change_mask(how: usize, mask: u64) -> u64 {
    let mut old = 0u64;
    // SAFETY: the kernel reads eight bytes of ours and writes eight others.
    unsafe {
        syscall4(
            nr::RT_SIGPROCMASK,
            [how, (&raw const mask).addr(), (&raw mut old).addr(), 8],
        )
    };
    old
}

/// Has `on_fault` called for the faults of this process's threads, on their signal stacks.
pub(crate) fn initsig(on_fault: OnFault) {
    tell_of_faults(on_fault);
    let action = Sigaction::calls(sigtramp, 0);
    for signal in [SIGILL, SIGBUS, SIGFPE, SIGSEGV] {
        set_action(signal, &action);
    }
}

/// Has SIGURG's handler called for it, on the M's signal stack, from now on; the system
/// call that it interrupts is made again where the kernel can do that. Go's `sigPreempt`.
pub(crate) fn init_preempt_signal() {
    let action = Sigaction {
        mask: !FAULTS,
        ..Sigaction::calls(sig_preempt_tramp, SA_RESTART)
    };
    set_action(SIGURG, &action);
}

/// Gives this thread its signal stack.
pub(crate) fn set_signal_stack(stack: *mut u8, size: usize) {
    let stack = SignalStack {
        stack,
        flags: 0,
        size,
    };
    // SAFETY: the kernel reads the struct; the stack itself is the caller's for good.
    unsafe { syscall4(nr::SIGALTSTACK, [(&raw const stack).addr(), 0, 0, 0]) };
}

/// Changes what is done about a signal, and returns what was done before. Go's `setsig`.
#[inline(never)] // for its size
pub(crate) fn change_action(signal: i32, action: &Sigaction) -> Sigaction {
    let mut before = Sigaction::DEFAULT;
    // SAFETY: the kernel reads the one struct and writes the other. As for set_action.
    unsafe {
        syscall4(
            nr::RT_SIGACTION,
            [
                signal as usize,
                ptr::from_ref(action).addr(),
                (&raw mut before).addr(),
                8,
            ],
        )
    };
    before
}

/// Returns what is done about a signal. Go's `getsig`.
pub(crate) fn action(signal: i32) -> Sigaction {
    let mut now = Sigaction::DEFAULT;
    // SAFETY: the kernel writes the struct.
    unsafe {
        syscall4(
            nr::RT_SIGACTION,
            [signal as usize, 0, (&raw mut now).addr(), 8],
        )
    };
    now
}

/// Installs an action.
fn set_action(signal: i32, action: &Sigaction) {
    // SAFETY: the kernel reads the struct. The handlers given here end the
    // process, are the kernel's own, or leave everything as it was.
    unsafe {
        syscall4(
            nr::RT_SIGACTION,
            [signal as usize, ptr::from_ref(action).addr(), 0, 8],
        )
    };
}

/// Ends the process by a signal that the kernel ends processes by. Process 1 is immune to
/// those: it ends with the status by which shells say the same. From any stack. Go's
/// `dieFromSignal`.
pub(crate) fn die_from_signal(signal: i32) -> ! {
    set_action(signal, &Sigaction::plain(SIG_DFL)); // DEFAULT would be 32 bytes of the program
    change_mask(SIG_UNBLOCK, 1 << (signal - 1));
    signal_thread(thread_id(), signal);
    exit(128 + signal)
}

/// Ends the process by SIGABRT, so that it leaves a core file.
pub(crate) fn die_by_abort() -> ! {
    crate::debug::trace::finish(2);
    die_from_signal(SIGABRT)
}
