// Select with a list of operations that is made while the program runs.

use both::channel::{Receiver, Select, Sender, bounded, unbounded};
use std::thread;
use std::time::Duration;

/// Receives from any of these until all of them are disconnected.
fn merge(receivers: &[Receiver<u32>]) -> Vec<u32> {
    let mut select = Select::new();
    for receiver in receivers {
        select.recv(receiver);
    }
    let mut open = receivers.len();
    let mut all = Vec::new();
    while open > 0 {
        let operation = select.select();
        let index = operation.index();
        match operation.recv(&receivers[index]) {
            Ok(number) => all.push(number),
            Err(_) => {
                select.remove(index);
                open -= 1;
            }
        }
    }
    all.sort_unstable();
    all
}

fn main() {
    let (senders, receivers): (Vec<Sender<u32>>, Vec<Receiver<u32>>) =
        (0..8).map(|capacity| bounded(capacity)).unzip();
    for (sender, first) in senders.into_iter().zip(0u32..) {
        thread::spawn(move || (0..50).for_each(|n| sender.send(n * 8 + first).unwrap()));
    }
    let all = merge(&receivers);
    println!("{} {}", all.len(), all.iter().copied().eq(0..400));

    let (to_full, full) = bounded(1);
    to_full.send(1).unwrap();
    let (_kept, empty) = unbounded::<i32>();
    let mut select = Select::new_biased();
    let send = select.send(&to_full);
    let receive = select.recv(&empty);
    println!("{send} {receive}");
    println!("{}", select.try_select().unwrap_err());
    println!(
        "{}",
        select.select_timeout(Duration::from_millis(2)).unwrap_err()
    );
    println!("{:?}", select.try_ready());
    println!("{:?}", select.ready_timeout(Duration::from_millis(2)));

    println!("{:?}", full.recv());
    println!("{:?} {}", select.try_ready(), select.ready());
    let operation = select.try_select().unwrap();
    println!("{} {:?}", operation.index(), operation.send(&to_full, 2));
    let third = select.recv(&full);
    let operation = select.select();
    println!("{} {:?}", operation.index() == third, operation.recv(&full));
    select.remove(third);
    println!("{:?}", select.ready());
}
