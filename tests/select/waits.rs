//! Selects that wait: for one another, for the time, for the other side to go away.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use gort::channel::{
    Receiver, RecvError, SendError, Sender, after, bounded, never, select, select_biased, tick,
    unbounded,
};
use gort::thread;
use gort::time::Instant;

/// Lets others run for a while: the other side waits by then, most of the time.
fn give_way() {
    for _ in 0..20 {
        thread::yield_now();
    }
}

gort_test::test_module! {
    fn a_send_ends_it() {
        for capacity in [0, 1] {
            let ((to_left, left), (_right, right)) = (bounded(capacity), bounded::<i32>(capacity));
            let waiting = thread::spawn(move || {
                select! {
                    recv(right) -> _ => unreachable!(),
                    recv(left) -> message => message,
                }
            });
            give_way();
            to_left.send(4).unwrap();
            assert_eq!(waiting.join().unwrap(), Ok(4));
        }
    }

    fn a_receive_ends_it() {
        for capacity in [0, 1] {
            let ((to_left, left), (to_right, _right)) = (bounded(capacity), bounded(0));
            for number in 0..capacity {
                to_left.send(number).unwrap();
            }
            let waiting = thread::spawn(move || {
                select! {
                    send(to_right, 3) -> _ => unreachable!(),
                    send(to_left, 4) -> result => result,
                }
            });
            give_way();
            let received: Vec<_> = (0..=capacity).map(|_| left.recv()).collect();
            assert_eq!(received.last(), Some(&Ok(4)));
            assert_eq!(waiting.join().unwrap(), Ok(()));
        }
    }

    fn a_disconnection_ends_it() {
        let ((sender, receiver), (_kept, empty)) = (bounded::<i32>(0), bounded::<i32>(0));
        let receiving = thread::spawn(move || {
            select! {
                recv(empty) -> _ => unreachable!(),
                recv(receiver) -> message => message,
            }
        });
        give_way();
        drop(sender);
        assert_eq!(receiving.join().unwrap(), Err(RecvError));

        let (sender, receiver) = bounded(0);
        let sending = thread::spawn(move || {
            select! {
                recv(never::<()>()) -> _ => unreachable!(),
                send(sender, 5) -> result => result,
            }
        });
        give_way();
        drop(receiver);
        assert_eq!(sending.join().unwrap(), Err(SendError(5)));
    }

    fn the_time_ends_it() {
        let (sender, receiver) = bounded::<i32>(0);
        let timeout = Duration::from_millis(20);
        let begin = Instant::now();
        select! { recv(receiver) -> _ => unreachable!(), default(timeout) => {} }
        assert!(begin.elapsed() >= timeout);
        select! { send(sender, 1) -> _ => unreachable!(), default(timeout) => {} }
        assert!(begin.elapsed() >= 2 * timeout);
        select! {
            recv(receiver) -> _ => unreachable!(),
            recv(never::<()>()) -> _ => unreachable!(),
            recv(after(timeout)) -> time => assert!(time.unwrap() >= begin + 3 * timeout),
        }
        select! { recv(never::<()>()) -> _ => unreachable!(), default(timeout) => {} }
        select! { default(timeout) => {} }
        assert!(begin.elapsed() >= 5 * timeout);
    }

    fn a_tick_ends_it_again_and_again() {
        let ticker = tick(Duration::from_millis(2));
        let (_sender, receiver) = bounded::<i32>(0);
        let mut times = Vec::new();
        while times.len() < 5 {
            select! {
                recv(receiver) -> _ => unreachable!(),
                recv(ticker) -> time => times.push(time.unwrap()),
            }
        }
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(2)));
    }

    fn selects_meet_selects() {
        // Each goroutine sends or receives, on either channel, as it happens.
        const EACH: usize = 20_000;
        let ((to_left, left), (to_right, right)) = (bounded::<usize>(0), bounded::<usize>(0));
        let sum = Arc::new(AtomicUsize::new(0));
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                let (left, right, sum) = (left.clone(), right.clone(), Arc::clone(&sum));
                thread::spawn(move || {
                    let mut count = 0usize;
                    loop {
                        let number = select! {
                            recv(left) -> number => number,
                            recv(right) -> number => number,
                        };
                        let Ok(number) = number else { break count };
                        sum.fetch_add(number, Ordering::Relaxed);
                        count += 1;
                    }
                })
            })
            .collect();
        let senders: Vec<_> = (0..3)
            .map(|_| {
                let (to_left, to_right) = (to_left.clone(), to_right.clone());
                thread::spawn(move || {
                    for number in 0..EACH {
                        select! {
                            send(to_left, number) -> result => result.unwrap(),
                            send(to_right, number) -> result => result.unwrap(),
                        }
                    }
                })
            })
            .collect();
        drop((to_left, to_right, left, right));
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        let counts = receivers.into_iter().map(|receiver| receiver.join().unwrap());
        assert_eq!(counts.sum::<usize>(), 3 * EACH);
        assert_eq!(sum.load(Ordering::Relaxed), 3 * (EACH - 1) * EACH / 2);
    }

    fn everybody_does_both() {
        // Goroutines that each have messages to send and to receive, on one channel
        // without room: it goes on as long as two of them are there.
        const EACH: usize = 5000;
        const MANY: usize = 4;
        let (sender, receiver) = bounded::<usize>(0);
        let received = Arc::new(AtomicUsize::new(0));
        let all: Vec<_> = (0..MANY)
            .map(|_| {
                let (sender, receiver) = (sender.clone(), receiver.clone());
                let received = Arc::clone(&received);
                thread::spawn(move || {
                    let (mut sent, mut sum) = (0, 0);
                    while sent < EACH {
                        select! {
                            send(sender, sent) -> result => { result.unwrap(); sent += 1 }
                            recv(receiver) -> number => {
                                sum += number.unwrap();
                                received.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    }
                    drop(sender);
                    for number in receiver {
                        sum += number;
                        received.fetch_add(1, Ordering::Relaxed);
                    }
                    sum
                })
            })
            .collect();
        drop(sender);
        let mut sum = 0usize;
        for number in receiver {
            sum += number;
            received.fetch_add(1, Ordering::Relaxed);
        }
        sum += all.into_iter().map(|one| one.join().unwrap()).sum::<usize>();
        assert_eq!(received.load(Ordering::Relaxed), MANY * EACH);
        assert_eq!(sum, MANY * (EACH - 1) * EACH / 2);
    }

    fn a_timeout_races_with_a_message() {
        // What did not time out was received, and the other way round.
        let (sender, receiver) = bounded::<usize>(0);
        let sending = thread::spawn(move || {
            let mut sent = 0;
            for number in 0..2000 {
                let time = Duration::from_micros(number as u64 % 50);
                select! {
                    send(sender, number) -> result => match result {
                        Ok(()) => sent += number + 1,
                        Err(_) => break,
                    },
                    default(time) => {}
                }
            }
            sent
        });
        let mut received = 0;
        let mut turn = 0u64;
        loop {
            turn += 1;
            select! {
                recv(receiver) -> number => match number {
                    Ok(number) => received += number + 1,
                    Err(_) => break,
                },
                default(Duration::from_micros(turn % 50)) => {}
            }
        }
        assert_eq!(sending.join().unwrap(), received);
    }

    fn a_sieve() {
        // Every number goes through one goroutine for each prime below it.
        let (to_first, mut from) = bounded::<usize>(0);
        let (stop, stopped) = bounded::<()>(0);
        let feeding = stopped.clone();
        thread::spawn(move || {
            for number in 2.. {
                select! {
                    send(to_first, number) -> result => if result.is_err() { break },
                    recv(feeding) -> _ => break,
                }
            }
        });
        let mut primes = Vec::new();
        while primes.len() < 100 {
            let prime = from.recv().unwrap();
            primes.push(prime);
            let (to_next, next) = bounded(0);
            let stopped = stopped.clone();
            thread::spawn(move || loop {
                select! {
                    recv(from) -> number => match number {
                        Ok(number) if number % prime != 0 => {
                            select! {
                                send(to_next, number) -> result => if result.is_err() { break },
                                recv(stopped) -> _ => break,
                            }
                        }
                        Ok(_) => {}
                        Err(_) => break,
                    },
                    recv(stopped) -> _ => break,
                }
            });
            from = next;
        }
        drop(stop);
        assert_eq!(primes.last(), Some(&541));
    }

    fn biased_waits_as_well() {
        let (to_urgent, urgent) = unbounded();
        let (to_usual, usual) = unbounded();
        let order = thread::spawn(move || {
            let mut order = Vec::new();
            loop {
                select_biased! {
                    recv(urgent) -> message => match message {
                        Ok(message) => order.push(message),
                        Err(_) => break order,
                    },
                    recv(usual) -> message => order.push(message.unwrap()),
                    default(Duration::from_secs(1000)) => unreachable!(),
                }
            }
        });
        let mut sent = Vec::new();
        for number in 0..100 {
            let sender: &Sender<i32> = if number % 3 == 0 { &to_urgent } else { &to_usual };
            sender.send(number).unwrap();
            sent.push(number);
            give_way();
        }
        while !to_usual.is_empty() {
            thread::yield_now();
        }
        drop(to_urgent);
        let mut order = order.join().unwrap();
        order.sort_unstable();
        assert_eq!(order, sent);
        drop(to_usual);
    }

    fn a_channel_through_a_channel() {
        // Each message carries the channel of the next one.
        struct Next(Receiver<Next>, usize);
        let (sender, mut receiver) = bounded(1);
        thread::spawn(move || {
            let mut sender = sender;
            for number in 0..1000 {
                let (next_sender, next) = bounded(1);
                let message = Next(next, number);
                select! { send(sender, message) -> result => assert!(result.is_ok()) }
                sender = next_sender;
            }
        });
        let mut count = 0;
        loop {
            let message = select! {
                recv(receiver) -> message => message,
                recv(never::<()>()) -> _ => unreachable!(),
            };
            let Ok(Next(next, number)) = message else { break };
            assert_eq!(number, count);
            count += 1;
            receiver = next;
        }
        assert_eq!(count, 1000);
    }
}
