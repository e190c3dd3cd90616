// A calculator in reverse Polish notation that reads standard input in several ways.

use std::io::{self, BufRead, Read, Write};

fn evaluate(line: &str) -> Result<f64, String> {
    let mut stack = Vec::new();
    for token in line.split_ascii_whitespace() {
        let mut pop = || {
            stack
                .pop()
                .ok_or_else(|| format!("nothing there for {token:?}"))
        };
        let value = match token {
            "+" | "-" | "*" | "/" => {
                let (right, left) = (pop()?, pop()?);
                match token {
                    "+" => left + right,
                    "-" => left - right,
                    "*" => left * right,
                    _ if right == 0.0 => return Err("division by zero".into()),
                    _ => left / right,
                }
            }
            "abs" => f64::abs(pop()?),
            number => number
                .parse()
                .map_err(|error| format!("{number:?}: {error}"))?,
        };
        stack.push(value);
    }
    match stack[..] {
        [value] => Ok(value),
        _ => Err(format!("{} values", stack.len())),
    }
}

fn main() -> io::Result<()> {
    let stdin = io::stdin();
    let mut title = String::new();
    let length = stdin.read_line(&mut title)?;
    println!("{length} {}", title.trim_end());

    let mut input = stdin.lock();
    let mut count = String::new();
    input.read_line(&mut count)?;
    let stdout = io::stdout();
    let mut output = stdout.lock();
    for (number, line) in input
        .by_ref()
        .lines()
        .take(count.trim().parse().unwrap_or(0))
        .enumerate()
    {
        match evaluate(&line?) {
            Ok(value) => writeln!(output, "{number}: {value}")?,
            Err(error) => writeln!(output, "{number}: error: {error}")?,
        }
    }
    output.flush()?;
    drop(output);

    let mut bytes = [0; 6];
    input.read_exact(&mut bytes)?;
    println!("{:?}", bytes.escape_ascii().to_string());
    let mut rest = String::new();
    input.read_to_string(&mut rest)?;
    println!("{rest:?} {}", input.read(&mut bytes)?);
    drop(input);
    println!("{:?}", stdin.lines().next().is_none());
    Ok(())
}
