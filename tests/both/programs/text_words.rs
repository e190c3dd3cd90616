// Counts the words of its standard input.

use std::collections::HashMap;
use std::io::{self, BufRead};

fn main() -> io::Result<()> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let (mut lines, mut letters) = (0, 0);
    for line in io::stdin().lock().lines() {
        let line = line?;
        lines += 1;
        letters += line.chars().count();
        for word in line.split(|letter: char| !letter.is_alphanumeric()) {
            if !word.is_empty() {
                *counts.entry(word.to_lowercase()).or_default() += 1;
            }
        }
    }
    let mut words: Vec<(&String, &usize)> = counts.iter().collect();
    words.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    for (word, count) in words.iter().take(10) {
        println!("{count:>4} {word}");
    }
    println!("{lines} lines, {letters} letters, {} words", words.len());
    Ok(())
}
