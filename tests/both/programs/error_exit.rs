// Each of many jobs may fail; the program's status says how many did.
//@ status: 3

use std::error::Error;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

type Outcome = Result<u64, Box<dyn Error + Send + Sync>>;

fn job(number: u64) -> Outcome {
    if number % 4 == 3 {
        return Err(format!("job {number} does not want to").into());
    }
    let text = if number == 5 {
        "five".to_string()
    } else {
        number.to_string()
    };
    Ok(text.parse::<u64>()?.pow(2))
}

fn main() -> ExitCode {
    let (sender, outcomes) = mpsc::channel();
    for number in 0..10 {
        let sender = sender.clone();
        thread::spawn(move || sender.send((number, job(number))));
    }
    drop(sender);
    let mut outcomes: Vec<(u64, Outcome)> = outcomes.iter().collect();
    outcomes.sort_by_key(|outcome| outcome.0);
    let mut failures = 0;
    for (number, outcome) in outcomes {
        match outcome {
            Ok(value) => println!("{number}: {value}"),
            Err(error) => {
                eprintln!("{number}: {error}");
                failures += 1;
            }
        }
    }
    ExitCode::from(failures)
}
