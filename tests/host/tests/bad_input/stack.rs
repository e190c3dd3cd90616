//! What the kernel puts on the stack, with parts of it missing or strange.

use gort_host_tests::ensure;
use gort_host_tests::programs::{path, program, run};
use libtest_mimic::{Failed, Trial};

use super::loaded;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("stack::as_the_kernel_makes_it", as_the_kernel_makes_it),
        Trial::test("stack::argc_0", argc_0),
        Trial::test("stack::argc_0_before_arguments", argc_0_before_arguments),
        Trial::test("stack::null_argument", null_argument),
        Trial::test("stack::empty_environment", empty_environment),
        Trial::test("stack::odd_environment", odd_environment),
        Trial::test("stack::many_arguments", many_arguments),
        Trial::test("stack::no_auxiliary_vector", no_auxiliary_vector),
        Trial::test("stack::no_vdso", no_vdso),
        Trial::test("stack::not_a_vdso", not_a_vdso),
        Trial::test("stack::random_bytes", random_bytes),
        Trial::test("stack::no_random_bytes", no_random_bytes),
        Trial::test("stack::strange_page_sizes", strange_page_sizes),
        Trial::test("stack::secure_mode", secure_mode),
    ]
}

/// The loader itself changes nothing.
fn as_the_kernel_makes_it() -> Result<(), Failed> {
    let text = |name| {
        Ok::<_, String>(format!(
            "2 arguments\n  0: {name:?}\n  1: \"one\"\nHOME is /\n1 variables\n  \"HOME=/\"\n"
        ))
    };
    let outcome = run(loaded(&[], "args_env")?.arg("one").env("HOME", "/"))?;
    outcome.expect(0, &text(path("args_env")?)?, "")?;
    for name in ["hello", "goroutines", "init_order"] {
        let (by_loader, by_kernel) = (run(&mut loaded(&[], name)?)?, run(&mut program(name)?)?);
        by_loader.expect(0, &String::from_utf8_lossy(&by_kernel.stdout), "")?;
    }
    Ok(())
}

/// Kernels before 5.18 allowed it, emulators do.
fn argc_0() -> Result<(), Failed> {
    run(&mut loaded(&["--no-arguments"], "hello")?)?.expect(0, "vim-go\n", "")?;
    let outcome = run(loaded(&["--no-arguments"], "args_env")?.env("HOME", "/"))?;
    outcome.expect(0, "0 arguments\nHOME is /\n1 variables\n  \"HOME=/\"\n", "")?;
    Ok(())
}

/// The word is 0 and argv is not: what follows counts as the environment.
fn argc_0_before_arguments() -> Result<(), Failed> {
    for options in ["--argc=0", "--argc=0xffffffff", "--argc=0xffffffffffffffff"] {
        run(loaded(&[options], "hello")?.args(["a", "b"]))?.expect(0, "vim-go\n", "")?;
    }
    Ok(())
}

fn null_argument() -> Result<(), Failed> {
    for number in ["0", "1", "2"] {
        let options = format!("--null-argument={number}");
        let outcome = run(loaded(&[&options], "hello")?.args(["a", "b"]))?;
        outcome.expect(2, "", "gort: argv: a null before its end\n")?;
    }
    Ok(())
}

fn empty_environment() -> Result<(), Failed> {
    let text = "0 variables, Err(NotPresent)\n";
    run(program("testprog")?.args(["environment", "HOME"]))?.expect(0, text, "")?;
    run(loaded(&[], "testprog")?.args(["environment", "HOME"]))?.expect(0, text, "")?;
    Ok(())
}

/// An entry without `=` is none that could be asked for; of two of a name the
/// first counts.
fn odd_environment() -> Result<(), Failed> {
    // With argc 1 there is an end, a null, where the environment should begin;
    // with argc 0 the arguments are the environment.
    let odd = ["HOME", "=", "", "HOMER=a", "HOME=first", "HOME=second"];
    let outcome = run(loaded(&["--argc=0"], "args_env")?.args(odd))?;
    let start = "0 arguments\nHOME is first\n6 variables\n";
    let list = "  \"HOME\"\n  \"=\"\n  \"\"\n  \"HOMER=a\"\n  \"HOME=first\"\n  \"HOME=second\"\n";
    outcome.expect(0, &[start, list].concat(), "")?;
    Ok(())
}

fn many_arguments() -> Result<(), Failed> {
    const COUNT: usize = 100_000;
    let mut command = program("testprog")?;
    command
        .arg("arguments")
        .args((0..COUNT - 2).map(|number| format!("{}", number % 10)));
    let bytes = path("testprog")?.as_os_str().len() + "arguments".len() + COUNT - 2;
    run(&mut command)?.expect(0, &format!("{COUNT} arguments, {bytes} bytes\n"), "")?;
    Ok(())
}

/// Some wrappers and emulators leave entries out; one without any is possible.
fn no_auxiliary_vector() -> Result<(), Failed> {
    const AT_PAGESZ: &str = "--no-aux=6";
    const AT_RANDOM: &str = "--no-aux=25";
    const AT_SYSINFO_EHDR: &str = "--no-aux=33";
    let cases: [&[&str]; 6] = [
        &[AT_PAGESZ],
        &[AT_RANDOM],
        &[AT_SYSINFO_EHDR],
        &[AT_PAGESZ, AT_RANDOM, AT_SYSINFO_EHDR],
        &[
            "--aux=6:0",
            "--aux=25:0",
            "--aux=33:0",
            "--aux=3:0",
            "--aux=4:0",
            "--aux=5:0",
        ],
        &["--no-aux=all"],
    ];
    for options in cases {
        let hello = run(&mut loaded(options, "hello")?)?;
        hello
            .expect(0, "vim-go\n", "")
            .map_err(|error| format!("{options:?}: {error}"))?;
        let many = run(&mut loaded(options, "goroutines")?)?;
        ensure!(
            many.status.success() && many.stdout.ends_with(b"done\n"),
            "{options:?}: {many:?}"
        );
        // A fault there shows that the boot's traces, too, do without.
        run(loaded(options, "testprog")?.arg("nil"))?.expect(
            2,
            "",
            "panic: *\n*\n\ngoroutine 1 [running]:\n**",
        )?;
    }
    Ok(())
}

/// Without the vDSO the clock and the CPU's number come by system calls.
fn no_vdso() -> Result<(), Failed> {
    let outcome = run(loaded(&["--no-aux=33"], "testprog")?.arg("cpu"))?;
    outcome.expect(0, "*\n", "")?;
    let outcome =
        run(loaded(&["--no-aux=33"], "init_order")?.env("GODEBUG", "boottrace=1,inittrace=1"))?;
    let text = String::from_utf8(outcome.stderr)?;
    let (boot, init) = (text.matches("boot ").count(), text.matches("init ").count());
    ensure!(
        outcome.status.success() && boot > 20 && init == 5,
        "{}: {text}",
        outcome.status
    );
    Ok(())
}

/// The entry points at an ELF image without the functions: our own.
fn not_a_vdso() -> Result<(), Failed> {
    run(loaded(&["--aux=33:0x400000"], "testprog")?.arg("cpu"))?.expect(0, "*\n", "")?;
    Ok(())
}

/// No two starts have the same keys, nor the same stack canary.
fn random_bytes() -> Result<(), Failed> {
    four_differ(&[], "hash")?;
    four_differ(&[], "canary")
}

/// The kernel's generator is asked instead, so that no two starts are alike.
fn no_random_bytes() -> Result<(), Failed> {
    four_differ(&["--no-aux=25"], "hash")?;
    four_differ(&["--no-aux=25"], "canary")
}

/// Checks that a command prints another line at each of four starts.
fn four_differ(options: &[&str], command: &str) -> Result<(), Failed> {
    let mut seen = Vec::new();
    for _ in 0..4 {
        let outcome = run(loaded(options, "testprog")?.arg(command))?;
        outcome.expect(0, "*\n", "")?;
        seen.push(outcome.stdout);
    }
    seen.sort();
    seen.dedup();
    ensure!(
        seen.len() == 4,
        "{options:?}: {command} of four starts: {seen:?}"
    );
    Ok(())
}

/// Go's texts. No size at all counts as the usual one.
fn strange_page_sizes() -> Result<(), Failed> {
    for (size, number, wrong) in [
        ("1", "1", "smaller than minimum"),
        ("2048", "2048", "smaller than minimum"),
        ("4095", "4095", "smaller than minimum"),
        ("8192", "8192", "larger than maximum"),
        ("12345", "12345", "larger than maximum"),
        ("16384", "16384", "larger than maximum"),
        (
            "0x8000000000000000",
            "9223372036854775808",
            "larger than maximum",
        ),
    ] {
        let text = format!(
            "system page size ({number}) is {wrong} page size (4096)\n\
             fatal error: bad system page size\n\nruntime stack:\n**"
        );
        run(&mut loaded(&[&format!("--aux=6:{size}")], "hello")?)?
            .expect(2, "", &text)
            .map_err(|error| format!("page size {size}: {error}"))?;
    }
    run(&mut loaded(&["--aux=6:0"], "hello")?)?.expect(0, "vim-go\n", "")?;
    run(&mut loaded(&["--aux=6:4096"], "hello")?)?.expect(0, "vim-go\n", "")?;
    Ok(())
}

/// Whoever started us has fewer rights: its settings and wishes do not count.
fn secure_mode() -> Result<(), Failed> {
    const AT_SECURE: &str = "--aux=23:1";
    let mut hello = loaded(&[AT_SECURE], "hello")?;
    run(hello.env("GODEBUG", "boottrace=1,nonsense"))?.expect(0, "vim-go\n", "")?;
    let mut panic = loaded(&[AT_SECURE], "testprog")?;
    run(panic.arg("panic-plain").env("GOTRACEBACK", "all"))?.expect(
        2,
        "",
        "panic: a plain text\n",
    )?;
    Ok(())
}
