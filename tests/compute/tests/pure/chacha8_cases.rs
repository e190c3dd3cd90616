//! Tests of `boot::chacha8`, with the known streams of ChaCha with 8 rounds.

use gort_host_tests::ensure;
use libtest_mimic::{Failed, Trial};

use crate::chacha8::ChaCha8;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("chacha8::is_the_known_stream", is_the_known_stream),
        Trial::test("chacha8::starts_anew_with_a_key", starts_anew_with_a_key),
    ]
}

/// The key of zeros: its first two blocks.
const ZEROS: [&str; 2] = [
    "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e\
     984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42",
    "d2aefa0deaa5c151bf0adb6c01f2a5adc0fd581259f9a2aadcf20f8fd566a26b\
     5032ec38bbc5da98ee0c6f568b872a65a08abf251deb21bb4b56e5d8821e68aa",
];

/// The key of the bytes 0 to 31: its first block.
const COUNTED: &str = "4015b28f6e12ab6ad9e8667b31c51233f78f172790b2d94f326b2ed7ffbcbecb\
     ff9ead365f89ce3b6f4055bc759d90fd8f831d27c7b0df93b3b9ed8238a256d6";

/// Draws a block, in hexadecimal: its pairs of words come from its end.
fn block(generator: &mut ChaCha8) -> String {
    let mut pairs = [0; 8].map(|_| generator.next_u64().to_le_bytes());
    pairs.reverse();
    let bytes = pairs.concat();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key of the bytes 0 to 31.
fn counted() -> [u64; 4] {
    [0, 1, 2, 3]
        .map(|word| u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|byte| 8 * word + byte)))
}

fn is_the_known_stream() -> Result<(), Failed> {
    let mut generator = ChaCha8::unseeded();
    generator.seed(&[0; 4]);
    for want in ZEROS {
        let got = block(&mut generator);
        ensure!(got == want, "{got}, not {want}");
    }
    generator.seed(&counted());
    let got = block(&mut generator);
    ensure!(got == COUNTED, "{got}, not {COUNTED}");
    Ok(())
}

fn starts_anew_with_a_key() -> Result<(), Failed> {
    let mut generator = ChaCha8::unseeded();
    generator.seed(&counted());
    for _ in 0..21 {
        generator.next_u64(); // into the third block
    }
    generator.seed(&[0; 4]);
    let got = block(&mut generator);
    ensure!(got == ZEROS[0], "{got}, not {}", ZEROS[0]);
    Ok(())
}
