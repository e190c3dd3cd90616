// The product of two matrices, a thread for each band of rows; and a Mandelbrot set.

use std::fmt;
use std::ops::{Index, IndexMut, Mul};
use std::thread;

#[derive(Clone, Debug, PartialEq)]
struct Matrix {
    rows: usize,
    columns: usize,
    cells: Vec<f64>,
}

impl Matrix {
    fn from_fn(rows: usize, columns: usize, f: impl Fn(usize, usize) -> f64) -> Self {
        let cells = (0..rows * columns)
            .map(|at| f(at / columns, at % columns))
            .collect();
        Self {
            rows,
            columns,
            cells,
        }
    }
}

impl Index<(usize, usize)> for Matrix {
    type Output = f64;
    fn index(&self, (row, column): (usize, usize)) -> &f64 {
        &self.cells[row * self.columns + column]
    }
}

impl IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut f64 {
        &mut self.cells[row * self.columns + column]
    }
}

impl Mul for &Matrix {
    type Output = Matrix;
    fn mul(self, other: &Matrix) -> Matrix {
        assert_eq!(self.columns, other.rows);
        let mut product = Matrix::from_fn(self.rows, other.columns, |_, _| 0.0);
        let band = self.rows.div_ceil(3) * other.columns;
        thread::scope(|scope| {
            for (number, cells) in product.cells.chunks_mut(band).enumerate() {
                scope.spawn(move || {
                    for (at, cell) in cells.iter_mut().enumerate() {
                        let at = number * band + at;
                        let (row, column) = (at / other.columns, at % other.columns);
                        *cell = (0..self.columns)
                            .map(|k| self[(row, k)] * other[(k, column)])
                            .sum();
                    }
                });
            }
        });
        product
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in self.cells.chunks(self.columns) {
            for cell in row {
                write!(f, "{cell:8.3}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn steps(x: f64, y: f64) -> u8 {
    let (mut a, mut b) = (0.0f64, 0.0f64);
    for step in 0..60 {
        if a * a + b * b > 4.0 {
            return step;
        }
        (a, b) = (a * a - b * b + x, 2.0 * a * b + y);
    }
    60
}

fn main() {
    let a = Matrix::from_fn(7, 4, |row, column| row as f64 / (column + 1) as f64);
    let b = Matrix::from_fn(4, 5, |row, column| (row as f64 - column as f64) * 0.5);
    let mut product = &a * &b;
    print!("{product}");
    product[(0, 0)] = f64::INFINITY;
    println!("{:?} {}", product[(0, 0)], product == &a * &b);

    let lines: Vec<_> = (0..12)
        .map(|line| {
            thread::spawn(move || -> String {
                let y = line as f64 / 6.0 - 1.0;
                let shades = |column| steps(column as f64 / 16.0 - 2.0, y);
                (0..48)
                    .map(|column| b" .:-=+*#%@@"[shades(column) as usize / 6] as char)
                    .collect()
            })
        })
        .collect();
    for line in lines {
        println!("{}", line.join().unwrap());
    }
}
