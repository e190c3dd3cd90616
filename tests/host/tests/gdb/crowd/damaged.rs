//! What is damaged.

use gort_host_tests::ensure;
use libtest_mimic::{Failed, Trial};

use super::{is_of, start};
use crate::listing::rows;
use crate::session::Gdb;

pub(super) fn trials() -> Vec<Trial> {
    vec![Trial::test("crowd_damaged", damaged)]
}

/// Lists that lead nowhere, or in a circle, and a goroutine whose stack pointer is wild: they
/// end with a message, and the rest is there.
fn damaged() -> Result<(), Failed> {
    let mut gdb = start()?;
    let whole = gdb.command("info goroutines")?;
    let says =
        |gdb: &mut Gdb, damage: &str, command: &str, message: &str| -> Result<String, Failed> {
            gdb.command(damage)?;
            let answer = gdb.command(command)?;
            ensure!(answer.contains(message), "{damage}; {command}: {answer}");
            Ok(answer)
        };
    gdb.command("set $next = runtime.allgs.next")?;
    says(
        &mut gdb,
        "set var runtime.allgs.next = 8",
        "info goroutines",
        "The list of stacks is damaged at 0x8: what comes behind is not shown.",
    )?;
    gdb.command("set var runtime.allgs.next = &runtime.allgs")?;
    let answer = gdb.command("info goroutines")?;
    ensure!(
        answer.contains("The list of stacks is damaged at 0x"),
        "{answer}"
    );
    gdb.command("set var runtime.allgs.next = $next")?;
    let answer = gdb.command("info goroutines")?;
    ensure!(answer == whole, "{answer}");
    gdb.command("set $next = runtime.sched.allm.alllink")?;
    says(
        &mut gdb,
        "set var runtime.sched.allm.alllink = 16",
        "info ms",
        "The list of Ms is damaged at 0x10",
    )?;
    gdb.command("set var runtime.sched.allm.alllink = $next")?;
    // Those of which the stack pointer is nonsense, one by one.
    let row = rows(&whole)?
        .into_iter()
        .find(|row| is_of(row, "chan_recv"))
        .ok_or("nobody")?;
    for field in ["sp", "bp", "pc"] {
        let goid = row.goid;
        gdb.command(&format!("goroutine {goid} set $g = $getg()"))?;
        gdb.command(&format!("set $kept = $g.sched.{field}"))?;
        for value in [
            "0",
            "1",
            "0xdeadbeefdeadbeef",
            "$g.stack.hi - 8",
            "$g.stack.lo",
        ] {
            gdb.command(&format!("set var $g.sched.{field} = {value}"))?;
            let list = gdb.command("info goroutines")?;
            let known = rows(&list)?;
            ensure!(
                known.iter().any(|row| row.goid == goid),
                "{field} = {value}: {list}"
            );
            gdb.command(&format!("goroutine {goid} bt 20"))?;
            let other = gdb.command("goroutine 2 bt")?;
            ensure!(
                other.contains(" runtime.goexit ("),
                "{field} = {value}: {other}"
            );
        }
        gdb.command(&format!("set var $g.sched.{field} = $kept"))?;
    }
    let text = gdb.command(&format!("goroutine {} bt", row.goid))?;
    ensure!(text.contains(" runtime.goexit ("), "{text}");
    gdb.command("kill")?;
    Ok(())
}
