//! The unwinder on stacks of which nothing is true: it ends, reads nothing outside of
//! them, and finds what is there where they are whole.

use libtest_mimic::{Failed, Trial};

use crate::unwind::{Code, End, Memory, Registers, Rule, Stage, Unwinder};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("unwind::garbage", garbage),
        Trial::test("unwind::a_chain", a_chain),
        Trial::test("unwind::by_rules", by_rules),
        Trial::test("unwind::a_loop", a_loop),
        Trial::test("unwind::preempted", preempted),
    ]
}

/// Where the stack begins, and the text.
const STACK: usize = 0x7000_0000;
const TEXT: usize = 0x40_1000;
const TEXT_SIZE: usize = 0x1000;
/// The outermost function.
const ROOT: usize = TEXT + 0xff0;

/// A stack of words; nothing around it may be read.
struct Words(Vec<usize>);

impl Memory for Words {
    fn word(&self, address: usize) -> Option<usize> {
        let offset = address.checked_sub(STACK)?;
        if !offset.is_multiple_of(8) {
            return None;
        }
        self.0.get(offset / 8).copied()
    }

    fn depth(&self, address: usize) -> Option<usize> {
        let offset = address.checked_sub(STACK)?;
        (offset <= self.0.len() * 8).then_some(offset)
    }
}

/// Functions with and without rules, by their addresses.
struct Text {
    rules: bool,
    base: bool,
}

impl Code for Text {
    fn contains(&self, pc: usize) -> bool {
        (TEXT..TEXT + TEXT_SIZE).contains(&pc)
    }

    fn is_root(&self, pc: usize) -> bool {
        pc == ROOT
    }

    fn is_base(&self) -> bool {
        self.base
    }

    fn rule(&self, pc: usize) -> Option<Rule> {
        if !self.rules {
            return None;
        }
        match pc % 7 {
            0 | 1 => None,
            2 => Some(Rule::Root),
            kind => Some(Rule::Frame {
                by_fp: kind % 2 == 0,
                offset: (pc as isize % 8) * 8 - 8,
                pc: -8,
                fp: (kind < 5).then_some(-16),
                interrupted: kind == 6,
            }),
        }
    }

    fn stage(&self, pc: usize) -> Stage {
        match pc % 5 {
            0 => Stage::Bare,
            1 => Stage::Pushed,
            2 => Stage::Preempted,
            _ => Stage::Whole,
        }
    }
}

/// Goes through to the end; returns the frames, and why that is all.
fn unwind(memory: &Words, code: &Text, from: Registers) -> Result<(Vec<Registers>, End), String> {
    let mut unwinder = Unwinder::new(memory, code, from, true);
    let mut frames = Vec::new();
    while !unwinder.is_done() {
        frames.push(unwinder.registers());
        if frames.len() > memory.0.len() + 2 {
            return Err(format!(
                "{} frames in {} words",
                frames.len(),
                memory.0.len()
            ));
        }
        unwinder.next();
    }
    Ok((frames, unwinder.end()))
}

/// Random words, half of them of the kind that a stack has.
fn garbage() -> Result<(), Failed> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let mut long = 0;
    for round in 0..200_000 {
        let length = 1 + random() % 64;
        let mut word = || match random() % 16 {
            0 => random(),
            1 => STACK + random() % (length * 8 + 32),
            2..6 => STACK + random() % (length + 4) * 8,
            _ => TEXT + random() % TEXT_SIZE,
        };
        let words = Words((0..length).map(|_| word()).collect());
        let mut from = Registers {
            pc: word(),
            sp: word(),
            fp: word(),
        };
        if round % 4 != 0 {
            (from.sp, from.fp) = (STACK, STACK + word() % 4 * 8);
        }
        let code = Text {
            rules: round % 2 == 0,
            base: round % 3 == 0,
        };
        let (frames, _) = unwind(&words, &code, from)
            .map_err(|error| format!("round {round}: {error}, {from:x?}, {:x?}", words.0))?;
        long += usize::from(frames.len() > 3);
        // Always outwards.
        for pair in frames.windows(2).skip(1) {
            if pair[0].sp >= pair[1].sp {
                return Err(format!("round {round}: not outwards: {frames:x?}").into());
            }
        }
    }
    if long < 1000 {
        return Err(format!("only {long} rounds got anywhere").into());
    }
    Ok(())
}

/// A place in the text where the frame is whole, and DWARF knows nothing.
const WHOLE: usize = TEXT + 4 - TEXT % 5;

fn a_chain() -> Result<(), Failed> {
    // Three frames of four words each: two locals, the caller's fp, the return address.
    let fp = |frame: usize| STACK + (frame * 4 + 2) * 8;
    let words = Words(vec![
        0,
        0,
        fp(1),
        WHOLE + 6,
        0,
        0,
        fp(2),
        WHOLE + 11,
        0,
        0,
        0,
        ROOT + 1,
    ]);
    let code = Text {
        rules: false,
        base: false,
    };
    let from = Registers {
        pc: WHOLE,
        sp: STACK,
        fp: fp(0),
    };
    let (frames, end) = unwind(&words, &code, from)?;
    let pcs: Vec<usize> = frames.iter().map(|frame| frame.pc).collect();
    assert_eq!(pcs, [WHOLE, WHOLE + 6, WHOLE + 11, ROOT + 1]);
    assert_eq!(end, End::Root);
    // The middle one's return address is gone.
    let mut smashed = words;
    smashed.0[7] = 0x1230;
    let (frames, end) = unwind(&smashed, &code, from)?;
    assert_eq!(frames.len(), 2);
    assert_eq!(end, End::UnexpectedReturn(0x1230));
    // Or its frame pointer.
    smashed.0[2] = 0x4560;
    let (frames, end) = unwind(&smashed, &code, from)?;
    assert_eq!(frames.len(), 2);
    assert_eq!(end, End::UnexpectedReturn(0));
    Ok(())
}

/// Without a frame pointer, where DWARF says how large the frame is.
fn by_rules() -> Result<(), Failed> {
    // By the stack pointer: pc % 7 is 3 or 5, and the size in words what `rule` makes of it.
    let at = (TEXT..)
        .find(|pc| pc % 7 == 5 && pc % 8 == 5)
        .ok_or("no such address")?;
    let code = Text {
        rules: true,
        base: false,
    };
    let words = Words(vec![0, 0, 0, ROOT + 1, 0]);
    let from = Registers {
        pc: at,
        sp: STACK,
        fp: 0x5a5a,
    };
    let (frames, end) = unwind(&words, &code, from)?;
    assert_eq!(end, End::Root);
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[1].sp, STACK + 32);
    assert_eq!(frames[1].fp, 0x5a5a);
    Ok(())
}

/// A frame that is its own caller's.
fn a_loop() -> Result<(), Failed> {
    let words = Words(vec![STACK, WHOLE + 6, STACK, WHOLE + 6]);
    let code = Text {
        rules: false,
        base: false,
    };
    let from = Registers {
        pc: WHOLE,
        sp: STACK,
        fp: STACK,
    };
    let (frames, end) = unwind(&words, &code, from)?;
    assert_eq!(frames.len(), 2);
    assert_eq!(end, End::UnexpectedReturn(WHOLE + 6));
    Ok(())
}

/// What asyncPreempt leaves is the interrupted frame's own, over its red zone.
fn preempted() -> Result<(), Failed> {
    let in_preempt = (TEXT..).find(|pc| pc % 5 == 2).ok_or("no such address")?;
    let mut words = vec![0; 40];
    words[0] = STACK + 30 * 8; // the interrupted frame's
    words[1] = WHOLE; // where it was
    words[30] = 0;
    words[31] = ROOT + 1;
    let code = Text {
        rules: false,
        base: false,
    };
    let from = Registers {
        pc: in_preempt,
        sp: STACK,
        fp: STACK,
    };
    let memory = Words(words);
    let mut unwinder = Unwinder::new(&memory, &code, from, true);
    assert!(unwinder.next());
    assert_eq!(unwinder.symbol_pc(), WHOLE); // no call: the instruction itself
    assert_eq!(unwinder.registers().sp, STACK + 16 + 128);
    assert!(unwinder.next());
    assert_eq!(unwinder.symbol_pc(), ROOT);
    assert!(!unwinder.next());
    assert_eq!(unwinder.end(), End::Root);
    Ok(())
}
