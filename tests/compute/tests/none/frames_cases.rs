//! Tests of `os::none::frames`: each frame once, none of what is kept, all of the rest.

use std::collections::{BTreeMap, BTreeSet};

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::boot_info::{BootInfo, FRAME, Physical, Region};
use crate::frames::Frames;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test(
            "frames::are_handed_out_once_and_whole",
            are_handed_out_once_and_whole,
        ),
        Trial::test("frames::come_back", come_back),
        Trial::test("frames::in_one_piece", in_one_piece),
        Trial::test("frames::of_absurd_maps", of_absurd_maps),
    ]
}

/// A PVH struct, and the map behind it.
struct Told(Vec<u8>);

impl<'a> Physical<'a> for &'a Told {
    fn at(&self, address: u64, length: usize) -> &'a [u8] {
        let rest = usize::try_from(address)
            .ok()
            .and_then(|at| self.0.get(at..));
        let rest = rest.unwrap_or_default();
        rest.get(..length).unwrap_or(rest)
    }
}

/// Makes frames of regions of memory.
pub(crate) fn frames(regions: &[Region], kept: &[Region]) -> Result<Frames, Failed> {
    let mut told = Told(vec![0; 64]);
    told.0[0..4].copy_from_slice(&0x336e_c578u32.to_le_bytes());
    told.0[4..8].copy_from_slice(&1u32.to_le_bytes());
    told.0[40..48].copy_from_slice(&64u64.to_le_bytes());
    told.0[48..52].copy_from_slice(&(regions.len() as u32).to_le_bytes());
    for region in regions {
        told.0.extend(region.start.to_le_bytes());
        told.0.extend((region.end - region.start).to_le_bytes());
        told.0.extend(1u64.to_le_bytes());
    }
    let info = BootInfo::from_pvh(&&told, 0).map_err(|wrong| format!("{wrong:?}"))?;
    let mut frames = Frames::new();
    info.read_map(&&told, &mut frames.regions);
    kept.iter().for_each(|&kept| frames.regions.take_out(kept));
    Ok(frames)
}

/// Takes them all.
fn take_all(frames: &mut Frames) -> Vec<u64> {
    std::iter::from_fn(|| frames.take(|_| 0)).collect()
}

fn are_handed_out_once_and_whole() -> Result<(), Failed> {
    const LOW: u64 = 1 << 20;
    let mut random = Random::new(11);
    for _ in 0..2_000 {
        let mut region = |most: usize| {
            let start = random.below(600) as u64 * 3000;
            Region {
                start,
                end: start + random.below(most) as u64 * 1024,
            }
        };
        let regions: Vec<Region> = (0..4).map(|_| region(900)).collect();
        let kept: Vec<Region> = (0..4).map(|_| region(100)).collect();
        let mut frames = frames(&regions, &kept)?;
        let counted = frames.free();
        let all = take_all(&mut frames);
        let set: BTreeSet<u64> = all.iter().copied().collect();
        ensure!(set.len() == all.len(), "one of {all:x?} came twice");
        ensure!(
            counted == all.len() && frames.free() == 0,
            "{counted} counted"
        );
        for frame in 0..800 {
            let (start, end) = (frame * FRAME, (frame + 1) * FRAME);
            let inside = |region: &Region| region.start <= start && end <= region.end;
            let touched = |region: &Region| {
                region.start < region.end && region.start < end && start < region.end
            };
            let may = start >= LOW && regions.iter().any(inside) && !kept.iter().any(touched);
            // What lies in one region whole, and in an earlier one in part, is nobody's.
            let must = may && regions.iter().filter(|region| touched(region)).count() == 1;
            let is = set.contains(&start);
            ensure!(
                is <= may && must <= is,
                "{start:#x} of {regions:x?} without {kept:x?}: {is}"
            );
        }
    }
    Ok(())
}

fn come_back() -> Result<(), Failed> {
    let region = Region {
        start: 1 << 20,
        end: (1 << 20) + 64 * FRAME,
    };
    let mut frames = frames(&[region], &[])?;
    let mut random = Random::new(5);
    let mut words: BTreeMap<u64, u64> = BTreeMap::new();
    let mut ours: Vec<u64> = Vec::new();
    for _ in 0..10_000 {
        if random.below(2) == 0 {
            match frames.take(|at| words.remove(&at).unwrap_or(u64::MAX)) {
                Some(frame) => {
                    ensure!(!ours.contains(&frame), "{frame:#x} is ours already");
                    ours.push(frame);
                }
                None => ensure!(ours.len() == 64, "none left, and {} ours", ours.len()),
            }
        } else if !ours.is_empty() {
            let frame = ours.swap_remove(random.below(ours.len()));
            frames.give(frame, |at, word| _ = words.insert(at, word));
        }
        ensure!(frames.free() + ours.len() == frames.total(), "miscounted");
    }
    Ok(())
}

/// Frames by themselves and in pieces, against a model: first those that came back, the last one
/// first, and then what nobody has had, region by region.
fn in_one_piece() -> Result<(), Failed> {
    let mut random = Random::new(31);
    for _ in 0..500 {
        let mut at = 1 << 20;
        let regions: Vec<Region> = (0..3)
            .map(|_| {
                let start = at + FRAME * random.below(3) as u64;
                at = start + FRAME * (1 + random.below(40) as u64);
                Region { start, end: at }
            })
            .collect();
        let mut frames = frames(&regions, &[])?;
        let mut fresh = regions.iter().map(|region| (region.start, region.end));
        let (mut next, mut end) = (0, 0);
        let (mut words, mut back, mut ours) = (BTreeMap::new(), Vec::new(), Vec::new());
        for _ in 0..200 {
            match random.below(3) {
                0 => {
                    if back.is_empty() && next == end {
                        (next, end) = fresh.next().unwrap_or((next, end));
                    }
                    let want = back.pop().or_else(|| {
                        let frame = (next < end).then_some(next);
                        next += if frame.is_some() { FRAME } else { 0 };
                        frame
                    });
                    let got = frames.take(|at| words.remove(&at).unwrap_or(u64::MAX));
                    ensure!(got == want, "{got:x?} instead of {want:x?}");
                    ours.extend(got);
                }
                1 => {
                    let count = 1 + random.below(12);
                    let size = count as u64 * FRAME;
                    let want = (size <= end - next).then_some(next);
                    let got = frames.take_run(count);
                    ensure!(got == want, "{count}: {got:x?} instead of {want:x?}");
                    if let Some(first) = got {
                        next += size;
                        ours.extend((first..next).step_by(FRAME as usize));
                    }
                }
                _ if !ours.is_empty() => {
                    let frame = ours.swap_remove(random.below(ours.len()));
                    frames.give(frame, |at, word| _ = words.insert(at, word));
                    back.push(frame);
                }
                _ => {}
            }
            ensure!(frames.free() + ours.len() == frames.total(), "miscounted");
        }
    }
    Ok(())
}

fn of_absurd_maps() -> Result<(), Failed> {
    let everything = Region {
        start: 0,
        end: u64::MAX,
    };
    let last = Region {
        start: u64::MAX - 5,
        end: u64::MAX,
    };
    ensure!(
        frames(&[last], &[])?.total() == 0,
        "a frame at the very end"
    );
    let all = frames(&[everything, everything, last], &[last])?;
    ensure!(
        all.total() as u64 == ((1 << 46) - (1 << 20)) / FRAME,
        "{} frames",
        all.total()
    );
    ensure!(
        frames(&[everything], &[everything])?.total() == 0,
        "a kept frame"
    );
    Ok(())
}
