// std's own channels.

use std::sync::mpsc::{
    self, Receiver, RecvTimeoutError, SendError, SyncSender, TryRecvError, TrySendError,
};
use std::thread;
use std::time::Duration;

fn collect(receiver: Receiver<u32>) -> Vec<u32> {
    let mut all: Vec<u32> = receiver.into_iter().collect();
    all.sort_unstable();
    all
}

fn produce(sender: SyncSender<u32>, first: u32) {
    for number in (first..100).step_by(4) {
        if let Err(SendError(number)) = sender.send(number) {
            panic!("nobody wants {number}");
        }
    }
}

fn main() {
    let (sender, receiver) = mpsc::channel();
    println!("{:?}", receiver.try_recv());
    for first in 0..4 {
        let sender = sender.clone();
        thread::spawn(move || {
            (first..100)
                .step_by(4)
                .for_each(|n| sender.send(n).unwrap())
        });
    }
    drop(sender);
    println!("{}", collect(receiver).into_iter().eq(0..100));

    for bound in [0, 1, 50] {
        let (sender, receiver) = mpsc::sync_channel(bound);
        for first in 0..4 {
            let sender = sender.clone();
            thread::spawn(move || produce(sender, first));
        }
        drop(sender);
        println!("{}", collect(receiver).into_iter().eq(0..100));
    }

    let (sender, receiver) = mpsc::sync_channel(1);
    println!("{:?} {:?}", sender.try_send("a"), sender.try_send("b"));
    println!("{:?}", receiver.recv());
    println!("{:?}", receiver.recv_timeout(Duration::from_millis(2)));
    sender.send("c").unwrap();
    println!("{:?}", receiver.try_iter().collect::<Vec<_>>());
    drop(receiver);
    let error = sender.try_send("d").unwrap_err();
    println!(
        "{error} | {error:?} | {}",
        error == TrySendError::Disconnected("d")
    );
    let error = sender.send("e").unwrap_err();
    println!("{error} | {error:?} | {}", error.0);

    let (sender, receiver) = mpsc::channel::<()>();
    println!("{}", receiver.try_recv() == Err(TryRecvError::Empty));
    drop(sender);
    println!("{}", receiver.recv().unwrap_err());
    println!("{}", receiver.try_recv().unwrap_err());
    println!(
        "{}",
        receiver.recv_timeout(Duration::ZERO) == Err(RecvTimeoutError::Disconnected)
    );
    println!("{}", RecvTimeoutError::Timeout);

    // An answer for each question.
    let (questions, queue) = mpsc::channel::<(u64, mpsc::Sender<u64>)>();
    let server = thread::spawn(move || {
        let mut served = 0;
        for (number, answer) in &queue {
            answer.send(number.pow(2)).unwrap();
            served += 1;
        }
        served
    });
    for number in 0..5 {
        let (answer, result) = mpsc::channel();
        questions.send((number, answer)).unwrap();
        print!("{} ", result.recv().unwrap());
    }
    drop(questions);
    println!("| {}", server.join().unwrap());
}
