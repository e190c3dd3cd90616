//! `getrandom`'s custom back end, of its versions 0.3 and 0.4, by the system's own source.
//!
//! By itself that crate would call libc. Whoever uses it on gort enables this feature,
//! and tells it by a flag of the compiler's, in `.cargo/config.toml`:
//!
//! ```toml
//! [target.x86_64-unknown-linux-gnu]
//! rustflags = ["--cfg", 'getrandom_backend="custom"']
//! ```

use core::slice;

use getrandom::Error;

use crate::{os, sched};

/// What `getrandom` calls.
///
/// # Safety
///
/// `destination` must be `length` bytes that may be written; they need not be initialised.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(
    destination: *mut u8,
    length: usize,
) -> Result<(), Error> {
    if length == 0 {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    unsafe { destination.write_bytes(0, length) };
    // SAFETY: as above; now they are initialised.
    let bytes = unsafe { slice::from_raw_parts_mut(destination, length) };
    // The system may have to wait for noise when it has just started.
    sched::blocking(|| os::fill_random(bytes)).map_err(|_| Error::UNSUPPORTED)
}
