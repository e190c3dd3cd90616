//! Tests of what src/os/none has of pure functions: what a virtual machine monitor tells,
//! the command line, frames and page tables. And of the ELF file of a program for it.
//!
//! As in `pure`, a panic would abort the whole program.

#[path = "../../../src/os/none/acpi.rs"]
mod acpi;
#[path = "../../../src/os/none/boot_info.rs"]
#[allow(dead_code, reason = "what only the entry uses")]
mod boot_info;
#[path = "../../../src/os/none/command_line.rs"]
mod command_line;
#[path = "../../../src/os/none/entries.rs"]
#[allow(unsafe_code, reason = "tables are memory")]
mod entries;
#[path = "../../../src/os/none/frames.rs"]
#[allow(dead_code, reason = "as above")]
mod frames;
#[path = "../../../src/os/none/paging.rs"]
#[allow(unsafe_code, dead_code, reason = "tables are memory")]
mod paging;

#[path = "none/acpi_cases.rs"]
mod acpi_cases;
#[path = "none/boot_info_cases.rs"]
mod boot_info_cases;
#[path = "none/command_line_cases.rs"]
mod command_line_cases;
#[path = "none/frames_cases.rs"]
mod frames_cases;
#[path = "none/image_cases.rs"]
mod image_cases;
#[path = "none/paging_cases.rs"]
#[allow(unsafe_code, reason = "memory of its own stands for the machine's")]
mod paging_cases;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let trials: Vec<Trial> = [
        acpi_cases::trials(),
        boot_info_cases::trials(),
        command_line_cases::trials(),
        frames_cases::trials(),
        image_cases::trials(),
        paging_cases::trials(),
    ]
    .into_iter()
    .flatten()
    .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
