//! Every way to send against every way to receive, over every kind of channel: all messages
//! arrive, once and whole.

use alloc::vec::Vec;
use core::cell::Cell;
use core::time::Duration;

use gort::channel::{
    Receiver, RecvTimeoutError, Select, SendTimeoutError, Sender, TryRecvError, TrySendError,
    bounded, unbounded,
};
use gort::thread::{self, JoinHandle};

use crate::{Counted, alive, until_alone};

/// A way to send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Send {
    Plain,
    Try,
    Timeout,
    Select,
    SelectTimeout,
    Ready,
    Mixed,
}

/// A way to receive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Recv {
    Plain,
    Try,
    Timeout,
    Select,
    SelectTimeout,
    Ready,
    Mixed,
}

const SENDS: [Send; 7] = [
    Send::Plain,
    Send::Try,
    Send::Timeout,
    Send::Select,
    Send::SelectTimeout,
    Send::Ready,
    Send::Mixed,
];

const RECVS: [Recv; 7] = [
    Recv::Plain,
    Recv::Try,
    Recv::Timeout,
    Recv::Select,
    Recv::SelectTimeout,
    Recv::Ready,
    Recv::Mixed,
];

/// Numbers that look random.
pub(crate) struct Random(Cell<u64>);

impl Random {
    pub(crate) fn new(seed: usize) -> Self {
        Self(Cell::new(
            (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        ))
    }

    pub(crate) fn below(&self, end: usize) -> usize {
        let mut state = self.0.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.0.set(state);
        (state >> 20) as usize % end
    }
}

/// A time that is over before others have done much.
fn short(random: &Random) -> Duration {
    Duration::from_nanos(random.below(40_000) as u64)
}

/// Sends one message that way; false if the receivers are gone.
pub(crate) fn send<T>(s: &Sender<T>, mut message: T, way: Send, random: &Random) -> bool {
    let way = match way {
        Send::Mixed => SENDS[random.below(6)],
        way => way,
    };
    loop {
        // Two that only look whether there is a partner would do so for ever.
        if matches!(way, Send::Try | Send::Ready) && random.below(8) == 0 {
            return s.send(message).is_ok();
        }
        match way {
            Send::Plain => return s.send(message).is_ok(),
            Send::Try => match s.try_send(message) {
                Ok(()) => return true,
                Err(TrySendError::Full(back)) => message = back,
                Err(TrySendError::Disconnected(_)) => return false,
            },
            Send::Timeout => match s.send_timeout(message, short(random)) {
                Ok(()) => return true,
                Err(SendTimeoutError::Timeout(back)) => message = back,
                Err(SendTimeoutError::Disconnected(_)) => return false,
            },
            Send::Select => {
                let mut select = Select::new();
                select.send(s);
                select.send(s);
                let selected = select.select();
                if random.below(4) == 0 {
                    thread::yield_now(); // who makes the message may do anything
                }
                return selected.send(s, message).is_ok();
            }
            Send::SelectTimeout => {
                let mut select = Select::new();
                select.send(s);
                if let Ok(selected) = select.select_timeout(short(random)) {
                    return selected.send(s, message).is_ok();
                }
            }
            Send::Ready | Send::Mixed => {
                let mut select = Select::new();
                select.send(s);
                if select.ready_timeout(short(random)).is_ok() {
                    match s.try_send(message) {
                        Ok(()) => return true,
                        Err(TrySendError::Full(back)) => message = back,
                        Err(TrySendError::Disconnected(_)) => return false,
                    }
                }
            }
        }
        thread::yield_now();
    }
}

/// Receives one message that way; none if there will be none any more.
pub(crate) fn recv<T>(r: &Receiver<T>, way: Recv, random: &Random) -> Option<T> {
    let way = match way {
        Recv::Mixed => RECVS[random.below(6)],
        way => way,
    };
    loop {
        if matches!(way, Recv::Try | Recv::Ready) && random.below(8) == 0 {
            return r.recv().ok(); // as in send
        }
        match way {
            Recv::Plain => return r.recv().ok(),
            Recv::Try => match r.try_recv() {
                Ok(message) => return Some(message),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {}
            },
            Recv::Timeout => match r.recv_timeout(short(random)) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            },
            Recv::Select => {
                let mut select = Select::new();
                select.recv(r);
                select.recv(r);
                let selected = select.select();
                if random.below(4) == 0 {
                    thread::yield_now();
                }
                return selected.recv(r).ok();
            }
            Recv::SelectTimeout => {
                let mut select = Select::new();
                select.recv(r);
                if let Ok(selected) = select.select_timeout(short(random)) {
                    return selected.recv(r).ok();
                }
            }
            Recv::Ready | Recv::Mixed => {
                let mut select = Select::new();
                select.recv(r);
                if select.ready_timeout(short(random)).is_ok() {
                    match r.try_recv() {
                        Ok(message) => return Some(message),
                        Err(TryRecvError::Disconnected) => return None,
                        Err(TryRecvError::Empty) => {}
                    }
                }
            }
        }
        thread::yield_now();
    }
}

/// Makes a channel; `None` is one without a limit.
pub(crate) fn channel<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    capacity.map_or_else(unbounded, bounded)
}

/// Three that send and three that receive: everything arrives.
fn transfer<const SIZE: usize>(capacity: Option<usize>, way: (Send, Recv), count: usize) {
    const PARTIES: usize = 3;
    let (s, r) = channel::<Counted<SIZE>>(capacity);
    let senders: Vec<_> = (0..PARTIES)
        .map(|party| {
            let s = s.clone();
            thread::spawn(move || {
                let random = Random::new(party);
                for at in 0..count {
                    let message = Counted::new(at * PARTIES + party);
                    assert!(send(&s, message, way.0, &random), "{way:?}");
                }
            })
        })
        .collect();
    drop(s);
    let receivers: Vec<JoinHandle<Vec<usize>>> = (0..PARTIES)
        .map(|party| {
            let r = r.clone();
            thread::spawn(move || {
                let random = Random::new(party + 100);
                let mut got = Vec::new();
                while let Some(message) = recv(&r, way.1, &random) {
                    got.push(message.value());
                }
                got
            })
        })
        .collect();
    drop(r);
    for sender in senders {
        sender.join().unwrap();
    }
    let mut all = Vec::new();
    for receiver in receivers {
        all.extend(receiver.join().unwrap());
    }
    all.sort_unstable();
    assert!(
        all.into_iter().eq(0..PARTIES * count),
        "{capacity:?} {way:?}"
    );
    assert_eq!(alive(), 0);
}

fn all_ways<const SIZE: usize>(capacity: Option<usize>) {
    for send in SENDS {
        for recv in RECVS {
            transfer::<SIZE>(capacity, (send, recv), 60);
        }
    }
    until_alone();
}

gort_test::test_module! {
    fn a_word_without_capacity() {
        all_ways::<1>(Some(0));
    }

    fn a_word_with_room_for_one() {
        all_ways::<1>(Some(1));
    }

    fn a_word_with_room_for_three() {
        all_ways::<1>(Some(3));
    }

    fn a_word_without_a_limit() {
        all_ways::<1>(None);
    }

    fn large_ones_without_capacity() {
        all_ways::<40>(Some(0));
    }

    fn large_ones_with_room_for_one() {
        all_ways::<40>(Some(1));
    }

    fn large_ones_with_room_for_three() {
        all_ways::<40>(Some(3));
    }

    fn large_ones_without_a_limit() {
        all_ways::<40>(None);
    }
}
