//! A trace in Chrome's format, which ui.perfetto.dev and chrome://tracing open: a track for
//! each P, each M and each goroutine, and arrows from who readied a goroutine to where it
//! ran.

use std::fmt::Write as _;

use super::model::{Doing, Model};
use super::read::Recording;
use super::summary::name;
use super::words;

/// The "processes" that the tracks belong to.
const PS: u32 = 1;
const MS: u32 = 2;
const GOROUTINES: u32 = 3;
const BOOT: u32 = 4;

/// A list of events in the making.
struct Events(String);

impl Events {
    /// Appends one: all but the braces.
    fn add(&mut self, event: std::fmt::Arguments<'_>) {
        let comma = if self.0.ends_with('[') { "" } else { "," };
        let _ = write!(self.0, "{comma}\n{{{event}}}");
    }

    /// Names a process or a track.
    fn meta(&mut self, what: &str, pid: u32, tid: u64, name: &str) {
        self.add(format_args!(
            r#""ph":"M","name":"{what}","pid":{pid},"tid":{tid},"args":{{"name":{}}}"#,
            text(name)
        ));
    }

    /// Appends a slice.
    fn slice(&mut self, (pid, tid): (u32, u64), (start, end): (f64, f64), name: &str, args: &str) {
        self.add(format_args!(
            r#""ph":"X","name":{},"cat":"sched","pid":{pid},"tid":{tid},"ts":{:.3},"dur":{:.3},"args":{{{args}}}"#,
            text(name),
            start / 1e3,
            (end - start).max(0.0) / 1e3,
        ));
    }

    /// Appends a moment.
    fn instant(&mut self, (pid, tid): (u32, u64), time: f64, name: &str) {
        self.add(format_args!(
            r#""ph":"i","s":"t","name":{},"cat":"sched","pid":{pid},"tid":{tid},"ts":{:.3}"#,
            text(name),
            time / 1e3,
        ));
    }
}

/// Quotes a text.
pub(crate) fn text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            // Also what would end a script in a page.
            '<' | '\0'..=' ' if letter != ' ' => {
                let _ = write!(quoted, "\\u{:04x}", letter as u32);
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// Makes all of it.
pub(crate) fn render(recording: &Recording, model: &Model) -> String {
    let mut events = Events(String::from("["));
    for (pid, name) in [
        (PS, "Ps: what runs"),
        (MS, "Ms: threads"),
        (GOROUTINES, "goroutines"),
        (BOOT, "the boot"),
    ] {
        events.meta("process_name", pid, 0, name);
        events.add(format_args!(
            r#""ph":"M","name":"process_sort_index","pid":{pid},"args":{{"sort_index":{pid}}}"#
        ));
    }
    for &p in recording.ps.keys() {
        events.meta("thread_name", PS, p.into(), &format!("P {p}"));
    }
    for (&m, thread) in &model.threads {
        events.meta(
            "thread_name",
            MS,
            m.into(),
            &format!("M {m}, thread {thread}"),
        );
    }
    for (&goid, goroutine) in &model.goroutines {
        let place = recording.places.get(&goroutine.place);
        let place = place.map_or(String::new(), |place| format!(" {place}"));
        events.meta("thread_name", GOROUTINES, goid, &format!("G {goid}{place}"));
    }
    for (name, begin, end) in &recording.boot {
        events.slice((BOOT, 0), (*begin, *end), name, "");
    }
    for (&p, slices) in &model.ps {
        for slice in slices {
            let goid = slice.goid;
            let name = match slice.syscall {
                true => format!("G {goid} in a system call"),
                false => format!("G {goid}"),
            };
            let args = format!(r#""goroutine":{goid},"until":{}"#, text(ended_by(slice.by)));
            events.slice((PS, p.into()), (slice.start, slice.end), &name, &args);
        }
    }
    for (&m, holds) in &model.ms {
        for hold in holds {
            let name = hold.p.map_or("asleep".into(), |p| format!("P {p}"));
            events.slice((MS, m.into()), (hold.start, hold.end), &name, "");
        }
    }
    for (&goid, goroutine) in &model.goroutines {
        for span in &goroutine.spans {
            let name = match span.doing {
                Doing::Runnable => "runnable".into(),
                Doing::Running(p) => format!("running on P {p}"),
                Doing::Waiting(reason) => name(recording, reason),
                Doing::Syscall(_) => "system call".into(),
            };
            events.slice((GOROUTINES, goid), (span.start, span.end), &name, "");
        }
    }
    for (id, flow) in model.flows.iter().enumerate() {
        let name = if flow.created { "go" } else { "ready" };
        let (pid, tid) = match flow.by {
            0 => (PS, flow.from_p.unwrap_or(0).into()),
            by => (GOROUTINES, by),
        };
        // Where the arrow begins and ends must be inside of the slices.
        let (from, to) = (flow.from / 1e3 - 0.001, flow.to / 1e3);
        let goid = flow.goid;
        events.add(format_args!(
            r#""ph":"s","name":"{name}","cat":"wake","id":{id},"pid":{pid},"tid":{tid},"ts":{from:.3}"#
        ));
        events.add(format_args!(
            r#""ph":"f","bp":"e","name":"{name}","cat":"wake","id":{id},"pid":{GOROUTINES},"tid":{goid},"ts":{to:.3}"#
        ));
    }
    for moment in &model.moments {
        let name = match moment.kind {
            words::STEAL => format!("stolen from P {}", moment.argument),
            words::TIMER => "timer".into(),
            words::PREEMPT => format!("G {} preempted", moment.argument),
            words::P_START => format!("start, M {}", moment.argument),
            _ => "stop".into(),
        };
        events.instant((PS, moment.p.unwrap_or(0).into()), moment.time, &name);
    }
    for (start, end, procs) in &model.stops {
        let name = format!("the world is stopped; then {procs} Ps");
        events.slice((PS, 1 << 20), (*start, *end), &name, "");
    }
    events.0.push_str("\n]\n");
    events.0
}

/// Says what ended a slice.
fn ended_by(kind: u32) -> &'static str {
    match kind {
        words::PARK | words::PARK_RUN => "park",
        words::END | words::END_RUN => "end",
        words::YIELD | words::YIELD_RUN => "yield",
        words::PREEMPT => "preempted",
        words::ENTER => "system call",
        words::EXIT => "back",
        words::REFUSED => "refused",
        0 => "the trace's end",
        _ => "lost",
    }
}
