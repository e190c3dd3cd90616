// Standard output and standard error, from many places.

use std::io::{self, IsTerminal, LineWriter, Write};
use std::thread;

fn main() -> io::Result<()> {
    print!("no newline, ");
    io::stdout().flush()?;
    println!("{}", "and one");
    let mut lock = io::stdout().lock();
    lock.write_all(b"locked: ")?;
    for number in 0..5 {
        write!(lock, "{number} ")?;
    }
    lock.write_all(b"\n")?;
    writeln!(&mut lock, "{:?}", "still locked")?;
    drop(lock);
    print!("a long line: {} ", "-".repeat(3000));
    println!("{:>1500}", "|");
    println!();

    // A line is written as one, whoever else prints.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    println!("{}", "the same line from all of them");
                }
            });
        }
    });
    eprintln!("an error: {:?}", io::Error::other("for stderr"));
    let mut errors = io::stderr().lock();
    write!(errors, "{}", "in ")?;
    errors.write_all(b"pieces\n")?;
    drop(errors);
    let mut lines = LineWriter::new(io::stdout());
    lines.write_all(b"through a LineWriter\nleft over")?;
    drop(lines);
    println!(" and {}", io::stdout().is_terminal());
    let all: &mut dyn Write = &mut io::stdout();
    writeln!(all, "dyn {:5.1}", 2.25)?;
    dbg!(1 + 1);
    // What stands there when main returns is written.
    print!("the end");
    Ok(())
}
