//! A million damaged ELF headers: what `debug::elf` accepts and refuses must be
//! what the second opinion in `elf_image` does.

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::elf::{Expected, verify};
use crate::elf_image::{BASE, LENGTH, Page, at, ehdr, expected, image, is_sound, phdr};

/// The test.
pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test(
        "elf::a_million_damaged_images",
        a_million_damaged_images,
    )]
}

/// Compares `verify` with the second opinion, and checks what it returns.
fn a_million_damaged_images() -> Result<(), Failed> {
    const CASES: usize = 1_000_000;
    let sound = image();
    let with = expected();
    let without = Expected {
        entry: None,
        phdr: None,
        phnum: None,
        phent: None,
        ..expected()
    };
    let mut random = Random::new(0x6f72_7400);
    let mut page = sound.clone();
    let mut accepted = 0;
    for case in 0..CASES {
        page.0[..LENGTH].copy_from_slice(&sound.0[..LENGTH]);
        let mut length = LENGTH;
        for _ in 0..=random.below(2) {
            length = if random.below(2) == 0 {
                damage_field(&mut random, &mut page);
                length
            } else {
                random.damage(&mut page.0[..length])
            };
        }
        let image = &page.0[..length];
        let expected = random.pick(&[&with, &without]);
        let result = verify(image, expected);
        let second = is_sound(image, expected).is_some();
        ensure!(
            result.is_ok() == second,
            "case {case}: {result:x?}, second opinion {second}"
        );
        let Ok(module) = result else { continue };
        accepted += 1;
        let ordered = |(start, end): (usize, usize)| start <= end && end <= module.max;
        let holds = ordered(module.text)
            && ordered(module.data)
            && ordered(module.bss)
            && module.min == BASE as usize
            && module.max <= 1 << 47
            && module.text.0 <= expected.text
            && module.text.1 >= expected.etext
            && module.data.1 == module.bss.0
            && module.tls.is_none_or(|tls| {
                let (start, end) = (tls.p_vaddr, tls.p_vaddr + tls.p_filesz);
                let inside = start >= module.min as u64 && end <= module.max as u64;
                (tls.p_align == 0 || tls.p_align.is_power_of_two())
                    && tls.p_filesz <= tls.p_memsz
                    && (inside || tls.p_filesz == 0)
            });
        ensure!(holds, "case {case}: {module:x?}");
    }
    // Neither all nor nothing: the damage is of the size that tells.
    ensure!(
        (CASES / 20..CASES / 2).contains(&accepted),
        "{accepted} of {CASES} accepted"
    );
    Ok(())
}

/// Damages one field that `verify` looks at.
fn damage_field(random: &mut Random, page: &mut Page) {
    let header = [
        (ehdr::TYPE, 2),
        (ehdr::MACHINE, 2),
        (ehdr::VERSION, 4),
        (ehdr::ENTRY, 8),
        (ehdr::PHOFF, 8),
        (ehdr::PHENTSIZE, 2),
        (ehdr::PHNUM, 2),
    ];
    let segment = [
        (phdr::TYPE, 4),
        (phdr::FLAGS, 4),
        (phdr::OFFSET, 8),
        (phdr::VADDR, 8),
        (phdr::FILESZ, 8),
        (phdr::MEMSZ, 8),
        (phdr::ALIGN, 8),
    ];
    let (offset, size) = if random.below(8) == 0 {
        random.pick(&header)
    } else {
        let (field, size) = random.pick(&segment);
        (at(random.below(6), field), size)
    };
    let field = &mut page.0[offset..offset + size];
    let old = field
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte));
    let new = match random.below(4) {
        0 => random.edge(),
        1 => random.pick(&[0, 1, 2, 3, 4, 5, 6, 7, 0x6474_e551]),
        2 => old.wrapping_add(random.pick(&[
            0x1000,
            0x2000,
            8,
            1,
            u64::MAX,
            0x1000u64.wrapping_neg(),
        ])),
        _ => old ^ 1 << random.below(8 * size),
    };
    field.copy_from_slice(&new.to_le_bytes()[..size]);
}
