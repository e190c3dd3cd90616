//! What a signal's handler is told: why it came, and what it has interrupted.
//!
//! Linux's counterpart has the kernel's layout; here it is that of asm/trap_none_amd64.S.

use core::ffi::c_void;
use core::ptr;

use super::signal::Info;
use super::trap::Frame;

/// What a function may use below rsp without moving it, by the ABI.
pub(super) const RED_ZONE: usize = 128;

/// Returns the `si_code` of a signal: above 0 where an instruction has made it, else
/// somebody has sent it.
///
/// # Safety
///
/// It must be what a handler was given which has not returned.
pub(crate) unsafe fn signal_code(info: *const c_void) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { (*info.cast::<Info>()).code }
}

/// What a signal has interrupted, and goes on with.
pub(crate) struct SignalContext(*mut Frame);

impl SignalContext {
    /// Takes what a handler was given.
    ///
    /// # Safety
    ///
    /// It must be that, and the handler must not have returned.
    pub(crate) unsafe fn new(context: *mut c_void) -> Self {
        Self(context.cast())
    }

    /// Returns the registers.
    fn frame(&self) -> Frame {
        // SAFETY: `new` was promised that it is one.
        unsafe { self.0.read() }
    }

    /// Returns the address of the next instruction.
    pub(crate) fn pc(&self) -> usize {
        self.frame().rip as usize
    }

    /// Returns the stack pointer.
    pub(crate) fn sp(&self) -> usize {
        self.frame().rsp as usize
    }

    /// Returns the frame pointer.
    pub(crate) fn fp(&self) -> usize {
        self.frame().rbp as usize
    }

    /// Makes it look as if the next instruction were a call of `f`, from below the
    /// red zone: `f` has to take 128 bytes more off when it returns.
    ///
    /// # Safety
    ///
    /// `f` must keep all registers and flags, and the stack must have room for it.
    pub(crate) unsafe fn push_call(&self, f: usize) {
        let mut frame = self.frame();
        frame.rsp -= (RED_ZONE + size_of::<u64>()) as u64;
        // SAFETY: the caller's promise: below all that is in use on that stack.
        unsafe { ptr::with_exposed_provenance_mut::<u64>(frame.rsp as usize).write(frame.rip) };
        frame.rip = f as u64;
        // SAFETY: `new` was promised that it is one.
        unsafe { self.0.write(frame) };
    }

    /// Calls `f` with the name and the value of each register, in the order in which Go
    /// prints them.
    pub(crate) fn for_each_register(&self, f: &mut dyn FnMut(&'static [u8], u64)) {
        let frame = self.frame();
        let registers: [(&[u8; 6], u64); 21] = [
            (b"rax   ", frame.rax),
            (b"rbx   ", frame.rbx),
            (b"rcx   ", frame.rcx),
            (b"rdx   ", frame.rdx),
            (b"rdi   ", frame.rdi),
            (b"rsi   ", frame.rsi),
            (b"rbp   ", frame.rbp),
            (b"rsp   ", frame.rsp),
            (b"r8    ", frame.r8),
            (b"r9    ", frame.r9),
            (b"r10   ", frame.r10),
            (b"r11   ", frame.r11),
            (b"r12   ", frame.r12),
            (b"r13   ", frame.r13),
            (b"r14   ", frame.r14),
            (b"r15   ", frame.r15),
            (b"rip   ", frame.rip),
            (b"rflags", frame.rflags),
            (b"cs    ", frame.cs & 0xffff),
            (b"fs    ", 0),
            (b"gs    ", 0),
        ];
        for (name, value) in registers {
            f(name, value);
        }
    }
}
