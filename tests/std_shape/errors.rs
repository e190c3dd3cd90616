//! `io::Error` and `io::ErrorKind`: what they hold, and what they show.

use std::error::Error as _;
use std::fmt;
use std::io::{self, Error, ErrorKind};
use std::prelude::v1::*;

/// An error of a program's, with another one as its source.
#[derive(Debug)]
struct Outer(fmt::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// A literal list of the kinds, and what each shows.
const KINDS: &[(ErrorKind, &str)] = &[
    (ErrorKind::NotFound, "entity not found"),
    (ErrorKind::PermissionDenied, "permission denied"),
    (ErrorKind::ConnectionRefused, "connection refused"),
    (ErrorKind::ConnectionReset, "connection reset"),
    (ErrorKind::HostUnreachable, "host unreachable"),
    (ErrorKind::NetworkUnreachable, "network unreachable"),
    (ErrorKind::ConnectionAborted, "connection aborted"),
    (ErrorKind::NotConnected, "not connected"),
    (ErrorKind::AddrInUse, "address in use"),
    (ErrorKind::AddrNotAvailable, "address not available"),
    (ErrorKind::NetworkDown, "network down"),
    (ErrorKind::BrokenPipe, "broken pipe"),
    (ErrorKind::AlreadyExists, "entity already exists"),
    (ErrorKind::WouldBlock, "operation would block"),
    (ErrorKind::NotADirectory, "not a directory"),
    (ErrorKind::IsADirectory, "is a directory"),
    (ErrorKind::DirectoryNotEmpty, "directory not empty"),
    (
        ErrorKind::ReadOnlyFilesystem,
        "read-only filesystem or storage medium",
    ),
    (
        ErrorKind::StaleNetworkFileHandle,
        "stale network file handle",
    ),
    (ErrorKind::InvalidInput, "invalid input parameter"),
    (ErrorKind::InvalidData, "invalid data"),
    (ErrorKind::TimedOut, "timed out"),
    (ErrorKind::WriteZero, "write zero"),
    (ErrorKind::StorageFull, "no storage space"),
    (ErrorKind::NotSeekable, "seek on unseekable file"),
    (ErrorKind::QuotaExceeded, "quota exceeded"),
    (ErrorKind::FileTooLarge, "file too large"),
    (ErrorKind::ResourceBusy, "resource busy"),
    (ErrorKind::ExecutableFileBusy, "executable file busy"),
    (ErrorKind::Deadlock, "deadlock"),
    (ErrorKind::CrossesDevices, "cross-device link or rename"),
    (ErrorKind::TooManyLinks, "too many links"),
    (ErrorKind::InvalidFilename, "invalid filename"),
    (ErrorKind::ArgumentListTooLong, "argument list too long"),
    (ErrorKind::Interrupted, "operation interrupted"),
    (ErrorKind::Unsupported, "unsupported"),
    (ErrorKind::UnexpectedEof, "unexpected end of file"),
    (ErrorKind::OutOfMemory, "out of memory"),
    (ErrorKind::Other, "other error"),
];

cases! {
    fn kinds_show_as_texts() {
        for (kind, text) in KINDS {
            assert_eq!(kind.to_string(), *text);
            let error = Error::from(*kind);
            assert_eq!((error.kind(), error.to_string()), (*kind, (*text).to_string()));
            assert_eq!(format!("{error:?}"), format!("Kind({kind:?})"));
            assert!(error.raw_os_error().is_none() && error.get_ref().is_none());
        }
        assert!(KINDS.is_sorted(), "std's order");
    }

    /// All that the system has, and some that it has not, hashed to one number: the
    /// same as with glibc's texts and std's kinds.
    fn the_systems_errors_have_its_texts() {
        let mut all = String::new();
        for code in (-2..200).chain([4095, i32::MAX, i32::MIN]) {
            let error = Error::from_raw_os_error(code);
            all += &format!("{code} {error} {:?} {error:?}\n", error.kind());
            assert_eq!(error.raw_os_error(), Some(code));
        }
        let sum = all.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        assert_eq!(sum, 0xf905_3a22_a9e0_94d1, "{sum:#x} {all}");
    }

    fn known_numbers() {
        let error = Error::from_raw_os_error(32);
        assert_eq!(error.to_string(), "Broken pipe (os error 32)");
        assert_eq!(
            format!("{error:?}"),
            "Os { code: 32, kind: BrokenPipe, message: \"Broken pipe\" }"
        );
        assert_eq!(Error::from_raw_os_error(2).kind(), ErrorKind::NotFound);
        assert_eq!(Error::from_raw_os_error(11).kind(), ErrorKind::WouldBlock);
        assert!(error.source().is_none());
    }

    fn custom_errors() {
        let mut error = Error::new(ErrorKind::InvalidData, "no such colour");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(error.to_string(), "no such colour");
        assert_eq!(
            format!("{error:?}"),
            "Custom { kind: InvalidData, error: \"no such colour\" }"
        );
        assert!(error.get_ref().is_some() && error.get_mut().is_some());
        assert!(error.source().is_none() && error.raw_os_error().is_none());
        assert_eq!(error.into_inner().unwrap().to_string(), "no such colour");
        assert!(Error::from_raw_os_error(1).into_inner().is_none());

        let error = Error::other(Outer(fmt::Error));
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Other, "outer".to_string()));
        assert!(error.source().unwrap().is::<fmt::Error>());
        let error = error.downcast::<fmt::Error>().unwrap_err();
        let Outer(inner) = error.downcast::<Outer>().unwrap();
        assert_eq!(inner, fmt::Error);
        assert!(Error::from(ErrorKind::Other).downcast::<Outer>().is_err());
    }

    fn errors_become_io_errors() {
        fn string(bytes: &[u8]) -> io::Result<std::ffi::CString> {
            Ok(std::ffi::CString::new(bytes)?)
        }
        assert!(string(b"good").is_ok());
        let error = string(b"b\0d").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), "data provided contains a nul byte");
        let room = Vec::<u8>::new().try_reserve(usize::MAX).unwrap_err();
        assert_eq!(Error::from(room).kind(), ErrorKind::OutOfMemory);
        let boxed: Box<dyn std::error::Error + Send + Sync> = Error::from_raw_os_error(5).into();
        assert_eq!(boxed.to_string(), "Input/output error (os error 5)");
    }
}
