//! Tests of `mem::sizeclasses`: every size, every alignment, every offset.

use gort_host_tests::ensure;
use libtest_mimic::{Failed, Trial};

use crate::sizeclasses::{
    CLASS_TO_BATCH, CLASS_TO_PAGES, CLASS_TO_SIZE, MAX_OBJECTS, MAX_SMALL_SIZE, NUM_CLASSES,
    PAGE_SHIFT, PAGE_SIZE, class_of, object_index,
};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test(
            "sizeclasses::sizes_keep_their_rules",
            sizes_keep_their_rules,
        ),
        Trial::test(
            "sizeclasses::every_size_has_its_class",
            every_size_has_its_class,
        ),
        Trial::test(
            "sizeclasses::every_alignment_is_kept",
            every_alignment_is_kept,
        ),
        Trial::test(
            "sizeclasses::absurd_requests_are_large",
            absurd_requests_are_large,
        ),
        Trial::test(
            "sizeclasses::every_offset_has_its_object",
            every_offset_has_its_object,
        ),
    ]
}

/// The size of a class, in bytes.
fn size_of(class: usize) -> usize {
    CLASS_TO_SIZE[class].into()
}

/// The size of a span of a class, in bytes.
fn span_of(class: usize) -> usize {
    usize::from(CLASS_TO_PAGES[class]) << PAGE_SHIFT
}

/// Finds the class as the definition says: the first that is large enough, and a
/// multiple of the alignment.
fn first_class(size: usize, align: usize) -> Option<usize> {
    let fits = |class: &usize| size_of(*class) >= size && size_of(*class).is_multiple_of(align);
    (1..NUM_CLASSES).find(fits).filter(|_| align <= PAGE_SIZE)
}

fn sizes_keep_their_rules() -> Result<(), Failed> {
    ensure!(
        PAGE_SIZE == 1 << PAGE_SHIFT && NUM_CLASSES <= 80,
        "constants"
    );
    ensure!(CLASS_TO_SIZE[0] == 0 && CLASS_TO_PAGES[0] == 0, "class 0");
    ensure!(CLASS_TO_SIZE[1..5] == [8, 16, 24, 32], "the first");
    ensure!(size_of(NUM_CLASSES - 1) == MAX_SMALL_SIZE, "the last");
    for (class, batch) in CLASS_TO_BATCH.into_iter().enumerate().skip(1) {
        let (size, span) = (size_of(class), span_of(class));
        ensure!(size > size_of(class - 1), "class {class}");
        ensure!(size < 32 || size.is_multiple_of(16), "{size}");
        ensure!((4..=MAX_OBJECTS).contains(&(span / size)), "{size}");
        ensure!(span % size * 8 <= span, "{size}: tail {}", span % size);
        let right = (32768 / size).clamp(2, 128);
        ensure!(usize::from(batch) == right, "{size}: {batch}");
    }
    ensure!(span_of(1) / 8 == MAX_OBJECTS, "the most");
    Ok(())
}

fn every_size_has_its_class() -> Result<(), Failed> {
    for size in 0..=MAX_SMALL_SIZE {
        for align in [1, 2, 4, 8] {
            // All sizes are multiples of 8.
            let class = class_of(size, align);
            ensure!(class == first_class(size.max(1), 8), "{size}, {align}");
            let object = size_of(class.unwrap_or(0));
            let waste = object - size;
            let bound = match size {
                0 => 8,
                1..=32 => 7,
                33..=112 => 15,
                113..=128 => object / 8 - 1,
                _ => object / 9 - 1,
            };
            ensure!(waste <= bound, "{size}: {waste}");
        }
    }
    Ok(())
}

fn every_alignment_is_kept() -> Result<(), Failed> {
    for shift in 4..=PAGE_SHIFT {
        for size in 0..=MAX_SMALL_SIZE {
            let class = class_of(size, 1 << shift);
            ensure!(class.is_some(), "{size}, {shift}");
            ensure!(class == first_class(size, 1 << shift), "{size}, {shift}");
        }
    }
    Ok(())
}

fn absurd_requests_are_large() -> Result<(), Failed> {
    for shift in 0..usize::BITS {
        let align = 1 << shift;
        for size in [MAX_SMALL_SIZE + 1, 1 << 40, isize::MAX as usize, usize::MAX] {
            ensure!(class_of(size, align).is_none(), "{size}, {align}");
        }
        for size in [0, 1, MAX_SMALL_SIZE] {
            ensure!(
                class_of(size, align).is_some() == (align <= PAGE_SIZE),
                "{size}, {align}"
            );
        }
    }
    Ok(())
}

fn every_offset_has_its_object() -> Result<(), Failed> {
    for class in 1..NUM_CLASSES {
        for offset in 0..span_of(class) {
            let index = object_index(class, offset);
            ensure!(
                index == offset / size_of(class),
                "{class}, {offset}: {index}"
            );
        }
    }
    Ok(())
}
