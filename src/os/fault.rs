//! Faults: what an instruction was that cannot go on, in the words that a death needs.
//!
//! Go's counterpart: `sigpanic` in `runtime/signal_unix.go`; the texts are its own.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::SignalContext;
use super::signal_table::{SIGBUS, SIGFPE, SIGSEGV};

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
    /// All registers.
    pub(crate) context: SignalContext,
}

impl Died {
    /// What a handler was told.
    pub(crate) fn new(
        signal: i32,
        text: &'static str,
        code: i32,
        addr: usize,
        context: SignalContext,
    ) -> Self {
        Self {
            signal,
            text,
            code,
            addr,
            pc: context.pc(),
            sp: context.sp(),
            fp: context.fp(),
            context,
        }
    }
}

/// Who is told of a fault.
pub(super) type OnFault = fn(&Died) -> !;

static ON_FAULT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Has `on_fault` called for each fault from now on.
#[inline(always)] // a store
pub(super) fn tell_of_faults(on_fault: OnFault) {
    ON_FAULT.store(on_fault as *mut c_void, Ordering::Release); // pairs with fault's load
}

/// The handler, on the signal stack; runtime.sigtramp calls it.
#[unsafe(export_name = "runtime.sigtrampgo")]
#[inline(never)]
pub(crate) extern "C" fn fault(signal: i32, info: *const c_void, context: *mut c_void) {
    let text = match signal {
        SIGSEGV => "SIGSEGV: segmentation violation",
        SIGBUS => "SIGBUS: bus error",
        SIGFPE => "SIGFPE: floating-point exception",
        _ => "SIGILL: illegal instruction",
    };
    let word = |offset: usize| {
        // SAFETY: the kernel gives a handler with SA_SIGINFO a whole siginfo_t; the
        // offsets below are inside of it.
        unsafe { info.wrapping_byte_add(offset).cast::<usize>().read() }
    };
    // SAFETY: the kernel's, for this handler, which does not return.
    let context = unsafe { SignalContext::new(context) };
    let died = Died::new(signal, text, word(8) as i32, word(16), context);
    // SAFETY: initsig had such a function stored before there was this handler; Acquire
    // pairs with that.
    let on_fault =
        unsafe { core::mem::transmute::<*mut c_void, OnFault>(ON_FAULT.load(Ordering::Acquire)) };
    on_fault(&died)
}
