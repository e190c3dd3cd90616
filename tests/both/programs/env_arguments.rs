// Arguments and variables.
//@ args: --count 3 --name=Zoë file1 -v -- --file2
//@ env: COLOUR=blue
//@ env: EMPTY=
//@ env: PATH=/bin:/usr/bin:/opt/größe

use std::collections::BTreeMap;
use std::env::{self, VarError};
use std::ffi::{OsStr, OsString};

#[derive(Debug, Default)]
#[allow(dead_code, reason = "Debug reads it")]
struct Options {
    count: u32,
    name: Option<String>,
    verbose: bool,
    files: Vec<String>,
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--count" => {
                let value = arguments.next().ok_or("--count needs a value")?;
                options.count = value.parse().map_err(|error| format!("{value}: {error}"))?;
            }
            "-v" | "--verbose" => options.verbose = true,
            "--" => options.files.extend(arguments.by_ref()),
            other => match other.split_once('=') {
                Some(("--name", name)) => options.name = Some(name.into()),
                _ if other.starts_with('-') => return Err(format!("unknown option {other}")),
                _ => options.files.push(argument),
            },
        }
    }
    Ok(options)
}

fn main() {
    println!("{:?}", parse(env::args().skip(1)));
    println!(
        "{:?}",
        parse(["--count".to_string(), "x".to_string()].into_iter())
    );
    println!(
        "{} {}",
        env::args().len(),
        env::args().next().is_some_and(|name| name.contains("both"))
    );
    println!("{:?}", env::args().next_back());
    println!("{:?}", env::args_os().nth(3).map(|argument| argument.len()));

    println!("{:?} {:?}", env::var("COLOUR"), env::var("EMPTY"));
    println!(
        "{:?} {}",
        env::var("MISSING"),
        env::var("MISSING") == Err(VarError::NotPresent)
    );
    println!("{}", env::var("MISSING").unwrap_err());
    println!(
        "{:?} {:?}",
        env::var_os("COLOUR"),
        env::var_os(OsStr::new("MISSING"))
    );
    let path: OsString = env::var_os("PATH").unwrap_or_default();
    println!(
        "{:?}",
        path.to_str()
            .map(|path| path.split(':').collect::<Vec<_>>())
    );
    let vars: BTreeMap<String, String> =
        env::vars().filter(|(name, _)| name != "PROGRAM").collect();
    println!("{vars:?}");
    println!("{}", env::vars_os().count());

    // SAFETY: there is no other thread.
    unsafe { env::set_var("COLOUR", "red") };
    // SAFETY: as above.
    unsafe { env::remove_var("EMPTY") };
    println!(
        "{:?} {:?} {}",
        env::var("COLOUR"),
        env::var("EMPTY"),
        env::vars().count()
    );
    println!("{} {}", env::consts::OS, env::consts::ARCH);
}
