//! Tests of `os::none::command_line`.

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::command_line::{BadNumber, Word, Words, number};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("command_line::takes_lines_apart", takes_lines_apart),
        Trial::test("command_line::survives_any_line", survives_any_line),
        Trial::test("command_line::finds_numbers", finds_numbers),
    ]
}

/// Takes a line apart.
fn words(line: &[u8]) -> Vec<(Word, String)> {
    let mut words = Words::new(line);
    let mut all = Vec::new();
    loop {
        let mut text = vec![0; line.len()];
        let Some((word, length)) = words.next(&mut text) else {
            return all;
        };
        text.truncate(length);
        all.push((word, String::from_utf8_lossy(&text).into_owned()));
    }
}

fn takes_lines_apart() -> Result<(), Failed> {
    use Word::{Argument, Unknown, Variable};
    let cases: &[(&str, &[(Word, &str)])] = &[
        ("", &[]),
        ("   ", &[]),
        ("--", &[]),
        ("A=1", &[(Variable, "A=1")]),
        ("  A=1\tB=2\n", &[(Variable, "A=1"), (Variable, "B=2")]),
        ("A=", &[(Variable, "A=")]),
        ("=A", &[(Unknown, "=A")]),
        (
            "ro A=1 quiet",
            &[(Unknown, "ro"), (Variable, "A=1"), (Unknown, "quiet")],
        ),
        ("-- a b=c", &[(Argument, "a"), (Argument, "b=c")]),
        (
            "A=1 -- -- --x",
            &[(Variable, "A=1"), (Argument, "--"), (Argument, "--x")],
        ),
        ("A=1 --x", &[(Variable, "A=1"), (Unknown, "--x")]),
        ("A=\"b c\"d", &[(Variable, "A=b cd")]),
        ("\"A=b c\"", &[(Variable, "A=b c")]),
        (
            "-- \"\" a\\ b \\\"",
            &[(Argument, ""), (Argument, "a b"), (Argument, "\"")],
        ),
        ("-- \"a", &[(Argument, "a")]),
        ("-- a\\", &[(Argument, "a\\")]),
        ("-- \"a\\\\\"", &[(Argument, "a\\")]),
    ];
    for (line, expected) in cases {
        let got = words(line.as_bytes());
        let same = got.len() == expected.len()
            && (got.iter().zip(*expected)).all(|(got, want)| got.0 == want.0 && got.1 == want.1);
        ensure!(same, "{line:?}: {got:?} instead of {expected:?}");
    }
    Ok(())
}

fn finds_numbers() -> Result<(), Failed> {
    let cases = [
        ("", Ok(None)),
        ("N", Ok(None)),
        ("-- N=2", Ok(None)),
        ("M=1 NN=2 xN=3", Ok(None)),
        ("N=2", Ok(Some(2))),
        ("ro \"N=\"7 N=8 -- N=9", Ok(Some(7))),
        ("N=255", Ok(Some(255))),
        ("N=", Err(BadNumber)),
        ("N=0", Err(BadNumber)),
        ("N=256", Err(BadNumber)),
        ("N=-1", Err(BadNumber)),
        ("N=4294967297", Err(BadNumber)),
        ("N=two", Err(BadNumber)),
    ];
    for (line, expected) in cases {
        let got = number(line.as_bytes(), b"N", 255);
        ensure!(got == expected, "{line:?}: {got:?} instead of {expected:?}");
    }
    Ok(())
}

/// Lines of what counts: it ends, and gives no more words and bytes than `start` has room for.
fn survives_any_line() -> Result<(), Failed> {
    let mut random = Random::new(3);
    for _ in 0..20_000 {
        let length = random.below(40);
        let line: Vec<u8> = (0..length)
            .map(|_| random.pick(b" \t\n\"\\=-aB\xff"))
            .collect();
        let got = words(&line);
        let bytes: usize = got.iter().map(|(_, text)| text.chars().count()).sum();
        let room = got.len() <= length.div_ceil(2) && bytes + got.len() <= length + 1;
        ensure!(room, "{line:?}: {got:?}");
        let first = got.iter().position(|(word, _)| *word == Word::Argument);
        let behind = first.map_or(&[][..], |first| &got[first..]);
        ensure!(
            behind.iter().all(|(word, _)| *word == Word::Argument),
            "{line:?}: {got:?}"
        );
    }
    Ok(())
}
