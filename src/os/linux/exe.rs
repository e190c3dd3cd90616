//! The file that the program was started from.

use core::ffi::CStr;
use core::{ptr, slice};

use super::file::{File, open_read, path};
use super::syscall::{nr, syscall4, syscall6};

const PROT_READ: usize = 1;
const MAP_PRIVATE: usize = 2;
const SEEK_END: usize = 2;

/// What the system calls it, whatever has become of its name.
const SELF: &CStr = path(b"/proc/self/exe\0\0");

/// Maps the file that the program was started from: what the system says it is, or else
/// what has that name now, the `execfn` of the auxiliary vector. Only to be read, for
/// good. What is in there need not be this program.
pub(crate) fn map_exe(by_name: Option<Option<usize>>) -> Option<&'static [u8]> {
    let name = match by_name {
        None => SELF,
        // SAFETY: the kernel put a string there, above the stack, for good.
        Some(name) => unsafe { CStr::from_ptr(ptr::with_exposed_provenance(name?)) },
    };
    map_file(&open_read(name)?)
}

/// Maps all of a file.
fn map_file(file: &File) -> Option<&'static [u8]> {
    // SAFETY: moves the position of a descriptor that is ours.
    let size = unsafe { syscall4(nr::LSEEK, [file.fd(), 0, SEEK_END, 0]) };
    let size = usize::try_from(size).ok().filter(|&size| size > 0)?;
    // SAFETY: without MAP_FIXED the kernel takes a range that nobody uses.
    let memory = unsafe { syscall6(nr::MMAP, [0, size, PROT_READ, MAP_PRIVATE, file.fd(), 0]) };
    let address = usize::try_from(memory).ok()?; // an errno is negative
    // SAFETY: so many bytes of a file are mapped there, and never unmapped. The system
    // lets nobody write to a program's file while it runs.
    Some(unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(address), size) })
}
