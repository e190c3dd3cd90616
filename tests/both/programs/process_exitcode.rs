// main returns an ExitCode.
//@ status: 42

use std::process::{ExitCode, Termination};

struct Outcome {
    failures: u8,
}

impl Termination for Outcome {
    fn report(self) -> ExitCode {
        println!("{} failures", self.failures);
        match self.failures {
            0 => ExitCode::SUCCESS,
            count => ExitCode::from(count),
        }
    }
}

fn main() -> impl Termination {
    println!("{}", ExitCode::SUCCESS == ExitCode::from(0));
    println!("{}", ExitCode::FAILURE == ExitCode::default());
    Outcome { failures: 42 }
}
