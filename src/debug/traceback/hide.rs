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
#[cfg(any(feature = "backtrace", debug_assertions))]
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

/// Writes the name of a function as the source has it, if its crate was compiled with
/// rustc's older way to mangle names: else as the linker has it. The newer way takes more
/// code than all the rest of a trace.
///
/// `_ZN`, the parts of the path, each with its length in front, a hash, `E`; signs are
/// `$LT$`, `$u20$` and so on, and `..` is `::`.
#[cfg(not(any(feature = "backtrace", debug_assertions)))]
pub(crate) fn write_name(name: &[u8], to: &mut impl Text) {
    const HASH: usize = 17;
    let Some(mut rest) = name.strip_prefix(b"_ZN") else {
        to.push(name);
        return;
    };
    let mut first = true;
    while let Some(digits) = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .filter(|&n| n > 0)
    {
        let (number, tail) = rest.split_at(digits);
        let length = crate::debug::print::parse_decimal(number).unwrap_or(0) as usize;
        let Some((part, tail)) = tail.split_at_checked(length) else {
            return;
        };
        if length == HASH && part.first() == Some(&b'h') && tail.first() == Some(&b'E') {
            return;
        }
        if !first {
            to.push(b"::");
        }
        first = false;
        write_part(part, to);
        rest = tail;
    }
}

/// Writes a part of a path.
#[cfg(not(any(feature = "backtrace", debug_assertions)))]
fn write_part(part: &[u8], to: &mut impl Text) {
    const SIGNS: &[u8] = b"SP@BP*RF&LT<GT>LP(RP)";
    let mut rest = part
        .strip_prefix(b"_")
        .filter(|rest| rest.starts_with(b"$"))
        .unwrap_or(part);
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            b'.' if tail.first() == Some(&b'.') => {
                to.push(b"::");
                rest = tail.get(1..).unwrap_or_default();
            }
            b'$' => {
                let end = tail.iter().position(|&byte| byte == b'$').unwrap_or(0);
                let (sign, tail) = tail.split_at(end);
                rest = tail.get(1..).unwrap_or_default();
                let known = SIGNS.chunks(3).find(|known| known.starts_with(sign));
                let hex = |byte: u8| (byte & 15) + if byte > b'9' { 9 } else { 0 };
                match (sign, known) {
                    (b"C", _) => to.push(b","),
                    ([b'u', high, low], _) => to.push(&[hex(*high) << 4 | hex(*low) & 15]),
                    (_, Some([.., sign])) => to.push(&[*sign]),
                    _ => to.push(sign),
                };
            }
            _ => {
                to.push(&[*byte]);
            }
        }
    }
}
