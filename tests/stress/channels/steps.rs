//! One message sent, received, or both, in one of the ways in which that can be done.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::channel::{
    Receiver, Select, SendTimeoutError, Sender, TryRecvError, TrySendError, after, bounded, select,
    tick, unbounded,
};
use gort::runtime::gosched;
use gort::time::Duration;

use super::messages::{Books, Message};
use crate::Random;

/// How many messages were tried to be sent, in all storms.
pub(super) static OPERATIONS: AtomicUsize = AtomicUsize::new(0);

/// A time that is over before others have done much.
pub(super) fn short(random: &Random) -> Duration {
    Duration::from_nanos(random.below(30_000) as u64)
}

/// Makes a channel of some kind.
pub(super) fn channel<M>(random: &Random) -> (Sender<M>, Receiver<M>) {
    match random.below(8) {
        0..4 => bounded(0),
        4 | 5 => bounded(1),
        6 => bounded(3),
        _ => unbounded(),
    }
}

/// What came of an attempt.
pub(super) enum Outcome {
    Done,
    NotNow,
    /// That one is disconnected.
    Closed(usize),
}

/// Tries to send a message through one of several, in some way.
pub(super) fn send<M: Message>(
    senders: &[Sender<M>],
    books: &Arc<Books>,
    random: &Random,
) -> Outcome {
    OPERATIONS.fetch_add(1, Ordering::Relaxed);
    let at = random.below(senders.len());
    let s = &senders[at];
    let message = M::new(random, books);
    let number = message.number();
    let result = match random.below(8) {
        0 | 1 => s.send(message).map_err(|_| Outcome::Closed(at)),
        2 => s.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => Outcome::NotNow,
            TrySendError::Disconnected(_) => Outcome::Closed(at),
        }),
        3 => {
            let result = s.send_timeout(message, short(random));
            result.map_err(|error| match error {
                SendTimeoutError::Timeout(_) => Outcome::NotNow,
                SendTimeoutError::Disconnected(_) => Outcome::Closed(at),
            })
        }
        4 => {
            let mut list = Select::new();
            senders.iter().for_each(|s| _ = list.send(s));
            list.send(s); // once more
            let selected = list.select();
            let at = selected.index() % senders.len();
            let at = if selected.index() == senders.len() {
                senders.iter().position(|one| core::ptr::eq(one, s))
            } else {
                Some(at)
            }
            .unwrap();
            if random.below(4) == 0 {
                gosched(); // who makes a message may do anything
            }
            let result = selected.send(&senders[at], message);
            result.map_err(|_| Outcome::Closed(at))
        }
        5 => {
            let mut list = Select::new();
            senders.iter().for_each(|s| _ = list.send(s));
            match list.ready_timeout(short(random)) {
                Ok(at) => senders[at].try_send(message).map_err(|error| match error {
                    TrySendError::Full(_) => Outcome::NotNow,
                    TrySendError::Disconnected(_) => Outcome::Closed(at),
                }),
                Err(_) => Err(Outcome::NotNow),
            }
        }
        6 => select! {
            send(s, message) -> result => result.map_err(|_| Outcome::Closed(at)),
            recv(after(short(random))) -> _ => Err(Outcome::NotNow),
        },
        _ => select! {
            send(s, message) -> result => result.map_err(|_| Outcome::Closed(at)),
            recv(tick(short(random))) -> _ => Err(Outcome::NotNow),
            default(short(random)) => Err(Outcome::NotNow),
        },
    };
    match result {
        Ok(()) => {
            books.sent.add(number);
            Outcome::Done
        }
        Err(outcome) => outcome,
    }
}

/// Tries to receive a message from one of several, in some way; never waits for a single one
/// for ever, as others may wait for us at another.
pub(super) fn receive<M: Message>(
    receivers: &[Receiver<M>],
    books: &Arc<Books>,
    random: &Random,
) -> Outcome {
    let at = random.below(receivers.len());
    let r = &receivers[at];
    let result = match random.below(7) {
        0 if receivers.len() == 1 => r.recv().map_err(|_| Outcome::Closed(at)),
        0 | 1 => r.recv_timeout(short(random)).map_err(|error| {
            if error.is_timeout() {
                Outcome::NotNow
            } else {
                Outcome::Closed(at)
            }
        }),
        2 => r.try_recv().map_err(|error| match error {
            TryRecvError::Empty => Outcome::NotNow,
            TryRecvError::Disconnected => Outcome::Closed(at),
        }),
        3 => {
            let mut list = Select::new();
            receivers.iter().for_each(|r| _ = list.recv(r));
            let at = list.ready();
            receivers[at].try_recv().map_err(|error| match error {
                TryRecvError::Empty => Outcome::NotNow,
                TryRecvError::Disconnected => Outcome::Closed(at),
            })
        }
        4 => select! {
            recv(r) -> result => result.map_err(|_| Outcome::Closed(at)),
            recv(r) -> result => result.map_err(|_| Outcome::Closed(at)),
            recv(after(short(random))) -> _ => Err(Outcome::NotNow),
        },
        _ => {
            let mut list = Select::new();
            receivers.iter().for_each(|r| _ = list.recv(r));
            let selected = list.select();
            let at = selected.index();
            if random.below(8) == 0 {
                gosched();
            }
            selected
                .recv(&receivers[at])
                .map_err(|_| Outcome::Closed(at))
        }
    };
    match result {
        Ok(message) => {
            books.received.add(message.number());
            Outcome::Done
        }
        Err(outcome) => outcome,
    }
}

/// Repeats something with one of several handles until all are gone, or so often.
pub(super) fn repeat<H>(mut handles: Vec<H>, times: usize, step: impl Fn(&[H]) -> Outcome) {
    for _ in 0..times {
        if let Outcome::Closed(at) = step(&handles) {
            handles.swap_remove(at);
        }
        if handles.is_empty() {
            return;
        }
    }
}

/// Sends and receives with one select, on the same channel.
pub(super) fn both<M: Message>(
    ends: &[(Sender<M>, Receiver<M>)],
    books: &Arc<Books>,
    random: &Random,
) -> Outcome {
    let (s, r) = &ends[random.below(ends.len())];
    select! {
        send(s, {
            let message = M::new(random, books);
            books.sent.add(message.number());
            message
        }) -> result => assert!(result.is_ok()), // we have a receiver
        recv(r) -> message => books.received.add(message.unwrap().number()), // and a sender
        default(short(random)) => return Outcome::NotNow,
    }
    Outcome::Done
}
