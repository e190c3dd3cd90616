//! The workloads of `cargo xtask bench sched` on corosensei: see `work.rs`.
//! It is the floor: two coroutines that one thread resumes in turn, without a
//! scheduler. A yield is a suspend, and the resume of the other one.

#[path = "../shared/platform_std.rs"]
#[allow(dead_code, reason = "the memory benchmarks need more of it")]
mod platform;
#[path = "../shared/status.rs"]
#[allow(dead_code, reason = "the memory benchmarks need it")]
mod status;
#[allow(dead_code, reason = "other programs need more of it")]
mod work;

use std::process::ExitCode;

use corosensei::{Coroutine, CoroutineResult};

use platform::now;
use work::{Load, Turns, Work, warm_up};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let work = Work::read(arguments.iter().map(String::as_str));
    let Some((work, Some(Load::Yield(count)))) = work.map(|work| {
        let load = work.load();
        (work, load)
    }) else {
        eprintln!("usage: PROGRAM sched/yield PROCS SCALE");
        return ExitCode::FAILURE;
    };
    yields(warm_up(count), true);
    let (took, sum) = yields(count, false);
    work.each(took, 2 * count, sum);
    ExitCode::SUCCESS
}

/// Resumes two in turn until both have ended; checks that they take turns.
fn yields(count: u64, check: bool) -> (u64, u64) {
    static TURNS: Turns = Turns::new();
    let make = move |who| {
        Coroutine::<(), (), u64>::new(move |yielder, ()| {
            let mut done = 0;
            for _ in 0..count {
                if check {
                    TURNS.take(who);
                }
                yielder.suspend(());
                done += 1;
            }
            done
        })
    };
    let (mut one, mut other) = (make(0), make(1));
    let start = now();
    let sum = loop {
        if let (CoroutineResult::Return(done), CoroutineResult::Return(too)) =
            (one.resume(()), other.resume(()))
        {
            break done + too;
        }
    };
    let took = now() - start;
    if check {
        TURNS.check(1, sum);
    }
    (took, sum)
}
