//! Channels: what goes in comes out once, or is dropped once, whoever leaves meanwhile, and
//! whatever time it is.

mod messages;
mod steps;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use gort::__private::preempt_storm;
use gort::channel::{Select, bounded, select};
use gort::runtime::gomaxprocs;
use gort::thread::{self, JoinHandle};
use gort::time::{Duration, Instant};

use crate::{Random, crowd, over, storm_until};
use messages::{Books, Message, NOTHINGS, Nothing, Value};
use steps::{OPERATIONS, both, channel, receive, repeat, send, short};

/// Several who send, several who receive and some who do both, over a few channels; they
/// come and go.
fn market<M: Message>(random: &Random) {
    let books = Arc::new(Books::default());
    let channels = (0..1 + random.below(3)).map(|_| channel::<M>(random));
    let (senders, receivers): (Vec<_>, Vec<_>) = channels.unzip();
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for _ in 0..=random.below(4) {
        let (senders, books, times) = (senders.clone(), books.clone(), random.below(100));
        threads.push(thread::spawn(move || {
            let random = Random::new();
            repeat(senders, times, |senders| send(senders, &books, &random));
        }));
    }
    for _ in 0..=random.below(4) {
        let (receivers, books, times) = (receivers.clone(), books.clone(), random.below(150));
        threads.push(thread::spawn(move || {
            let random = Random::new();
            repeat(receivers, times, |receivers| {
                receive(receivers, &books, &random)
            });
        }));
    }
    for _ in 0..random.below(3) {
        let (books, times) = (books.clone(), random.below(40));
        let ends: Vec<_> = senders.iter().cloned().zip(receivers.clone()).collect();
        threads.push(thread::spawn(move || {
            let random = Random::new();
            repeat(ends, times, |ends| both(ends, &books, &random));
        }));
    }
    drop((senders, receivers));
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    books.add_up(false);
}

/// Two who wait for each other until the same moment: both meet, or neither does.
fn duel<M: Message>(random: &Random) {
    const ROUNDS: usize = 20;
    let books = Arc::new(Books::default());
    let (s, r) = bounded::<M>(0);
    let (tell, told) = bounded::<Instant>(1);
    let others = Arc::clone(&books);
    let other = thread::spawn(move || {
        let random = Random::new();
        for deadline in told {
            if random.below(2) == 0 {
                if let Ok(message) = r.recv_deadline(deadline) {
                    others.received.add(message.number());
                }
            } else {
                let mut list = Select::new();
                list.recv(&r);
                if let Ok(selected) = list.select_deadline(deadline) {
                    others.received.add(selected.recv(&r).unwrap().number());
                }
            }
        }
    });
    for _ in 0..ROUNDS {
        OPERATIONS.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + short(random);
        tell.send(deadline).unwrap();
        let message = M::new(random, &books);
        let number = message.number();
        let sent = if random.below(2) == 0 {
            s.send_deadline(message, deadline).is_ok()
        } else {
            let mut list = Select::new();
            list.send(&s);
            let selected = list.select_deadline(deadline);
            selected.is_ok_and(|selected| selected.send(&s, message).is_ok())
        };
        if sent {
            books.sent.add(number);
        }
    }
    drop(tell);
    other.join().unwrap();
    drop(s);
    books.add_up(true);
}

/// One selects over channels whose other ends are dropped meanwhile.
fn closing<M: Message>(random: &Random) {
    let books = Arc::new(Books::default());
    let (a, from_a) = channel::<M>(random);
    let (to_b, b) = channel::<M>(random);
    let [senders, receivers] = [Arc::clone(&books), Arc::clone(&books)];
    let [mut before_a, mut before_b] = [random.below(6), random.below(6)];
    let sender = thread::spawn(move || {
        let random = Random::new();
        while before_a > 0 {
            let message = M::new(&random, &senders);
            let number = message.number();
            if a.send(message).is_ok() {
                senders.sent.add(number);
            }
            before_a -= 1;
        }
    });
    let receiver = thread::spawn(move || {
        while before_b > 0 {
            if let Ok(message) = b.recv() {
                receivers.received.add(message.number());
            }
            before_b -= 1;
        }
    });
    let (mut from_a, mut to_b) = (Some(from_a), Some(to_b));
    let never = gort::channel::never();
    while from_a.is_some() || to_b.is_some() {
        OPERATIONS.fetch_add(1, Ordering::Relaxed);
        let r = from_a.as_ref().unwrap_or(&never);
        if let Some(s) = &to_b {
            let number;
            select! {
                recv(r) -> message => match message {
                    Ok(message) => books.received.add(message.number()),
                    Err(_) => from_a = None,
                },
                send(s, {
                    let message = M::new(random, &books);
                    number = message.number();
                    message
                }) -> result => match result {
                    Ok(()) => books.sent.add(number),
                    Err(_) => to_b = None,
                },
            }
        } else {
            match r.recv() {
                Ok(message) => books.received.add(message.number()),
                Err(_) => from_a = None,
            }
        }
    }
    sender.join().unwrap();
    receiver.join().unwrap();
    books.add_up(false);
}

/// A channel for one message: who is woken drops it at once.
fn one_shot<M: Message>(random: &Random) {
    let books = Arc::new(Books::default());
    let (s, r) = channel::<M>(random);
    let others = Arc::clone(&books);
    let select = random.below(2) == 0;
    let other = thread::spawn(move || {
        let message = if select {
            select! {
                recv(r) -> message => message,
                recv(r) -> message => message,
            }
        } else {
            r.recv()
        };
        drop(r);
        others.received.add(message.unwrap().number());
    });
    OPERATIONS.fetch_add(1, Ordering::Relaxed);
    let message = M::new(random, &books);
    let number = message.number();
    if random.below(2) == 0 {
        assert!(s.send(message).is_ok());
    } else {
        let mut list = Select::new();
        list.send(&s);
        assert!(list.select().send(&s, message).is_ok());
    }
    drop(s);
    books.sent.add(number);
    other.join().unwrap();
    books.add_up(true);
}

/// Any of those, with values of any size.
fn anything(random: &Random) {
    fn of<M: Message>(random: &Random) {
        match random.below(8) {
            0..3 => market::<M>(random),
            3 => duel::<M>(random),
            4 | 5 => closing::<M>(random),
            _ => one_shot::<M>(random),
        }
    }
    match random.below(8) {
        0 => of::<Nothing>(random),
        1..4 => of::<Value<1>>(random),
        4 => of::<Value<3>>(random),
        5 | 6 => of::<Value<4>>(random),
        _ => of::<Value<100>>(random),
    }
}

/// Runs that in a crowd until the time is over.
fn trade(start: impl FnOnce()) {
    storm_until(
        || OPERATIONS.load(Ordering::Relaxed) > 0,
        || {
            crowd(12, anything);
            start();
        },
    );
    NOTHINGS.adds_up_or_none();
}

gort_test::test_module! {
    fn what_is_sent_is_received_or_dropped_once() {
        trade(|| {});
    }

    fn channels_while_everybody_is_preempted() {
        preempt_storm(true);
        trade(|| {});
        preempt_storm(false);
    }

    fn channels_while_the_number_of_ps_changes() {
        trade(|| {
            gort::go(|| {
                let random = Random::new();
                while !over() {
                    // One alone half of the time: there the locks are others.
                    gomaxprocs(if random.below(2) == 0 { 1 } else { 2 + random.below(7) });
                    thread::sleep(Duration::from_micros(random.below(500) as u64));
                }
            });
        });
    }
}
