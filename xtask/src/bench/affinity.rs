//! Which processors a subject may run on: a process inherits that from the
//! thread that starts it, so it is ours that is bound.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Outcome;

/// The processors that we were given.
pub(super) struct Affinity {
    given: CpuSet,
}

impl Affinity {
    /// Asks the kernel.
    pub(super) fn current() -> Outcome<Self> {
        let given =
            sched_getaffinity(None).map_err(|error| format!("sched_getaffinity: {error}"))?;
        Ok(Self { given })
    }

    /// Counts them.
    pub(super) fn count(&self) -> usize {
        self.given.count() as usize
    }

    /// Binds this thread, and so what it starts, to the first `count` of them.
    pub(super) fn bind(&self, count: usize) -> Outcome {
        let mut set = CpuSet::new();
        (0..CpuSet::MAX_CPU)
            .filter(|&cpu| self.given.is_set(cpu))
            .take(count)
            .for_each(|cpu| set.set(cpu));
        Self::set(&set)
    }

    /// Gives this thread all of them again.
    pub(super) fn restore(&self) -> Outcome {
        Self::set(&self.given)
    }

    /// Tells the kernel.
    fn set(set: &CpuSet) -> Outcome {
        sched_setaffinity(None, set).map_err(|error| format!("sched_setaffinity: {error}").into())
    }
}
