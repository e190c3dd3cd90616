// Copies standard input to standard output, a hexadecimal dump of it to both.

use std::io::{self, BufReader, BufWriter, Read, Write};

fn dump(bytes: &[u8], to: &mut dyn Write) -> io::Result<()> {
    for (number, row) in bytes.chunks(16).enumerate() {
        write!(to, "{:08x}  ", number * 16)?;
        for byte in row {
            write!(to, "{byte:02x} ")?;
        }
        for _ in row.len()..16 {
            to.write_all(b"   ")?;
        }
        let text: String = row
            .iter()
            .map(|&byte| {
                if byte.is_ascii_graphic() || byte == b' ' {
                    byte as char
                } else {
                    '.'
                }
            })
            .collect();
        writeln!(to, " |{text}|")?;
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let mut input = BufReader::new(io::stdin());
    let mut head = Vec::new();
    input.by_ref().take(40).read_to_end(&mut head)?;
    dump(&head, &mut io::stdout().lock())?;
    dump(&head[..8], &mut io::stderr())?;

    let mut output = BufWriter::new(io::stdout());
    output.write_all(&head)?;
    let count = io::copy(&mut input, &mut output)?;
    writeln!(output, "\n{count} more")?;
    output.flush()?;
    // Bytes that are no text, and no newline at the end.
    io::stdout().write_all(&[0xff, 0, b'\r', 0xfe])
}
