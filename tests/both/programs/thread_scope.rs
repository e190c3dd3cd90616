// Threads that borrow from the function that starts them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

fn parallel_sum(numbers: &[u64], threads: usize) -> u64 {
    let size = numbers.len().div_ceil(threads);
    thread::scope(|scope| {
        let parts: Vec<_> = numbers
            .chunks(size)
            .map(|part| scope.spawn(move || part.iter().sum::<u64>()))
            .collect();
        parts.into_iter().map(|part| part.join().unwrap()).sum()
    })
}

fn merge_sort(numbers: &mut [i32]) {
    if numbers.len() <= 64 {
        numbers.sort_unstable();
        return;
    }
    let middle = numbers.len() / 2;
    let (left, right) = numbers.split_at_mut(middle);
    thread::scope(|scope| {
        scope.spawn(|| merge_sort(left));
        merge_sort(right);
    });
    let mut merged = Vec::with_capacity(numbers.len());
    let (mut left, mut right) = (
        numbers[..middle].iter().peekable(),
        numbers[middle..].iter().peekable(),
    );
    while let (Some(&&a), Some(&&b)) = (left.peek(), right.peek()) {
        merged.push(if a <= b {
            *left.next().unwrap()
        } else {
            *right.next().unwrap()
        });
    }
    merged.extend(left.chain(right));
    numbers.copy_from_slice(&merged);
}

fn main() {
    let numbers: Vec<u64> = (1..=10_000).collect();
    for threads in [1, 3, 8] {
        println!("{}", parallel_sum(&numbers, threads));
    }

    let mut random = 12345u32;
    let mut numbers: Vec<i32> = (0..5000)
        .map(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 16) as i32 - 32768
        })
        .collect();
    let mut sorted = numbers.clone();
    merge_sort(&mut numbers);
    sorted.sort();
    println!("sorted: {}", numbers == sorted);

    let mut words = vec![
        String::from("one"),
        String::from("two"),
        String::from("three"),
    ];
    let (count, longest) = (AtomicUsize::new(0), Mutex::new(String::new()));
    thread::scope(|scope| {
        for word in &mut words {
            let (count, longest) = (&count, &longest);
            scope.spawn(move || {
                word.make_ascii_uppercase();
                count.fetch_add(word.len(), Ordering::Relaxed);
                let mut longest = longest.lock().unwrap();
                if word.len() > longest.len() {
                    longest.clone_from(word);
                }
            });
        }
    });
    println!(
        "{words:?} {} {:?}",
        count.into_inner(),
        longest.into_inner().unwrap()
    );

    let inner = thread::scope(|scope| {
        let outer = thread::Builder::new()
            .name("outer".into())
            .spawn_scoped(scope, || {
                let inner = scope.spawn(|| 40);
                inner.join().unwrap() + 2
            })
            .unwrap();
        println!("{:?}", outer.thread().name());
        outer.join().unwrap()
    });
    println!("{inner}");
}
