//! Who uses whom in src/: nothing goes against the order of the layers, which is
//! the table in lib.rs; and no file has grown past the length at which one should
//! ask what second thing has crept in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gort_host_tests::ensure;
use libtest_mimic::{Arguments, Failed, Trial};

/// How many lines a file may have.
const LINES: usize = 500;

/// Which modules stand beside the layers: any may use them, and they any.
const BESIDE: [&str; 2] = ["boot", "debug"];

fn main() {
    let trials = vec![
        Trial::test("the_table_names_every_module", the_table_names_every_module),
        Trial::test(
            "no_path_goes_against_the_layers",
            no_path_goes_against_the_layers,
        ),
        Trial::test(
            "no_linked_symbol_goes_against_the_layers",
            no_linked_symbol_goes_against_the_layers,
        ),
        Trial::test("no_file_is_too_long", no_file_is_too_long),
        Trial::test("paths_are_found", paths_are_found),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A file of src/.
struct Source {
    /// Its name within src/.
    name: String,
    /// The modules that lead to it: `["os", "linux", "auxv"]`.
    module: Vec<String>,
    /// What is in it.
    text: String,
}

impl Source {
    /// Returns the layer's module, or nothing for lib.rs.
    fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }
}

/// Reads all of src/.
fn sources() -> Result<Vec<Source>, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src");
    let mut found = Vec::new();
    read_directory(&root, &mut Vec::new(), &mut found)?;
    if found.len() < 20 {
        Err(format!("only {} files in src/", found.len()))
    } else {
        Ok(found)
    }
}

fn read_directory(
    directory: &Path,
    module: &mut Vec<String>,
    found: &mut Vec<Source>,
) -> Result<(), String> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let entries =
        fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    for path in paths {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            module.push(stem);
            read_directory(&path, module, found)?;
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let mut own = module.clone();
            if !["lib", "mod"].contains(&stem.as_str()) {
                own.push(stem.clone());
            }
            let name = module
                .iter()
                .fold(String::new(), |name, part| name + part + "/")
                + &stem
                + ".rs";
            found.push(Source {
                name,
                module: own,
                text: read(&path)?,
            });
        }
    }
    Ok(())
}

/// Reads the layers from lib.rs: how far down each module stands. Modules in one
/// row may use each other.
fn layers(sources: &[Source]) -> Result<BTreeMap<String, usize>, String> {
    let front = sources
        .iter()
        .find(|source| source.name == "lib.rs")
        .ok_or("no lib.rs")?;
    let table = front
        .text
        .split("//! # The layers")
        .nth(1)
        .ok_or("lib.rs has no section `The layers`")?;
    let rows = table
        .lines()
        .skip_while(|line| !line.starts_with("//! | "))
        .take_while(|line| line.starts_with("//! |"));
    let mut layers = BTreeMap::new();
    for (depth, row) in rows.skip(2).enumerate() {
        let cell = row
            .trim_start_matches("//! |")
            .split('|')
            .next()
            .unwrap_or_default();
        for module in cell.split('`').skip(1).step_by(2) {
            layers.insert(module.to_string(), depth);
        }
    }
    Ok(layers)
}

/// Tells whether a module may use another one.
fn may_use(layers: &BTreeMap<String, usize>, user: &str, used: &str) -> bool {
    let beside = |module| BESIDE.contains(&module);
    match (layers.get(user), layers.get(used)) {
        _ if user == used || beside(user) || beside(used) => true,
        (Some(user), Some(used)) => user >= used,
        _ => true, // lib.rs, the macros, or no module
    }
}

fn the_table_names_every_module() -> Result<(), Failed> {
    let sources = sources()?;
    let layers = layers(&sources)?;
    for source in sources
        .iter()
        .filter(|source| !["", "macros"].contains(&source.top()))
    {
        ensure!(
            layers.contains_key(source.top()),
            "lib.rs has no layer for {}",
            source.top()
        );
    }
    for module in layers.keys() {
        ensure!(
            sources.iter().any(|source| source.top() == module),
            "lib.rs names {module}, which is not there"
        );
    }
    for (above, below) in [
        ("arch", "os"),
        ("os", "mem"),
        ("mem", "sched"),
        ("sched", "runtime"),
        ("runtime", "ffi"),
    ] {
        ensure!(
            layers.get(above) < layers.get(below),
            "{above} should stand above {below}: {layers:?}"
        );
    }
    Ok(())
}

fn no_path_goes_against_the_layers() -> Result<(), Failed> {
    let sources = sources()?;
    let layers = layers(&sources)?;
    let mut wrong = Vec::new();
    for source in &sources {
        for (line, used) in paths(&source.text, source.module.len()) {
            if !may_use(&layers, source.top(), &used) {
                wrong.push(format!(
                    "src/{}:{line}: {} uses {used}",
                    source.name,
                    source.top()
                ));
            }
        }
    }
    ensure!(
        wrong.is_empty(),
        "against the order in lib.rs:\n{}",
        wrong.join("\n")
    );
    Ok(())
}

/// A name in the ELF file is a way around `use`.
fn no_linked_symbol_goes_against_the_layers() -> Result<(), Failed> {
    let sources = sources()?;
    let layers = layers(&sources)?;
    let mut exported = BTreeMap::new();
    for source in &sources {
        for (_, name) in quoted(&source.text, "export_name = \"") {
            exported.insert(name, source.top());
        }
    }
    ensure!(
        exported.contains_key("runtime.schedinit"),
        "no exported names were found"
    );
    for source in &sources {
        for (line, name) in quoted(&source.text, "link_name = \"") {
            let used = exported.get(name).copied().unwrap_or_default();
            let (user, file) = (source.top(), &source.name);
            ensure!(
                may_use(&layers, user, used),
                "src/{file}:{line}: {user} uses {used}, by the name {name}"
            );
        }
    }
    Ok(())
}

fn no_file_is_too_long() -> Result<(), Failed> {
    for source in sources()? {
        let lines = source.text.lines().count();
        ensure!(
            lines < LINES,
            "src/{} has {lines} lines; fewer than {LINES} is the rule",
            source.name
        );
    }
    Ok(())
}

/// Finds what stands in quotes behind a text, with the line's number.
fn quoted<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    text.lines().enumerate().flat_map(move |(index, line)| {
        let names = line.split(before).skip(1);
        names.map(move |rest| (index + 1, rest.split('"').next().unwrap_or_default()))
    })
}

/// Finds the modules at the crate's root that a file's paths begin with, with
/// the line's number. `depth` is how many modules lead to the file.
fn paths(text: &str, depth: usize) -> Vec<(usize, String)> {
    let up = "super::".repeat(depth);
    let mut found = Vec::new();
    // Lines keep their numbers where comments are taken away.
    let code: Vec<&str> = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let code = code.join("\n");
    let mut starts: Vec<usize> = code
        .match_indices("crate::")
        .map(|(at, word)| at + word.len())
        .collect();
    if depth > 0 {
        starts.extend(code.match_indices(&up).map(|(at, word)| at + word.len()));
    }
    for start in starts {
        let line = code.get(..start).unwrap_or_default().matches('\n').count() + 1;
        let rest = code.get(start..).unwrap_or_default();
        found.extend(first_names(rest).into_iter().map(|name| (line, name)));
    }
    found.sort();
    found
}

/// Returns the first name of a path, or those of a group `{a::b, c}`.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|&c| c == '_' || c.is_ascii_alphanumeric())
            .collect()
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![name(rest)];
    };
    let mut names = vec![name(group)];
    let mut depth = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(group.get(at + 1..).unwrap_or_default())),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The scanner itself, on what it must not miss.
fn paths_are_found() -> Result<(), Failed> {
    let text = "use crate::os;\n// crate::no\nuse crate::{mem, sched::{P, M},\n    debug::print::Line};\n\
                fn f() { super::super::boot::rand(); super::here(); }";
    let names: Vec<String> = paths(text, 2)
        .into_iter()
        .map(|(line, name)| format!("{line} {name}"))
        .collect();
    let expected = ["1 os", "3 debug", "3 mem", "3 sched", "5 boot"];
    ensure!(names == expected, "expected {expected:?}, got {names:?}");
    Ok(())
}
