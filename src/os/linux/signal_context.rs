//! What the kernel tells a signal handler: why it came, and what it has interrupted.
//!
//! Go's counterparts: `sigctxt` in `runtime/signal_linux_amd64.go`, and `dumpregs`.

use core::ffi::c_void;
use core::ptr;

/// Where in a `siginfo_t` the code is.
const CODE_OFFSET: usize = 8;

/// Where in a `ucontext_t` the registers begin (`uc_mcontext.gregs`), and the
/// numbers of two of them.
pub(super) const GREGS_OFFSET: usize = 40;
pub(super) const REG_RSP: usize = 15;
pub(super) const REG_RIP: usize = 16;

/// What is in the last one: cs, gs and fs, two bytes each.
const REG_CSGSFS: usize = 18;

/// What a function may use below rsp without moving it, by the ABI.
const RED_ZONE: usize = 128;

/// Go's names of the registers, in Go's order, and their numbers.
const REGISTERS: [(&str, usize); 18] = [
    ("rax   ", 13),
    ("rbx   ", 11),
    ("rcx   ", 14),
    ("rdx   ", 12),
    ("rdi   ", 8),
    ("rsi   ", 9),
    ("rbp   ", 10),
    ("rsp   ", REG_RSP),
    ("r8    ", 0),
    ("r9    ", 1),
    ("r10   ", 2),
    ("r11   ", 3),
    ("r12   ", 4),
    ("r13   ", 5),
    ("r14   ", 6),
    ("r15   ", 7),
    ("rip   ", REG_RIP),
    ("rflags", 17),
];

/// Returns the `si_code` of a signal: above 0 where the kernel has made it, else
/// somebody has sent it.
///
/// # Safety
///
/// It must be the `siginfo_t` that the kernel gave a handler which has not returned.
pub(crate) unsafe fn signal_code(info: *const c_void) -> i32 {
    // SAFETY: the caller's promise: the code lies within.
    unsafe { info.wrapping_byte_add(CODE_OFFSET).cast::<i32>().read() }
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

    /// Calls `f` with the name and the value of each register, in the order in which Go
    /// prints them.
    pub(crate) fn for_each_register(&self, f: &mut dyn FnMut(&'static str, u64)) {
        let read = |number| {
            // SAFETY: inside of the ucontext_t that `new` was promised.
            unsafe { self.register(number).read() as u64 }
        };
        for (name, number) in REGISTERS {
            f(name, read(number));
        }
        let segments = read(REG_CSGSFS);
        for (name, shift) in [("cs    ", 0), ("fs    ", 32), ("gs    ", 16)] {
            f(name, segments >> shift & 0xffff);
        }
    }
}
