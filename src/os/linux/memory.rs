//! Address space, and the memory behind it. By bare system calls: most of this is
//! on the boot's way, or is asked of the system in words that it may not know.

use core::ptr;
use core::sync::atomic::{AtomicU8, Ordering};

use super::syscall::{nr, syscall4, syscall6};

/// What mmap and mprotect take.
const PROT_NONE: usize = 0;
const PROT_READ_WRITE: usize = 3;
const MAP_PRIVATE: usize = 0x2;
const MAP_ANONYMOUS: usize = 0x20;
const MAP_NORESERVE: usize = 0x4000;

/// What madvise takes.
const MADV_DONTNEED: usize = 4;
const MADV_NOHUGEPAGE: usize = 15;
/// Linux 5.14 and later.
const MADV_POPULATE_WRITE: usize = 23;
/// Linux 6.13 and later.
const MADV_GUARD_INSTALL: usize = 102;

const SIG_BLOCK: usize = 0;
const EFAULT: isize = 14;

const PAGE_SIZE: usize = 4096;

/// Maps zeroed memory, readable and writable, at `hint` if that is free and
/// anywhere else if not. The pages appear when they are touched.
pub(crate) fn map(hint: usize, size: usize) -> Option<*mut u8> {
    mmap(hint, size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
}

/// The same for what will all be touched: more than the system has, memory and swap
/// space, is refused. Who asked for it gets a null, and is not killed later.
pub(crate) fn map_backed(hint: usize, size: usize) -> Option<*mut u8> {
    mmap(hint, size, MAP_PRIVATE | MAP_ANONYMOUS)
}

/// Maps memory.
#[inline(always)]
fn mmap(hint: usize, size: usize, flags: usize) -> Option<*mut u8> {
    // SAFETY: without MAP_FIXED the kernel takes a range that nobody uses.
    let memory = unsafe {
        syscall6(
            nr::MMAP,
            [hint, size, PROT_READ_WRITE, flags, usize::MAX, 0],
        )
    };
    // An errno is negative, and an address never is.
    let address = usize::try_from(memory).ok()?;
    Some(ptr::with_exposed_provenance_mut(address))
}

/// Gives a mapping back.
///
/// # Safety
///
/// The range must come from `map`, and nothing may use it.
pub(crate) unsafe fn unmap(memory: *mut u8, size: usize) {
    // SAFETY: the caller's promise. It can fail only for a range that is none.
    unsafe { change(nr::MUNMAP, memory, size, 0) };
}

/// Tells the system something about a range; false if it will have none of it.
///
/// # Safety
///
/// The range must be the caller's, and the advice one that nothing in it minds.
#[inline(always)]
unsafe fn advise(memory: *mut u8, size: usize, advice: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { change(nr::MADVISE, memory, size, advice) }
}

/// Makes a system call about a range; false if it fails.
///
/// # Safety
///
/// The range must be the caller's, and what the call does to it what nothing there
/// minds.
#[inline(always)]
unsafe fn change(number: usize, memory: *mut u8, size: usize, how: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { syscall4(number, [memory.addr(), size, how, 0]) == 0 }
}

/// Makes a range fault when it is touched, which splits no mapping. False if this
/// system cannot.
///
/// # Safety
///
/// The range must be of private memory, and nothing may use it.
#[inline(always)] // the boot's, for its size
pub(crate) unsafe fn install_guard(memory: *mut u8, size: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { advise(memory, size, MADV_GUARD_INSTALL) }
}

/// The same for the first time, which believes nothing: emulators say yes to any
/// advice and do nothing. So has the system itself read from the guard, which cannot
/// crash us.
///
/// # Safety
///
/// As for [`install_guard`].
#[inline(always)] // the boot's, for its size
pub(crate) unsafe fn try_install_guard(memory: *mut u8, size: usize) -> bool {
    // SAFETY: the caller's promise.
    if !unsafe { install_guard(memory, size) } {
        return false;
    }
    // SAFETY: blocks no signal: what could be read there are zeros.
    unsafe { syscall4(nr::RT_SIGPROCMASK, [SIG_BLOCK, memory.addr(), 0, 8]) == -EFAULT }
}

/// Makes a range fault when it is touched, which makes it a mapping of its own.
/// False if the system has no room for that.
///
/// # Safety
///
/// As for [`install_guard`].
#[inline(always)] // the boot's, for its size
pub(crate) unsafe fn protect(memory: *mut u8, size: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { change(nr::MPROTECT, memory, size, PROT_NONE) }
}

/// Has a range take no more memory than is touched, where the system would give it
/// huge pages.
///
/// # Safety
///
/// The range must be the caller's.
pub(crate) unsafe fn no_huge_pages(memory: *mut u8, size: usize) {
    // SAFETY: the caller's promise. A system without huge pages says no.
    unsafe { advise(memory, size, MADV_NOHUGEPAGE) };
}

/// Nothing: a fault costs no more than a call would.
#[inline(always)]
pub(crate) fn will_touch(_: usize) {}

/// Gets the memory for a range at once, which else would come page by page. A system
/// before Linux 5.14 says no.
///
/// # Safety
///
/// The range must be the caller's.
pub(crate) unsafe fn populate(memory: *mut u8, size: usize) {
    // SAFETY: the caller's promise. What is in the pages stays.
    unsafe { advise(memory, size, MADV_POPULATE_WRITE) };
}

/// How many ranges [`install_guards`] and [`populate_each`] take at most.
pub(crate) const MAX_RANGES: usize = 16;

/// Does what [`install_guard`] does, in one call, to `count` ranges, a `stride` apart. False
/// if this system cannot, before Linux 6.15 for one, or has not done it to all of them: any
/// of them may be a guard then.
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
    // SAFETY: the caller's promise.
    unsafe { advise_each(first, size, stride, count, MADV_GUARD_INSTALL) }
}

/// Does what [`populate`] does, in one call, to `count` ranges, a `stride` apart.
///
/// # Safety
///
/// The ranges must be the caller's.
pub(crate) unsafe fn populate_each(first: *mut u8, size: usize, stride: usize, count: usize) {
    // SAFETY: the caller's promise. What is in the pages stays.
    unsafe { advise_each(first, size, stride, count, MADV_POPULATE_WRITE) };
}

/// Tells the system something about several ranges; false if it will have none of it, of
/// one of them at least.
///
/// # Safety
///
/// As for `advise`, of each of the ranges.
unsafe fn advise_each(
    first: *mut u8,
    size: usize,
    stride: usize,
    count: usize,
    advice: usize,
) -> bool {
    /// This process, since Linux 6.15.
    const PIDFD_SELF: usize = -10_000_isize as usize;
    debug_assert!(count <= MAX_RANGES);
    let mut ranges = [[0; 2]; MAX_RANGES];
    for (at, range) in ranges.iter_mut().enumerate() {
        *range = [first.addr() + at * stride, size];
    }
    // SAFETY: the kernel reads as many ranges of ours; the rest is the caller's promise.
    let done = unsafe {
        syscall6(
            nr::PROCESS_MADVISE,
            [PIDFD_SELF, ranges.as_ptr().addr(), count, advice, 0, 0],
        )
    };
    done == (count * size).cast_signed()
}

/// Gives the memory of a range back, which is zeros from then on; the addresses
/// stay. False if this system cannot: then all of it is as it was.
///
/// # Safety
///
/// The range must be whole pages that come from `map`, and what is in it must be
/// of no use to anybody.
pub(crate) unsafe fn discard(memory: *mut u8, size: usize) -> bool {
    const UNKNOWN: u8 = 0;
    const WORKS: u8 = 1;
    const LIES: u8 = 2;
    /// Whether memory that was given back is zeros: some emulators do nothing.
    static ZEROES: AtomicU8 = AtomicU8::new(UNKNOWN);

    // Relaxed: whoever does not see it yet finds out again.
    match ZEROES.load(Ordering::Relaxed) {
        // SAFETY: the caller's promise.
        WORKS => unsafe { advise(memory, size, MADV_DONTNEED) },
        LIES => false,
        _ => {
            // SAFETY: the caller's promise. Volatile: the system changes it.
            let before = unsafe { memory.read_volatile() };
            // SAFETY: as above.
            unsafe { memory.write_volatile(1) };
            // SAFETY: the caller's promise.
            let done = unsafe { advise(memory, size, MADV_DONTNEED) };
            // SAFETY: as above.
            let zero = unsafe { memory.read_volatile() } == 0;
            if !zero {
                // A page that was never used must still be zeros.
                // SAFETY: as above.
                unsafe { memory.write_volatile(before) };
            }
            if done {
                ZEROES.store(if zero { WORKS } else { LIES }, Ordering::Relaxed);
            }
            zero
        }
    }
}

/// Counts the bytes of a range of whole pages that are in memory; a page of each
/// part of it of which this system cannot tell.
pub(crate) fn resident(memory: *mut u8, size: usize) -> usize {
    const PAGES: usize = 1024;
    let mut resident = 0;
    for start in (0..size).step_by(PAGES * PAGE_SIZE) {
        let mut pages = [0u8; PAGES];
        let size = (size - start).min(PAGES * PAGE_SIZE);
        let address = memory.addr() + start;
        // SAFETY: the kernel writes a byte of ours for each of at most that many pages.
        let result =
            unsafe { syscall4(nr::MINCORE, [address, size, pages.as_mut_ptr().addr(), 0]) };
        resident += match result {
            0 => pages.iter().filter(|&&page| page & 1 != 0).count(),
            _ => 1,
        };
    }
    resident * PAGE_SIZE
}

/// What keeps a program from more mappings or addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scarcity {
    /// RLIMIT_AS.
    AddressLimit,
    /// The system gives no more than it has.
    StrictOvercommit,
    /// Nothing that we know of.
    Unknown,
}

/// Tells why there may be no more address space.
#[cold]
pub(crate) fn scarcity() -> Scarcity {
    const RLIMIT_AS: usize = 9;
    const STRICT: u64 = 2;
    let mut limit = [u64::MAX; 2];
    // SAFETY: the kernel writes two words of ours.
    unsafe { syscall4(nr::PRLIMIT64, [0, RLIMIT_AS, 0, limit.as_mut_ptr().addr()]) };
    if limit != [u64::MAX; 2] && limit[0] != u64::MAX {
        Scarcity::AddressLimit
    } else if super::file::read_number(c"/proc/sys/vm/overcommit_memory") == Some(STRICT) {
        Scarcity::StrictOvercommit
    } else {
        Scarcity::Unknown
    }
}

/// Returns how many mappings a process may have.
#[cold]
pub(crate) fn max_map_count() -> usize {
    const DEFAULT: u64 = 65_530;
    super::file::read_number(c"/proc/sys/vm/max_map_count").unwrap_or(DEFAULT) as usize
}
