//! [`OsStr`] and [`OsString`]: what the system's strings are, any bytes without a
//! promise. std's names, and its ways from and to texts.

use crate::alloc::borrow::{Cow, ToOwned};
use crate::alloc::boxed::Box;
use crate::alloc::string::String;
use crate::alloc::vec::Vec;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::convert::Infallible;
use core::ops::Deref;
use core::str::{self, FromStr, Utf8Error};
use core::{fmt, mem};

/// A string of the system's, borrowed: bytes that are UTF-8 as a rule.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::ffi::OsStr;
/// use gort::os::unix::ffi::OsStrExt;
///
/// let odd = OsStr::from_bytes(b"a\xff");
/// assert_eq!(odd.to_str(), None);
/// assert_eq!(odd.to_string_lossy(), "a\u{fffd}");
/// # }
/// ```
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct OsStr {
    bytes: [u8],
}

/// A string of the system's.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::ffi::OsString;
///
/// let mut path = OsString::from("/usr");
/// path.push("/bin");
/// assert_eq!(path.into_string().unwrap(), "/usr/bin");
/// # }
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OsString {
    bytes: Vec<u8>,
}

impl OsStr {
    /// Borrows a text or the like as a system's string.
    pub fn new<S: AsRef<OsStr> + ?Sized>(text: &S) -> &Self {
        text.as_ref()
    }

    /// Wraps bytes.
    pub(super) fn wrap(bytes: &[u8]) -> &Self {
        // SAFETY: an OsStr is its bytes, any of them.
        unsafe { mem::transmute::<&[u8], &Self>(bytes) }
    }

    /// Returns the bytes.
    pub fn as_encoded_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Wraps bytes.
    ///
    /// # Safety
    ///
    /// None is needed here; std's asks for bytes that it has encoded.
    pub unsafe fn from_encoded_bytes_unchecked(bytes: &[u8]) -> &Self {
        Self::wrap(bytes)
    }

    /// Returns the text, if it is UTF-8.
    pub fn to_str(&self) -> Option<&str> {
        str::from_utf8(&self.bytes).ok()
    }

    /// Returns the text, with U+FFFD for what is not UTF-8.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Copies it.
    pub fn to_os_string(&self) -> OsString {
        OsString {
            bytes: self.bytes.to_vec(),
        }
    }

    /// Returns the string that a box holds.
    pub fn into_os_string(self: Box<Self>) -> OsString {
        // SAFETY: an OsStr is its bytes, in a box too.
        let bytes = unsafe { Box::from_raw(Box::into_raw(self) as *mut [u8]) };
        OsString {
            bytes: bytes.into_vec(),
        }
    }

    /// Tells whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Counts its bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Tells whether all of it is ASCII.
    pub fn is_ascii(&self) -> bool {
        self.bytes.is_ascii()
    }

    /// Compares, and takes ASCII letters of both cases for the same.
    pub fn eq_ignore_ascii_case<S: AsRef<OsStr>>(&self, other: S) -> bool {
        self.bytes.eq_ignore_ascii_case(&other.as_ref().bytes)
    }

    /// Makes ASCII letters small.
    pub fn make_ascii_lowercase(&mut self) {
        self.bytes.make_ascii_lowercase();
    }

    /// Makes ASCII letters capitals.
    pub fn make_ascii_uppercase(&mut self) {
        self.bytes.make_ascii_uppercase();
    }

    /// Copies it, with small ASCII letters.
    pub fn to_ascii_lowercase(&self) -> OsString {
        OsString {
            bytes: self.bytes.to_ascii_lowercase(),
        }
    }

    /// Copies it, with ASCII capitals.
    pub fn to_ascii_uppercase(&self) -> OsString {
        OsString {
            bytes: self.bytes.to_ascii_uppercase(),
        }
    }

    /// Returns something that shows it, with U+FFFD for what is not UTF-8.
    pub fn display(&self) -> Display<'_> {
        Display { text: self }
    }
}

impl OsString {
    /// Makes an empty one.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Makes an empty one with room for so many bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
        }
    }

    /// Wraps bytes.
    pub(super) fn wrap(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Borrows it.
    pub fn as_os_str(&self) -> &OsStr {
        self
    }

    /// Returns the bytes.
    pub fn into_encoded_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Wraps bytes.
    ///
    /// # Safety
    ///
    /// None is needed here; std's asks for bytes that it has encoded.
    pub unsafe fn from_encoded_bytes_unchecked(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Returns the text.
    ///
    /// # Errors
    ///
    /// Itself if it is not UTF-8.
    pub fn into_string(self) -> Result<String, Self> {
        String::from_utf8(self.bytes).map_err(|error| Self {
            bytes: error.into_bytes(),
        })
    }

    /// Appends.
    pub fn push<S: AsRef<OsStr>>(&mut self, text: S) {
        self.bytes.extend(&text.as_ref().bytes);
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Returns how many bytes it has room for.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Makes room for so many more bytes.
    pub fn reserve(&mut self, additional: usize) {
        self.bytes.reserve(additional);
    }

    /// Gives room back that it does not need.
    pub fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Returns it in a box.
    pub fn into_boxed_os_str(self) -> Box<OsStr> {
        let bytes = Box::into_raw(self.bytes.into_boxed_slice());
        // SAFETY: an OsStr is its bytes, in a box too.
        unsafe { Box::from_raw(bytes as *mut OsStr) }
    }
}

/// Quotes and escapes as for a `str`, and `\xFF` for a byte that is not UTF-8.
impl fmt::Debug for OsStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for chunk in self.bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '\'' => f.write_str("'")?,
                    other => fmt::Display::fmt(&other.escape_debug(), f)?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02X}")?;
            }
        }
        f.write_str("\"")
    }
}

impl fmt::Debug for OsString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// Shows an [`OsStr`]: of [`OsStr::display`].
pub struct Display<'a> {
    text: &'a OsStr,
}

impl fmt::Display for Display<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text.to_string_lossy())
    }
}

impl fmt::Debug for Display<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text, f)
    }
}

impl fmt::Write for OsString {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

impl Deref for OsString {
    type Target = OsStr;

    fn deref(&self) -> &OsStr {
        OsStr::wrap(&self.bytes)
    }
}

impl Borrow<OsStr> for OsString {
    fn borrow(&self) -> &OsStr {
        self
    }
}

impl ToOwned for OsStr {
    type Owned = OsString;

    fn to_owned(&self) -> OsString {
        self.to_os_string()
    }
}

/// Borrows as an [`OsStr`].
macro_rules! as_os_str {
    ($($type:ty, $text:ident => $bytes:expr;)*) => {$(
        impl AsRef<OsStr> for $type {
            fn as_ref(&self) -> &OsStr {
                let $text = self;
                OsStr::wrap($bytes)
            }
        }
    )*};
}

as_os_str! {
    OsStr, text => &text.bytes;
    OsString, text => &text.bytes;
    str, text => text.as_bytes();
    String, text => text.as_bytes();
}

impl<T: AsRef<OsStr> + ?Sized> From<&T> for OsString {
    fn from(text: &T) -> Self {
        text.as_ref().to_os_string()
    }
}

impl From<String> for OsString {
    fn from(text: String) -> Self {
        Self {
            bytes: text.into_bytes(),
        }
    }
}

impl From<Box<OsStr>> for OsString {
    fn from(text: Box<OsStr>) -> Self {
        text.into_os_string()
    }
}

impl From<OsString> for Box<OsStr> {
    fn from(text: OsString) -> Self {
        text.into_boxed_os_str()
    }
}

impl From<&OsStr> for Box<OsStr> {
    fn from(text: &OsStr) -> Self {
        text.to_os_string().into_boxed_os_str()
    }
}

impl<'a> From<&'a OsStr> for Cow<'a, OsStr> {
    fn from(text: &'a OsStr) -> Self {
        Cow::Borrowed(text)
    }
}

impl From<OsString> for Cow<'_, OsStr> {
    fn from(text: OsString) -> Self {
        Cow::Owned(text)
    }
}

impl<'a> TryFrom<&'a OsStr> for &'a str {
    type Error = Utf8Error;

    fn try_from(text: &'a OsStr) -> Result<Self, Utf8Error> {
        str::from_utf8(&text.bytes)
    }
}

impl FromStr for OsString {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl<S: AsRef<OsStr>> Extend<S> for OsString {
    fn extend<T: IntoIterator<Item = S>>(&mut self, texts: T) {
        texts.into_iter().for_each(|text| self.push(text));
    }
}

impl<S: AsRef<OsStr>> FromIterator<S> for OsString {
    fn from_iter<T: IntoIterator<Item = S>>(texts: T) -> Self {
        let mut all = Self::new();
        all.extend(texts);
        all
    }
}

impl Default for &OsStr {
    fn default() -> Self {
        OsStr::wrap(&[])
    }
}

/// Compares strings of two types by their bytes.
macro_rules! compare {
    ($($left:ty, $right:ty;)*) => {$(
        impl PartialEq<$right> for $left {
            fn eq(&self, other: &$right) -> bool {
                AsRef::<OsStr>::as_ref(self).bytes == AsRef::<OsStr>::as_ref(other).bytes
            }
        }

        impl PartialOrd<$right> for $left {
            fn partial_cmp(&self, other: &$right) -> Option<Ordering> {
                let other = &AsRef::<OsStr>::as_ref(other).bytes;
                AsRef::<OsStr>::as_ref(self).bytes.partial_cmp(other)
            }
        }
    )*};
}

compare! {
    OsStr, str; OsStr, OsString; OsString, OsStr; OsString, str;
    OsString, &str; OsString, &OsStr; &OsStr, OsString;
}

impl PartialEq<OsStr> for str {
    fn eq(&self, other: &OsStr) -> bool {
        other == self
    }
}

impl PartialEq<OsString> for str {
    fn eq(&self, other: &OsString) -> bool {
        other == self
    }
}

impl PartialEq<OsString> for &str {
    fn eq(&self, other: &OsString) -> bool {
        other == self
    }
}
