//! Files and descriptors, as far as the boot and the messages need them.

use core::ffi::CStr;

use rustix::fd::BorrowedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::cgroup::{self, CpuLimit, Scratch};
use super::fields::Files;

/// A file that is open for reading; [`close`] ends it.
pub(crate) type File = rustix::fd::OwnedFd;

/// Opens a file for reading.
pub(crate) fn open_read(path: &CStr) -> Option<File> {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// Reads at most `buffer.len()` bytes; 0 at the end.
pub(crate) fn read(file: &File, buffer: &mut [u8]) -> Option<usize> {
    loop {
        match rustix::io::read(file, &mut *buffer) {
            Err(Errno::INTR) => {}
            result => return result.ok(),
        }
    }
}

/// Closes the file.
pub(crate) fn close(file: File) {
    drop(file);
}

/// Writes some of `bytes` to the descriptor and returns how many, or the errno.
pub(crate) fn write_some(fd: i32, bytes: &[u8]) -> Result<usize, i32> {
    // SAFETY: only used during this call. If the descriptor is not open, or not
    // what the caller believes, the kernel says so or writes there: no memory is
    // at stake.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    loop {
        match rustix::io::write(fd, bytes) {
            Err(Errno::INTR) => {}
            result => return result.map_err(Errno::raw_os_error),
        }
    }
}

/// Writes all of `bytes`, however many short writes that takes.
pub(crate) fn write_all(fd: i32, mut bytes: &[u8]) -> Result<(), i32> {
    while !bytes.is_empty() {
        let written = write_some(fd, bytes)?;
        if written == 0 {
            return Err(Errno::IO.raw_os_error());
        }
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// Opens /dev/null on those of the descriptors 0, 1 and 2 that are closed, so
/// that no file of the program gets such a number and is written to by mistake.
/// Go's `checkfds`. Returns the first that could not be opened.
pub(crate) fn check_fds() -> Result<(), i32> {
    for number in 0..3 {
        // SAFETY: only asked about; EBADF is the answer that we want.
        let fd = unsafe { BorrowedFd::borrow_raw(number) };
        if rustix::io::fcntl_getfd(fd) != Err(Errno::BADF) {
            continue;
        }
        // The lowest free number is the one that we ask for: those below are open.
        match rustix::fs::open(c"/dev/null", OFlags::RDWR, Mode::empty()) {
            Ok(null) => core::mem::forget(null),
            Err(_) => return Err(number),
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
pub(crate) fn cpu_limit() -> Option<CpuLimit> {
    cgroup::cpu_limit(&mut SystemFiles, &mut Scratch::new())
}
