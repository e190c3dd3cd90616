//! What `select!` says of what it cannot read, in the words of the compiler.
//!
//! The macro is included by its path, in a crate of rustc's own without gort: it never
//! gets to the point at which it would name channels.

use std::env;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use gort_host_tests::ensure;
use libtest_mimic::{Arguments, Failed, Trial};

/// What stands between the braces, and what is said of it.
const CASES: &[(&str, &str)] = &[
    ("", "empty `select!` block"),
    // The kind of a case.
    (
        "foo(r) -> x => {}",
        "expected one of `recv`, `send`, or `default`, found `foo`",
    ),
    (
        "foo",
        "expected one of `recv`, `send`, or `default`, found `foo`",
    ),
    (
        "3 => {}",
        "expected one of `recv`, `send`, or `default`, found `3`",
    ),
    (
        "recv(r) -> x => {} foo",
        "expected one of `recv`, `send`, or `default`, found `foo`",
    ),
    (
        "recv(r) -> x => {},, default => {}",
        "expected one of `recv`, `send`, or `default`, found `,`",
    ),
    // Its arguments.
    ("recv -> x => {}", "missing argument list after `recv`"),
    ("send => {}", "missing argument list after `send`"),
    ("recv[r] -> x => {}", "missing argument list after `recv`"),
    (
        "recv() -> x => {}",
        "invalid arguments in `recv()`: expected `recv(channel)`",
    ),
    (
        "recv(a, b) -> x => {}",
        "invalid arguments in `recv(a, b)`: expected `recv(channel)`",
    ),
    (
        "recv(a b) -> x => {}",
        "invalid arguments in `recv(a b)`: expected `recv(channel)`",
    ),
    (
        "send() -> x => {}",
        "invalid arguments in `send()`: expected `send(channel, message)`",
    ),
    (
        "send(a) -> x => {}",
        "invalid arguments in `send(a)`: expected `send(channel, message)`",
    ),
    (
        "send(a, b, c) -> x => {}",
        "invalid arguments in `send(a, b, c)`: expected `send(channel, message)`",
    ),
    (
        "default(a, b) => {}",
        "invalid arguments in `default(a, b)`: expected `default` or `default(timeout)`",
    ),
    // Its arrows, and what stands between them.
    ("recv(r)", "missing `->` after `recv(...)`"),
    (
        "recv(r) => {}",
        "expected `->` after `recv(...)`, found `=>`",
    ),
    (
        "send(s, 1) => {}",
        "expected `->` after `send(...)`, found `=>`",
    ),
    (
        "recv(r) x => {}",
        "expected `->` after `recv(...)`, found `x`",
    ),
    ("recv(r) -> => {}", "missing pattern after `->`"),
    ("recv(r) -> x", "missing `=>` after `recv`"),
    (
        "recv(r) -> x y => {}",
        "expected `=>` after the pattern of `recv(...)`, behind `-> x`",
    ),
    (
        "send(s, 1) -> x -> y => {}",
        "expected `=>` after the pattern of `send(...)`, behind `-> x`",
    ),
    ("default", "missing `=>` after `default`"),
    ("default {}", "expected `=>` after `default`, found `{}`"),
    ("default() {}", "expected `=>` after `default`, found `{}`"),
    (
        "default -> x => {}",
        "expected `=>` after `default`, found `->`",
    ),
    (
        "default() -> x => {}",
        "expected `=>` after `default`, found `->`",
    ),
    // Its body, and what stands behind that.
    ("recv(r) -> x =>", "missing expression after `=>` of `recv`"),
    (
        "send(s, 1) -> x => ,",
        "missing expression after `=>` of `send`",
    ),
    ("default =>", "missing expression after `=>` of `default`"),
    ("default() =>", "missing expression after `=>` of `default`"),
    (
        "recv(r) -> x => send(s, 1) -> y => {}",
        "missing expression after `=>` of `recv`",
    ),
    (
        "recv(r) -> x => recv(q) -> y => {}",
        "missing expression after `=>` of `recv`",
    ),
    (
        "recv(r) -> x => default => {}",
        "missing expression after `=>` of `recv`",
    ),
    (
        "default => default(t) => {}",
        "missing expression after `=>` of `default`",
    ),
    (
        "recv(r) -> x => {};",
        "expected a comma instead of the semicolon after `{ ... }`",
    ),
    (
        "recv(r) -> x => y; default => {}",
        "expected a comma instead of the semicolon after `y`",
    ),
    (
        "default => 1;",
        "expected a comma instead of the semicolon after `1`",
    ),
    (
        "recv(r) -> x => f() default => 3",
        "missing comma after the expression of `recv`: `f() default => 3`",
    ),
    (
        "send(s, 1) -> x => f!() recv(q) -> y => 3",
        "missing comma after the expression of `send`: `f!() recv(q) -> y => 3`",
    ),
    // Their number.
    (
        "default => {} default => {}",
        "more than one `default` case in a `select!` block",
    ),
    (
        "default(x) => {} default => {}",
        "more than one `default` case in a `select!` block",
    ),
];

fn main() {
    let trials = vec![
        Trial::test("messages", messages),
        Trial::test("too_many_operations", too_many_operations),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn messages() -> Result<(), Failed> {
    // One crate for all of them: a macro that says nothing but this has no other errors.
    let blocks: Vec<&str> = CASES.iter().map(|case| case.0).collect();
    let said = said(&blocks)?;
    let wanted: Vec<&str> = CASES.iter().map(|case| case.1).collect();
    for ((block, wanted), said) in CASES.iter().zip(&said) {
        ensure!(said == wanted, "of `{block}`: {said}, not {wanted}");
    }
    ensure!(
        said.len() == wanted.len(),
        "{} errors: {said:?}",
        said.len()
    );
    Ok(())
}

fn too_many_operations() -> Result<(), Failed> {
    let operations = |count| "recv(r) -> _ => {} ".repeat(count);
    let too_many = operations(33);
    let with_default = operations(33) + "default => {}";
    let message = "more than 32 operations in a `select!` block";
    let said = said(&[&too_many, &with_default])?;
    ensure!(said == [message; 2], "{said:?}");
    Ok(())
}

/// Compiles a `select!` of each of these, a line each, and returns the errors.
fn said(blocks: &[&str]) -> Result<Vec<String>, Failed> {
    let channel = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/channel");
    let mut source = String::new();
    for module in ["select_macro", "select_error"] {
        let path = channel.join(module).with_extension("rs");
        source += &format!("#[macro_use] #[path = {path:?}] mod {module};\n");
    }
    for (number, block) in blocks.iter().enumerate() {
        source += &format!("pub fn block{number}() {{ select! {{ {block} }} }}\n");
    }

    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut rustc = Command::new(compiler)
        .args(["--edition=2024", "--crate-type=lib", "--crate-name=blocks"])
        .args(["--emit=metadata", "--error-format=short", "-Awarnings"])
        .args(["-o", "/dev/null", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = rustc.stdin.take() {
        stdin.write_all(source.as_bytes())?;
    }
    let output = rustc.wait_with_output()?;
    ensure!(!output.status.success(), "rustc has compiled it");
    let text = String::from_utf8(output.stderr)?;
    let errors = text
        .lines()
        .filter(|line| !line.starts_with("error: aborting"));
    let message = |line: &str| match line.split_once(": error: ") {
        Some((_, message)) => message.to_string(),
        None => line.to_string(),
    };
    Ok(errors.map(message).collect())
}
