//! What the system has: CPUs and huge pages.
//!
//! Go's counterpart: `osinit` in `runtime/os_linux.go`.

use core::sync::atomic::Ordering;

use crate::{mem, os, sched};

/// Asks for the number of CPUs and the size of a huge page. On g0.
#[unsafe(export_name = "runtime.osinit")]
#[inline(never)]
pub(super) extern "C" fn osinit() {
    crate::stops_here!();
    sched::NCPU.store(os::cpu_count(), Ordering::Relaxed); // still one thread
    mem::PHYS_HUGE_PAGE_SIZE.store(os::huge_page_size(), Ordering::Relaxed); // as above
}
