//! Tests of `mem::stack::slab`: a slab against a plain model of it.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::slab::{LINE, MAX_SLOTS, Slab};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("slab::is_as_the_model", is_as_the_model),
        Trial::test("slab::addresses_and_slots_agree", addresses_and_slots_agree),
        Trial::test("slab::guards_end_where_they_end", guards_end_where_they_end),
        Trial::test("slab::marks_by_two_at_once", marks_by_two_at_once),
        Trial::test("slab::is_found_when_linked", is_found_when_linked),
    ]
}

const STRIDE: usize = 288 << 10;

/// Makes a slab whose first slot begins at `start`.
fn slab(start: usize, slots: usize) -> Slab {
    let slab = Slab::new();
    slab.init(start + STRIDE - LINE, STRIDE, slots);
    slab
}

/// What each slot of the model is.
#[derive(Default)]
struct Model {
    opened: usize,
    taken: BTreeSet<usize>,
    live: BTreeSet<usize>,
    retiring: BTreeSet<usize>,
    free: BTreeSet<usize>,
}

/// Picks one of a set.
fn pick(random: &mut Random, from: &BTreeSet<usize>) -> Option<usize> {
    let at = random.next() as usize % from.len().max(1);
    from.iter().nth(at).copied()
}

fn is_as_the_model() -> Result<(), Failed> {
    let mut random = Random::new(0x51ab);
    for slots in [1, 7, 16, 63, 64, 65, 1000, MAX_SLOTS] {
        let slab = slab(0x7000_0000_0000, slots);
        // init has given the first one away.
        let mut model = Model {
            opened: 1,
            taken: [0].into(),
            ..Model::default()
        };
        for step in 0..8 * slots + 200 {
            match random.next() % 7 {
                6 => {
                    let most = random.next() as usize % 20;
                    let count = most.min(slots - model.opened);
                    let expected = (count > 1).then_some((model.opened, count));
                    let got = slab.open_some(most);
                    ensure!(got == expected, "step {step}: opened {got:?}, {expected:?}");
                    for _ in 0..got.map_or(0, |(_, count)| count) {
                        model.taken.insert(model.opened);
                        model.opened += 1;
                    }
                }
                0 | 1 => {
                    let expected = (model.opened < slots).then_some(model.opened);
                    let got = slab.open();
                    ensure!(got == expected, "step {step}: opened {got:?}, {expected:?}");
                    model.opened += got.iter().len();
                    model.taken.extend(got);
                }
                2 => {
                    let expected = model.free.pop_first();
                    ensure!(slab.has_returned() == expected.is_some(), "step {step}");
                    let got = slab.take_returned();
                    ensure!(got == expected, "step {step}: took {got:?}, {expected:?}");
                    model.taken.extend(got);
                }
                3 => {
                    if let Some(index) = pick(&mut random, &model.taken) {
                        slab.set_live(index);
                        model.taken.remove(&index);
                        model.live.insert(index);
                    }
                }
                4 => {
                    if let Some(index) = pick(&mut random, &model.live) {
                        slab.retire(index);
                        model.live.remove(&index);
                        model.retiring.insert(index);
                    }
                }
                _ => {
                    if let Some(index) = pick(&mut random, &model.retiring) {
                        model.retiring.remove(&index);
                        if random.next().is_multiple_of(3) {
                            slab.keep(index);
                            model.live.insert(index);
                        } else {
                            slab.give_back(index);
                            model.free.insert(index);
                        }
                    }
                }
            }
            if step % (slots / 4 + 1) != 0 {
                continue; // all of them now and then
            }
            for index in 0..slots {
                let retiring = model.retiring.contains(&index);
                let live = retiring || model.live.contains(&index);
                ensure!(
                    slab.is_live(index) == live && slab.is_retiring(index) == retiring,
                    "step {step}, {slots} slots: slot {index}"
                );
            }
        }
    }
    Ok(())
}

fn addresses_and_slots_agree() -> Result<(), Failed> {
    let start = 0x7f00_0000_0000;
    let slab = slab(start, 100);
    for index in 0..100 {
        let (lo, hi) = (start + index * STRIDE, start + (index + 1) * STRIDE);
        ensure!(slab.line(index) == hi - LINE, "slot {index}");
        // A G is at a line of its own in the slot's last page, in its upper half, and not
        // where its neighbours' are in theirs.
        let below = hi - LINE - slab.top(index);
        ensure!(below.is_multiple_of(LINE) && below < 2048, "slot {index}");
        let next = slab.line(index + 1) - slab.top(index + 1);
        ensure!(below != next, "slot {index}");
        for address in [lo, lo + 1, hi - 1] {
            ensure!(slab.index_of(address) == index, "{address:#x}");
        }
    }
    Ok(())
}

fn guards_end_where_they_end() -> Result<(), Failed> {
    const GROUP: usize = 8;
    let slab = slab(0, 64);
    ensure!(
        (0..65).all(|index| slab.is_guarded(index, GROUP)),
        "none ended"
    );
    for later in [11, 12, 30] {
        slab.end_guards(later); // only the first counts
        for index in 0..65 {
            let expected = index < 11 || index % GROUP == 0;
            ensure!(slab.is_guarded(index, GROUP) == expected, "slot {index}");
        }
    }
    Ok(())
}

/// A G is published without the lock, while others' marks in the same word change.
fn marks_by_two_at_once() -> Result<(), Failed> {
    for _ in 0..200 {
        let slab = slab(0, 64);
        let barrier = Barrier::new(2);
        let mark = |parity: usize| {
            barrier.wait();
            for _ in 0..50 {
                for index in (parity..64).step_by(2) {
                    slab.set_live(index);
                    slab.retire(index);
                    slab.give_back(index);
                }
            }
            (parity..64)
                .step_by(2)
                .for_each(|index| slab.set_live(index));
        };
        thread::scope(|scope| {
            scope.spawn(|| mark(0));
            mark(1);
        });
        ensure!((0..64).all(|index| slab.is_live(index)), "a mark was lost");
    }
    Ok(())
}

fn is_found_when_linked() -> Result<(), Failed> {
    let first = slab(0, 1);
    for count in 0..10 {
        let mut seen = Vec::new();
        let mut next = first.following();
        while let Some(slab) = next {
            seen.push(slab.slots());
            next = slab.following();
        }
        let expected: Vec<usize> = (0..count).rev().collect();
        ensure!(seen == expected, "{seen:?}, expected {expected:?}");
        first.link(Box::leak(Box::new(slab(0, count))));
    }
    Ok(())
}
