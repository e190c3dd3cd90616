//! What is written comes back as it was; and what Perfetto and a browser get is what they
//! take.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use gort_host_tests::programs::run;
use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::words::{
    self, LARGE, NEAR, Said, bare, is_bare, long, near, pack, parts_of_large, said,
};
use crate::{File, json, page, read, traced};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("trace_formats::words", words_say_what_was_said),
        Trial::test("trace_formats::packed_words", packed_words),
        Trial::test("trace_formats::large_numbers", large_numbers),
        Trial::test("trace_formats::next", next),
        Trial::test("trace_formats::damage", damage),
        Trial::test("trace_formats::cut", cut),
        Trial::test("trace_formats::json", chrome),
        Trial::test("trace_formats::json_by_the_program", chrome_by_the_program),
        Trial::test("trace_formats::boot", boot),
        Trial::test("trace_formats::page", whole_page),
    ]
}

/// Each word says what it was made to say, and of two the first alone is looked at as such.
fn words_say_what_was_said() -> Result<(), Failed> {
    let mut random = Random::new(1);
    for _ in 0..10_000 {
        let none = || -> u16 { panic!("one word is enough") };
        let offset = random.next() % NEAR;
        for kind in words::PARK_RUN..=words::END_NEXT {
            let back = said(near(kind, offset), none);
            let then = Said::Near(kind, offset as u32);
            ensure!(back == then, "{back:?} for {then:?}");
        }
        for kind in words::PARK_RUN..=words::PLACE {
            if is_bare(kind) {
                let back = said(bare(kind), none);
                ensure!(back == Said::Bare(kind), "{back:?} for {kind}");
                continue;
            }
            let argument = random.next() as u32 % (1 << words::LONG_BITS);
            let [one, two] = long(kind, argument);
            let (back, then) = (said(one, || two), Said::Long(kind, argument));
            ensure!(back == then, "{back:?} for {then:?}");
        }
    }
    Ok(())
}

/// Makes a file of the words of one P, a stamp for each of those numbers.
fn file_of(words: &[u16], stamps: &[u64]) -> Vec<u8> {
    let mut packed = Vec::new();
    let count = pack(words, |row| {
        packed.extend(row.iter().flat_map(|word| word.to_le_bytes()));
    });
    let mut body = Vec::new();
    body.extend(3u32.to_le_bytes());
    body.extend((stamps.len() as u32).to_le_bytes());
    body.extend(0u64.to_le_bytes());
    body.extend((words.len() as u32).to_le_bytes());
    body.extend((count as u32).to_le_bytes());
    for stamp in stamps {
        body.extend((*stamp as u32).to_le_bytes());
        body.extend((1000 + 10 * stamp).to_le_bytes());
    }
    body.extend(packed);
    body.resize(body.len().next_multiple_of(8), 0);
    let mut file = words::MAGIC.to_vec();
    let mut chunk = |kind: u32, body: &[u8]| {
        file.extend(kind.to_le_bytes());
        file.extend((body.len() as u32).to_le_bytes());
        file.extend(body);
    };
    let clock = |ticks: u64, now: u64| [ticks.to_le_bytes(), now.to_le_bytes()].concat();
    chunk(words::CLOCK, &clock(1000, 5000));
    chunk(words::WORDS, &body);
    chunk(words::CLOCK, &clock(2000, 6000));
    file
}

/// What repeats itself is packed, and all of it comes back.
fn packed_words() -> Result<(), Failed> {
    let mut random = Random::new(7);
    for round in 0..2000 {
        let kinds = 1 + random.next() % 5;
        let count = random.next() as usize % 200;
        let words: Vec<u16> = (0..count)
            .map(|at| match round % 3 {
                0 => near(words::READY, random.next() % kinds),
                1 => near(words::READY, (at % words::PERIOD) as u64),
                _ => near(words::READY, at as u64 / 7 % kinds),
            })
            .collect();
        let stamps: Vec<u64> = (0..count as u64).step_by(1 + round % 9).collect();
        let file = file_of(&words, &stamps);
        let recording = read::read(&file).map_err(|error| error.to_string())?;
        let none = Vec::new();
        let events = recording.ps.get(&3).unwrap_or(&none);
        let back: Vec<u16> = events
            .iter()
            .map(|event| near(event.kind, event.argument))
            .collect();
        ensure!(back == words, "round {round}: {words:?}, and back {back:?}");
        let mut before = 0.0;
        for (at, event) in events.iter().enumerate() {
            ensure!(event.time >= before, "round {round}: back in time at {at}");
            before = event.time;
            if stamps.contains(&(at as u64)) {
                let exact = 10.0 * at as f64;
                ensure!(
                    (event.time - exact).abs() < 0.01,
                    "round {round}: {} for {exact}",
                    event.time
                );
            }
        }
    }
    // Two that wake each other come to next to nothing.
    let words: Vec<u16> = (0..4000)
        .map(|at| near(words::PARK_RUN, at % words::PERIOD as u64))
        .collect();
    ensure!(pack(&words, |_| ()) == 6, "{}", pack(&words, |_| ()));
    Ok(())
}

/// What becomes of a P's next tells when and by whom he was readied.
fn next() -> Result<(), Failed> {
    let mut words = Vec::new();
    let stamped = [0, 2, 4, 6, 8, 10, 12, 14, 15];
    words.extend(long(words::P_START, 0)); // 0
    words.extend(long(words::RUN, 7)); // 2
    words.extend(long(words::NEXT, 8)); // 4, by 7
    words.extend(long(words::TIMER, 0)); // 6
    words.extend(long(words::NEXT, 9)); // 8: 8 has been put off by that
    words.extend(long(words::READY, 8)); // 10
    words.extend(long(words::STEAL, 5)); // 12
    words.push(near(words::PARK_NEXT, 9)); // 14
    words.push(near(words::END_NEXT, 7)); // 15
    words.extend(long(words::STEAL, 3)); // 16
    words.extend(long(words::TAKEN, 4)); // 18
    words.extend(long(words::NEXT, 0)); // 20, by nobody
    words.extend(long(words::RUN, 4)); // 22
    words.push(near(words::PARK_NEXT, 6)); // 24
    let recording = read::read(&file_of(&words, &stamped)).map_err(|error| error.to_string())?;
    let back: Vec<_> = recording.ps[&3]
        .iter()
        .filter(|event| event.kind != words::TIMER)
        .map(|event| {
            let by = event.next.map(|next| next.by);
            (event.kind, event.argument, by, event.taken_from)
        })
        .collect();
    let expected = [
        (words::P_START, 0, None, None),
        (words::RUN, 7, None, None),
        (words::READY, 8, None, None),
        (words::STEAL, 5, None, None),
        (words::READY, 9, Some(7), None),
        (words::PARK_RUN, 9, None, None),
        (words::READY, 7, None, None),
        (words::END_RUN, 7, None, None),
        (words::STEAL, 3, None, None),
        (words::READY, 4, None, Some(3)),
        (words::RUN, 4, None, None),
        (words::READY, 6, Some(0), None),
        (words::PARK_RUN, 6, None, None),
    ];
    ensure!(back == expected, "{back:?}");
    // It stands where it ends, and says when it was.
    let ready = recording.ps[&3].iter().find(|event| event.next.is_some());
    let times = ready.map(|ready| (ready.time, ready.next.map_or(0.0, |next| next.time)));
    let fits =
        |(time, since): (f64, f64)| (time - 140.0).abs() < 0.01 && (since - 80.0).abs() < 0.01;
    ensure!(times.is_some_and(fits), "{times:?}");
    Ok(())
}

/// Goroutines have their numbers, small ones among large ones, too.
fn large_numbers() -> Result<(), Failed> {
    let goids = [
        1,
        LARGE - 1,
        LARGE,
        2,
        3 * LARGE - 1,
        3 * LARGE,
        3 * LARGE + 5,
        5,
        1 << 44,
        (1 << 44) + 7,
    ];
    let mut words = Vec::new();
    let (mut last, mut base) = (0, 0);
    let mut put = |words: &mut Vec<u16>, kind: u32, goid: u64| {
        if goid < LARGE {
            words.extend(long(kind, goid as u32));
            return;
        }
        let (high, argument) = parts_of_large(goid);
        if high != last {
            words.extend(long(words::HIGH, high));
            last = high;
        }
        words.extend(long(kind, argument));
    };
    for (at, goid) in goids.into_iter().enumerate() {
        // By the number itself, or near a base, with what is nothing in between.
        if at % 2 == 0 {
            put(&mut words, words::READY, goid);
            continue;
        }
        words.push(bare(words::FILLER));
        if goid.wrapping_sub(base) >= NEAR {
            base = goid.saturating_sub(NEAR - 1);
            put(&mut words, words::BASE, base);
        }
        words.push(near(words::READY, goid - base));
    }
    let recording = read::read(&file_of(&words, &[0])).map_err(|error| error.to_string())?;
    let back: Vec<u64> = recording.ps[&3]
        .iter()
        .map(|event| event.argument)
        .collect();
    ensure!(back == goids, "{back:?}");
    Ok(())
}

/// A file that was cut off or damaged is read as far as it goes, or refused.
fn damage() -> Result<(), Failed> {
    let file = File::new();
    run(&mut traced(&file, "ping-pong", 2)?)?.expect(0, "", "")?;
    let whole = std::fs::read(&file.0)?;
    for end in (0..whole.len()).step_by(whole.len() / 100 + 1) {
        let _ = read::read(&whole[..end]).map(|recording| crate::Model::new(&recording));
    }
    let mut random = Random::new(3);
    for _ in 0..60 {
        let mut bytes = whole.clone();
        for _ in 0..1 + random.next() % 8 {
            let at = random.next() as usize % bytes.len();
            bytes[at] = random.next() as u8;
        }
        let _ = read::read(&bytes).map(|recording| crate::Model::new(&recording));
    }
    Ok(())
}

/// A file that was cut off anywhere, as by a program's sudden death: each event that it has
/// is shown, or counted as left out, and none is taken for one that fits nothing.
fn cut() -> Result<(), Failed> {
    for (name, procs) in [("procs", 8), ("blocking", 2), ("spawn", 2)] {
        let file = File::new();
        run(&mut traced(&file, name, procs)?)?.expect(0, "", "")?;
        let whole = std::fs::read(&file.0)?;
        for end in (0..whole.len()).step_by(whole.len() / 60 + 1) {
            let Ok(recording) = read::read(&whole[..end]) else {
                continue; // nothing is known before the first clock
            };
            let model = crate::Model::new(&recording);
            let of_ps: usize = recording.ps.values().map(Vec::len).sum();
            let has = (of_ps + recording.extra.len()) as u64;
            let shown: u64 = model
                .counts
                .values()
                .chain(model.extra_counts.values())
                .sum();
            ensure!(
                shown + model.left_out == has,
                "{name}, {end} bytes: {shown} and {} of {has}",
                model.left_out
            );
            ensure!(
                model.misfits == 0,
                "{name}, {end} bytes: {} fit nothing",
                model.misfits
            );
        }
        let model = crate::Model::new(&read::read(&whole).map_err(|error| error.to_string())?);
        ensure!(model.misfits == 0, "{name}: {} fit nothing", model.misfits);
    }
    Ok(())
}

/// What is for Perfetto: valid JSON; every track has a name; slices do not overlap; every
/// arrow begins and ends, in this order.
fn chrome() -> Result<(), Failed> {
    for name in ["ping-pong", "blocking", "sleep", "procs"] {
        let file = File::new();
        run(&mut traced(&file, name, 2)?)?.expect(0, "", "")?;
        let (recording, model) = file.read()?;
        let text = json::render(&recording, &model);
        let events: Vec<Value> = serde_json::from_str(&text)?;
        let mut tracks: BTreeMap<(u64, u64), Vec<(f64, f64)>> = BTreeMap::new();
        let mut named = Vec::new();
        let mut arrows: HashMap<u64, f64> = HashMap::new();
        let mut ends = 0;
        for event in &events {
            let number = |name: &str| event[name].as_u64().unwrap_or_default();
            let track = (number("pid"), number("tid"));
            let time = event["ts"].as_f64();
            match event["ph"].as_str() {
                Some("M") if event["name"] == "thread_name" => named.push(track),
                Some("M") => {}
                Some("X") => {
                    let slice = time.zip(event["dur"].as_f64());
                    let (start, length) = slice.ok_or("a slice without a time")?;
                    tracks.entry(track).or_default().push((start, length));
                }
                Some("s") => _ = arrows.insert(number("id"), time.ok_or("no time")?),
                Some("f") => {
                    let from = arrows.get(&number("id")).ok_or("an arrow from nowhere")?;
                    ensure!(*from <= time.ok_or("no time")?, "an arrow into the past");
                    ends += 1;
                }
                Some("i") => ensure!(time.is_some(), "a moment without a time"),
                other => return Err(format!("{name}: {other:?}").into()),
            }
        }
        ensure!(arrows.len() == ends && ends > 0, "{name}: {ends} arrows");
        for (track, mut slices) in tracks {
            let aside = track.0 == 1 && track.1 >= 1 << 20; // the world's stops
            ensure!(
                aside || named.contains(&track),
                "{name}: {track:?} has no name"
            );
            slices.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            for pair in slices.windows(2) {
                let [(start, length), (next, _)] = pair else {
                    continue;
                };
                // A nanosecond for what is rounded.
                ensure!(
                    start + length <= next + 0.0021,
                    "{name}: {track:?}: {start} + {length}, then {next}"
                );
            }
        }
    }
    Ok(())
}

/// The same as the program writes it: what each goroutine does begins and ends in turn, and
/// so do its arrows.
fn chrome_by_the_program() -> Result<(), Failed> {
    for (name, status) in [
        ("ping-pong", 0),
        ("blocking", 0),
        ("procs", 0),
        ("deadlock", 2),
    ] {
        let file = File::with_ending(".json");
        let outcome = run(&mut traced(&file, name, 3)?)?;
        ensure!(outcome.status.code() == Some(status), "{}", outcome.status);
        let mut events: Vec<Value> = serde_json::from_slice(&std::fs::read(&file.0)?)?;
        let time = |event: &Value| event["ts"].as_f64().unwrap_or(-1.0);
        events.sort_by(|a, b| time(a).total_cmp(&time(b)));
        let mut open: HashMap<(u64, u64), bool> = HashMap::new();
        let mut arrows: HashMap<u64, bool> = HashMap::new();
        let (mut slices, mut ends) = (0, 0);
        // At the end what another P has done may be missing.
        let end = events.last().map_or(0.0, time) - 20_000.0;
        for event in &events {
            let late = time(event) >= end;
            let number = |name: &str| event[name].as_u64().unwrap_or_default();
            let track = (number("pid"), number("tid"));
            match event["ph"].as_str() {
                Some(phase @ ("B" | "E")) => {
                    let before = open.insert(track, phase == "B").unwrap_or(false);
                    ensure!(
                        late || before == (phase == "E"),
                        "{name}: {event} twice in a row"
                    );
                }
                Some(phase @ ("s" | "f")) => {
                    let before = arrows.insert(number("id"), phase == "s").unwrap_or(false);
                    ensure!(
                        late || before == (phase == "f"),
                        "{name}: {event} twice in a row"
                    );
                    ends += u64::from(phase == "f");
                }
                Some("X") => slices += 1,
                Some("M" | "i") => {}
                other => return Err(format!("{name}: {other:?}").into()),
            }
        }
        ensure!(
            slices > 10 && ends >= 5,
            "{name}: {slices} slices, {ends} arrows"
        );
    }
    Ok(())
}

/// The steps of the boot: on standard error, or in the file.
fn boot() -> Result<(), Failed> {
    let mut command = gort_host_tests::programs::program("traced")?;
    let outcome = run(command.arg("nothing").env("GODEBUG", "boottrace=2"))?;
    let events: Vec<Value> = serde_json::from_slice(&outcome.stderr)?;
    let names: Vec<_> = events
        .iter()
        .filter_map(|event| event["name"].as_str())
        .collect();
    ensure!(
        names.len() == 28 && names.first() == Some(&"_rt0_amd64_linux"),
        "{names:?}"
    );
    let file = File::new();
    let mut command = traced(&file, "ping-pong", 2)?;
    run(command.env("GODEBUG", "boottrace=2"))?.expect(0, "", "")?;
    let (recording, _) = file.read()?;
    let steps: Vec<_> = recording
        .boot
        .iter()
        .map(|(name, ..)| name.as_str())
        .collect();
    ensure!(steps == names, "{steps:?}");
    let mut before = 0.0;
    for (name, begin, end) in &recording.boot {
        ensure!(
            before <= *begin && begin <= end,
            "{name}: {before}, {begin}, {end}"
        );
        before = *end;
    }
    Ok(())
}

/// The page is whole: its data are an object, and it asks nobody for anything.
fn whole_page() -> Result<(), Failed> {
    let file = File::new();
    run(&mut traced(&file, "spawn", 2)?)?.expect(0, "", "")?;
    let (recording, model) = file.read()?;
    let page = page::render(Path::new("a<b"), &recording, &model);
    ensure!(
        !page.contains("http:") && !page.contains("https:"),
        "it asks somebody"
    );
    let start = page.find("const DATA = ").ok_or("no data")? + "const DATA = ".len();
    let end = start + page[start..].find(";\n").ok_or("no end")?;
    let data: Value = serde_json::from_str(&page[start..end])?;
    ensure!(data["goroutines"] == 10_001, "{}", data["goroutines"]);
    ensure!(
        data["file"] == "a<b" && page.contains("<h1>a&lt;b</h1>"),
        "its name"
    );
    let mut sum = 0;
    for p in data["P"].as_array().ok_or("no Ps")? {
        sum += p["s"].as_array().map_or(0, Vec::len) / 3;
    }
    ensure!(sum > 1000, "{sum} whiles");
    Ok(())
}
