//! Signals: the mask that we were started with, and the faults that end a
//! program with a message instead of silently; and SIGURG, which preempts.
//!
//! Go's counterparts: `initsig`, `sigaltstack` and `sighandler` in
//! `runtime/signal_unix.go`; the texts are those of `sigpanic`.
//!
//! A handler runs on the M's signal stack: the goroutine that faulted may have
//! no stack left. That of a fault only formats into its own frame, writes and exits;
//! for the other see `sched::preempt`.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::syscall::{nr, syscall4};

/// The signals with a handler, and SIGABRT.
pub(super) const SIGABRT: i32 = 6;
const SIGILL: i32 = 4;
const SIGBUS: i32 = 7;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;

/// The signal that preempts. Go's choice: nobody sends it but for urgent data on a
/// socket, whoever wants that can live with more, and debuggers pass it on.
pub(super) const SIGURG: i32 = 23;

const SA_SIGINFO: usize = 4;
const SA_RESTART: usize = 0x1000_0000;
const SA_ONSTACK: usize = 0x0800_0000;
const SA_RESTORER: usize = 0x0400_0000;

/// Where in a `ucontext_t` the registers begin (`uc_mcontext.gregs`), and the
/// numbers of some of them.
const GREGS_OFFSET: usize = 40;
const REG_RBP: usize = 10;
const REG_RSP: usize = 15;
const REG_RIP: usize = 16;

/// What a function may use below rsp without moving it, by the ABI.
const RED_ZONE: usize = 128;

/// The kernel's `struct sigaction`.
#[repr(C)]
struct Sigaction {
    handler: usize,
    flags: usize,
    restorer: usize,
    mask: u64,
}

/// The kernel's `stack_t`.
#[repr(C)]
struct SignalStack {
    stack: *mut u8,
    flags: i32,
    size: usize,
}

/// What a handled fault was.
pub(crate) struct Died {
    /// SIGSEGV and so on.
    pub(crate) signal: i32,
    /// Go's text for it, with the name in front.
    pub(crate) text: &'static str,
    /// `si_code`.
    pub(crate) code: i32,
    /// `si_addr`.
    pub(crate) addr: usize,
    /// The instruction that faulted.
    pub(crate) pc: usize,
    /// Its stack pointer.
    pub(crate) sp: usize,
    /// And its frame pointer.
    pub(crate) fp: usize,
}

/// Who is told of a fault.
type OnFault = fn(&Died) -> !;

static ON_FAULT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

// SAFETY: the routines' contracts stand in asm/sys_linux_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.sigreturn__sigaction"]
    fn sigreturn();
    #[link_name = "runtime.sigtramp"]
    fn sigtramp();
    #[link_name = "runtime.sigPreemptTramp"]
    fn sig_preempt_tramp();
}

const SIG_BLOCK: usize = 0;
const SIG_SETMASK: usize = 2;
const SIG_UNBLOCK: usize = 1;

/// Lets a signal through.
pub(super) fn unblock(signal: i32) {
    change_mask(SIG_UNBLOCK, 1 << (signal - 1));
}

/// Returns the signal mask of this thread.
pub(crate) fn save_mask() -> u64 {
    change_mask(SIG_BLOCK, 0)
}

/// Sets the signal mask of this thread and returns the one before.
pub(crate) fn set_mask(mask: u64) -> u64 {
    change_mask(SIG_SETMASK, mask)
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

/// Has `on_fault` called, on `stack`, for the faults of this process's threads
/// that have a signal stack.
pub(crate) fn initsig(stack: *mut u8, size: usize, on_fault: OnFault) {
    ON_FAULT.store(on_fault as *mut c_void, Ordering::Release); // pairs with fault's load
    set_signal_stack(stack, size);
    let action = Sigaction {
        handler: sigtramp as *const () as usize,
        flags: SA_SIGINFO | SA_ONSTACK | SA_RESTORER,
        restorer: sigreturn as *const () as usize,
        mask: !0,
    };
    for signal in [SIGILL, SIGBUS, SIGFPE, SIGSEGV] {
        set_action(signal, &action);
    }
}

/// Has SIGURG's handler called for it, on the M's signal stack, from now on; the system
/// call that it interrupts is made again where the kernel can do that. Go's `sigPreempt`.
pub(crate) fn init_preempt_signal() {
    let action = Sigaction {
        handler: sig_preempt_tramp as *const () as usize,
        flags: SA_SIGINFO | SA_ONSTACK | SA_RESTORER | SA_RESTART,
        restorer: sigreturn as *const () as usize,
        mask: !0,
    };
    set_action(SIGURG, &action);
}

/// What a signal has interrupted, and goes on with.
pub(crate) struct SignalContext(*mut c_void);

impl SignalContext {
    /// Takes what the kernel gave a handler.
    ///
    /// # Safety
    ///
    /// It must be a `ucontext_t`, and the handler must not have returned.
    pub(crate) unsafe fn new(context: *mut c_void) -> Self {
        Self(context)
    }

    /// Returns where a register is.
    fn register(&self, number: usize) -> *mut usize {
        self.0
            .wrapping_byte_add(GREGS_OFFSET + 8 * number)
            .cast::<usize>()
    }

    /// Returns the address of the next instruction.
    pub(crate) fn pc(&self) -> usize {
        // SAFETY: inside of the ucontext_t that `new` was promised.
        unsafe { self.register(REG_RIP).read() }
    }

    /// Returns the stack pointer.
    pub(crate) fn sp(&self) -> usize {
        // SAFETY: inside of the ucontext_t that `new` was promised.
        unsafe { self.register(REG_RSP).read() }
    }

    /// Makes it look as if the next instruction were a call of `f`, from below the
    /// red zone: `f` has to take 128 bytes more off when it returns.
    ///
    /// # Safety
    ///
    /// `f` must keep all registers and flags, and the stack must have room for it.
    pub(crate) unsafe fn push_call(&self, f: usize) {
        let sp = self.sp() - RED_ZONE - size_of::<usize>();
        let pc = self.pc();
        // SAFETY: the caller's promise: below all that is in use on that stack.
        unsafe { ptr::with_exposed_provenance_mut::<usize>(sp).write(pc) };
        // SAFETY: inside of the ucontext_t that `new` was promised.
        unsafe { self.register(REG_RSP).write(sp) };
        // SAFETY: as above.
        unsafe { self.register(REG_RIP).write(f) };
    }
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

/// Gives a signal back to the kernel.
pub(super) fn set_default(signal: i32) {
    set_action(
        signal,
        &Sigaction {
            handler: 0,
            flags: SA_RESTORER,
            restorer: sigreturn as *const () as usize,
            mask: 0,
        },
    );
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

/// The handler, on the signal stack; runtime.sigtramp calls it.
#[unsafe(export_name = "runtime.sigtrampgo")]
extern "C" fn fault(signal: i32, info: *const c_void, context: *const c_void) {
    let text = match signal {
        SIGSEGV => "SIGSEGV: segmentation violation",
        SIGBUS => "SIGBUS: bus error",
        SIGFPE => "SIGFPE: floating-point exception",
        _ => "SIGILL: illegal instruction",
    };
    let word = |base: *const c_void, offset: usize| {
        // SAFETY: the kernel gives a handler with SA_SIGINFO a whole siginfo_t
        // and a whole ucontext_t; the offsets below are inside of them.
        unsafe { base.wrapping_byte_add(offset).cast::<usize>().read() }
    };
    let died = Died {
        signal,
        text,
        code: word(info, 8) as i32,
        addr: word(info, 16),
        pc: word(context, GREGS_OFFSET + 8 * REG_RIP),
        sp: word(context, GREGS_OFFSET + 8 * REG_RSP),
        fp: word(context, GREGS_OFFSET + 8 * REG_RBP),
    };
    // SAFETY: initsig stored such a function before it installed this handler;
    // Acquire pairs with its store.
    let on_fault =
        unsafe { core::mem::transmute::<*mut c_void, OnFault>(ON_FAULT.load(Ordering::Acquire)) };
    on_fault(&died)
}
