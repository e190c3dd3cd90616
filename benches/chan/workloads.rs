//! The workloads of `cargo xtask bench chan` for whatever has std's threads and locks and
//! crossbeam's channels: goroutines, and threads themselves. See `work.rs`.
//!
//! The program that includes this says by `crate::library` whose they are: a module with
//! `channel`, `thread`, `Mutex`, and `go`, which starts one whose end nobody waits for.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::library::channel::{Receiver, Sender, bounded, select};
use crate::library::thread::{self, JoinHandle};
use crate::library::{Mutex, go};
use crate::platform::now;
use crate::work::{
    CAPACITY, CHILDREN, LEAVERS, LOCKERS, Load, RECEIVERS, SENDERS, Sequence, Work, warm_up,
};

/// Does what the command line asks for; false if it asks for nothing we know.
pub(crate) fn run<'a>(arguments: impl Iterator<Item = &'a str>) -> bool {
    let work = Work::read(arguments);
    let Some((work, load)) = work.and_then(|work| work.load().map(|load| (work, load))) else {
        return false;
    };
    match load {
        Load::PingPong(count) => {
            ping_pong(warm_up(count));
            let (took, sum) = ping_pong(count);
            work.each(took, count, sum);
        }
        Load::Buffered(count) => {
            buffered(warm_up(count));
            let (took, sum) = buffered(count);
            work.each(took, count, sum);
        }
        Load::Many(count) => {
            many(warm_up(count));
            let (took, sum) = many(count);
            work.each(took, SENDERS * count, sum);
        }
        Load::Close(count) => {
            close(warm_up(count));
            let (took, sum) = close(count);
            work.each(took, LEAVERS * count, sum);
        }
        Load::Select(count, capacity) => {
            selects(warm_up(count), capacity);
            let (took, sum) = selects(count, capacity);
            work.each(took, 2 * count, sum);
        }
        Load::Mutex(count, gives_way) => {
            locks(warm_up(count), gives_way);
            let (took, last) = locks(count, gives_way);
            work.each(took, LOCKERS * count, last);
        }
        Load::Skynet(leaves) => {
            let (first, _) = skynet(leaves);
            let (again, sum) = skynet(leaves);
            work.all(first, again, sum);
        }
    }
    true
}

/// Waits for one, and returns what it returned.
fn end<T>(handle: JoinHandle<T>) -> T {
    handle.join().expect("it says why itself")
}

/// Sends a number to another one, which sends it back, again and again.
fn ping_pong(count: u64) -> (u64, u64) {
    let (ping, pinged) = bounded(0);
    let (pong, ponged) = bounded(0);
    let start = now();
    let other = thread::spawn(move || {
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

/// Has one send what another receives.
fn buffered(count: u64) -> (u64, u64) {
    let (sender, receiver) = bounded(CAPACITY);
    let start = now();
    let producer = thread::spawn(move || {
        for number in 0..count {
            sender.send(number).unwrap();
        }
    });
    let sum = receiver.iter().sum();
    let took = now() - start;
    end(producer);
    (took, sum)
}

/// Has some send what some others receive.
fn many(count: u64) -> (u64, u64) {
    let (sender, receiver) = bounded(CAPACITY);
    let start = now();
    for _ in 0..SENDERS {
        let sender = sender.clone();
        go(move || {
            for number in 0..count {
                sender.send(number).unwrap();
            }
        });
    }
    drop(sender);
    let receivers: Vec<_> = (0..RECEIVERS)
        .map(|_| {
            let receiver: Receiver<u64> = receiver.clone();
            thread::spawn(move || receiver.iter().sum::<u64>())
        })
        .collect();
    let sum = receivers.into_iter().map(end).sum();
    (now() - start, sum)
}

/// Receives what many send until all of them have gone.
fn close(count: u64) -> (u64, u64) {
    let (sender, receiver) = bounded(CAPACITY);
    let start = now();
    for _ in 0..LEAVERS {
        let sender = sender.clone();
        go(move || {
            for number in 0..count {
                sender.send(number).unwrap();
            }
        });
    }
    drop(sender);
    let sum = receiver.iter().sum();
    (now() - start, sum)
}

/// Receives what two send by a channel each.
fn selects(count: u64, capacity: usize) -> (u64, u64) {
    let begin = |sender: Sender<u64>| {
        thread::spawn(move || {
            for number in 0..count {
                sender.send(number).unwrap();
            }
            sender // a channel without one would be ready all the time
        })
    };
    let (sender, one) = bounded(capacity);
    let (other_sender, other) = bounded(capacity);
    let start = now();
    let senders = [begin(sender), begin(other_sender)];
    let mut sum = 0;
    for _ in 0..2 * count {
        sum += select! {
            recv(one) -> number => number.unwrap(),
            recv(other) -> number => number.unwrap(),
        };
    }
    let took = now() - start;
    senders.into_iter().map(end).for_each(drop);
    (took, sum)
}

/// Has some change what one lock protects.
fn locks(count: u64, gives_way: bool) -> (u64, u64) {
    let sequence = Arc::new(Mutex::new(Sequence::new()));
    let start = now();
    let lockers: Vec<_> = (0..LOCKERS)
        .map(|_| {
            let sequence = Arc::clone(&sequence);
            thread::spawn(move || {
                for _ in 0..count {
                    let mut sequence = sequence.lock().unwrap();
                    sequence.step();
                    if gives_way {
                        thread::yield_now();
                    }
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
    let (sender, receiver) = bounded(0);
    let start = now();
    go(move || grow(&sender, 0, leaves));
    let sum = receiver.recv().unwrap();
    (now() - start, sum)
}

/// One of the tree: sends its number, or the sum of those under it.
fn grow(parent: &Sender<u64>, first: u64, leaves: u64) {
    if leaves == 1 {
        return parent.send(first).unwrap();
    }
    let (sender, receiver) = bounded(0);
    let part = leaves / CHILDREN;
    for child in 0..CHILDREN {
        let sender = sender.clone();
        go(move || grow(&sender, first + child * part, part));
    }
    let sum = receiver.iter().take(CHILDREN as usize).sum();
    parent.send(sum).unwrap();
}
