//! The workloads of `cargo xtask bench chan` on smol, with async-channel and async-lock:
//! see `work.rs`. All of it runs in tasks of one executor: the main thread runs it, and as
//! many others as there are processors besides.
//!
//! async-channel has no channel without a buffer: one of 1 takes its place, so that who
//! sends goes on before the other has received.

#[path = "../shared/platform_std.rs"]
#[allow(dead_code, reason = "the memory benchmarks need more of it")]
mod platform;
#[path = "../shared/status.rs"]
#[allow(dead_code, reason = "the memory benchmarks need it")]
mod status;
mod work;

use std::future::{self, Future};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use smol::Executor;
use smol::channel::{self, Sender};
use smol::lock::Mutex;

use platform::now;
use work::{
    CAPACITY, CHILDREN, LEAVERS, LOCKERS, Load, RECEIVERS, SENDERS, Sequence, Work, warm_up,
};

static EXECUTOR: Executor = Executor::new();

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let work = Work::read(arguments.iter().map(String::as_str));
    let Some((work, load)) = work.and_then(|work| work.load().map(|load| (work, load))) else {
        eprintln!("usage: PROGRAM chan/SCENARIO PROCS SCALE");
        return ExitCode::FAILURE;
    };
    for _ in 1..work.procs {
        thread::spawn(|| smol::block_on(EXECUTOR.run(future::pending::<()>())));
    }
    smol::block_on(EXECUTOR.run(async {
        match load {
            Load::PingPong(count) => {
                EXECUTOR.spawn(ping_pong(warm_up(count))).await;
                let (took, sum) = EXECUTOR.spawn(ping_pong(count)).await;
                work.each(took, count, sum);
            }
            Load::Buffered(count) => {
                EXECUTOR.spawn(buffered(warm_up(count))).await;
                let (took, sum) = EXECUTOR.spawn(buffered(count)).await;
                work.each(took, count, sum);
            }
            Load::Many(count) => {
                EXECUTOR.spawn(many(warm_up(count))).await;
                let (took, sum) = EXECUTOR.spawn(many(count)).await;
                work.each(took, SENDERS * count, sum);
            }
            Load::Close(count) => {
                EXECUTOR.spawn(close(warm_up(count))).await;
                let (took, sum) = EXECUTOR.spawn(close(count)).await;
                work.each(took, LEAVERS * count, sum);
            }
            Load::Select(count, capacity) => {
                let capacity = capacity.max(1);
                EXECUTOR.spawn(selects(warm_up(count), capacity)).await;
                let (took, sum) = EXECUTOR.spawn(selects(count, capacity)).await;
                work.each(took, 2 * count, sum);
            }
            Load::Mutex(count, gives_way) => {
                EXECUTOR.spawn(locks(warm_up(count), gives_way)).await;
                let (took, last) = EXECUTOR.spawn(locks(count, gives_way)).await;
                work.each(took, LOCKERS * count, last);
            }
            Load::Skynet(leaves) => {
                let (first, _) = EXECUTOR.spawn(skynet(leaves)).await;
                let (again, sum) = EXECUTOR.spawn(skynet(leaves)).await;
                work.all(first, again, sum);
            }
        }
    }));
    ExitCode::SUCCESS
}

/// Sends a number to another one, which sends it back, again and again.
async fn ping_pong(count: u64) -> (u64, u64) {
    let (ping, pinged) = channel::bounded(1);
    let (pong, ponged) = channel::bounded(1);
    let start = now();
    let other = EXECUTOR.spawn(async move {
        while let Ok(number) = pinged.recv().await {
            pong.send(number).await.unwrap();
        }
    });
    let mut sum = 0;
    for number in 0..count {
        ping.send(number).await.unwrap();
        sum += ponged.recv().await.unwrap();
    }
    let took = now() - start;
    drop(ping);
    other.await;
    (took, sum)
}

/// Sends so many numbers.
async fn produce(sender: Sender<u64>, count: u64) {
    for number in 0..count {
        sender.send(number).await.unwrap();
    }
}

/// Has one send what another receives.
async fn buffered(count: u64) -> (u64, u64) {
    let (sender, receiver) = channel::bounded(CAPACITY);
    let mut sum = 0;
    let start = now();
    let producer = EXECUTOR.spawn(produce(sender, count));
    while let Ok(number) = receiver.recv().await {
        sum += number;
    }
    let took = now() - start;
    producer.await;
    (took, sum)
}

/// Has some send what some others receive.
async fn many(count: u64) -> (u64, u64) {
    let (sender, receiver) = channel::bounded(CAPACITY);
    let start = now();
    for _ in 0..SENDERS {
        EXECUTOR.spawn(produce(sender.clone(), count)).detach();
    }
    drop(sender);
    let receivers: Vec<_> = (0..RECEIVERS)
        .map(|_| {
            let receiver = receiver.clone();
            EXECUTOR.spawn(async move {
                let mut sum = 0;
                while let Ok(number) = receiver.recv().await {
                    sum += number;
                }
                sum
            })
        })
        .collect();
    let mut sum = 0;
    for receiver in receivers {
        sum += receiver.await;
    }
    (now() - start, sum)
}

/// Receives what many send until all of them have gone.
async fn close(count: u64) -> (u64, u64) {
    let (sender, receiver) = channel::bounded(CAPACITY);
    let mut sum = 0;
    let start = now();
    for _ in 0..LEAVERS {
        EXECUTOR.spawn(produce(sender.clone(), count)).detach();
    }
    drop(sender);
    while let Ok(number) = receiver.recv().await {
        sum += number;
    }
    (now() - start, sum)
}

/// Receives what two send by a channel each.
async fn selects(count: u64, capacity: usize) -> (u64, u64) {
    let (sender, one) = channel::bounded(capacity);
    let (other_sender, other) = channel::bounded(capacity);
    let mut sum = 0;
    let start = now();
    // A channel whose senders have gone would be ready all the time.
    let senders = [
        EXECUTOR.spawn(produce(sender.clone(), count)),
        EXECUTOR.spawn(produce(other_sender.clone(), count)),
    ];
    for _ in 0..2 * count {
        let number = smol::future::race(one.recv(), other.recv()).await;
        sum += number.unwrap();
    }
    let took = now() - start;
    for sender in senders {
        sender.await;
    }
    (took, sum)
}

/// Has some change what one lock protects.
async fn locks(count: u64, gives_way: bool) -> (u64, u64) {
    let sequence = Arc::new(Mutex::new(Sequence::new()));
    let start = now();
    let lockers: Vec<_> = (0..LOCKERS)
        .map(|_| {
            let sequence = Arc::clone(&sequence);
            EXECUTOR.spawn(async move {
                for _ in 0..count {
                    let mut sequence = sequence.lock().await;
                    sequence.step();
                    if gives_way {
                        smol::future::yield_now().await;
                    }
                }
            })
        })
        .collect();
    for locker in lockers {
        locker.await;
    }
    let took = now() - start;
    let last = sequence.lock().await.number();
    (took, last)
}

/// Starts a tree of them, and waits for the sum.
async fn skynet(leaves: u64) -> (u64, u64) {
    let (sender, receiver) = channel::bounded(1);
    let start = now();
    EXECUTOR.spawn(grow(sender, 0, leaves)).detach();
    let sum = receiver.recv().await.unwrap();
    (now() - start, sum)
}

/// One of the tree: sends its number, or the sum of those under it. Boxed, since it is
/// made of others of its kind.
fn grow(parent: Sender<u64>, first: u64, leaves: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if leaves == 1 {
            return parent.send(first).await.unwrap();
        }
        let (sender, receiver) = channel::bounded(1);
        let part = leaves / CHILDREN;
        for child in 0..CHILDREN {
            EXECUTOR
                .spawn(grow(sender.clone(), first + child * part, part))
                .detach();
        }
        let mut sum = 0;
        for _ in 0..CHILDREN {
            sum += receiver.recv().await.unwrap();
        }
        parent.send(sum).await.unwrap();
    })
}
