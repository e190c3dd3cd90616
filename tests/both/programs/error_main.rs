// main returns an error: it goes to standard error as Debug shows it, and the status is 1.
//@ status: 1

use std::fmt;

struct Failure {
    step: u32,
    why: String,
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in step {}: {}", self.step, self.why)
    }
}

struct Noted(&'static str);

impl Drop for Noted {
    fn drop(&mut self) {
        println!("{} is dropped", self.0);
    }
}

fn step(number: u32) -> Result<u32, String> {
    let _noted = Noted("a step");
    match number {
        3 => Err(format!("{number} is not allowed")),
        _ => Ok(number * 2),
    }
}

fn main() -> Result<(), Failure> {
    let _noted = Noted("main's");
    for number in 1.. {
        let double = step(number).map_err(|why| Failure { step: number, why })?;
        println!("{double}");
    }
    unreachable!()
}
