//! The surface: each function, each trait, each text.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;
use core::error::Error;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::time::Duration;

use gort::channel::internal::SelectHandle as _;
use gort::channel::{
    IntoIter, Iter, ReadyTimeoutError, Receiver, RecvError, RecvTimeoutError, Select,
    SelectTimeoutError, SelectedOperation, SendError, SendTimeoutError, Sender, TryIter,
    TryReadyError, TryRecvError, TrySelectError, TrySendError, after, at, bounded, internal, never,
    tick, unbounded,
};
use gort::thread;
use gort::time::Instant;

use crate::{until, until_waiting};

const MOMENT: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_secs(3600);

/// What is neither Debug nor Clone, nor anything else.
struct Plain;

gort_test::test_module! {
    fn messages_keep_their_order() {
        for (s, r) in [unbounded(), bounded(1000), bounded(1), bounded(0)] {
            thread::spawn(move || (0..1000).for_each(|i| s.send(i).unwrap()));
            assert!(r.iter().eq(0..1000));
        }
    }

    fn a_bounded_one_goes_round() {
        let (s, r) = bounded(3);
        for i in 0..100 {
            s.send(2 * i).unwrap();
            s.send(2 * i + 1).unwrap();
            assert_eq!((r.len(), s.is_full()), (2, false));
            assert_eq!((r.recv(), r.recv()), (Ok(2 * i), Ok(2 * i + 1)));
        }
    }

    fn one_without_a_limit_holds_any_number() {
        let (s, r) = unbounded();
        for count in [1, 61, 62, 63, 124, 125, 5000, 3] {
            (0..count).for_each(|i| s.send(i).unwrap());
            assert_eq!((s.len(), r.len()), (count, count));
            assert!((0..count).all(|i| r.try_recv() == Ok(i)));
            assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        }
    }

    fn length_and_room() {
        let (s, r) = bounded(2);
        let state = |s: &Sender<u8>, r: &Receiver<u8>| {
            assert_eq!((s.len(), s.is_empty(), s.is_full()), (r.len(), r.is_empty(), r.is_full()));
            (r.len(), r.is_empty(), r.is_full())
        };
        assert_eq!(state(&s, &r), (0, true, false));
        s.send(1).unwrap();
        assert_eq!(state(&s, &r), (1, false, false));
        s.send(2).unwrap();
        assert_eq!(state(&s, &r), (2, false, true));
        r.recv().unwrap();
        assert_eq!(state(&s, &r), (1, false, false));
        let (s, r) = bounded(0);
        assert_eq!(state(&s, &r), (0, true, true));
        let (s, r) = unbounded();
        s.send(1).unwrap();
        assert_eq!(state(&s, &r), (1, false, false));
    }

    fn capacities() {
        for capacity in [0, 1, 7] {
            let (s, r) = bounded::<u8>(capacity);
            assert_eq!((s.capacity(), r.capacity()), (Some(capacity), Some(capacity)));
        }
        let (s, r) = unbounded::<u8>();
        assert_eq!((s.capacity(), r.capacity()), (None, None));
        assert_eq!(never::<u8>().capacity(), Some(0));
        assert_eq!(after(LONG).capacity(), Some(1));
        assert_eq!(tick(LONG).capacity(), Some(1));
        let (s, r) = bounded::<()>(usize::MAX - 1); // nothing takes no room
        s.send(()).unwrap();
        assert_eq!((r.len(), r.recv()), (1, Ok(())));
    }

    #[should_panic(expected = "bounded channel capacity is too large")]
    fn more_than_the_address_space() {
        let _ = bounded::<u64>(usize::MAX / 4);
    }

    fn try_send_and_try_recv() {
        let (s, r) = bounded(1);
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(s.try_send(1), Ok(()));
        assert_eq!(s.try_send(2), Err(TrySendError::Full(2)));
        assert_eq!(r.try_recv(), Ok(1));
        drop(r);
        assert_eq!(s.try_send(3), Err(TrySendError::Disconnected(3)));
        let (s, r) = bounded(0);
        assert_eq!(s.try_send(1), Err(TrySendError::Full(1)));
        assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
        drop(s);
        assert_eq!(r.try_recv(), Err::<i32, _>(TryRecvError::Disconnected));
    }

    fn try_meets_who_waits() {
        let (s, r) = bounded(0);
        let receiver = thread::spawn(move || (r.recv(), r));
        until(|| s.try_send(5).is_ok());
        let (got, r) = receiver.join().unwrap();
        assert_eq!(got, Ok(5));
        let sender = thread::spawn(move || s.send(6));
        until(|| r.try_recv() == Ok(6));
        sender.join().unwrap().unwrap();
    }

    fn timeouts_and_deadlines() {
        let (s, r) = bounded(1);
        let start = Instant::now();
        assert_eq!(r.recv_timeout(MOMENT), Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= MOMENT);
        assert_eq!(s.send_timeout(1, MOMENT), Ok(()));
        let deadline = Instant::now() + MOMENT;
        assert_eq!(s.send_deadline(2, deadline), Err(SendTimeoutError::Timeout(2)));
        assert!(Instant::now() >= deadline);
        // What is ready does not look at the time.
        assert_eq!(r.recv_deadline(start), Ok(1));
        assert_eq!(r.recv_deadline(start), Err(RecvTimeoutError::Timeout));
        assert_eq!(s.send_timeout(3, Duration::ZERO), Ok(()));
        assert_eq!(s.send_timeout(4, Duration::ZERO), Err(SendTimeoutError::Timeout(4)));
        assert_eq!(r.recv_timeout(Duration::MAX), Ok(3)); // longer than the clock counts
        assert_eq!(s.send_timeout(5, Duration::MAX), Ok(()));
        drop(s);
        assert_eq!(r.recv_timeout(LONG), Ok(5));
        assert_eq!(r.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
        let (s, r) = bounded(0);
        assert_eq!(s.send_timeout(1, MOMENT), Err(SendTimeoutError::Timeout(1)));
        drop(r);
        assert_eq!(s.send_deadline(1, Instant::now() + LONG), Err(SendTimeoutError::Disconnected(1)));
    }

    fn a_timeout_ends_when_the_partner_comes() {
        let (s, r) = bounded(0);
        let sender = thread::spawn(move || s.send_timeout(1, LONG));
        until_waiting(1);
        assert_eq!(r.recv_timeout(LONG), Ok(1));
        sender.join().unwrap().unwrap();
    }

    fn handles_of_one_channel() {
        let (s1, r1) = unbounded::<u8>();
        let (s2, r2) = unbounded::<u8>();
        assert!(s1.same_channel(&s1.clone()) && r1.same_channel(&r1.clone()));
        assert!(!s1.same_channel(&s2) && !r1.same_channel(&r2));
        let (once, ticker) = (after(LONG), tick(LONG));
        assert!(once.same_channel(&once.clone()) && !once.same_channel(&after(LONG)));
        assert!(ticker.same_channel(&ticker.clone()) && !ticker.same_channel(&tick(LONG)));
        assert!(never::<u8>().same_channel(&never()));
        assert!(!once.same_channel(&ticker) && !r1.same_channel(&never()));
    }

    fn iterators() {
        let (s, r) = unbounded();
        (0..5).for_each(|i| s.send(i).unwrap());
        assert_eq!(r.try_iter().take(2).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(r.try_iter().collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(r.try_iter().next(), None);
        s.send(5).unwrap();
        drop(s);
        let mut all = Vec::new();
        for message in &r {
            all.push(message);
        }
        assert_eq!(all, [5]);
        let mut iter = r.iter();
        assert_eq!((iter.next(), iter.next()), (None, None));
        let mut iter = r.into_iter();
        assert_eq!((iter.next(), iter.next()), (None, None));
    }

    fn messages_of_any_kind() {
        let (s, r) = bounded(1);
        s.send(Plain).unwrap();
        assert!(r.recv().is_ok());
        let (s, r) = unbounded();
        (0..200).for_each(|_| s.send(()).unwrap());
        assert_eq!((r.len(), r.try_iter().count()), (200, 200));
        #[repr(align(64))]
        struct Aligned(u8);
        for (s, r) in [unbounded(), bounded(1)] {
            for i in 0..100 {
                s.send(Aligned(i)).unwrap();
                let got = r.recv().unwrap();
                assert_eq!(((&raw const got).addr() % 64, got.0), (0, i));
            }
        }
        let (s, r) = bounded(0);
        thread::spawn(move || s.send(vec!["a", "b"].into_boxed_slice()).unwrap());
        assert_eq!(*r.recv().unwrap(), ["a", "b"]);
        // Channels over channels.
        let (s, r) = bounded::<Sender<Box<u8>>>(0);
        let (back, answer) = bounded(0);
        thread::spawn(move || r.recv().unwrap().send(Box::new(7)).unwrap());
        s.send(back).unwrap();
        assert_eq!(answer.recv(), Ok(Box::new(7)));
    }

    fn a_megabyte_arrives_whole() {
        type Megabyte = [u64; 1 << 17];
        fn run(capacity: Option<usize>) {
            let (s, r) = crate::pairs::channel::<Megabyte>(capacity);
            let big = || thread::Builder::new().stack_size(16 << 20);
            let sender = big().spawn(move || {
                for i in 0..3 {
                    assert!(s.send([i; 1 << 17]).is_ok());
                }
                let mut select = Select::new();
                select.send(&s);
                assert!(select.select().send(&s, [3; 1 << 17]).is_ok());
            });
            let receiver = big().spawn(move || {
                for i in 0..3 {
                    assert!(r.recv().unwrap().iter().all(|&word| word == i));
                }
                let mut select = Select::new();
                select.recv(&r);
                assert!(select.select().recv(&r).unwrap().iter().all(|&word| word == 3));
            });
            sender.unwrap().join().unwrap();
            receiver.unwrap().join().unwrap();
        }
        [Some(0), Some(1), None].into_iter().for_each(run);
    }

    fn traits_of_the_handles() {
        fn shared<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
        shared::<Sender<Cell<u8>>>();
        shared::<Receiver<Cell<u8>>>();
        fn sent<T: Send + Sync>() {}
        sent::<Select<'_>>();
        fn of<T: Send + Sync>(r: &Receiver<T>) -> (Iter<'_, T>, TryIter<'_, T>, IntoIter<T>) {
            sent::<Iter<'_, T>>();
            (r.iter(), r.try_iter(), r.clone().into_iter())
        }
        let (s, r) = unbounded::<u8>();
        let (iter, try_iter, into_iter) = of(&r);
        assert_eq!(format!("{iter:?} {try_iter:?}"), "Iter { .. } TryIter { .. }");
        assert_eq!(format!("{into_iter:?}"), "IntoIter { .. }");
        assert_eq!(format!("{s:?} {:<15?}|", r.clone()), "Sender { .. } Receiver { .. }|");
        let mut select = Select::default();
        assert_eq!(format!("{select:?}"), "Select { .. }");
        select.send(&s);
        let selected: SelectedOperation<'_> = select.clone().select();
        assert_eq!(format!("{selected:?}"), "SelectedOperation { .. }");
        selected.send(&s, 1).unwrap();
        const NEVER: Receiver<u8> = never();
        assert_eq!((NEVER.is_empty(), NEVER.is_full(), NEVER.len()), (true, true, 0));
        let _ = at(Instant::now());
    }

    fn errors_and_their_texts() {
        fn texts(error: impl Error) -> (alloc::string::String, alloc::string::String) {
            (error.to_string(), format!("{error:?}"))
        }
        fn are(error: impl Error, display: &str, debug: &str) {
            assert_eq!(texts(error), (display.into(), debug.into()));
        }
        let gone = "sending on a disconnected channel";
        let ended = "receiving on an empty and disconnected channel";
        are(SendError(Cell::new(1)), gone, "\"SendError(..)\"");
        are(TrySendError::Full(1), "sending on a full channel", "\"Full(..)\"");
        are(TrySendError::Disconnected(1), gone, "\"Disconnected(..)\"");
        let late = "timed out waiting on send operation";
        are(SendTimeoutError::Timeout(1), late, "\"SendTimeoutError(..)\"");
        are(SendTimeoutError::Disconnected(1), gone, "\"SendTimeoutError(..)\"");
        are(RecvError, ended, "RecvError");
        are(TryRecvError::Empty, "receiving on an empty channel", "Empty");
        are(TryRecvError::Disconnected, ended, "Disconnected");
        are(RecvTimeoutError::Timeout, "timed out waiting on receive operation", "Timeout");
        are(RecvTimeoutError::Disconnected, "channel is empty and disconnected", "Disconnected");
        are(TrySelectError, "all operations in select would block", "TrySelectError");
        are(SelectTimeoutError, "timed out waiting on select", "SelectTimeoutError");
        assert_eq!(format!("{TryReadyError:?} {ReadyTimeoutError:?}"), "TryReadyError ReadyTimeoutError");
    }

    fn what_errors_say_and_give_back() {
        assert_eq!(SendError(1).into_inner(), 1);
        let (full, gone) = (TrySendError::Full(2), TrySendError::Disconnected(3));
        assert!(full.is_full() && !full.is_disconnected() && gone.is_disconnected() && !gone.is_full());
        assert_eq!((full.into_inner(), gone.into_inner()), (2, 3));
        let (late, gone) = (SendTimeoutError::Timeout(2), SendTimeoutError::Disconnected(3));
        assert!(late.is_timeout() && !late.is_disconnected() && gone.is_disconnected() && !gone.is_timeout());
        assert_eq!((late.into_inner(), gone.into_inner()), (2, 3));
        assert!(TryRecvError::Empty.is_empty() && !TryRecvError::Empty.is_disconnected());
        assert!(TryRecvError::Disconnected.is_disconnected() && !TryRecvError::Disconnected.is_empty());
        assert!(RecvTimeoutError::Timeout.is_timeout() && !RecvTimeoutError::Timeout.is_disconnected());
        assert!(RecvTimeoutError::Disconnected.is_disconnected());
        assert_eq!(TrySendError::from(SendError(1)), TrySendError::Disconnected(1));
        assert_eq!(SendTimeoutError::from(SendError(1)), SendTimeoutError::Disconnected(1));
        assert_eq!(TryRecvError::from(RecvError), TryRecvError::Disconnected);
        assert_eq!(RecvTimeoutError::from(RecvError), RecvTimeoutError::Disconnected);
        assert_eq!(SendError(1), SendError(1).clone());
    }

    fn what_the_macros_use() {
        let (s, r) = bounded(1);
        let none = never::<()>();
        let mut handles = [(none.case(), 0, core::ptr::null()); 2];
        handles[0] = (s.case(), 0, (&raw const s).cast());
        handles[1] = (r.case(), 1, (&raw const r).cast());
        let selected = internal::select(&mut handles, true);
        assert_eq!(selected.index(), 0);
        selected.send(&s, 1).unwrap();
        let selected = internal::try_select(&mut handles, true).unwrap();
        assert_eq!((selected.index(), selected.recv(&r)), (1, Ok(1)));
        let mut receives = [(r.case(), 1, (&raw const r).cast())];
        assert!(internal::try_select(&mut receives, false).is_err());
        assert!(internal::select_timeout(&mut receives, MOMENT, false).is_err());
    }
}
