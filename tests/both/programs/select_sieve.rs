// The sieve of threads: each prime has one that lets no multiples of it pass.

use both::channel::{Receiver, bounded, select};
use std::thread;

fn numbers(stop: Receiver<()>) -> Receiver<u32> {
    let (to, from) = bounded(0);
    thread::spawn(move || {
        for number in 2.. {
            select! {
                send(to, number) -> result => if result.is_err() { return },
                recv(stop) -> _ => return,
            }
        }
    });
    from
}

fn without_multiples(of: u32, input: Receiver<u32>, stop: Receiver<()>) -> Receiver<u32> {
    let (to, from) = bounded(0);
    thread::spawn(move || {
        loop {
            let number = select! {
                recv(input) -> number => number,
                recv(stop) -> _ => return,
            };
            match number {
                Ok(number) if number % of != 0 => select! {
                    send(to, number) -> result => if result.is_err() { return },
                    recv(stop) -> _ => return,
                },
                Ok(_) => {}
                Err(_) => return,
            }
        }
    });
    from
}

fn main() {
    let (stop, stopped) = bounded::<()>(0);
    let mut input = numbers(stopped.clone());
    let mut primes = Vec::new();
    for _ in 0..50 {
        let prime = input.recv().unwrap();
        primes.push(prime.to_string());
        input = without_multiples(prime, input, stopped.clone());
    }
    drop(stop);
    println!("{}", primes.join(" "));
    // All of them are gone when nobody has this any more.
    drop(input);
    drop(stopped);
}
