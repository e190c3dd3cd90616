//! `tests!` and `test_module!`: functions in, a static table out.
//!
//! libtest's table comes from the compiler, which collects `#[test]` functions.
//! Here a macro sees all of a module's tests at once, and needs no linker
//! section for it.

/// Makes a program of test functions: `main.main`, and the table of its tests.
///
/// A test takes nothing and returns what `main` may return. Of the attributes,
/// `#[ignore]`, `#[ignore = "why"]`, `#[should_panic]`, `#[should_panic(expected
/// = "text")]`, `#[cfg]` and `#[cfg_attr]` mean what they mean in libtest; there
/// is no `#[test]`. What is not a test stands outside of the macro.
///
/// Tests of other modules, each made by [`crate::test_module!`], are named first.
/// They are called `module::test`.
///
/// ```ignore
/// mod channels;
/// mod timers;
///
/// gort_test::tests! {
///     mod channels, timers;
///
///     fn a_test_of_this_module() {}
/// }
/// ```
#[macro_export]
macro_rules! tests {
    (mod $($module:ident),+ $(,)?; $($test:tt)*) => {
        $crate::test_module! { $($test)* }
        $crate::__main! { TESTS $($module::TESTS)+ }
    };
    ($($test:tt)*) => {
        $crate::test_module! { $($test)* }
        $crate::__main! { TESTS }
    };
}

/// Makes a module's table of tests, `TESTS`, for [`tests!`] to name.
#[macro_export]
macro_rules! test_module {
    ($($(#[$($attribute:tt)*])* fn $name:ident() $(-> $returns:ty)? $body:block)*) => {
        $(
            #[allow(unused_attributes, reason = "some are for the table")]
            $(#[$($attribute)*])*
            fn $name() $(-> $returns)? $body
        )*

        /// The tests of this module; None for what `#[cfg]` leaves out.
        pub(crate) static TESTS: &[::core::option::Option<$crate::Test>] =
            &[$($crate::__entry! { $name [$([$($attribute)*])*] }),*];
    };
}

/// The program's `main.main`, over some tables.
#[doc(hidden)]
#[macro_export]
macro_rules! __main {
    ($($($table:ident)::+)+) => {
        const _: () = {
            fn main() -> $crate::__private::gort::process::ExitCode {
                $crate::__private::main(&[$($($table)::+),+])
            }

            $crate::__private::gort::main!(main);
        };
    };
}

/// A table's entry for one function.
#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    ($name:ident [$([$($attribute:tt)*])*]) => {{
        #[allow(unused_mut, reason = "#[cfg] may leave out the assignment")]
        let mut entry: ::core::option::Option<$crate::Test> = ::core::option::Option::None;
        $crate::__when! { [$([$($attribute)*])*] {
            let test = $crate::Test::new(
                ::core::concat!(::core::module_path!(), "::", ::core::stringify!($name)),
                || $crate::__private::passed($name()),
            );
            $(let test = $crate::__apply!(test, $($attribute)*);)*
            entry = ::core::option::Option::Some(test);
        } }
        entry
    }};
}

/// Statements, under every `#[cfg]` of a list of attributes.
#[doc(hidden)]
#[macro_export]
macro_rules! __when {
    ([] $body:block) => { $body };
    ([[cfg($($condition:tt)*)] $($rest:tt)*] $body:block) => {
        #[cfg($($condition)*)]
        { $crate::__when! { [$($rest)*] $body } }
    };
    ([$other:tt $($rest:tt)*] $body:block) => { $crate::__when! { [$($rest)*] $body } };
}

/// A test with one attribute applied to it.
#[doc(hidden)]
#[macro_export]
macro_rules! __apply {
    ($test:ident, ignore) => { $test.ignored("") };
    ($test:ident, ignore = $reason:expr) => { $test.ignored($reason) };
    ($test:ident, should_panic) => { $test.should_panic("") };
    ($test:ident, should_panic = $expected:expr) => { $test.should_panic($expected) };
    ($test:ident, should_panic(expected = $expected:expr $(,)?)) => { $test.should_panic($expected) };
    ($test:ident, cfg_attr($condition:meta, $($attribute:tt)*)) => {{
        #[cfg($condition)]
        let $test = $crate::__apply!($test, $($attribute)*);
        $test
    }};
    ($test:ident, $($other:tt)*) => { $test };
}
