//! The workloads of `cargo xtask bench chan` on tokio: see `work.rs`. All of it runs in
//! tasks, which is to say on the worker threads.
//!
//! tokio has no channel without a buffer: one of 1 takes its place, so that who sends
//! goes on before the other has received. Nor has it one with many receivers: its users
//! take the crate async-channel.

#[path = "../shared/platform_std.rs"]
#[allow(dead_code, reason = "the memory benchmarks need more of it")]
mod platform;
#[path = "../shared/status.rs"]
#[allow(dead_code, reason = "the memory benchmarks need it")]
mod status;
mod work;

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::sync::mpsc::{self, Sender};
use tokio::task;

use platform::now;
use work::{
    CAPACITY, CHILDREN, LEAVERS, LOCKERS, Load, RECEIVERS, SENDERS, Sequence, Work, warm_up,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let work = Work::read(arguments.iter().map(String::as_str));
    let Some((work, load)) = work.and_then(|work| work.load().map(|load| (work, load))) else {
        eprintln!("usage: PROGRAM chan/SCENARIO PROCS SCALE");
        return ExitCode::FAILURE;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(work.procs)
        .enable_all()
        .build()
        .expect("threads");
    runtime.block_on(async {
        match load {
            Load::PingPong(count) => {
                task::spawn(ping_pong(warm_up(count))).await.unwrap();
                let (took, sum) = task::spawn(ping_pong(count)).await.unwrap();
                work.each(took, count, sum);
            }
            Load::Buffered(count) => {
                task::spawn(buffered(warm_up(count))).await.unwrap();
                let (took, sum) = task::spawn(buffered(count)).await.unwrap();
                work.each(took, count, sum);
            }
            Load::Many(count) => {
                task::spawn(many(warm_up(count))).await.unwrap();
                let (took, sum) = task::spawn(many(count)).await.unwrap();
                work.each(took, SENDERS * count, sum);
            }
            Load::Close(count) => {
                task::spawn(close(warm_up(count))).await.unwrap();
                let (took, sum) = task::spawn(close(count)).await.unwrap();
                work.each(took, LEAVERS * count, sum);
            }
            Load::Select(count, capacity) => {
                let capacity = capacity.max(1);
                task::spawn(selects(warm_up(count), capacity))
                    .await
                    .unwrap();
                let (took, sum) = task::spawn(selects(count, capacity)).await.unwrap();
                work.each(took, 2 * count, sum);
            }
            Load::Mutex(count, gives_way) => {
                task::spawn(locks(warm_up(count), gives_way)).await.unwrap();
                let (took, last) = task::spawn(locks(count, gives_way)).await.unwrap();
                work.each(took, LOCKERS * count, last);
            }
            Load::Skynet(leaves) => {
                let (first, _) = task::spawn(skynet(leaves)).await.unwrap();
                let (again, sum) = task::spawn(skynet(leaves)).await.unwrap();
                work.all(first, again, sum);
            }
        }
    });
    ExitCode::SUCCESS
}

/// Sends a number to another one, which sends it back, again and again.
async fn ping_pong(count: u64) -> (u64, u64) {
    let (ping, mut pinged) = mpsc::channel(1);
    let (pong, mut ponged) = mpsc::channel(1);
    let start = now();
    let other = task::spawn(async move {
        while let Some(number) = pinged.recv().await {
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
    other.await.unwrap();
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
    let (sender, mut receiver) = mpsc::channel(CAPACITY);
    let mut sum = 0;
    let start = now();
    let producer = task::spawn(produce(sender, count));
    while let Some(number) = receiver.recv().await {
        sum += number;
    }
    let took = now() - start;
    producer.await.unwrap();
    (took, sum)
}

/// Has some send what some others receive.
async fn many(count: u64) -> (u64, u64) {
    let (sender, receiver) = async_channel::bounded(CAPACITY);
    let start = now();
    for _ in 0..SENDERS {
        let sender = sender.clone();
        task::spawn(async move {
            for number in 0..count {
                sender.send(number).await.unwrap();
            }
        });
    }
    drop(sender);
    let receivers: Vec<_> = (0..RECEIVERS)
        .map(|_| {
            let receiver = receiver.clone();
            task::spawn(async move {
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
        sum += receiver.await.unwrap();
    }
    (now() - start, sum)
}

/// Receives what many send until all of them have gone.
async fn close(count: u64) -> (u64, u64) {
    let (sender, mut receiver) = mpsc::channel(CAPACITY);
    let mut sum = 0;
    let start = now();
    for _ in 0..LEAVERS {
        task::spawn(produce(sender.clone(), count));
    }
    drop(sender);
    while let Some(number) = receiver.recv().await {
        sum += number;
    }
    (now() - start, sum)
}

/// Receives what two send by a channel each.
async fn selects(count: u64, capacity: usize) -> (u64, u64) {
    let (sender, mut one) = mpsc::channel(capacity);
    let (other_sender, mut other) = mpsc::channel(capacity);
    let mut sum = 0;
    let start = now();
    let senders = [
        task::spawn(produce(sender, count)),
        task::spawn(produce(other_sender, count)),
    ];
    for _ in 0..2 * count {
        // A branch that finds its channel closed is no match.
        sum += tokio::select! {
            Some(number) = one.recv() => number,
            Some(number) = other.recv() => number,
        };
    }
    let took = now() - start;
    for sender in senders {
        sender.await.unwrap();
    }
    (took, sum)
}

/// Has some change what one lock protects. It is tokio's own lock, by which a task waits;
/// std's would have the worker thread wait.
async fn locks(count: u64, gives_way: bool) -> (u64, u64) {
    let sequence = Arc::new(Mutex::new(Sequence::new()));
    let start = now();
    let lockers: Vec<_> = (0..LOCKERS)
        .map(|_| {
            let sequence = Arc::clone(&sequence);
            task::spawn(async move {
                for _ in 0..count {
                    let mut sequence = sequence.lock().await;
                    sequence.step();
                    if gives_way {
                        task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    for locker in lockers {
        locker.await.unwrap();
    }
    let took = now() - start;
    let last = sequence.lock().await.number();
    (took, last)
}

/// Starts a tree of them, and waits for the sum.
async fn skynet(leaves: u64) -> (u64, u64) {
    let (sender, mut receiver) = mpsc::channel(1);
    let start = now();
    task::spawn(grow(sender, 0, leaves));
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
        let (sender, mut receiver) = mpsc::channel(1);
        let part = leaves / CHILDREN;
        for child in 0..CHILDREN {
            task::spawn(grow(sender.clone(), first + child * part, part));
        }
        let mut sum = 0;
        for _ in 0..CHILDREN {
            sum += receiver.recv().await.unwrap();
        }
        parent.send(sum).await.unwrap();
    })
}
