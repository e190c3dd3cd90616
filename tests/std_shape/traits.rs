//! `Read`, `Write`, `BufRead`, `Seek`: their provided methods and adapters.

use std::collections::VecDeque;
use std::io::{
    self, BufRead, Error, ErrorKind, IoSlice, IoSliceMut, Read, Result, Seek, SeekFrom, Write,
};
use std::prelude::v1::*;

/// A reader of little at a time, which is interrupted each second time.
struct Slow<'a> {
    rest: &'a [u8],
    at_once: usize,
    calls: usize,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(2) {
            return Err(ErrorKind::Interrupted.into());
        }
        let room = buffer.len().min(self.at_once);
        self.rest.read(&mut buffer[..room])
    }
}

fn slow(text: &str, at_once: usize) -> Slow<'_> {
    Slow {
        rest: text.as_bytes(),
        at_once,
        calls: 0,
    }
}

/// A writer of little at a time with room for so much, which is interrupted each second
/// time.
struct Narrow {
    taken: Vec<u8>,
    room: usize,
    calls: usize,
}

impl Write for Narrow {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(2) {
            return Err(ErrorKind::Interrupted.into());
        }
        let count = bytes.len().min(3).min(self.room - self.taken.len());
        self.taken.extend(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

fn narrow(room: usize) -> Narrow {
    Narrow {
        taken: Vec::new(),
        room,
        calls: 0,
    }
}

/// A reader that has some bytes and fails then.
struct Broken(&'static [u8]);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(Error::from_raw_os_error(5)),
            count => Ok(count),
        }
    }
}

cases! {
    fn reading_to_the_end() {
        for length in [0, 1, 31, 32, 33, 64, 100, 1000, 10_000] {
            let text: String = ('a'..='z').cycle().take(length).collect();
            for at_once in [1, 7, 32, 100_000] {
                let mut bytes = b"before".to_vec();
                let count = slow(&text, at_once).read_to_end(&mut bytes).unwrap();
                assert_eq!(count, length);
                assert_eq!(bytes, format!("before{text}").as_bytes());
                let mut exact = Vec::with_capacity(length);
                slow(&text, at_once).read_to_end(&mut exact).unwrap();
                assert_eq!(exact, text.as_bytes());
                assert_eq!(io::read_to_string(slow(&text, at_once)).unwrap(), text);
            }
        }
    }

    fn what_was_read_before_an_error_stays() {
        let mut bytes = Vec::new();
        let error = Broken(b"some").read_to_end(&mut bytes).unwrap_err();
        assert_eq!((error.raw_os_error(), &bytes[..]), (Some(5), &b"some"[..]));
        let mut text = "old ".to_string();
        assert!(Broken(b"new").read_to_string(&mut text).is_err());
        assert!(text.starts_with("old "));
    }

    fn what_is_no_text_leaves_the_text_alone() {
        let mut text = "good ".to_string();
        let error = (&b"\xff\xfe"[..]).read_to_string(&mut text).unwrap_err();
        assert_eq!(text, "good ");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(error.to_string(), "stream did not contain valid UTF-8");
        let mut lines = &b"one\ntw\xff\nthree"[..];
        assert_eq!(lines.read_line(&mut text).unwrap(), 4);
        assert!(lines.read_line(&mut text).is_err());
        assert_eq!(text, "good one\n");
    }

    fn reading_exactly() {
        let mut buffer = [0; 5];
        slow("hello world", 2).read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"hello");
        let error = slow("hell", 2).read_exact(&mut buffer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(error.to_string(), "failed to fill whole buffer");
        assert_eq!(
            format!("{error:?}"),
            "Error { kind: UnexpectedEof, message: \"failed to fill whole buffer\" }"
        );
    }

    fn taking_and_chaining() {
        let mut both = slow("first ", 2).chain(&b"second"[..]);
        let mut text = String::new();
        both.by_ref().take(8).read_to_string(&mut text).unwrap();
        assert_eq!(text, "first se");
        both.read_to_string(&mut text).unwrap();
        assert_eq!(text, "first second");
        let (_, rest) = both.into_inner();
        assert!(rest.is_empty());

        let mut take = (&b"0123456789"[..]).take(4);
        let mut one = [0];
        assert_eq!((take.read(&mut one).unwrap(), take.limit()), (1, 3));
        assert_eq!(take.fill_buf().unwrap(), b"123");
        take.consume(2);
        assert_eq!((take.limit(), *take.get_ref()), (1, &b"3456789"[..]));
        take.set_limit(2);
        let mut rest = Vec::new();
        take.read_to_end(&mut rest).unwrap();
        assert_eq!((rest, take.into_inner()), (b"34".to_vec(), &b"56789"[..]));
        // Nobody is asked for nothing.
        assert_eq!(Broken(b"").take(0).read(&mut one).unwrap(), 0);

        let chain = (&b"a\nb"[..]).chain(&b"c\nd"[..]);
        let lines: Vec<String> = chain.lines().map(|line| line.unwrap()).collect();
        assert_eq!(lines, ["a", "bc", "d"]);
    }

    #[allow(clippy::unbuffered_bytes, reason = "it is what is tried")]
    fn bytes_one_by_one() {
        let bytes: Result<Vec<u8>> = slow("xyz", 1).bytes().collect();
        assert_eq!(bytes.unwrap(), b"xyz");
        let mut broken = Broken(b"a").bytes();
        assert_eq!(broken.next().unwrap().unwrap(), b'a');
        assert!(broken.next().unwrap().is_err());
    }

    fn lines_and_parts() {
        let lines = |text: &'static str| -> Vec<String> {
            text.as_bytes().lines().map(|line| line.unwrap()).collect()
        };
        assert_eq!(lines(""), [""; 0]);
        assert_eq!(lines("\n"), [""]);
        assert_eq!(lines("a\r\nb\rc\n\nd"), ["a", "b\rc", "", "d"]);
        assert_eq!(lines("end\r"), ["end\r"]);
        let parts: Vec<Vec<u8>> = BufRead::split(&b"a,b,,c"[..], b',').map(|part| part.unwrap()).collect();
        assert_eq!(parts, [&b"a"[..], b"b", b"", b"c"]);
        let mut text = &b"one two"[..];
        let mut word = Vec::new();
        assert_eq!(text.read_until(b' ', &mut word).unwrap(), 4);
        assert_eq!(text.skip_until(b'x').unwrap(), 3);
        assert_eq!((&word[..], text), (&b"one "[..], &b""[..]));
    }

    fn short_and_interrupted_writes_go_on() {
        let mut writer = narrow(100);
        writer.write_all(b"all of these words").unwrap();
        write!(writer.by_ref(), " and {}", 42).unwrap();
        assert_eq!(writer.taken, b"all of these words and 42");
        let mut full = narrow(4);
        let error = full.write_all(b"too much").unwrap_err();
        assert_eq!((error.kind(), &full.taken[..]), (ErrorKind::WriteZero, &b"too "[..]));
        assert_eq!(error.to_string(), "failed to write whole buffer");
        let error = write!(narrow(1), "{}{}", 1, 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
    }

    fn slices_are_read_and_written() {
        let mut room = [0u8; 4];
        let mut rest = &mut room[..];
        assert_eq!(rest.write(b"ab").unwrap(), 2);
        assert_eq!(rest.write_all(b"cde").unwrap_err().kind(), ErrorKind::WriteZero);
        assert_eq!((&room, room.len()), (b"abcd", 4));
        let mut words = &b"abc"[..];
        let mut two = [0; 2];
        assert_eq!((words.read(&mut two).unwrap(), words), (2, &b"c"[..]));
        assert!(words.read_exact(&mut two).is_err());
        assert!(words.is_empty());
    }

    fn several_buffers() {
        let mut bytes = Vec::new();
        let parts = [IoSlice::new(b"one "), IoSlice::new(b""), IoSlice::new(b"two")];
        assert_eq!(bytes.write_vectored(&parts).unwrap(), 7);
        assert_eq!(bytes, b"one two");
        let (mut a, mut b) = ([0; 3], [0; 3]);
        let mut into = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
        assert_eq!((&bytes[..]).read_vectored(&mut into).unwrap(), 6);
        assert_eq!((&a, &b), (b"one", b" tw"));
        // Who has no way of its own uses the first that is not empty.
        assert_eq!(narrow(100).write_vectored(&[IoSlice::new(b""), IoSlice::new(b"ab")]).unwrap(), 2);

        let mut parts = [IoSlice::new(b"abc"), IoSlice::new(b"de"), IoSlice::new(b"f")];
        let mut rest = &mut parts[..];
        IoSlice::advance_slices(&mut rest, 4);
        assert_eq!((rest.len(), &*rest[0]), (2, &b"e"[..]));
        rest[0].advance(1);
        assert!(rest[0].is_empty());
        let (mut a, mut b) = ([1, 2], [3, 4]);
        let mut parts = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
        let mut rest = &mut parts[..];
        IoSliceMut::advance_slices(&mut rest, 3);
        assert_eq!((rest.len(), &*rest[0]), (1, &[4u8][..]));
    }

    fn through_references_and_boxes() {
        fn read(mut reader: impl Read) -> String {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        }
        let mut text = &b"by reference"[..];
        assert_eq!(read(&mut text), "by reference");
        let boxed: Box<dyn Read> = Box::new(&b"boxed"[..]);
        assert_eq!(read(boxed), "boxed");
        let mut writer: Box<dyn Write> = Box::new(Vec::new());
        writer.write_all(b"x").unwrap();
        writer.flush().unwrap();
        let mut queue = VecDeque::from(*b"queue");
        queue.write_all(b"d up").unwrap();
        let mut two = [0; 2];
        queue.read_exact(&mut two).unwrap();
        assert_eq!((&two, read(&mut queue)), (b"qu", "eued up".to_string()));
        let mut lines = VecDeque::from(*b"a\nb");
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert_eq!((line.as_str(), lines.len()), ("a\n", 1));
    }

    fn nothing_and_everything() {
        assert_eq!(io::read_to_string(io::empty()).unwrap(), "");
        assert_eq!(io::empty().seek(SeekFrom::End(5)).unwrap(), 0);
        assert_eq!(io::empty().lines().count(), 0);
        assert_eq!(io::empty().write(b"gone").unwrap(), 4);
        let mut sevens = [0; 9];
        io::repeat(7).read_exact(&mut sevens).unwrap();
        assert_eq!(sevens, [7; 9]);
        assert_eq!(io::sink().write(&sevens).unwrap(), 9);
        assert_eq!(io::copy(&mut io::repeat(1).take(20_000), &mut io::sink()).unwrap(), 20_000);
    }

    fn copying() {
        let text = "to be copied, ".repeat(1000);
        let mut copied = narrow(100_000);
        let count = io::copy(&mut slow(&text, 100), &mut copied).unwrap();
        assert_eq!((count as usize, copied.taken.len()), (text.len(), text.len()));
        assert_eq!(copied.taken, text.as_bytes());
        assert!(io::copy(&mut Broken(b"x"), &mut Vec::new()).is_err());
        assert!(io::copy(&mut &b"much"[..], &mut narrow(2)).is_err());
    }

    fn an_error_of_the_writer_comes_through_formatting() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> Result<usize> {
                Err(Error::from_raw_os_error(28))
            }
            fn flush(&mut self) -> Result<()> {
                Err(Error::other("never"))
            }
        }
        assert_eq!(write!(Full, "{}", 1).unwrap_err().raw_os_error(), Some(28));
        assert!(Full.flush().is_err());
    }
}
