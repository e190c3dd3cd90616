// The arithmetic of time.

use std::time::{Duration, Instant, SystemTime, SystemTimeError, UNIX_EPOCH};

fn main() {
    let span = Duration::new(3, 500_000_000);
    println!("{span:?} {} {}", span.as_secs(), span.subsec_millis());
    println!(
        "{:?} {:?} {:?}",
        Duration::from_micros(1500),
        Duration::from_nanos(7),
        Duration::ZERO
    );
    println!("{:?} {:?}", Duration::from_secs_f64(2.7), Duration::MAX);
    println!(
        "{:.1?} {:>10?} {:<10?}|",
        Duration::from_millis(1234),
        span,
        span
    );
    println!("{:?} {:?} {:?}", span + span, span * 3, span / 2);
    println!(
        "{:?} {:?}",
        span.checked_sub(span * 2),
        span.saturating_sub(span * 2)
    );
    println!("{} {}", span.as_millis(), span.as_secs_f32());
    let total: Duration = (1..=4).map(Duration::from_secs).sum();
    println!("{total:?} {:?}", total.mul_f64(0.25));
    println!("{:?} {:?}", span.abs_diff(total), span.cmp(&total));

    let now = Instant::now();
    let later = now + span;
    println!("{:?} {:?}", later - now, later.duration_since(now));
    println!(
        "{:?} {:?}",
        now.checked_duration_since(later),
        now.saturating_duration_since(later)
    );
    println!("{} {}", now < later, now == later - span);
    println!("{:?}", now.checked_add(Duration::MAX));
    let mut moved = now;
    moved += Duration::from_secs(1);
    moved -= Duration::from_millis(1);
    println!("{:?}", moved - now);
    let times: Vec<Instant> = (0..1000).map(|_| Instant::now()).collect();
    println!("{}", times.is_sorted());
    std::thread::sleep(Duration::from_millis(3));
    println!("{}", now.elapsed() >= Duration::from_millis(3));

    let moment = UNIX_EPOCH + Duration::from_secs(86_400 * 365);
    println!("{:?}", moment.duration_since(UNIX_EPOCH));
    let error: SystemTimeError = UNIX_EPOCH.duration_since(moment).unwrap_err();
    println!("{error} | {:?}", error.duration());
    println!(
        "{:?}",
        moment
            .checked_sub(Duration::from_secs(86_400 * 400))
            .map(|time| time < UNIX_EPOCH)
    );
    println!("{}", SystemTime::now() > moment);
    println!(
        "{}",
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs()
            > 1_700_000_000
    );
    println!("{}", moment.elapsed().is_ok());
}
