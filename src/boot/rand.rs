//! Random numbers for the runtime: `ChaCha8`, seeded with what the kernel gives
//! each new process.
//!
//! Go's counterparts: `runtime/rand.go`, `internal/chacha8rand`.

use core::ptr;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::args::auxv;
use crate::debug::lock::{Mutex, Rank};
use crate::sched::M0;
use crate::{arch, os};

/// The bytes at AT_RANDOM.
const STARTUP_RANDOM: usize = 16;

/// Where the canary is in m0's TLS: FS:0x28, FS being the second word.
const M0_CANARY: usize = 1 + 0x28 / 8;

static STATE: Mutex<Option<ChaCha8Rng>> = Mutex::new(Rank::Rand, None);

/// Seeds the generator and gives m0 its stack canary. On g0, before anything
/// draws.
#[unsafe(export_name = "runtime.randinit")]
#[inline(never)]
pub(super) extern "C" fn randinit() {
    let mut seed = [0u8; 32];
    match auxv().random {
        Some(address) => {
            let source: *const [u8; STARTUP_RANDOM] = ptr::with_exposed_provenance(address);
            // SAFETY: AT_RANDOM points at 16 bytes.
            let random = unsafe { source.read() };
            for (to, from) in seed.iter_mut().zip(random) {
                *to = from;
            }
        }
        // An emulator or a wrapper left it out: ask, and if nobody answers, the
        // clocks have to do, as in Go.
        None if os::random(&mut seed) => {}
        None => {
            let clocks = [os::nanotime() as u64, arch::cputicks(), os::walltime().1 as u64, os::thread_id()];
            for (to, from) in seed.iter_mut().zip(clocks.iter().flat_map(|clock| clock.to_ne_bytes())) {
                *to = from;
            }
        }
    }
    let mut rng = ChaCha8Rng::from_seed(seed);
    let canary = rng.next_u64() & !0xff; // a NUL first, to stop what copies strings
    if let Some(slot) = M0.tls.get(M0_CANARY) {
        slot.set(canary as usize);
    }
    *STATE.lock() = Some(rng);
}

/// Draws a number. From any stack, behind `randinit`.
pub(crate) fn rand() -> u64 {
    STATE.lock().as_mut().map_or(0, Rng::next_u64)
}
