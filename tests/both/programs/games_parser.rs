// Arithmetic: a tokenizer, a parser, a tree, and its value.

use std::collections::HashMap;
use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

#[derive(Clone, Debug)]
enum Expression {
    Number(f64),
    Name(String),
    Negated(Box<Expression>),
    Binary(char, Box<Expression>, Box<Expression>),
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
            Self::Negated(inner) => write!(f, "-{inner}"),
            Self::Binary(operator, left, right) => write!(f, "({left} {operator} {right})"),
        }
    }
}

struct Parser<'a> {
    letters: Peekable<Chars<'a>>,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<char> {
        while self
            .letters
            .next_if(|letter| letter.is_whitespace())
            .is_some()
        {}
        self.letters.peek().copied()
    }

    fn sum(&mut self) -> Result<Expression, String> {
        self.binary("+-", Self::product)
    }

    fn product(&mut self) -> Result<Expression, String> {
        self.binary("*/", Self::atom)
    }

    fn binary(
        &mut self,
        operators: &str,
        part: fn(&mut Self) -> Result<Expression, String>,
    ) -> Result<Expression, String> {
        let mut left = part(self)?;
        while let Some(operator) = self.peek().filter(|letter| operators.contains(*letter)) {
            self.letters.next();
            left = Expression::Binary(operator, left.into(), part(self)?.into());
        }
        Ok(left)
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        std::iter::from_fn(|| self.letters.next_if(|&letter| belongs(letter))).collect()
    }

    fn atom(&mut self) -> Result<Expression, String> {
        match self.peek() {
            Some('-') => {
                self.letters.next();
                Ok(Expression::Negated(Box::new(self.atom()?)))
            }
            Some('(') => {
                self.letters.next();
                let inner = self.sum()?;
                match self.peek() {
                    Some(')') => _ = self.letters.next(),
                    other => return Err(format!("expected ')', found {other:?}")),
                }
                Ok(inner)
            }
            Some('0'..='9' | '.') => {
                let text = self.word(|letter| letter.is_ascii_digit() || letter == '.');
                text.parse()
                    .map(Expression::Number)
                    .map_err(|error| format!("{text}: {error}"))
            }
            Some(letter) if letter.is_alphabetic() => {
                Ok(Expression::Name(self.word(char::is_alphanumeric)))
            }
            Some(other) => Err(format!("unexpected {other:?}")),
            None => Err("unexpected end".to_string()),
        }
    }
}

fn parse(text: &str) -> Result<Expression, String> {
    let mut parser = Parser {
        letters: text.chars().peekable(),
    };
    let expression = parser.sum()?;
    match parser.peek() {
        None => Ok(expression),
        Some(letter) => Err(format!("{letter:?} is left")),
    }
}

fn value(expression: &Expression, names: &HashMap<&str, f64>) -> Option<f64> {
    Some(match expression {
        Expression::Number(number) => *number,
        Expression::Name(name) => *names.get(name.as_str())?,
        Expression::Negated(inner) => -value(inner, names)?,
        Expression::Binary(operator, left, right) => {
            let (left, right) = (value(left, names)?, value(right, names)?);
            match operator {
                '+' => left + right,
                '-' => left - right,
                '*' => left * right,
                _ => left / right,
            }
        }
    })
}

fn main() {
    let names = HashMap::from([("x", 3.0), ("größe", 2.5)]);
    for text in [
        "1 + 2 * 3",
        "(1+2)*3 - -x",
        "größe / (x - 3)",
        "2 * (3",
        "1 2",
        "unknown",
        "",
        "7 % 2",
        "1.2.3",
        "-(-(-.5))",
    ] {
        match parse(text) {
            Ok(tree) => println!("{tree} = {:?}", value(&tree, &names)),
            Err(error) => println!("{text:?}: {error}"),
        }
    }
    let deep = format!("{}1{}", "(".repeat(40), ")".repeat(40));
    println!("{:?}", parse(&deep).map(|tree| tree.to_string()));
}
