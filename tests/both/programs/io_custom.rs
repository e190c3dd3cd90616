// Readers and writers of one's own, and their errors.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};

struct Rot13<R>(R);

impl<R: Read> Read for Rot13<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        for byte in &mut buffer[..count] {
            let base = if byte.is_ascii_lowercase() {
                b'a'
            } else {
                b'A'
            };
            if byte.is_ascii_alphabetic() {
                *byte = (*byte - base + 13) % 26 + base;
            }
        }
        Ok(count)
    }
}

#[derive(Debug)]
struct Full {
    capacity: usize,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is room for {} bytes", self.capacity)
    }
}

impl Error for Full {}

/// Takes so many bytes, three at a time, and is interrupted before each.
struct Limited {
    taken: Vec<u8>,
    capacity: usize,
    interrupted: bool,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        let room = self.capacity - self.taken.len();
        if room == 0 {
            return Err(io::Error::other(Full {
                capacity: self.capacity,
            }));
        }
        let count = room.min(3).min(bytes.len());
        self.taken.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    Rot13(Rot13("Hello".as_bytes()).chain(&b" Uryyb"[..])).read_to_string(&mut text)?;
    println!("{text}");

    let mut limited = Limited {
        taken: vec![],
        capacity: 16,
        interrupted: false,
    };
    write!(limited, "{:>8}|", "seven")?;
    println!("{:?}", String::from_utf8(limited.taken.clone())?);
    let error = limited
        .write_all(b"more than there is room for")
        .unwrap_err();
    println!("{error} {:?} {error:?}", error.kind());
    println!(
        "{:?}",
        error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Full>())
            .map(|full| full.capacity)
    );
    println!(
        "{:?} {}",
        error.raw_os_error(),
        error.into_inner().is_some()
    );

    let plain = io::Error::new(ErrorKind::NotFound, "no such thing");
    println!("{plain} | {plain:?} | {:?}", plain.source().is_none());
    let simple = io::Error::from(ErrorKind::PermissionDenied);
    println!("{simple} | {simple:?}");
    let system = io::Error::from_raw_os_error(2);
    println!("{system} | {system:?} | {:?}", system.kind());
    println!(
        "{}",
        io::Error::from_raw_os_error(32).kind() == ErrorKind::BrokenPipe
    );
    println!("{} | {:?}", ErrorKind::TimedOut, ErrorKind::AddrInUse);

    struct Nothing;
    impl Write for Nothing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    println!("{}", Nothing.write_all(b"x").unwrap_err());
    let mut three = [0; 3];
    println!("{}", io::empty().read_exact(&mut three).unwrap_err());
    let boxed: Box<dyn Read> = Box::new(&b"dyn"[..]);
    println!(
        "{:?}",
        boxed
            .bytes()
            .map(|byte| byte.map(char::from))
            .collect::<Result<String, _>>()?
    );
    Ok(())
}
