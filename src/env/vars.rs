//! The environment, and what the program has changed of it.
//!
//! It is the kernel's, and is read where the kernel has put it, until the program changes
//! it: then it is copied, once. The runtime's own settings, GOMAXPROCS say, are read at
//! the boot, and C code reads the kernel's, so that both never see a change.

use crate::alloc::string::String;
use crate::alloc::vec::{self, Vec};
use core::{error, fmt};

use super::vars_c;
use crate::boot::args as kernel;
use crate::io::lock::Mutex;
use crate::os::os_str::{OsStr, OsString};
use crate::os::unix::ffi::OsStrExt as _;

/// The variables and their values, once the program has changed one.
static CHANGED: Mutex<Option<Vec<(OsString, OsString)>>> = Mutex::new(None);

/// Looks up a variable of the environment.
///
/// # Errors
///
/// [`VarError::NotPresent`] if it is not set, [`VarError::NotUnicode`] if its
/// value is not UTF-8.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::env::{VarError, var};
///
/// assert_eq!(var("THERE_IS_NO_SUCH_VARIABLE"), Err(VarError::NotPresent));
/// # }
/// ```
pub fn var<K: AsRef<OsStr>>(name: K) -> Result<String, VarError> {
    let value = var_os(name).ok_or(VarError::NotPresent)?;
    value.into_string().map_err(VarError::NotUnicode)
}

/// Looks up a variable of the environment, whatever is in it.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// if let Some(home) = gort::env::var_os("HOME") {
///     gort::println!("{}", home.display());
/// }
/// # }
/// ```
pub fn var_os<K: AsRef<OsStr>>(name: K) -> Option<OsString> {
    let name = name.as_ref();
    match &*CHANGED.lock() {
        Some(changed) => {
            let found = changed.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        }
        None => {
            kernel::gogetenv(name.as_bytes()).map(|value| OsStr::from_bytes(value).to_os_string())
        }
    }
}

/// Returns the environment as it is now, name and value.
///
/// # Panics
///
/// The iterator panics at what is not UTF-8; see [`vars_os`].
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// for (name, value) in gort::env::vars() {
///     gort::println!("{name} is {value}");
/// }
/// # }
/// ```
pub fn vars() -> Vars {
    Vars { inner: vars_os() }
}

/// Returns the environment as it is now, name and value, whatever is in them.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let count = gort::env::vars_os().count();
/// assert!(count <= gort::env::vars_c().len());
/// # }
/// ```
pub fn vars_os() -> VarsOs {
    let changed = CHANGED.lock();
    let all = changed.as_ref().map_or_else(from_kernel, Clone::clone);
    VarsOs {
        inner: all.into_iter(),
    }
}

/// Sets a variable, for the calls of this module; see its source's head for who does not
/// see it.
///
/// # Safety
///
/// None is needed here, where no C code reads what is changed; std asks for it.
///
/// # Panics
///
/// If the name is empty or has `=` or NUL in it, or the value NUL.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// // SAFETY: always given.
/// unsafe { gort::env::set_var("COLOUR", "green") };
/// assert_eq!(gort::env::var("COLOUR").unwrap(), "green");
/// # }
/// ```
pub unsafe fn set_var<K: AsRef<OsStr>, V: AsRef<OsStr>>(name: K, value: V) {
    let (name, value) = (name.as_ref(), value.as_ref());
    if !is_name(name) || value.as_bytes().contains(&0) {
        panic!("failed to set environment variable `{name:?}` to `{value:?}`: {INVALID}");
    }
    let mut changed = CHANGED.lock();
    let all = changed.get_or_insert_with(from_kernel);
    match all.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => *old = value.to_os_string(),
        None => all.push((name.to_os_string(), value.to_os_string())),
    }
}

/// Removes a variable, for the calls of this module.
///
/// # Safety
///
/// As of [`set_var`].
///
/// # Panics
///
/// If the name is empty or has `=` or NUL in it.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// // SAFETY: always given.
/// unsafe { gort::env::remove_var("COLOUR") };
/// assert_eq!(gort::env::var_os("COLOUR"), None);
/// # }
/// ```
pub unsafe fn remove_var<K: AsRef<OsStr>>(name: K) {
    let name = name.as_ref();
    if !is_name(name) {
        panic!("failed to remove environment variable `{name:?}`: {INVALID}");
    }
    let mut changed = CHANGED.lock();
    changed
        .get_or_insert_with(from_kernel)
        .retain(|(known, _)| known != name);
}

/// What std says of a name that can be none.
const INVALID: &str = "Invalid argument (os error 22)";

/// Tells whether a variable may be called that.
fn is_name(name: &OsStr) -> bool {
    !name.is_empty() && !name.as_bytes().iter().any(|byte| b"=\0".contains(byte))
}

/// Copies the kernel's environment. An entry without `=` is none; one that begins with it
/// has a name that does.
fn from_kernel() -> Vec<(OsString, OsString)> {
    let split = |entry: &[u8]| {
        let at = entry.iter().skip(1).position(|&byte| byte == b'=')? + 1;
        let (name, value) = entry.split_at_checked(at)?;
        let owned = |bytes| OsStr::from_bytes(bytes).to_os_string();
        Some((owned(name), owned(value.get(1..)?)))
    };
    vars_c()
        .filter_map(|entry| split(entry.to_bytes()))
        .collect()
}

/// An iterator over the environment: of [`vars_os`].
pub struct VarsOs {
    inner: vec::IntoIter<(OsString, OsString)>,
}

impl Iterator for VarsOs {
    type Item = (OsString, OsString);

    fn next(&mut self) -> Option<Self::Item> {
        self.inner.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl fmt::Debug for VarsOs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VarsOs { inner: ")?;
        f.debug_list().entries(self.inner.as_slice()).finish()?;
        f.write_str(" }")
    }
}

/// An iterator over the environment: of [`vars`].
pub struct Vars {
    inner: VarsOs,
}

impl Iterator for Vars {
    type Item = (String, String);

    fn next(&mut self) -> Option<Self::Item> {
        let text = |part: OsString| match part.into_string() {
            Ok(text) => text,
            Err(part) => panic!("environment variable {part:?} is not valid UTF-8"),
        };
        let (name, value) = self.inner.next()?;
        Some((text(name), text(value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vars { inner: ")?;
        f.debug_list()
            .entries(self.inner.inner.as_slice())
            .finish()?;
        f.write_str(" }")
    }
}

/// Why [`var`] has no value to return.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VarError {
    /// It is not set.
    NotPresent,
    /// It is set, to this.
    NotUnicode(OsString),
}

impl fmt::Display for VarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VarError::NotPresent => f.write_str("environment variable not found"),
            VarError::NotUnicode(value) => {
                write!(f, "environment variable was not valid unicode: {value:?}")
            }
        }
    }
}

impl error::Error for VarError {}
