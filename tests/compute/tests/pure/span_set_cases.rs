//! Tests of `mem::span_set`: two lists, against two vectors.

use gort_host_tests::ensure;
use libtest_mimic::{Failed, Trial};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::span_set::{Linked, Links, SpanSet};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test(
        "span_set::does_what_vectors_do",
        does_what_vectors_do,
    )]
}

/// What stands for a span.
struct Node {
    number: usize,
    links: Links<Self>,
}

impl Linked for Node {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// Moves nodes between two lists, and on and off them.
fn moves(nodes: &'static [Node], operations: &[(u8, usize)]) -> Result<(), Failed> {
    let mut sets = [const { SpanSet::new() }; 2];
    let mut models = [const { Vec::<usize>::new() }; 2];
    for (operation, which) in operations {
        let (which, list) = (which % nodes.len(), which / nodes.len() % 2);
        let (node, set, model) = (&nodes[which], &mut sets[list], &mut models[list]);
        match operation % 4 {
            0 if !node.links.listed() => {
                set.push_front(node);
                model.insert(0, which);
            }
            1 if !node.links.listed() => {
                set.push_back(node);
                model.push(which);
            }
            2 => {
                let right = (!model.is_empty()).then(|| model.remove(0));
                let popped = set.pop_front().map(|node| node.number);
                ensure!(popped == right, "{popped:?} in place of {right:?}");
            }
            _ => {
                if let Some(at) = model.iter().position(|number| *number == which) {
                    model.remove(at);
                    set.remove(node);
                }
            }
        }
        for (set, model) in sets.iter().zip(&models) {
            ensure!(set.len() == model.len(), "{} of {model:?}", set.len());
            let first = set.first().map(|node| node.number);
            ensure!(first == model.first().copied(), "{first:?} of {model:?}");
        }
        let listed = |node: &&Node| node.links.listed();
        let count: usize = models.iter().map(Vec::len).sum();
        ensure!(nodes.iter().filter(listed).count() == count, "listed");
    }
    for (set, model) in sets.iter_mut().zip(models) {
        for right in model {
            let popped = set.pop_front().map(|node| node.number);
            ensure!(popped == Some(right), "{popped:?} in place of {right}");
        }
        ensure!(set.pop_front().is_none() && set.len() == 0, "one too many");
    }
    Ok(())
}

fn does_what_vectors_do() -> Result<(), Failed> {
    let config = Config {
        cases: 2000,
        failure_persistence: None,
        ..Config::default()
    };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, random);
    let result = runner.run(&vec(any::<(u8, usize)>(), 1..60), |operations| {
        let node = |number| Node {
            number,
            links: Links::new(),
        };
        let nodes = (0..6).map(node).collect::<Vec<_>>().leak();
        let failed = |failed: Failed| failed.message().unwrap_or_default().to_owned();
        moves(nodes, &operations).map_err(|error| TestCaseError::fail(failed(error)))
    });
    result.map_err(|error| error.to_string().into())
}
