//! Does what the kernel does at execve, and leaves out what it is told to leave
//! out: starts a static program with arguments, an environment and an auxiliary
//! vector that no kernel would give. It becomes the program; its own environment
//! is passed on.
//!
//! ```text
//! loader [OPTION…] PROGRAM [ARGUMENT…]
//!
//!   --argc=N               argc is N, whatever argv holds
//!   --no-arguments         argc is 0, and argv is empty: not even a name
//!   --null-argument=N      argv[N] is a null pointer
//!   --no-aux=TAG           the auxiliary vector has no such entry
//!   --no-aux=all           it has no entry at all
//!   --aux=TAG:VALUE        the entry has this value
//!   --damage=OFFSET:VALUE  this byte of the loaded file is another
//! ```

#![no_main]
#![allow(unsafe_code, reason = "maps memory at fixed addresses and jumps there")]

mod image;

use std::arch::asm;
use std::env;
use std::ffi::{CString, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::exit;
use std::ptr;

use image::{Image, map};

/// The size of the stack that the program gets.
const STACK: usize = 1 << 20;

const AT_PHDR: usize = 3;
const AT_PHNUM: usize = 5;
const AT_BASE: usize = 7;
const AT_ENTRY: usize = 9;
const AT_EXECFN: usize = 31;

/// Comes straight from libc: std's own start would leave handlers behind for
/// signals that are the program's.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    match load() {
        Ok(never) => match never {},
        Err(why) => {
            eprintln!("loader: {why}");
            exit(125)
        }
    }
}

/// What never is: [`load`] does not return when all is well.
enum Never {}

/// What the command line asks for.
#[derive(Default)]
struct Options {
    argc: Option<usize>,
    null_argument: Option<usize>,
    no_arguments: bool,
    no_aux: Vec<usize>,
    no_aux_at_all: bool,
    aux: Vec<(usize, usize)>,
    damage: Vec<(usize, usize)>,
}

/// Loads and starts the program.
fn load() -> Result<Never, String> {
    let mut options = Options::default();
    let mut arguments = env::args_os().skip(1).peekable();
    while let Some(argument) = arguments.next_if(|argument| argument.as_bytes().starts_with(b"--"))
    {
        option(&mut options, &argument.to_string_lossy())?;
    }
    let arguments: Vec<OsString> = arguments.collect();
    let program = arguments.first().ok_or("which program?")?;
    let file = fs::read(program).map_err(|error| format!("{}: {error}", program.display()))?;
    let image = Image { file };
    image.map(&options.damage)?;
    let words = initial_stack(&image, &options, arguments)?;
    let stack = map(0, STACK)? + STACK - (words.len() * 8).next_multiple_of(16);
    // SAFETY: a fresh mapping, with room for all of them above `stack`.
    let room = unsafe {
        std::slice::from_raw_parts_mut(ptr::with_exposed_provenance_mut(stack), words.len())
    };
    room.copy_from_slice(&words);
    // SAFETY: nothing of this program is used any more; what its memory holds
    // stays, the strings on the new stack among it.
    unsafe {
        asm!("mov rsp, rcx", "xor edx, edx", "jmp rax", in("rcx") stack, in("rax") image.entry(), options(noreturn))
    }
}

/// Reads one option.
fn option(options: &mut Options, text: &str) -> Result<(), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let number = |text: &str| {
        let parsed = match text.strip_prefix("0x") {
            Some(digits) => usize::from_str_radix(digits, 16),
            None => text.parse(),
        };
        parsed.map_err(|error| format!("{name}: {text:?}: {error}"))
    };
    let pair = |text: &str| {
        let (first, second) = text
            .split_once(':')
            .ok_or(format!("{name}: expected two numbers"))?;
        Ok::<_, String>((number(first)?, number(second)?))
    };
    match name {
        "--argc" => options.argc = Some(number(value)?),
        "--null-argument" => options.null_argument = Some(number(value)?),
        "--no-arguments" => options.no_arguments = true,
        "--no-aux" if value == "all" => options.no_aux_at_all = true,
        "--no-aux" => options.no_aux.push(number(value)?),
        "--aux" => options.aux.push(pair(value)?),
        "--damage" => options.damage.push(pair(value)?),
        _ => return Err(format!("no such option: {text}")),
    }
    Ok(())
}

/// Makes what the program finds at its stack pointer: argc, argv, envp, auxv.
fn initial_stack(
    image: &Image,
    options: &Options,
    arguments: Vec<OsString>,
) -> Result<Vec<usize>, String> {
    let name = string(arguments.first().cloned().unwrap_or_default())?;
    let mut argv = arguments
        .into_iter()
        .map(string)
        .collect::<Result<Vec<usize>, _>>()?;
    if options.no_arguments {
        argv.clear();
    }
    if let Some(slot) = options
        .null_argument
        .and_then(|number| argv.get_mut(number))
    {
        *slot = 0;
    }
    let mut words = vec![options.argc.unwrap_or(argv.len())];
    words.extend(argv);
    words.push(0);
    for (mut name, value) in env::vars_os() {
        name.push("=");
        name.push(value);
        words.push(string(name)?);
    }
    words.push(0);
    if !options.no_aux_at_all {
        for (tag, value) in auxiliary_vector(image, options, name)? {
            words.extend([tag, value]);
        }
    }
    words.extend([0, 0]);
    Ok(words)
}

/// Makes the auxiliary vector from our own, which the kernel gave us.
fn auxiliary_vector(
    image: &Image,
    options: &Options,
    name: usize,
) -> Result<Vec<(usize, usize)>, String> {
    let own = fs::read("/proc/self/auxv").map_err(|error| format!("/proc/self/auxv: {error}"))?;
    let (words, _) = own.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    let own = pairs
        .iter()
        .map(|&[tag, value]| (usize::from_le_bytes(tag), usize::from_le_bytes(value)));
    let mut vector: Vec<(usize, usize)> = own.take_while(|&(tag, _)| tag != 0).collect();
    let programs = [
        (AT_PHDR, image.headers()),
        (AT_PHNUM, image.segments().count()),
        (AT_BASE, 0),
        (AT_ENTRY, image.entry()),
        (AT_EXECFN, name),
    ];
    for (tag, value) in programs.into_iter().chain(options.aux.iter().copied()) {
        vector.retain(|&(other, _)| other != tag);
        vector.push((tag, value));
    }
    vector.retain(|(tag, _)| !options.no_aux.contains(tag));
    Ok(vector)
}

/// Makes a string that stays, and returns its address.
fn string(text: OsString) -> Result<usize, String> {
    let text = CString::new(text.into_vec()).map_err(|error| error.to_string())?;
    Ok(text.into_raw().expose_provenance())
}
