//! Select: what is chosen, how often, and what two selects do with each other.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use gort::channel::internal::SelectHandle as _;
use gort::channel::{
    ReadyTimeoutError, Receiver, Select, SelectTimeoutError, Sender, TryReadyError, after, at,
    bounded, internal, never, unbounded,
};
use gort::runtime::read_mem_stats;
use gort::thread;
use gort::time::{Duration, Instant};

use crate::pairs::channel;
use crate::{Counted, alive, until, until_waiting};

const MOMENT: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_secs(3600);
const ALL: [Option<usize>; 4] = [Some(0), Some(1), Some(5), None];

/// How often each of `N` receivers that all have messages is selected.
fn shares<const N: usize>(mut select: Select<'_>, receivers: &[Receiver<usize>; N]) -> [usize; N] {
    let mut shares = [0; N];
    for _ in 0..N * 1000 {
        let selected = select.select();
        let index = selected.index();
        selected.recv(&receivers[index]).unwrap();
        shares[index] += 1;
    }
    shares
}

/// Receivers that all have many messages.
fn full<const N: usize>() -> [Receiver<usize>; N] {
    core::array::from_fn(|_| {
        let (s, r) = unbounded();
        (0..N * 1000).for_each(|i| s.send(i).unwrap());
        r
    })
}

/// Both at once, one after the other, `count` times: what the two agree on arrives.
fn two_selects<const SIZE: usize>(capacity: Option<usize>, count: usize) {
    let [(s1, r1), (s2, r2)] = [channel::<Counted<SIZE>>(capacity), channel(capacity)];
    let sender = thread::spawn(move || {
        let mut sum = 0;
        for i in 0..count {
            let mut select = Select::new();
            select.send(&s1);
            select.send(&s2);
            let selected = select.select();
            let s = [&s1, &s2][selected.index()];
            if i % 3 == 0 {
                thread::yield_now();
            }
            assert!(selected.send(s, Counted::new(i)).is_ok());
            sum += i;
        }
        (sum, [s1, s2]) // not dropped before all has arrived: an end is ready, too
    });
    let mut sum = 0;
    for i in 0..count {
        let mut select = Select::new();
        select.recv(&r2);
        select.recv(&r1);
        let selected = select.select();
        let r = [&r2, &r1][selected.index()];
        if i % 4 == 0 {
            thread::yield_now();
        }
        sum += selected.recv(r).unwrap().value();
    }
    assert_eq!(sender.join().unwrap().0, sum);
    assert_eq!(alive(), 0);
}

/// A select over the two, without what `Select` allocates.
fn select_two(r1: &Receiver<u64>, r2: &Receiver<u64>) -> u64 {
    let mut handles = [
        (r1.case(), 0, (&raw const *r1).cast()),
        (r2.case(), 1, (&raw const *r2).cast()),
    ];
    let selected = internal::select(&mut handles, false);
    match selected.index() {
        0 => selected.recv(r1).unwrap(),
        _ => selected.recv(r2).unwrap(),
    }
}

gort_test::test_module! {
    fn what_is_ready_is_selected() {
        let (s1, r1) = unbounded::<u8>();
        let (_s2, r2) = bounded::<u8>(0);
        let (s3, _r3) = bounded::<u8>(0);
        s1.send(7).unwrap();
        for mut select in [Select::new(), Select::new_biased()] {
            select.recv(&r2);
            select.send(&s3);
            let index = select.recv(&r1);
            let selected = select.select();
            assert_eq!((index, selected.index(), selected.recv(&r1)), (2, 2, Ok(7)));
            assert!(select.try_select().is_err());
            s1.send(7).unwrap();
        }
    }

    fn an_end_is_ready() {
        let (s, r) = bounded::<u8>(0);
        drop(s);
        let mut select = Select::new();
        select.recv(&r);
        assert!(select.select().recv(&r).is_err());
        assert_eq!(select.try_ready(), Ok(0));
        let (s, r) = bounded::<u8>(1);
        drop(r);
        let mut select = Select::new();
        select.send(&s);
        assert!(select.select().send(&s, 1).is_err());
        assert_eq!(select.ready(), 0);
    }

    fn none_is_ready() {
        let (s, r) = bounded::<u8>(0);
        let mut select = Select::new();
        select.recv(&r);
        select.send(&s); // it does not meet itself
        let start = Instant::now();
        assert!(select.try_select().is_err());
        assert_eq!(select.select_timeout(MOMENT).map(|_| ()), Err(SelectTimeoutError));
        assert_eq!(select.select_deadline(start + 2 * MOMENT).map(|_| ()), Err(SelectTimeoutError));
        assert_eq!(select.try_ready(), Err(TryReadyError));
        assert_eq!(select.ready_timeout(MOMENT), Err(ReadyTimeoutError));
        assert_eq!(select.ready_deadline(start + 4 * MOMENT), Err(ReadyTimeoutError));
        assert!(start.elapsed() >= 4 * MOMENT);
    }

    fn an_empty_list_only_waits() {
        let start = Instant::now();
        assert!(Select::new().select_timeout(MOMENT).is_err());
        assert!(Select::new().ready_timeout(MOMENT).is_err());
        assert!(start.elapsed() >= 2 * MOMENT);
        assert!(Select::new().try_select().is_err() && Select::new().try_ready().is_err());
    }

    #[should_panic(expected = "no operations have been added to `Select`")]
    fn an_empty_list_cannot_wait_for_ever() {
        let _ = Select::new().select();
    }

    #[should_panic(expected = "no operations have been added to `Select`")]
    fn nor_for_one_to_be_ready() {
        Select::new().ready();
    }

    #[should_panic(expected = "dropped `SelectedOperation` without completing the operation")]
    fn what_is_selected_has_to_be_completed() {
        let (s, _r) = unbounded::<u8>();
        let mut select = Select::new();
        select.send(&s);
        drop(select.select());
    }

    #[should_panic(expected = "passed a sender that wasn't selected")]
    fn with_the_sender_that_was_added() {
        let (s, _r) = unbounded();
        let mut select = Select::new();
        select.send(&s);
        let _ = select.select().send(&s.clone(), 1);
    }

    #[should_panic(expected = "passed a receiver that wasn't selected")]
    fn with_the_receiver_that_was_added() {
        let (s, r) = unbounded();
        s.send(1).unwrap();
        let mut select = Select::new();
        select.recv(&r);
        let _ = select.select().recv(&r.clone());
    }

    fn indices_stay_when_others_are_removed() {
        let (s, r) = unbounded();
        let mut select = Select::new();
        let all = [select.recv(&r), select.send(&s), select.recv(&r), select.send(&s)];
        assert_eq!(all, [0, 1, 2, 3]);
        select.remove(1);
        select.remove(0);
        select.remove(3);
        assert_eq!(select.send(&s), 4);
        select.remove(4);
        s.send(5).unwrap();
        let selected = select.select();
        assert_eq!((selected.index(), selected.recv(&r)), (2, Ok(5)));
    }

    #[should_panic(expected = "no operation with this index")]
    fn nothing_is_removed_twice() {
        let (s, _r) = unbounded::<u8>();
        let mut select = Select::new();
        select.send(&s);
        select.remove(0);
        select.remove(0);
    }

    #[should_panic(expected = "index out of bounds; 1 >= 1")]
    fn nor_what_was_never_added() {
        let (s, _r) = unbounded::<u8>();
        let mut select = Select::new();
        select.send(&s);
        select.remove(1);
    }

    fn each_has_its_share() {
        let receivers = full::<3>();
        let mut select = Select::new();
        receivers.iter().for_each(|r| _ = select.recv(r));
        // 3,000 times, 1,000 expected, with a deviation of 26.
        for share in shares(select, &receivers) {
            assert!((800..1200).contains(&share), "{share}");
        }
    }

    fn of_those_that_are_ready_each_has_its_share() {
        let (receivers, nothing) = (full::<2>(), never::<u8>());
        let mut select = Select::new();
        let mut indices = [0; 2];
        for (index, r) in indices.iter_mut().zip(&receivers) {
            *index = select.recv(r);
        }
        select.recv(&nothing); // a start at random with the next in line would prefer the first
        for share in shares(select, &receivers) {
            assert!((850..1150).contains(&share), "{share}");
        }
    }

    fn a_biased_one_takes_the_first() {
        let receivers = full::<3>();
        let mut select = Select::new_biased();
        receivers.iter().for_each(|r| _ = select.recv(r));
        assert_eq!(shares(select, &receivers), [3000, 0, 0]);
    }

    fn ready_only_looks() {
        for capacity in ALL {
            let (s, r) = channel(capacity);
            let sender = thread::spawn(move || s.send(Counted::<1>::new(3)).unwrap());
            let mut select = Select::new();
            let index = select.recv(&r);
            assert_eq!(select.ready(), index);
            until(|| select.try_ready() == Ok(index)); // it is, again and again
            assert_eq!(alive(), 1);
            assert_eq!(r.try_recv().unwrap().value(), 3);
            sender.join().unwrap();
        }
    }

    fn ready_to_send() {
        for capacity in [0, 1] {
            let (s, r) = bounded(capacity);
            (0..capacity).for_each(|_| s.send(0).unwrap());
            let other = s.clone();
            let watcher = thread::spawn(move || {
                let mut select = Select::new();
                let index = select.send(&other);
                assert_eq!(select.ready(), index);
            });
            let receiver = thread::spawn(move || (0..=capacity).for_each(|_| _ = r.recv().unwrap()));
            watcher.join().unwrap();
            s.send(1).unwrap();
            receiver.join().unwrap();
        }
    }

    fn many_may_watch_one() {
        let (s, r) = bounded(0);
        let watchers: Vec<_> = (0..5)
            .map(|_| {
                let r: Receiver<u8> = r.clone();
                thread::spawn(move || {
                    let mut select = Select::new();
                    select.recv(&r);
                    select.ready()
                })
            })
            .collect();
        until_waiting(5);
        let sender = thread::spawn(move || s.send(1).unwrap());
        watchers.into_iter().for_each(|watcher| assert_eq!(watcher.join().unwrap(), 0));
        assert_eq!(r.recv(), Ok(1));
        sender.join().unwrap();
    }

    fn two_selects_agree() {
        for capacity in ALL {
            two_selects::<1>(capacity, 1000);
        }
    }

    fn two_selects_agree_on_large_ones() {
        for capacity in ALL {
            two_selects::<20>(capacity, 1000);
        }
    }

    fn what_was_selected_is_kept() {
        let (s, r) = bounded(1);
        let mut select = Select::new();
        select.send(&s);
        let selected = select.select();
        assert!(s.is_full() && r.is_empty()); // the room is taken, the message not there
        assert!(s.try_send(Counted::<20>::new(2)).is_err() && r.try_recv().is_err());
        selected.send(&s, Counted::new(1)).unwrap_or_else(|_| panic!());
        assert!(s.is_full() && r.len() == 1);
        let mut select = Select::new();
        select.recv(&r);
        let selected = select.select();
        assert!(r.is_empty() && r.try_recv().is_err());
        assert_eq!(selected.recv(&r).unwrap().value(), 1);
        assert!(!s.is_full());
    }

    fn who_waits_gets_what_is_kept_at_last() {
        for _ in 0..50 {
            let (s, r) = bounded(1);
            let mut select = Select::new();
            select.send(&s);
            let selected = select.select();
            // Whichever of the two comes first: they wait for what is kept, or meet.
            let (other, receiver) = (s.clone(), r.clone());
            let sender = thread::spawn(move || other.send(Counted::<20>::new(2)).is_ok());
            let receiver = thread::spawn(move || receiver.recv().unwrap().value());
            (0..10).for_each(|_| thread::yield_now());
            assert!(selected.send(&s, Counted::new(1)).is_ok());
            let first = receiver.join().unwrap();
            assert!(sender.join().unwrap());
            assert_eq!(first + r.recv().unwrap().value(), 3);
        }
    }

    fn the_receivers_go_before_the_message_is_made() {
        for capacity in [1, 5] {
            let (s, r) = bounded(capacity);
            let mut select = Select::new();
            select.send(&s);
            let selected = select.select();
            drop(r);
            assert_eq!(selected.send(&s, Counted::<1>::new(4)).unwrap_err().0.value(), 4);
            assert_eq!(alive(), 0);
        }
    }

    fn a_select_that_sends_keeps_its_receiver_waiting() {
        static MADE: AtomicBool = AtomicBool::new(false);
        let (s, r) = bounded(0);
        let receiver = thread::spawn(move || {
            let got = r.recv_timeout(LONG).unwrap();
            (got, MADE.load(Ordering::Relaxed))
        });
        let mut select = Select::new();
        select.send(&s);
        let selected = select.select();
        for _ in 0..100 {
            thread::yield_now();
        }
        MADE.store(true, Ordering::Relaxed);
        selected.send(&s, 8).unwrap();
        assert_eq!(receiver.join().unwrap(), (8, true));
    }

    fn more_operations_than_the_macros_know() {
        let channels: Vec<(Sender<usize>, Receiver<usize>)> = (0..100).map(|_| bounded(0)).collect();
        let mut select = Select::new();
        channels.iter().for_each(|(_, r)| _ = select.recv(r));
        channels.iter().for_each(|(_, r)| _ = select.recv(r)); // each twice
        for at in [0, 99, 31, 50] {
            let s = channels[at].0.clone();
            let sender = thread::spawn(move || s.send(at).unwrap());
            let selected = select.select();
            assert_eq!(selected.index() % 100, at);
            assert_eq!(selected.recv(&channels[at].1), Ok(at));
            sender.join().unwrap();
        }
    }

    fn the_clock_among_others() {
        let (_s, r) = bounded::<u8>(0);
        let start = Instant::now();
        let (soon, late) = (after(MOMENT), at(start + LONG));
        let mut select = Select::new();
        select.recv(&late);
        select.recv(&r);
        let index = select.recv(&soon);
        let selected = select.select();
        assert_eq!(selected.index(), index);
        let when = selected.recv(&soon).unwrap();
        assert!(when >= start + MOMENT && Instant::now() >= when);
        assert!(select.select_timeout(MOMENT).is_err()); // it comes once
    }

    fn a_select_in_a_loop_allocates_nothing() {
        let [(s1, r1), (s2, r2)] = [bounded(0), bounded(0)];
        let turns = 20_000;
        let echo = thread::spawn(move || {
            for i in 0..turns {
                [&s1, &s2][i % 2].send(i as u64).unwrap();
            }
        });
        for _ in 0..100 {
            select_two(&r1, &r2);
        }
        let before = read_mem_stats().mallocs;
        for _ in 100..turns {
            select_two(&r1, &r2);
        }
        let allocated = read_mem_stats().mallocs - before;
        assert!(allocated < 50, "{allocated}"); // the runtime's own, now and then
        echo.join().unwrap();
    }
}
