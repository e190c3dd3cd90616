//! Tests of `sched::glist`: the list of dead goroutines that all Ps share, against a
//! plain model of it.

use std::collections::VecDeque;

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::glist::{GFree, GQueue};
use crate::runtime2::{G, GList};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("glist::free_is_as_the_model", free_is_as_the_model),
        Trial::test("glist::queue_is_as_the_model", queue_is_as_the_model),
    ]
}

/// Makes a goroutine with that number.
fn goroutine(goid: u64) -> &'static G {
    let gp: &'static G = Box::leak(Box::new(G::new()));
    gp.goid.set(goid);
    gp
}

/// Takes all of a list, the hottest first.
fn drain(list: &GList) -> Vec<&'static G> {
    std::iter::from_fn(|| list.pop()).collect()
}

fn numbers<'a>(all: impl IntoIterator<Item = &'a &'static G>) -> Vec<u64> {
    all.into_iter().map(|gp| gp.goid.get()).collect()
}

/// In the model, too, the hottest stands first.
fn free_is_as_the_model() -> Result<(), Failed> {
    let mut random = Random::new(0x6f7ee);
    let mut free = GFree::new();
    let mut model: VecDeque<&'static G> = VecDeque::new();
    let mut idle: Vec<&'static G> = (1..=60).map(goroutine).collect();
    for step in 0..200_000 {
        match random.next() % 4 {
            // From a P's list, of which it keeps some.
            0 => {
                let list = GList::new();
                let count = random.next() as usize % (idle.len() + 1);
                let pushed = idle.split_off(idle.len() - count);
                pushed.iter().for_each(|gp| list.push(gp));
                let keep = random.next() as u32 % 12;
                free.put(&list, keep);
                let hot: Vec<_> = pushed.iter().rev().copied().collect();
                let (kept, given) = hot.split_at(hot.len().min(keep as usize));
                ensure!(list.size.get() as usize == kept.len(), "step {step}");
                let left = drain(&list);
                ensure!(numbers(&left) == numbers(kept), "step {step}");
                given.iter().rev().for_each(|gp| model.push_front(gp));
                idle.extend(kept);
            }
            // To a P's list.
            1 => {
                let list = GList::new();
                let count = random.next() as u32 % 12;
                free.take(&list, count);
                let count = model.len().min(count as usize);
                let expected: Vec<_> = model.drain(..count).collect();
                ensure!(list.size.get() as usize == count, "step {step}");
                let got = drain(&list);
                ensure!(numbers(&got) == numbers(&expected), "step {step}");
                idle.extend(got);
            }
            2 => {
                let (got, expected) = (free.pop_coldest(), model.pop_back());
                ensure!(numbers(&got) == numbers(&expected), "step {step}");
                idle.extend(got);
            }
            _ => {
                if let Some(gp) = idle.pop() {
                    free.push_coldest(gp);
                    model.push_back(gp);
                }
            }
        }
        ensure!(free.len() == model.len(), "step {step}: {}", free.len());
    }
    Ok(())
}

fn queue_is_as_the_model() -> Result<(), Failed> {
    let mut random = Random::new(0x9e0e);
    let mut queue = GQueue::new();
    let mut model: VecDeque<&'static G> = VecDeque::new();
    let mut idle: Vec<&'static G> = (1..=20).map(goroutine).collect();
    for step in 0..20_000 {
        if random.next().is_multiple_of(2) {
            if let Some(gp) = idle.pop() {
                queue.push_back(gp);
                model.push_back(gp);
            }
        } else {
            let (got, expected) = (queue.pop(), model.pop_front());
            ensure!(numbers(&got) == numbers(&expected), "step {step}");
            idle.extend(got);
        }
        ensure!(queue.len() == model.len(), "step {step}");
    }
    Ok(())
}
