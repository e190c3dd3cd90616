//! `cargo xtask trace FILE`: makes a page, or what Perfetto opens, of what GORT_TRACE has
//! written.

mod builder;
mod json;
mod model;
mod order;
mod page;
mod read;
mod summary;
#[path = "../../../src/debug/trace/words.rs"]
#[allow(dead_code, reason = "the runtime writes what is only read here")]
mod words;

use std::fs;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt as _};

use crate::Outcome;
use model::Model;

/// Does what the command line says.
pub(crate) fn command(mut arguments: Parser) -> Outcome {
    let mut file: Option<PathBuf> = None;
    let mut out: Option<PathBuf> = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Short('o') => out = Some(arguments.value()?.into()),
            Arg::Value(path) if file.is_none() => file = Some(path.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let file = file.ok_or("which FILE?")?;
    let out = out.unwrap_or_else(|| {
        let mut name = file.clone().into_os_string();
        name.push(".html");
        name.into()
    });
    let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let recording = read::read(&bytes).map_err(|error| format!("{}: {error}", file.display()))?;
    let model = Model::new(&recording);
    let text = match out.extension().and_then(|extension| extension.to_str()) {
        Some("json") => json::render(&recording, &model),
        _ => page::render(&file, &recording, &model),
    };
    fs::write(&out, text).map_err(|error| format!("{}: {error}", out.display()))?;
    summary::print(&recording, &model);
    println!("{}", out.display());
    Ok(())
}
