// Trait objects, generics, Any, operators and conversions.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::convert::TryFrom;
use std::f64::consts::PI;
use std::marker::PhantomData;
use std::num::{NonZero, ParseIntError, Wrapping};
use std::ops::{Add, AddAssign, Deref, Neg, Not, RangeInclusive};
use std::{mem, ptr};

trait Shape: Any {
    fn area(&self) -> f64;
    fn name(&self) -> String {
        type_name::<Self>()
            .rsplit("::")
            .next()
            .unwrap_or("?")
            .to_lowercase()
    }
    fn as_any(&self) -> &dyn Any;
}

struct Circle(f64);
struct Rectangle {
    width: f64,
    height: f64,
}

impl Shape for Circle {
    fn area(&self) -> f64 {
        PI * self.0 * self.0
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Shape for Rectangle {
    fn area(&self) -> f64 {
        self.width * self.height
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Metres<T = i32>(T);

impl<T: Add<Output = T>> Add for Metres<T> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign<i32> for Metres {
    fn add_assign(&mut self, other: i32) {
        self.0 += other;
    }
}

impl<T: Neg<Output = T>> Neg for Metres<T> {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

struct Percent(u8);

impl TryFrom<i64> for Percent {
    type Error = RangeInclusive<i64>;
    fn try_from(number: i64) -> Result<Self, Self::Error> {
        let range = 0..=100;
        if range.contains(&number) {
            Ok(Self(number as u8))
        } else {
            Err(range)
        }
    }
}

struct Typed<T>(u32, PhantomData<T>);

impl<T> Deref for Typed<T> {
    type Target = u32;
    fn deref(&self) -> &u32 {
        &self.0
    }
}

fn compose<A, B, C>(f: impl Fn(A) -> B, g: impl Fn(B) -> C) -> impl Fn(A) -> C {
    move |value| g(f(value))
}

fn main() {
    let shapes: Vec<Box<dyn Shape>> = vec![
        Box::new(Circle(1.5)),
        Box::new(Rectangle {
            width: 2.0,
            height: 3.5,
        }),
    ];
    for shape in &shapes {
        println!(
            "{} {:.4} {}",
            shape.name(),
            shape.area(),
            shape.as_any().is::<Circle>()
        );
    }
    println!(
        "{:?}",
        shapes[0]
            .as_any()
            .downcast_ref::<Circle>()
            .map(|circle| circle.0)
    );
    println!("{}", TypeId::of::<u8>() == TypeId::of::<i8>());

    let mut way = Metres(3) + -Metres(5);
    way += 10;
    println!(
        "{way:?} {:?} {:?}",
        Metres(1.5) + Metres(2.0),
        Metres::<i32>::default().cmp(&way)
    );
    println!(
        "{:?}",
        [300, 77].map(|n| Percent::try_from(n).map(|percent| percent.0))
    );
    println!("{}", Typed::<String>(7, PhantomData).pow(2));
    let parse: fn(&str) -> Result<i32, ParseIntError> = str::parse;
    println!(
        "{:?} {:?}",
        compose(parse, |n| n.map(|n| n + 1))("41"),
        parse("4l").map_err(|e| e.kind().clone())
    );
    println!(
        "{:?} {:?}",
        NonZero::new(0u8),
        Wrapping(250u8) + Wrapping(10)
    );
    println!(
        "{} {} {}",
        u8::MAX.wrapping_add(1),
        5i8.saturating_sub(120).saturating_sub(120),
        7u32.leading_zeros()
    );
    println!(
        "{:?} {:?} {}",
        200u8.checked_add(100),
        200u8.overflowing_add(100),
        !0u16.not()
    );
    println!(
        "{} {}",
        i64::from(7u32) + i64::from(true),
        u8::try_from(300).unwrap_err()
    );
    println!(
        "{} {}",
        (-2.5f64).abs().max(1.0),
        (0.1f32 + 0.2) as f64 > 0.3
    );

    let (mut a, mut b) = (vec![1], vec![2, 3]);
    mem::swap(&mut a, &mut b);
    println!(
        "{a:?} {:?} {:?} {}",
        mem::take(&mut a),
        mem::replace(&mut b, vec![]),
        a.len() + b.len()
    );
    println!("{} {}", mem::size_of::<Option<Box<u8>>>(), ptr::eq(&a, &a));
    let mut operations: HashMap<&str, Box<dyn Fn(i32, i32) -> Option<i32>>> = HashMap::new();
    operations.insert("+", Box::new(|a, b| a.checked_add(b)));
    operations.insert("/", Box::new(i32::checked_div));
    println!("{:?} {:?}", operations["+"](1, 2), operations["/"](1, 0));
}
