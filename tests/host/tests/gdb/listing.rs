//! What `info goroutines` prints, as rows.

/// A goroutine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// It has a star.
    pub(crate) current: bool,
    pub(crate) goid: u64,
    /// What stands in brackets in Go's tracebacks.
    pub(crate) state: String,
    /// The M that runs it, or nothing.
    pub(crate) m: String,
    /// Where it is, and who made it.
    pub(crate) place: String,
}

/// Reads the table: the heading says where the columns begin.
pub(crate) fn rows(text: &str) -> Result<Vec<Row>, String> {
    let mut lines = text.lines();
    let heading = lines.next().unwrap_or_default();
    let column = |name: &str| {
        heading
            .find(name)
            .ok_or_else(|| format!("no column {name} in\n{text}"))
    };
    let (id, state, m, place) = (
        column("Id")?,
        column("State")?,
        column("M ")?,
        column("Where")?,
    );
    lines
        .map(|line| {
            let cell = |from, to| line.get(from..to).unwrap_or_default().trim().to_string();
            Ok(Row {
                current: line.starts_with('*'),
                goid: cell(id, state)
                    .parse()
                    .map_err(|_| format!("no number in {line:?} of\n{text}"))?,
                state: cell(state, m),
                m: cell(m, place),
                place: cell(place, line.len()),
            })
        })
        .collect()
}
