//! What std's programs find without asking: `use gort::prelude::v1::*` has it all, in a
//! program that has `no_std` in its first line.

/// What a crate without std lacks of std's prelude, with core's part and the macros.
///
/// ```
/// #![no_std]
/// #![no_main]
///
/// use gort::prelude::v1::*;
///
/// gort::main!(main);
///
/// fn main() {
///     let words: Vec<String> = vec!["one".to_string(), format!("{}", 2)];
///     println!("{}", words.join(" and "));
/// }
/// ```
pub mod v1 {
    pub use core::prelude::v1::*;

    pub use crate::borrow::ToOwned;
    pub use crate::boxed::Box;
    pub use crate::string::{String, ToString};
    pub use crate::vec::Vec;
    pub use crate::{dbg, eprint, eprintln, format, print, println, thread_local, vec};
}

pub use v1 as rust_2015;
pub use v1 as rust_2018;

/// The prelude of the edition 2021.
pub mod rust_2021 {
    pub use super::v1::*;
    pub use core::prelude::rust_2021::*;
}

/// The prelude of the edition 2024.
pub mod rust_2024 {
    pub use super::v1::*;
    pub use core::prelude::rust_2024::*;
}
