//! The only P in use, of many, takes locks in a way of its own, which ends when another is
//! taken into use. Here that happens all the time.

use core::sync::atomic::{AtomicU64, Ordering};

use gort::__private::alone_ended;
use gort::channel::{Receiver, Sender, bounded};
use gort::runtime::{blocking, gomaxprocs};
use gort::{go, thread};

use crate::threads::nap;
use crate::{Random, over, storm_until};

/// How often one who comes back sends before it goes again.
const BURST: u64 = 100;

/// The sums of what was sent and received, and how many did.
static SENT: AtomicU64 = AtomicU64::new(0);
static RECEIVED: AtomicU64 = AtomicU64::new(0);

/// Sends a number, and counts it.
fn send(to: &Sender<u64>, number: u64) {
    if to.send(number).is_ok() {
        SENT.fetch_add(number, Ordering::Relaxed);
    }
}

/// Sends again and again, and lets the other one answer.
fn talk(to: &Sender<u64>, answers: &Receiver<u64>) {
    let mut number = 1;
    while !over() {
        send(to, number);
        assert_eq!(answers.recv(), Ok(number));
        number += 1;
    }
}

/// Is away in a system call for some milliseconds, in which the P goes to those who talk; comes
/// back, and wants the locks that they have.
fn come_and_go(to: &Sender<u64>) {
    let random = Random::new();
    while !over() {
        blocking(|| nap(500 + random.below(4_000)));
        for number in 0..BURST {
            send(to, number << 32);
        }
    }
}

gort_test::test_module! {
    fn nobody_is_alone_for_long() {
        let begun = alone_ended();
        let (to, received) = bounded::<u64>(2);
        let (answer, answers) = bounded::<u64>(0);
        let enough = move || match alone_ended().zip(begun) {
            Some((now, begun)) => gomaxprocs(0) == 1 || now >= begun + 10,
            None => true, // nobody ever is
        };
        let receiver = thread::spawn(move || {
            for number in received {
                RECEIVED.fetch_add(number, Ordering::Relaxed);
                if number >> 32 == 0 && number != 0 {
                    answer.send(number).unwrap();
                }
            }
        });
        storm_until(enough, || {
            for _ in 0..2 {
                let to = to.clone();
                go(move || come_and_go(&to));
            }
            go(move || talk(&to, &answers));
        });
        receiver.join().unwrap();
        let [sent, received] = [&SENT, &RECEIVED].map(|sum| sum.load(Ordering::Relaxed));
        assert_eq!(sent, received);
        assert!(sent > 0);
    }
}
