// Channels that the clock sends to.

use both::channel::{after, at, never, select, tick};
use std::time::{Duration, Instant};

fn main() {
    let begin = Instant::now();
    let soon = Duration::from_millis(10);

    let fired = after(soon).recv().unwrap();
    println!("after: {}", fired >= begin + soon);
    let deadline = Instant::now() + soon;
    let fired = at(deadline).recv().unwrap();
    println!("at: {}", fired >= deadline);
    println!("at a time that has been: {}", at(begin).recv().is_ok());

    let ticker = tick(soon);
    let times: Vec<Instant> = ticker.iter().take(3).collect();
    println!("ticks in order: {}", times.is_sorted());
    println!("ticks apart: {}", times[2] - times[0] >= 2 * soon);
    println!(
        "ticker: {:?} {}",
        ticker.capacity(),
        ticker.same_channel(&ticker.clone())
    );

    let timer = after(Duration::from_secs(3600));
    println!(
        "timer: {:?} {} {}",
        timer.try_recv(),
        timer.len(),
        timer.capacity() == Some(1)
    );
    println!("nothing: {:?}", never::<u8>().try_recv());
    println!("nothing in time: {:?}", never::<u8>().recv_timeout(soon));

    let timeout = Some(Duration::from_millis(1));
    let timeout = timeout.map(after).unwrap_or(never());
    select! {
        recv(timer) -> _ => println!("an hour has passed"),
        recv(timeout) -> time => println!("timeout: {}", time.is_ok()),
    }
    println!("fired once: {:?}", timeout.try_recv());
}
