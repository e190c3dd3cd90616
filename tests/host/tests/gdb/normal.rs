//! What two runs of gdb may differ in, made equal: addresses, process numbers,
//! the numbers of the source's lines, where the repository is; and, between a
//! debug and a release build, whether gdb knows the arguments of a function.

/// Makes a text's lines comparable.
pub(crate) fn lines(text: &str) -> Vec<String> {
    kept(text).iter().map(|kept| line(kept)).collect()
}

/// Returns a text's lines without blank ones at its ends. The line in which gdb tells of
/// a thread may come at any time, and is left out.
pub(crate) fn kept(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !tells_of_a_thread(line))
        .map(String::from)
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let blank = lines.iter().take_while(|line| line.is_empty()).count();
    lines.drain(..blank);
    lines
}

/// Tells whether gdb says with a line that a thread has come or gone.
pub(crate) fn tells_of_a_thread(line: &str) -> bool {
    line.starts_with("[New LWP ") || line.starts_with("[LWP ") && line.ends_with(" exited]")
}

/// Makes one line comparable.
fn line(line: &str) -> String {
    let line = without_arguments(line);
    let line = numbers_behind(&line, "0x", char::is_ascii_hexdigit);
    let line = [".rs:", ".S:", ", line ", "process ", "LWP "]
        .iter()
        .fold(line, |line, before| {
            numbers_behind(&line, before, char::is_ascii_digit)
        });
    let line = match line.split_once('\t') {
        Some((number, source)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("N\t{source}")
        }
        _ => line,
    };
    without_directories(&line)
}

/// Replaces every number behind a text by `N`.
fn numbers_behind(line: &str, before: &str, digit: fn(&char) -> bool) -> String {
    let mut pieces = line.split(before);
    let mut result = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| digit(&c));
        result += before;
        result += if rest.len() < piece.len() { "N" } else { "" };
        result += rest;
    }
    result
}

/// Empties the parentheses before ` at FILE`, and those that end a line.
fn without_arguments(line: &str) -> String {
    let frame = line.starts_with('#') || line.contains(") at ");
    match (line.split_once(" ("), line.rsplit_once(") at ")) {
        (Some((function, _)), Some((_, place))) if frame => format!("{function} () at {place}"),
        _ => line.to_string(),
    }
}

/// Leaves of a path only what lies within the repository, whichever build it
/// belongs to.
fn without_directories(line: &str) -> String {
    const EXAMPLES: &str = "/examples/";
    let quotes = |c: char| c == ' ' || c == '"' || c == '`';
    match line.find("target/").zip(line.find(EXAMPLES)) {
        Some((target, examples)) if target < examples => {
            let start = line.get(..target).unwrap_or_default();
            let start = start
                .rfind(quotes)
                .map_or("", |at| start.get(..=at).unwrap_or_default());
            let program = line.get(examples + EXAMPLES.len()..).unwrap_or_default();
            format!("{start}{program}")
        }
        _ => line.to_string(),
    }
}

/// Finds out which of the actual lines each expected one stands for: `...` stands for
/// any lines, and `…` for any text within a line. Says what differs first.
pub(crate) fn align(expected: &[String], actual: &[String]) -> Result<Vec<Option<usize>>, String> {
    let mut places = Vec::new();
    let mut at = 0;
    let mut anything = false;
    for line in expected {
        if line == "..." {
            anything = true;
            places.push(None);
            continue;
        }
        let rest = actual.get(at..).unwrap_or_default();
        let found = match anything {
            true => rest.iter().position(|actual| is_like(line, actual)),
            false => rest
                .first()
                .filter(|actual| is_like(line, actual))
                .map(|_| 0),
        };
        let Some(skipped) = found else {
            return Err(format!("expected {line:?}, got {:?}", rest.first()));
        };
        places.push(Some(at + skipped));
        at += skipped + 1;
        anything = false;
    }
    match actual.get(at) {
        Some(line) if !anything => Err(format!("expected no more, got {line:?}")),
        _ => Ok(places),
    }
}

/// Tells whether a line is the expected one, in which `…` stands for anything.
fn is_like(expected: &str, actual: &str) -> bool {
    let Some((start, rest)) = expected.split_once('…') else {
        return expected == actual;
    };
    let (middle, end) = rest.rsplit_once('…').unwrap_or(("", rest));
    let inner = actual
        .strip_prefix(start)
        .and_then(|actual| actual.strip_suffix(end));
    let Some(mut inner) = inner else {
        return false;
    };
    middle
        .split('…')
        .all(|piece| match inner.split_once(piece) {
            Some((_, behind)) => {
                inner = behind;
                true
            }
            None => false,
        })
}
