// Many readers or one writer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, RwLock};
use std::thread;

#[derive(Clone, Default)]
struct Cache {
    entries: Arc<RwLock<BTreeMap<u64, u64>>>,
    computed: Arc<AtomicUsize>,
}

impl Cache {
    fn collatz(&self, number: u64) -> u64 {
        if number == 1 {
            return 0;
        }
        if let Some(&steps) = self.entries.read().unwrap().get(&number) {
            return steps;
        }
        let next = if number % 2 == 0 {
            number / 2
        } else {
            3 * number + 1
        };
        let steps = 1 + self.collatz(next);
        if self
            .entries
            .write()
            .unwrap()
            .insert(number, steps)
            .is_none()
        {
            self.computed.fetch_add(1, Ordering::Relaxed);
        }
        steps
    }
}

fn main() {
    let cache = Cache::default();
    let threads: Vec<_> = (0..4)
        .map(|first| {
            let cache = cache.clone();
            thread::spawn(move || (1 + first..=200).map(|n| cache.collatz(n)).max().unwrap())
        })
        .collect();
    for thread in threads {
        println!("longest {}", thread.join().unwrap());
    }
    let entries = cache.entries.read().unwrap();
    println!(
        "{} {}",
        entries.len(),
        entries.len() == cache.computed.load(Ordering::Relaxed)
    );
    println!("{:?}", entries.range(95..100).collect::<Vec<_>>());

    // Readers are inside together.
    let (lock, inside) = (RwLock::new(1), Barrier::new(3));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let guard = lock.read().unwrap();
                inside.wait();
                assert_eq!(*guard, 1);
            });
        }
    });
    println!("three have read");

    let mut lock = lock;
    {
        let first = lock.read().unwrap();
        let second = lock.try_read().unwrap();
        println!("{first} {second:?} {:?}", lock);
        println!("{}", lock.try_write().unwrap_err());
    }
    {
        let mut guard = lock.write().unwrap();
        *guard += 1;
        println!("{} {:?}", lock.try_read().is_err(), lock);
    }
    *lock.get_mut().unwrap() += 1;
    println!("{} {:?}", lock.is_poisoned(), lock.into_inner());
}
