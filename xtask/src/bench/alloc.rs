//! The alloc benchmark: allocators at work, one scenario after the other. What
//! the scenarios are stands in `benches/alloc/mod.rs`.

use std::time::Duration;

use super::target::{Limit, Target};
use super::{Benchmark, Measure, Scenario, everywhere, memory, program, whole};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "alloc",
    about: "an allocation and its free; in growth, a push",
    scenarios: &[
        scenario("mixed"),
        scenario("batches"),
        scenario("cross"),
        scenario("growth"),
        scenario("growth-large"),
        scenario("pairs"),
    ],
    rounds: 9,
    warm_up: 1,
    pause: Duration::from_millis(20),
    procs: &[1, 2],
    beside: &["glibc", "mimalloc", "go"],
    targets: &[
        Target {
            of: "gort",
            scenario: None,
            measure: "",
            procs: Some(1),
            limit: Limit::Times("mimalloc", 1.2),
        },
        Target {
            of: "gort",
            scenario: None,
            measure: "",
            procs: None,
            limit: Limit::Times("glibc", 1.0),
        },
    ],
    fits: everywhere,
    share: whole,
    subjects: || memory::subjects("alloc"),
    sample: program::sample,
};

/// Makes a scenario with one measure.
const fn scenario(name: &'static str) -> Scenario {
    Scenario {
        name,
        measures: &[Measure {
            name: "",
            unit: "ns",
        }],
    }
}
