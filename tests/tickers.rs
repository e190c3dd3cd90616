//! Timers and tickers that send: what Go's documentation says of them, as of Go 1.23.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use gort::channel::{RecvTimeoutError, Select, TryRecvError, unbounded};
use gort::runtime::num_goroutine;
use gort::thread;
use gort::time::{Duration, Instant, Ticker, Timer, after_func};

/// A long time, which no test waits for.
const HOUR: Duration = Duration::from_secs(3600);

/// A short one.
const MOMENT: Duration = Duration::from_micros(100);

/// Waits until only the caller is left.
fn until_alone() {
    while num_goroutine() > 1 {
        thread::sleep(MOMENT);
    }
}

/// Waits until something has been sent that nobody has received.
fn until_sent(timer: &Timer) {
    while timer.c.is_empty() {
        thread::sleep(MOMENT);
    }
}

/// Returns pseudo-random numbers, from a seed.
fn random(state: &AtomicU64) -> u64 {
    let mut x = state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 31)
}

gort_test::tests! {
    fn a_timer_sends_once_and_not_early() {
        for micros in [0, 1, 100, 1000, 5000] {
            let duration = Duration::from_micros(micros);
            let start = Instant::now();
            let timer = Timer::new(duration);
            let sent = timer.c.recv().unwrap();
            assert!(sent - start >= duration);
            assert!(sent <= Instant::now());
            until_alone();
            assert_eq!(timer.c.try_recv(), Err(TryRecvError::Empty));
            assert!(!timer.stop(), "the value was received");
        }
    }

    fn who_stops_it_in_time_says_so() {
        let timer = Timer::new(HOUR);
        assert!(timer.stop());
        assert!(!timer.stop());
        assert_eq!(timer.c.try_recv(), Err(TryRecvError::Empty));
    }

    fn what_was_sent_and_not_received_is_gone_with_stop() {
        for _ in 0..100 {
            let timer = Timer::new(Duration::from_nanos(1));
            until_sent(&timer);
            assert!(timer.stop(), "nobody has received it");
            assert_eq!(timer.c.try_recv(), Err(TryRecvError::Empty));
            assert!(!timer.stop());
        }
    }

    fn what_was_sent_and_not_received_is_gone_with_reset() {
        for _ in 0..100 {
            let timer = Timer::new(Duration::from_nanos(1));
            until_sent(&timer);
            assert!(timer.reset(HOUR));
            assert_eq!(timer.c.try_recv(), Err(TryRecvError::Empty));
            assert!(timer.reset(MOMENT));
            timer.c.recv().unwrap();
            assert!(!timer.reset(HOUR));
            assert!(timer.stop());
        }
    }

    fn no_stale_value_whenever_it_is_set_anew() {
        // Set anew just when it comes. What is received then was sent for the last time
        // that was set: not before that.
        static SEED: AtomicU64 = AtomicU64::new(1);
        let timer = Timer::new(HOUR);
        for _ in 0..3000 {
            let short = Duration::from_nanos(random(&SEED) % 60_000);
            timer.reset(short);
            thread::sleep(Duration::from_nanos(random(&SEED) % 60_000));
            let last = Duration::from_nanos(random(&SEED) % 100_000);
            let set = Instant::now();
            timer.reset(last);
            let sent = timer.c.recv().unwrap();
            assert!(sent >= set + last, "early by {:?}", set + last - sent);
            assert_eq!(timer.c.try_recv(), Err(TryRecvError::Empty));
            timer.reset(short);
            thread::sleep(Duration::from_nanos(random(&SEED) % 60_000));
            timer.stop();
            assert_eq!(timer.c.try_recv(), Err(TryRecvError::Empty));
            thread::yield_now();
            assert_eq!(timer.c.try_recv(), Err(TryRecvError::Empty));
        }
        until_alone();
    }

    fn stops_and_values_add_up() {
        // Each time that was set was stopped, set anew, or received: just one of these.
        static SEED: AtomicU64 = AtomicU64::new(2);
        const TIMERS: usize = 16;
        const TURNS: usize = 500;
        let timers: Arc<Vec<Timer>> = Arc::new((0..TIMERS).map(|_| Timer::new(MOMENT)).collect());
        let set = Arc::new(AtomicUsize::new(TIMERS));
        let over = Arc::new(AtomicUsize::new(0));
        let done = Arc::new(AtomicBool::new(false));
        let mut receivers = Vec::new();
        for timer in timers.iter() {
            let (c, over, done) = (timer.c.clone(), over.clone(), done.clone());
            receivers.push(thread::spawn(move || {
                while !done.load(Ordering::Acquire) {
                    match c.recv_timeout(Duration::from_millis(1)) {
                        Ok(_) => over.fetch_add(1, Ordering::Relaxed),
                        Err(RecvTimeoutError::Timeout) => 0,
                        Err(RecvTimeoutError::Disconnected) => panic!("the timer is there"),
                    };
                }
            }));
        }
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let (timers, set, over) = (timers.clone(), set.clone(), over.clone());
                thread::spawn(move || {
                    for _ in 0..TURNS {
                        let number = random(&SEED);
                        let timer = &timers[number as usize % TIMERS];
                        let pending = if number >> 32 & 3 == 0 {
                            timer.stop()
                        } else {
                            set.fetch_add(1, Ordering::Relaxed);
                            timer.reset(Duration::from_nanos(number >> 40 & 0x3_ffff))
                        };
                        over.fetch_add(pending.into(), Ordering::Relaxed);
                        if number >> 60 == 0 {
                            thread::sleep(MOMENT);
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().unwrap();
        }
        while over.load(Ordering::Relaxed) < set.load(Ordering::Relaxed) {
            thread::sleep(MOMENT);
        }
        thread::sleep(Duration::from_millis(1));
        done.store(true, Ordering::Release);
        for receiver in receivers {
            receiver.join().unwrap();
        }
        assert_eq!(over.load(Ordering::Relaxed), set.load(Ordering::Relaxed));
        assert!(!timers.iter().any(Timer::stop));
    }

    fn a_timer_goes_on_without_its_handle() {
        let timer = Timer::new(Duration::from_millis(1));
        let c = timer.c.clone();
        drop(timer);
        c.recv().unwrap();
        until_alone();
        assert_eq!(c.try_recv(), Err(TryRecvError::Disconnected));
        let timer = Timer::new(HOUR);
        let c = timer.c.clone();
        assert!(timer.stop());
        drop(timer);
        assert!(c.recv().is_err());
    }

    fn one_that_calls_a_function_sends_nothing() {
        let called = Arc::new(AtomicUsize::new(0));
        let its = called.clone();
        let timer = after_func(Duration::from_nanos(1), move || {
            its.fetch_add(1, Ordering::Release);
        });
        while called.load(Ordering::Acquire) == 0 {
            thread::sleep(MOMENT);
        }
        assert_eq!(timer.c.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(timer.c.recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout));
        assert!(!timer.stop());
    }

    fn a_timer_in_a_select() {
        let (sender, numbers) = unbounded();
        let timeout = Timer::new(HOUR);
        let mut sum = 0;
        for number in 0..1000 {
            timeout.reset(HOUR);
            gort::go({
                let sender = sender.clone();
                move || sender.send(number).unwrap()
            });
            let mut select = Select::new();
            select.recv(&numbers);
            select.recv(&timeout.c);
            let operation = select.select();
            assert_eq!(operation.index(), 0, "an hour has passed");
            sum += operation.recv(&numbers).unwrap();
        }
        assert_eq!(sum, 999 * 500);
        timeout.reset(MOMENT);
        let mut select = Select::new();
        select.recv(&numbers);
        select.recv(&timeout.c);
        let operation = select.select();
        assert_eq!(operation.index(), 1, "nobody sends");
        assert!(operation.recv(&timeout.c).unwrap() <= Instant::now());
    }

    fn the_longest_time_is_far_away() {
        let timer = Timer::new(Duration::MAX);
        thread::sleep(MOMENT);
        assert!(timer.reset(Duration::from_secs(u64::MAX / 4)));
        thread::sleep(MOMENT);
        assert!(timer.stop());
        let ticker = Ticker::new(Duration::MAX);
        assert_eq!(ticker.c.recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout));
    }

    fn a_ticker_ticks() {
        for micros in [1, 50, 1000] {
            let period = Duration::from_micros(micros);
            let start = Instant::now();
            let ticker = Ticker::new(period);
            let mut before = start;
            for tick in 1..=20 {
                let when = ticker.c.recv().unwrap();
                assert!(when >= start + period * tick, "tick {tick} is early");
                assert!(when > before);
                before = when;
            }
        }
        until_alone();
    }

    fn ticks_that_nobody_receives_are_left_out() {
        let ticker = Ticker::new(Duration::from_micros(50));
        thread::sleep(Duration::from_millis(5));
        assert!(ticker.c.len() <= 1);
        // One may be old; the next is not.
        ticker.c.recv().unwrap();
        let asked = Instant::now();
        ticker.c.recv().unwrap();
        assert!(ticker.c.recv().unwrap() >= asked);
    }

    fn a_ticker_that_is_stopped_is_silent() {
        static SEED: AtomicU64 = AtomicU64::new(3);
        let ticker = Ticker::new(Duration::from_micros(20));
        for _ in 0..500 {
            thread::sleep(Duration::from_nanos(random(&SEED) % 60_000));
            ticker.stop();
            assert_eq!(ticker.c.try_recv(), Err(TryRecvError::Empty));
            thread::yield_now();
            assert_eq!(ticker.c.try_recv(), Err(TryRecvError::Empty));
            let set = Instant::now();
            let period = Duration::from_nanos(random(&SEED) % 50_000 + 1);
            ticker.reset(period);
            assert!(ticker.c.recv().unwrap() >= set + period);
        }
        ticker.stop();
        until_alone();
        assert!(ticker.c.is_empty());
    }

    fn a_ticker_stops_when_it_is_dropped() {
        let ticker = Ticker::new(Duration::from_micros(10));
        let c = ticker.c.clone();
        c.recv().unwrap();
        drop(ticker);
        until_alone(); // nobody ticks any more, and nothing waits for the time
        assert!(matches!(c.try_recv(), Err(TryRecvError::Disconnected)));
        for _ in 0..1000 {
            drop(Ticker::new(Duration::from_nanos(1)));
        }
        until_alone();
    }

    fn many_tickers_at_a_time() {
        let tickers: Vec<_> = (1..=200).map(|n| Ticker::new(Duration::from_micros(n * 7 + 500))).collect();
        let counts: Vec<_> = tickers
            .iter()
            .map(|ticker| {
                let c = ticker.c.clone();
                thread::spawn(move || c.iter().take(10).count())
            })
            .collect();
        for count in counts {
            assert_eq!(count.join().unwrap(), 10);
        }
    }

    #[should_panic(expected = "non-positive interval for Ticker")]
    fn no_time_is_no_period() {
        drop(Ticker::new(Duration::ZERO));
    }

    fn they_print() {
        assert_eq!(format!("{:?}", Timer::new(MOMENT)), "Timer { .. }");
        assert_eq!(format!("{:?}", Ticker::new(MOMENT)), "Ticker { .. }");
    }
}
