//! Files and descriptors, as far as the boot and the messages need them.
//!
//! By bare system calls: rustix's descriptor types assert that they are not -1,
//! and an assertion brings all of `core::fmt` into a program that has none.

use core::ffi::CStr;
use core::num::NonZero;

use super::cgroup;
use super::fields::{Fields, Files};
use super::syscall::{nr, syscall4};
use crate::debug::print::parse_decimal;

const O_RDWR: usize = 2;
const O_CLOEXEC: usize = 0o2_000_000;
const F_GETFD: usize = 1;
const EINTR: isize = 4;
const EIO: i32 = 5;
const EBADF: isize = 9;

const DEV_NULL: &CStr = path(b"/dev/null\0\0");

/// A file that is open for reading; closed when it is dropped.
///
/// Holds the descriptor plus one: then an [`Option`] of it needs no more room.
pub(crate) struct File(NonZero<usize>);

impl File {
    /// Wraps what `open` returned.
    fn new(fd: isize) -> Option<Self> {
        if fd < 0 {
            None
        } else {
            NonZero::new(fd as usize + 1).map(Self)
        }
    }

    /// Returns the descriptor.
    pub(super) fn fd(&self) -> usize {
        self.0.get() - 1
    }
}

impl Drop for File {
    #[inline(never)] // for its size
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours, and nobody uses it afterwards.
        unsafe { syscall4(nr::CLOSE, [self.fd(), 0, 0, 0]) };
    }
}

/// Makes a path out of a text that ends with two NULs; see `debug::vdso::text` for
/// the second one.
pub(super) const fn path(text: &'static [u8]) -> &'static CStr {
    match CStr::from_bytes_until_nul(text) {
        Ok(path) => path,
        Err(_) => panic!("no NUL at the end of a path"),
    }
}

/// Opens a file for reading.
pub(crate) fn open_read(path: &CStr) -> Option<File> {
    File::new(open(path, O_CLOEXEC))
}

/// Opens a file; returns the descriptor, or -errno.
fn open(path: &CStr, flags: usize) -> isize {
    // SAFETY: the kernel reads the path up to its NUL.
    unsafe { syscall4(nr::OPEN, [path.as_ptr().addr(), flags, 0, 0]) }
}

/// Makes a file, or empties the one that is there, and opens it for writing; returns the
/// descriptor, or the errno.
#[cfg(feature = "sched-trace")]
pub(crate) fn create(path: &CStr) -> Result<i32, i32> {
    const O_WRONLY: usize = 1;
    const O_CREAT: usize = 0o100;
    const O_TRUNC: usize = 0o1000;
    const MODE: usize = 0o666; // less the umask
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    // SAFETY: the kernel reads the path up to its NUL.
    let fd = unsafe { syscall4(nr::OPEN, [path.as_ptr().addr(), flags, MODE, 0]) } as i32;
    if fd < 0 { Err(-fd) } else { Ok(fd) }
}

/// Reads at most `buffer.len()` bytes; 0 at the end.
pub(crate) fn read(file: &File, buffer: &mut [u8]) -> Option<usize> {
    loop {
        // SAFETY: the kernel writes at most that many bytes into our own.
        let count = unsafe {
            syscall4(
                nr::READ,
                [file.fd(), buffer.as_mut_ptr().addr(), buffer.len(), 0],
            )
        };
        if count != -EINTR {
            return usize::try_from(count).ok();
        }
    }
}

/// Reads the number that a file of the system's holds, with a newline behind it.
#[cold]
pub(super) fn read_number(path: &CStr) -> Option<u64> {
    let file = open_read(path)?;
    let mut text = [0; 32];
    let length = read(&file, &mut text)?;
    parse_decimal(text.get(..length.wrapping_sub(1))?)
}

/// Reads at most `buffer.len()` bytes from a descriptor; 0 at the end. Or returns the
/// errno.
pub(crate) fn read_fd(fd: i32, buffer: &mut [u8]) -> Result<usize, i32> {
    retry(nr::READ, fd, buffer.as_mut_ptr().addr(), buffer.len())
}

/// Writes some of `bytes` to a descriptor and says how many, or returns the errno.
pub(crate) fn write_fd(fd: i32, bytes: &[u8]) -> Result<usize, i32> {
    retry(nr::WRITE, fd, bytes.as_ptr().addr(), bytes.len())
}

/// Reads or writes, again where a signal has interrupted that.
fn retry(number: usize, fd: i32, address: usize, length: usize) -> Result<usize, i32> {
    loop {
        // SAFETY: the callers pass where a slice of that length is, to be written to if
        // that is what the call does. If the descriptor is not what they believe, the
        // bytes go or come elsewhere: no memory is at stake.
        let count = unsafe { syscall4(number, [fd as usize, address, length, 0]) };
        match usize::try_from(count) {
            Ok(count) => return Ok(count),
            Err(_) if count == -EINTR => {}
            Err(_) => return Err(-count as i32),
        }
    }
}

/// Tells whether a descriptor is a terminal's: whether it has a terminal's settings.
pub(crate) fn is_terminal(fd: i32) -> bool {
    const TCGETS: usize = 0x5401;
    let mut settings = [0u8; 64]; // the kernel's struct has 36 bytes
    // SAFETY: the kernel writes less than that into our own.
    unsafe {
        syscall4(
            nr::IOCTL,
            [fd as usize, TCGETS, settings.as_mut_ptr().addr(), 0],
        ) == 0
    }
}

/// Writes all of `bytes`, however many short writes that takes, or returns the
/// errno.
pub(crate) fn write_all(fd: i32, mut bytes: &[u8]) -> Result<(), i32> {
    while !bytes.is_empty() {
        // SAFETY: the kernel reads the bytes. If the descriptor is not what the
        // caller believes, they go elsewhere: no memory is at stake.
        let count = unsafe {
            syscall4(
                nr::WRITE,
                [fd as usize, bytes.as_ptr().addr(), bytes.len(), 0],
            )
        };
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
        if flags == -EBADF && open(DEV_NULL, O_RDWR) != number as isize {
            return Err(number);
        }
    }
    Ok(())
}

/// The files of /proc and /sys, for the parsers: the one that is open.
struct SystemFiles(Option<File>);

impl Files for SystemFiles {
    fn open(&mut self, path: &[u8]) {
        // SAFETY: the kernel reads the path up to its NUL.
        let fd = unsafe { syscall4(nr::OPEN, [path.as_ptr().addr(), O_CLOEXEC, 0, 0]) };
        self.0 = File::new(fd);
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let file = self.0.as_ref();
        file.and_then(|file| read(file, buffer)).unwrap_or(0)
    }
}

/// Returns the CPU limit of this process's control group.
#[cold]
#[inline(never)] // pages of stack that a small machine need not touch
pub(crate) fn cpu_limit() -> u64 {
    cgroup::cpu_limit(&mut const { Fields::new(SystemFiles(None)) })
}
