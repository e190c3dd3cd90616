//! What std has for Unix alone: the bytes of its strings, and descriptors.

/// Descriptors: [`fd`](crate::os::fd) by an older name.
pub mod io {
    pub use crate::os::fd::{AsRawFd, RawFd};
}

/// All of this.
pub mod prelude {
    pub use super::ffi::{OsStrExt, OsStringExt};
    pub use super::io::{AsRawFd, RawFd};
}

/// The bytes of [`OsStr`](crate::ffi::OsStr) and [`OsString`](crate::ffi::OsString).
pub mod ffi {
    use crate::alloc::vec::Vec;

    use crate::os::os_str::{OsStr, OsString};

    /// The bytes of an [`OsStr`].
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::os::unix::ffi::OsStrExt;
    ///
    /// for (name, value) in gort::env::vars_os() {
    ///     assert!(!name.as_bytes().contains(&b'='), "{name:?} {value:?}");
    /// }
    /// # }
    /// ```
    pub trait OsStrExt {
        /// Wraps bytes.
        fn from_bytes(bytes: &[u8]) -> &Self;

        /// Returns the bytes.
        fn as_bytes(&self) -> &[u8];
    }

    impl OsStrExt for OsStr {
        fn from_bytes(bytes: &[u8]) -> &Self {
            Self::wrap(bytes)
        }

        fn as_bytes(&self) -> &[u8] {
            self.as_encoded_bytes()
        }
    }

    /// The bytes of an [`OsString`].
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::ffi::OsString;
    /// use gort::os::unix::ffi::OsStringExt;
    ///
    /// assert_eq!(OsString::from("abc").into_vec(), b"abc");
    /// # }
    /// ```
    pub trait OsStringExt {
        /// Wraps bytes.
        fn from_vec(bytes: Vec<u8>) -> Self;

        /// Returns the bytes.
        fn into_vec(self) -> Vec<u8>;
    }

    impl OsStringExt for OsString {
        fn from_vec(bytes: Vec<u8>) -> Self {
            Self::wrap(bytes)
        }

        fn into_vec(self) -> Vec<u8> {
            self.into_encoded_bytes()
        }
    }
}
