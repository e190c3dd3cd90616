// Formatting: widths, signs, bases, Debug, and types of one's own.

use std::fmt::{self, Binary, Debug, Display, Formatter, LowerHex, Write};

struct Money {
    cents: i64,
}

impl Display for Money {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:02} EUR", self.cents / 100, self.cents.abs() % 100);
        if f.alternate() {
            write!(f, "<{text}>")
        } else {
            f.pad(&text)
        }
    }
}

impl LowerHex for Money {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        LowerHex::fmt(&self.cents, f)
    }
}

#[derive(Debug, Clone, Default)]
#[allow(dead_code, reason = "Debug reads it")]
struct Tree<T> {
    value: T,
    children: Vec<Tree<T>>,
    note: Option<&'static str>,
}

struct Table<'a>(&'a [(&'a str, f64)]);

impl Debug for Table<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().copied()).finish()
    }
}

fn bits(value: impl Binary) -> String {
    format!("{value:#014b}")
}

fn main() {
    println!(
        "[{:5}] [{:<5}] [{:^5}] [{:>5}] [{:*^7}] [{:05}]",
        42, 42, 42, 42, "ab", -7
    );
    println!(
        "{:+} {:#x} {:#X} {:o} {:e} {}",
        5,
        255,
        255,
        8,
        12345.678,
        bits(37)
    );
    println!(
        "{:.3} {:8.2}| {:<8.1}| {:?} {}",
        1.0 / 3.0,
        2.5,
        9.96,
        1e21,
        f64::NAN
    );
    let (width, precision, name) = (9, 2, "named");
    println!(
        "{name:>width$} {:.precision$} {:1$} {:.*}",
        2.71828, 6, 3, 1.23456
    );
    println!("{0:?} {0} {1:?} {2:?}", "tab\t\"quote\" ü", 'x', '\n');

    let price = Money { cents: -123_456 };
    println!(
        "{price} {price:#} [{price:>16}] [{price:<16}] {:x}",
        Money { cents: 255 }
    );
    let leaf = Tree {
        value: 2,
        ..Tree::default()
    };
    let tree = Tree {
        value: 1,
        children: vec![leaf.clone(), leaf],
        note: Some("two"),
    };
    println!("{tree:?}");
    println!("{tree:#?}");
    println!(
        "{:?} {:#?}",
        Table(&[("pi", 3.14), ("e", 2.72)]),
        ((), [Some(1), None])
    );

    let mut text = String::new();
    write!(text, "{}-", 1).unwrap();
    writeln!(&mut text, "{:?}", [1u8; 3]).unwrap();
    text += &format!("{:02x?}", b"bytes");
    println!("{text}");
    println!(
        "{}",
        format_args!("{} {}", "nested", format_args!("{:>4}", 1))
    );
    println!("{:?} {:?}", i128::MAX, u64::MAX as f32);
    println!("{{}} {:p}", std::ptr::null::<u8>());
    assert!(matches!(write!(Full, "text"), Err(fmt::Error)));
}

/// Has room for nothing.
struct Full;

impl Write for Full {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        Err(fmt::Error)
    }
}
