//! What the kernel tells a new program about the machine and itself, beside the auxiliary
//! vector: the CPUs, the size of huge pages, random bits.
//!
//! Go's counterparts: `getproccount`, `getHugePageSize`, `readRandom` in
//! `runtime/os_linux.go`.

use core::ffi::CStr;

use super::syscall::{nr, syscall4};

/// Counts the CPUs that this process may run on; 1 if the kernel won't say.
#[unsafe(export_name = "runtime.getproccount")]
#[inline(never)]
pub(crate) fn cpu_count() -> i32 {
    // A page of stack less for all but the largest machines.
    let mut small = [0u64; 16];
    let mut count = affinity(&mut small);
    if count == 0 {
        count = cpu_count_large();
    }
    count.max(1)
}

/// The same with room for 65,536 CPUs.
#[cold]
#[inline(never)]
fn cpu_count_large() -> i32 {
    affinity(&mut [0u64; 1024])
}

/// Counts the bits of the affinity mask; 0 if it is larger than `mask`.
fn affinity(mask: &mut [u64]) -> i32 {
    let size = size_of_val(mask);
    // SAFETY: the kernel writes at most the size that it is told, into our own.
    unsafe {
        syscall4(
            nr::SCHED_GETAFFINITY,
            [0, size, mask.as_mut_ptr().addr(), 0],
        )
    };
    let mut count = 0;
    for word in mask {
        let mut rest = *word;
        while rest != 0 {
            rest &= rest - 1;
            count += 1;
        }
    }
    count
}

/// Reads the size of a transparent huge page; 0 if there are none.
#[unsafe(export_name = "runtime.getHugePageSize")]
#[inline(never)]
pub(crate) fn huge_page_size() -> usize {
    const SIZE: &CStr =
        super::file::path(b"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size\0\0");
    super::file::read_number(SIZE).unwrap_or(0) as usize // mallocinit checks it
}

/// Fills `words` with random bits from the kernel; false if it has none to give.
pub(crate) fn random(words: &mut [u64; 4]) -> bool {
    const GRND_NONBLOCK: usize = 1;
    let size = size_of_val(words);
    // SAFETY: the kernel writes at most `size` bytes into our own.
    let written = unsafe {
        syscall4(
            nr::GETRANDOM,
            [words.as_mut_ptr().addr(), size, GRND_NONBLOCK, 0],
        )
    };
    written == size as isize
}

/// Fills `bytes` with random ones from the kernel, which may wait for some at the
/// system's own start. Or returns the errno.
#[cfg(feature = "getrandom")]
pub(crate) fn fill_random(mut bytes: &mut [u8]) -> Result<(), i32> {
    const EINTR: isize = 4;
    while !bytes.is_empty() {
        // SAFETY: the kernel writes at most that many bytes into our own.
        let count = unsafe {
            syscall4(
                nr::GETRANDOM,
                [bytes.as_mut_ptr().addr(), bytes.len(), 0, 0],
            )
        };
        match usize::try_from(count) {
            Ok(count) => bytes = bytes.get_mut(count..).unwrap_or_default(),
            Err(_) if count == -EINTR => {}
            Err(_) => return Err(-count as i32),
        }
    }
    Ok(())
}
