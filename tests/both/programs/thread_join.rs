// Threads with names, results and handles.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Builder, JoinHandle, ThreadId};

fn fibonacci(n: u64) -> u64 {
    if n < 2 {
        n
    } else {
        fibonacci(n - 1) + fibonacci(n - 2)
    }
}

fn main() {
    println!("{:?}", thread::current().name());
    let handles: Vec<JoinHandle<u64>> = (10..16)
        .map(|n| thread::spawn(move || fibonacci(n)))
        .collect();
    let results: Vec<u64> = handles
        .into_iter()
        .map(|handle| handle.join().unwrap())
        .collect();
    println!("{results:?}");

    let ids: HashSet<ThreadId> = (0..20)
        .map(|_| thread::spawn(|| thread::current().id()).join().unwrap())
        .chain([thread::current().id()])
        .collect();
    println!("{} ids", ids.len());

    let named = Builder::new()
        .name("a name".to_string())
        .stack_size(1 << 20)
        .spawn(|| {
            let thread = thread::current();
            (thread.name().map(String::from), thread.id())
        })
        .unwrap();
    let id = named.thread().id();
    println!("{:?}", named.thread().name());
    let (name, own) = named.join().unwrap();
    println!("{name:?} {}", id == own);
    println!(
        "{:?}",
        thread::spawn(|| thread::current().name().map(String::from))
            .join()
            .unwrap()
    );

    let stop = Arc::new(AtomicBool::new(false));
    let handle = thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            let mut rounds = 0u64;
            while !stop.load(Ordering::Acquire) {
                rounds += 1;
                thread::yield_now();
            }
            rounds
        }
    });
    println!("finished: {}", handle.is_finished());
    stop.store(true, Ordering::Release);
    while !handle.is_finished() {
        thread::yield_now();
    }
    println!("finished: {}", handle.is_finished());
    let _: u64 = handle.join().expect("it does not panic");

    // Results of any type, and closures that move what they need.
    let text = String::from("moved");
    let boxed: Box<dyn FnOnce() -> Vec<String> + Send> = Box::new(move || vec![text; 2]);
    println!("{:?}", thread::spawn(boxed).join().unwrap());
    let error: Result<u8, _> = thread::spawn(|| "300".parse::<u8>()).join().unwrap();
    println!("{}", error.unwrap_err());
    println!(
        "{}",
        thread::available_parallelism().map_or(0, |count| count.get()) > 0
    );
    println!("{:?}", as_many_as_there_are_cpus());
    let too_large = Builder::new().stack_size(usize::MAX / 2).spawn(|| {});
    println!("{}", too_large.is_err());
}

/// What fails fails with an `io::Error`.
fn as_many_as_there_are_cpus() -> io::Result<u64> {
    let count = thread::available_parallelism()?.get();
    let handles = (0..count)
        .map(|_| Builder::new().spawn(|| fibonacci(10)))
        .collect::<io::Result<Vec<_>>>()?;
    let joined = handles.into_iter().map(|handle| handle.join());
    Ok(joined.map(Result::unwrap).sum::<u64>() / count as u64)
}
