//! A trace as a page: one file, with all that it needs, which any browser shows.
//!
//! `page.html`, `page.css` and `page*.js` are the page; what is put into it here is the data.
//! A page has some hundred thousand whiles at most: where there are more, those that are
//! shorter than some time and close together become one.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::json::text;
use super::model::{Doing, Model};
use super::read::Recording;
use super::summary::{Summary, Times};
use super::words;

/// How many whiles of Ps and Ms the page has at most, and how many of goroutines.
const BUDGET: usize = 250_000;

/// How many goroutines have a track: those that ran most, the first, and those that lived
/// longest.
const TRACKS: usize = 60;

/// How many arrows there are at most.
const ARROWS: usize = 60_000;

/// What stands for several whiles that are too short.
const MANY: i64 = -1_000_000;

/// What the page does: what is on it, how that is drawn, moved, and summed up.
const SCRIPT: &str = concat!(
    include_str!("page.js"),
    include_str!("page_draw.js"),
    include_str!("page_move.js"),
    include_str!("page_sums.js"),
);

/// A while: when it begins and ends, in nanoseconds, and what it is.
type While = (i64, i64, i64);

/// Makes the page.
pub(crate) fn render(file: &Path, recording: &Recording, model: &Model) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let data = data(&name, recording, model);
    let title = name.replace('&', "&amp;").replace('<', "&lt;");
    include_str!("page.html")
        .replace("/*STYLE*/", include_str!("page.css"))
        .replace("<!--TITLE-->", &title)
        .replace("/*SCRIPT*/", SCRIPT)
        .replace("/*DATA*/", &data)
}

/// Makes the data, an object of JavaScript's.
fn data(name: &str, recording: &Recording, model: &Model) -> String {
    let summary = Summary::new(recording, model);
    let mut out = format!(
        r#"{{"file":{},"end":{},"lost":{},"misfits":{},"left_out":{},"cut":{},"status":{},"goroutines":{},"ended":{}"#,
        text(name),
        model.end as i64,
        model.lost,
        model.misfits,
        model.left_out,
        recording.cut,
        recording
            .status
            .map_or("null".into(), |status| status.to_string()),
        summary.goroutines,
        summary.ended,
    );
    let counts = summary.counts.iter().filter(|(_, count)| *count > 0);
    list(&mut out, "counts", counts, |(name, count)| {
        format!("[{},{count}]", text(name))
    });
    list(&mut out, "waits", summary.waits.iter(), u64::to_string);
    list(
        &mut out,
        "waiting",
        summary.reasons.iter(),
        |(name, count, sum)| format!("[{},{count},{}]", text(name), *sum as i64),
    );
    let place = |goid: u64| {
        let place = model.goroutines.get(&goid).map_or(0, |one| one.place);
        text(recording.places.get(&place).map_or("", String::as_str))
    };
    list(&mut out, "top", summary.top.iter(), |(goid, times)| {
        format!("[{goid},{},{}]", place(*goid), self::times(times))
    });
    let _ = write!(out, r#","all":[{}]"#, times(&summary.all));
    let reasons: Vec<_> = recording.reasons.keys().copied().collect();
    list(&mut out, "reasons", reasons.iter(), |reason| {
        text(&recording.reasons[reason])
    });
    list(
        &mut out,
        "boot",
        recording.boot.iter(),
        |(name, begin, end)| format!("[{},{},{}]", text(name), *begin as i64, *end as i64),
    );

    let ps = recording.ps.keys().map(|&p| {
        let slices = model.ps.get(&p).map_or(&[][..], Vec::as_slice);
        let whiles = slices.iter().map(|slice| {
            let goid = slice.goid as i64;
            let what = if slice.syscall { -goid } else { goid };
            (slice.start as i64, slice.end as i64, what)
        });
        (format!(r#""id":{p}"#), whiles.collect())
    });
    let apart_ps = tracks(&mut out, "P", ps.collect());
    let ms = model.ms.iter().map(|(m, holds)| {
        let whiles = holds.iter().map(|hold| {
            let what = hold.p.map_or(-1, i64::from);
            (hold.start as i64, hold.end as i64, what)
        });
        let thread = model.threads.get(m).copied().unwrap_or(0);
        (format!(r#""id":{m},"thread":{thread}"#), whiles.collect())
    });
    tracks(&mut out, "M", ms.collect());
    let shown = shown(model, &summary);
    let gs = shown.iter().filter_map(|goid| {
        let goroutine = model.goroutines.get(goid)?;
        let whiles = goroutine.spans.iter().map(|span| {
            let what = match span.doing {
                Doing::Runnable => -1,
                Doing::Syscall(_) => -2,
                Doing::Running(p) => i64::from(p),
                Doing::Waiting(reason) => {
                    let at = reasons.iter().position(|other| *other == reason);
                    -3 - at.unwrap_or(reasons.len()) as i64
                }
            };
            (span.start as i64, span.end as i64, what)
        });
        let head = format!(
            r#""id":{goid},"parent":{},"place":{},"ended":{}"#,
            goroutine.parent,
            place(*goid),
            goroutine.ended
        );
        Some((head, whiles.collect()))
    });
    let apart_gs = tracks(&mut out, "G", gs.collect());
    let _ = write!(out, r#","apart":{}"#, apart_ps.max(apart_gs));

    // Of goroutines that have tracks first.
    let mut flows: Vec<_> = model.flows.iter().collect();
    flows.sort_by_key(|flow| !shown.contains(&flow.goid));
    let all = flows.len();
    flows.truncate(ARROWS);
    flows.sort_by(|a, b| a.to.total_cmp(&b.to));
    list(&mut out, "flows", flows.iter(), |flow| {
        format!(
            "[{},{},{},{},{},{},{}]",
            flow.from as i64,
            flow.from_p.map_or(-1, i64::from),
            flow.by,
            flow.to as i64,
            flow.to_p,
            flow.goid,
            u8::from(flow.created)
        )
    });
    let _ = write!(out, r#","allflows":{all}"#);
    let moments = model
        .moments
        .iter()
        .filter(|moment| matches!(moment.kind, words::STEAL | words::TIMER | words::PREEMPT));
    list(&mut out, "moments", moments.take(ARROWS), |moment| {
        let kind = match moment.kind {
            words::STEAL => 0,
            words::TIMER => 1,
            _ => 2,
        };
        let p = moment.p.unwrap_or(0);
        format!("[{},{p},{kind},{}]", moment.time as i64, moment.argument)
    });
    list(
        &mut out,
        "stops",
        model.stops.iter(),
        |(start, end, procs)| format!("[{},{},{procs}]", *start as i64, *end as i64),
    );
    out.push('}');
    out
}

/// Appends a list.
fn list<T>(
    out: &mut String,
    name: &str,
    items: impl Iterator<Item = T>,
    show: impl Fn(T) -> String,
) {
    let items: Vec<_> = items.map(show).collect();
    let _ = write!(out, r#","{name}":[{}]"#, items.join(","));
}

/// Shows a goroutine's times.
fn times(times: &Times) -> String {
    let Times {
        running,
        runnable,
        waiting,
        syscall,
    } = *times;
    [running, runnable, waiting, syscall]
        .map(|time| (time as i64).to_string())
        .join(",")
}

/// Chooses the goroutines that have tracks, in the order of their numbers.
fn shown(model: &Model, summary: &Summary) -> BTreeSet<u64> {
    let mut shown: BTreeSet<u64> = model.goroutines.keys().copied().take(8).collect();
    let life = |goid: &u64| {
        let spans = model.goroutines.get(goid).map(|one| &one.spans[..]);
        let ends = spans.and_then(|spans| spans.first().zip(spans.last()));
        ends.map_or(0.0, |(first, last)| last.end - first.start)
    };
    let mut oldest: Vec<u64> = model.goroutines.keys().copied().collect();
    oldest.sort_by(|a, b| life(b).total_cmp(&life(a)));
    let top = summary.top.iter().map(|(goid, _)| *goid);
    for goid in top.chain(oldest) {
        if shown.len() >= TRACKS {
            break;
        }
        shown.insert(goid);
    }
    shown
}

/// Appends tracks: of each what it is called, and its whiles, as three numbers each: how
/// long after the one before it begins, how long it is, what it is. Returns the time below
/// which whiles were put together, 0 if none were.
fn tracks(out: &mut String, name: &str, tracks: Vec<(String, Vec<While>)>) -> i64 {
    let mut apart = 0;
    let thin = |apart: i64| -> Vec<Vec<While>> {
        tracks
            .iter()
            .map(|(_, whiles)| thin(whiles, apart))
            .collect()
    };
    let mut thinned = thin(0);
    while thinned.iter().map(Vec::len).sum::<usize>() > BUDGET {
        apart = (apart * 2).max(200);
        thinned = thin(apart);
    }
    list(
        out,
        name,
        tracks.iter().zip(&thinned),
        |((head, _), whiles)| {
            let mut line = format!("{{{head},\"s\":[");
            let mut before = 0;
            for (at, &(start, end, what)) in whiles.iter().enumerate() {
                let comma = if at == 0 { "" } else { "," };
                let _ = write!(line, "{comma}{},{},{what}", start - before, end - start);
                before = end;
            }
            line + "]}"
        },
    );
    apart
}

/// Puts whiles together that are shorter than that, and no farther apart.
fn thin(whiles: &[While], apart: i64) -> Vec<While> {
    let mut thinned: Vec<While> = Vec::new();
    for &(start, end, what) in whiles {
        if let Some(last) = thinned.last_mut()
            && apart > 0
            && start - last.1 < apart
            && end - start < apart
            && (last.2 == MANY || last.1 - last.0 < apart)
        {
            last.1 = end;
            last.2 = MANY;
        } else {
            thinned.push((start, end, what));
        }
    }
    thinned
}
