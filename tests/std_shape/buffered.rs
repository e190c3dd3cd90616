//! `BufReader`, `BufWriter`, `LineWriter`.

use std::io::{
    BufRead, BufReader, BufWriter, Cursor, Error, ErrorKind, LineWriter, Read, Result, Seek,
    SeekFrom, Write,
};
use std::prelude::v1::*;

/// A reader that notes what it was asked for.
struct Asked<'a> {
    rest: &'a [u8],
    sizes: Vec<usize>,
}

impl Read for Asked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.sizes.push(buffer.len());
        self.rest.read(buffer)
    }
}

/// A writer that notes each write, takes so much at once, and fails when it is told to.
#[derive(Debug, Default)]
struct Noted {
    writes: Vec<String>,
    at_once: Option<usize>,
    fails: bool,
    flushed: usize,
}

impl Write for Noted {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.fails {
            return Err(Error::from_raw_os_error(28));
        }
        let count = bytes.len().min(self.at_once.unwrap_or(usize::MAX));
        self.writes
            .push(String::from_utf8_lossy(&bytes[..count]).into_owned());
        Ok(count)
    }

    fn flush(&mut self) -> Result<()> {
        self.flushed += 1;
        Ok(())
    }
}

cases! {
    fn a_reader_asks_for_much_at_a_time() {
        let rest = &b"abcdefghijklmnopqrstuvwxyz"[..];
        let mut reader = BufReader::with_capacity(4, Asked { rest, sizes: Vec::new() });
        let mut two = [0; 2];
        reader.read_exact(&mut two).unwrap();
        assert_eq!((&two, reader.buffer(), reader.capacity()), (b"ab", &b"cd"[..], 4));
        let mut five = [0; 5];
        assert_eq!(reader.read(&mut five).unwrap(), 2); // what is at hand
        assert_eq!(reader.read(&mut five).unwrap(), 5); // not by way of the buffer
        assert_eq!(&five, b"efghi");
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"jklmnopqrstuvwxyz");
        assert_eq!(reader.get_ref().sizes[..2], [4, 5]);
        assert!(reader.get_mut().rest.is_empty() && reader.into_inner().rest.is_empty());
    }

    fn a_reader_of_lines() {
        let text = "first line\nsecond\n\nlast";
        for capacity in [1, 2, 5, 100] {
            let reader = BufReader::with_capacity(capacity, text.as_bytes());
            let lines: Vec<String> = reader.lines().map(|line| line.unwrap()).collect();
            assert_eq!(lines, ["first line", "second", "", "last"]);
        }
        let mut text = String::new();
        BufReader::new("\u{20ac}".as_bytes()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "\u{20ac}");
        assert_eq!(
            format!("{:?}", BufReader::with_capacity(9, &b"x"[..])),
            "BufReader { reader: [120], buffer: 0/9 }"
        );
    }

    fn a_reader_that_goes_elsewhere() {
        let mut reader = BufReader::with_capacity(4, Cursor::new(b"0123456789"));
        let mut one = [0];
        let mut next = |reader: &mut BufReader<Cursor<&[u8; 10]>>| {
            reader.read_exact(&mut one).unwrap();
            one[0]
        };
        assert_eq!(next(&mut reader), b'0');
        assert_eq!(reader.stream_position().unwrap(), 1);
        reader.seek_relative(2).unwrap();
        assert_eq!(reader.buffer(), b"3");
        assert_eq!(next(&mut reader), b'3');
        reader.seek_relative(-4).unwrap();
        assert_eq!(next(&mut reader), b'0');
        assert_eq!(reader.seek(SeekFrom::Current(4)).unwrap(), 5);
        assert_eq!(next(&mut reader), b'5');
        assert_eq!(reader.seek(SeekFrom::End(-1)).unwrap(), 9);
        assert_eq!(next(&mut reader), b'9');
        assert!(reader.seek(SeekFrom::Current(-11)).is_err());
        reader.rewind().unwrap();
        assert_eq!(next(&mut reader), b'0');
    }

    fn a_writer_hands_on_much_at_a_time() {
        let mut writer = BufWriter::with_capacity(8, Noted::default());
        for word in ["one ", "two ", "three "] {
            writer.write_all(word.as_bytes()).unwrap();
        }
        assert_eq!((writer.get_ref().writes.len(), writer.buffer()), (1, &b"three "[..]));
        writer.write_all(b"longer than the buffer").unwrap();
        assert_eq!(writer.get_ref().writes[1..], ["three ", "longer than the buffer"]);
        write!(writer, "{}", 4).unwrap();
        writer.flush().unwrap();
        assert_eq!((writer.get_mut().flushed, writer.capacity()), (1, 8));
        writer.write_all(b"x").unwrap();
        let noted = writer.into_inner().unwrap();
        assert_eq!(noted.writes[3..], ["4", "x"]);
    }

    fn a_writer_writes_when_it_is_dropped() {
        let mut noted = Noted::default();
        drop(BufWriter::new(&mut noted));
        assert_eq!(noted.writes.len(), 0);
        BufWriter::new(&mut noted).write_all(b"late").unwrap();
        assert_eq!(noted.writes, ["late"]);
        let (noted, rest) = {
            let mut writer = BufWriter::new(Noted::default());
            writer.write_all(b"held back").unwrap();
            writer.into_parts()
        };
        assert_eq!((noted.writes.len(), rest.unwrap()), (0, b"held back".to_vec()));
    }

    fn a_writer_that_fails_keeps_what_it_has() {
        let mut writer = BufWriter::with_capacity(100, Noted { at_once: Some(3), ..Noted::default() });
        writer.write_all(b"abcdefgh").unwrap();
        writer.get_mut().fails = true;
        let error = writer.into_inner().unwrap_err();
        assert_eq!(error.error().raw_os_error(), Some(28));
        assert_eq!(error.to_string(), "No space left on device (os error 28)");
        let (error, mut writer) = error.into_parts();
        assert_eq!((error.kind(), writer.buffer()), (ErrorKind::StorageFull, &b"abcdefgh"[..]));
        writer.get_mut().fails = false;
        let noted = writer.into_inner().unwrap();
        assert_eq!(noted.writes, ["abc", "def", "gh"]);

        let mut zero = BufWriter::new(&mut [0u8; 0][..]);
        zero.write_all(b"x").unwrap();
        let error = zero.flush().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
        assert_eq!(error.to_string(), "failed to write the buffered data");
        let (mut seeker, _) = BufWriter::new(Cursor::new(Vec::new())).into_parts();
        seeker.write_all(b"abc").unwrap();
        let mut seeker = BufWriter::new(seeker);
        seeker.write_all(b"def").unwrap();
        assert_eq!(seeker.seek(SeekFrom::Start(1)).unwrap(), 1);
        seeker.write_all(b"X").unwrap();
        assert_eq!(seeker.into_inner().unwrap().into_inner(), b"aXcdef");
    }

    fn whole_lines_go_on() {
        let mut writer = LineWriter::new(Noted::default());
        writer.write_all(b"half a ").unwrap();
        assert!(writer.get_ref().writes.is_empty());
        writer.write_all(b"line\nand another\nand a ").unwrap();
        assert_eq!(writer.get_ref().writes.concat(), "half a line\nand another\n");
        writer.write_all(b"third\n").unwrap();
        assert!(writer.get_ref().writes.concat().ends_with("and a third\n"));
        writer.write_all(b"rest").unwrap();
        writer.flush().unwrap();
        assert!(writer.get_mut().writes.concat().ends_with("third\nrest"));
        writer.write_all(b"end").unwrap();
        assert!(writer.into_inner().unwrap().writes.concat().ends_with("restend"));
    }

    fn lines_longer_than_the_buffer() {
        let mut writer = LineWriter::with_capacity(8, Noted::default());
        let text = format!("{}\n{}", "x".repeat(20), "y".repeat(20));
        writer.write_all(text.as_bytes()).unwrap();
        writer.write_all(b"z").unwrap();
        writer.flush().unwrap();
        assert_eq!(writer.get_ref().writes.concat(), text + "z");
    }

    fn a_line_that_could_not_be_written_comes_first() {
        let mut writer = LineWriter::with_capacity(16, Noted { at_once: Some(2), ..Noted::default() });
        let mut text = &b"ab\ncd\nef\ngh"[..];
        while !text.is_empty() {
            let count = writer.write(text).unwrap();
            assert!(count > 0);
            text = &text[count..];
        }
        writer.flush().unwrap();
        assert_eq!(writer.get_ref().writes.concat(), "ab\ncd\nef\ngh");
        writer.get_mut().fails = true;
        assert!(writer.write_all(b"lost\n").is_err());
    }
}
