// A game of life whose cells are computed in step, a thread for each band of rows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

const WIDTH: usize = 24;
const HEIGHT: usize = 12;
const THREADS: usize = 4;

type Field = Vec<AtomicBool>;

fn neighbours(field: &Field, row: usize, column: usize) -> usize {
    let mut count = 0;
    for down in [HEIGHT - 1, 0, 1] {
        for right in [WIDTH - 1, 0, 1] {
            let at = (row + down) % HEIGHT * WIDTH + (column + right) % WIDTH;
            count += usize::from((down, right) != (0, 0) && field[at].load(Ordering::Relaxed));
        }
    }
    count
}

fn main() {
    let fields: Arc<[Field; 2]> = Arc::new(std::array::from_fn(|_| {
        (0..WIDTH * HEIGHT)
            .map(|_| AtomicBool::new(false))
            .collect()
    }));
    let glider = [(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)];
    let blinker = [(6, 14), (6, 15), (6, 16)];
    for (row, column) in glider.into_iter().chain(blinker) {
        fields[0][row * WIDTH + column].store(true, Ordering::Relaxed);
    }

    let barrier = Arc::new(Barrier::new(THREADS));
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let (fields, barrier) = (Arc::clone(&fields), Arc::clone(&barrier));
            thread::spawn(move || {
                let mut led = 0;
                for generation in 0..16 {
                    let (old, new) = (&fields[generation % 2], &fields[(generation + 1) % 2]);
                    for row in (number..HEIGHT).step_by(THREADS) {
                        for column in 0..WIDTH {
                            let alive = old[row * WIDTH + column].load(Ordering::Relaxed);
                            let lives =
                                matches!((alive, neighbours(old, row, column)), (true, 2) | (_, 3));
                            new[row * WIDTH + column].store(lives, Ordering::Relaxed);
                        }
                    }
                    led += usize::from(barrier.wait().is_leader());
                }
                led
            })
        })
        .collect();
    let leaders: usize = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();

    for row in fields[0].chunks(WIDTH) {
        let line: String = row
            .iter()
            .map(|cell| {
                if cell.load(Ordering::Relaxed) {
                    '#'
                } else {
                    '.'
                }
            })
            .collect();
        println!("{line}");
    }
    println!("{leaders} leaders");
}
