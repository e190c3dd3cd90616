//! The fragmentation benchmark: resident memory by live memory, over a trace in
//! which the sizes of what is live shift. The trace is `benches/fragmentation`.

use std::time::Duration;

use super::target::{Limit, Target};
use super::{Benchmark, Measure, Scenario, everywhere, memory, program, whole};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "fragmentation",
    about: "resident by live memory while sizes shift: 10 GB pass through 100 MB",
    scenarios: &[Scenario {
        name: "",
        measures: &[
            // At the end of the last phase.
            Measure {
                name: "last",
                unit: "x live",
            },
            // At the end of the phase where it was the most.
            Measure {
                name: "worst",
                unit: "x live",
            },
            // An allocation, its free, and a write to each of its pages.
            Measure {
                name: "time",
                unit: "ns",
            },
        ],
    }],
    rounds: 7,
    // A program runs for many seconds, and each begins anew.
    warm_up: 0,
    pause: Duration::from_millis(200),
    procs: &[1],
    beside: &["glibc", "mimalloc", "go"],
    targets: &[Target {
        of: "gort",
        scenario: None,
        measure: "last",
        procs: None,
        limit: Limit::Value(1.4),
    }],
    fits: everywhere,
    share: whole,
    subjects: || memory::subjects("fragmentation"),
    sample: program::sample,
};
