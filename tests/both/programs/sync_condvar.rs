// A queue with room for so many, made of a mutex and two conditions.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

struct Queue<T> {
    items: Mutex<VecDeque<T>>,
    room: Condvar,
    there: Condvar,
    capacity: usize,
}

impl<T> Queue<T> {
    fn new(capacity: usize) -> Self {
        let items = Mutex::new(VecDeque::with_capacity(capacity));
        Self {
            items,
            room: Condvar::new(),
            there: Condvar::new(),
            capacity,
        }
    }

    fn push(&self, item: T) {
        let items = self.items.lock().unwrap();
        let mut items = self
            .room
            .wait_while(items, |items| items.len() == self.capacity)
            .unwrap();
        items.push_back(item);
        self.there.notify_one();
    }

    fn pop(&self) -> T {
        let mut items = self.items.lock().unwrap();
        loop {
            if let Some(item) = items.pop_front() {
                self.room.notify_one();
                return item;
            }
            items = self.there.wait(items).unwrap();
        }
    }

    fn pop_timeout(&self, timeout: Duration) -> Option<T> {
        let items = self.items.lock().unwrap();
        let (mut items, result) = self
            .there
            .wait_timeout_while(items, timeout, |items| items.is_empty())
            .unwrap();
        println!("timed out: {}", result.timed_out());
        items.pop_front()
    }
}

fn main() {
    let queue = Arc::new(Queue::new(3));
    let producers: Vec<_> = (0..3)
        .map(|first| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || (0..100).for_each(|n| queue.push(3 * n + first)))
        })
        .collect();
    let consumers: Vec<_> = (0..2)
        .map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || (0..150).map(|_| queue.pop()).collect::<Vec<i32>>())
        })
        .collect();
    producers
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    let mut all: Vec<i32> = consumers
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    all.sort_unstable();
    println!("{}", all.into_iter().eq(0..300));
    println!("{:?}", queue.pop_timeout(Duration::from_millis(5)));
    queue.push(7);
    println!("{:?}", queue.pop_timeout(Duration::from_secs(1000)));

    // One tells all.
    let go = (Mutex::new(false), Condvar::new());
    let waited = thread::scope(|scope| {
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut ready = go.0.lock().unwrap();
                    while !*ready {
                        ready = go.1.wait(ready).unwrap();
                    }
                    1
                })
            })
            .collect();
        *go.0.lock().unwrap() = true;
        go.1.notify_all();
        waiting
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum::<i32>()
    });
    println!("{waited}");

    let begin = Instant::now();
    let guard = go.0.lock().unwrap();
    let (guard, result) = go.1.wait_timeout(guard, Duration::from_millis(10)).unwrap();
    println!(
        "{} {guard} {}",
        result.timed_out(),
        begin.elapsed() >= Duration::from_millis(10)
    );
}
