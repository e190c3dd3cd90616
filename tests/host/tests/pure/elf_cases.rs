//! Tests of `debug::elf`.

use gort_host_tests::ensure;
use libtest_mimic::{Failed, Trial};

use crate::elf::{ElfError, Expected, Module, TlsImage, verify};
use crate::elf_image::{BASE, LENGTH, Page, at, ehdr, expected, image, phdr, segment};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("elf::accepts_a_sound_image", accepts_a_sound_image),
        Trial::test("elf::accepts_what_is_optional", accepts_what_is_optional),
        Trial::test("elf::names_each_fault", names_each_fault),
        Trial::test(
            "elf::refuses_what_it_does_not_expect",
            refuses_what_it_does_not_expect,
        ),
        Trial::test("elf::refuses_every_truncation", refuses_every_truncation),
    ]
}

/// Verifies all of the image's headers.
fn try_page(page: &Page) -> Result<Module, ElfError> {
    verify(&page.0[..LENGTH], &expected())
}

/// A number to write into an image: its offset, size and value.
type Change = (usize, usize, u64);

/// Makes a sound image with changes.
fn changed(changes: &[Change]) -> Page {
    let mut page = image();
    for (offset, size, value) in changes {
        page.0[*offset..offset + size].copy_from_slice(&value.to_le_bytes()[..*size]);
    }
    page
}

fn accepts_a_sound_image() -> Result<(), Failed> {
    let base = BASE as usize;
    let module = try_page(&image()).map_err(|error| error.what)?;
    let want = Module {
        text: (base + 0x1000, base + 0x3345),
        data: (base + 0x5b48, base + 0x5c60),
        bss: (base + 0x5c60, base + 0xeb48),
        min: base,
        max: base + 0xeb48,
        tls: Some(TlsImage {
            vaddr: base + 0x5b48,
            filesz: 0x10,
            memsz: 0x18,
            align: 8,
        }),
    };
    ensure!(module == want, "got {module:x?}");
    Ok(())
}

fn accepts_what_is_optional() -> Result<(), Failed> {
    use segment::{DATA, RODATA, TLS};
    let none = Expected {
        phdr: None,
        phnum: None,
        phent: None,
        ..expected()
    };
    ensure!(
        verify(&image().0, &none).is_ok(),
        "without an auxiliary vector"
    );
    ensure!(
        verify(&image().0, &expected()).is_ok(),
        "with more behind the headers"
    );

    let cases: &[(&str, &[Change])] = &[
        ("a system in EI_OSABI", &[(7, 1, 3)]),
        ("no TLS", &[(at(TLS, phdr::TYPE), 4, 0)]),
        (
            "an empty TLS",
            &[(at(TLS, phdr::FILESZ), 8, 0), (at(TLS, phdr::MEMSZ), 8, 0)],
        ),
        (
            "a TLS of zeros, in no segment",
            &[
                (at(TLS, phdr::FILESZ), 8, 0),
                (at(TLS, phdr::VADDR), 8, 0x1234),
            ],
        ),
        ("a TLS of any alignment", &[(at(TLS, phdr::ALIGN), 8, 0)]),
        (
            "segments of an unknown type",
            &[(at(RODATA, phdr::TYPE), 4, 0x6474_e553)],
        ),
        (
            "an empty segment",
            &[
                (at(RODATA, phdr::VADDR), 8, 0),
                (at(RODATA, phdr::OFFSET), 8, 0),
                (at(RODATA, phdr::FILESZ), 8, 0),
                (at(RODATA, phdr::MEMSZ), 8, 0),
            ],
        ),
        ("two writable segments", &[(at(RODATA, phdr::FLAGS), 4, 6)]),
        ("nothing writable", &[(at(DATA, phdr::FLAGS), 4, 4)]),
        (
            "memory up to the end",
            &[(at(DATA, phdr::MEMSZ), 8, (1 << 47) - BASE - 0x5b48)],
        ),
    ];
    for (name, changes) in cases {
        let result = try_page(&changed(changes));
        ensure!(result.is_ok(), "{name}: {result:?}");
    }
    let module = try_page(&changed(cases[2].1)).map_err(|error| error.what)?;
    ensure!(module.tls.is_none(), "an empty TLS is none: {module:x?}");
    let module = try_page(&changed(cases[7].1)).map_err(|error| error.what)?;
    let want = (BASE as usize + 0x4345, BASE as usize + 0x5c60);
    ensure!(
        module.data == want,
        "data from the first to the last: {module:x?}"
    );
    Ok(())
}

fn names_each_fault() -> Result<(), Failed> {
    use segment::{DATA, HEADERS, RODATA, STACK, TEXT, TLS};
    const HIGH: u64 = 0xffff_8000_0000_0000;
    let ident = |byte: u64, index: usize| {
        let right = u64::from_le_bytes(*b"\x7fELF\x02\x01\x01\0");
        right & !(0xff << (8 * index)) | byte << (8 * index)
    };
    let cases: &[(usize, usize, u64, &str, u64)] = &[
        (
            ehdr::MAGIC,
            1,
            0x7e,
            "e_ident is not 64-bit little-endian ELF",
            ident(0x7e, 0),
        ),
        (
            ehdr::CLASS,
            1,
            1,
            "e_ident is not 64-bit little-endian ELF",
            ident(1, 4),
        ),
        (
            ehdr::DATA,
            1,
            2,
            "e_ident is not 64-bit little-endian ELF",
            ident(2, 5),
        ),
        (
            ehdr::IDENT_VERSION,
            1,
            0,
            "e_ident is not 64-bit little-endian ELF",
            ident(0, 6),
        ),
        (ehdr::VERSION, 4, 2, "e_version is not 1", 2),
        (ehdr::MACHINE, 2, 3, "e_machine is not 0x3e", 3),
        (ehdr::PHENTSIZE, 2, 32, "e_phentsize is not 0x38", 32),
        (ehdr::TYPE, 2, 3, "e_type is not EXEC", 3),
        (
            ehdr::ENTRY,
            8,
            BASE + 0x1001,
            "e_entry is not _rt0_amd64_linux",
            BASE + 0x1001,
        ),
        (ehdr::PHOFF, 8, 72, "e_phoff: headers outside the image", 72),
        (
            ehdr::PHOFF,
            8,
            u64::MAX,
            "e_phoff: headers outside the image",
            u64::MAX,
        ),
        (ehdr::PHNUM, 2, 7, "e_phoff: headers outside the image", 64),
        (ehdr::PHOFF, 8, 8, "AT_PHDR is not at e_phoff", BASE + 64),
        (ehdr::PHNUM, 2, 5, "AT_PHNUM is not e_phnum", 6),
        (
            at(DATA, phdr::FILESZ),
            8,
            0x9001,
            "p_filesz is above p_memsz",
            0x9001,
        ),
        (
            at(TLS, phdr::FILESZ),
            8,
            0x19,
            "p_filesz is above p_memsz",
            0x19,
        ),
        (
            at(DATA, phdr::VADDR),
            8,
            HIGH,
            "p_vaddr + p_memsz is not a user address",
            HIGH,
        ),
        (
            at(DATA, phdr::MEMSZ),
            8,
            1 << 47,
            "p_vaddr + p_memsz is not a user address",
            BASE + 0x5b48,
        ),
        (
            at(TLS, phdr::MEMSZ),
            8,
            u64::MAX,
            "p_vaddr + p_memsz is not a user address",
            BASE + 0x5b48,
        ),
        (
            at(DATA, phdr::OFFSET),
            8,
            0x3b49,
            "PT_LOAD has another p_offset in the page",
            BASE + 0x5b48,
        ),
        (
            at(HEADERS, phdr::VADDR),
            8,
            0x50_0000,
            "first PT_LOAD is not at the ELF header",
            0x50_0000,
        ),
        (
            at(HEADERS, phdr::OFFSET),
            8,
            0x1000,
            "first PT_LOAD is not at the ELF header",
            BASE,
        ),
        (
            at(HEADERS, phdr::MEMSZ),
            8,
            0x1001,
            "PT_LOAD overlaps the one before",
            BASE + 0x1000,
        ),
        (
            at(DATA, phdr::VADDR),
            8,
            BASE + 0x4b48,
            "PT_LOAD overlaps the one before",
            BASE + 0x4b48,
        ),
        (
            at(RODATA, phdr::VADDR),
            8,
            BASE + 0x9345,
            "PT_LOAD overlaps the one before",
            BASE + 0x5b48,
        ),
        (
            at(TEXT, phdr::FLAGS),
            4,
            7,
            "PT_LOAD is writable and executable",
            BASE + 0x1000,
        ),
        (
            at(RODATA, phdr::FLAGS),
            4,
            5,
            "second executable PT_LOAD",
            BASE + 0x4345,
        ),
        (
            at(TEXT, phdr::FLAGS),
            4,
            4,
            "executable PT_LOAD is not around runtime.text",
            0,
        ),
        (
            at(TEXT, phdr::FILESZ),
            8,
            0x2344,
            "executable PT_LOAD is not around runtime.text",
            BASE + 0x1000,
        ),
        (
            at(STACK, phdr::FLAGS),
            4,
            7,
            "PT_GNU_STACK is executable",
            7,
        ),
        (at(STACK, phdr::TYPE), 4, 0, "PT_GNU_STACK is missing", 0),
        (at(STACK, phdr::TYPE), 4, 7, "second PT_TLS", 0),
        (
            at(TLS, phdr::ALIGN),
            8,
            24,
            "PT_TLS has a p_align not a power of two",
            24,
        ),
        (
            at(TLS, phdr::VADDR),
            8,
            BASE + 0x5c51,
            "PT_TLS is in no PT_LOAD",
            BASE + 0x5c51,
        ),
    ];
    for (offset, size, value, what, got) in cases {
        let result = try_page(&changed(&[(*offset, *size, *value)]));
        let want = Err(ElfError { what, value: *got });
        ensure!(
            result == want,
            "{value:#x} at {offset:#x}: {result:x?}, not {want:x?}"
        );
    }
    Ok(())
}

fn refuses_what_it_does_not_expect() -> Result<(), Failed> {
    let base = BASE as usize;
    let cases = [
        (
            Expected {
                phdr: Some(0),
                ..expected()
            },
            "AT_PHDR is not at e_phoff",
        ),
        (
            Expected {
                phnum: Some(0),
                ..expected()
            },
            "AT_PHNUM is not e_phnum",
        ),
        (
            Expected {
                phent: Some(0),
                ..expected()
            },
            "AT_PHENT is not e_phentsize",
        ),
        (
            Expected {
                entry: 0,
                ..expected()
            },
            "e_entry is not _rt0_amd64_linux",
        ),
        (
            Expected {
                text: base,
                ..expected()
            },
            "executable PT_LOAD is not around runtime.text",
        ),
        (
            Expected {
                etext: base,
                ..expected()
            },
            "executable PT_LOAD is not around runtime.text",
        ),
        (
            Expected {
                load_base: base + 0x1000,
                phdr: None,
                ..expected()
            },
            "first PT_LOAD is not at the ELF header",
        ),
    ];
    for (expected, what) in cases {
        let result = verify(&image().0[..LENGTH], &expected);
        ensure!(
            result.is_err_and(|error| error.what == what),
            "{what}: {result:x?}"
        );
    }
    // The entry in the text's segment, and where the runtime wants it, but not in
    // the same segment as the text.
    let page = changed(&[(ehdr::ENTRY, 8, BASE + 0x4345)]);
    let wrong = Expected {
        entry: base + 0x4345,
        ..expected()
    };
    let result = verify(&page.0[..LENGTH], &wrong);
    ensure!(
        result.is_err_and(|error| error.what == "e_entry is not in the text"),
        "{result:x?}"
    );
    Ok(())
}

fn refuses_every_truncation() -> Result<(), Failed> {
    let page = image();
    for length in 0..LENGTH {
        let result = verify(&page.0[..length], &expected());
        ensure!(result.is_err(), "accepts {length} bytes: {result:x?}");
    }
    ensure!(
        verify(&page.0[1..LENGTH], &expected()).is_err(),
        "accepts an image not aligned"
    );
    Ok(())
}
