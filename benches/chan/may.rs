//! The workloads of `cargo xtask bench chan` on may: see `work.rs`. All of it runs in
//! coroutines, which is to say on the worker threads.
//!
//! may's channels have no bound: who sends never waits. It selects by a coroutine for
//! each channel, which all feed one queue of events.

#[path = "../shared/platform_std.rs"]
#[allow(dead_code, reason = "the memory benchmarks need more of it")]
mod platform;
#[path = "../shared/status.rs"]
#[allow(dead_code, reason = "the memory benchmarks need it")]
mod status;
#[allow(dead_code, reason = "a bound, which its channels do not have")]
mod work;

use std::process::ExitCode;
use std::sync::Arc;

use may::coroutine::{self, JoinHandle};
use may::sync::mpsc::{self, Sender};
use may::sync::{Mutex, mpmc};
use may::{cqueue, go};

use platform::now;
use work::{CHILDREN, LEAVERS, LOCKERS, Load, RECEIVERS, SENDERS, Sequence, Work, warm_up};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let work = Work::read(arguments.iter().map(String::as_str));
    let Some((work, load)) = work.and_then(|work| work.load().map(|load| (work, load))) else {
        eprintln!("usage: PROGRAM chan/SCENARIO PROCS SCALE");
        return ExitCode::FAILURE;
    };
    may::config().set_workers(work.procs);
    match load {
        Load::PingPong(count) => {
            end(go!(move || ping_pong(warm_up(count))));
            let (took, sum) = end(go!(move || ping_pong(count)));
            work.each(took, count, sum);
        }
        Load::Buffered(count) => {
            end(go!(move || buffered(warm_up(count))));
            let (took, sum) = end(go!(move || buffered(count)));
            work.each(took, count, sum);
        }
        Load::Many(count) => {
            end(go!(move || many(warm_up(count))));
            let (took, sum) = end(go!(move || many(count)));
            work.each(took, SENDERS * count, sum);
        }
        Load::Close(count) => {
            end(go!(move || close(warm_up(count))));
            let (took, sum) = end(go!(move || close(count)));
            work.each(took, LEAVERS * count, sum);
        }
        Load::Select(count, _) => {
            end(go!(move || selects(warm_up(count))));
            let (took, sum) = end(go!(move || selects(count)));
            work.each(took, 2 * count, sum);
        }
        Load::Mutex(count, gives_way) => {
            end(go!(move || locks(warm_up(count), gives_way)));
            let (took, last) = end(go!(move || locks(count, gives_way)));
            work.each(took, LOCKERS * count, last);
        }
        Load::Skynet(leaves) => {
            let (first, _) = end(go!(move || skynet(leaves)));
            let (again, sum) = end(go!(move || skynet(leaves)));
            work.all(first, again, sum);
        }
    }
    ExitCode::SUCCESS
}

/// Waits for a coroutine, and returns what it returned.
fn end<T>(handle: JoinHandle<T>) -> T {
    handle.join().expect("it says why itself")
}

/// Sends a number to another one, which sends it back, again and again.
fn ping_pong(count: u64) -> (u64, u64) {
    let (ping, pinged) = mpsc::channel();
    let (pong, ponged) = mpsc::channel();
    let start = now();
    let other = go!(move || {
        for number in pinged {
            pong.send(number).unwrap();
        }
    });
    let mut sum = 0;
    for number in 0..count {
        ping.send(number).unwrap();
        sum += ponged.recv().unwrap();
    }
    let took = now() - start;
    drop(ping);
    end(other);
    (took, sum)
}

/// Starts one that sends so many numbers.
fn produce(sender: Sender<u64>, count: u64) -> JoinHandle<()> {
    go!(move || for number in 0..count {
        sender.send(number).unwrap();
    })
}

/// Has one send what another receives.
fn buffered(count: u64) -> (u64, u64) {
    let (sender, receiver) = mpsc::channel();
    let start = now();
    let producer = produce(sender, count);
    let sum = receiver.iter().sum();
    let took = now() - start;
    end(producer);
    (took, sum)
}

/// Has some send what some others receive.
fn many(count: u64) -> (u64, u64) {
    let (sender, receiver) = mpmc::channel();
    let start = now();
    for _ in 0..SENDERS {
        let sender = sender.clone();
        // Nobody waits for its end.
        drop(go!(move || for number in 0..count {
            sender.send(number).unwrap();
        }));
    }
    drop(sender);
    let receivers: Vec<_> = (0..RECEIVERS)
        .map(|_| {
            let receiver = receiver.clone();
            go!(move || receiver.iter().sum::<u64>())
        })
        .collect();
    let sum = receivers.into_iter().map(end).sum();
    (now() - start, sum)
}

/// Receives what many send until all of them have gone.
fn close(count: u64) -> (u64, u64) {
    let (sender, receiver) = mpsc::channel();
    let start = now();
    for _ in 0..LEAVERS {
        drop(produce(sender.clone(), count)); // nobody waits for its end
    }
    drop(sender);
    let sum = receiver.iter().sum();
    (now() - start, sum)
}

/// Receives what two send by a channel each.
fn selects(count: u64) -> (u64, u64) {
    let (sender, one) = mpsc::channel();
    let (other_sender, other) = mpsc::channel();
    let start = now();
    let senders = [produce(sender, count), produce(other_sender, count)];
    let sum = cqueue::scope(|events| {
        for (token, receiver) in [one, other].into_iter().enumerate() {
            go!(events, token, move |event| for number in receiver {
                event.send(number as usize);
            });
        }
        let mut sum = 0;
        while let Ok(event) = events.poll(None) {
            sum += event.extra as u64;
        }
        sum
    });
    let took = now() - start;
    senders.into_iter().for_each(end);
    (took, sum)
}

/// Has some change what one lock protects.
fn locks(count: u64, gives_way: bool) -> (u64, u64) {
    let sequence = Arc::new(Mutex::new(Sequence::new()));
    let start = now();
    let lockers: Vec<_> = (0..LOCKERS)
        .map(|_| {
            let sequence = Arc::clone(&sequence);
            go!(move || for _ in 0..count {
                let mut sequence = sequence.lock().unwrap();
                sequence.step();
                if gives_way {
                    coroutine::yield_now();
                }
            })
        })
        .collect();
    lockers.into_iter().for_each(end);
    let took = now() - start;
    let last = sequence.lock().unwrap().number();
    (took, last)
}

/// Starts a tree of them, and waits for the sum.
fn skynet(leaves: u64) -> (u64, u64) {
    let (sender, receiver) = mpsc::channel();
    let start = now();
    drop(go!(move || grow(&sender, 0, leaves))); // nobody waits for its end
    let sum = receiver.recv().unwrap();
    (now() - start, sum)
}

/// One of the tree: sends its number, or the sum of those under it.
fn grow(parent: &Sender<u64>, first: u64, leaves: u64) {
    if leaves == 1 {
        return parent.send(first).unwrap();
    }
    let (sender, receiver) = mpsc::channel();
    let part = leaves / CHILDREN;
    for child in 0..CHILDREN {
        let sender = sender.clone();
        drop(go!(move || grow(&sender, first + child * part, part)));
    }
    let sum = receiver.iter().take(CHILDREN as usize).sum();
    parent.send(sum).unwrap();
}
