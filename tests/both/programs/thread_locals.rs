// What each thread has for itself.

use std::cell::{Cell, RefCell};
use std::sync::mpsc::{Sender, channel};
use std::thread;

thread_local! {
    static COUNTER: Cell<u32> = const { Cell::new(1) };
    static WORDS: RefCell<Vec<String>> = RefCell::new(vec!["first".to_string()]);
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

struct Last(&'static str, Sender<String>);

impl Drop for Last {
    fn drop(&mut self) {
        let words = WORDS.try_with(|words| words.borrow().len());
        let text = format!("{} is dropped, words are there: {}", self.0, words.is_ok());
        let _ = self.1.send(text);
    }
}

fn next() -> u32 {
    COUNTER.with(|counter| {
        counter.set(counter.get() * 2);
        counter.get()
    })
}

fn main() {
    println!("{} {} {}", next(), next(), next());
    let others: Vec<u32> = (0..3)
        .map(|number| thread::spawn(move || (0..=number).map(|_| next()).last().unwrap()))
        .map(|thread| thread.join().unwrap())
        .collect();
    println!("{others:?} {}", COUNTER.get());
    COUNTER.set(5);
    println!(
        "{} {} {}",
        COUNTER.replace(6),
        COUNTER.take(),
        COUNTER.get()
    );

    WORDS.with_borrow_mut(|words| words.push("second".to_string()));
    thread::spawn(|| {
        WORDS.with_borrow_mut(|words| words.push("other".to_string()));
        WORDS.with_borrow(|words| println!("there {words:?}"));
    })
    .join()
    .unwrap();
    WORDS.with_borrow(|words| println!("here {words:?}"));
    println!("{:?}", WORDS.replace(vec![]));
    WORDS.set(vec!["new".into()]);
    println!("{:?} {:?}", WORDS.take(), WORDS.take());

    let (sender, receiver) = channel();
    thread::spawn(move || {
        LAST.set(Some(Last("a thread's", sender)));
        println!("set: {}", LAST.with_borrow(Option::is_some));
    })
    .join()
    .unwrap();
    println!("{}", receiver.recv().unwrap());
    println!("{:?}", receiver.recv());

    // Each of many has its own.
    let sums: Vec<u32> = thread::scope(|scope| {
        let threads: Vec<_> = (0..50u32)
            .map(|number| {
                scope.spawn(move || {
                    for _ in 0..100 {
                        COUNTER.set(COUNTER.get() + number);
                        thread::yield_now();
                    }
                    COUNTER.get()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    println!(
        "{}",
        sums.iter()
            .zip(0..)
            .all(|(&sum, number)| sum == 1 + 100 * number)
    );
}
