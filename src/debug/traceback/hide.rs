//! Which functions are the runtime's, and how a name is written.
//!
//! Go's counterpart: `showfuncinfo` in `runtime/traceback.go`.
//!
//! With `debug = "line-tables-only"` rustc leaves of the name of an inlined function the last
//! part alone, `call` of `gort::process::Main::call`: there the file says whose it is.

use super::show::write_path;
use crate::debug::symbols::File;

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

/// What the paths of gort's own sources begin with.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/");

/// Tells whether a function that was inlined is the runtime's, by its name and its file.
pub(super) fn is_inlined_runtime(name: &[u8], file: &File) -> bool {
    if !is_bare(name) {
        return is_runtime(name);
    }
    let mut start = Prefix(Some(SOURCES.as_bytes()));
    write_path(file, &mut start);
    start.0 == Some(b"")
}

/// Tells whether a name is the last part of one.
fn is_bare(name: &[u8]) -> bool {
    let path = name.split(|&byte| byte == b'<').next().unwrap_or_default();
    let mangled = name.starts_with(b"_ZN") || name.starts_with(b"_R");
    !mangled && !path.is_empty() && !path.windows(2).any(|two| two == b"::")
}

/// What of a beginning is still to come; `None` if something else came.
struct Prefix(Option<&'static [u8]>);

impl Text for Prefix {
    fn push(&mut self, bytes: &[u8]) -> bool {
        self.0 = self.0.and_then(|rest| {
            let length = bytes.len().min(rest.len());
            let (now, later) = rest.split_at_checked(length)?;
            bytes.starts_with(now).then_some(later)
        });
        self.0.is_some_and(|rest| !rest.is_empty())
    }
}

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
