//! All at once: what every thread does is chosen at random, and at the end all adds up.
//!
//! Half a million messages in a release build, of words and of large values each half.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::channel::{Receiver, Select, Sender, bounded};
use gort::thread;

use crate::pairs::{self, Random, channel};
use crate::{Counted, alive};

/// How many messages a storm has.
const MESSAGES: usize = if cfg!(debug_assertions) {
    40_000
} else {
    250_000
};

/// Sums of what was sent and of what was received.
#[derive(Default)]
struct Sums {
    sent: AtomicUsize,
    received: AtomicUsize,
}

/// Eight that send over four channels of all kinds, eight that receive, each as it likes,
/// also from several at once; the channels end one after the other.
fn everything<const SIZE: usize>() {
    const PARTIES: usize = 8;
    let sums = Arc::new(Sums::default());
    let kinds = [Some(0), Some(1), Some(6), None];
    let (senders, receivers): (Vec<Sender<Counted<SIZE>>>, Vec<Receiver<Counted<SIZE>>>) =
        kinds.into_iter().map(channel).unzip();
    let mut threads = Vec::new();
    for party in 0..PARTIES {
        let (senders, sums) = (senders.clone(), Arc::clone(&sums));
        threads.push(thread::spawn(move || {
            let random = Random::new(party);
            for i in 0..MESSAGES / PARTIES {
                if random.below(3) == 0 {
                    let mut select = Select::new();
                    senders.iter().for_each(|s| _ = select.send(s));
                    let selected = select.select();
                    let s = &senders[selected.index()];
                    assert!(selected.send(s, Counted::new(i)).is_ok());
                } else {
                    let s = &senders[random.below(4)];
                    assert!(pairs::send(s, Counted::new(i), pairs::Send::Mixed, &random));
                }
                sums.sent.fetch_add(i, Ordering::Relaxed);
            }
        }));
    }
    drop(senders);
    for party in 0..PARTIES {
        let (mut receivers, sums) = (receivers.clone(), Arc::clone(&sums));
        threads.push(thread::spawn(move || {
            let random = Random::new(party + 50);
            while !receivers.is_empty() {
                // One that waits for a single channel may miss the others' messages: those
                // who send wait for them. So this selects.
                let mut select = Select::new();
                receivers.iter().for_each(|r| _ = select.recv(r));
                let at = if random.below(4) == 0 {
                    let at = select.ready();
                    let r = &receivers[at];
                    if let Ok(message) = r.try_recv() {
                        sums.received.fetch_add(message.value(), Ordering::Relaxed);
                    }
                    continue;
                } else {
                    select.select()
                };
                let index = at.index();
                match at.recv(&receivers[index]) {
                    Ok(message) => _ = sums.received.fetch_add(message.value(), Ordering::Relaxed),
                    Err(_) => drop(receivers.swap_remove(index)),
                }
            }
        }));
    }
    drop(receivers);
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!(
        sums.sent.load(Ordering::Relaxed),
        sums.received.load(Ordering::Relaxed)
    );
    assert_eq!(alive(), 0);
}

/// Many that send to many, who leave in the middle of it: what was sent is received or
/// dropped, and what could not be sent comes back.
fn leaving<const SIZE: usize>(capacity: Option<usize>, rounds: usize) {
    for round in 0..rounds {
        let sums = Arc::new(Sums::default());
        let (s, r) = channel::<Counted<SIZE>>(capacity);
        let mut threads = Vec::new();
        for party in 0..4 {
            let (s, sent, r, received) = (s.clone(), sums.clone(), r.clone(), sums.clone());
            threads.push(thread::spawn(move || {
                let random = Random::new(round * 8 + party);
                let mut i = 0;
                while pairs::send(&s, Counted::new(i), pairs::Send::Mixed, &random) {
                    sent.sent.fetch_add(1, Ordering::Relaxed);
                    i += 1;
                }
            }));
            threads.push(thread::spawn(move || {
                let random = Random::new(round * 8 + party + 4);
                for _ in 0..random.below(40) {
                    assert!(pairs::recv(&r, pairs::Recv::Mixed, &random).is_some());
                    received.received.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        drop((s, r));
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        let [sent, received] = [&sums.sent, &sums.received].map(|sum| sum.load(Ordering::Relaxed));
        assert!(sent >= received, "{sent} {received}");
        assert_eq!(alive(), 0);
    }
}

/// How many rounds of a short test.
const ROUNDS: usize = if cfg!(debug_assertions) { 100 } else { 500 };

gort_test::test_module! {
    fn of_words() {
        everything::<1>();
    }

    fn of_large_ones() {
        everything::<12>();
    }

    fn receivers_leave_without_capacity() {
        leaving::<1>(Some(0), ROUNDS);
        leaving::<12>(Some(0), ROUNDS);
    }

    fn receivers_leave_with_some() {
        leaving::<1>(Some(2), ROUNDS);
        leaving::<12>(Some(2), ROUNDS);
    }

    /// Senders linger at a buffer of that size: the last receiver may leave meanwhile.
    fn receivers_leave_with_many() {
        leaving::<1>(Some(16), ROUNDS);
        leaving::<12>(Some(16), ROUNDS);
    }

    fn receivers_leave_without_a_limit() {
        leaving::<1>(None, ROUNDS);
        leaving::<12>(None, ROUNDS);
    }

    fn a_ring_of_many() {
        const LEN: usize = 100;
        let (first, mut r) = bounded::<usize>(0);
        let mut ring = Vec::new();
        for _ in 0..LEN {
            let (s, next) = bounded(0);
            let from = core::mem::replace(&mut r, next);
            ring.push(thread::spawn(move || from.iter().for_each(|i| s.send(i + 1).unwrap())));
        }
        for i in 0..MESSAGES / LEN {
            first.send(i).unwrap();
            assert_eq!(r.recv(), Ok(i + LEN));
        }
        drop(first);
        ring.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(r.recv().is_err());
    }
}
