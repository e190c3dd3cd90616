//! The program's own ELF headers, verified, and what the linker says of its TLS.
//!
//! Go's counterpart: `moduledataverify` in `runtime/symtab.go`. A file that was
//! damaged on disk or cut short, or linked with another script, is refused
//! here with one line, before anything of it is relied on.
//!
//! TLS blocks are made by the linker script's labels, m0's by `needtls` before
//! this here, the others' by `newm`: PT_TLS must only agree with them.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::args::auxv;
use crate::debug::elf::{self, Expected};
use crate::debug::fatal;
use crate::os;

// SAFETY: labels of the linker script and the assembly; only their addresses
// are used.
unsafe extern "C" {
    #[link_name = "runtime.ehdr"]
    safe static EHDR: u8;
    #[link_name = "runtime.text"]
    safe static TEXT: u8;
    #[link_name = "runtime.etext"]
    safe static ETEXT: u8;
    #[link_name = "runtime.tdata"]
    safe static TDATA: u8;
    #[link_name = "runtime.etdata"]
    safe static ETDATA: u8;
    #[link_name = "runtime.tlssize"]
    safe static TLS_SIZE: u8;
    #[link_name = "runtime.tlsalign"]
    safe static TLS_ALIGN: u8;
    #[link_name = "_cgo_init"]
    safe static CGO_INIT: AtomicUsize;
}

/// The bytes of the first segment that are looked at: its first page, which has
/// all headers.
const HEADERS: usize = 0x1000;

/// The initial contents of a thread's TLS.
pub(crate) struct TlsImage {
    /// Where the initialised bytes are.
    pub(crate) start: *const u8,
    /// How many there are.
    pub(crate) file_size: usize,
    /// How far below FS they begin; what is between is zeros.
    pub(crate) size: usize,
    /// The alignment of FS.
    pub(crate) align: usize,
}

/// Whether a libc has started the program.
pub(crate) fn hosted() -> bool {
    !cfg!(feature = "none") && CGO_INIT.load(Ordering::Relaxed) != 0 // a constant
}

/// Verifies the headers. Refuses to go on if anything is wrong with them.
#[unsafe(export_name = "runtime.moduledataverify")]
#[inline(never)]
pub(super) extern "C" fn moduledataverify() {
    let base = &raw const EHDR;
    // SAFETY: the kernel has mapped the first page of the file there: we run.
    let image = unsafe { core::slice::from_raw_parts(base, HEADERS) };
    let auxv = auxv();
    // Where there is no kernel the vector says nothing of the headers: see os/none/start.rs.
    let told = |word: Option<usize>| word.filter(|_| !cfg!(feature = "none"));
    let expected = Expected {
        // A libc enters its own program where it wants to.
        entry: (!hosted()).then_some(os::entry()),
        text: (&raw const TEXT).addr(),
        etext: (&raw const ETEXT).addr(),
        load_base: base.addr(),
        phdr: told(auxv.phdr()),
        phnum: told(auxv.phnum()),
        phent: told(auxv.phent()),
    };
    match elf::verify(image, &expected) {
        Ok(module) => {
            let size = module.tls.map_or(0, |tls| {
                let below = tls.p_align.max(1) - 1; // a power of two less one
                (tls.p_memsz + below) & !below
            });
            if size != (&raw const TLS_SIZE).addr() as u64 {
                refuse("p_memsz of PT_TLS is not tlssize", size);
            }
        }
        Err(error) => refuse(error.what, error.value),
    }
}

/// Says what is wrong and ends the program.
fn refuse(what: &str, value: u64) -> ! {
    fatal::refuse(
        "fatal error: moduledataverify: %s: got 0x%x",
        &[value],
        &[what.as_bytes()],
    )
}

/// Returns what a new thread's TLS starts as, by the same labels as `needtls`.
pub(crate) fn tls_image() -> TlsImage {
    let (start, end) = (&raw const TDATA, &raw const ETDATA);
    TlsImage {
        start,
        file_size: end.addr() - start.addr(),
        size: (&raw const TLS_SIZE).addr(),
        align: (&raw const TLS_ALIGN).addr(),
    }
}
