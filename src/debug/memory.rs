//! What a program can say of its memory as a whole: Go's `runtime/debug`.

use crate::{malloc, mem, sched};

/// Sets a limit for the memory that the program takes, in bytes, and returns the
/// limit before; a negative number only asks. `i64::MAX`, the default, is none.
/// From any goroutine. Go's `debug.SetMemoryLimit`; the environment variable
/// `GOMEMLIMIT` sets it from outside: `off`, or a whole number with an optional
/// unit, B, KiB, MiB, GiB or TiB.
///
/// What counts is the heap's memory that is in use or retained, the runtime's
/// records, and 4 KiB for each 256 KiB of goroutines' stacks. The limit is soft, as
/// in Go: when an allocation goes over it, free memory is given back to the
/// system at once; what is in use stays in use, and nothing fails.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let before = gort::debug::set_memory_limit(64 << 20);
/// assert_eq!(gort::debug::set_memory_limit(-1), 64 << 20);
/// gort::debug::set_memory_limit(before);
/// # }
/// ```
pub fn set_memory_limit(limit: i64) -> i64 {
    let before = mem::set_memory_limit(u64::try_from(limit).ok());
    i64::try_from(before).unwrap_or(i64::MAX)
}

/// Gives all free memory back to the system at once, instead of bit by bit: the
/// heap's free pages, and the stacks of goroutines that have ended. What the
/// caches of other processors hold stays with them, and so do the few dead
/// goroutines that each processor keeps for the next ones. From any goroutine.
/// Go's `debug.FreeOSMemory`, without the collection.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # extern crate alloc;
/// # fn main() {
/// drop(alloc::vec![1u8; 50 << 20]);
/// gort::debug::free_os_memory();
/// let stats = gort::runtime::read_mem_stats();
/// assert!(stats.heap_idle - stats.heap_released < 1 << 20);
/// # }
/// ```
pub fn free_os_memory() {
    malloc::flush_mcache();
    mem::free_os_memory();
    sched::scavenge_stacks(usize::MAX);
}
