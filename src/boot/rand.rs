//! Random numbers for the runtime: ChaCha with 8 rounds, seeded with what the
//! kernel gives each new process.
//!
//! Go's counterparts: `runtime/rand.go`, `internal/chacha8rand`. Written here
//! like Go's, since the crates for it are made for speed: they unroll it into
//! 2 KiB of vector code, an eighth of an empty program.

use core::ptr;

use super::args::auxv;
use super::chacha8::ChaCha8;
use super::moduledata::hosted;
use crate::debug::lock::{Mutex, rank};
use crate::{arch, os};

static STATE: Mutex<ChaCha8, { rank::RAND }> = Mutex::new(ChaCha8::unseeded());

/// Seeds the generator and gives m0 its stack canary, unless a libc has done so.
/// On g0, before anything draws.
#[unsafe(export_name = "runtime.randinit")]
#[inline(never)]
pub(super) extern "C" fn randinit() {
    let mut seed = [0u64; 4];
    let startup_random = auxv().random();
    match startup_random {
        Some(address) => {
            let source: *const [u64; 2] = ptr::with_exposed_provenance(address);
            // SAFETY: AT_RANDOM points at 16 bytes, aligned to anything.
            [seed[0], seed[1]] = unsafe { source.read_unaligned() };
        }
        // An emulator or a wrapper left it out: ask, and if nobody answers, the
        // clocks have to do, as in Go.
        None if os::random(&mut seed) => {}
        None => {
            [seed[0], seed[1]] = [os::nanotime() as u64, arch::cputicks()];
            seed[2] = os::walltime().1 as u64;
        }
    }
    let mut state = STATE.lock();
    state.seed(&seed);
    if !hosted() {
        arch::set_canary(state.next_u64() & !0xff); // a NUL first, to stop what copies strings
    }
}

/// Draws a number. From any stack, behind `randinit`.
pub(crate) fn rand() -> u64 {
    STATE.lock().next_u64()
}
