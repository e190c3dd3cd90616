//! What only a machine can show: several CPUs, interrupts that nobody has asked for, an NMI, no
//! ACPI, and that it halts.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use gort_host_tests::ensure;
use gort_host_tests::programs::{built_for_none, spawn};
use libtest_mimic::{Failed, Trial};
use rustix::process::{Pid, Signal, kill_process};

use crate::boot::{MACHINES, Machine, Said};

/// As the kernel counts CPU time in /proc.
const TICKS: u64 = 100;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::test("hardware::an_nmi_is_a_dump", an_nmi_is_a_dump),
        Trial::test("hardware::who_waits_halts", who_waits_halts),
    ];
    for &machine in MACHINES {
        let stray = move || stray_interrupts(machine);
        let title = format!("hardware::{}::stray_interrupts", machine.title());
        trials.push(Trial::test(title, stray));
    }
    for machine in [Machine::new("microvm", 2), Machine::new("q35", 4)] {
        let title = |what: &str| format!("hardware::{}::{what}", machine.title());
        trials.push(Trial::test(title("two_cpus"), move || {
            two_cpus(machine, &[])
        }));
    }
    // Where there is no table that lists them, QEMU says how many there are.
    let no_acpi = || two_cpus(Machine::new("microvm", 2), &["-machine", "acpi=off"]);
    trials.push(Trial::test("hardware::two_cpus_without_acpi", no_acpi));
    trials
}

/// Two goroutines run at the same time.
fn two_cpus(machine: Machine, qemu: &[&str]) -> Result<(), Failed> {
    let options: Vec<&str> = qemu.iter().flat_map(|word| ["--qemu", word]).collect();
    let said = machine.boot(&options, "testprog", &["two-cpus"])?;
    said.expect(0, "on two CPUs\n")
}

/// Nothing happens.
fn stray_interrupts(machine: Machine) -> Result<(), Failed> {
    let said = machine.boot(&[], "testprog", &["stray-interrupts"])?;
    said.expect(0, "nothing happened\n")
}

/// Somebody presses the button: all goroutines are shown, as by SIGQUIT.
fn an_nmi_is_a_dump() -> Result<(), Failed> {
    let socket = built_for_none()?.join(format!("monitor-{}", std::process::id()));
    let monitor = format!("unix:{},server,nowait", socket.display());
    let options = ["--qemu", "-monitor", "--qemu", &monitor];
    let program = built_for_none()?.join("examples/testprog");
    let machine = Machine::new("microvm", 1);
    let mut command = machine.command(&options, program)?;
    command.args(["idle", "60000"]);
    let over = Arc::new(AtomicBool::new(false));
    press(&socket, &over);
    let said = Said::by(&mut command);
    over.store(true, Ordering::SeqCst);
    let said = said?;
    ensure!(
        said.status == Some(2) && said.text.contains("SIGQUIT: quit\nPC="),
        "got {said:?}"
    );
    Ok(())
}

/// Has NMIs sent as soon as there is a monitor, beside the program and until it is over: one
/// that comes before the program is there ends it otherwise.
fn press(socket: &Path, over: &Arc<AtomicBool>) {
    let (socket, over) = (socket.to_path_buf(), over.clone());
    let _ = fs::remove_file(&socket);
    thread::spawn(move || {
        while !over.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_secs(2)); // it has booted
            let _ = UnixStream::connect(&socket).and_then(|mut monitor| {
                monitor.write_all(b"nmi\n")?;
                monitor.set_read_timeout(Some(Duration::from_millis(200)))?;
                monitor.read(&mut [0; 4096])
            });
        }
    });
}

/// A machine on which everybody sleeps takes no CPU time, once it has booted.
fn who_waits_halts() -> Result<(), Failed> {
    const WATCHED: Duration = Duration::from_secs(5);
    const WATCHES: usize = 12;
    let program = built_for_none()?.join("examples/testprog");
    let mut command = Machine::new("microvm", 2).command(&[], program)?;
    command.args(["idle", "90000"]).stdout(Stdio::null());
    let mut child = spawn(&mut command)?;
    let mut all = Vec::new();
    for _ in 0..WATCHES {
        let before = cpu_time(child.id())?;
        thread::sleep(WATCHED);
        let used = cpu_time(child.id())?.saturating_sub(before);
        // Before it has begun there is no child at all.
        if before > 0 && used <= TICKS / 4 {
            let gone = child.try_wait()?;
            end(&mut child)?;
            ensure!(gone.is_none(), "it has ended: {gone:?}");
            return Ok(());
        }
        all.push(used);
    }
    end(&mut child)?;
    Err(format!("hundredths of a second in {WATCHED:?} each: {all:?}").into())
}

/// Switches a machine off, upon which what has started it ends.
fn end(child: &mut Child) -> Result<(), Failed> {
    for machine in children(child.id())? {
        let _ = kill_process(machine, Signal::KILL); // it may have ended
    }
    child.wait()?;
    Ok(())
}

/// Returns the CPU time that a process's children have used.
fn cpu_time(parent: u32) -> Result<u64, Failed> {
    let mut sum = 0;
    for child in children(parent)? {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.as_raw_pid()))?;
        let fields = stat.rsplit_once(") ").ok_or("no name in stat")?.1;
        let times = fields.split(' ').skip(11).take(2);
        sum += times
            .filter_map(|time| time.parse::<u64>().ok())
            .sum::<u64>();
    }
    Ok(sum)
}

/// Lists a process's children.
fn children(parent: u32) -> Result<Vec<Pid>, Failed> {
    let mut all = Vec::new();
    for task in fs::read_dir(format!("/proc/{parent}/task"))? {
        let children = fs::read_to_string(task?.path().join("children"))?;
        let pids = children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok());
        all.extend(pids.filter_map(Pid::from_raw));
    }
    Ok(all)
}
