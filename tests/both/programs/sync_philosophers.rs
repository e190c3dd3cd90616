// Five philosophers, five forks, and a waiter who lets four of them sit down.

use std::sync::{Condvar, Mutex};
use std::thread;

struct Table {
    forks: [Mutex<u32>; 5],
    seats: Mutex<usize>,
    left: Condvar,
}

struct Seat<'a>(&'a Table);

impl Table {
    fn sit_down(&self) -> Seat<'_> {
        let seats = self.seats.lock().unwrap();
        let mut seats = self.left.wait_while(seats, |seats| *seats == 0).unwrap();
        *seats -= 1;
        Seat(self)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        *self.0.seats.lock().unwrap() += 1;
        self.0.left.notify_one();
    }
}

fn main() {
    let table = Table {
        forks: Default::default(),
        seats: Mutex::new(4),
        left: Condvar::new(),
    };
    let names = ["Baruch", "Gilles", "Karl", "Simone", "Hannah"];
    let mut meals: Vec<(&str, u32)> = thread::scope(|scope| {
        let philosophers: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(place, &name)| {
                let table = &table;
                scope.spawn(move || {
                    let mut meals = 0;
                    for _ in 0..100 {
                        let _seat = table.sit_down();
                        let mut left = table.forks[place].lock().unwrap();
                        thread::yield_now();
                        let mut right = table.forks[(place + 1) % 5].lock().unwrap();
                        (*left, *right) = (*left + 1, *right + 1);
                        meals += 1;
                    }
                    (name, meals)
                })
            })
            .collect();
        philosophers
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    meals.sort_unstable();
    for (name, meals) in meals {
        println!("{name:<8}{meals:>4}");
    }
    println!("{:?}", table.forks.map(|fork| fork.into_inner().unwrap()));
    println!("{}", table.seats.into_inner().unwrap());
}
