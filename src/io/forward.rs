//! The traits for references, boxes, slices, vectors and queues.

use crate::alloc::boxed::Box;
use crate::alloc::collections::VecDeque;
use crate::alloc::string::String;
use crate::alloc::vec::Vec;
use core::{fmt, mem};

use super::buf_read::BufRead;
use super::error::{Error, NOT_FILLED, NOTHING_WRITTEN, Result};
use super::read::{Read, append_text};
use super::seek::{Seek, SeekFrom};
use super::slice::{IoSlice, IoSliceMut};
use super::write::Write;

/// Hands every call on to what is pointed at.
macro_rules! forward {
    ($pointer:ty) => {
        impl<T: Read + ?Sized> Read for $pointer {
            fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
                (**self).read(buffer)
            }

            fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
                (**self).read_vectored(buffers)
            }

            fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> Result<usize> {
                (**self).read_to_end(buffer)
            }

            fn read_to_string(&mut self, buffer: &mut String) -> Result<usize> {
                (**self).read_to_string(buffer)
            }

            fn read_exact(&mut self, buffer: &mut [u8]) -> Result<()> {
                (**self).read_exact(buffer)
            }
        }

        impl<T: BufRead + ?Sized> BufRead for $pointer {
            fn fill_buf(&mut self) -> Result<&[u8]> {
                (**self).fill_buf()
            }

            fn consume(&mut self, count: usize) {
                (**self).consume(count);
            }

            fn read_until(&mut self, delimiter: u8, buffer: &mut Vec<u8>) -> Result<usize> {
                (**self).read_until(delimiter, buffer)
            }

            fn skip_until(&mut self, delimiter: u8) -> Result<usize> {
                (**self).skip_until(delimiter)
            }

            fn read_line(&mut self, buffer: &mut String) -> Result<usize> {
                (**self).read_line(buffer)
            }
        }

        impl<T: Write + ?Sized> Write for $pointer {
            fn write(&mut self, bytes: &[u8]) -> Result<usize> {
                (**self).write(bytes)
            }

            fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
                (**self).write_vectored(buffers)
            }

            fn flush(&mut self) -> Result<()> {
                (**self).flush()
            }

            fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
                (**self).write_all(bytes)
            }

            fn write_fmt(&mut self, args: fmt::Arguments<'_>) -> Result<()> {
                (**self).write_fmt(args)
            }
        }

        impl<T: Seek + ?Sized> Seek for $pointer {
            fn seek(&mut self, position: SeekFrom) -> Result<u64> {
                (**self).seek(position)
            }

            fn rewind(&mut self) -> Result<()> {
                (**self).rewind()
            }

            fn stream_position(&mut self) -> Result<u64> {
                (**self).stream_position()
            }

            fn seek_relative(&mut self, offset: i64) -> Result<()> {
                (**self).seek_relative(offset)
            }
        }
    };
}

forward!(&mut T);
forward!(Box<T>);

/// What is read is gone from the slice's beginning.
impl Read for &[u8] {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = buffer.len().min(self.len());
        let (now, later) = self.split_at(count);
        match (buffer, now) {
            ([to, ..], [from]) => *to = *from, // cheaper than a call for one byte
            (buffer, now) => buffer.split_at_mut(count).0.copy_from_slice(now),
        }
        *self = later;
        Ok(count)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
        let mut total = 0;
        for buffer in buffers {
            total += self.read(buffer)?;
        }
        Ok(total)
    }

    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<()> {
        if buffer.len() > self.len() {
            *self = self.split_at(self.len()).1;
            return Err(Error::constant(&NOT_FILLED));
        }
        self.read(buffer)?;
        Ok(())
    }

    fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> Result<usize> {
        let count = self.len();
        buffer.try_reserve(count)?;
        buffer.extend(mem::take(self));
        Ok(count)
    }

    fn read_to_string(&mut self, buffer: &mut String) -> Result<usize> {
        append_text(buffer, |bytes| self.read_to_end(bytes))
    }
}

impl BufRead for &[u8] {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        Ok(self)
    }

    fn consume(&mut self, count: usize) {
        *self = self.split_at(count).1;
    }
}

/// Writes over the slice's beginning, which is gone from it then.
impl Write for &mut [u8] {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let count = bytes.len().min(self.len());
        let (room, later) = mem::take(self).split_at_mut(count);
        room.copy_from_slice(bytes.split_at(count).0);
        *self = later;
        Ok(count)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
        let mut total = 0;
        for buffer in buffers {
            total += self.write(buffer)?;
        }
        Ok(total)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        if self.write(bytes)? == bytes.len() {
            Ok(())
        } else {
            Err(Error::constant(&NOTHING_WRITTEN))
        }
    }
}

/// Appends to a collection.
macro_rules! append {
    ($($collection:ident),*) => {$(
        impl Write for $collection<u8> {
            fn write(&mut self, bytes: &[u8]) -> Result<usize> {
                self.extend(bytes);
                Ok(bytes.len())
            }

            fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
                let total = buffers.iter().map(|buffer| buffer.len()).sum();
                self.reserve(total);
                buffers.iter().for_each(|buffer| self.extend(&**buffer));
                Ok(total)
            }

            fn flush(&mut self) -> Result<()> {
                Ok(())
            }
        }
    )*};
}

append!(Vec, VecDeque);

/// What is read is gone from the queue's front.
impl Read for VecDeque<u8> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.as_slices().0.read(buffer)?;
        self.drain(..count);
        Ok(count)
    }

    fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> Result<usize> {
        let count = self.len();
        buffer.try_reserve(count)?;
        buffer.extend(self.drain(..));
        Ok(count)
    }
}

impl BufRead for VecDeque<u8> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        Ok(self.as_slices().0)
    }

    fn consume(&mut self, count: usize) {
        self.drain(..count);
    }
}
