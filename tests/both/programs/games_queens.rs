// Queens on a board, solutions counted by threads that share out the first row.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;

fn solutions(size: u32, row: u32, columns: u32, left: u32, right: u32) -> u64 {
    if row == size {
        return 1;
    }
    let mut free = !(columns | left | right) & ((1 << size) - 1);
    let mut count = 0;
    while free != 0 {
        let queen = free & free.wrapping_neg();
        free ^= queen;
        count += solutions(
            size,
            row + 1,
            columns | queen,
            (left | queen) << 1,
            (right | queen) >> 1,
        );
    }
    count
}

fn first(size: usize, placed: &mut Vec<usize>) -> bool {
    if placed.len() == size {
        return true;
    }
    for column in 0..size {
        let row = placed.len();
        let free = placed
            .iter()
            .enumerate()
            .all(|(r, &c)| c != column && c.abs_diff(column) != row - r);
        if free {
            placed.push(column);
            if first(size, placed) {
                return true;
            }
            placed.pop();
        }
    }
    false
}

fn main() {
    let counts = Arc::new(Mutex::new(BTreeMap::new()));
    let threads: Vec<_> = (4..=9u32)
        .flat_map(|size| (0..size).map(move |column| (size, 1u32 << column)))
        .map(|(size, queen)| {
            let counts = Arc::clone(&counts);
            thread::spawn(move || {
                let count = solutions(size, 1, queen, queen << 1, queen >> 1);
                *counts.lock().unwrap().entry(size).or_insert(0) += count;
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    println!("{:?}", counts.lock().unwrap());
    let mut placed = Vec::new();
    println!("{}", first(8, &mut placed));
    for column in placed {
        let line: String = (0..8)
            .map(|at| if at == column { " Q" } else { " ." })
            .collect();
        println!("{line}");
    }
}
