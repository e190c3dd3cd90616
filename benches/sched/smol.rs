//! The workloads of `cargo xtask bench sched` on smol: see `work.rs`.
//! All of it runs in tasks of one executor: the main thread runs it, and as many
//! others as there are processors besides.

#[path = "../shared/platform_std.rs"]
#[allow(dead_code, reason = "the memory benchmarks need more of it")]
mod platform;
#[path = "../shared/status.rs"]
#[allow(dead_code, reason = "the memory benchmarks need it")]
mod status;
#[allow(dead_code, reason = "other programs need more of it")]
mod work;

use std::future;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use smol::{Executor, Timer, channel};

use platform::now;
use work::{BATCH, Load, Mailbox, NAP, Nap, Turns, Work, warm_up};

static EXECUTOR: Executor = Executor::new();

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let work = Work::read(arguments.iter().map(String::as_str));
    let Some((work, load)) = work.and_then(|work| work.load().map(|load| (work, load))) else {
        eprintln!("usage: PROGRAM sched/SCENARIO PROCS SCALE");
        return ExitCode::FAILURE;
    };
    for _ in 1..work.procs {
        thread::spawn(|| smol::block_on(EXECUTOR.run(future::pending::<()>())));
    }
    smol::block_on(EXECUTOR.run(async {
        match load {
            Load::Yield(count) => {
                EXECUTOR
                    .spawn(yields(warm_up(count), Some(work.procs)))
                    .await;
                let (took, sum) = EXECUTOR.spawn(yields(count, None)).await;
                work.each(took, 2 * count, sum);
            }
            Load::SpawnWait(count) => {
                EXECUTOR.spawn(spawn_wait(warm_up(count))).await;
                let (took, sum) = EXECUTOR.spawn(spawn_wait(count)).await;
                work.each(took, count, sum);
            }
            Load::SpawnSignal(count) => {
                EXECUTOR.spawn(spawn_signal(warm_up(count))).await;
                let (took, sum) = EXECUTOR.spawn(spawn_signal(count)).await;
                work.each(took, count, sum);
            }
            Load::SpawnMany(batches) => {
                EXECUTOR.spawn(spawn_many(warm_up(batches))).await;
                let (took, sum) = EXECUTOR.spawn(spawn_many(batches)).await;
                work.each(took, batches * BATCH, sum);
            }
            Load::Wake(count) => {
                let mut times = EXECUTOR.spawn(wakes(count)).await;
                work.wakes(&mut times);
            }
            Load::Sleep(sleepers, times) => {
                let (first, _) = EXECUTOR.spawn(sleeps(sleepers, times)).await;
                let (again, sum) = EXECUTOR.spawn(sleeps(sleepers, times)).await;
                work.all(first, again, sum);
            }
            Load::Idle(count) => {
                EXECUTOR.spawn(park(count)).await;
                work.idle(count);
                Timer::after(Duration::from_secs(3600)).await;
            }
        }
    }));
    ExitCode::SUCCESS
}

/// Has two give way to each other; checks that they do so on `procs`.
async fn yields(count: u64, procs: Option<usize>) -> (u64, u64) {
    static TURNS: Turns = Turns::new();
    async fn give_way(who: u64, count: u64, check: bool) -> u64 {
        let mut done = 0;
        for _ in 0..count {
            if check {
                TURNS.take(who);
            }
            smol::future::yield_now().await;
            done += 1;
        }
        done
    }
    let check = procs.is_some();
    let start = now();
    let both = [
        EXECUTOR.spawn(give_way(0, count, check)),
        EXECUTOR.spawn(give_way(1, count, check)),
    ];
    let mut sum = 0;
    for one in both {
        sum += one.await;
    }
    let took = now() - start;
    if let Some(procs) = procs {
        TURNS.check(procs, sum);
    }
    (took, sum)
}

/// Spawns one and waits for it, again and again.
async fn spawn_wait(count: u64) -> (u64, u64) {
    let mut sum = 0;
    let start = now();
    for number in 0..count {
        sum += EXECUTOR.spawn(async move { number }).await;
    }
    (now() - start, sum)
}

/// The same, with a channel.
async fn spawn_signal(count: u64) -> (u64, u64) {
    let mut sum = 0;
    let (done, result) = channel::bounded(1);
    let start = now();
    for number in 0..count {
        let done = done.clone();
        EXECUTOR
            .spawn(async move { done.send(number).await.unwrap() })
            .detach();
        sum += result.recv().await.unwrap();
    }
    (now() - start, sum)
}

/// Spawns many and waits for all, again and again.
async fn spawn_many(batches: u64) -> (u64, u64) {
    let mut sum = 0;
    let mut tasks = Vec::with_capacity(BATCH as usize);
    let start = now();
    for _ in 0..batches {
        tasks.extend((0..BATCH).map(|number| EXECUTOR.spawn(async move { number })));
        for task in tasks.drain(..) {
            sum += task.await;
        }
    }
    (now() - start, sum)
}

/// Wakes one on the other processor, again and again.
async fn wakes(count: u64) -> Vec<u64> {
    static MAILBOX: Mailbox = Mailbox::new();
    let (waker, woken) = channel::bounded(1);
    let sleeper = EXECUTOR.spawn(async move {
        for number in 1..=count {
            while !MAILBOX.posted(number) {
                woken.recv().await.unwrap();
            }
            MAILBOX.answer();
        }
    });
    let wake = |number| MAILBOX.wake(number, || waker.try_send(()).expect("it took the last"));
    let times = (1..=count).map(wake).collect();
    sleeper.await;
    times
}

/// Has many sleep.
async fn sleeps(sleepers: u64, times: u64) -> (u64, u64) {
    async fn sleep(number: u64, times: u64) -> u64 {
        for _ in 0..times {
            let nap = Nap::begin(number);
            Timer::after(Duration::from_nanos(NAP)).await;
            nap.end();
        }
        times
    }
    let mut sum = 0;
    let start = now();
    let tasks: Vec<_> = (0..sleepers)
        .map(|number| EXECUTOR.spawn(sleep(number, times)))
        .collect();
    for task in tasks {
        sum += task.await;
    }
    (now() - start, sum)
}

/// Has many park for good.
async fn park(count: u64) {
    static PARKED: AtomicU64 = AtomicU64::new(0);
    for _ in 0..count {
        let parked = async {
            PARKED.fetch_add(1, Ordering::Release); // pairs with the load below
            future::pending::<()>().await;
        };
        EXECUTOR.spawn(parked).detach();
    }
    while PARKED.load(Ordering::Acquire) < count {
        smol::future::yield_now().await;
    }
}
