// Strings and characters.

use std::borrow::Cow;
use std::str::{FromStr, Utf8Error};

#[derive(Debug, PartialEq)]
struct Version(u32, u32, u32);

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<u32> = text
            .trim()
            .trim_start_matches('v')
            .split('.')
            .map(|part| {
                part.parse::<u32>()
                    .map_err(|error| format!("{part:?}: {error}"))
            })
            .collect::<Result<_, _>>()?;
        match parts[..] {
            [major, minor, patch] => Ok(Self(major, minor, patch)),
            _ => Err(format!("{} parts", parts.len())),
        }
    }
}

fn escaped(text: &str) -> Cow<'_, str> {
    if text.contains(['<', '&']) {
        Cow::Owned(text.replace('&', "&amp;").replace('<', "&lt;"))
    } else {
        text.into()
    }
}

fn caesar(text: &str, by: u8) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' => ((byte - b'a' + by) % 26 + b'a') as char,
            b'A'..=b'Z' => ((byte - b'A' + by) % 26 + b'A') as char,
            other => other.into(),
        })
        .collect()
}

fn main() {
    for text in [
        "v1.2.3",
        " 10.0.1\n",
        "1.2",
        "1.x.3",
        "1.-2.3",
        "99999999999.0.0",
    ] {
        println!("{:?}", text.parse::<Version>());
    }
    println!(
        "{} {}",
        escaped("a < b & c"),
        matches!(escaped("plain"), Cow::Borrowed(_))
    );
    println!(
        "{} {}",
        caesar("Hello, World", 3),
        caesar(&caesar("xyz", 3), 23)
    );

    let text = "Füße & Ärger: 日本語 🦀";
    println!(
        "{} {} {}",
        text.len(),
        text.chars().count(),
        text.to_uppercase()
    );
    println!(
        "{:?}",
        text.char_indices()
            .filter(|(_, c)| !c.is_ascii())
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    );
    println!("{:?} {:?}", text.find("Ärger"), text.rsplit_once(' '));
    println!("{} {:?}", &text[..3], text.get(..3).zip(text.get(0..2)));
    println!("{}", text.chars().rev().collect::<String>());
    println!("{:?}", text.bytes().take(4).collect::<Vec<u8>>());
    println!("{:?}", "a,b,,c".split(',').collect::<Vec<_>>());
    println!(
        "{:?}",
        "a,b,,c"
            .splitn(2, ',')
            .chain("x  y".split_whitespace())
            .collect::<Vec<_>>()
    );
    println!(
        "{:?}",
        "one\ntwo\r\nthree"
            .lines()
            .map(str::len)
            .collect::<Vec<_>>()
    );
    println!(
        "{:?} {:?}",
        "key=value=x".split_once('='),
        "key".strip_prefix("k")
    );

    let mut string = String::with_capacity(16);
    string.push_str("hello");
    string.insert(0, '>');
    string.insert_str(1, "> ");
    string.extend(["!", "?"]);
    println!("{string} {:?} {:?}", string.pop(), string.remove(0));
    string.truncate(4);
    string.retain(|letter| letter != ' ');
    println!("{string:?} {:?}", string.repeat(2));
    println!("{:?}", ["a", "b", "c"].join("-") + &["d", "e"].concat());

    let error: Utf8Error = String::from_utf8(vec![b'a', b'b', 0xff, b'c'])
        .map_err(|error| error.utf8_error())
        .unwrap_err();
    println!("{error} {}", error.valid_up_to());
    println!(
        "{} {:?}",
        String::from_utf8_lossy(b"ab\xffcd"),
        String::from_utf8(vec![0xe2, 0x82]).is_err()
    );
    println!(
        "{:?} {:?} {:?}",
        "3.5e2".parse::<f64>(),
        "true".parse::<bool>(),
        "xy".parse::<char>().is_err()
    );
    println!(
        "{:?} {:?}",
        i8::from_str_radix("-7f", 16),
        u8::try_from('ÿ')
    );
    println!("{:?} {:?}", char::from_digit(11, 16), 'Z'.to_digit(36));
    println!("{:?}", "ß".cmp("s").then("a".cmp("b")));
}
