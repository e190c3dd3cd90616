//! What runs at the same time, and who gets whose work.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use gort::go;
use gort::runtime::{gomaxprocs, gosched};
use gort::{env, thread};
use gort_test::{Command, Status, one_p};

use crate::system::Pipe;
use crate::{spin_until, until, until_alone};

/// Has `count` goroutines, the caller among them, wait for each other without giving
/// way: each needs a P of its own, all at the same time.
fn meet(count: usize) {
    static ARRIVED: AtomicUsize = AtomicUsize::new(0);
    ARRIVED.store(0, Ordering::Relaxed);
    let meet = move || {
        ARRIVED.fetch_add(1, Ordering::Relaxed);
        spin_until(|| ARRIVED.load(Ordering::Relaxed) == count);
    };
    for _ in 1..count {
        go(meet);
    }
    meet();
    until_alone();
}

/// Runs a test of this program again without asynchronous preemption, which may
/// make good in the end for what shall not go wrong at all. False in that program.
fn alone_without_preemption(name: &str) -> bool {
    const OFF: &str = "asyncpreemptoff=1";
    if env::var("GODEBUG").is_ok_and(|value| value.contains(OFF)) {
        return false;
    }
    let mut again = Command::this_program();
    again.args(["--force-run-in-process", "--exact", name]);
    let output = again.env("GODEBUG", OFF).output().unwrap();
    assert_eq!(
        output.status,
        Status::Exited(0),
        "{}{}",
        output.stdout,
        output.stderr
    );
    true
}

gort_test::test_module! {
    fn as_many_spin_at_the_same_time_as_there_are_ps() {
        for procs in [2, 3, 4, 8] {
            gomaxprocs(procs);
            for _ in 0..60 / procs {
                meet(procs);
            }
        }
    }

    fn one_that_gives_way_goes_on_beside_spinners() {
        static STOP: AtomicBool = AtomicBool::new(false);
        static SPINNING: AtomicUsize = AtomicUsize::new(0);
        static ROUNDS: AtomicUsize = AtomicUsize::new(0);
        gomaxprocs(4);
        for _ in 0..3 {
            go(|| {
                SPINNING.fetch_add(1, Ordering::Relaxed);
                spin_until(|| STOP.load(Ordering::Relaxed));
            });
        }
        until(|| SPINNING.load(Ordering::Relaxed) == 3);
        go(|| {
            for _ in 0..1000 {
                ROUNDS.fetch_add(1, Ordering::Relaxed);
                gosched();
            }
        });
        until(|| ROUNDS.load(Ordering::Relaxed) == 1000);
        STOP.store(true, Ordering::Relaxed);
        until_alone();
    }

    fn a_pair_and_a_hog_share_a_p() {
        // The pair goes on with one time slice, and the hog never gives way but where
        // sysmon's request is seen: both get their turn, again and again.
        static STOP: AtomicBool = AtomicBool::new(false);
        static HOG: AtomicUsize = AtomicUsize::new(0);
        static PAIR: AtomicUsize = AtomicUsize::new(0);
        let _one = one_p();
        let hog = thread::spawn(|| {
            while !STOP.load(Ordering::Relaxed) {
                HOG.fetch_add(1, Ordering::Relaxed);
                go(|| {});
            }
        });
        let pair = thread::spawn(|| {
            let first = thread::current();
            let second = thread::spawn(move || {
                while !STOP.load(Ordering::Relaxed) {
                    first.unpark();
                    thread::park();
                }
                first.unpark();
            });
            while !STOP.load(Ordering::Relaxed) {
                PAIR.fetch_add(1, Ordering::Relaxed);
                second.thread().unpark();
                thread::park();
            }
            second.thread().unpark();
            second.join().unwrap();
        });
        for _ in 0..5 {
            for count in [&HOG, &PAIR] {
                let before = count.load(Ordering::Relaxed);
                until(|| count.load(Ordering::Relaxed) > before + 10);
            }
        }
        STOP.store(true, Ordering::Relaxed);
        hog.join().unwrap();
        pair.join().unwrap();
    }

    fn what_a_busy_p_has_is_run_by_others() {
        // The caller keeps its P: its whole queue, and what it would run next, are
        // stolen.
        static RAN: AtomicUsize = AtomicUsize::new(0);
        gomaxprocs(2);
        for count in [1, 2, 3, 10, 300, 1000] {
            for _ in 0..20 {
                RAN.store(0, Ordering::Relaxed);
                for _ in 0..count {
                    go(|| _ = RAN.fetch_add(1, Ordering::Relaxed));
                }
                spin_until(|| RAN.load(Ordering::Relaxed) == count);
                until_alone();
            }
        }
    }

    fn a_thief_takes_the_older_half_and_keeps_the_order() {
        // The caller keeps its P. The thief's is busy until all are queued; then that
        // one takes half of them, the oldest, runs the newest of those first and the
        // others in order, and comes back; at last it takes what would run next. Should
        // the caller be asked to give way meanwhile, another try will do.
        const COUNT: usize = 9;
        static BUSY: AtomicBool = AtomicBool::new(false);
        static QUEUED: AtomicBool = AtomicBool::new(false);
        static ORDER: AtomicU64 = AtomicU64::new(0);
        static RAN: AtomicUsize = AtomicUsize::new(0);
        gomaxprocs(2);
        let mut order = 0;
        for _ in 0..100 {
            for flag in [&BUSY, &QUEUED] {
                flag.store(false, Ordering::Relaxed);
            }
            ORDER.store(0, Ordering::Relaxed);
            RAN.store(0, Ordering::Relaxed);
            go(|| {
                BUSY.store(true, Ordering::Relaxed);
                spin_until(|| QUEUED.load(Ordering::Relaxed));
            });
            spin_until(|| BUSY.load(Ordering::Relaxed));
            for digit in 1..=COUNT as u64 {
                go(move || {
                    ORDER.store(ORDER.load(Ordering::Relaxed) * 10 + digit, Ordering::Relaxed);
                    RAN.fetch_add(1, Ordering::Release);
                });
            }
            QUEUED.store(true, Ordering::Relaxed);
            spin_until(|| RAN.load(Ordering::Acquire) == COUNT);
            until_alone();
            // 1 to 8 in the ring, 9 next: 1 to 4 are taken, then 5 and 6, 7, 8, and 9.
            order = ORDER.load(Ordering::Relaxed);
            if order == 412_365_789 {
                return;
            }
        }
        panic!("in the order {order}");
    }

    fn the_p_of_one_that_blocks_runs_what_others_have() {
        // When the second goroutine blocks, no P is idle and nobody looks for work, and
        // its own queue is empty. What the caller has queued, who keeps its P, is
        // nobody's until that P goes and looks for it.
        if alone_without_preemption("parallel::the_p_of_one_that_blocks_runs_what_others_have") {
            return;
        }
        static BUSY: AtomicBool = AtomicBool::new(false);
        static QUEUED: AtomicBool = AtomicBool::new(false);
        static RAN: AtomicBool = AtomicBool::new(false);
        gomaxprocs(2);
        for _ in 0..20 {
            for flag in [&BUSY, &QUEUED, &RAN] {
                flag.store(false, Ordering::Relaxed);
            }
            let pipe = Arc::new(Pipe::new());
            let its = Arc::clone(&pipe);
            go(move || {
                BUSY.store(true, Ordering::Relaxed);
                spin_until(|| QUEUED.load(Ordering::Relaxed));
                its.wait();
            });
            spin_until(|| BUSY.load(Ordering::Relaxed));
            go(|| RAN.store(true, Ordering::Relaxed));
            QUEUED.store(true, Ordering::Relaxed);
            spin_until(|| RAN.load(Ordering::Relaxed));
            pipe.put(1);
            until_alone();
        }
    }

    fn who_is_readied_from_any_p_runs() {
        // Eight pairs on four Ps hand a turn back and forth, wherever they are: a
        // wake-up that is lost hangs.
        const ROUNDS: usize = 2000;
        gomaxprocs(4);
        let pairs: Vec<_> = (0..8)
            .map(|_| {
                thread::spawn(|| {
                    let me = thread::current();
                    let partner = thread::spawn(move || {
                        for _ in 0..ROUNDS {
                            thread::park();
                            me.unpark();
                        }
                    });
                    for _ in 0..ROUNDS {
                        partner.thread().unpark();
                        thread::park();
                    }
                    partner.join().unwrap();
                })
            })
            .collect();
        for pair in pairs {
            pair.join().unwrap();
        }
    }
}
