//! What a model says of the time and of spinning. All of loom's threads are one of the
//! system's, so that what is local to that is one model's.

use std::cell::Cell;

thread_local! {
    static STEP: Cell<i64> = const { Cell::new(0) };
    static NOW: Cell<i64> = const { Cell::new(1) };
    static SPINS: Cell<u32> = const { Cell::new(0) };
}

/// Has each wait take so many nanoseconds, and each goroutine spin so often.
pub(super) fn set(step: i64, spins: u32) {
    STEP.set(step);
    SPINS.set(spins);
}

pub(super) fn nanotime() -> i64 {
    NOW.set(NOW.get() + STEP.get());
    NOW.get()
}

pub(super) fn can_spin(times: u32) -> bool {
    times < SPINS.get()
}

pub(super) fn do_spin() {
    loom::thread::yield_now();
}

pub(super) fn give_way() {}
