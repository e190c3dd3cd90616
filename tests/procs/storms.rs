//! That a storm leaves nothing behind: goroutines, threads, memory.

use alloc::vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::runtime::{gomaxprocs, gosched, num_goroutine, read_mem_stats};
use gort::{go, thread};

use crate::system::threads;
use crate::until_alone;

/// How many goroutines a storm makes.
const COUNT: usize = 20_000;

/// Makes goroutines from goroutines on all Ps, which allocate, wait for each other, and
/// end; returns how many have ended.
fn storm() -> usize {
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    fn branch(count: usize) {
        if count > 1 {
            go(move || branch(count / 2));
            go(move || branch(count - count / 2 - 1));
        } else if count == 1 {
            let block = vec![count as u8; 300];
            gosched();
            assert!(
                thread::spawn(move || block.iter().all(|&byte| byte == 1))
                    .join()
                    .unwrap()
            );
        }
        ENDED.fetch_add(count.min(1), Ordering::Relaxed);
    }
    ENDED.store(0, Ordering::Relaxed);
    go(|| branch(COUNT));
    until_alone();
    ENDED.load(Ordering::Relaxed)
}

gort_test::test_module! {
    fn a_storm_leaves_nothing_behind() {
        gomaxprocs(4);
        let mut first = None;
        for round in 0..8 {
            assert_eq!(storm(), COUNT);
            assert_eq!(num_goroutine(), 1);
            let stacks = gort::__private::stack_stats().1;
            let heap = read_mem_stats().heap_alloc;
            let count = threads().len();
            // One thread a P, one that looks for work beside them, one on its way to
            // sleep, sysmon, and the emulator's own.
            assert!(count <= 4 + 6, "{count} threads in round {round}");
            match first {
                None if round == 2 => first = Some((stacks, heap)),
                None => {}
                Some((stacks_then, heap_then)) => {
                    assert!(stacks <= stacks_then * 2, "{stacks} bytes of stacks, and {stacks_then} before");
                    assert!(heap <= heap_then + (64 << 10), "{heap} bytes of heap, and {heap_then} before");
                }
            }
        }
        // And their memory goes back to the system.
        let (in_use, _) = gort::__private::stack_stats();
        let given = gort::__private::scavenge_stacks(usize::MAX);
        let (left, _) = gort::__private::stack_stats();
        assert!(left <= in_use && (given == 0 || left < in_use), "{left} of {in_use}");
        // 64 dead ones a P, the system's own, and the threads' stacks.
        assert!(given == 0 || left < 400 * (256 << 10), "{left} bytes still in use");
    }
}
