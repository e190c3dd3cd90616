//! `cargo xtask gdb EXAMPLE`: an example in the debugger; with options, which are those of
//! `run --none`, on a bare machine.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use lexopt::{Arg, Parser, ValueExt as _};

use crate::Outcome;
use crate::none;
use crate::run::{self, Profile};

/// Builds the example and becomes gdb.
pub(crate) fn command(mut arguments: Parser) -> Outcome {
    if let Some(rest) = arguments.try_raw_args()
        && rest
            .as_slice()
            .first()
            .is_some_and(|word| word.as_encoded_bytes().starts_with(b"--"))
    {
        return none::gdb(arguments);
    }
    let example = match arguments.next()? {
        Some(Arg::Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected().into()),
        None => return Err("gdb: which example?".into()),
    };
    let rest: Vec<_> = arguments.raw_args()?.collect();
    run::succeed(run::cargo().args(["build", "--example", &example]))?;

    let error = Command::new(run::root().join("gdb/gort-gdb"))
        .current_dir(run::root())
        .args(["-q", "--args"])
        .arg(run::examples(Profile::Debug).join(example))
        .args(rest)
        .exec();
    Err(format!("gdb/gort-gdb: {error}").into())
}
