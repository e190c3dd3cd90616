//! The first Rust code of the program. `_rt0_amd64` in `asm/` calls
//! [`rt0_go`] on the stack that the kernel gave, of which 64 KiB now are g0's.
//!
//! Go's counterpart: `runtime·rt0_go` in `runtime/asm_amd64.s`.

use super::args::args;
use super::check::check;
use super::osinit::osinit;
use super::schedinit::schedinit;
use crate::debug::boottrace;
use crate::os;
use crate::sched::{self, NOTHING, NewG, malg_first};

// SAFETY: the routines' contracts stand in asm/: both may be called here, once, in
// the order below. mainPC is a constant.
unsafe extern "C" {
    #[link_name = "runtime.needtls"]
    safe fn needtls();
    #[link_name = "runtime.mstart"]
    safe fn mstart() -> !;
    #[link_name = "runtime.mainPC"]
    safe static MAIN_PC: sched::Entry;
}

/// Boots the program: from a bare stack to the scheduling loop. Never returns.
///
/// Until `needtls` is back there is no g: nothing before it may ask for one.
/// That order holds since both it and all that follows are calls of routines
/// which the compiler cannot see into or must assume to have effects.
#[unsafe(export_name = "runtime.rt0_go")]
#[inline(never)]
extern "C" fn rt0_go(argc: i32, argv: *const *const u8) -> ! {
    crate::stops_here!();
    boottrace::entry(os::ENTRY); // on Linux one jump, and the clock starts behind it
    boottrace::step("_rt0_amd64"); // g0's stack carved, the CPU known
    needtls(); // settls; the slot proven; g0 and m0 bound
    boottrace::step("runtime.settls");
    boottrace::step("runtime.rt0_go"); // getg works: Rust stands on its feet
    check(); // what the runtime assumes
    boottrace::step("runtime.check");
    args(argc, argv); // argv, environment, auxiliary vector, vDSO
    boottrace::step("runtime.args");
    osinit(); // CPUs, huge pages
    boottrace::step("runtime.osinit");
    schedinit(); // all subsystems, in order
    boottrace::step("runtime.schedinit");
    _ = sched::newproc(MAIN_PC, NOTHING, None, 0, malg_first).map(NewG::queue); // the main goroutine
    boottrace::step("runtime.newproc");
    mstart() // this thread, for ever; its step ends when runtime.main begins
}
