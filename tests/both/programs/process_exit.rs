// exit() ends all of the process, from any thread, with what was printed.
//@ status: 7

use std::process;
use std::thread;
use std::time::Duration;

struct Loud;

impl Drop for Loud {
    fn drop(&mut self) {
        println!("nobody drops this");
    }
}

fn main() {
    let _loud = Loud;
    println!("{}", process::id() > 1);
    print!("no newline before the end");
    let ending = thread::spawn(|| {
        let _loud = Loud;
        process::exit(256 + 7)
    });
    loop {
        thread::sleep(Duration::from_millis(1));
        if ending.is_finished() {
            println!("nor is this printed");
        }
    }
}
