// Iterators, slices and vectors.

use std::collections::BTreeMap;
use std::iter::{self, FromIterator, Peekable};

struct Countdown(u32);

impl Iterator for Countdown {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.0 = self.0.checked_sub(1)?;
        Some(self.0)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0 as usize, Some(self.0 as usize))
    }
}

impl ExactSizeIterator for Countdown {}

struct Runs(Vec<(char, usize)>);

impl FromIterator<char> for Runs {
    fn from_iter<I: IntoIterator<Item = char>>(letters: I) -> Self {
        let mut letters: Peekable<I::IntoIter> = letters.into_iter().peekable();
        let mut runs = Vec::new();
        while let Some(letter) = letters.next() {
            let more = iter::from_fn(|| letters.next_if_eq(&letter)).count();
            runs.push((letter, more + 1));
        }
        Self(runs)
    }
}

fn main() {
    println!(
        "{} {:?}",
        Countdown(5).len(),
        Countdown(5).zip(Countdown(9).skip(2)).collect::<Vec<_>>()
    );
    println!("{:?}", "aaabccd".chars().collect::<Runs>().0);
    let squares = (1..)
        .map(|n| n * n)
        .filter(|n| n % 3 == 1)
        .take_while(|&n| n < 200);
    println!("{:?}", squares.clone().step_by(2).collect::<Vec<_>>());
    println!(
        "{:?} {:?} {:?}",
        squares.clone().sum::<i32>(),
        squares.clone().max(),
        squares.rev_sorted()
    );
    println!(
        "{:?}",
        (1..=4)
            .flat_map(|n| iter::repeat_n(n, n))
            .collect::<Vec<_>>()
    );
    println!(
        "{:?}",
        (1..=3)
            .scan(1, |product, n| {
                *product *= n;
                Some(*product)
            })
            .collect::<Vec<_>>()
    );
    let (even, odd): (Vec<i32>, Vec<i32>) = (0..10).partition(|n| n % 2 == 0);
    println!(
        "{even:?} {odd:?} {:?}",
        even.iter()
            .chain(&odd)
            .rev()
            .skip_while(|n| **n > 3)
            .collect::<Vec<_>>()
    );
    println!(
        "{:?}",
        (1..=5).try_fold(0i8, |sum, n| sum.checked_add(n * 20))
    );
    println!(
        "{:?}",
        ["1", "2", "x"]
            .iter()
            .map(|text| text.parse::<i32>())
            .collect::<Result<Vec<_>, _>>()
            .is_err()
    );
    println!(
        "{:?}",
        iter::successors(Some(1u16), |n| n.checked_mul(10)).collect::<Vec<_>>()
    );
    println!(
        "{:?} {:?}",
        (0..5).min_by_key(|n| (n - 2i32).abs()),
        [1.5, 0.5].into_iter().reduce(f64::min)
    );
    println!(
        "{} {:?}",
        [1, 2].iter().lt(&[1, 3]),
        (1..4).cycle().skip(2).nth(5)
    );

    let mut numbers = vec![5, 3, 8, 1, 9, 2];
    numbers.sort_by_key(|n| std::cmp::Reverse(*n));
    println!("{numbers:?} {:?}", numbers.binary_search_by(|n| 8.cmp(n)));
    numbers.dedup_by_key(|n| *n / 2);
    numbers.swap_remove(0);
    numbers.insert(1, 100);
    numbers.extend_from_slice(&[7; 2]);
    println!("{numbers:?} {:?}", numbers.iter().position(|n| *n == 7));
    println!(
        "{:?} {:?}",
        numbers.windows(2).filter(|w| w[0] < w[1]).count(),
        numbers.chunks(4).map(<[_]>::len).collect::<Vec<_>>()
    );
    println!(
        "{:?} {:?}",
        numbers.first().copied(),
        numbers.drain(1..).rev().collect::<Vec<_>>()
    );
    println!(
        "{:?}",
        [[1, 2], [3, 4]]
            .concat()
            .rchunks(3)
            .map(<[i32]>::to_vec)
            .collect::<Vec<_>>()
    );
    let mut array = [1, 2, 3, 4, 5, 6];
    array.rotate_right(2);
    array[1..5].reverse();
    println!(
        "{array:?} {:?} {}",
        array.split(|n| *n == 3).collect::<Vec<_>>(),
        array.contains(&4)
    );
    let groups = ["apple", "bean", "avocado", "beet", "corn"]
        .into_iter()
        .fold(BTreeMap::<char, Vec<&str>>::new(), |mut groups, word| {
            groups
                .entry(word.chars().next().unwrap())
                .or_default()
                .push(word);
            groups
        });
    println!("{groups:?}");
}

trait RevSorted: Iterator + Sized {
    fn rev_sorted(self) -> Vec<Self::Item>
    where
        Self::Item: Ord,
    {
        let mut items: Vec<_> = self.collect();
        items.sort_by(|a, b| b.cmp(a));
        items
    }
}

impl<I: Iterator> RevSorted for I {}
