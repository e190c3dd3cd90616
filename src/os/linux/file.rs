//! Files and descriptors, as far as the boot and the messages need them.
//!
//! By bare system calls: rustix's descriptor types assert that they are not -1,
//! and an assertion brings all of `core::fmt` into a program that has none.

use core::ffi::CStr;

use super::cgroup::{self, CpuLimit, Scratch};
use super::fields::Files;
use super::syscall::{nr, syscall4};

const O_RDWR: usize = 2;
const O_CLOEXEC: usize = 0o2_000_000;
const F_GETFD: usize = 1;
const EINTR: isize = 4;
const EIO: i32 = 5;
const EBADF: isize = 9;

/// A file that is open for reading; closed when it is dropped.
pub(crate) struct File(usize);

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours, and nobody uses it afterwards.
        unsafe { syscall4(nr::CLOSE, [self.0, 0, 0, 0]) };
    }
}

/// Opens a file for reading.
pub(crate) fn open_read(path: &CStr) -> Option<File> {
    open(path, O_CLOEXEC).map(File)
}

/// Opens a file; returns the descriptor.
fn open(path: &CStr, flags: usize) -> Option<usize> {
    // SAFETY: the kernel reads the path up to its NUL.
    let fd = unsafe { syscall4(nr::OPEN, [path.as_ptr().addr(), flags, 0, 0]) };
    usize::try_from(fd).ok()
}

/// Reads at most `buffer.len()` bytes; 0 at the end.
pub(crate) fn read(file: &File, buffer: &mut [u8]) -> Option<usize> {
    loop {
        // SAFETY: the kernel writes at most that many bytes into our own.
        let count = unsafe { syscall4(nr::READ, [file.0, buffer.as_mut_ptr().addr(), buffer.len(), 0]) };
        if count != -EINTR {
            return usize::try_from(count).ok();
        }
    }
}

/// Writes all of `bytes`, however many short writes that takes, or returns the
/// errno.
pub(crate) fn write_all(fd: i32, mut bytes: &[u8]) -> Result<(), i32> {
    while !bytes.is_empty() {
        // SAFETY: the kernel reads the bytes. If the descriptor is not what the
        // caller believes, they go elsewhere: no memory is at stake.
        let count = unsafe { syscall4(nr::WRITE, [fd as usize, bytes.as_ptr().addr(), bytes.len(), 0]) };
        match usize::try_from(count) {
            Ok(0) => return Err(EIO),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(_) if count == -EINTR => {}
            Err(_) => return Err(-count as i32),
        }
    }
    Ok(())
}

/// Opens /dev/null on those of the descriptors 0, 1 and 2 that are closed, so
/// that no file of the program gets such a number and is written to by mistake.
/// Go's `checkfds`. Returns the first that could not be opened.
pub(crate) fn check_fds() -> Result<(), i32> {
    for number in 0..3 {
        // SAFETY: only asks; EBADF is the answer that we look for.
        let flags = unsafe { syscall4(nr::FCNTL, [number as usize, F_GETFD, 0, 0]) };
        // The lowest free number is the one that we ask for: those below are open.
        if flags == -EBADF && open(c"/dev/null", O_RDWR) != Some(number as usize) {
            return Err(number);
        }
    }
    Ok(())
}

/// The files of /proc and /sys, for the parsers.
struct SystemFiles;

impl Files for SystemFiles {
    type File = File;

    fn open(&mut self, path: &[u8]) -> Option<File> {
        open_read(CStr::from_bytes_with_nul(path).ok()?)
    }

    fn read(&mut self, file: &mut File, buffer: &mut [u8]) -> Option<usize> {
        read(file, buffer)
    }
}

/// Returns the CPU limit of this process's control group, if it has one.
#[cold]
#[inline(never)] // two pages of stack that a small machine need not touch
pub(crate) fn cpu_limit() -> Option<CpuLimit> {
    cgroup::cpu_limit(&mut SystemFiles, &mut Scratch::new())
}
