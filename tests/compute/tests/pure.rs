//! Tests of gort's pure modules, which need no running gort: the ELF headers,
//! the vDSO, the control groups, the random numbers, the size classes, the pages of
//! the heap, and what lists and marks the
//! scheduler keeps. Each is included here by its path, tried with what real machines
//! have, and then with a great many damaged inputs, or against a model.
//!
//! A panic would abort the whole program, which is what the damaged inputs are
//! for: they pass if the program is still there.

#[path = "../../../src/os/linux/cgroup.rs"]
mod cgroup;
#[path = "../../../src/boot/chacha8.rs"]
mod chacha8;
#[path = "../../../src/debug/elf.rs"]
mod elf;
#[path = "../../../src/os/linux/fields.rs"]
mod fields;
#[path = "../../../src/sched/glist.rs"]
#[allow(unsafe_code, reason = "Gs are never freed")]
#[allow(dead_code, reason = "the list of large stacks is tried on gort itself")]
mod glist;
#[path = "../../../src/sched/gpack.rs"]
#[allow(unsafe_code, reason = "raw memory is its business")]
mod gpack;
#[path = "../../../src/mem/page_bits.rs"]
mod page_bits;
#[path = "../../../src/mem/pages.rs"]
mod pages;
#[path = "../../../src/sched/pstatus.rs"]
#[allow(dead_code, reason = "its models try it")]
mod pstatus;
#[path = "../../../src/sched/runq.rs"]
#[allow(dead_code, reason = "its models try the rest")]
mod runq;
#[path = "../../../src/sched/runtime2.rs"]
#[allow(unsafe_code, dead_code, reason = "the structs' types alone")]
mod runtime2;
#[path = "../../../src/mem/sizeclasses.rs"]
mod sizeclasses;
#[path = "../../../src/mem/stack/slab.rs"]
#[allow(unsafe_code, reason = "slabs are never freed")]
mod slab;
#[path = "../../../src/mem/span_set.rs"]
mod span_set;
#[path = "../../../src/sched/timer_heap.rs"]
#[allow(unsafe_code, reason = "manages its own memory")]
mod timer_heap;
#[path = "../../../src/debug/traceback/unwind.rs"]
mod unwind;
#[path = "../../../src/debug/vdso.rs"]
mod vdso;
#[path = "../../../src/sched/waitreason.rs"]
#[allow(dead_code, reason = "as above")]
mod waitreason;

#[path = "pure/cgroup_cases.rs"]
mod cgroup_cases;
#[path = "pure/cgroup_systems.rs"]
mod cgroup_systems;
#[path = "pure/chacha8_cases.rs"]
mod chacha8_cases;
#[path = "pure/elf_cases.rs"]
mod elf_cases;
#[path = "pure/elf_damage.rs"]
mod elf_damage;
#[path = "pure/elf_image.rs"]
mod elf_image;
#[allow(unsafe_code, reason = "data behind a lock")]
#[path = "pure/futex_cases.rs"]
mod futex_cases;
#[path = "pure/glist_cases.rs"]
mod glist_cases;
#[path = "pure/pages_cases.rs"]
mod pages_cases;
#[path = "pure/pages_model.rs"]
mod pages_model;
#[allow(unsafe_code, reason = "makes a queue whose indices are about to wrap")]
#[path = "pure/runq_cases.rs"]
mod runq_cases;
#[path = "pure/sizeclasses_cases.rs"]
mod sizeclasses_cases;
#[path = "pure/slab_cases.rs"]
mod slab_cases;
#[path = "pure/span_set_cases.rs"]
mod span_set_cases;
#[path = "pure/timer_heap_cases.rs"]
mod timer_heap_cases;
#[allow(unsafe_code, reason = "allocates pages")]
#[path = "pure/timer_memory.rs"]
mod timer_memory;
#[path = "pure/unwind_cases.rs"]
mod unwind_cases;
#[path = "pure/vdso_cases.rs"]
mod vdso_cases;

use std::sync::atomic;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(elf_cases::trials());
    trials.extend(elf_damage::trials());
    trials.extend(vdso_cases::trials());
    trials.extend(cgroup_cases::trials());
    trials.extend(chacha8_cases::trials());
    trials.extend(runq_cases::trials());
    trials.extend(futex_cases::trials());
    trials.extend(pages_cases::trials());
    trials.extend(sizeclasses_cases::trials());
    trials.extend(span_set_cases::trials());
    trials.extend(glist_cases::trials());
    trials.extend(slab_cases::trials());
    trials.extend(timer_heap_cases::trials());
    trials.extend(unwind_cases::trials());
    libtest_mimic::run(&arguments, trials).exit();
}
