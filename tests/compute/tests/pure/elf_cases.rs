//! Tests of `debug::elf`.

use gort_host_tests::ensure;
use libtest_mimic::{Failed, Trial};

use crate::elf::{ElfError, Expected, Module, verify};
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
fn try_page(page: &Page) -> Result<Module<'_>, ElfError> {
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
    let page = image();
    let module = try_page(&page).map_err(|error| error.what)?;
    let tls = module.tls.ok_or("no PT_TLS")?;
    let tls = (tls.p_vaddr, tls.p_filesz, tls.p_memsz, tls.p_align);
    ensure!(tls == (BASE + 0x5b48, 0x10, 0x18, 8), "got {tls:x?}");
    let want = Module {
        text: (base + 0x1000, base + 0x3345),
        data: (base + 0x5b48, base + 0x5c60),
        bss: (base + 0x5c60, base + 0xeb48),
        min: base,
        max: base + 0xeb48,
        tls: module.tls,
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

    let anywhere = Expected {
        entry: None,
        ..expected()
    };
    let entry = changed(&[(ehdr::ENTRY, 8, BASE + 0x1001)]);
    ensure!(
        verify(&entry.0, &anywhere).is_ok(),
        "another entry, if any is right"
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
        let page = changed(changes);
        let result = try_page(&page);
        ensure!(result.is_ok(), "{name}: {result:?}");
    }
    let page = changed(cases[1].1);
    let module = try_page(&page).map_err(|error| error.what)?;
    ensure!(module.tls.is_none(), "no TLS is none: {module:x?}");
    let page = changed(cases[7].1);
    let module = try_page(&page).map_err(|error| error.what)?;
    let want = (BASE as usize + 0x4345, BASE as usize + 0x5c60);
    ensure!(
        module.data == want,
        "data from the first to the last: {module:x?}"
    );
    Ok(())
}

const IDENT: &str = "e_ident is not 64-bit little-endian ELF";
const KIND: &str = "e_version, e_machine, e_type are not 1, 0x3e, 2";
const HEADERS_IN: &str = "e_phoff, e_phnum, e_phentsize: not in the image";
const AUXV: &str = "AT_PHDR, AT_PHNUM, AT_PHENT are not of e_phoff, e_phnum";
const SIZE: &str = "segment is above user memory or its p_memsz";
const PLACE: &str = "PT_LOAD is not in order from the ELF header on";
const CODE: &str = "executable PT_LOAD is writable, a second one, or not the text";
const TLS_IMAGE: &str = "PT_TLS is a second one, unaligned, or not loaded";
const SEEN: &str = "PT_GNU_STACK is executable, or no PT_LOAD is";

fn names_each_fault() -> Result<(), Failed> {
    use segment::{DATA, HEADERS, RODATA, STACK, TEXT, TLS};
    const HIGH: u64 = 0xffff_8000_0000_0000;
    let ident = |byte: u64, index: usize| {
        let right = u64::from_le_bytes(*b"\x7fELF\x02\x01\x01\0");
        right & !(0xff << (8 * index)) | byte << (8 * index)
    };
    let cases: &[(usize, usize, u64, &str, u64)] = &[
        (ehdr::MAGIC, 1, 0x7e, IDENT, ident(0x7e, 0)),
        (ehdr::CLASS, 1, 1, IDENT, ident(1, 4)),
        (ehdr::DATA, 1, 2, IDENT, ident(2, 5)),
        (ehdr::IDENT_VERSION, 1, 0, IDENT, ident(0, 6)),
        (ehdr::VERSION, 4, 2, KIND, 0x2_003e_0002),
        (ehdr::MACHINE, 2, 3, KIND, 0x1_0003_0002),
        (ehdr::PHENTSIZE, 2, 32, HEADERS_IN, 64),
        (ehdr::TYPE, 2, 3, KIND, 0x1_003e_0003),
        (
            ehdr::ENTRY,
            8,
            BASE + 0x1001,
            "e_entry is not _rt0_amd64_linux",
            BASE + 0x1001,
        ),
        (ehdr::PHOFF, 8, 72, HEADERS_IN, 72),
        (ehdr::PHOFF, 8, u64::MAX, HEADERS_IN, u64::MAX),
        (ehdr::PHNUM, 2, 7, HEADERS_IN, 64),
        (ehdr::PHOFF, 8, 8, AUXV, 8),
        (ehdr::PHNUM, 2, 5, AUXV, 64),
        (at(DATA, phdr::FILESZ), 8, 0x9001, SIZE, BASE + 0x5b48),
        (at(TLS, phdr::FILESZ), 8, 0x19, SIZE, BASE + 0x5b48),
        (at(DATA, phdr::VADDR), 8, HIGH, SIZE, HIGH),
        (at(DATA, phdr::MEMSZ), 8, 1 << 47, SIZE, BASE + 0x5b48),
        (at(TLS, phdr::MEMSZ), 8, u64::MAX, SIZE, BASE + 0x5b48),
        (at(DATA, phdr::OFFSET), 8, 0x3b49, PLACE, BASE + 0x5b48),
        (at(HEADERS, phdr::VADDR), 8, 0x50_0000, PLACE, 0x50_0000),
        (at(HEADERS, phdr::OFFSET), 8, 0x1000, PLACE, BASE),
        (at(HEADERS, phdr::MEMSZ), 8, 0x1001, PLACE, BASE + 0x1000),
        (
            at(DATA, phdr::VADDR),
            8,
            BASE + 0x4b48,
            PLACE,
            BASE + 0x4b48,
        ),
        (
            at(RODATA, phdr::VADDR),
            8,
            BASE + 0x9345,
            PLACE,
            BASE + 0x5b48,
        ),
        (at(TEXT, phdr::FLAGS), 4, 7, CODE, BASE + 0x1000),
        (at(RODATA, phdr::FLAGS), 4, 5, CODE, BASE + 0x4345),
        (at(TEXT, phdr::FLAGS), 4, 4, SEEN, 1),
        (at(TEXT, phdr::FILESZ), 8, 0x2344, CODE, BASE + 0x1000),
        (at(STACK, phdr::FLAGS), 4, 7, SEEN, 6),
        (at(STACK, phdr::TYPE), 4, 0, SEEN, 4),
        (at(STACK, phdr::TYPE), 4, 7, TLS_IMAGE, 0),
        (at(TLS, phdr::ALIGN), 8, 24, TLS_IMAGE, BASE + 0x5b48),
        (
            at(TLS, phdr::VADDR),
            8,
            BASE + 0x5c51,
            TLS_IMAGE,
            BASE + 0x5c51,
        ),
    ];
    for (offset, size, value, what, got) in cases {
        let page = changed(&[(*offset, *size, *value)]);
        let result = try_page(&page);
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
            AUXV,
        ),
        (
            Expected {
                phnum: Some(0),
                ..expected()
            },
            AUXV,
        ),
        (
            Expected {
                phent: Some(0),
                ..expected()
            },
            AUXV,
        ),
        (
            Expected {
                entry: Some(0),
                ..expected()
            },
            "e_entry is not _rt0_amd64_linux",
        ),
        (
            Expected {
                text: base,
                ..expected()
            },
            CODE,
        ),
        (
            Expected {
                etext: base,
                ..expected()
            },
            CODE,
        ),
        (
            Expected {
                load_base: base + 0x1000,
                phdr: None,
                ..expected()
            },
            PLACE,
        ),
    ];
    for (expected, what) in cases {
        let page = image();
        let result = verify(&page.0[..LENGTH], &expected);
        ensure!(
            result.is_err_and(|error| error.what == what),
            "{what}: {result:x?}"
        );
    }
    // The entry in the text's segment, and where the runtime wants it, but not in
    // the same segment as the text.
    let page = changed(&[(ehdr::ENTRY, 8, BASE + 0x4345)]);
    let wrong = Expected {
        entry: Some(base + 0x4345),
        ..expected()
    };
    let result = verify(&page.0[..LENGTH], &wrong);
    ensure!(result.is_err_and(|error| error.what == CODE), "{result:x?}");
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
