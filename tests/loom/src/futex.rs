//! Models of what threads sleep on: the runtime's locks (`debug::futex_lock`) and
//! notes (`sched::note`), over a futex that is one here.

use loom::sync::atomic;

#[path = "../../../src/debug/alone.rs"]
mod alone;
#[path = "../../../src/debug/futex_lock.rs"]
mod futex_lock;
#[path = "../../../src/sched/note.rs"]
mod note;

mod alone_models;
mod lock_models;
mod note_models;
mod os;

/// The struct that `sched::note` is about.
mod runtime2 {
    use super::atomic::AtomicU32;

    pub(super) struct Note {
        pub(super) key: AtomicU32,
    }
}

/// A death of the runtime.
fn throw(message: &str) -> ! {
    panic!("fatal error: {message}")
}
