//! Models of `sched::pstatus`: who gets a P that was left for a system call.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering, fence};
use loom::thread;

use crate::pstatus::{PState, PStatus};

/// A P.
struct Proc {
    state: PState,
    /// What belongs to who holds it: how many did something with it.
    uses: UnsafeCell<u32>,
    /// `sched.gcwaiting`: the world is to be stopped.
    gcwaiting: AtomicBool,
}

// SAFETY: loom watches over the cell.
unsafe impl Sync for Proc {}
// SAFETY: as above.
unsafe impl Send for Proc {}

impl Proc {
    /// Makes one that runs, and was used once.
    fn running() -> Arc<Self> {
        let pp = Self {
            state: PState::new(),
            uses: UnsafeCell::new(1),
            gcwaiting: AtomicBool::new(false),
        };
        pp.state.set(PStatus::Running);
        Arc::new(pp)
    }

    /// Does something that its holder alone may do; returns how many have.
    fn used(&self) -> u32 {
        // SAFETY: loom sees to it that nobody else is here.
        self.uses.with_mut(|uses| unsafe {
            *uses += 1;
            *uses
        })
    }

    /// Runs a goroutine through a system call; tells whether the P was there after it.
    fn system_call(&self) -> bool {
        self.used();
        self.state.enter_syscall();
        let mine = self.state.exit_syscall();
        if mine {
            self.used();
        }
        mine
    }
}

/// Starts a rival.
fn start<R: 'static>(
    pp: &Arc<Proc>,
    f: impl FnOnce(&Proc) -> R + 'static,
) -> thread::JoinHandle<R> {
    let pp = Arc::clone(pp);
    thread::spawn(move || f(&pp))
}

/// The M that comes back, sysmon, and who stops the world: one of them gets the P, and
/// sees all that was done with it.
#[test]
fn one_gets_the_p() {
    loom::model(|| {
        let pp = Proc::running();
        let rivals = [PStatus::Idle, PStatus::Gcstop].map(|to| {
            start(&pp, move |pp| {
                let mine = pp.state.retake(to);
                if mine {
                    assert!(pp.used() >= 3, "not all is seen");
                    assert!(pp.state.is(to));
                }
                mine
            })
        });
        let mine = pp.system_call();
        let [sysmon, stopper] = rivals.map(|rival| rival.join().unwrap());
        assert_eq!(
            [mine, sysmon, stopper].map(u32::from).iter().sum::<u32>(),
            1
        );
        assert!(pp.state.is(match (mine, sysmon) {
            (true, _) => PStatus::Running,
            (_, true) => PStatus::Idle,
            _ => PStatus::Gcstop,
        }));
        assert_eq!(pp.used(), 4);
    });
}

/// sysmon gives it to another M, which goes into a system call with it: the first M
/// may take it from there, or the second.
#[test]
fn the_p_comes_by_again_in_another_call() {
    loom::model(|| {
        let pp = Proc::running();
        let other = start(&pp, |pp| {
            let retaken = pp.state.retake(PStatus::Idle);
            if retaken {
                pp.state.set(PStatus::Running);
            }
            (retaken, retaken && pp.system_call())
        });
        let mine = pp.system_call();
        let (retaken, others) = other.join().unwrap();
        assert!(mine != others, "one M has it: {mine}, {others}");
        assert!(mine || retaken);
        assert!(pp.state.is(PStatus::Running));
        assert_eq!(pp.used(), if retaken { 5 } else { 4 });
    });
}

/// sysmon takes none that has been in another call since it looked, and it sees that
/// from the tick, unless the call has only begun.
#[test]
fn a_short_call_is_left_alone() {
    loom::model(|| {
        let pp = Proc::running();
        let sysmon = start(&pp, |pp| {
            let first = pp.state.syscall();
            let second = pp.state.syscall();
            assert!(
                first != Some(0) && second != Some(0),
                "the first has number 1"
            );
            if let (Some(first), Some(second)) = (first, second)
                && first != second
            {
                assert!(!pp.state.retake_from(first), "that call has ended");
                return false;
            }
            first.is_some_and(|first| pp.state.retake_from(first))
        });
        let mine = [pp.system_call(), false];
        let mine = if mine[0] {
            [true, pp.system_call()]
        } else {
            mine
        };
        let retaken = sysmon.join().unwrap();
        assert_eq!(mine == [true, true], !retaken, "{mine:?}");
    });
}

/// Who finds the P idle sees what was done with it.
#[test]
fn it_is_handed_on() {
    loom::model(|| {
        let pp = Proc::running();
        let other = start(&pp, |pp| pp.state.is(PStatus::Idle).then(|| pp.used()));
        pp.used();
        pp.state.set(PStatus::Idle);
        assert!(other.join().unwrap().is_none_or(|uses| uses == 3));
    });
}

/// Who stops the world sees the P in the system call, or the M sees that the world is
/// to be stopped before it is gone for long.
#[test]
fn no_call_hides_from_who_stops_the_world() {
    loom::model(|| {
        let pp = Proc::running();
        let stopper = start(&pp, |pp| {
            pp.gcwaiting.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            pp.state.retake(PStatus::Gcstop)
        });
        pp.used();
        pp.state.enter_syscall();
        let seen = pp.gcwaiting.load(Ordering::Relaxed);
        // Here the M may be gone for good.
        let stopped = stopper.join().unwrap();
        assert!(seen || stopped);
    });
}
