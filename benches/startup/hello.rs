//! hello as Rust has it with std.

fn main() {
    println!("vim-go");
}
