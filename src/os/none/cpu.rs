//! A CPU: its segments, the stacks that its interrupts and exceptions run on, and who runs
//! on it.
//!
//! **Every way in has a stack of its own** (IST), since all code runs in ring 0 and has a red
//! zone, which the CPU would overwrite with what it pushes:
//!
//! | slot | for | whose | may be left for another thread |
//! | --- | --- | --- | --- |
//! | 1 | exceptions | the CPU's | no: they return, or end on the thread's signal stack |
//! | 2 | double faults, machine checks | the CPU's | no: the end |
//! | 3 | NMIs | the CPU's | no: they return |
//! | 4 | interrupts | the thread's | yes |
//!
//! Invariants:
//! 1. An exception within an exception's handler, before that has left its stack, would
//!    overwrite it: handlers of exceptions touch nothing that may be missing.
//! 2. GS points at the CPU's own [`Cpu`] for good. Only with interrupts off is the answer
//!    of [`this`] worth anything.

use core::arch::asm;
use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use x86_64::VirtAddr;
use x86_64::instructions::tables::{lgdt, lidt, load_tss};
use x86_64::registers::control::{Cr4, Cr4Flags};
use x86_64::registers::model_specific::{FsBase, GsBase};
use x86_64::registers::segmentation::{CS, FS, SS, Segment, Segment64};
use x86_64::structures::DescriptorTablePointer;
use x86_64::structures::gdt::{Descriptor, DescriptorFlags, GlobalDescriptorTable};
use x86_64::structures::idt::{Entry, HandlerFunc, InterruptDescriptorTable};
use x86_64::structures::tss::TaskStateSegment;

use super::kernel::Context;

/// The slots, as `set_stack_index` counts them.
const EXCEPTIONS: u16 = 0;
const LAST_RESORT: u16 = 1;
const NMI: u16 = 2;
const INTERRUPTS: u16 = 3;
/// Of these, all of whose bits are set.
const LAST_SLOT: u16 = 3;

/// The vectors of those with slots of their own, and the first one that is no exception.
const NMI_VECTOR: usize = 2;
const DOUBLE_FAULT: usize = 8;
const MACHINE_CHECK: usize = 18;
const FIRST_INTERRUPT: usize = 32;
const VECTORS: usize = 256;

/// The slots of the exceptions; interrupts have theirs.
static STACKS: [u16; FIRST_INTERRUPT] = {
    let mut stacks = [EXCEPTIONS; FIRST_INTERRUPT];
    stacks[NMI_VECTOR] = NMI;
    stacks[DOUBLE_FAULT] = LAST_RESORT;
    stacks[MACHINE_CHECK] = LAST_RESORT;
    stacks
};

/// The sizes of stacks: a frame, the vector state, and the handlers in an unoptimized
/// build.
const EXCEPTION_STACK: usize = 16 << 10;
const SMALL_STACK: usize = 8 << 10;
pub(super) const INTERRUPT_STACK: usize = 16 << 10;

/// The data segment, also the stack's. Without the default size: 64-bit code has none, but
/// QEMU keeps what it has translated apart by the stack segment's, and a handler, which has no
/// stack segment at all, would have all that it shares with the rest translated once more.
const DATA_SEGMENT: DescriptorFlags =
    DescriptorFlags::KERNEL_DATA.difference(DescriptorFlags::DEFAULT_SIZE);

/// A stack.
#[repr(C, align(64))]
struct Stack<const SIZE: usize>(UnsafeCell<[u8; SIZE]>);

impl<const SIZE: usize> Stack<SIZE> {
    /// Returns the address behind it.
    fn end(&self) -> usize {
        self.0.get().addr() + SIZE
    }
}

/// A CPU. Zeros are one that has not been started.
#[repr(C, align(4096))]
pub(super) struct Cpu {
    /// This struct: GS:0.
    this: Cell<*const Self>,
    /// Who runs here: GS:8.
    pub(super) current: Cell<*const Context>,
    /// Its number here, from 0, and its local APIC's.
    pub(super) id: Cell<u32>,
    pub(super) apic_id: Cell<u32>,
    /// It was told that somebody is ready, and has not looked yet. This and the next three
    /// are behind the kernel's lock.
    pub(super) called: Cell<bool>,
    /// When its timer fires, and when who runs here has had its slice.
    pub(super) armed: Cell<i64>,
    pub(super) slice_end: Cell<i64>,
    /// Up to which change of what is mapped it has looked; see `cpus`.
    pub(super) flushed: AtomicU64,
    next: Cell<*const Self>,
    /// What runs where nothing is to run.
    idle: Context,
    segments: UnsafeCell<GlobalDescriptorTable>,
    task: UnsafeCell<TaskStateSegment>,
    exceptions: Stack<EXCEPTION_STACK>,
    last_resort: Stack<SMALL_STACK>,
    nmi: Stack<SMALL_STACK>,
    idle_interrupts: Stack<INTERRUPT_STACK>,
    idle_stack: Stack<SMALL_STACK>,
}

// SAFETY: cells and tables are the CPU's own, or behind the kernel's lock.
unsafe impl Sync for Cpu {}

/// The CPU that boots: zeros, in .bss.
struct BootCpu(UnsafeCell<MaybeUninit<Cpu>>);

// SAFETY: as `Cpu`; `init_boot_cpu` makes it before anybody else knows it.
unsafe impl Sync for BootCpu {}

static BOOT_CPU: BootCpu = BootCpu(UnsafeCell::new(MaybeUninit::zeroed()));

/// The interrupt stack of the thread that boots, and that thread.
static BOOT_INTERRUPTS: BootStack = BootStack(Stack(UnsafeCell::new([0; INTERRUPT_STACK])));
static BOOT_THREAD: Context = Context::new();

struct BootStack(Stack<INTERRUPT_STACK>);

// SAFETY: the CPU's, for one thread.
unsafe impl Sync for BootStack {}

/// The descriptors of all ways in.
struct Vectors(UnsafeCell<MaybeUninit<InterruptDescriptorTable>>);

// SAFETY: written once, by the CPU that boots, before any other starts.
unsafe impl Sync for Vectors {}

static VECTOR_TABLE: Vectors = Vectors(UnsafeCell::new(MaybeUninit::zeroed()));

/// There are instructions for FS, by CR4: asm's enableVectors has enabled them on all CPUs
/// or on none. Asked once: a thread switch needs it twice.
static HAS_FSGSBASE: AtomicBool = AtomicBool::new(false);

/// All CPUs that have started, by `next`, and how many there are.
static CPUS: AtomicPtr<Cpu> = AtomicPtr::new(ptr::null_mut());
static COUNT: AtomicU32 = AtomicU32::new(0);

// SAFETY: the table's layout stands in asm/trap_none_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.trapTable"]
    safe static TRAP_TABLE: [[u8; 16]; VECTORS];
}

/// Makes the CPU that boots one that takes interrupts and exceptions, and the code that
/// runs its thread, which is returned. Once, before all else here; interrupts stay off.
pub(super) fn init_boot_cpu() -> &'static Context {
    init_vectors();
    let fsgsbase = Cr4::read().contains(Cr4Flags::FSGSBASE);
    HAS_FSGSBASE.store(fsgsbase, Ordering::Relaxed); // one CPU still
    BOOT_THREAD.interrupt_stack.set(BOOT_INTERRUPTS.0.end());
    let cpu: *mut Cpu = BOOT_CPU.0.get().cast();
    // SAFETY: zeros, and nobody else's yet.
    unsafe { init(cpu, &BOOT_THREAD) };
    &BOOT_THREAD
}

/// Makes a CPU out of zeros, and this one that CPU; `current` runs on it.
///
/// # Safety
///
/// The memory must be a CPU's for good, and no other CPU may use it.
pub(super) unsafe fn init(cpu: *mut Cpu, current: &'static Context) {
    // SAFETY: the caller's promise, and zeros are a Cpu.
    let cpu = unsafe { &*cpu };
    cpu.this.set(cpu);
    cpu.current.set(current);
    cpu.armed.set(i64::MAX);
    cpu.idle.interrupt_stack.set(cpu.idle_interrupts.end());
    cpu.idle.cpu.set(cpu);
    cpu.idle.mask.store(!0, Ordering::Relaxed); // nobody has a signal for it
    current.cpu.set(cpu);

    // SAFETY: this CPU's alone, and in place before it is loaded. Zeros are one without stacks.
    let task = unsafe { &mut *cpu.task.get() };
    for (slot, stack) in [
        (EXCEPTIONS, cpu.exceptions.end()),
        (LAST_RESORT, cpu.last_resort.end()),
        (NMI, cpu.nmi.end()),
        (INTERRUPTS, current.interrupt_stack.get()),
    ] {
        task.interrupt_stack_table[usize::from(slot)] = virtual_address(stack);
    }
    task.iomap_base = size_of::<TaskStateSegment>() as u16;
    let mut segments = GlobalDescriptorTable::new();
    let code = segments.append(Descriptor::kernel_code_segment());
    let data = segments.append(Descriptor::UserSegment(DATA_SEGMENT.bits()));
    // SAFETY: it stays there.
    let task = segments.append(unsafe { Descriptor::tss_segment_unchecked(cpu.task.get()) });
    // SAFETY: as above.
    unsafe { cpu.segments.get().write(segments) };
    // SAFETY: as above.
    let segments = unsafe { &*cpu.segments.get() };
    let pointer = DescriptorTablePointer {
        base: virtual_address(cpu.segments.get().addr()),
        limit: segments.limit(),
    };
    // The entry has loaded segments like these, by the same selectors, and need not do so again.
    debug_assert_eq!((code, data), (CS::get_reg(), SS::get_reg()));
    // SAFETY: it stays there, and has what is loaded and what is to be loaded.
    unsafe { lgdt(&pointer) };
    // SAFETY: a task segment, whose stacks are there.
    unsafe { load_tss(task) };
    GsBase::write(virtual_address(ptr::from_ref(cpu).addr()));
    let pointer = DescriptorTablePointer {
        base: virtual_address(VECTOR_TABLE.0.get().addr()),
        limit: size_of::<InterruptDescriptorTable>() as u16 - 1,
    };
    // SAFETY: `init_vectors` has made it, and it stays there.
    unsafe { lidt(&pointer) };
}

/// Says that something of ours is there.
fn virtual_address(address: usize) -> VirtAddr {
    // SAFETY: something is there, so that it is an address.
    unsafe { VirtAddr::new_unsafe(address as u64) }
}

/// Writes the descriptors of all ways in.
fn init_vectors() {
    // Zeros, of which each entry keeps a word and all else is set below.
    let entries: *mut Entry<HandlerFunc> = VECTOR_TABLE.0.get().cast();
    for (vector, code) in TRAP_TABLE.iter().enumerate() {
        let stack = *STACKS.get(vector).unwrap_or(&INTERRUPTS);
        // SAFETY: the table is that many entries, of sixteen bytes each.
        let entry = unsafe { entries.add(vector) };
        // SAFETY: as above, and nobody else knows it.
        let entry = unsafe { &mut *entry };
        // SAFETY: the assembly there is what the CPU may come to by this vector.
        let options = unsafe { entry.set_handler_addr(virtual_address(code.as_ptr().addr())) };
        // SAFETY: `init` has a stack there, which nobody else uses.
        unsafe { options.set_stack_index(stack & LAST_SLOT) };
    }
}

impl Cpu {
    /// Adds this CPU, of that number, to those that threads run on. Behind the kernel's
    /// lock.
    pub(super) fn join(&self) {
        self.id.set(COUNT.fetch_add(1, Ordering::Relaxed)); // behind the lock
        self.next.set(CPUS.load(Ordering::Relaxed)); // as above
        // Release pairs with `all`: who goes through the list without the lock.
        CPUS.store(ptr::from_ref(self).cast_mut(), Ordering::Release);
    }

    /// Returns its idle thread.
    pub(super) fn idle(&self) -> &'static Context {
        let idle: *const Context = &self.idle;
        // SAFETY: a CPU stays one for good.
        unsafe { &*idle }
    }

    /// Tells whether it has nothing to run.
    pub(super) fn is_idle(&self) -> bool {
        ptr::eq(self.current.get(), &self.idle)
    }

    /// Returns the end of the stack that its idle thread begins on.
    pub(super) fn idle_stack(&self) -> usize {
        self.idle_stack.end()
    }

    /// Has interrupts come on that stack from now on. On this CPU, with interrupts off.
    pub(super) fn set_interrupt_stack(&self, end: usize) {
        let task = self.task.get();
        // SAFETY: this CPU's, which takes no interrupt now.
        let slots = unsafe { &raw mut (*task).interrupt_stack_table };
        // SAFETY: as above; the struct is packed.
        let mut stacks = unsafe { slots.read_unaligned() };
        stacks[usize::from(INTERRUPTS)] = VirtAddr::new(end as u64);
        // SAFETY: as above.
        unsafe { slots.write_unaligned(stacks) };
    }
}

/// Returns this CPU. With interrupts off.
pub(super) fn this() -> &'static Cpu {
    let cpu: *const Cpu;
    // SAFETY: `init` has GS point at the struct, whose first word says where it is.
    unsafe { asm!("mov {}, gs:[0]", out(reg) cpu, options(nostack, preserves_flags, readonly)) };
    // SAFETY: as above; a CPU stays one for good.
    unsafe { &*cpu }
}

/// Returns the current thread: the same on whatever CPU it goes on.
pub(super) fn current() -> &'static Context {
    let thread: *const Context;
    // SAFETY: as above: the second word; one instruction, so that it is one CPU's.
    unsafe { asm!("mov {}, gs:[8]", out(reg) thread, options(nostack, preserves_flags, readonly)) };
    // SAFETY: a thread's memory stays one's.
    unsafe { &*thread }
}

/// Goes through all CPUs that have started.
pub(super) fn all() -> impl Iterator<Item = &'static Cpu> {
    // SAFETY: null, or a CPU, which stays one for good.
    let cpu = |at: *const Cpu| unsafe { at.as_ref() };
    // Acquire pairs with `join`.
    core::iter::successors(cpu(CPUS.load(Ordering::Acquire)), move |at| {
        cpu(at.next.get())
    })
}

/// Returns how many have started.
pub(super) fn count() -> u32 {
    COUNT.load(Ordering::Relaxed) // a number
}

/// Returns this thread's FS.
pub(super) fn fs() -> usize {
    let base = match has_fsgsbase() {
        true => FS::read_base(),
        false => FsBase::read(),
    };
    base.as_u64() as usize
}

/// Sets it.
///
/// # Safety
///
/// What runs from here on must find its thread-local storage there.
pub(super) unsafe fn set_fs(base: usize) {
    let base = VirtAddr::new(base as u64);
    match has_fsgsbase() {
        // SAFETY: the caller's promise.
        true => unsafe { FS::write_base(base) },
        false => FsBase::write(base),
    }
}

/// Tells whether there are instructions for that.
fn has_fsgsbase() -> bool {
    HAS_FSGSBASE.load(Ordering::Relaxed) // written while there was one CPU
}
