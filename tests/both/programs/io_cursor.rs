// Reading, writing and seeking in memory.

use std::io::{self, BufRead, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};

/// Writes a list of strings, each behind its length.
fn encode<W: Write>(to: &mut W, texts: &[&str]) -> io::Result<()> {
    for text in texts {
        to.write_all(&(text.len() as u16).to_be_bytes())?;
        to.write_all(text.as_bytes())?;
    }
    to.flush()
}

fn decode(mut from: impl Read) -> io::Result<Vec<String>> {
    let mut texts = Vec::new();
    loop {
        let mut length = [0; 2];
        match from.read_exact(&mut length) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(texts),
            other => other?,
        }
        let mut text = String::new();
        let length = u64::from(u16::from_be_bytes(length));
        if from.by_ref().take(length).read_to_string(&mut text)? < length as usize {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "the text is too short",
            ));
        }
        texts.push(text);
    }
}

fn main() -> io::Result<()> {
    let mut bytes = Vec::new();
    encode(&mut bytes, &["one", "", "größer"])?;
    println!("{bytes:?}");
    println!("{:?}", decode(&bytes[..])?);
    let error = decode(&bytes[..bytes.len() - 1]).unwrap_err();
    println!("{error} {:?}", error.kind());
    bytes.truncate(4);
    bytes[3] = 0xff;
    bytes[1] = 2;
    let error = decode(&bytes[..]).unwrap_err();
    println!("{error} {:?}", error.kind());

    let mut cursor = Cursor::new(Vec::new());
    write!(cursor, "{}, {}\n{}", "first", "second", "third line")?;
    println!(
        "{} {:?}",
        cursor.position(),
        cursor.seek(SeekFrom::Start(3))?
    );
    cursor.write_all(b"**")?;
    println!(
        "{} {}",
        cursor.stream_position()?,
        cursor.seek(SeekFrom::End(-4))?
    );
    let mut rest = String::new();
    cursor.read_to_string(&mut rest)?;
    println!(
        "{rest} {:?}",
        cursor
            .seek(SeekFrom::Current(-100))
            .map_err(|error| error.kind())
    );
    cursor.rewind()?;
    let mut line = String::new();
    println!("{} {line:?}", cursor.read_line(&mut line)?);
    println!("{line:?} {:?}", cursor.fill_buf()?.len());
    cursor.consume(6);
    println!("{:?}", cursor.bytes().collect::<io::Result<Vec<u8>>>()?);

    let text = &b"alpha;beta;gamma\ndelta"[..];
    println!(
        "{:?}",
        BufRead::split(text, b';')
            .map(|part| part.unwrap().len())
            .collect::<Vec<_>>()
    );
    println!("{:?}", text.lines().collect::<Result<Vec<_>, _>>()?);
    let mut until = Vec::new();
    let mut from = text;
    println!(
        "{} {} {:?}",
        from.read_until(b'b', &mut until)?,
        until.len(),
        from.first()
    );
    println!("{:?}", from.skip_until(b'\n').map(|_| from.len()));

    let mut chained = "ab"
        .as_bytes()
        .chain(&b"cd"[..])
        .chain(io::repeat(b'!').take(3));
    let mut all = [0; 8];
    println!("{} {:?}", chained.read(&mut all)?, &all[..2]);
    let mut copied = Vec::new();
    println!(
        "{} {:?}",
        io::copy(&mut chained, &mut copied)?,
        String::from_utf8_lossy(&copied)
    );
    println!(
        "{} {}",
        io::copy(&mut io::empty(), &mut io::sink())?,
        io::sink().write(b"gone")?
    );
    let mut room = [0u8; 4];
    let mut slice = &mut room[..];
    println!(
        "{:?} {:?}",
        slice.write(b"abc")?,
        slice.write_all(b"de").map_err(|error| error.kind())
    );
    println!(
        "{room:?} {:?}",
        io::read_to_string(&b"\xff"[..]).map_err(|error| error.to_string())
    );
    Ok(())
}
