//! The tests on gort that are booted, each as the only program of a machine: which there
//! are, which of them cannot be, and how they end. For `xtask test`, which builds them, for
//! `xtask stress`, and for tests/host/tests/machine, which boots each once.
//!
//! What no list names, is booted.

/// A program of tests.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its name in tests/.
    pub(crate) name: &'static str,
    /// Those that cannot be tried on a machine, with the reason.
    pub(crate) cannot: &'static [(&'static str, &'static str)],
    /// How many MiB of memory they need.
    pub(crate) memory: u32,
    /// What takes many seconds, or minutes, where it is unoptimized and emulated, by the
    /// beginnings of names: for the stress run alone.
    #[allow(dead_code, reason = "not for the stress run")]
    pub(crate) slow: &'static [&'static str],
    /// About what is written in Rust alone, over a scheduler that the others try: one in
    /// [`SAMPLE`] is enough, but for the stress run.
    #[allow(dead_code, reason = "as above")]
    pub(crate) plain: bool,
}

/// Of how many plain tests one is booted each time that all tests are run.
#[allow(dead_code, reason = "as above")]
pub(crate) const SAMPLE: usize = 10;

/// Those whose tests can all be tried, in little time. What memory is not touched costs
/// nothing.
const fn whole(name: &'static str) -> Program {
    Program {
        name,
        cannot: &[],
        memory: 2048,
        slow: &[],
        plain: false,
    }
}

/// The same of those that are plain.
const fn plain(name: &'static str) -> Program {
    Program {
        plain: true,
        ..whole(name)
    }
}

impl Program {
    /// Says why a test, the one of that number, is not booted each time that all tests are run,
    /// if it is not.
    #[allow(dead_code, reason = "as above")]
    pub(crate) fn reason(&self, test: &str, number: usize) -> Option<&'static str> {
        let cannot = self.cannot.iter().find(|(name, _)| *name == test);
        let is_slow = self.slow.iter().any(|begin| test.starts_with(begin));
        let slow = is_slow.then_some("for the stress run: it takes many seconds");
        let is_left = self.plain && !number.is_multiple_of(SAMPLE);
        let left = is_left.then_some("for the stress run: one in ten of its kind is enough here");
        cannot.map(|(_, why)| *why).or(slow).or(left)
    }
}

/// What keeps tests from machines.
const STARTS_ITSELF: &str = "it starts the program anew";
const ASKS_LINUX: &str = "it asks Linux about its threads";
const CALLS_LINUX: &str = "it blocks in system calls of Linux's";
const SENDS: &str = "it has Linux send signals";
const NO_PROCESSES: &str = "there are no other processes";
const A_TERMINAL: &str = "a serial line is a terminal, and has no end of its own";

/// The programs. Not there are those of whose tests none can be: `signal` and `stress`, which
/// have Linux send signals; `hooks` and `harness_self`, which start other programs.
pub(crate) const PROGRAMS: &[Program] = &[
    plain("api"),
    whole("boot"),
    Program {
        slow: &["pairs::", "storm::", "surface::a_megabyte_arrives_whole"],
        ..plain("channel")
    },
    Program {
        slow: &["ten_thousand_live_at_once"],
        ..whole("goroutines")
    },
    Program {
        slow: &["eight_goroutines_all_sizes"],
        ..plain("heap")
    },
    Program {
        slow: &["freed_memory_is_used_again"],
        ..whole("memory")
    },
    Program {
        slow: &["what_was_given_back_reads_as_zeros"],
        ..whole("memstats")
    },
    Program {
        memory: 128,
        ..whole("none")
    },
    Program {
        cannot: &[("nothing_happens_to_one_that_was_not_asked", SENDS)],
        slow: &[
            "goroutines_are_made_and_end",
            "the_heap_survives",
            "the_usual_way_of_the_allocator_is_whole",
        ],
        ..whole("preempt")
    },
    Program {
        cannot: &[
            (
                "calls::a_p_is_where_it_was_left_or_another_is_found",
                CALLS_LINUX,
            ),
            ("calls::an_unpark_from_within_a_call_arrives", CALLS_LINUX),
            ("calls::one_may_allocate_in_there", CALLS_LINUX),
            ("calls::the_thread_in_a_call_runs_nobody_else", CALLS_LINUX),
            ("calls::their_threads_are_used_again", ASKS_LINUX),
            ("calls::those_that_block_cost_no_p", CALLS_LINUX),
            ("calls::what_needs_a_p_ends_the_call_and_works", CALLS_LINUX),
            (
                "locked::a_locked_one_stays_and_nobody_else_comes",
                ASKS_LINUX,
            ),
            (
                "locked::a_thread_that_was_changed_has_no_children",
                CALLS_LINUX,
            ),
            ("locked::locks_nest", ASKS_LINUX),
            ("locked::many_are_locked_at_the_same_time", ASKS_LINUX),
            ("locked::nor_has_it_when_it_ends", ASKS_LINUX),
            (
                "locked::one_that_is_unlocked_shares_its_thread_again",
                ASKS_LINUX,
            ),
            ("locked::the_main_thread_stays_and_runs_nobody", ASKS_LINUX),
            (
                "locked::the_thread_of_one_that_ends_locked_ends",
                ASKS_LINUX,
            ),
            (
                "locked::the_thread_of_one_that_is_unlocked_at_its_end_stays",
                ASKS_LINUX,
            ),
            ("locked::threads_that_end_leave_nothing", ASKS_LINUX),
            (
                "parallel::the_p_of_one_that_blocks_runs_what_others_have",
                CALLS_LINUX,
            ),
            ("storms::a_storm_leaves_nothing_behind", ASKS_LINUX),
        ],
        ..whole("procs")
    },
    Program {
        slow: &["who_waits_behind_newer_ones_gets_a_turn"],
        ..whole("schedule")
    },
    plain("select"),
    Program {
        slow: &[
            "a_million_calls_deep",
            "a_million_times_over_one_seam",
            "segments_that_were_given_back_are_used_first",
        ],
        ..whole("stack")
    },
    Program {
        slow: &[
            "a_million_in_waves",
            "cold_ones_are_given_back",
            "large_ones_are_",
            "not_more_is_given_back_than_asked_for",
        ],
        ..whole("stacks")
    },
    Program {
        cannot: &[
            ("environment::processes", NO_PROCESSES),
            ("hashing::another_process_hashes_otherwise", STARTS_ITSELF),
            ("streams::lines_never_mix", STARTS_ITSELF),
            ("streams::output_here_is_no_terminal", A_TERMINAL),
            ("streams::standard_input_is_read_in_turn", A_TERMINAL),
            ("streams::what_is_printed_may_print", STARTS_ITSELF),
        ],
        ..plain("std_shape")
    },
    plain("sync"),
    Program {
        slow: &["senders_and_receivers_under_preemption"],
        ..plain("task")
    },
    Program {
        slow: &[
            "local::all_is_freed",
            "local::values_are_their_goroutines_under_preemption",
            "park::a_pair_wakes_each_other_100_000_times",
            "park::an_unlock_function_that_says_no",
            "park::ten_thousand_park",
            "scope::scopes_hold_under_preemption",
            "timeout::no_token_is_lost",
            "timeout::times_that_pass_in_a_row",
        ],
        ..plain("thread")
    },
    Program {
        slow: &["no_stale_value_whenever_it_is_set_anew"],
        ..plain("tickers")
    },
    whole("time"),
    Program {
        slow: &[
            "a_million_are_pending_and_stopped",
            "a_timer_is_not_late_for_a_crowd",
            "ten_thousand_sleep_at_random",
        ],
        ..whole("timers")
    },
];

/// Tells whether a test has passed, by the machine's exit status and what it has said. One
/// that is to panic says so before: its panic ends the program.
pub(crate) fn has_passed(status: Option<i32>, said: &str) -> bool {
    const PANIC: i32 = 2;
    match said.split_once("to panic: ") {
        None => status == Some(0),
        Some((_, rest)) => {
            let (expected, rest) = rest.split_once('\n').unwrap_or_default();
            status == Some(PANIC) && rest.contains("panic: ") && rest.contains(expected)
        }
    }
}
