// All that one can write in a select!.

use both::channel::{self, Receiver, bounded, never, select, select_biased, unbounded};
use std::time::Duration;

fn first_even(numbers: &Receiver<u32>) -> Result<u32, Box<dyn std::error::Error>> {
    loop {
        select! {
            recv(numbers) -> number => {
                let number = number?;
                if number % 2 == 0 {
                    return Ok(number);
                }
                println!("odd: {number}");
            }
            default => return Err("there is none yet".into()),
        }
    }
}

fn main() {
    let (sender, receiver) = unbounded();
    println!("{}", first_even(&receiver).unwrap_err());
    for number in [1, 3, 4, 5] {
        select! {
            send(sender, number) -> result => result.unwrap(),
        }
    }
    println!("{}", first_even(&receiver).unwrap());

    // An expression with a value, of any of the bodies.
    let text = select! {
        recv(receiver) -> number => format!("a number: {}", number.unwrap()),
        recv(never::<()>()) -> _ => unreachable!(),
        default(Duration::from_secs(1000)) => String::new(),
    };
    println!("{text}");

    // The first one, where several can.
    let (to_left, left) = bounded(10);
    let (to_right, right) = bounded(10);
    for number in 0..3 {
        to_right.send(number).unwrap();
        to_left.send(number + 10).unwrap();
    }
    for _ in 0..6 {
        select_biased! {
            recv(left) -> number => println!("left {number:?}"),
            recv(right) -> number => println!("right {number:?}"),
        }
    }

    // Operations that are there at times.
    let mut queue = vec!["c", "b", "a"];
    let mut got = Vec::new();
    let (output, input) = channel::bounded(1);
    let (nowhere, _nobody) = bounded(0);
    let nothing = never();
    'all: loop {
        let to = if queue.is_empty() { &nowhere } else { &output };
        let from = if got.len() < 2 || queue.is_empty() {
            &input
        } else {
            &nothing
        };
        select! {
            send(to, queue.pop().unwrap()) -> result => result.unwrap(),
            recv(from) -> word => {
                got.push(word.unwrap());
                if got.len() == 3 {
                    break 'all;
                }
                continue 'all;
            },
            default => unreachable!(),
        }
    }
    println!("{got:?}");

    drop((to_left, to_right, left));
    select! {
        recv(right) -> message => println!("{message:?}"),
        default() => println!("nothing"),
    }
    select! { default => println!("nothing at all") }
}
