//! Threads and signals, as far as one thread needs them. Until there are more.

use core::ffi::c_void;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicU32, Ordering};

use super::super::fault::{OnFault, tell_of_faults};
use super::{exit, nanotime};

pub(crate) const EAGAIN: i32 = 11;

pub(crate) struct Thread {
    pub(crate) stack_hi: usize,
    pub(crate) mp: *const c_void,
    pub(crate) g0: *const c_void,
    pub(crate) start: extern "C" fn(),
    pub(crate) tls: usize,
}

pub(crate) unsafe fn new_thread(_: &Thread) -> Result<(), i32> {
    Err(EAGAIN)
}

pub(crate) fn exit_thread(_: &'static AtomicU32) -> ! {
    exit(0)
}

pub(crate) fn futexsleep(word: &AtomicU32, value: u32, ns: i64) {
    let end = nanotime().saturating_add(if ns < 0 { i64::MAX } else { ns });
    while word.load(Ordering::SeqCst) == value && nanotime() < end {
        spin_loop();
    }
}

pub(crate) fn futexwakeup(_: &AtomicU32, _: u32) {}
pub(crate) fn osyield() {}

pub(crate) fn nap(nanoseconds: u64) {
    let end = nanotime().saturating_add_unsigned(nanoseconds);
    while nanotime() < end {
        spin_loop();
    }
}

pub(crate) fn cpu_count() -> i32 {
    1
}

pub(crate) fn getcpu() -> u32 {
    0
}

pub(crate) fn thread_id() -> u64 {
    2
}

#[derive(Clone, Copy)]
pub(crate) struct Sigaction(u8);

impl Sigaction {
    pub(crate) const DEFAULT: Self = Self(0);
    pub(crate) const IGNORE: Self = Self(1);
    pub(crate) fn handled() -> Self {
        Self(2)
    }
    pub(crate) fn ignores(&self) -> bool {
        self.0 == 1
    }
    pub(crate) fn is_handled(&self) -> bool {
        self.0 == 2
    }
}

pub(crate) fn action(_: i32) -> Sigaction {
    Sigaction::DEFAULT
}
pub(crate) fn change_action(_: i32, _: &Sigaction) -> Sigaction {
    Sigaction::DEFAULT
}
pub(crate) fn die_by_abort() -> ! {
    exit(134)
}
pub(crate) fn die_from_signal(signal: i32) -> ! {
    exit(128 + signal)
}
pub(crate) fn init_preempt_signal() {}
pub(crate) fn initsig(on_fault: OnFault) {
    tell_of_faults(on_fault);
}
pub(crate) fn save_mask() -> u64 {
    0
}
pub(crate) fn set_mask(_: u64) -> u64 {
    0
}
pub(crate) fn set_signal_stack(_: *mut u8, _: usize) {}
pub(crate) fn thread_mask(mask: u64) -> u64 {
    mask
}
#[cfg(feature = "sched-trace")]
pub(crate) fn forget_write_signals() {}
pub(crate) fn preempt_thread(_: u64) -> bool {
    false
}
pub(crate) fn signal_process(_: i32) {}
pub(crate) fn signal_thread(_: u64, _: i32) -> bool {
    false
}

pub(crate) unsafe fn signal_code(_: *const c_void) -> i32 {
    0
}

pub(crate) struct SignalContext(());

impl SignalContext {
    pub(crate) unsafe fn new(_: *mut c_void) -> Self {
        Self(())
    }
    pub(crate) fn pc(&self) -> usize {
        0
    }
    pub(crate) fn sp(&self) -> usize {
        0
    }
    pub(crate) fn fp(&self) -> usize {
        0
    }
    pub(crate) unsafe fn push_call(&self, _: usize) {}
    pub(crate) fn for_each_register(&self, _: &mut dyn FnMut(&'static [u8], u64)) {}
}
