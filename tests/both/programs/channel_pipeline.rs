// Stages that hand numbers on over bounded channels.

use both::channel::{Receiver, Sender, bounded};
use std::thread;

/// Passes on what `f` makes of each number.
fn stage<F>(input: Receiver<u64>, output: Sender<u64>, f: F) -> thread::JoinHandle<usize>
where
    F: Fn(u64) -> Option<u64> + Send + 'static,
{
    thread::spawn(move || {
        let mut passed = 0;
        for number in input {
            if let Some(number) = f(number) {
                if output.send(number).is_err() {
                    break;
                }
                passed += 1;
            }
        }
        passed
    })
}

fn main() {
    let (source, numbers) = bounded(4);
    let (to_squares, odd) = bounded(0);
    let (to_sink, squares) = bounded(16);

    let stages = [
        stage(numbers, to_squares, |n| (n % 2 == 1).then_some(n)),
        stage(odd, to_sink, |n| n.checked_mul(n)),
    ];
    let producer = thread::spawn(move || {
        for number in 0..1000 {
            source.send(number).unwrap();
        }
    });

    let all: Vec<u64> = squares.iter().collect();
    producer.join().unwrap();
    let passed: Vec<usize> = stages
        .into_iter()
        .map(|stage| stage.join().unwrap())
        .collect();
    println!("first {:?}", &all[..5]);
    println!("last {:?}", all.last());
    println!("sum {}", all.iter().sum::<u64>());
    println!("passed {passed:?}");
}
