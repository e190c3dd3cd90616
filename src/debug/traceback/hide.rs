//! Which functions are the runtime's, and how a name is written.
//!
//! Go's counterpart: `showfuncinfo` in `runtime/traceback.go`.

/// What the names of the runtime's functions begin with: gort's own, and those that stand
/// between a panic, or the start of a closure, and the program's code.
const RUNTIME: &[&str] = &[
    "gort::",
    "<gort::",
    "runtime.",
    "__morestack",
    "__rustc",
    "rust_begin_unwind",
    "core::panicking::",
    "core::ops::function::",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::result::unwrap_failed",
    "core::cell::panic_",
    "core::slice::index::slice_",
    "core::str::slice_error_fail",
    "<alloc::boxed::Box<F,A> as core::ops::function::",
    "<fn() .> T as gort::process::Main>::",
    "<fn() -> T as gort::process::Main>::",
];

/// Tells whether a function, by the linker's name, is the runtime's.
pub(super) fn is_runtime(name: &[u8]) -> bool {
    let mut start = Start {
        text: [0; 64],
        length: 0,
    };
    write_name(name, &mut start);
    let text = start.text.get(..start.length).unwrap_or_default();
    RUNTIME
        .iter()
        .any(|prefix| text.starts_with(prefix.as_bytes()))
}

/// Where a name's text goes.
pub(crate) trait Text {
    /// Appends some; false if no more is wanted.
    fn push(&mut self, bytes: &[u8]) -> bool;
}

/// A text's beginning.
struct Start {
    text: [u8; 64],
    length: usize,
}

impl Text for Start {
    fn push(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            let Some(slot) = self.text.get_mut(self.length) else {
                return false;
            };
            *slot = byte;
            self.length += 1;
        }
        true
    }
}

/// Writes the name of a function as the source has it.
pub(crate) fn write_name(name: &[u8], to: &mut impl Text) {
    use core::fmt::{self, Write};

    struct Adapter<'a, T>(&'a mut T);

    impl<T: Text> Write for Adapter<'_, T> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            if self.0.push(text.as_bytes()) {
                Ok(())
            } else {
                Err(fmt::Error)
            }
        }
    }

    match core::str::from_utf8(name)
        .ok()
        .and_then(|name| rustc_demangle::try_demangle(name).ok())
    {
        // Who wants no more says so by an error.
        Some(demangled) => {
            let _ = write!(Adapter(to), "{demangled:#}");
        }
        None => {
            to.push(name);
        }
    }
}
