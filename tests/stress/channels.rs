//! Channels: what goes in comes out once, or is dropped once, whoever leaves meanwhile, and
//! whatever time it is.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::__private::preempt_storm;
use gort::channel::{
    Receiver, Select, SendTimeoutError, Sender, TryRecvError, TrySendError, after, bounded, select,
    tick, unbounded,
};
use gort::runtime::{gomaxprocs, gosched};
use gort::thread::{self, JoinHandle};
use gort::time::{Duration, Instant};

use crate::{Count, Random, crowd, over, storm_until};

/// How many values something has happened to, and the sum of their numbers.
#[derive(Default)]
struct Tally {
    count: AtomicUsize,
    sum: AtomicUsize,
}

impl Tally {
    fn add(&self, number: usize) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(number, Ordering::Relaxed);
    }

    fn get(&self) -> [usize; 2] {
        [&self.count, &self.sum].map(|number| number.load(Ordering::Relaxed))
    }
}

/// What has become of the values of one scene.
#[derive(Default)]
struct Books {
    made: Tally,
    sent: Tally,
    received: Tally,
    dropped: Tally,
}

impl Books {
    /// Checks that each has been dropped once; and that `all` that were sent were received.
    fn add_up(&self, all: bool) {
        assert_eq!(self.made.get(), self.dropped.get());
        let [sent, received] = [&self.sent, &self.received].map(Tally::get);
        assert!(sent[0] >= received[0], "{sent:?} {received:?}");
        assert!(!all || sent == received, "{sent:?} {received:?}");
    }
}

/// What goes through a channel.
trait Message: Send + 'static {
    fn new(random: &Random, books: &Arc<Books>) -> Self;
    fn number(&self) -> usize;
}

/// One of `SIZE` words and a few, with a number of its own.
struct Value<const SIZE: usize> {
    copies: [usize; SIZE],
    books: Arc<Books>,
}

impl<const SIZE: usize> Message for Value<SIZE> {
    fn new(random: &Random, books: &Arc<Books>) -> Self {
        let number = random.below(1 << 30);
        books.made.add(number);
        Self {
            copies: [number; SIZE],
            books: Arc::clone(books),
        }
    }

    fn number(&self) -> usize {
        assert!(self.copies.iter().all(|&copy| copy == self.copies[0]));
        self.copies[0]
    }
}

impl<const SIZE: usize> Drop for Value<SIZE> {
    fn drop(&mut self) {
        self.books.dropped.add(self.number());
    }
}

/// One of no size.
struct Nothing;

static NOTHINGS: Count = Count::new();

impl Message for Nothing {
    fn new(_: &Random, _: &Arc<Books>) -> Self {
        NOTHINGS.begin();
        Self
    }

    fn number(&self) -> usize {
        0
    }
}

impl Drop for Nothing {
    fn drop(&mut self) {
        NOTHINGS.end();
    }
}

/// How many messages were tried to be sent, in all storms.
static OPERATIONS: AtomicUsize = AtomicUsize::new(0);

/// A time that is over before others have done much.
fn short(random: &Random) -> Duration {
    Duration::from_nanos(random.below(30_000) as u64)
}

/// Makes a channel of some kind.
fn channel<M>(random: &Random) -> (Sender<M>, Receiver<M>) {
    match random.below(8) {
        0..4 => bounded(0),
        4 | 5 => bounded(1),
        6 => bounded(3),
        _ => unbounded(),
    }
}

/// What came of an attempt.
enum Outcome {
    Done,
    NotNow,
    /// That one is disconnected.
    Closed(usize),
}

/// Tries to send a message through one of several, in some way.
fn send<M: Message>(senders: &[Sender<M>], books: &Arc<Books>, random: &Random) -> Outcome {
    OPERATIONS.fetch_add(1, Ordering::Relaxed);
    let at = random.below(senders.len());
    let s = &senders[at];
    let message = M::new(random, books);
    let number = message.number();
    let result = match random.below(8) {
        0 | 1 => s.send(message).map_err(|_| Outcome::Closed(at)),
        2 => s.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => Outcome::NotNow,
            TrySendError::Disconnected(_) => Outcome::Closed(at),
        }),
        3 => {
            let result = s.send_timeout(message, short(random));
            result.map_err(|error| match error {
                SendTimeoutError::Timeout(_) => Outcome::NotNow,
                SendTimeoutError::Disconnected(_) => Outcome::Closed(at),
            })
        }
        4 => {
            let mut list = Select::new();
            senders.iter().for_each(|s| _ = list.send(s));
            list.send(s); // once more
            let selected = list.select();
            let at = selected.index() % senders.len();
            let at = if selected.index() == senders.len() {
                senders.iter().position(|one| core::ptr::eq(one, s))
            } else {
                Some(at)
            }
            .unwrap();
            if random.below(4) == 0 {
                gosched(); // who makes a message may do anything
            }
            let result = selected.send(&senders[at], message);
            result.map_err(|_| Outcome::Closed(at))
        }
        5 => {
            let mut list = Select::new();
            senders.iter().for_each(|s| _ = list.send(s));
            match list.ready_timeout(short(random)) {
                Ok(at) => senders[at].try_send(message).map_err(|error| match error {
                    TrySendError::Full(_) => Outcome::NotNow,
                    TrySendError::Disconnected(_) => Outcome::Closed(at),
                }),
                Err(_) => Err(Outcome::NotNow),
            }
        }
        6 => select! {
            send(s, message) -> result => result.map_err(|_| Outcome::Closed(at)),
            recv(after(short(random))) -> _ => Err(Outcome::NotNow),
        },
        _ => select! {
            send(s, message) -> result => result.map_err(|_| Outcome::Closed(at)),
            recv(tick(short(random))) -> _ => Err(Outcome::NotNow),
            default(short(random)) => Err(Outcome::NotNow),
        },
    };
    match result {
        Ok(()) => {
            books.sent.add(number);
            Outcome::Done
        }
        Err(outcome) => outcome,
    }
}

/// Tries to receive a message from one of several, in some way; never waits for a single one
/// for ever, as others may wait for us at another.
fn receive<M: Message>(receivers: &[Receiver<M>], books: &Arc<Books>, random: &Random) -> Outcome {
    let at = random.below(receivers.len());
    let r = &receivers[at];
    let result = match random.below(7) {
        0 if receivers.len() == 1 => r.recv().map_err(|_| Outcome::Closed(at)),
        0 | 1 => r.recv_timeout(short(random)).map_err(|error| {
            if error.is_timeout() {
                Outcome::NotNow
            } else {
                Outcome::Closed(at)
            }
        }),
        2 => r.try_recv().map_err(|error| match error {
            TryRecvError::Empty => Outcome::NotNow,
            TryRecvError::Disconnected => Outcome::Closed(at),
        }),
        3 => {
            let mut list = Select::new();
            receivers.iter().for_each(|r| _ = list.recv(r));
            let at = list.ready();
            receivers[at].try_recv().map_err(|error| match error {
                TryRecvError::Empty => Outcome::NotNow,
                TryRecvError::Disconnected => Outcome::Closed(at),
            })
        }
        4 => select! {
            recv(r) -> result => result.map_err(|_| Outcome::Closed(at)),
            recv(r) -> result => result.map_err(|_| Outcome::Closed(at)),
            recv(after(short(random))) -> _ => Err(Outcome::NotNow),
        },
        _ => {
            let mut list = Select::new();
            receivers.iter().for_each(|r| _ = list.recv(r));
            let selected = list.select();
            let at = selected.index();
            if random.below(8) == 0 {
                gosched();
            }
            selected
                .recv(&receivers[at])
                .map_err(|_| Outcome::Closed(at))
        }
    };
    match result {
        Ok(message) => {
            books.received.add(message.number());
            Outcome::Done
        }
        Err(outcome) => outcome,
    }
}

/// Repeats something with one of several handles until all are gone, or so often.
fn repeat<H>(mut handles: Vec<H>, times: usize, step: impl Fn(&[H]) -> Outcome) {
    for _ in 0..times {
        if let Outcome::Closed(at) = step(&handles) {
            handles.swap_remove(at);
        }
        if handles.is_empty() {
            return;
        }
    }
}

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

/// Sends and receives with one select, on the same channel.
fn both<M: Message>(
    ends: &[(Sender<M>, Receiver<M>)],
    books: &Arc<Books>,
    random: &Random,
) -> Outcome {
    let (s, r) = &ends[random.below(ends.len())];
    select! {
        send(s, {
            let message = M::new(random, books);
            books.sent.add(message.number());
            message
        }) -> result => assert!(result.is_ok()), // we have a receiver
        recv(r) -> message => books.received.add(message.unwrap().number()), // and a sender
        default(short(random)) => return Outcome::NotNow,
    }
    Outcome::Done
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
