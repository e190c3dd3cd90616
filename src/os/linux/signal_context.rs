//! What the kernel tells a signal handler: why it came, and what it has interrupted.
//!
//! Go's counterparts: `sigctxt` in `runtime/signal_linux_amd64.go`, and `dumpregs`.

use core::ffi::c_void;
use core::{hint, ptr};

/// Where in a `siginfo_t` the code is.
const CODE_OFFSET: usize = 8;

/// Where in a `ucontext_t` the registers begin (`uc_mcontext.gregs`), and the
/// numbers of some of them.
const GREGS_OFFSET: usize = 40;
const REG_RBP: usize = 10;
const REG_RSP: usize = 15;
const REG_RIP: usize = 16;

/// What is in the last one: cs, gs and fs, two bytes each.
const REG_CSGSFS: u8 = 18;

/// What a function may use below rsp without moving it, by the ABI.
const RED_ZONE: usize = 128;

/// Go's names of the registers, in Go's order, six letters each.
const NAMES: &[u8; 6 * 21] = b"rax   rbx   rcx   rdx   rdi   rsi   rbp   rsp   r8    \
    r9    r10   r11   r12   r13   r14   r15   rip   rflagscs    fs    gs    ";

/// Their numbers; and those of the last three's parts, in bytes.
const NUMBERS: [u8; 21] = [
    13,
    11,
    14,
    12,
    8,
    9,
    10,
    15,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    16,
    17,
    REG_CSGSFS,
    REG_CSGSFS + 4,
    REG_CSGSFS + 2,
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

    /// Returns the frame pointer.
    pub(crate) fn fp(&self) -> usize {
        // SAFETY: inside of the ucontext_t that `new` was promised.
        unsafe { self.register(REG_RBP).read() }
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
    pub(crate) fn for_each_register(&self, f: &mut dyn FnMut(&'static [u8], u64)) {
        // Not as many copies of it.
        let numbers = hint::black_box(NUMBERS.as_slice());
        for (name, &number) in NAMES.chunks_exact(6).zip(numbers) {
            let segment = number >= REG_CSGSFS;
            let (number, shift) = if segment {
                (REG_CSGSFS, 8 * (number - REG_CSGSFS))
            } else {
                (number, 0)
            };
            // SAFETY: inside of the ucontext_t that `new` was promised.
            let value = unsafe { self.register(number.into()).read() } as u64 >> shift;
            f(name, if segment { value & 0xffff } else { value });
        }
    }
}
