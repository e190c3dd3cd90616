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
