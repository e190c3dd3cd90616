// A pool of workers that take jobs from one channel and answer on another.

use both::channel::{self, Sender};
use std::collections::BTreeMap;
use std::thread;

enum Job {
    Factor(u32),
    Length(String),
    Stop,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Factors(u32, Vec<u32>),
    Length(String, usize),
}

fn factors(mut number: u32) -> Vec<u32> {
    let mut factors = Vec::new();
    let mut divisor = 2;
    while number > 1 {
        while number.is_multiple_of(divisor) {
            factors.push(divisor);
            number /= divisor;
        }
        divisor += 1;
    }
    factors
}

fn work(job: Job, answers: &Sender<Answer>) -> bool {
    let answer = match job {
        Job::Factor(number) => Answer::Factors(number, factors(number)),
        Job::Length(text) => {
            let length = text.chars().count();
            Answer::Length(text, length)
        }
        Job::Stop => return false,
    };
    answers.send(answer).is_ok()
}

fn main() {
    const WORKERS: usize = 4;
    let (jobs, queue) = channel::unbounded();
    let (answers, results) = channel::unbounded();

    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let (queue, answers) = (queue.clone(), answers.clone());
            thread::Builder::new()
                .name(format!("worker {number}"))
                .spawn(move || {
                    let mut done = 0usize;
                    while let Ok(job) = queue.recv() {
                        if !work(job, &answers) {
                            break;
                        }
                        done += 1;
                    }
                    (thread::current().name().map(str::to_owned), done)
                })
                .unwrap()
        })
        .collect();
    drop(answers);

    for number in 90..110 {
        jobs.send(Job::Factor(number)).unwrap();
    }
    for text in ["", "channel", "größer", "日本語"] {
        jobs.send(Job::Length(text.to_string())).unwrap();
    }
    for _ in 0..WORKERS {
        jobs.send(Job::Stop).unwrap();
    }

    let mut sorted: Vec<Answer> = results.iter().collect();
    sorted.sort();
    for answer in &sorted {
        println!("{answer:?}");
    }
    let done: BTreeMap<_, _> = workers
        .into_iter()
        .map(|worker| worker.join().unwrap())
        .collect();
    println!("{:?}", done.keys().collect::<Vec<_>>());
    println!("{} jobs", done.values().sum::<usize>());
    println!("{} left", queue.len());
}
