//! Tests of `sched::runq`: a small queue against a plain model of it, also where
//! its indices wrap.

use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::ptr;

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::runq::{RUNQ_SIZE, RunQueue};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test(
            "runq::overflow_goes_oldest_first",
            overflow_goes_oldest_first,
        ),
        Trial::test("runq::is_as_the_model", is_as_the_model),
        Trial::test("runq::alone_is_as_the_model", alone_is_as_the_model),
        Trial::test("runq::half_is_stolen_in_order", half_is_stolen_in_order),
        Trial::test("runq::next_is_stolen_last", next_is_stolen_last),
        Trial::test(
            "runq::they_are_put_as_far_as_there_is_room",
            they_are_put_as_far_as_there_is_room,
        ),
        Trial::test("runq::holds_as_many_as_it_says", holds_as_many_as_it_says),
    ]
}

/// Makes an empty queue whose indices begin at `index`.
fn queue<const N: usize>(index: u32) -> RunQueue<u8, N> {
    let mut place = MaybeUninit::<RunQueue<u8, N>>::zeroed();
    // SAFETY: head and tail come first, and are a word each.
    unsafe { place.as_mut_ptr().cast::<[u32; 2]>().write([index; 2]) };
    // SAFETY: zeros are an empty queue, and so is one whose head is its tail.
    unsafe { place.assume_init() }
}

/// What is queued is never looked at: a number will do.
fn item(number: usize) -> *mut u8 {
    ptr::without_provenance_mut(number)
}

/// Puts a number in; returns what flowed over.
fn put<const N: usize>(queue: &RunQueue<u8, N>, number: usize, next: bool) -> Vec<usize> {
    let mut over = Vec::new();
    queue.put(item(number), next, |item| over.push(item.addr()));
    over
}

/// Takes a number out, and whether it inherits.
fn get<const N: usize>(queue: &RunQueue<u8, N>) -> Option<(usize, bool)> {
    queue.get().map(|(item, inherits)| (item.addr(), inherits))
}

fn overflow_goes_oldest_first() -> Result<(), Failed> {
    let queue = queue::<4>(0);
    for number in 1..=4 {
        let over = put(&queue, number, false);
        ensure!(over.is_empty(), "{number} made {over:?} flow over");
    }
    let over = put(&queue, 5, false);
    ensure!(over == [1, 2, 5], "{over:?} flowed over");
    let rest: Vec<_> = std::iter::from_fn(|| get(&queue)).collect();
    ensure!(rest == [(3, false), (4, false)], "{rest:?} were left");
    Ok(())
}

fn holds_as_many_as_it_says() -> Result<(), Failed> {
    let queue = queue::<RUNQ_SIZE>(0);
    let over: Vec<usize> = (1..=RUNQ_SIZE + 1)
        .flat_map(|number| put(&queue, number, true))
        .collect();
    // One is the next, the others fill the ring.
    ensure!(over.is_empty(), "{over:?} flowed over");
    let over = put(&queue, RUNQ_SIZE + 2, true).len();
    ensure!(over == RUNQ_SIZE / 2 + 1, "{over} flowed over");
    let inherits = [get(&queue), get(&queue)].map(|taken| taken.map(|(_, inherits)| inherits));
    ensure!(inherits == [Some(true), Some(false)], "{inherits:?}");
    Ok(())
}

/// Takes all out of a ring, in order.
fn drain<const N: usize>(queue: &RunQueue<u8, N>) -> Vec<usize> {
    std::iter::from_fn(|| queue.get_ring())
        .map(|item| item.addr())
        .collect()
}

/// Whatever lies in the victim, and wherever the indices stand.
fn half_is_stolen_in_order() -> Result<(), Failed> {
    for start in [0, 3, u32::MAX - 1] {
        for (count, already) in (0..=8).flat_map(|count| (0..=4).map(move |had| (count, had))) {
            let (mine, victim) = (queue::<8>(start.wrapping_add(5)), queue::<8>(start));
            (0..already).for_each(|number| assert!(mine.put_ring(item(100 + number))));
            (1..=count).for_each(|number| assert!(victim.put_ring(item(number))));
            let taken = count.div_ceil(2);
            let got = mine.steal_from(&victim, false, || {
                panic!("the ring is not empty, or runnext is")
            });
            let expected = (taken > 0).then_some((taken, false));
            ensure!(
                got.map(|(item, was_next)| (item.addr(), was_next)) == expected,
                "{count}: got {got:?}"
            );
            let expected: Vec<_> = (100..100 + already).chain(1..taken).collect();
            ensure!(
                mine.len() == expected.len() as u32,
                "{count}: length {}",
                mine.len()
            );
            let kept = drain(&mine);
            ensure!(kept == expected, "{count}, {already}: kept {kept:?}");
            let left = drain(&victim);
            ensure!(
                left == Vec::from_iter(taken + 1..=count),
                "{count}: left {left:?}"
            );
        }
    }
    Ok(())
}

fn next_is_stolen_last() -> Result<(), Failed> {
    let (mine, victim) = (queue::<4>(0), queue::<4>(0));
    let mut backoffs = 0;
    let stolen = mine.steal_from(&victim, true, || backoffs += 1);
    ensure!(stolen.is_none(), "{stolen:?} from an empty one");
    put(&victim, 1, true);
    put(&victim, 2, true); // sends 1 to the ring
    ensure!(!victim.is_empty() && victim.len() == 2, "two are there");
    let stolen = mine.steal_from(&victim, true, || backoffs += 1);
    ensure!(
        stolen == Some((item(1), false)) && backoffs == 0,
        "{stolen:?}, {backoffs}"
    );
    ensure!(!victim.is_empty() && victim.len() == 1, "one is there");
    let stolen = mine.steal_from(&victim, false, || backoffs += 1);
    ensure!(stolen.is_none(), "{stolen:?} was to stay");
    let stolen = mine.steal_from(&victim, true, || backoffs += 1);
    ensure!(
        stolen == Some((item(2), true)) && backoffs == 1,
        "{stolen:?}, {backoffs}"
    );
    ensure!(victim.is_empty() && mine.is_empty(), "nothing is there");

    // The victim runs it in the meantime, or sends another there.
    put(&victim, 3, true);
    let stolen = mine.steal_from(&victim, true, || assert!(victim.take_next().is_some()));
    ensure!(stolen.is_none(), "{stolen:?} was gone");
    put(&victim, 4, true);
    let stolen = mine.steal_from(&victim, true, || drop(put(&victim, 5, true)));
    ensure!(stolen.is_none(), "{stolen:?} was gone");
    let left = [get(&victim), get(&victim)];
    ensure!(
        left == [Some((5, true)), Some((4, false))],
        "{left:?} were left"
    );
    Ok(())
}

fn they_are_put_as_far_as_there_is_room() -> Result<(), Failed> {
    let queue = queue::<4>(u32::MAX - 1);
    let put = [1, 2, 3, 4].map(|number| queue.put_ring(item(number)));
    ensure!(put == [true; 4], "{put:?}");
    ensure!(!queue.put_ring(item(7)) && queue.len() == 4, "it is full");
    let (first, put) = (queue.get_ring(), queue.put_ring(item(8)));
    ensure!(first == Some(item(1)) && put, "{first:?}, then {put}");
    let rest = drain(&queue);
    ensure!(rest == [2, 3, 4, 8], "{rest:?} were in it");
    Ok(())
}

/// The queue as the documentation says it is.
#[derive(Default)]
struct Model {
    next: Option<usize>,
    ring: VecDeque<usize>,
}

impl Model {
    fn put(&mut self, number: usize, next: bool) -> Vec<usize> {
        let number = match next {
            true => match self.next.replace(number) {
                Some(before) => before,
                None => return Vec::new(),
            },
            false => number,
        };
        if self.ring.len() < 4 {
            self.ring.push_back(number);
            return Vec::new();
        }
        self.ring.drain(..2).chain([number]).collect()
    }

    fn get(&mut self) -> Option<(usize, bool)> {
        let next = self.next.take().map(|number| (number, true));
        next.or_else(|| self.ring.pop_front().map(|number| (number, false)))
    }
}

fn is_as_the_model() -> Result<(), Failed> {
    as_the_model(get)
}

/// Without thieves the short way is as good.
fn alone_is_as_the_model() -> Result<(), Failed> {
    as_the_model(|queue| {
        let next = queue.take_next_alone().map(|item| (item, true));
        let found = next.or_else(|| queue.get_ring_alone().map(|item| (item, false)));
        found.map(|(item, inherits)| (item.addr(), inherits))
    })
}

fn as_the_model(get: impl Fn(&RunQueue<u8, 4>) -> Option<(usize, bool)>) -> Result<(), Failed> {
    let mut random = Random::new(61);
    for start in [0, 1, 3, u32::MAX - 2, u32::MAX, 1 << 31] {
        let (queue, mut model) = (queue::<4>(start), Model::default());
        for number in 1..10_000 {
            match random.below(8) {
                0..4 => {
                    let next = random.below(2) == 0;
                    let (over, expected) = (put(&queue, number, next), model.put(number, next));
                    ensure!(
                        over == expected,
                        "{number}: {over:?}, expected {expected:?}"
                    );
                }
                4 => {
                    let (next, expected) = (queue.take_next(), model.next.take());
                    let next = next.map(|item| item.addr());
                    ensure!(
                        next == expected,
                        "{number}: {next:?}, expected {expected:?}"
                    );
                }
                _ => {
                    let (taken, expected) = (get(&queue), model.get());
                    ensure!(
                        taken == expected,
                        "{number}: {taken:?}, expected {expected:?}"
                    );
                }
            }
        }
    }
    Ok(())
}
