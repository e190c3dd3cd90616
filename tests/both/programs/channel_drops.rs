// Messages are dropped once: those that were received, and those that were not.

use both::channel::{bounded, unbounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

struct Counted(
    Arc<AtomicUsize>,
    #[allow(dead_code, reason = "it has to be somewhere")] [u64; 9],
);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn main() {
    let drops = Arc::new(AtomicUsize::new(0));
    let make = || Counted(Arc::clone(&drops), [7; 9]);
    let count = || drops.swap(0, Ordering::SeqCst);

    let (sender, receiver) = bounded(10);
    for _ in 0..10 {
        assert!(sender.send(make()).is_ok());
    }
    println!("sent {}", count());
    receiver.iter().take(4).for_each(drop);
    println!("received {}", count());
    assert!(sender.try_send(make()).is_ok());
    drop((sender, receiver));
    println!("left in the channel {}", count());

    let (sender, receiver) = unbounded();
    drop(receiver);
    let error = sender.send(make()).unwrap_err();
    println!("came back {}", count());
    drop(error);
    println!("and was dropped {}", count());

    // A sender that waits gets its message back when the receiver goes.
    let (sender, receiver) = bounded(0);
    let message = make();
    let sending = thread::spawn(move || sender.send(message).is_err());
    thread::yield_now();
    drop(receiver);
    println!("failed {} {}", sending.join().unwrap(), count());

    // Many of both, half of the messages never taken.
    let (sender, receiver) = unbounded();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| assert!(sender.send(make()).is_ok())));
        }
        for _ in 0..2 {
            scope.spawn(|| receiver.iter().take(500).for_each(drop));
        }
    });
    println!("taken {}", count());
    drop(sender);
    drop(receiver);
    println!("not taken {}", count());
    println!("references {}", Arc::strong_count(&drops));
}
