//! [`ErrorKind`].

use core::fmt;

/// Makes the enum, and the texts of its variants.
macro_rules! kinds {
    ($($name:ident, $text:literal, $doc:literal;)*) => {
        /// What sort of thing went wrong. std's variants, its texts, its order.
        ///
        /// ```
        /// # #![no_std]
        /// # #![no_main]
        /// # gort::main!(main);
        /// # fn main() {
        /// # extern crate alloc;
        /// use alloc::string::ToString;
        /// use gort::io::ErrorKind;
        ///
        /// assert_eq!(ErrorKind::NotFound.to_string(), "entity not found");
        /// # }
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $(#[doc = $doc] $name,)*
            /// None of these; a program does not make this one.
            #[doc(hidden)]
            Uncategorized,
        }

        impl ErrorKind {
            /// Returns what it shows as.
            pub(super) const fn description(self) -> &'static str {
                match self {
                    $(ErrorKind::$name => $text,)*
                    ErrorKind::Uncategorized => "uncategorized error",
                }
            }
        }
    };
}

kinds! {
    NotFound, "entity not found", "What was named is not there.";
    PermissionDenied, "permission denied", "It is not allowed.";
    ConnectionRefused, "connection refused", "The other side does not take connections.";
    ConnectionReset, "connection reset", "The other side has ended the connection.";
    HostUnreachable, "host unreachable", "No way leads to the host.";
    NetworkUnreachable, "network unreachable", "No way leads to the network.";
    ConnectionAborted, "connection aborted", "The connection was given up.";
    NotConnected, "not connected", "There is no connection.";
    AddrInUse, "address in use", "Somebody has the address.";
    AddrNotAvailable, "address not available", "The address is none of this machine's.";
    NetworkDown, "network down", "The network does not work.";
    BrokenPipe, "broken pipe", "Nobody reads any more.";
    AlreadyExists, "entity already exists", "What was to be made is there.";
    WouldBlock, "operation would block", "It would have to wait, and shall not.";
    NotADirectory, "not a directory", "It is no directory.";
    IsADirectory, "is a directory", "It is a directory.";
    DirectoryNotEmpty, "directory not empty", "There is something in the directory.";
    ReadOnlyFilesystem, "read-only filesystem or storage medium", "Nothing can be written there.";
    FilesystemLoop, "filesystem loop or indirection limit (e.g. symlink loop)", "Links lead to links for too long.";
    StaleNetworkFileHandle, "stale network file handle", "The file on another machine is no more.";
    InvalidInput, "invalid input parameter", "A parameter makes no sense.";
    InvalidData, "invalid data", "What was read makes no sense.";
    TimedOut, "timed out", "It took too long.";
    WriteZero, "write zero", "A writer took nothing.";
    StorageFull, "no storage space", "There is no room.";
    NotSeekable, "seek on unseekable file", "It has no position.";
    QuotaExceeded, "quota exceeded", "There is no room for this user.";
    FileTooLarge, "file too large", "The file would be too large.";
    ResourceBusy, "resource busy", "Somebody uses it.";
    ExecutableFileBusy, "executable file busy", "The program is running.";
    Deadlock, "deadlock", "It would wait for ever.";
    CrossesDevices, "cross-device link or rename", "The two are on different file systems.";
    TooManyLinks, "too many links", "It has too many links.";
    InvalidFilename, "invalid filename", "No file can have that name.";
    ArgumentListTooLong, "argument list too long", "The arguments are too long.";
    Interrupted, "operation interrupted", "It was interrupted, and may be tried again.";
    Unsupported, "unsupported", "There is no such thing on this system.";
    UnexpectedEof, "unexpected end of file", "The end came too early.";
    OutOfMemory, "out of memory", "There is no memory.";
    InProgress, "in progress", "It has begun, and goes on.";
    Other, "other error", "Something else, which the program names.";
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}
