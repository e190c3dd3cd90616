// abort() ends the process by a signal, at once.
//@ signal: 6

use std::process;

struct Loud;

impl Drop for Loud {
    fn drop(&mut self) {
        println!("nobody drops this");
    }
}

fn main() {
    let _loud = Loud;
    println!("before");
    if std::env::args().count() < 100 {
        process::abort();
    }
    println!("after");
}
