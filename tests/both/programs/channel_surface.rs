// What one can ask channels for, and their iterators.

use both::channel::{Receiver, Sender, bounded, unbounded};
use std::thread;

fn describe<T>(sender: &Sender<T>, receiver: &Receiver<T>) {
    println!(
        "{} {} {} {:?} | {} {} {} {:?}",
        sender.len(),
        sender.is_empty(),
        sender.is_full(),
        sender.capacity(),
        receiver.len(),
        receiver.is_empty(),
        receiver.is_full(),
        receiver.capacity(),
    );
}

fn main() {
    let (sender, receiver) = bounded(3);
    describe(&sender, &receiver);
    for word in ["one", "two", "three"] {
        sender.send(word).unwrap();
        describe(&sender, &receiver);
    }
    println!("{:?}", receiver.try_iter().take(2).collect::<Vec<_>>());
    println!("{:?}", receiver.try_iter().collect::<Vec<_>>());

    let (sender, receiver) = unbounded();
    describe(&sender, &receiver);
    let (other, _) = unbounded::<i32>();
    println!("{}", sender.same_channel(&sender.clone()));
    println!("{}", sender.same_channel(&other));
    println!("{}", receiver.same_channel(&receiver.clone()));
    println!("{sender:?} {receiver:?}");

    let threads: Vec<_> = (0..4)
        .map(|number| {
            let sender = sender.clone();
            thread::spawn(move || (0..100).for_each(|n| sender.send(number * 100 + n).unwrap()))
        })
        .collect();
    drop(sender);
    let second = receiver.clone();
    let half = thread::spawn(move || {
        let mut numbers: Vec<i32> = Vec::new();
        for number in &second {
            numbers.push(number);
        }
        numbers
    });
    let mut numbers: Vec<i32> = receiver.into_iter().collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    numbers.extend(half.join().unwrap());
    numbers.sort_unstable();
    println!("{} {}", numbers.len(), numbers.iter().copied().eq(0..400));
}
