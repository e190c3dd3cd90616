//! The programs that the chores need from the system: looks for them, and
//! installs what is missing where that is possible, which is on a Debian, as
//! root.

use std::env;
use std::path::Path;

use crate::Outcome;
use crate::run;

/// A program, the package that it comes in, and what it is for.
struct Tool {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        program: "gcc",
        package: "build-essential",
        purpose: "assembles and links everything",
    },
    Tool {
        program: "ld",
        package: "binutils",
        purpose: "makes the archive",
    },
    Tool {
        program: "objdump",
        package: "binutils",
        purpose: "shows the tests what was linked",
    },
    Tool {
        program: "gdb",
        package: "gdb",
        purpose: "replays the sessions of the documentation",
    },
    Tool {
        program: QEMU,
        package: "qemu-user",
        purpose: "runs the tests in emulation",
    },
    Tool {
        program: QEMU_SYSTEM,
        package: "qemu-system-x86",
        purpose: "is the machine for programs without a system",
    },
    Tool {
        program: "strace",
        package: "strace",
        purpose: "counts the system calls",
    },
    Tool {
        program: "file",
        package: "file",
        purpose: "tells what a file is",
    },
];

/// QEMU's user mode.
pub(crate) const QEMU: &str = "qemu-x86_64";

/// QEMU's machines.
pub(crate) const QEMU_SYSTEM: &str = "qemu-system-x86_64";

/// Installs what is missing, or says in a line what that is.
pub(crate) fn install_missing() {
    try_to_install(&missing());
    for tool in missing() {
        println!("{}", tool.how_to_get());
    }
}

/// Installs a program of the list if it is missing.
///
/// # Errors
///
/// A line that says what is missing, where that is not possible.
pub(crate) fn need(program: &str) -> Outcome {
    let tools = || TOOLS.iter().filter(|tool| tool.program == program);
    if !has(program) {
        try_to_install(&tools().collect::<Vec<_>>());
    }
    match tools().find(|tool| !has(tool.program)) {
        Some(tool) => Err(tool.how_to_get().into()),
        None => Ok(()),
    }
}

/// Installs tools where that is possible.
fn try_to_install(missing: &[&Tool]) {
    let mut packages: Vec<_> = missing.iter().map(|tool| tool.package).collect();
    packages.dedup();
    if !packages.is_empty() && has("apt-get") && is_root() {
        println!("installing {}", packages.join(", "));
        install(&packages);
    }
}

impl Tool {
    /// Returns a line for who does not have it.
    fn how_to_get(&self) -> String {
        format!(
            "missing: {}, which {}; on Debian: apt-get install {}",
            self.program, self.purpose, self.package
        )
    }
}

/// Tells whether a program is to be found.
pub(crate) fn has(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// Lists what is not there.
fn missing() -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| !has(tool.program)).collect()
}

/// Asks apt for packages: for all at once, and if that fails, one by one.
fn install(packages: &[&str]) {
    let apt = |arguments: &[&str]| {
        let mut command = run::quiet("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["-qq", "-o", "Dpkg::Use-Pty=0"])
            .args(arguments);
        run::succeed(&mut command)
    };
    let get = |packages: &[&str]| {
        apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
    };
    if let Err(error) = apt(&["update"]) {
        println!("{error}");
    }
    if get(packages).is_err() {
        for package in packages {
            if let Err(error) = get(&[*package]) {
                println!("{error}");
            }
        }
    }
}

/// Tells whether this process may install: our files in /proc are owned by
/// whom we act for.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    Path::new("/proc/self")
        .metadata()
        .is_ok_and(|metadata| metadata.uid() == 0)
}
