// The first program.

fn main() {
    println!("hello, {}", "world");
    println!();
    print!("{0}-{1}-{0}, ", 1, 2);
    println!(
        "{name:>5}|{value:<6.2}|{flag:?}",
        name = "x",
        value = 1.5,
        flag = Some(true)
    );
    eprint!("on ");
    eprintln!("stderr");
}
