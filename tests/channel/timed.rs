//! The clock's channels, and deadlines that come at the moment of a hand-off.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::channel::{
    Receiver, RecvTimeoutError, Select, SendTimeoutError, TryRecvError, after, at, bounded, never,
    tick,
};
use gort::runtime::read_mem_stats;
use gort::thread;
use gort::time::{Duration, Instant};

use crate::pairs::Random;
use crate::{Counted, alive, until};

const MOMENT: Duration = Duration::from_millis(3);
const LONG: Duration = Duration::from_secs(3600);

/// Two that wait for each other with deadlines that are over at about the same time: either
/// both see the message handed over, or neither does.
fn at_the_same_time<const SIZE: usize>(capacity: usize, rounds: usize) -> usize {
    let (s, r) = bounded::<Counted<SIZE>>(capacity);
    let random = Random::new(SIZE + capacity);
    let mut met = 0;
    for round in 0..rounds {
        let deadline = Instant::now() + Duration::from_micros(20 + random.below(60) as u64);
        let jitter = Duration::from_nanos(random.below(3000) as u64);
        let other = s.clone();
        let select = random.below(2) == 0;
        let sender = thread::spawn(move || {
            let message = Counted::new(round);
            if select {
                let mut select = Select::new();
                select.send(&other);
                return select
                    .select_deadline(deadline)
                    .is_ok_and(|selected| selected.send(&other, message).is_ok());
            }
            match other.send_deadline(message, deadline) {
                Err(SendTimeoutError::Timeout(message)) => {
                    assert_eq!(message.value(), round);
                    assert!(Instant::now() >= deadline);
                    false
                }
                sent => sent.is_ok(),
            }
        });
        let got = if random.below(2) == 0 {
            let mut select = Select::new();
            select.recv(&r);
            let selected = select.select_deadline(deadline + jitter);
            selected.ok().map(|selected| selected.recv(&r).unwrap())
        } else {
            r.recv_deadline(deadline + jitter).ok()
        };
        let got = got.map(|message| assert_eq!(message.value(), round));
        let sent = sender.join().unwrap();
        // What is sent into a buffer may arrive after the receiver's time.
        let late = (got.is_none() && capacity > 0)
            .then(|| r.try_recv().ok())
            .flatten();
        assert_eq!(sent, got.is_some() || late.is_some(), "round {round}");
        met += usize::from(sent);
        drop(late);
        assert_eq!(alive(), 0);
    }
    met
}

gort_test::test_module! {
    fn after_comes_once() {
        let start = Instant::now();
        let r = after(MOMENT);
        let far = after(LONG);
        assert_eq!((far.is_empty(), far.is_full(), far.len()), (true, false, 0));
        let when = r.recv().unwrap();
        assert!(when >= start + MOMENT && Instant::now() >= when);
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(r.recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout));
        assert!(r.is_empty());
    }

    fn at_is_there_when_it_is_time() {
        let when = Instant::now() + MOMENT;
        let r = at(when);
        while Instant::now() < when {}
        assert!(!r.is_empty() && r.is_full() && r.len() == 1); // without anybody's help
        assert_eq!((r.try_recv(), r.try_recv()), (Ok(when), Err(TryRecvError::Empty)));
        assert_eq!(at(when).recv(), Ok(when)); // and when that is past
    }

    fn of_many_that_wait_one_gets_it() {
        static GOT: AtomicUsize = AtomicUsize::new(0);
        let r = after(MOMENT);
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let r = r.clone();
                thread::spawn(move || {
                    let got = r.recv_timeout(10 * MOMENT).is_ok();
                    GOT.fetch_add(usize::from(got), Ordering::Relaxed);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(GOT.load(Ordering::Relaxed), 1);
    }

    fn a_time_beyond_the_clock_is_never() {
        assert!(after(Duration::MAX).same_channel(&never()));
        assert!(tick(Duration::MAX).same_channel(&never()));
    }

    fn ticks_are_a_period_apart() {
        let start = Instant::now();
        assert_eq!(tick(LONG).try_recv(), Err(TryRecvError::Empty));
        let r = tick(MOMENT);
        let mut last = start;
        for _ in 0..5 {
            let when = r.recv().unwrap();
            assert!(when >= last + MOMENT && Instant::now() >= when);
            last = when;
        }
    }

    fn ticks_that_nobody_took_are_one() {
        let r = tick(MOMENT);
        thread::sleep(5 * MOMENT);
        let before = Instant::now();
        let when = r.try_recv().unwrap();
        assert!(when <= before);
        let next = r.recv().unwrap();
        assert!(next >= before + MOMENT);
    }

    fn a_tick_that_is_not_waited_for_is_not_lost() {
        let r = tick(20 * MOMENT);
        let start = Instant::now();
        if r.recv_timeout(MOMENT).is_err() {
            assert!(r.recv().unwrap() <= start + 20 * MOMENT);
        }
        assert_eq!(tick(LONG).recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout));
    }

    fn a_tick_in_a_select() {
        let (s, r) = bounded(0);
        let ticker = tick(MOMENT);
        let sender = thread::spawn(move || (0..100).for_each(|i| {
            s.send(i).unwrap();
            thread::yield_now();
        }));
        let (mut ticks, mut messages) = (0, 0);
        while ticks < 3 || messages < 100 {
            let mut select = Select::new();
            let clock = select.recv(&ticker);
            if messages < 100 {
                select.recv(&r);
            }
            let selected = select.select();
            if selected.index() == clock {
                ticks += 1;
                assert!(selected.recv(&ticker).unwrap() <= Instant::now());
            } else {
                assert_eq!(selected.recv(&r), Ok(messages));
                messages += 1;
            }
        }
        sender.join().unwrap();
    }

    fn never_waits_until_its_deadline() {
        let r = never::<u8>();
        let start = Instant::now();
        assert_eq!(r.recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout));
        assert_eq!(r.recv_deadline(start + 2 * MOMENT), Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= 2 * MOMENT);
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        let mut select = Select::new();
        select.recv(&r);
        assert!(select.select_timeout(MOMENT).is_err() && select.try_select().is_err());
    }

    fn a_receiver_that_is_dropped_leaves_nothing() {
        let (s, r) = bounded::<usize>(0);
        let sender = thread::spawn(move || (0..30_000).for_each(|i| s.send(i).unwrap()));
        let mut before = 0;
        for i in 0..30_000 {
            if i == 10_000 {
                before = read_mem_stats().heap_objects;
            }
            let timeout = after(LONG);
            let mut select = Select::new();
            select.recv(&timeout);
            let index = select.recv(&r);
            let selected = select.select();
            assert_eq!((selected.index(), selected.recv(&r)), (index, Ok(i)));
        }
        let grown = read_mem_stats().heap_objects.saturating_sub(before);
        assert!(grown < 1000, "{grown}");
        sender.join().unwrap();
    }

    fn a_deadline_at_the_moment_of_a_hand_off() {
        let mut met = 0;
        for capacity in [0, 1] {
            met += at_the_same_time::<1>(capacity, 400);
            met += at_the_same_time::<20>(capacity, 400);
        }
        assert!(met > 0);
    }

    fn a_partner_that_was_claimed_has_no_deadline_any_more() {
        let (s, r) = bounded(0);
        let other: Receiver<u8> = r.clone();
        let receiver = thread::spawn(move || other.recv_timeout(MOMENT));
        let mut select = Select::new();
        select.send(&s);
        if let Ok(selected) = select.select_timeout(2 * MOMENT) {
            let start = Instant::now();
            until(|| start.elapsed() > 4 * MOMENT); // its time is over meanwhile
            selected.send(&s, 5).unwrap();
            assert_eq!(receiver.join().unwrap(), Ok(5));
        } else {
            assert_eq!(receiver.join().unwrap(), Err(RecvTimeoutError::Timeout));
        }
        drop(r);
    }
}
