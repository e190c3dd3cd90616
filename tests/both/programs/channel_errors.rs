// Every way in which an operation on a channel fails, and what it says.

use both::channel::{
    RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError, bounded, unbounded,
};
use std::error::Error;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(5);

fn show(error: &dyn Error) {
    println!("{error} | {error:?}");
}

fn main() {
    let (sender, receiver) = bounded::<i32>(1);
    show(&receiver.try_recv().unwrap_err());
    show(&receiver.recv_timeout(SOON).unwrap_err());
    show(&receiver.recv_deadline(Instant::now() + SOON).unwrap_err());
    sender.send(1).unwrap();
    let full = sender.try_send(2).unwrap_err();
    show(&full);
    println!(
        "{} {} {}",
        full.is_full(),
        full.is_disconnected(),
        full.into_inner()
    );
    let late = sender.send_timeout(3, SOON).unwrap_err();
    show(&late);
    println!("{} {}", late.is_timeout(), late.is_disconnected());
    println!("{}", late.into_inner());
    match sender.send_deadline(4, Instant::now()) {
        Err(SendTimeoutError::Timeout(number)) => println!("too late for {number}"),
        other => println!("{other:?}"),
    }

    drop(receiver);
    let gone = sender.send(5).unwrap_err();
    show(&gone);
    println!("{}", gone.0);
    show(&sender.try_send(6).unwrap_err());
    show(&sender.send_timeout(7, SOON).unwrap_err());
    println!(
        "{:?}",
        sender.try_send(8) == Err(TrySendError::Disconnected(8))
    );

    let (sender, receiver) = unbounded::<String>();
    sender.send("the last one".to_string()).unwrap();
    drop(sender);
    println!("{:?}", receiver.try_recv());
    show(&receiver.recv().unwrap_err());
    show(&receiver.try_recv().unwrap_err());
    show(&receiver.recv_timeout(SOON).unwrap_err());
    println!("{}", TryRecvError::Empty.is_empty());
    println!("{}", RecvTimeoutError::Disconnected.is_disconnected());

    // One kind becomes another.
    println!("{:?}", TryRecvError::from(receiver.recv().unwrap_err()));
    println!("{:?}", RecvTimeoutError::from(receiver.recv().unwrap_err()));
    let (sender, _) = bounded(0);
    println!("{:?}", TrySendError::from(sender.send(9).unwrap_err()));
    println!("{:?}", SendTimeoutError::from(sender.send(10).unwrap_err()));
    let boxed: Box<dyn Error + Send + Sync> = Box::new(sender.send(11).unwrap_err());
    println!("{boxed}");
}
