//! What gort's programs print, to the byte, and how they end. `GORT_PROFILE` and
//! `GORT_RUNNER` say which build is tried and under what.

#[path = "programs/deaths.rs"]
mod deaths;
#[path = "programs/dying.rs"]
mod dying;
#[path = "programs/examples.rs"]
mod examples;
#[path = "programs/faults.rs"]
mod faults;
#[path = "programs/injected.rs"]
mod injected;
#[path = "programs/memory_deaths.rs"]
mod memory_deaths;
#[path = "programs/output.rs"]
mod output;
#[path = "programs/preempt.rs"]
mod preempt;
#[path = "programs/sched.rs"]
mod sched;
#[path = "programs/signals.rs"]
mod signals;
#[path = "programs/stacks.rs"]
mod stacks;
#[path = "programs/streams.rs"]
mod streams;
#[path = "programs/system_calls.rs"]
mod system_calls;
#[path = "programs/threads.rs"]
mod threads;
#[path = "programs/traces.rs"]
mod traces;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(examples::trials());
    trials.extend(output::trials());
    trials.extend(deaths::trials());
    trials.extend(faults::trials());
    trials.extend(streams::trials());
    trials.extend(system_calls::trials());
    trials.extend(injected::trials());
    trials.extend(dying::trials());
    trials.extend(stacks::trials());
    trials.extend(memory_deaths::trials());
    trials.extend(preempt::trials());
    trials.extend(threads::trials());
    trials.extend(traces::trials());
    trials.extend(sched::trials());
    trials.extend(signals::trials());
    libtest_mimic::run(&arguments, trials).exit();
}
