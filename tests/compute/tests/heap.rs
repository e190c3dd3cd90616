//! The heap's tiers under real threads: mcache, mcentral, mheap and scavenger as
//! they are in gort, included by their paths, with std's threads in the place of
//! Ms. What a cache's owner may do, each thread does with a cache of its own;
//! objects go from thread to thread; one thread gives free pages back all the
//! while.

use libtest_mimic::{Arguments, Trial};

#[allow(dead_code, reason = "the tiers are used without what is above them")]
#[allow(unsafe_code, reason = "raw memory is their business")]
#[allow(unreachable_pub, reason = "in gort these are the API's")]
#[path = "heap/mem.rs"]
mod mem;

#[allow(unsafe_code, reason = "system calls")]
#[path = "heap/os.rs"]
mod os;

#[path = "heap/debug.rs"]
mod debug;

/// What the boot would read.
mod boot {
    pub(crate) fn read_gomemlimit() -> u64 {
        i64::MAX as u64
    }
}

#[allow(unsafe_code, reason = "raw memory is what is tested")]
#[path = "heap/threads.rs"]
mod threads;

fn main() {
    let trials = vec![
        Trial::test("a_limit_from_before_the_heap_stays", threads::early_limit),
        Trial::test("objects_go_from_thread_to_thread", threads::handoffs),
        Trial::test("the_numbers_add_up_in_the_end", threads::numbers),
        Trial::test("records_are_used_again", threads::records),
        Trial::test("what_is_of_no_use_goes_back", threads::idle),
        Trial::test("the_heap_goes_on_elsewhere", threads::occupied),
    ];
    let mut arguments = Arguments::from_args();
    // One heap: the first trial must find it empty, and the third is about what
    // the second leaves.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit();
}
