//! The workloads of `cargo xtask bench sched` on tokio: see `work.rs`. All of it
//! runs in tasks, which is to say on the worker threads.

#[path = "../shared/platform_std.rs"]
#[allow(dead_code, reason = "the memory benchmarks need more of it")]
mod platform;
#[path = "../shared/status.rs"]
#[allow(dead_code, reason = "the memory benchmarks need it")]
mod status;
mod work;

use std::future;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task;
use tokio::time;

use platform::now;
use work::{BATCH, Load, Mailbox, NAP, Nap, Turns, Work, warm_up};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let work = Work::read(arguments.iter().map(String::as_str));
    let Some((work, load)) = work.and_then(|work| work.load().map(|load| (work, load))) else {
        eprintln!("usage: PROGRAM sched/SCENARIO PROCS SCALE");
        return ExitCode::FAILURE;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(work.procs)
        .enable_all()
        .build()
        .expect("threads");
    runtime.block_on(async {
        match load {
            Load::Yield(count) => {
                task::spawn(yields(warm_up(count), Some(work.procs)))
                    .await
                    .unwrap();
                let (took, sum) = task::spawn(yields(count, None)).await.unwrap();
                work.each(took, 2 * count, sum);
            }
            Load::SpawnWait(count) => {
                task::spawn(spawn_wait(warm_up(count))).await.unwrap();
                let (took, sum) = task::spawn(spawn_wait(count)).await.unwrap();
                work.each(took, count, sum);
            }
            Load::SpawnSignal(count) => {
                task::spawn(spawn_signal(warm_up(count))).await.unwrap();
                let (took, sum) = task::spawn(spawn_signal(count)).await.unwrap();
                work.each(took, count, sum);
            }
            Load::SpawnMany(batches) => {
                task::spawn(spawn_many(warm_up(batches))).await.unwrap();
                let (took, sum) = task::spawn(spawn_many(batches)).await.unwrap();
                work.each(took, batches * BATCH, sum);
            }
            Load::Wake(count) => {
                let mut times = task::spawn(wakes(count)).await.unwrap();
                work.wakes(&mut times);
            }
            Load::Sleep(sleepers, times) => {
                let (first, _) = task::spawn(sleeps(sleepers, times)).await.unwrap();
                let (again, sum) = task::spawn(sleeps(sleepers, times)).await.unwrap();
                work.all(first, again, sum);
            }
            Load::Idle(count) => {
                task::spawn(park(count)).await.unwrap();
                work.idle(count);
                time::sleep(Duration::from_secs(3600)).await;
            }
        }
    });
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
            task::yield_now().await;
            done += 1;
        }
        done
    }
    let check = procs.is_some();
    let start = now();
    let both = [
        task::spawn(give_way(0, count, check)),
        task::spawn(give_way(1, count, check)),
    ];
    let mut sum = 0;
    for one in both {
        sum += one.await.unwrap();
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
        sum += task::spawn(async move { number }).await.unwrap();
    }
    (now() - start, sum)
}

/// The same, with a channel.
async fn spawn_signal(count: u64) -> (u64, u64) {
    let mut sum = 0;
    let start = now();
    for number in 0..count {
        let (done, result) = oneshot::channel();
        task::spawn(async move { done.send(number) });
        sum += result.await.unwrap();
    }
    (now() - start, sum)
}

/// Spawns many and waits for all, again and again.
async fn spawn_many(batches: u64) -> (u64, u64) {
    let mut sum = 0;
    let mut handles = Vec::with_capacity(BATCH as usize);
    let start = now();
    for _ in 0..batches {
        handles.extend((0..BATCH).map(|number| task::spawn(async move { number })));
        for handle in handles.drain(..) {
            sum += handle.await.unwrap();
        }
    }
    (now() - start, sum)
}

/// Wakes one on the other processor, again and again.
async fn wakes(count: u64) -> Vec<u64> {
    static MAILBOX: Mailbox = Mailbox::new();
    static NOTIFY: Notify = Notify::const_new();
    let sleeper = task::spawn(async move {
        for number in 1..=count {
            while !MAILBOX.posted(number) {
                NOTIFY.notified().await;
            }
            MAILBOX.answer();
        }
    });
    let wake = |number| MAILBOX.wake(number, || NOTIFY.notify_one());
    let times = (1..=count).map(wake).collect();
    sleeper.await.unwrap();
    times
}

/// Has many sleep.
async fn sleeps(sleepers: u64, times: u64) -> (u64, u64) {
    async fn sleep(number: u64, times: u64) -> u64 {
        for _ in 0..times {
            let nap = Nap::begin(number);
            time::sleep(Duration::from_nanos(NAP)).await;
            nap.end();
        }
        times
    }
    let mut sum = 0;
    let start = now();
    let handles: Vec<_> = (0..sleepers)
        .map(|number| task::spawn(sleep(number, times)))
        .collect();
    for handle in handles {
        sum += handle.await.unwrap();
    }
    (now() - start, sum)
}

/// Has many park for good.
async fn park(count: u64) {
    static PARKED: AtomicU64 = AtomicU64::new(0);
    for _ in 0..count {
        task::spawn(async {
            PARKED.fetch_add(1, Ordering::Release); // pairs with the load below
            future::pending::<()>().await;
        });
    }
    while PARKED.load(Ordering::Acquire) < count {
        task::yield_now().await;
    }
}
