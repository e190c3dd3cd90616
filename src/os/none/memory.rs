//! Address space, and the memory behind it: what Linux's mmap and madvise are for, by page
//! tables of our own.
//!
//! A range is reserved in the tables and costs nothing; its pages appear as they are
//! touched, by [`page_fault`], as they do on Linux. [`paging`](super::paging) has the
//! states that an address can be in, [`frames`](super::frames) the memory.
//!
//! **Addresses** are handed out upwards, and those that came back are not handed out again
//! but for the last ones: there are 96 TiB of them.
//!
//! **Memory that is promised.** What [`map_backed`] gives is counted: where not as many
//! frames are left as there are untouched pages of that kind, more of it is refused. So
//! whoever asked for it gets a null, and does not die later. Stacks, which [`map`] is for,
//! count when they are touched: a program whose stacks take the last frame ends with
//! Go's words for that.
//!
//! Invariants:
//! 1. A frame that was taken off is handed out again only when no CPU knows its old
//!    address: between the two lies [`cpus::flush_all`], without the lock, since another CPU
//!    may wait for that with its interrupts off.
//! 2. Who holds the lock touches nothing that could fault: its own stack it has touched
//!    before.

use core::{hint, ptr};

use x86_64::structures::paging::PageTableFlags as Flags;

use super::boot_info::{BootInfo, KEPT, Physical, Region};
use super::frames::Batch;
use super::lock::Locked;
use super::paging::{DATA, DIRECT, NoFrame, PAGE, Tables, Touch};
use super::{cpus, exit};
use crate::arch;
use crate::debug::print::say;

/// Where addresses are handed out: from here to the end of the lower half.
const FIRST_ADDRESS: usize = 0x2000_0000_0000;
const END: usize = 0x7fff_ffff_f000;

/// Who asks for addresses is given them below this. What is between the two is nobody's: a guard
/// for what is mapped first, which is g0's stack.
const ASKED_END: usize = FIRST_ADDRESS - (1 << 40);

/// What a function that holds the lock may need of its stack, in an unoptimized build.
const STACK_ROOM: usize = 8 << 10;

/// The tables, and the next address.
struct Space {
    tables: Tables,
    next: usize,
}

static SPACE: Locked<Space> = Locked::new(Space {
    tables: Tables::new(),
    next: 0,
});

// SAFETY: labels of the linker script; only their addresses are used.
unsafe extern "C" {
    #[link_name = "runtime.ehdr"]
    safe static EHDR: u8;
    #[link_name = "runtime.text"]
    safe static TEXT: u8;
    #[link_name = "runtime.tdata"]
    safe static TDATA: u8;
    #[link_name = "runtime.end"]
    safe static IMAGE_END: u8;
    #[link_name = "runtime.large"]
    safe static LARGE: u8;
    #[link_name = "runtime.elarge"]
    safe static ELARGE: u8;
}

/// One of these.
struct Label(*const u8);

// SAFETY: an address.
unsafe impl Sync for Label {}

/// The program's segments, which begin with a page each, and what their pages are.
static SEGMENTS: [(Label, Label, Flags); 3] = [
    (Label(&raw const EHDR), Label(&raw const TEXT), READ_ONLY),
    (
        Label(&raw const TEXT),
        Label(&raw const TDATA),
        Flags::PRESENT,
    ),
    (Label(&raw const TDATA), Label(&raw const IMAGE_END), DATA),
];

/// What a page of constants is.
const READ_ONLY: Flags = Flags::PRESENT.union(Flags::NO_EXECUTE);

/// What a page of a device's registers is.
const DEVICE: Flags = DATA.union(Flags::NO_CACHE).union(Flags::WRITE_THROUGH);

/// Makes the tables that stay, out of what the machine has, and returns the first of them.
/// While the entry's are in use: the first gigabyte, one to one, which `memory` reads. What is
/// in `kept` is left as it is; `largest` is the level of the table whose pages are the largest
/// that the CPU has. Once, by the boot.
pub(super) fn init<'a>(
    info: &BootInfo<'a>,
    memory: &impl Physical<'a>,
    kept: [Region; KEPT],
    largest: u32,
) -> Result<u64, NotEnough> {
    let image = Region {
        start: (&raw const EHDR).addr() as u64,
        end: (&raw const IMAGE_END).addr() as u64,
    };
    // SAFETY: there is one CPU, and interrupts are off.
    let space = unsafe { SPACE.value() };
    let tables = &mut space.tables;
    let regions = &mut tables.frames.regions;
    info.read_map(memory, regions);
    regions.take_out(image);
    regions.keep(kept);
    if regions.left_out > 0 {
        let numbers = [regions.left_out as u64];
        say(
            "gort: %d regions of memory are too many, and not used",
            &numbers,
            &[],
        );
    }
    let made = make_tables(tables, largest);
    tables.offset = DIRECT;
    space.next = FIRST_ADDRESS;
    made.map(|()| tables.root)
        .map_err(|NoFrame| NotEnough(tables.frames.total() * PAGE))
}

/// There is not enough memory: only so many bytes.
pub(super) struct NotEnough(pub(super) usize);

/// Maps the program, and all memory, that which is kept, too.
fn make_tables(tables: &mut Tables, largest: u32) -> Result<(), NoFrame> {
    tables.init()?;
    map_image(tables)?;
    let mut at = 0;
    while let Some(region) = tables.frames.regions.all().get(at) {
        let Region { start, end } = region.pages();
        let size = (end - start) as usize;
        tables.map(DIRECT + start as usize, start, size, DATA, largest)?;
        at += 1;
    }
    Ok(())
}

/// Maps the program where it is, each segment with its permissions, and makes what is
/// large in .bss somebody's.
fn map_image(tables: &mut Tables) -> Result<(), NoFrame> {
    // Hidden, or there would be a copy for each.
    for (Label(start), Label(end), flags) in hint::black_box(SEGMENTS.as_slice()) {
        let size = end.addr().next_multiple_of(PAGE) - start.addr();
        tables.map(start.addr(), start.addr() as u64, size, *flags, 1)?;
    }
    let large = (&raw const LARGE).addr();
    let size = (&raw const ELARGE).addr().next_multiple_of(PAGE) - large;
    // The boot heap's first page, which each program needs. By itself: a table of pages from the
    // beginning.
    tables.reserve(large, PAGE, false)?;
    tables.populate(large, PAGE, false);
    tables.reserve(large + PAGE, size - PAGE, false)
}

/// Returns where a physical address of memory is to be found, of which the map has told.
pub(super) fn direct<T>(physical: u64) -> *mut T {
    ptr::with_exposed_provenance_mut(DIRECT + physical as usize)
}

/// Maps a device's registers, for good, where [`direct`] says; but for what is mapped there.
/// None if there is no memory for that.
pub(super) fn map_device(physical: u64, size: usize) -> Option<*mut u8> {
    let end = physical.checked_add(size as u64)?;
    let region = Region {
        start: physical,
        end,
    }
    .pages();
    let size = (region.end - region.start) as usize;
    DIRECT.checked_add(region.end as usize)?;
    let address = DIRECT + region.start as usize;
    let mapped = locked(|space| {
        let tables = &mut space.tables;
        tables.map(address, region.start, size, DEVICE, 2)
    });
    mapped.ok().map(|()| direct(physical))
}

/// Maps memory at its physical address as well, so that it can be executed there: for the
/// first code of other CPUs. False if there is no memory for that.
pub(super) fn map_low_code(physical: u64, size: usize) -> bool {
    let flags = Flags::PRESENT | Flags::WRITABLE;
    locked(|space| {
        let tables = &mut space.tables;
        tables.map(physical as usize, physical, size, flags, 1)
    })
    .is_ok()
}

/// Maps zeroed memory, readable and writable, at `hint` if that is free and
/// anywhere else if not. The pages appear when they are touched.
pub(crate) fn map(hint: usize, size: usize) -> Option<*mut u8> {
    reserve(hint, size, false)
}

/// The same for what will all be touched: more than the machine has left is refused. Who
/// asked for it gets a null, and the program does not die later.
pub(crate) fn map_backed(hint: usize, size: usize) -> Option<*mut u8> {
    reserve(hint, size, true)
}

/// Maps memory that is there at once: it can be touched where a fault could not be taken.
pub(super) fn map_now(size: usize) -> Option<*mut u8> {
    let memory = map_backed(0, size)?;
    touch_all(memory.addr(), size).then_some(memory)
}

/// Gives a page memory that is to be touched at once, of what [`map`] has just mapped: a fault
/// would take longer.
pub(crate) fn will_touch(address: usize) {
    give_memory(address & !(PAGE - 1), PAGE, false);
}

/// Gives a range memory at once that was just mapped, `backed` or not; if there is some in one
/// piece.
#[inline(never)] // as above
pub(super) fn give_memory(address: usize, size: usize, backed: bool) {
    locked(|space| space.tables.populate(address, size, backed));
}

/// Gives all pages of a range memory; false where there is none left.
fn touch_all(start: usize, size: usize) -> bool {
    (start..start + size).step_by(PAGE).all(|page| {
        let touched = locked(|space| space.tables.touch(page));
        matches!(touched, Touch::Page)
    })
}

/// Makes a range somebody's.
#[inline(never)] // an emulator translates each copy
fn reserve(hint: usize, size: usize, backed: bool) -> Option<*mut u8> {
    let size = size.wrapping_add(PAGE - 1) & !(PAGE - 1);
    if size == 0 {
        return None; // none at all, or too many bytes to be counted by pages
    }
    let address = locked(|space| {
        if backed && size / PAGE > space.tables.unpromised() {
            return None;
        }
        let address = space.find(hint, size)?;
        let reserved = space.tables.reserve(address, size, backed);
        reserved.ok().map(|()| address)
    });
    Some(ptr::with_exposed_provenance_mut(address?))
}

impl Space {
    /// Finds addresses that are nobody's, for that many bytes, at `hint` if possible: if it is
    /// below those that are handed out, all of which from `next` on are nobody's.
    fn find(&mut self, hint: usize, size: usize) -> Option<usize> {
        let right = hint >= PAGE && hint.is_multiple_of(PAGE);
        let fits = hint.checked_add(size).is_some_and(|end| end <= ASKED_END);
        if right && fits && self.tables.is_free(hint, size) {
            return Some(hint);
        }
        let address = self.next;
        if size > END - address {
            return None;
        }
        self.next = address + size;
        Some(address)
    }
}

/// Gives a mapping back.
///
/// # Safety
///
/// The range must come from `map`, and nothing may use it.
pub(crate) unsafe fn unmap(memory: *mut u8, size: usize) {
    let start = memory.addr();
    if take_off(start, size, Tables::release) {
        locked(|space| {
            // No CPU knows these addresses any more.
            if start + size == space.next {
                space.next = start;
            }
        });
    }
}

/// Makes a range fault when it is touched. False if there is no memory for the tables.
///
/// # Safety
///
/// The range must be of private memory, and nothing may use it.
pub(crate) unsafe fn install_guard(memory: *mut u8, size: usize) -> bool {
    take_off(memory.addr(), size, Tables::guard)
}

/// The same for the first time, in a range that was just mapped: these guards are what they
/// say, and there is nothing to take off.
///
/// # Safety
///
/// As for [`install_guard`].
pub(crate) unsafe fn try_install_guard(memory: *mut u8, size: usize) -> bool {
    let fresh = locked(|space| space.tables.guard_reserved(memory.addr(), size));
    // SAFETY: the caller's promise.
    fresh || unsafe { install_guard(memory, size) }
}

/// The same: there is one kind of guard.
///
/// # Safety
///
/// As for [`install_guard`].
pub(crate) unsafe fn protect(memory: *mut u8, size: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { install_guard(memory, size) }
}

/// There are no huge pages to be kept off.
///
/// # Safety
///
/// None is needed.
pub(crate) unsafe fn no_huge_pages(_: *mut u8, _: usize) {}

/// Gets the memory for a range at once, which else would come page by page.
///
/// # Safety
///
/// The range must be the caller's.
pub(crate) unsafe fn populate(memory: *mut u8, size: usize) {
    touch_all(memory.addr(), size);
}

/// How many ranges [`install_guards`] and [`populate_each`] are given at most.
pub(crate) const MAX_RANGES: usize = 16;

/// Does what [`install_guard`] does to `count` ranges, a `stride` apart. False where there
/// was no memory for one of them: any of them may be a guard then.
///
/// # Safety
///
/// As for [`install_guard`], of each of the ranges.
pub(crate) unsafe fn install_guards(
    first: *mut u8,
    size: usize,
    stride: usize,
    count: usize,
) -> bool {
    (0..count).all(|at| {
        // SAFETY: the caller's promise.
        unsafe { install_guard(first.wrapping_add(at * stride), size) }
    })
}

/// Does what [`populate`] does to `count` ranges, a `stride` apart.
///
/// # Safety
///
/// The ranges must be the caller's.
pub(crate) unsafe fn populate_each(first: *mut u8, size: usize, stride: usize, count: usize) {
    for at in 0..count {
        touch_all(first.addr() + at * stride, size);
    }
}

/// Gives the memory of a range back, which is zeros from then on; the addresses
/// stay.
///
/// # Safety
///
/// The range must be whole pages that come from `map`, and what is in it must be
/// of no use to anybody.
pub(crate) unsafe fn discard(memory: *mut u8, size: usize) -> bool {
    take_off(memory.addr(), size, Tables::discard)
}

/// Counts the bytes of a range of whole pages that are in memory.
pub(crate) fn resident(memory: *mut u8, size: usize) -> usize {
    locked(|space| space.tables.resident(memory.addr(), size)) * PAGE
}

/// What keeps a program from more mappings or addresses. Nothing that anybody could
/// change, here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scarcity {
    /// Linux's RLIMIT_AS.
    #[allow(dead_code, reason = "Linux has it")]
    AddressLimit,
    /// Linux's overcommit_memory of 2.
    #[allow(dead_code, reason = "Linux has it")]
    StrictOvercommit,
    /// The machine's memory.
    Unknown,
}

/// Tells why there may be no more address space.
pub(crate) fn scarcity() -> Scarcity {
    Scarcity::Unknown
}

/// Returns how many mappings there may be: they are not counted.
pub(crate) fn max_map_count() -> usize {
    usize::MAX
}

/// Counts the bytes of memory that nobody has, and all that there were.
pub(crate) fn free_memory() -> (usize, usize) {
    locked(|space| {
        let frames = &space.tables.frames;
        (frames.free() * PAGE, frames.total() * PAGE)
    })
}

/// The memory's side of a page fault: gives the page of `address` memory if a touch of it
/// is right, and tells whether it was. By the handler, interrupts off, on a stack of its
/// own. `error_code` is the CPU's.
pub(super) fn page_fault(address: usize, error_code: u64) -> bool {
    /// The page is there, and does not allow that.
    const PRESENT: u64 = 1 << 0;
    if error_code & PRESENT != 0 || address >= END {
        return false;
    }
    match SPACE.with(|space| space.tables.touch(address)) {
        Touch::Page => true,
        Touch::Fault => false,
        Touch::NoFrame => {
            let total = SPACE.with(|space| space.tables.frames.total());
            say(
                "runtime: out of memory: all %d KiB of the machine are in use",
                &[(total * PAGE / 1024) as u64],
                &[],
            );
            say("fatal error: out of memory", &[], &[]);
            exit(2)
        }
    }
}

/// What takes frames off a range: as many as the batch has room for, and says where to go on.
type Step = fn(&mut Tables, usize, usize, &mut Batch) -> Result<Option<usize>, NoFrame>;

/// Does something to a range that takes frames off it, some at a time. False if there is
/// no memory for the tables.
fn take_off(start: usize, size: usize, step: Step) -> bool {
    let (mut at, end) = (start, start + size);
    loop {
        let mut batch = Batch::new();
        let result = locked(|space| step(&mut space.tables, at, end - at, &mut batch));
        if batch.count > 0 {
            cpus::flush_all();
            locked(|space| space.tables.give_back(&batch));
        }
        match result {
            Ok(None) => return true,
            Ok(Some(next)) => at = next.max(at),
            Err(NoFrame) => return false,
        }
    }
}

/// Calls `f` with the tables. Not from the handler of page faults: this touches the stack.
fn locked<R>(f: impl FnOnce(&mut Space) -> R) -> R {
    let enabled = lock();
    // SAFETY: this CPU has the lock.
    let result = f(unsafe { SPACE.value() });
    // SAFETY: as above.
    unsafe { SPACE.unlock(enabled) };
    result
}

/// Touches what who holds the lock may need of the stack, and takes it.
#[inline(never)] // an emulator translates each copy
fn lock() -> bool {
    let sp = arch::getsp();
    for below in [STACK_ROOM / 2, STACK_ROOM] {
        let byte = ptr::with_exposed_provenance::<u8>(sp - below);
        // SAFETY: the current stack's, below what is in use of it: nobody's, and where the
        // stack ends before, this is the overflow that would come next.
        unsafe { byte.read_volatile() };
    }
    SPACE.lock()
}
