// park and unpark, and what one can make of them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// An event that threads wait for until it has happened.
#[derive(Default)]
struct Event {
    happened: AtomicBool,
    waiting: Mutex<VecDeque<Thread>>,
}

impl Event {
    fn wait(&self) {
        self.waiting.lock().unwrap().push_back(thread::current());
        while !self.happened.load(Ordering::Acquire) {
            thread::park();
        }
    }

    fn happen(&self) {
        self.happened.store(true, Ordering::Release);
        for thread in self.waiting.lock().unwrap().drain(..) {
            thread.unpark();
        }
    }
}

fn main() {
    // The token: unpark may come first, and does not add up.
    thread::current().unpark();
    thread::current().unpark();
    thread::park();
    let begin = Instant::now();
    thread::park_timeout(Duration::from_millis(20));
    println!(
        "timed out: {}",
        begin.elapsed() >= Duration::from_millis(20)
    );
    thread::current().unpark();
    thread::park_timeout(Duration::from_secs(3600));
    println!(
        "not an hour: {}",
        begin.elapsed() < Duration::from_secs(1800)
    );

    let event = Arc::new(Event::default());
    let threads: Vec<_> = (0..5)
        .map(|number| {
            let event = Arc::clone(&event);
            thread::spawn(move || {
                event.wait();
                number * number
            })
        })
        .collect();
    event.happen();
    let sum: i32 = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    println!("all woken: {sum}");

    // Two that take turns.
    let turn = Arc::new(AtomicU32::new(0));
    let main = thread::current();
    let partner = thread::spawn({
        let turn = Arc::clone(&turn);
        move || {
            for round in 0..100 {
                while turn.load(Ordering::Acquire) != 2 * round + 1 {
                    thread::park();
                }
                turn.fetch_add(1, Ordering::Release);
                main.unpark();
            }
        }
    });
    for round in 0..100 {
        while turn.load(Ordering::Acquire) != 2 * round {
            thread::park();
        }
        turn.fetch_add(1, Ordering::Release);
        partner.thread().unpark();
    }
    partner.join().unwrap();
    println!("turns: {}", turn.load(Ordering::Relaxed));
}
