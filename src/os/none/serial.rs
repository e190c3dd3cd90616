//! The first serial port, a 16550: standard output, standard error and standard input.
//!
//! By polling: there is no interrupt of its. Bytes go out as they are, a newline without a
//! carriage return, and come in as they are but for one: Ctrl-D, 4, is the end of the
//! input, since a line has none of its own.

use core::sync::atomic::{AtomicBool, Ordering};

use x86_64::instructions::port::Port;

use super::lock::Locked;

/// Where PCs have it.
const BASE: u16 = 0x3f8;

/// The registers behind that.
const DATA: u16 = 0;
const INTERRUPTS: u16 = 1;
const FIFO: u16 = 2;
const LINE: u16 = 3;
const MODEM: u16 = 4;
const STATUS: u16 = 5;

/// The status: a byte has come, and there is room for one to go.
const READY: u8 = 1 << 0;
const EMPTY: u8 = 1 << 5;

/// What a port reads as that nothing is behind.
const NOTHING: u8 = 0xff;

/// How often to look whether the port takes another byte: some tenths of a second, for a
/// byte takes 87 µs at 115,200 baud. What it does not take then is lost, for ever nobody
/// shall wait.
const PATIENCE: u32 = 200_000;

/// How many bytes go out with the port in one hand, as many as its FIFO holds: whoever
/// has it is not interrupted.
const PIECE: usize = 16;

/// The end of the input, Ctrl-D; and the carriage return.
const END: u8 = 4;

/// Whose turn it is.
static LOCK: Locked<()> = Locked::new(());

/// The end has been read, and is to be read once more.
static ENDED: AtomicBool = AtomicBool::new(false);

/// Reads a register.
fn read_register(register: u16) -> u8 {
    // SAFETY: the port's own registers, or nothing at all; no memory is at stake.
    unsafe { Port::new(BASE + register).read() }
}

/// Writes one.
fn write_register(register: u16, value: u8) {
    // SAFETY: as above.
    unsafe { Port::new(BASE + register).write(value) };
}

/// Sets the port up: 115,200 baud, eight bits, no parity, no interrupts.
pub(super) fn init() {
    const LATCH: u8 = 0x80;
    // To turn the FIFOs on forgets what has come. Where something has, it goes without them:
    // QEMU sends a byte when the one before has been read. Of a line that does not wait some
    // are lost, as they were before this; and so is one that comes between these two steps.
    let status = read_register(STATUS);
    if status == NOTHING || status & READY == 0 {
        write_register(FIFO, 1);
    }
    write_register(INTERRUPTS, 0);
    write_register(LINE, LATCH);
    write_register(DATA, 1); // the divisor, low and high
    write_register(INTERRUPTS, 0);
    write_register(LINE, 3);
    write_register(MODEM, 3);
}

/// Writes bytes. From any stack, by whoever comes; lines of several CPUs mix by pieces.
pub(super) fn write(bytes: &[u8]) {
    for piece in bytes.chunks(PIECE) {
        // A copy: what is behind the slice may have to be paged in first.
        let mut copy = [0; PIECE];
        let copy = copy.get_mut(..piece.len()).unwrap_or_default();
        copy.copy_from_slice(piece);
        LOCK.with_luck(|| copy.iter().for_each(|&byte| write_byte(byte)));
    }
}

/// Writes one byte.
fn write_byte(byte: u8) {
    for _ in 0..PATIENCE {
        if read_register(STATUS) & EMPTY != 0 {
            break;
        }
    }
    write_register(DATA, byte);
}

/// Reads what has come, at most `buffer.len()` bytes; None if nothing has. 0 is the end.
pub(super) fn read(buffer: &mut [u8]) -> Option<usize> {
    if ENDED.swap(false, Ordering::Relaxed) {
        return Some(0); // whoever reads takes turns by a lock further up
    }
    let mut count = 0;
    for slot in buffer {
        let Some(byte) = read_byte() else { break };
        if byte == END {
            if count > 0 {
                ENDED.store(true, Ordering::Relaxed); // as above
            }
            return Some(count);
        }
        *slot = byte;
        count += 1;
    }
    (count > 0).then_some(count)
}

/// Reads one byte, if one has come.
fn read_byte() -> Option<u8> {
    LOCK.with(|()| {
        let status = read_register(STATUS);
        (status != NOTHING && status & READY != 0).then(|| read_register(DATA))
    })
}
