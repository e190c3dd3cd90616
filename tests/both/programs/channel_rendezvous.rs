// Two threads that take turns over channels without room.

use both::channel::{Receiver, Sender, bounded};
use std::thread;

fn player(name: &'static str, from: Receiver<u32>, to: Sender<u32>, log: Sender<String>) {
    for ball in from {
        log.send(format!("{name} {ball}")).unwrap();
        if ball == 0 || to.send(ball - 1).is_err() {
            break;
        }
    }
}

fn main() {
    let (to_ping, ping) = bounded(0);
    let (to_pong, pong) = bounded(0);
    let (log, lines) = bounded(0);
    let serve = to_ping.clone();
    let players = [
        thread::spawn({
            let log = log.clone();
            move || player("ping", ping, to_pong, log)
        }),
        thread::spawn(move || player("pong", pong, to_ping, log)),
    ];
    thread::spawn(move || serve.send(9).unwrap());
    for line in lines {
        println!("{line}");
    }
    for player in players {
        player.join().unwrap();
    }

    // Nothing fits into such a channel.
    let (sender, receiver) = bounded::<i32>(0);
    println!(
        "{:?} {} {}",
        sender.capacity(),
        sender.is_full(),
        sender.is_empty()
    );
    println!("{:?}", sender.try_send(1));
    println!("{:?}", receiver.try_recv());
}
