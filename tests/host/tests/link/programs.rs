//! Programs on gort by every way of linking, built, run, and their output
//! compared.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use gort_host_tests::ensure;
use gort_host_tests::programs::{command, native, run};
use libtest_mimic::{Failed, Trial};

use crate::scratch::{Scratch, cargo, dist, repository, say, succeed};

/// What the C program prints.
const FREESTANDING: &str = "\
    goroutines 1002\nsum 500500\nended 1000\nleft 1\n\
    some CPUs 1\nnothing written 0\nEBADF 1\n";

/// What the program prints that a libc has started.
const HOSTED: &str = "main 1\ninit\ngoroutines 1001\nsum 500500\nthread-local 42 0\n";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("link::c_without_libc", c_without_libc),
        Trial::test("link::c_meets_the_guards", c_meets_the_guards),
        Trial::test("link::c_backtrace", c_backtrace),
        Trial::test("link::c_with_a_stack_protector", c_with_a_stack_protector),
        Trial::test("link::c_under_a_static_libc", || hosted("static")),
        Trial::test("link::c_under_a_dynamic_libc", || hosted("dynamic")),
        Trial::test("link::c_faults_on_a_foreign_thread", || foreign("static")),
        Trial::test("link::c_faults_on_a_foreign_thread_dynamic", || {
            foreign("dynamic")
        }),
        Trial::test("link::rust_with_its_own_panic_handler", rust),
        Trial::test("link::cargo_without_features", cargo_without_features),
        Trial::test("link::template_with_a_path", template_with_a_path),
        Trial::test("link::template_with_the_package", template_with_the_package),
    ]
}

fn c_without_libc() -> Result<(), Failed> {
    let scratch = Scratch::new("c")?;
    let program = link(&scratch, "tests/link-c/hello.c", &documented("hello.c")?)?;
    let dynamic = succeed(scratch.command("readelf").arg("-lW").arg(&program))?;
    ensure!(
        !dynamic.contains("INTERP") && !dynamic.contains("RWE"),
        "unexpected segments:\n{dynamic}"
    );
    run(&mut command(&program))?.expect(7, FREESTANDING, "")?;
    Ok(())
}

/// Constructors run, and a stack's overflow is noticed in large frames, too.
fn c_meets_the_guards() -> Result<(), Failed> {
    let scratch = Scratch::new("guards")?;
    let program = link(&scratch, "tests/link-c/guards.c", &documented("hello.c")?)?;
    let died = "runtime: goroutine stack exceeds *-byte limit\nruntime: sp=0x* stack=[0x*, 0x*]\n\
        fatal error: stack overflow\n\ngoroutine * [running]:\n";
    run(&mut command(&program))?.expect(2, "constructors ran in order\n", died)?;
    Ok(())
}

fn c_with_a_stack_protector() -> Result<(), Failed> {
    for (name, flags) in [
        ("all", "-O0 -fstack-protector-all"),
        ("strong", "-O2 -fstack-protector-strong"),
        ("tls", "-O2 -fstack-protector-strong -DPLACE=__thread"),
    ] {
        let scratch = Scratch::new(&format!("smash-{name}"))?;
        let recipe = documented("hello.c")?.replace("-Os", flags);
        let program = link(&scratch, "tests/link-c/smash.c", &recipe)?;
        let died = "fatal error: stack smashing detected\n\ngoroutine 1 [running]:\n";
        run(&mut command(&program))?.expect(2, "still here\n", died)?;
    }
    Ok(())
}

fn hosted(how: &str) -> Result<(), Failed> {
    let scratch = Scratch::new(how)?;
    let mut recipe = documented("hosted.c")?;
    if how == "static" {
        recipe = recipe.replace("-no-pie", "-no-pie -static");
    }
    let program = link(&scratch, "tests/link-c/hosted.c", &recipe)?;
    run(&mut command(&program))?.expect(5, HOSTED, "")?;
    Ok(())
}

/// A thread that libc has made has no g: gort's handlers, which are the process's, say so.
/// One that has used up its stack has nowhere to say it.
fn foreign(how: &str) -> Result<(), Failed> {
    const SIGSEGV: i32 = 11;
    for (name, flags) in [
        ("nil", "-DNIL"),
        ("divide", "-DDIVIDE"),
        ("overflow", "-DOVERFLOW"),
    ] {
        let scratch = Scratch::new(&format!("foreign-{how}-{name}"))?;
        let mut recipe = documented("hosted.c")?.replace("-no-pie", &format!("-no-pie {flags}"));
        if how == "static" {
            recipe = recipe.replace("-no-pie", "-no-pie -static");
        }
        let program = link(&scratch, "tests/link-c/foreign.c", &recipe)?;
        let outcome = run(&mut command(&program))?;
        match name {
            "nil" => outcome.expect(
                2,
                "1 goroutine\n",
                "SIGSEGV: segmentation violation\nPC=0x* on a thread that is not gort's\n",
            )?,
            "divide" => outcome.expect(
                2,
                "1 goroutine\n",
                "SIGFPE: floating-point exception\nPC=0x* on a thread that is not gort's\n",
            )?,
            _ => outcome.expect_signal(SIGSEGV)?,
        };
    }
    Ok(())
}

fn rust() -> Result<(), Failed> {
    let scratch = Scratch::new("rust")?;
    let project = scratch.bring("tests/link-rust")?;
    for (profile, flags) in [
        ("debug", &["build"][..]),
        ("release", &["build", "--release"]),
    ] {
        cargo(&scratch, &project, flags)?;
        let program = project.join("target").join(profile).join("link-rust");
        let expected = "1001 goroutines\nsum 500500\nmy own panic: the end, at 1000\n";
        run(&mut command(&program))?.expect(9, expected, "")?;
    }
    Ok(())
}

/// The program brings the allocator and the panic handler.
fn cargo_without_features() -> Result<(), Failed> {
    let scratch = Scratch::new("bare")?;
    let project = scratch.bring("tests/link-bare")?;
    let gort = repository();
    say_where(&project, "path = \"../..\"", &gort)?;
    for (profile, flags) in [
        ("debug", &["build"][..]),
        ("release", &["build", "--release"]),
    ] {
        cargo(&scratch, &project, flags)?;
        let program = project.join("target").join(profile).join("link-bare");
        let expected = "sum 5050, * bytes\nC counts 43, 45\nmy own panic: the end, at 100\n";
        run(&mut command(&program))?.expect(9, expected, "")?;
    }
    Ok(())
}

/// Puts into a project's Cargo.toml where gort is.
fn say_where(project: &Path, placeholder: &str, gort: &Path) -> Result<(), Failed> {
    let manifest = project.join("Cargo.toml");
    let text = say("cannot read", &manifest, fs::read_to_string(&manifest))?;
    ensure!(
        text.matches(placeholder).count() == 1,
        "{} says nowhere, or twice, where gort is",
        manifest.display()
    );
    let text = text.replace(placeholder, &format!("path = {:?}", gort.to_string_lossy()));
    say("cannot write", &manifest, fs::write(&manifest, text))?;
    Ok(())
}

/// What the debugger shows of a C program ends where its goroutine began.
fn c_backtrace() -> Result<(), Failed> {
    if !native() {
        return Ok(()); // the debugger looks at this machine's own processes
    }
    let scratch = Scratch::new("backtrace")?;
    let recipe = documented("hello.c")?.replace("-Os", "-O0 -g");
    let program = link(&scratch, "tests/link-c/hello.c", &recipe)?;
    let mut gdb = scratch.command("gdb");
    gdb.args([
        "-q",
        "-nx",
        "-batch",
        "-ex",
        "set disable-randomization off",
    ])
    .args([
        "-ex",
        "set backtrace past-main on",
        "-ex",
        "break gort_yield",
        "-ex",
        "run",
        "-ex",
        "backtrace",
    ])
    .arg(&program);
    let text = succeed(&mut gdb)?;
    let frames: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
    let ends = frames.last().is_some_and(|frame| frame.contains("goexit"));
    ensure!(
        ends && frames.iter().any(|frame| frame.contains(" at hello.c:")),
        "expected gort_yield, a function in C … runtime.goexit:\n{text}"
    );
    Ok(())
}

fn template_with_a_path() -> Result<(), Failed> {
    let scratch = Scratch::new("path")?;
    template(&scratch, &repository(), "debug", &["build"])?;
    template_for_no_system(&scratch)
}

/// What would come from a registry is less than the repository.
fn template_with_the_package() -> Result<(), Failed> {
    let scratch = Scratch::new("package")?;
    let target = scratch.join("packaged");
    let target = target.to_string_lossy();
    let package = [
        "package",
        "--package",
        "gort",
        "--no-verify",
        "--allow-dirty",
        "--target-dir",
        &target,
    ];
    cargo(&scratch, &repository(), &package)?;
    let files = fs::read_dir(scratch.join("packaged/package"))?;
    let paths: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    let file = paths.iter().find(|path| {
        path.extension()
            .is_some_and(|extension| extension == "crate")
    });
    let file = file.ok_or("cargo package has made no .crate")?;
    succeed(scratch.command("tar").arg("-xf").arg(file))?;
    let directory = file.file_stem().ok_or("the .crate has no name")?;
    template(
        &scratch,
        &scratch.join(&directory.to_string_lossy()),
        "release",
        &["build", "--release"],
    )
}

/// One switch more, and the machine that docs/none.md names.
fn template_for_no_system(scratch: &Scratch) -> Result<(), Failed> {
    let project = scratch.join("template");
    let manifest = project.join("Cargo.toml");
    let text = say("cannot read", &manifest, fs::read_to_string(&manifest))?;
    let text = text.replacen("[\"backtrace\"]", "[\"backtrace\", \"none\"]", 1);
    say("cannot write", &manifest, fs::write(&manifest, text))?;
    cargo(scratch, &project, &["build"])?;
    let chapter = repository().join("docs/none.md");
    let text = say("cannot read", &chapter, fs::read_to_string(&chapter))?;
    let start = text.find("qemu-system-x86_64 -M").ok_or("no command")?;
    let (machine, _) = text[start..].split_once("\n```").ok_or("no end")?;
    // The shell takes the lines together and the quotes off.
    let mut shell = scratch.command("timeout");
    shell
        .args(["100", "sh", "-c", machine])
        .current_dir(&project);
    run(&mut shell)?.expect(1, "hello from gort: 5050\n", "")?;
    Ok(())
}

/// Builds the template with gort from a directory, and runs it.
fn template(scratch: &Scratch, gort: &Path, profile: &str, flags: &[&str]) -> Result<(), Failed> {
    let project = scratch.bring("template")?;
    say_where(&project, "path = \"..\"", gort)?;
    let main = project.join("src/main.rs");
    let text = say("cannot read", &main, fs::read_to_string(&main))?;
    let dies = "fn main() {\n    assert!(gort::env::args().count() == 1, \"as asked\");";
    let text = text.replacen("fn main() {", dies, 1);
    say("cannot write", &main, fs::write(&main, text))?;
    cargo(scratch, &project, flags)?;
    let target = project.join("target/x86_64-unknown-linux-gnu");
    let program = target.join(profile).join("my-program");
    run(&mut command(&program))?.expect(0, "hello from gort: 5050\n", "")?;
    let trace = "panic: as asked\n\ngoroutine 1 [running]:\nmy_program::main(*)\n\
        \t*/src/main.rs:1*\nmain.main()\n\t*/src/macros.rs:*\n";
    run(command(&program).arg("die"))?.expect(2, "", trace)?;
    Ok(())
}

/// Finds in gort.h how a source is compiled and linked.
pub(crate) fn documented(source: &str) -> Result<String, Failed> {
    let header = dist()?.join("include/gort.h");
    let header = say("cannot read", &header, fs::read_to_string(&header))?;
    let lines = header
        .lines()
        .map(|line| line.trim_start_matches([' ', '*']));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let recipes = text.replace("\\\n", "");
    let recipe = recipes
        .lines()
        .find(|line| line.starts_with("gcc ") && line.contains(source));
    Ok(recipe
        .ok_or_else(|| format!("gort.h does not say how to link {source}"))?
        .to_string())
}

/// Carries a recipe out, in a directory with the source and `dist`, with all
/// warnings; returns the program.
pub(crate) fn link(scratch: &Scratch, source: &str, recipe: &str) -> Result<PathBuf, Failed> {
    let source = scratch.bring(source)?;
    let source = source.file_name().unwrap_or_default().to_string_lossy();
    symlink(dist()?, scratch.join("dist"))?;
    let words: Vec<&str> = recipe
        .split_whitespace()
        .map(|word| if word.ends_with(".c") { &*source } else { word })
        .collect();
    succeed(
        scratch
            .command("gcc")
            .args(["-Os", "-Wall", "-Wextra", "-Werror"])
            .args(&words[1..]),
    )?;
    let at = words
        .iter()
        .position(|&word| word == "-o")
        .ok_or("the recipe has no -o")?;
    Ok(scratch.join(words.get(at + 1).ok_or("the recipe names no program")?))
}
