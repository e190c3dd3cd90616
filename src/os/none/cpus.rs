//! The other CPUs: how many there are, how they are started, and how all of them forget
//! addresses.
//!
//! ```text
//!   the first new thread
//!     starts a thread of the kernel's: INIT to all, 10 ms, and for each CPU
//!       memory for it, STARTUP --> asm's cpuStart, real mode to long mode
//!                                  cpuBegins: its segments, its timer, its place in the
//!                                  list; it takes a thread, or halts
//! ```
//!
//! **When.** A program with one goroutine needs no other CPU, and does not wait for them. A
//! CPU that does not answer is named on stderr, and left out: there are as many Ps as were
//! counted, and the CPUs that there are share them.
//!
//! **Who says how many.** QEMU's fw_cfg, if that is one; ACPI's table; where there is none,
//! GORT_CPUS on the command line; else fw_cfg again; else there is one.

use core::arch::x86_64::__cpuid;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering};

use x86_64::instructions::port::Port;
use x86_64::instructions::{interrupts, tlb};
use x86_64::registers::control::Cr3;
use x86_64::registers::model_specific::Efer;

use super::super::thread::Thread;
use super::boot_info::Physical;
use super::command_line::{self, BadNumber};
use super::cpu::{self, Cpu};
use super::paging::PAGE;
use super::thread::{self, nap};
use super::{acpi, apic, kernel, memory};
use crate::debug::print::say;

/// How long a CPU takes to be reset, and how long to answer, in nanoseconds.
const RESET: u64 = 10_000_000;
const GLANCE: u64 = 200_000;
const GLANCES: u32 = 1000;
/// After how many glances it is told again, as Intel's manual has it.
const AGAIN: u32 = 5;

/// The most CPUs that xAPIC can name.
const MOST: usize = 255;

/// The local APICs of the CPUs that are not started yet.
static OTHERS: [AtomicU8; MOST] = [const { AtomicU8::new(0) }; MOST];
static OTHERS_COUNT: AtomicUsize = AtomicUsize::new(0);

/// Somebody starts them, or has.
static STARTING: AtomicBool = AtomicBool::new(false);

/// The memory of the CPU that is started, until it takes that.
static TAKEN: AtomicPtr<Cpu> = AtomicPtr::new(ptr::null_mut());

/// How often what is mapped has changed.
static CHANGES: AtomicU64 = AtomicU64::new(0);

// SAFETY: the labels, and a number, are those of asm/cpus_none_amd64.S; only their addresses are used, and
// the bytes between the first and the last.
unsafe extern "C" {
    #[link_name = "runtime.startPage"]
    safe static START_PAGE: u8;
    #[link_name = "runtime.cpuStart"]
    safe static CPU_START: u8;
    #[link_name = "runtime.cpuStartEnd"]
    safe static CPU_START_END: u8;
    #[link_name = "runtime.cpuTables"]
    safe static CPU_TABLES: u8;
    #[link_name = "runtime.cpuEfer"]
    safe static CPU_EFER: u8;
    #[link_name = "runtime.cpuStack"]
    safe static CPU_STACK: u8;
    #[link_name = "runtime.cpuMemory"]
    safe static CPU_MEMORY: u8;
}

/// Returns how many CPUs there are, whether they have started or not.
#[unsafe(export_name = "runtime.getproccount")]
#[inline(never)]
pub(crate) fn cpu_count() -> i32 {
    OTHERS_COUNT.load(Ordering::Relaxed) as i32 + 1 // written before there were threads
}

/// Finds out which CPUs there are. Once, on the CPU that boots. `rsdp` is where ACPI's first
/// table is, or 0; `line` the command line, where GORT_CPUS may be what it must not be.
pub(super) fn find(rsdp: u64, line: &[u8]) -> Result<(), BadNumber> {
    let mut count = 0;
    let me = apic::id();
    let mut found = |id: u8| {
        if u32::from(id) != me
            && let Some(place) = OTHERS.get(count)
        {
            place.store(id, Ordering::Relaxed); // one CPU still
            count += 1;
        }
    };
    // Where there is one CPU, no table can name another: to read them is a twentieth of the
    // boot in an emulator.
    let told = fw_cfg_cpus();
    if told != 1 && !acpi::local_apics(&Tables, rsdp, &mut found) {
        // Numbered one after another, as QEMU does unless somebody asks for another topology.
        let named = command_line::number(line, b"GORT_CPUS", MOST as u32)?;
        let cpus = named.unwrap_or(told.into());
        (0..cpus).for_each(|id| found(id as u8));
    }
    OTHERS_COUNT.store(count, Ordering::Relaxed); // as above
    Ok(())
}

/// ACPI's tables, wherever they are: in the first megabyte, or mapped when they are asked
/// for.
struct Tables;

impl Physical<'static> for Tables {
    fn at(&self, address: u64, length: usize) -> &'static [u8] {
        const LOW: u64 = 1 << 20;
        /// There are none above, and no CPU has fewer addresses.
        const HIGH: u64 = 1 << 32;
        let end = address.saturating_add(length as u64);
        let bytes = match () {
            () if end <= LOW => Some(memory::direct(address)),
            () if end <= HIGH => memory::map_device(address, length),
            () => None,
        };
        match bytes {
            // SAFETY: mapped for good, and nobody changes them.
            Some(bytes) => unsafe { core::slice::from_raw_parts(bytes, length) },
            None => &[],
        }
    }
}

/// Asks QEMU's firmware configuration how many CPUs there are; 0 if there is none. Not where
/// nothing says that this is a virtual machine: those ports could be some device's.
fn fw_cfg_cpus() -> u16 {
    const SIGNATURE: u16 = 0;
    const CPUS: u16 = 5;
    const HYPERVISOR: u32 = 1 << 31;
    if __cpuid(1).ecx & HYPERVISOR == 0 || &fw_cfg(SIGNATURE) != b"QEMU" {
        return 0;
    }
    let [low, high, ..] = fw_cfg(CPUS);
    u16::from_le_bytes([low, high]).min(MOST as u16)
}

/// Reads the first four bytes of an item of the firmware configuration.
#[inline(never)] // an emulator translates each copy
fn fw_cfg(item: u16) -> [u8; 4] {
    const SELECTOR: u16 = 0x510;
    const DATA: u16 = 0x511;
    // SAFETY: where there is no such device these ports do nothing.
    unsafe { Port::<u16>::new(SELECTOR).write(item) };
    // SAFETY: as above.
    [(); 4].map(|()| unsafe { Port::<u8>::new(DATA).read() })
}

/// Has the other CPUs started, unless somebody has. From any thread.
pub(super) fn start_others() {
    const STACK: usize = 64 << 10;
    // Relaxed: who comes second has nothing to do with what the first one does.
    if OTHERS_COUNT.load(Ordering::Relaxed) == 0 || STARTING.swap(true, Ordering::Relaxed) {
        return;
    }
    let Some(stack) = memory::map(0, STACK) else {
        return;
    };
    let thread = Thread {
        stack_hi: stack.addr() + STACK,
        mp: ptr::null(),
        g0: ptr::null(),
        start: start_all,
        tls: 0,
    };
    // SAFETY: the stack is the thread's alone, and without M it needs nothing else.
    let _ = unsafe { thread::start(&thread) }; // without memory for it there is one CPU
}

/// Starts the other CPUs, one after another. On a thread of the kernel's.
extern "C" fn start_all() {
    let others = || {
        let count = OTHERS_COUNT.load(Ordering::Relaxed); // written before there were threads
        OTHERS
            .iter()
            .take(count)
            .map(|id| u32::from(id.load(Ordering::Relaxed)))
    };
    if !prepare() {
        return;
    }
    for id in others() {
        interrupts::without_interrupts(|| apic::reset(id));
    }
    nap(RESET);
    for id in others() {
        let Some(memory) = memory::map_now(size_of::<Cpu>()) else {
            say("gort: no memory for CPU %d", &[id.into()], &[]);
            return;
        };
        if !start(id, memory.cast()) {
            say("gort: CPU %d does not answer", &[id.into()], &[]);
        }
    }
}

/// Copies the first instructions to where they run; false if that cannot be.
fn prepare() -> bool {
    let (tables, _) = Cr3::read();
    let tables = tables.start_address().as_u64();
    if tables > u32::MAX.into() || !memory::map_low_code(start_page() as u64, PAGE) {
        return false;
    }
    let from = &raw const CPU_START;
    let size = (&raw const CPU_START_END).addr() - from.addr();
    let to: *mut u8 = memory::direct(start_page() as u64);
    // SAFETY: a page that nobody else uses, and less than that of code.
    unsafe { to.copy_from_nonoverlapping(from, size) };
    fill(&raw const CPU_TABLES, tables);
    fill(&raw const CPU_EFER, Efer::read_raw() & !(1 << 10)); // but for what the CPU sets
    fill(
        &raw const CPU_MEMORY,
        TAKEN.as_ptr().expose_provenance() as u64,
    );
    true
}

/// Starts a CPU, for which there is memory; false if it does not answer.
fn start(id: u32, memory: *mut Cpu) -> bool {
    let before = cpu::count();
    // SAFETY: zeros, which are a Cpu.
    let stack = unsafe { &*memory }.idle_stack();
    fill(&raw const CPU_STACK, stack as u64);
    TAKEN.store(memory, Ordering::SeqCst);
    for glance in 0..GLANCES {
        if glance == 0 || glance == AGAIN {
            interrupts::without_interrupts(|| apic::start(id, (start_page() / PAGE) as u8));
        }
        if cpu::count() > before {
            return true;
        }
        nap(GLANCE);
    }
    // One that comes later finds nothing; but this one may have come this moment.
    if TAKEN.swap(ptr::null_mut(), Ordering::SeqCst).is_null() {
        while cpu::count() == before {
            nap(GLANCE);
        }
        return true;
    }
    false
}

/// Returns where a CPU starts.
fn start_page() -> usize {
    (&raw const START_PAGE).addr()
}

/// Writes a word into the copy of the first instructions.
fn fill(label: *const u8, word: u64) {
    let offset = label.addr() - (&raw const CPU_START).addr();
    let at: *mut u64 = memory::direct((start_page() + offset) as u64);
    // SAFETY: in the page that `prepare` has copied to, which nobody else uses; the label's
    // eight bytes are there to be filled.
    unsafe { at.write_volatile(word) };
}

/// The first Rust code of another CPU, on its idle thread's stack; asm's cpuEntry calls it.
///
/// # Safety
///
/// The memory must be zeros, and this CPU's for good.
#[unsafe(export_name = "runtime.cpuBegins")]
unsafe extern "C" fn begins(memory: *mut Cpu) -> ! {
    // SAFETY: the caller's promise.
    let cpu = unsafe { &*memory };
    // SAFETY: as above; what runs here is what becomes its idle thread.
    unsafe { cpu::init(memory, cpu.idle()) };
    apic::enable();
    cpu.apic_id.set(apic::id());
    kernel::locked(|_, _| cpu.join());
    flush(); // what has changed since this CPU first looked, before it was in the list
    kernel::idle()
}

/// Has all CPUs look up anew what is mapped where. From anywhere but a handler; not behind
/// a lock for which another CPU waits with its interrupts off.
pub(super) fn flush_all() {
    let change = interrupts::without_interrupts(|| {
        let change = CHANGES.fetch_add(1, Ordering::SeqCst) + 1;
        flush();
        let others = cpu::all().filter(|cpu| !ptr::eq(*cpu, cpu::this()));
        others.for_each(|cpu| apic::interrupt(cpu.apic_id.get(), apic::FLUSH));
        change
    });
    for cpu in cpu::all() {
        while cpu.flushed.load(Ordering::SeqCst) < change {
            // Another that waits for us like this, or where interrupts are off.
            interrupts::without_interrupts(flush);
            core::hint::spin_loop();
        }
    }
}

/// This CPU forgets what it knows of addresses. With interrupts off.
pub(super) fn flush() {
    let changes = CHANGES.load(Ordering::SeqCst);
    tlb::flush_all();
    cpu::this().flushed.store(changes, Ordering::SeqCst);
}
