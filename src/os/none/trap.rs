//! What comes by the vectors: exceptions, interrupts, and what they become.
//!
//! | vector | what | what comes of it |
//! | --- | --- | --- |
//! | 14 | a page is not there | the page; else SIGSEGV |
//! | 0, 16, 19 | arithmetic | SIGFPE |
//! | 6 | an instruction that is none | SIGILL |
//! | 12, 17 | the stack segment, alignment | SIGBUS |
//! | 1, 3 | a debugger's | SIGTRAP |
//! | 2 | NMI: somebody wants to know | SIGQUIT |
//! | 8, 18 | double fault, machine check | the end, with a line |
//! | other exceptions | | SIGSEGV |
//! | [`apic::TIMER`], [`apic::WAKE`] | | the kernel looks who is to run |
//! | [`apic::FLUSH`] | what is mapped has changed | it is looked up anew |
//! | [`apic::SIGNAL`] | | the thread's signals |
//! | others | nobody's | nothing |
//!
//! Linux's counterparts: `arch/x86/kernel/traps.c`, `mm/fault.c`, whose signals and codes
//! these are.

use core::sync::atomic::{AtomicBool, Ordering};

use x86_64::registers::control::{Cr2, Cr4, Cr4Flags};

use super::super::signal_table::{SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP};
use super::{apic, cpu, cpus, kernel, memory, signal};
use crate::arch;

/// The exceptions that are told apart.
const DIVIDE: u64 = 0;
const DEBUG: u64 = 1;
const NMI: u64 = 2;
const BREAKPOINT: u64 = 3;
const INVALID_OPCODE: u64 = 6;
const DOUBLE_FAULT: u64 = 8;
const STACK_SEGMENT: u64 = 12;
const PAGE_FAULT: u64 = 14;
const X87: u64 = 16;
const ALIGNMENT: u64 = 17;
const MACHINE_CHECK: u64 = 18;
const SIMD: u64 = 19;
const LAST_EXCEPTION: u64 = 31;

/// The flag in rflags: interrupts are let through.
pub(super) const INTERRUPTS: u64 = 1 << 9;

/// `si_code`s.
const SI_KERNEL: i32 = 0x80;
const ILL_ILLOPN: i32 = 2;
const FPE_INTDIV: i32 = 1;
const FPE_FLTINV: i32 = 7;
const BUS_ADRALN: i32 = 1;
const TRAP_TRACE: i32 = 2;

/// Somebody has sent an NMI, and it has not been answered.
static NMI_CAME: AtomicBool = AtomicBool::new(false);

/// What asm/trap_none_amd64.S has saved of what was interrupted; below it, rounded down to
/// 64, the vector state.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Frame {
    pub(super) r15: u64,
    pub(super) r14: u64,
    pub(super) r13: u64,
    pub(super) r12: u64,
    pub(super) r11: u64,
    pub(super) r10: u64,
    pub(super) r9: u64,
    pub(super) r8: u64,
    pub(super) rbp: u64,
    pub(super) rdi: u64,
    pub(super) rsi: u64,
    pub(super) rbx: u64,
    pub(super) rdx: u64,
    pub(super) rcx: u64,
    pub(super) rax: u64,
    pub(super) vector: u64,
    pub(super) error: u64,
    pub(super) rip: u64,
    pub(super) cs: u64,
    pub(super) rflags: u64,
    pub(super) rsp: u64,
    pub(super) ss: u64,
}

// As the assembly has it.
const _: () = assert!(size_of::<Frame>() == 176);

/// Has this CPU take interrupts and exceptions from now on, and makes what runs on it the
/// first thread. Once, before all else that could fault. False if there is no interrupt
/// controller that we know.
pub(super) fn init() -> bool {
    arch::init_xsave(Cr4::read().contains(Cr4Flags::OSXSAVE));
    let thread = cpu::init_boot_cpu();
    let has_apic = apic::init();
    if has_apic {
        cpu::this().apic_id.set(apic::id());
        kernel::begin(thread);
    }
    has_apic
}

/// Every vector's handler, on the stack that `cpu` has for it, with interrupts off.
#[unsafe(export_name = "runtime.trap")]
extern "C" fn trap(frame: &mut Frame) {
    match frame.vector {
        PAGE_FAULT => page_fault(frame),
        NMI => {
            // Anything may have been interrupted, the kernel too: soon.
            NMI_CAME.store(true, Ordering::SeqCst);
            apic::interrupt_self(apic::WAKE);
        }
        DOUBLE_FAULT | MACHINE_CHECK => signal::die_in_kernel(frame, SIGBUS, 0),
        0..=LAST_EXCEPTION => {
            let (signal, code, addr) = exception(frame);
            signal::fault(frame, signal, code, addr);
        }
        vector => interrupt(frame, vector as u8),
    }
}

/// An interrupt, on the thread's interrupt stack.
fn interrupt(frame: &mut Frame, vector: u8) {
    match vector {
        apic::TIMER | apic::WAKE => {
            apic::end_of_interrupt();
            if NMI_CAME.swap(false, Ordering::SeqCst) {
                signal::signal_process(SIGQUIT);
            }
            kernel::interrupted();
        }
        apic::FLUSH => {
            cpus::flush();
            apic::end_of_interrupt();
        }
        apic::SPURIOUS => return, // nothing was begun that could end
        // The old controllers', which may be spurious though all is masked, an instruction's:
        // nobody's. From a device none comes, see `apic`.
        _ => {
            if apic::in_service(vector) {
                apic::end_of_interrupt();
            }
        }
    }
    signal::deliver_pending(frame, cpu::current());
}

/// A page is not there, or not for that.
fn page_fault(frame: &mut Frame) {
    /// The page is there, but not for what was wanted.
    const PROTECTION: u64 = 1;
    const SEGV_MAPERR: i32 = 1;
    const SEGV_ACCERR: i32 = 2;
    let addr = Cr2::read_raw() as usize;
    if memory::page_fault(addr, frame.error) {
        return;
    }
    let code = match frame.error & PROTECTION {
        0 => SEGV_MAPERR,
        _ => SEGV_ACCERR,
    };
    signal::fault(frame, SIGSEGV, code, addr);
}

/// Says which signal another exception is, with its code and address.
fn exception(frame: &Frame) -> (i32, i32, usize) {
    let pc = frame.rip as usize;
    match frame.vector {
        DIVIDE => (SIGFPE, FPE_INTDIV, pc),
        X87 | SIMD => (SIGFPE, FPE_FLTINV, pc),
        INVALID_OPCODE => (SIGILL, ILL_ILLOPN, pc),
        ALIGNMENT => (SIGBUS, BUS_ADRALN, 0),
        STACK_SEGMENT => (SIGBUS, SI_KERNEL, 0),
        BREAKPOINT => (SIGTRAP, SI_KERNEL, 0),
        DEBUG => (SIGTRAP, TRAP_TRACE, pc),
        _ => (SIGSEGV, SI_KERNEL, 0),
    }
}
