//! The ring of one P: what its owner puts in comes out in the same order, with the stamps at
//! their words, however full it gets, and however large the goroutines' numbers are.

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::ring::{Ring, STAMPS, WORDS};
use crate::words::{self, LARGE, Listener, NEAR, Stamp};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("trace_rings::in_turn", in_turn),
        Trial::test("trace_rings::full", full),
        Trial::test("trace_rings::next", next),
        Trial::test("trace_rings::two_threads", two_threads),
    ]
}

thread_local! {
    /// What the counter shows, and by how much it goes on with each look.
    static TICKS: Cell<u64> = const { Cell::new(0) };
    static STEP: Cell<u64> = const { Cell::new(1) };
}

/// Reads the counter, which is the test's own.
fn clock(_: &Ring) -> u64 {
    TICKS.set(TICKS.get() + STEP.get());
    TICKS.get()
}

/// Makes an empty ring, which stays, as a P's does.
fn ring() -> &'static Ring {
    let layout = Layout::new::<Ring>();
    // SAFETY: it has a size.
    let memory = unsafe { alloc_zeroed(layout) };
    if memory.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: all zeros are an empty one; nobody gives the memory back.
    unsafe { &*memory.cast::<Ring>() }
}

/// The event with that number: a kind and a goroutine's number, of which some are large, and
/// some far from those before.
fn event(number: u64) -> (u32, u64) {
    let mut random = Random::new(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let kinds = [words::END_NEXT, words::READY, words::CREATE, words::END_RUN];
    let from = match number / 1000 % 4 {
        0 | 1 => 1,
        2 => LARGE - 50,
        _ => LARGE * (random.next() % 3),
    };
    let kind = kinds[random.below(kinds.len())];
    let far = random.next().is_multiple_of(8);
    (
        kind,
        from + random.next() % if far { 3 * NEAR } else { 100 },
    )
}

/// Who takes what is in a ring.
#[derive(Default)]
struct Taker {
    listener: Listener,
    /// How many events it has seen, lost ones included, and how many of those were lost.
    count: u64,
    lost: u64,
    last: Option<Stamp>,
}

impl Taker {
    /// Takes all, and compares each with what was put there; tells how many words those were.
    fn take(&mut self, ring: &Ring) -> Result<u64, Failed> {
        let (end, stamps_end) = ring.ends();
        let (at, stamp) = ring.begins();
        ensure!(end >= at && end - at < WORDS as u64, "from {at} to {end}");
        let mut place = at;
        while place < end {
            let (said, next) = ring.said(place);
            place = next;
            match self.listener.hear(said) {
                Some((words::LOST, count)) => {
                    self.lost += count;
                    self.count += count;
                }
                Some(now) => {
                    let then = event(self.count);
                    ensure!(now == then, "{}: {now:?} for {then:?}", self.count);
                    self.count += 1;
                }
                None => {}
            }
        }
        ensure!(place == end, "half an event, up to {place} of {end}");
        let mut next = stamp;
        while next < stamps_end && ring.stamp(next).at < end {
            let stamp = ring.stamp(next);
            let fits = |last: Stamp| last.at < stamp.at && last.ticks <= stamp.ticks;
            ensure!(
                stamp.at >= at && self.last.is_none_or(fits),
                "{:?}, {stamp:?}",
                self.last
            );
            self.last = Some(stamp);
            next += 1;
        }
        ring.taken(end, next);
        Ok(end - at)
    }
}

/// Puts the next event; tells whether it was lost.
fn put(ring: &Ring, number: &mut u64) -> bool {
    let (kind, goid) = event(*number);
    *number += 1;
    !ring.put_goid(kind, goid, clock)
}

/// Now and then what is there is taken, at whatever place in the ring.
fn in_turn() -> Result<(), Failed> {
    let ring = ring();
    let (mut random, mut taker) = (Random::new(5), Taker::default());
    let mut number = 0;
    while number < 8 * WORDS as u64 {
        for _ in 0..random.next() % (STAMPS as u64 / 2) {
            ensure!(!put(ring, &mut number), "{number} is lost");
        }
        ensure!(ring.eighths() < 8, "{} eighths", ring.eighths());
        taker.take(ring)?;
        ensure!(taker.count == number, "{} of {number}", taker.count);
        if random.next() % 2 == 0 {
            ring.ask();
        }
        STEP.set(1 << (random.next() % 20));
    }
    Ok(())
}

/// What finds no room is counted, wherever in the ring that begins and ends.
fn full() -> Result<(), Failed> {
    let ring = ring();
    let (mut random, mut taker) = (Random::new(6), Taker::default());
    let (mut number, mut lost) = (0, 0);
    for round in 0..36 {
        // It is the words that fill up or, where each has one, the stamps; by turns at the
        // ring's last slots, at its first, and anywhere.
        let stamped = round % 2 == 0;
        STEP.set(if stamped { 1 << 20 } else { 1 });
        let first = match round / 2 % 3 {
            0 if stamped => WORDS - STAMPS - 4 + round / 6,
            0 => random.below(1000),
            _ => random.below(WORDS),
        };
        // An event has six words at most.
        while !(first..first + 6).contains(&(ring.ends().0 as usize % WORDS)) {
            ensure!(!put(ring, &mut number), "{number} is lost");
            taker.take(ring)?;
        }
        let before = lost;
        while lost - before < 1 + random.next() % 5 {
            lost += u64::from(put(ring, &mut number));
        }
        ensure!(ring.eighths() >= 7, "{} eighths", ring.eighths());
        taker.take(ring)?;
        // The next ones find room, and say how many found none.
        while taker.lost < lost {
            ensure!(!put(ring, &mut number), "{number} is lost");
            taker.take(ring)?;
        }
        ensure!(taker.lost == lost, "{} of {lost}", taker.lost);
        ensure!(taker.count == number, "{} of {number}", taker.count);
    }
    Ok(())
}

/// Of who is next it is said at once where the next word would be stamped, and only there;
/// what finds no room is no event that was lost. And no other number than one near the base
/// is one.
fn next() -> Result<(), Failed> {
    let ring = ring();
    STEP.set(1);
    let words_in = || ring.ends().0 - ring.begins().0;
    ring.note_next(5, clock);
    ensure!(words_in() == 2, "{} words", words_in()); // the first is stamped
    let mut noted = 1;
    for count in 0..1000 {
        ensure!(ring.put_near(words::PARK_NEXT, 6, clock), "6 is near");
        let (before, stamps) = ring.ends();
        ring.note_next(7, clock);
        let (words, stamps) = (ring.ends().0 - before, ring.ends().1 - stamps);
        ensure!(
            [(0, 0), (2, 1)].contains(&(words, stamps)),
            "{count}: {words} words, {stamps} stamps"
        );
        noted += stamps;
    }
    ensure!(noted < 20, "{noted} of 1000 were said at once");
    ring.ask();
    let before = words_in();
    ring.note_next(7, clock);
    ensure!(words_in() == before + 2, "asked for, and not said");
    for far in [NEAR, LARGE, 6 | words::SAID, words::SAID] {
        let before = words_in();
        let is_near = ring.put_near(words::PARK_NEXT, far, clock);
        ensure!(!is_near && words_in() == before, "{far:#x} is near 0");
    }
    while ring.put_goid(words::READY, 6, clock) {}
    ensure!(ring.lost() == 1, "{} lost", ring.lost());
    ring.note_next(7, clock);
    ensure!(
        ring.lost() == 1,
        "{} lost with one that is none",
        ring.lost()
    );
    let (end, stamps) = ring.ends();
    ring.taken(end, stamps);
    ensure!(ring.put_goid(words::READY, 6, clock), "there is room again");
    ensure!(ring.lost() == 0, "{} lost and not said", ring.lost());
    Ok(())
}

/// The owner puts while somebody takes.
fn two_threads() -> Result<(), Failed> {
    let ring = ring();
    let done = AtomicBool::new(false);
    let mut number = 0;
    let mut taker = Taker::default();
    std::thread::scope(|scope| {
        let taking = scope.spawn(|| -> Result<(), String> {
            loop {
                // Acquire: all that was put before is seen below.
                let last = done.load(Ordering::Acquire);
                let count = taker.take(ring).map_err(|error| format!("{error:?}"))?;
                if last && count == 0 {
                    return Ok(());
                }
                ring.ask();
                std::thread::yield_now();
            }
        });
        while number < 8 * WORDS as u64 && !taking.is_finished() {
            put(ring, &mut number);
        }
        done.store(true, Ordering::Release); // see above
        taking.join()
    })
    .map_err(|_| "the taker has panicked")??;
    let rest = number - taker.count;
    ensure!(taker.count <= number, "{} of {number}", taker.count);
    ensure!(rest == ring.lost(), "{rest} are lost, {}", ring.lost());
    Ok(())
}
