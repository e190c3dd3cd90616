//! `main!`, `init!`, and the printing macros.

/// Makes a function the program's `main.main`.
///
/// It takes what std's `main` may be: a function without arguments that returns
/// `()`, `!`, [`ExitCode`](crate::process::ExitCode), or a `Result` of those
/// whose error is `Debug`. It runs on the main goroutine; when it returns, the
/// process ends, whatever other goroutines do.
///
/// ```
/// #![no_std]
/// #![no_main]
///
/// gort::main!(main);
///
/// fn main() {
///     gort::println!("vim-go");
/// }
/// ```
#[macro_export]
macro_rules! main {
    ($main:path) => {
        const _: () = {
            /// What runtime.main calls.
            #[unsafe(export_name = "main.main")]
            #[inline(never)]
            extern "C" fn main_main() -> i32 {
                $crate::stops_here!();
                $crate::process::run_main($main as fn() -> _)
            }
        };
    };
}

/// Does nothing, at a place of its own in the source: a breakpoint on a function
/// that begins with this stops in the function, also in a release build, and
/// not in what the compiler has moved to its beginning from elsewhere.
#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! stops_here {
    () => {
        // SAFETY: an instruction that does nothing.
        unsafe { ::core::arch::asm!("nop", options(nostack, preserves_flags)) }
    };
}

/// Has a function `fn()` run before `main.main`, on the main goroutine.
///
/// The tasks of one program run one after another: within one module in the
/// order in which they are written, the modules in link order.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// use core::sync::atomic::{AtomicU32, Ordering};
///
/// static READY: AtomicU32 = AtomicU32::new(0);
///
/// gort::init!(prepare);
/// gort::main!(main);
///
/// fn prepare() {
///     READY.store(7, Ordering::Relaxed);
/// }
///
/// fn main() {
///     assert_eq!(READY.load(Ordering::Relaxed), 7);
/// }
/// ```
#[macro_export]
macro_rules! init {
    ($init:path) => {
        const _: () = {
            #[used]
            #[unsafe(link_section = ".gort.inittask")]
            static TASK: $crate::__private::InitTask = $crate::__private::InitTask {
                run: $init,
                module: ::core::module_path!(),
                name: ::core::stringify!($init),
                line: ::core::line!(),
            };
        };
    };
}

/// Prints to standard output. What has no newline yet may be held back; see
/// [`io::stdout`](crate::io::stdout).
///
/// # Panics
///
/// If standard output cannot be written to, as std's does.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// gort::print!("{} and ", 1);
/// # }
/// ```
#[macro_export]
macro_rules! print {
    ($($arg:tt)*) => {
        $crate::io::print_to($crate::io::Stream::Stdout, ::core::format_args!($($arg)*))
    };
}

/// Prints to standard output, with a newline.
///
/// # Panics
///
/// If standard output cannot be written to, as std's does.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// gort::println!("one line, {}", 2);
/// # }
/// ```
#[macro_export]
macro_rules! println {
    () => {
        $crate::print!("\n")
    };
    ($($arg:tt)*) => {
        $crate::io::print_line_to($crate::io::Stream::Stdout, ::core::format_args!($($arg)*))
    };
}

/// Prints to standard error.
///
/// # Panics
///
/// If standard error cannot be written to, as std's does.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// gort::eprint!("on stderr: {:#x}", 42);
/// # }
/// ```
#[macro_export]
macro_rules! eprint {
    ($($arg:tt)*) => {
        $crate::io::print_to($crate::io::Stream::Stderr, ::core::format_args!($($arg)*))
    };
}

/// Prints to standard error, with a newline.
///
/// # Panics
///
/// If standard error cannot be written to, as std's does.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// gort::eprintln!("a line on stderr");
/// # }
/// ```
#[macro_export]
macro_rules! eprintln {
    () => {
        $crate::eprint!("\n")
    };
    ($($arg:tt)*) => {
        $crate::io::print_line_to($crate::io::Stream::Stderr, ::core::format_args!($($arg)*))
    };
}

/// Prints an expression with its value and place to standard error, and returns the
/// value. As std's.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let sum = gort::dbg!(1 + 2) * 3;
/// assert_eq!(sum, 9);
/// # }
/// ```
#[macro_export]
macro_rules! dbg {
    () => {
        $crate::eprintln!("[{}:{}:{}]", ::core::file!(), ::core::line!(), ::core::column!())
    };
    ($value:expr $(,)?) => {
        // A match, so that what the expression borrows lives as long as the value is used.
        match $value {
            value => {
                $crate::eprintln!(
                    "[{}:{}:{}] {} = {:#?}",
                    ::core::file!(),
                    ::core::line!(),
                    ::core::column!(),
                    ::core::stringify!($value),
                    &value,
                );
                value
            }
        }
    };
    ($($value:expr),+ $(,)?) => {
        ($($crate::dbg!($value)),+,)
    };
}
