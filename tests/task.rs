//! block_on: futures of one's own, those of futures-util, and an async channel between
//! goroutines.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use futures_util::future::{self, Either, FutureExt as _};
use futures_util::stream::{self, FuturesUnordered, StreamExt as _};
use futures_util::task::AtomicWaker;
use gort::__private::{preempt_storm, preemptions};
use gort::future::{Future, poll_fn, ready};
use gort::runtime::{gosched, num_goroutine};
use gort::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker, block_on};
use gort::thread;
use gort::time::{Duration, Instant, after_func};

/// Lets others run until only the caller is left.
fn until_alone() {
    while num_goroutine() > 1 {
        gosched();
    }
}

/// A flag, and the waker of who waits for it.
#[derive(Default)]
struct Event {
    set: AtomicBool,
    waker: AtomicWaker,
}

impl Event {
    /// Sets it.
    fn set(&self) {
        self.set.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Waits for it, and takes it.
    async fn wait(&self) {
        poll_fn(|context| {
            self.waker.register(context.waker());
            if self.set.swap(false, Ordering::Acquire) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

/// Is ready when so much time has passed.
fn sleep(duration: Duration) -> impl Future<Output = ()> {
    let event = Arc::new(Event::default());
    let its = event.clone();
    let timer = after_func(duration, move || its.set());
    async move {
        event.wait().await;
        timer.stop();
    }
}

/// Gives way to the other futures of the same `block_on`, once.
async fn yield_now() {
    let mut polled = false;
    poll_fn(|context| {
        if polled {
            return Poll::Ready(());
        }
        polled = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Returns pseudo-random numbers, from a seed.
fn random(state: &AtomicU64) -> u64 {
    let mut x = state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 31)
}

/// Sends numbers from some goroutines to others over an async channel, each in `block_on`;
/// and checks that all arrive, once.
fn all_arrive(senders: u64, receivers: u64, each: u64, capacity: usize) {
    let (sender, receiver) = async_channel::bounded(capacity);
    let sum = Arc::new(AtomicU64::new(0));
    let count = Arc::new(AtomicU64::new(0));
    let mut all = Vec::new();
    for first in 0..senders {
        let sender = sender.clone();
        all.push(thread::spawn(move || {
            block_on(async {
                for number in first * each..(first + 1) * each {
                    sender.send(number).await.unwrap();
                }
            });
        }));
    }
    drop(sender);
    for _ in 0..receivers {
        let (receiver, sum, count) = (receiver.clone(), sum.clone(), count.clone());
        all.push(thread::spawn(move || {
            block_on(async {
                while let Ok(number) = receiver.recv().await {
                    sum.fetch_add(number, Ordering::Relaxed);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }));
    }
    for goroutine in all {
        goroutine.join().unwrap();
    }
    let total = senders * each;
    assert_eq!(count.load(Ordering::Relaxed), total);
    assert_eq!(sum.load(Ordering::Relaxed), total * (total - 1) / 2);
}

/// Has two goroutines set each other's event, in turns.
fn ping_pong(rounds: usize) {
    let events: Arc<[Event; 2]> = Arc::default();
    let its = events.clone();
    let other = thread::spawn(move || {
        block_on(async {
            for _ in 0..rounds {
                its[1].wait().await;
                its[0].set();
            }
        });
    });
    block_on(async {
        for _ in 0..rounds {
            events[1].set();
            events[0].wait().await;
        }
    });
    other.join().unwrap();
}

gort_test::tests! {
    fn what_is_ready_is_returned() {
        assert_eq!(block_on(ready(5)), 5);
        assert_eq!(block_on(async { "text" }.map(str::len)), 4);
        // What is no future yet, but becomes one.
        struct Later(u32);
        impl IntoFuture for Later {
            type Output = u32;
            type IntoFuture = core::future::Ready<u32>;
            fn into_future(self) -> Self::IntoFuture {
                ready(self.0)
            }
        }
        assert_eq!(block_on(Later(9)), 9);
        // It borrows from the goroutine.
        let mut word = alloc::string::String::from("a");
        block_on(async {
            yield_now().await;
            word.push('b');
        });
        assert_eq!(word, "ab");
    }

    fn a_wake_up_before_the_sleep_is_not_lost() {
        for _ in 0..1000 {
            let mut polls = 0;
            let value = block_on(poll_fn(|context| {
                polls += 1;
                if polls > 3 {
                    return Poll::Ready(polls);
                }
                context.waker().wake_by_ref();
                let another = context.waker().clone();
                another.wake(); // two are one
                Poll::Pending
            }));
            assert_eq!(value, 4);
        }
    }

    fn it_is_polled_when_it_was_woken_and_else_not() {
        let event = Arc::new(Event::default());
        let its = event.clone();
        let polls = Arc::new(AtomicUsize::new(0));
        let seen = polls.clone();
        let waiter = thread::spawn(move || {
            let mut wait = pin!(its.wait());
            block_on(poll_fn(|context| {
                seen.fetch_add(1, Ordering::AcqRel);
                wait.as_mut().poll(context)
            }));
        });
        while polls.load(Ordering::Acquire) == 0 || gort::__private::waiting() == 0 {
            gosched();
        }
        // Its other token is another matter.
        waiter.thread().unpark();
        thread::sleep(Duration::from_millis(2));
        assert_eq!(polls.load(Ordering::Acquire), 1);
        event.waker.wake();
        event.set();
        waiter.join().unwrap();
        assert!((2..=3).contains(&polls.load(Ordering::Acquire)));
    }

    fn timers_wake_it() {
        for micros in [0, 1, 50, 1000, 3000] {
            let start = Instant::now();
            block_on(sleep(Duration::from_micros(micros)));
            assert!(start.elapsed() >= Duration::from_micros(micros));
        }
    }

    fn another_goroutine_wakes_it() {
        ping_pong(20_000);
    }

    fn a_blocking_thread_wakes_it() {
        // One without a P.
        let event = Arc::new(Event::default());
        let its = event.clone();
        gort::go(move || gort::runtime::blocking(|| {
            if gort::__private::HAS_SYSTEM {
                rustix::thread::sched_yield();
            }
            its.set();
        }));
        block_on(event.wait());
    }

    fn one_within_another() {
        // Each gets its own wake-ups: the inner one's sleep takes none of the outer one's.
        let outer = Arc::new(Event::default());
        let (its, timer) = (outer.clone(), outer.clone());
        let value = block_on(async {
            let mut wait = pin!(outer.wait());
            assert!(poll_fn(|context| Poll::Ready(wait.as_mut().poll(context))).await.is_pending());
            let inner = block_on(async {
                its.set(); // wakes the outer one, while it polls us
                sleep(Duration::from_millis(1)).await;
                yield_now().await;
                block_on(async { sleep(Duration::from_micros(10)).map(|()| 3).await })
            });
            wait.await;
            drop(after_func(Duration::from_millis(1), move || timer.set()));
            outer.wait().await;
            inner
        });
        assert_eq!(value, 3);
    }

    fn it_may_be_woken_when_it_is_over() {
        let mut all = Vec::new();
        for _ in 0..100 {
            block_on(poll_fn(|context| {
                all.push(context.waker().clone());
                Poll::Ready(())
            }));
        }
        let other = thread::spawn(|| {
            let mut kept = None;
            block_on(poll_fn(|context| {
                kept = Some(context.waker().clone());
                Poll::Ready(())
            }));
            kept
        });
        let kept = other.join().unwrap().unwrap();
        until_alone();
        assert_eq!(all.len(), 100);
        for waker in &all {
            waker.wake_by_ref();
        }
        for waker in all {
            let another = waker.clone();
            waker.wake();
            another.wake();
        }
        kept.wake();
        // Nor did that wake whoever is in block_on now for nothing.
        let mut polls = 0;
        let start = Instant::now();
        let mut slept = pin!(sleep(Duration::from_millis(1)));
        block_on(poll_fn(|context| {
            polls += 1;
            slept.as_mut().poll(context)
        }));
        assert!(start.elapsed() >= Duration::from_millis(1) && polls <= 2, "{polls} polls");
    }

    fn wakers_of_one_say_so() {
        block_on(poll_fn(|context| {
            let (first, second) = (context.waker().clone(), context.waker().clone());
            assert!(first.will_wake(&second));
            block_on(poll_fn(|inner| {
                assert!(!inner.waker().will_wake(&first));
                Poll::Ready(())
            }));
            Poll::Ready(())
        }));
    }

    fn join_and_select() {
        let (first, second) = block_on(future::join(sleep(Duration::from_millis(1)).map(|()| 1), async {
            yield_now().await;
            2
        }));
        assert_eq!((first, second), (1, 2));
        let all = (0..100u64).map(|n| sleep(Duration::from_micros(n * 13 % 500)).map(move |()| n));
        let sum: u64 = block_on(future::join_all(all)).into_iter().sum();
        assert_eq!(sum, 4950);
        let hour = pin!(sleep(Duration::from_secs(3600)));
        let moment = pin!(sleep(Duration::from_millis(1)));
        match block_on(future::select(hour, moment)) {
            Either::Left(_) => panic!("an hour has passed"),
            Either::Right(((), _hour)) => {}
        }
        let words = block_on(async {
            futures_util::join!(async { "a" }, async {
                sleep(Duration::from_micros(5)).await;
                "b"
            })
        });
        assert_eq!(words, ("a", "b"));
        let late = block_on(async {
            let mut never = pin!(future::pending::<()>().fuse());
            let mut soon = pin!(sleep(Duration::from_micros(100)).fuse());
            futures_util::select_biased! {
                () = never => false,
                () = soon => true,
            }
        });
        assert!(late);
    }

    fn many_unordered() {
        static SEED: AtomicU64 = AtomicU64::new(1);
        let mut futures: FuturesUnordered<Pin<Box<dyn Future<Output = u64>>>> = FuturesUnordered::new();
        for number in 0..1000 {
            futures.push(Box::pin(async move {
                match number % 3 {
                    0 => sleep(Duration::from_nanos(random(&SEED) % 2_000_000)).await,
                    1 => yield_now().await,
                    _ => {}
                }
                number
            }));
        }
        let (mut count, mut sum) = (0, 0);
        block_on(async {
            while let Some(number) = futures.next().await {
                count += 1;
                sum += number;
            }
        });
        assert_eq!((count, sum), (1000, 999 * 500));
    }

    fn streams() {
        let squares = stream::iter(1..=20u64)
            .map(|n| async move {
                sleep(Duration::from_micros(20 * (21 - n))).await;
                n * n
            })
            .buffered(5);
        assert_eq!(block_on(squares.collect::<Vec<_>>()), (1..=20).map(|n| n * n).collect::<Vec<_>>());
        let unordered = stream::iter(0..100u64).map(|n| async move {
            yield_now().await;
            n
        });
        assert_eq!(block_on(unordered.buffer_unordered(10).fold(0, |sum, n| ready(sum + n))), 4950);
    }

    fn an_async_channel_between_goroutines() {
        let (sender, receiver) = async_channel::bounded(1);
        let other = thread::spawn(move || block_on(async {
            for number in 0..10_000 {
                sender.send(number).await.unwrap();
            }
        }));
        let mut expected = 0;
        block_on(async {
            let mut receiver = pin!(receiver);
            while let Some(number) = receiver.next().await {
                assert_eq!(number, expected);
                expected += 1;
            }
        });
        assert_eq!(expected, 10_000);
        other.join().unwrap();
    }

    fn many_senders_and_receivers() {
        all_arrive(8, 8, 500, 3);
        all_arrive(1, 20, 2000, 1);
        all_arrive(20, 1, 200, 1);
    }

    fn senders_and_receivers_under_preemption() {
        let before = preemptions();
        preempt_storm(true);
        thread::spawn(move || {
            let mut rounds = 0;
            while rounds < 5 || preemptions() - before < 500 {
                all_arrive(4, 4, 100, 2);
                ping_pong(100);
                rounds += 1;
            }
        })
        .join()
        .unwrap();
        preempt_storm(false);
    }

    fn thousands_wait_at_once() {
        const COUNT: usize = 5_000;
        static WOKEN: AtomicUsize = AtomicUsize::new(0);
        let events: Arc<Vec<Event>> = Arc::new((0..COUNT).map(|_| Event::default()).collect());
        for number in 0..COUNT {
            let events = events.clone();
            gort::go(move || {
                block_on(events[number].wait());
                WOKEN.fetch_add(1, Ordering::Relaxed);
            });
        }
        while gort::__private::waiting() < COUNT {
            gosched();
        }
        assert_eq!(WOKEN.load(Ordering::Relaxed), 0);
        for event in events.iter() {
            event.set();
        }
        until_alone();
        assert_eq!(WOKEN.load(Ordering::Relaxed), COUNT);
    }

    fn the_names_of_std_are_there() {
        struct Counts(AtomicUsize);
        impl Wake for Counts {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let counts = Arc::new(Counts(AtomicUsize::new(0)));
        let waker = Waker::from(counts.clone());
        let mut context = Context::from_waker(&waker);
        let mut yields = pin!(yield_now());
        assert!(yields.as_mut().poll(&mut context).is_pending());
        assert_eq!(counts.0.load(Ordering::Relaxed), 1);
        assert!(yields.poll(&mut context).is_ready());
        fn both(poll: Poll<u32>) -> Poll<u32> {
            Poll::Ready(gort::task::ready!(poll) + 1)
        }
        assert_eq!(both(Poll::Ready(1)), Poll::Ready(2));
        assert_eq!(both(Poll::Pending), Poll::Pending);
        let _: Option<(RawWaker, RawWakerVTable)> = None;
    }
}
