//! `io::Cursor`.

use std::io::{BufRead, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::prelude::v1::*;

cases! {
    fn a_vector_grows() {
        let mut cursor = Cursor::new(b"abc".to_vec());
        assert_eq!(cursor.write(b"X").unwrap(), 1);
        cursor.set_position(5);
        cursor.write_all(b"YZ").unwrap();
        assert_eq!((cursor.position(), cursor.get_ref().as_slice()), (7, &b"Xbc\0\0YZ"[..]));
        cursor.set_position(6);
        cursor.write_all(b"12").unwrap();
        assert_eq!(cursor.into_inner(), b"Xbc\0\0Y12");
        let mut bytes = Vec::new();
        Cursor::new(&mut bytes).write_all(b"borrowed").unwrap();
        assert_eq!(bytes, b"borrowed");
    }

    fn a_slice_does_not() {
        let mut room = [0u8; 3];
        let mut cursor = Cursor::new(&mut room[..]);
        assert_eq!(cursor.write(b"abcd").unwrap(), 3);
        assert_eq!(cursor.write(b"e").unwrap(), 0);
        assert_eq!(cursor.write_all(b"e").unwrap_err().kind(), ErrorKind::WriteZero);
        cursor.set_position(100);
        assert_eq!(cursor.write(b"e").unwrap(), 0);
        assert_eq!(&room, b"abc");
        let mut array = Cursor::new([0u8; 2]);
        array.write_all(b"hi").unwrap();
        assert_eq!(&array.into_inner(), b"hi");
        let mut boxed = Cursor::new(vec![0u8; 2].into_boxed_slice());
        assert_eq!(boxed.write(b"xyz").unwrap(), 2);
        assert_eq!(&**boxed.get_ref(), b"xy");
        boxed.get_mut()[0] = b'w';
        assert_eq!(&*boxed.into_inner(), b"wy");
    }

    fn reading_goes_on() {
        let mut cursor = Cursor::new("one\ntwo\nthree");
        let mut line = String::new();
        cursor.read_line(&mut line).unwrap();
        assert_eq!((line.as_str(), cursor.position()), ("one\n", 4));
        let mut three = [0; 3];
        cursor.read_exact(&mut three).unwrap();
        assert_eq!(&three, b"two");
        assert_eq!(cursor.fill_buf().unwrap(), b"\nthree");
        cursor.consume(1);
        assert_eq!(cursor.read_exact(&mut [0; 6]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(cursor.position(), 13);
        cursor.set_position(99);
        assert_eq!(cursor.read(&mut three).unwrap(), 0);
        assert_eq!(cursor.fill_buf().unwrap(), b"");
        cursor.set_position(8);
        let mut rest = Vec::new();
        assert_eq!(cursor.read_to_end(&mut rest).unwrap(), 5);
        assert_eq!((rest, cursor.position()), (b"three".to_vec(), 13));
    }

    fn positions() {
        let mut cursor = Cursor::new([0u8; 10]);
        assert_eq!(cursor.seek(SeekFrom::Start(4)).unwrap(), 4);
        assert_eq!(cursor.seek(SeekFrom::Current(-1)).unwrap(), 3);
        assert_eq!(cursor.seek(SeekFrom::End(5)).unwrap(), 15);
        let error = cursor.seek(SeekFrom::End(-11)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), "invalid seek to a negative or overflowing position");
        assert_eq!(cursor.stream_position().unwrap(), 15);
        cursor.set_position(u64::MAX);
        assert!(cursor.seek(SeekFrom::Current(1)).is_err());
        cursor.seek_relative(-5).unwrap();
        assert_eq!(cursor.position(), u64::MAX - 5);
        cursor.rewind().unwrap();
        assert_eq!(cursor, Cursor::new([0u8; 10]));
        assert_eq!(format!("{:?}", Cursor::new(7)), "Cursor { inner: 7, pos: 0 }");
    }
}
