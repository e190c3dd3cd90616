//! What needs more stack than a goroutine has.

use core::hint::black_box;

use gort::process::ExitCode;
use gort::{println, runtime, stack};

use crate::deaths::descend;
use crate::{Command, Failure, OK, number};

pub(crate) const COMMANDS: &[Command] = &[
    ("grow", |size| stack::grow(number(size), || OK)),
    ("overflow-segment", |size| {
        stack::grow(number(size), || Ok(ExitCode::from(descend(0) as u8)))
    }),
    ("segments", |levels| {
        segments(number(levels), bottom);
        OK
    }),
    ("segments-wait", segments_wait),
    ("seam", seam),
];

/// Goes so many levels down, each of 20 KiB and more: a segment is full after some
/// ten. Then calls `f`.
#[inline(never)]
fn segments(levels: usize, f: fn()) -> usize {
    let frame = black_box([levels as u8; 20 << 10]);
    let below = match levels {
        0 => {
            f();
            0
        }
        _ => stack::grow(0, || segments(levels - 1, f)),
    };
    below + usize::from(black_box(&frame)[levels])
}

/// Where a test stops.
#[inline(never)]
fn bottom() {
    println!("{} bytes left", stack::remaining());
}

/// Has a goroutine wait deep down, on a segment with none of its own frames, and
/// faults meanwhile.
fn segments_wait(levels: &str) -> Result<ExitCode, Failure> {
    let levels = number(levels);
    gort::go(move || {
        segments(levels, || {
            loop {
                stack::grow(1 << 20, runtime::gosched);
            }
        });
    });
    runtime::gosched();
    crate::deaths::load(0)
}

/// Calls over a seam so many times.
fn seam(times: &str) -> Result<ExitCode, Failure> {
    fn to_the_end(times: usize) -> usize {
        let frame = black_box([1u8; 1 << 10]);
        let sum = if stack::remaining() < stack::MARGIN - (4 << 10) {
            (0..times).map(|_| stack::grow(0, || black_box(1))).sum()
        } else {
            to_the_end(times)
        };
        black_box(frame);
        sum
    }
    println!("{} times", to_the_end(number(times)));
    OK
}
