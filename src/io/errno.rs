//! The system's error numbers: their texts, which are glibc's, and the kinds of error
//! that std sorts them into.
//!
//! The texts are one string, since a table of strings would be 2 KiB larger. Those that a
//! write may end with stand by themselves: a program that only prints has no others.

use core::fmt::{self, Write};

use super::kind::ErrorKind;

/// An errno, which shows as its text and its number.
#[derive(Clone, Copy)]
pub(crate) struct Errno(pub(crate) i32);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text(f)?;
        number(f, self.0)
    }
}

impl Errno {
    /// Writes the text alone.
    pub(super) fn text(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match text_of(self.0) {
            "" => {
                f.write_str("Unknown error ")?;
                fmt::Display::fmt(&self.0, f)
            }
            text => f.write_str(text),
        }
    }
}

/// The same for what a write has ended with.
#[derive(Clone, Copy)]
pub(super) struct WriteErrno(pub(super) i32);

impl fmt::Display for WriteErrno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(write_text_of(self.0).unwrap_or("Error"))?;
        number(f, self.0)
    }
}

/// Writes the number, behind the text.
fn number(f: &mut fmt::Formatter<'_>, errno: i32) -> fmt::Result {
    f.write_str(" (os error ")?;
    if errno < 0 {
        f.write_char('-')?;
    }
    write_digits(f, errno.unsigned_abs())?;
    f.write_str(")")
}

/// Writes a number, without what `core::fmt` can do besides: every program that prints
/// has this.
fn write_digits(f: &mut fmt::Formatter<'_>, number: u32) -> fmt::Result {
    if number >= 10 {
        write_digits(f, number / 10)?;
    }
    f.write_char(char::from(b'0' + (number % 10) as u8))
}

/// What writes end with. A list: a match becomes a table with room for all numbers.
static WRITE_TEXTS: &[(i32, &str)] = &[
    (1, "Operation not permitted"),           // EPERM
    (5, "Input/output error"),                // EIO
    (11, "Resource temporarily unavailable"), // EAGAIN
    (22, "Invalid argument"),                 // EINVAL
    (27, "File too large"),                   // EFBIG
    (28, "No space left on device"),          // ENOSPC
    (32, "Broken pipe"),                      // EPIPE
    (122, "Disk quota exceeded"),             // EDQUOT
];

/// Returns the text of a number that a write ends with.
#[inline(never)] // for its size
fn write_text_of(errno: i32) -> Option<&'static str> {
    let mut texts = WRITE_TEXTS.iter();
    let found = texts.find(|(number, _)| *number == errno);
    found.map(|(_, text)| *text)
}

/// Returns a number's text; empty for those that have none.
pub(crate) fn text_of(errno: i32) -> &'static str {
    write_text_of(errno).unwrap_or_else(|| {
        let number = usize::try_from(errno).unwrap_or(usize::MAX);
        TEXTS.split('\n').nth(number).unwrap_or_default()
    })
}

/// Sorts a number.
pub(super) fn kind_of(errno: i32) -> ErrorKind {
    match errno {
        1 | 13 => ErrorKind::PermissionDenied,    // EPERM, EACCES
        2 => ErrorKind::NotFound,                 // ENOENT
        4 => ErrorKind::Interrupted,              // EINTR
        7 => ErrorKind::ArgumentListTooLong,      // E2BIG
        11 => ErrorKind::WouldBlock,              // EAGAIN
        12 => ErrorKind::OutOfMemory,             // ENOMEM
        16 => ErrorKind::ResourceBusy,            // EBUSY
        17 => ErrorKind::AlreadyExists,           // EEXIST
        18 => ErrorKind::CrossesDevices,          // EXDEV
        20 => ErrorKind::NotADirectory,           // ENOTDIR
        21 => ErrorKind::IsADirectory,            // EISDIR
        22 => ErrorKind::InvalidInput,            // EINVAL
        26 => ErrorKind::ExecutableFileBusy,      // ETXTBSY
        27 => ErrorKind::FileTooLarge,            // EFBIG
        28 => ErrorKind::StorageFull,             // ENOSPC
        29 => ErrorKind::NotSeekable,             // ESPIPE
        30 => ErrorKind::ReadOnlyFilesystem,      // EROFS
        31 => ErrorKind::TooManyLinks,            // EMLINK
        32 => ErrorKind::BrokenPipe,              // EPIPE
        35 => ErrorKind::Deadlock,                // EDEADLK
        36 => ErrorKind::InvalidFilename,         // ENAMETOOLONG
        38 | 95 => ErrorKind::Unsupported,        // ENOSYS, EOPNOTSUPP
        39 => ErrorKind::DirectoryNotEmpty,       // ENOTEMPTY
        40 => ErrorKind::FilesystemLoop,          // ELOOP
        98 => ErrorKind::AddrInUse,               // EADDRINUSE
        99 => ErrorKind::AddrNotAvailable,        // EADDRNOTAVAIL
        100 => ErrorKind::NetworkDown,            // ENETDOWN
        101 => ErrorKind::NetworkUnreachable,     // ENETUNREACH
        103 => ErrorKind::ConnectionAborted,      // ECONNABORTED
        104 => ErrorKind::ConnectionReset,        // ECONNRESET
        107 => ErrorKind::NotConnected,           // ENOTCONN
        110 => ErrorKind::TimedOut,               // ETIMEDOUT
        111 => ErrorKind::ConnectionRefused,      // ECONNREFUSED
        113 => ErrorKind::HostUnreachable,        // EHOSTUNREACH
        115 => ErrorKind::InProgress,             // EINPROGRESS
        116 => ErrorKind::StaleNetworkFileHandle, // ESTALE
        122 => ErrorKind::QuotaExceeded,          // EDQUOT
        _ => ErrorKind::Uncategorized,
    }
}

/// A line for each number, from 0; empty for those above.
static TEXTS: &str = "Success\n\
    \n\
    No such file or directory\n\
    No such process\n\
    Interrupted system call\n\
    \n\
    No such device or address\n\
    Argument list too long\n\
    Exec format error\n\
    Bad file descriptor\n\
    No child processes\n\
    \n\
    Cannot allocate memory\n\
    Permission denied\n\
    Bad address\n\
    Block device required\n\
    Device or resource busy\n\
    File exists\n\
    Invalid cross-device link\n\
    No such device\n\
    Not a directory\n\
    Is a directory\n\
    \n\
    Too many open files in system\n\
    Too many open files\n\
    Inappropriate ioctl for device\n\
    Text file busy\n\
    \n\
    \n\
    Illegal seek\n\
    Read-only file system\n\
    Too many links\n\
    \n\
    Numerical argument out of domain\n\
    Numerical result out of range\n\
    Resource deadlock avoided\n\
    File name too long\n\
    No locks available\n\
    Function not implemented\n\
    Directory not empty\n\
    Too many levels of symbolic links\n\
    \n\
    No message of desired type\n\
    Identifier removed\n\
    Channel number out of range\n\
    Level 2 not synchronized\n\
    Level 3 halted\n\
    Level 3 reset\n\
    Link number out of range\n\
    Protocol driver not attached\n\
    No CSI structure available\n\
    Level 2 halted\n\
    Invalid exchange\n\
    Invalid request descriptor\n\
    Exchange full\n\
    No anode\n\
    Invalid request code\n\
    Invalid slot\n\
    \n\
    Bad font file format\n\
    Device not a stream\n\
    No data available\n\
    Timer expired\n\
    Out of streams resources\n\
    Machine is not on the network\n\
    Package not installed\n\
    Object is remote\n\
    Link has been severed\n\
    Advertise error\n\
    Srmount error\n\
    Communication error on send\n\
    Protocol error\n\
    Multihop attempted\n\
    RFS specific error\n\
    Bad message\n\
    Value too large for defined data type\n\
    Name not unique on network\n\
    File descriptor in bad state\n\
    Remote address changed\n\
    Can not access a needed shared library\n\
    Accessing a corrupted shared library\n\
    .lib section in a.out corrupted\n\
    Attempting to link in too many shared libraries\n\
    Cannot exec a shared library directly\n\
    Invalid or incomplete multibyte or wide character\n\
    Interrupted system call should be restarted\n\
    Streams pipe error\n\
    Too many users\n\
    Socket operation on non-socket\n\
    Destination address required\n\
    Message too long\n\
    Protocol wrong type for socket\n\
    Protocol not available\n\
    Protocol not supported\n\
    Socket type not supported\n\
    Operation not supported\n\
    Protocol family not supported\n\
    Address family not supported by protocol\n\
    Address already in use\n\
    Cannot assign requested address\n\
    Network is down\n\
    Network is unreachable\n\
    Network dropped connection on reset\n\
    Software caused connection abort\n\
    Connection reset by peer\n\
    No buffer space available\n\
    Transport endpoint is already connected\n\
    Transport endpoint is not connected\n\
    Cannot send after transport endpoint shutdown\n\
    Too many references: cannot splice\n\
    Connection timed out\n\
    Connection refused\n\
    Host is down\n\
    No route to host\n\
    Operation already in progress\n\
    Operation now in progress\n\
    Stale file handle\n\
    Structure needs cleaning\n\
    Not a XENIX named type file\n\
    No XENIX semaphores available\n\
    Is a named type file\n\
    Remote I/O error\n\
    \n\
    No medium found\n\
    Wrong medium type\n\
    Operation canceled\n\
    Required key not available\n\
    Key has expired\n\
    Key has been revoked\n\
    Key was rejected by service\n\
    Owner died\n\
    State not recoverable\n\
    Operation not possible due to RF-kill\n\
    Memory page has hardware error";
