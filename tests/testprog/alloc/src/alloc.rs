//! A file whose path ends as that of `alloc`'s own does.

/// Panics, for reasons of its own.
pub(crate) fn of_its_own() -> ! {
    panic!("no lack of memory")
}
