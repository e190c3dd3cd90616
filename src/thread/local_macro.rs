//! `thread_local!`: from a declaration to a [`LocalKey`](super::LocalKey).

/// Declares values that each goroutine has for itself, as std's: any number of them, with
/// attributes and visibility, each a [`LocalKey`](crate::thread::LocalKey). The
/// initialiser is called at the goroutine's first use; one in `const { }` is computed by
/// the compiler.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use core::cell::{Cell, RefCell};
/// use gort::alloc::vec::Vec;
///
/// gort::thread_local! {
///     /// How deep we are.
///     pub static DEPTH: Cell<usize> = const { Cell::new(0) };
///
///     static NAMES: RefCell<Vec<&'static str>> = RefCell::new(Vec::new())
/// }
///
/// DEPTH.set(DEPTH.get() + 1);
/// NAMES.with_borrow_mut(|names| names.push("main"));
/// assert_eq!(DEPTH.get(), NAMES.with_borrow(|names| names.len()));
/// # }
/// ```
#[macro_export]
macro_rules! thread_local {
    () => {};
    (
        $(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = const $init:block
        $(; $($rest:tt)*)?
    ) => {
        $(#[$attribute])* $visibility const $name: $crate::thread::LocalKey<$type> =
            $crate::__thread_local!($type, {
                #[allow(clippy::declare_interior_mutable_const, reason = "each copies it")]
                const __GORT_INIT: $type = $init;
                __GORT_INIT
            });
        $($crate::thread_local!($($rest)*);)?
    };
    (
        $(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $init:expr
        $(; $($rest:tt)*)?
    ) => {
        $(#[$attribute])* $visibility const $name: $crate::thread::LocalKey<$type> =
            $crate::__thread_local!($type, $init);
        $($crate::thread_local!($($rest)*);)?
    };
}

/// Makes the key of one value. Its items have names that no initialiser means.
#[doc(hidden)]
#[macro_export]
macro_rules! __thread_local {
    ($type:ty, $init:expr) => {{
        fn __gort_key() -> &'static $crate::__private::Key<$type> {
            static __GORT_KEY: $crate::__private::Key<$type> = $crate::__private::Key::new();
            &__GORT_KEY
        }
        fn __gort_init() -> $type {
            $init
        }
        $crate::thread::LocalKey::new(__gort_key, __gort_init)
    }};
}
