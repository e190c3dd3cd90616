// Errors of one's own, with sources, boxes and conversions.

use std::error::Error;
use std::fmt;
use std::num::{ParseFloatError, ParseIntError};

#[derive(Debug)]
enum ConfigError {
    Missing(&'static str),
    Port(ParseIntError),
    Ratio {
        text: String,
        source: ParseFloatError,
    },
    Other(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Port(_) => f.write_str("the port is no number"),
            Self::Ratio { text, .. } => write!(f, "{text:?} is no ratio"),
            Self::Other(_) => f.write_str("something else"),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Missing(_) => None,
            Self::Port(error) => Some(error),
            Self::Ratio { source, .. } => Some(source),
            Self::Other(error) => Some(&**error),
        }
    }
}

impl From<ParseIntError> for ConfigError {
    fn from(error: ParseIntError) -> Self {
        Self::Port(error)
    }
}

fn parse(text: &str) -> Result<(u16, f64), ConfigError> {
    let find = |name: &'static str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
            .ok_or(ConfigError::Missing(name))
    };
    let port = find("port")?.parse()?;
    let ratio = find("ratio")?;
    let ratio: f64 = ratio.parse().map_err(|source| ConfigError::Ratio {
        text: ratio.into(),
        source,
    })?;
    if ratio > 1.0 {
        return Err(ConfigError::Other(format!("{ratio} is too large").into()));
    }
    Ok((port, ratio))
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

fn check(number: i32) -> Result<i32, Box<dyn Error>> {
    if number < 0 {
        return Err("it is negative".into());
    }
    let small = u8::try_from(number)?;
    let text = std::str::from_utf8(std::slice::from_ref(&small))?;
    Ok(text.parse::<i32>()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    for text in [
        "",
        "port=x",
        "port=80",
        "port=80\nratio=half",
        "port=8\nratio=1.5",
        "port=8\nratio=.5",
    ] {
        match parse(text) {
            Ok(config) => println!("{config:?}"),
            Err(error) => println!("{} | {error:?}", chain(&error)),
        }
    }
    for number in [-1, 300, 200, 65, 55] {
        println!("{:?}", check(number).map_err(|error| error.to_string()));
    }
    let boxed: Box<dyn Error> = ConfigError::Missing("all").into();
    println!(
        "{} {}",
        boxed.is::<ConfigError>(),
        boxed.downcast::<ConfigError>().is_ok()
    );
    let option: Option<Result<i32, ParseIntError>> = Some("5".parse());
    println!("{:?}", option.transpose()?);
    let value: Result<u8, std::convert::Infallible> = Ok(3);
    println!("{}", value?);
    Ok(())
}
