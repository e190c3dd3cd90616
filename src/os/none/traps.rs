//! A table of interrupts with one entry: page faults. Until there is more.

use core::cell::UnsafeCell;

use x86_64::VirtAddr;
use x86_64::instructions::segmentation::{CS, Segment as _};
use x86_64::instructions::tables::{lidt, load_tss};
use x86_64::structures::DescriptorTablePointer;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable};
use x86_64::structures::tss::TaskStateSegment;

use super::exit;
use super::memory::page_fault;
use crate::debug::print::say;

/// What the CPU is told by address.
#[repr(C, align(16))]
struct Told<T>(UnsafeCell<T>);

// SAFETY: written at boot, by one CPU.
unsafe impl<T> Sync for Told<T> {}

static GDT: Told<GlobalDescriptorTable> = Told(UnsafeCell::new(GlobalDescriptorTable::new()));
static TSS: Told<TaskStateSegment> = Told(UnsafeCell::new(TaskStateSegment::new()));
static IDT: Told<[[u64; 2]; 256]> = Told(UnsafeCell::new([[0; 2]; 256]));
static STACK: Told<[u8; 16384]> = Told(UnsafeCell::new([0; 16384]));

// SAFETY: only its address is used.
unsafe extern "C" {
    #[link_name = "runtime.pageFaultStub"]
    fn page_fault_stub();
}

/// Loads the tables.
pub(super) fn init() {
    // SAFETY: still one CPU; nobody else has a reference.
    let tss = unsafe { &mut *TSS.0.get() };
    tss.interrupt_stack_table[0] = VirtAddr::from_ptr(STACK.0.get().wrapping_add(1));
    // SAFETY: as above.
    let gdt = unsafe { &mut *GDT.0.get() };
    let code = gdt.append(Descriptor::kernel_code_segment());
    gdt.append(Descriptor::kernel_data_segment());
    let task = gdt.append(Descriptor::tss_segment(tss));
    gdt.load();
    // SAFETY: the segments are in the table.
    unsafe { CS::set_reg(code) };
    // SAFETY: as above.
    unsafe { load_tss(task) };
    let handler = page_fault_stub as *const () as u64;
    // SAFETY: as above.
    let idt = unsafe { &mut *IDT.0.get() };
    idt[14] = [
        handler & 0xffff
            | u64::from(code.0) << 16
            | 1 << 32
            | 0x8e << 40
            | (handler >> 16 & 0xffff) << 48,
        handler >> 32,
    ];
    let pointer = DescriptorTablePointer {
        limit: 4095,
        base: VirtAddr::from_ptr(IDT.0.get()),
    };
    // SAFETY: the table stays.
    unsafe { lidt(&pointer) };
}

#[unsafe(export_name = "runtime.onPageFault")]
extern "C" fn on_page_fault(address: usize, error: u64, pc: u64) {
    if !page_fault(address, error) {
        say(
            "page fault: addr=0x%x pc=0x%x error=%d",
            &[address as u64, pc, error],
            &[],
        );
        exit(2)
    }
}
