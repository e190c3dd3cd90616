//! Tests of `mem::pages`: against a model, and what a model would take too long to find.

use gort_host_tests::ensure;
use libtest_mimic::{Failed, Trial};
use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::page_bits::{ARENA_PAGES, ArenaPages, CHUNK_PAGES};
use crate::pages::Pages;
use crate::pages_model::{BASE, Both, add_arena, leak, operations};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("pages::does_what_the_model_does", does_what_the_model_does),
        Trial::test(
            "pages::finds_every_length_everywhere",
            finds_every_length_everywhere,
        ),
        Trial::test("pages::refuses_absurd_requests", refuses_absurd_requests),
        Trial::test(
            "pages::finds_what_only_both_ends_hold",
            finds_what_only_both_ends_hold,
        ),
        Trial::test(
            "pages::takes_arenas_in_any_order",
            takes_arenas_in_any_order,
        ),
    ]
}

fn does_what_the_model_does() -> Result<(), Failed> {
    let config = Config {
        cases: 250,
        failure_persistence: None,
        ..Config::default()
    };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, random);
    let result = runner.run(&vec(operations(), 1..60), |operations| {
        let mut both = Both::new();
        let tried = operations
            .iter()
            .enumerate()
            .try_for_each(|(i, operation)| {
                both.apply(operation)?;
                if i % 8 == 0 { both.compare() } else { Ok(()) }
            });
        let tried = tried
            .and_then(|()| both.compare())
            .and_then(|()| both.fill());
        let failed = |failed: Failed| failed.message().unwrap_or_default().to_owned();
        tried.map_err(|error| proptest::test_runner::TestCaseError::fail(failed(error)))
    });
    result.map_err(|error| error.to_string().into())
}

/// Makes every hole of up to three words at every place around the boundary of
/// two words, two chunks and two arenas, and looks for it.
fn finds_every_length_everywhere() -> Result<(), Failed> {
    let mut pages = Pages::new();
    for place in 0..2 {
        let base = BASE + place * ARENA_PAGES;
        ensure!(add_arena(&mut pages, base, ARENA_PAGES, 2), "no arena");
    }
    ensure!(
        pages.alloc(2 * ARENA_PAGES, 1).is_some(),
        "not in one piece"
    );
    for boundary in [64, CHUNK_PAGES, ARENA_PAGES] {
        for before in 0..66 {
            for after in 0..66 {
                let (page, length) = (BASE + boundary - before.min(boundary), before + after);
                if length == 0 || before > boundary {
                    continue;
                }
                ensure!(pages.free(page, length), "{page:x}, {length}");
                ensure!(pages.alloc(length + 1, 1).is_none(), "{page:x}, {length}");
                let run = pages.alloc(length, 1).map(|run| run.page);
                ensure!(run == Some(page), "{page:x}, {length}: {run:x?}");
            }
        }
    }
    Ok(())
}

fn refuses_absurd_requests() -> Result<(), Failed> {
    let mut pages = Pages::new();
    ensure!(pages.alloc(1, 1).is_none(), "without an arena");
    ensure!(pages.alloc_at(BASE, 1).is_none(), "without an arena");
    ensure!(!pages.free(BASE, 1), "without an arena");
    ensure!(
        !pages.add_arena(leak(ArenaPages::new()), BASE, 1),
        "without storage"
    );
    let last = usize::MAX - (ARENA_PAGES - 1);
    for (base, usable) in [(BASE + 1, 1), (BASE, ARENA_PAGES + 1), (last, 1)] {
        ensure!(
            !add_arena(&mut pages, base, usable, 4),
            "{base:x}, {usable}"
        );
    }
    ensure!(add_arena(&mut pages, BASE, ARENA_PAGES, 4), "no arena");
    let absurd = [
        usize::MAX,
        usize::MAX >> 13,
        isize::MAX as usize,
        ARENA_PAGES + 1,
        0,
    ];
    for number in absurd {
        for shift in 0..usize::BITS {
            ensure!(
                pages.alloc(number, 1 << shift).is_none(),
                "{number:x}, {shift}"
            );
        }
        ensure!(pages.alloc_at(BASE, number).is_none(), "{number:x}");
        ensure!(pages.alloc_at(BASE - 1, number).is_none(), "{number:x}");
        ensure!(!pages.free(BASE, number), "{number:x}");
        ensure!(!pages.release(BASE, number), "{number:x}");
        ensure!(!pages.put_released(BASE, number), "{number:x}");
    }
    ensure!(pages.alloc(1, 0).is_none(), "alignment 0");
    ensure!(pages.alloc(1, 3).is_none(), "alignment 3");
    for shift in BASE.trailing_zeros() + 1..usize::BITS {
        ensure!(pages.alloc(1, 1 << shift).is_none(), "{shift}");
    }
    for page in [0, BASE - 1, BASE + ARENA_PAGES, usize::MAX] {
        ensure!(pages.alloc_at(page, 1).is_none(), "{page:x}");
        ensure!(!pages.free(page, 1), "{page:x}");
    }
    ensure!(pages.find_releasable(1, 0).is_none(), "nothing is backed");
    ensure!(
        pages.alloc(2, 1).is_some() && pages.free(BASE, 1),
        "no pages"
    );
    for whole in [3, 2 * ARENA_PAGES, 1 << 63, usize::MAX] {
        ensure!(pages.find_releasable(1, whole).is_none(), "{whole:x}");
    }
    ensure!(pages.find_releasable(0, 0).is_none(), "no pages at all");
    ensure!(
        pages.find_releasable(1, 0) == Some((BASE, 1)),
        "not the one"
    );
    ensure!(!pages.extend(BASE, 1), "shrunk");
    ensure!(!pages.extend(BASE + 1, ARENA_PAGES), "no arena's base");
    Ok(())
}

/// Adds a hundred arenas in a muddled order, which grows the storage, and takes
/// them as one run; then the same without one in the middle.
fn takes_arenas_in_any_order() -> Result<(), Failed> {
    const ARENAS: usize = 101;
    let mut pages = Pages::new();
    for i in 0..ARENAS {
        let base = BASE + i * 37 % ARENAS * ARENA_PAGES;
        let storage = pages.needs_storage().unwrap_or(0);
        ensure!(add_arena(&mut pages, base, ARENA_PAGES, storage), "{i}");
        ensure!(pages.free_pages() == (i + 1) * ARENA_PAGES, "{i}");
    }
    let run = pages.alloc(ARENAS * ARENA_PAGES, ARENA_PAGES);
    ensure!(
        run.is_some_and(|run| run.page == BASE && run.fresh),
        "{run:?}"
    );
    ensure!(pages.free(BASE, 50 * ARENA_PAGES), "not in use");
    ensure!(
        pages.free(BASE + 51 * ARENA_PAGES, 50 * ARENA_PAGES),
        "not in use"
    );
    ensure!(
        pages.alloc(50 * ARENA_PAGES + 1, 1).is_none(),
        "across a gap"
    );
    for place in [0, 51] {
        let run = pages.alloc(50 * ARENA_PAGES, 1).map(|run| run.page);
        ensure!(run == Some(BASE + place * ARENA_PAGES), "{run:x?}");
    }
    Ok(())
}

/// Frees both sides of a boundary of arenas, next to which there is a longer run:
/// the ends of the free runs change, the longest does not.
fn finds_what_only_both_ends_hold() -> Result<(), Failed> {
    let mut pages = Pages::new();
    for place in 0..2 {
        let base = BASE + place * ARENA_PAGES;
        ensure!(add_arena(&mut pages, base, ARENA_PAGES, 2), "no arena");
    }
    ensure!(pages.alloc(2 * ARENA_PAGES, 1).is_some(), "no pages");
    let boundary = BASE + ARENA_PAGES;
    for (page, length) in [(boundary - 300, 100), (boundary + 200, 100)] {
        ensure!(pages.free(page, length), "{page:x}");
    }
    for page in [boundary - 60, boundary] {
        ensure!(pages.free(page, 60), "{page:x}");
    }
    let run = pages.alloc(120, 1).map(|run| run.page);
    ensure!(run == Some(boundary - 60), "{run:x?}");
    Ok(())
}
