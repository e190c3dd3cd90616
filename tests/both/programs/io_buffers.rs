// Buffers in front of readers and writers that count how often they are called.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, BufWriter, LineWriter, Read, Write};
use std::rc::Rc;

/// Hands out a few bytes at a time.
struct Slow {
    text: &'static [u8],
    at_once: usize,
    reads: usize,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        let count = buffer.len().min(self.at_once).min(self.text.len());
        let (now, later) = self.text.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.text = later;
        Ok(count)
    }
}

/// Notes each write.
#[derive(Clone, Default)]
struct Noted(Rc<RefCell<Vec<String>>>);

impl Write for Noted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .borrow_mut()
            .push(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().push("<flush>".into());
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let slow = Slow {
        text: b"line one\nline two\n\nlast",
        at_once: 5,
        reads: 0,
    };
    let mut reader = BufReader::with_capacity(8, slow);
    let mut first = String::new();
    println!(
        "{} {first:?} {}",
        reader.read_line(&mut first)?,
        reader.capacity()
    );
    println!("{first:?} {:?}", String::from_utf8_lossy(reader.buffer()));
    let mut few = [0; 3];
    reader.read_exact(&mut few)?;
    println!("{few:?} {}", reader.get_ref().reads);
    println!(
        "{:?}",
        reader
            .by_ref()
            .lines()
            .map(Result::unwrap)
            .collect::<Vec<_>>()
    );
    println!("{} {}", reader.into_inner().text.len(), first.len());

    let noted = Noted::default();
    let mut writer = BufWriter::with_capacity(10, noted.clone());
    for word in [
        "one ",
        "two ",
        "three ",
        "a word that is longer than the buffer ",
        "end",
    ] {
        writer.write_all(word.as_bytes())?;
    }
    println!(
        "{:?} {:?}",
        noted.0.take(),
        String::from_utf8_lossy(writer.buffer())
    );
    writer.flush()?;
    println!("{:?}", noted.0.take());
    write!(writer, "{}-{}", 1, 2)?;
    drop(writer);
    println!("{:?}", noted.0.take());
    let mut writer = BufWriter::new(Vec::new());
    writeln!(writer, "into {}", "inner")?;
    println!(
        "{:?}",
        writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .len()
    );

    let mut lines = LineWriter::new(noted.clone());
    lines.write_all(b"no end yet")?;
    println!("{:?}", noted.0.take());
    lines.write_all(b", now\nand more\nrest")?;
    println!("{}", noted.0.take().concat());
    lines.flush()?;
    println!("{}", noted.0.take().concat());
    Ok(())
}
