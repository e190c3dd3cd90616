//! The workloads of `cargo xtask bench sched` on may: see `work.rs`.
//! All of it runs in coroutines, which is to say on the worker threads.

#[path = "../shared/platform_std.rs"]
#[allow(dead_code, reason = "the memory benchmarks need more of it")]
mod platform;
#[path = "../shared/status.rs"]
#[allow(dead_code, reason = "the memory benchmarks need it")]
mod status;
mod work;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use may::coroutine::{self, JoinHandle};
use may::go;

use platform::now;
use work::{BATCH, Load, Mailbox, NAP, Nap, Turns, Work, warm_up};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let work = Work::read(arguments.iter().map(String::as_str));
    let Some((work, load)) = work.and_then(|work| work.load().map(|load| (work, load))) else {
        eprintln!("usage: PROGRAM sched/SCENARIO PROCS SCALE");
        return ExitCode::FAILURE;
    };
    may::config().set_workers(work.procs);
    let procs = work.procs;
    match load {
        Load::Yield(count) => {
            end(go!(move || yields(warm_up(count), Some(procs))));
            let (took, sum) = end(go!(move || yields(count, None)));
            work.each(took, 2 * count, sum);
        }
        Load::SpawnWait(count) => {
            end(go!(move || spawn_wait(warm_up(count))));
            let (took, sum) = end(go!(move || spawn_wait(count)));
            work.each(took, count, sum);
        }
        Load::SpawnSignal(count) => {
            end(go!(move || spawn_signal(warm_up(count))));
            let (took, sum) = end(go!(move || spawn_signal(count)));
            work.each(took, count, sum);
        }
        Load::SpawnMany(batches) => {
            end(go!(move || spawn_many(warm_up(batches))));
            let (took, sum) = end(go!(move || spawn_many(batches)));
            work.each(took, batches * BATCH, sum);
        }
        Load::Wake(count) => {
            let mut times = end(go!(move || wakes(count)));
            work.wakes(&mut times);
        }
        Load::Sleep(sleepers, times) => {
            let (first, _) = end(go!(move || sleeps(sleepers, times)));
            let (again, sum) = end(go!(move || sleeps(sleepers, times)));
            work.all(first, again, sum);
        }
        Load::Idle(count) => {
            end(go!(move || park(count)));
            work.idle(count);
            end(go!(|| coroutine::sleep(Duration::from_secs(3600))));
        }
    }
    ExitCode::SUCCESS
}

/// Waits for a coroutine, and returns what it returned.
fn end<T>(handle: JoinHandle<T>) -> T {
    handle.join().expect("it says why itself")
}

/// Has two give way to each other; checks that they do so on `procs`.
fn yields(count: u64, procs: Option<usize>) -> (u64, u64) {
    static TURNS: Turns = Turns::new();
    let check = procs.is_some();
    let give_way = move |who| {
        let mut done = 0;
        for _ in 0..count {
            if check {
                TURNS.take(who);
            }
            coroutine::yield_now();
            done += 1;
        }
        done
    };
    let start = now();
    let both = [go!(move || give_way(0)), go!(move || give_way(1))];
    let sum = both.map(end).iter().sum();
    let took = now() - start;
    if let Some(procs) = procs {
        TURNS.check(procs, sum);
    }
    (took, sum)
}

/// Spawns one and waits for it, again and again.
fn spawn_wait(count: u64) -> (u64, u64) {
    let start = now();
    let sum = (0..count).map(|number| end(go!(move || number))).sum();
    (now() - start, sum)
}

/// The same, with a wake-up by hand.
fn spawn_signal(count: u64) -> (u64, u64) {
    static DONE: AtomicU64 = AtomicU64::new(0);
    DONE.store(0, Ordering::Relaxed); // before anybody else looks
    let me = coroutine::current();
    let mut sum = 0;
    let start = now();
    for number in 0..count {
        let waiter = me.clone();
        // Nobody waits for its end.
        drop(go!(move || {
            DONE.store(number + 1, Ordering::Release); // pairs with the load below
            waiter.unpark();
        }));
        while DONE.load(Ordering::Acquire) <= number {
            coroutine::park();
        }
        sum += DONE.load(Ordering::Acquire) - 1;
    }
    (now() - start, sum)
}

/// Spawns many and waits for all, again and again.
fn spawn_many(batches: u64) -> (u64, u64) {
    let mut sum = 0;
    let mut handles = Vec::with_capacity(BATCH as usize);
    let start = now();
    for _ in 0..batches {
        handles.extend((0..BATCH).map(|number| go!(move || number)));
        sum += handles.drain(..).map(end).sum::<u64>();
    }
    (now() - start, sum)
}

/// Wakes one on the other processor, again and again.
fn wakes(count: u64) -> Vec<u64> {
    static MAILBOX: Mailbox = Mailbox::new();
    let sleeper = go!(move || {
        for number in 1..=count {
            while !MAILBOX.posted(number) {
                coroutine::park();
            }
            MAILBOX.answer();
        }
    });
    let wake = |number| MAILBOX.wake(number, || sleeper.coroutine().unpark());
    let times = (1..=count).map(wake).collect();
    end(sleeper);
    times
}

/// Has many sleep.
fn sleeps(sleepers: u64, times: u64) -> (u64, u64) {
    let sleep = move |number| {
        for _ in 0..times {
            let nap = Nap::begin(number);
            coroutine::sleep(Duration::from_nanos(NAP));
            nap.end();
        }
        times
    };
    let start = now();
    let handles: Vec<_> = (0..sleepers)
        .map(|number| go!(move || sleep(number)))
        .collect();
    let sum = handles.into_iter().map(end).sum();
    (now() - start, sum)
}

/// Has many park for good.
fn park(count: u64) {
    static PARKED: AtomicU64 = AtomicU64::new(0);
    for _ in 0..count {
        drop(go!(|| {
            PARKED.fetch_add(1, Ordering::Release); // pairs with the load below
            loop {
                coroutine::park();
            }
        }));
    }
    while PARKED.load(Ordering::Acquire) < count {
        coroutine::yield_now();
    }
}
