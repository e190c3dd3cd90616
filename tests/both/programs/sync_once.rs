// What happens once, whoever comes first.

use std::cell::{LazyCell, OnceCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Once, OnceLock};
use std::thread;

static STARTS: AtomicU32 = AtomicU32::new(0);
static START: Once = Once::new();
static CONFIG: OnceLock<String> = OnceLock::new();
static TABLE: LazyLock<HashMap<&'static str, u32>> = LazyLock::new(|| {
    STARTS.fetch_add(100, Ordering::Relaxed);
    HashMap::from([("one", 1), ("two", 2), ("three", 3)])
});

fn config() -> &'static str {
    CONFIG.get_or_init(|| {
        STARTS.fetch_add(10, Ordering::Relaxed);
        ["the", "configuration"].join(" ")
    })
}

fn main() {
    println!("{} {:?}", START.is_completed(), CONFIG.get());
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                START.call_once(|| _ = STARTS.fetch_add(1, Ordering::Relaxed));
                assert_eq!(config().len(), 17);
                assert_eq!(TABLE["two"], 2);
            });
        }
    });
    println!(
        "{} {}",
        STARTS.load(Ordering::Relaxed),
        START.is_completed()
    );
    println!("{} {:?}", config(), CONFIG.set("another".to_string()));
    let mut names: Vec<_> = TABLE.iter().collect();
    names.sort();
    println!("{names:?}");

    let mut cell = OnceLock::new();
    println!("{cell:?} {:?} {:?}", cell.set(1), cell.set(2));
    println!("{cell:?} {:?}", cell.get_mut().map(|value| *value += 5));
    println!(
        "{:?} {:?} {:?}",
        cell.clone(),
        cell.take(),
        cell.into_inner()
    );
    println!("{:?}", OnceLock::from(3));

    let once = OnceCell::new();
    println!("{} {:?}", once.get_or_init(|| "cell"), once.set("no"));
    let lazy = LazyCell::new(|| {
        println!("now");
        7
    });
    println!("before");
    println!("{} {}", *lazy, *lazy + 1);
    let local = LazyLock::new(|| vec![1; 3]);
    println!("{:?} {}", *local, LazyLock::force(&local).len());

    let forced = Once::new();
    forced.call_once_force(|state| println!("poisoned: {}", state.is_poisoned()));
    println!("{}", forced.is_completed());
}
