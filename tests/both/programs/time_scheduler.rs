// A scheduler: tasks in a heap by their time, run by one thread that sleeps in between.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

type Task = (Reverse<Instant>, usize);

#[derive(Default)]
struct Scheduler {
    tasks: Mutex<(BinaryHeap<Task>, bool)>,
    changed: Condvar,
}

impl Scheduler {
    fn add(&self, number: usize, at: Instant) {
        self.tasks.lock().unwrap().0.push((Reverse(at), number));
        self.changed.notify_one();
    }

    fn finish(&self) {
        self.tasks.lock().unwrap().1 = true;
        self.changed.notify_one();
    }

    fn run(&self) -> Vec<(usize, bool)> {
        let mut ran = Vec::new();
        let mut tasks = self.tasks.lock().unwrap();
        loop {
            let now = Instant::now();
            match tasks.0.peek() {
                Some(&(Reverse(at), number)) if at <= now => {
                    tasks.0.pop();
                    ran.push((number, Instant::now() >= at));
                }
                Some(&(Reverse(at), _)) => {
                    tasks = self.changed.wait_timeout(tasks, at - now).unwrap().0;
                }
                None if tasks.1 => return ran,
                None => tasks = self.changed.wait(tasks).unwrap(),
            }
        }
    }
}

fn main() {
    let scheduler = Arc::new(Scheduler::default());
    let begin = Instant::now();
    // All are there before the first one is due, so that their times alone decide.
    for number in [5, 1, 4, 2, 3] {
        scheduler.add(number, begin + Duration::from_millis(number as u64 * 7));
    }
    let running = thread::spawn({
        let scheduler = Arc::clone(&scheduler);
        move || scheduler.run()
    });
    scheduler.finish();
    println!("{:?}", running.join().unwrap());
    println!("{}", begin.elapsed() >= Duration::from_millis(35));
}
