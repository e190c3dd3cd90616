// Atomics, and locks that people make of them.

use std::cell::UnsafeCell;
use std::hint;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicUsize, Ordering, compiler_fence, fence,
};
use std::thread;

struct SpinLock<T> {
    locked: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `with` lets one at a time at the value.
unsafe impl<T: Send> Sync for SpinLock<T> {}

impl<T> SpinLock<T> {
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        while self.locked.swap(true, Ordering::Acquire) {
            hint::spin_loop();
            thread::yield_now();
        }
        // SAFETY: it is locked.
        let result = f(unsafe { &mut *self.value.get() });
        self.locked.store(false, Ordering::Release);
        result
    }
}

fn main() {
    let (sum, highest, bits) = (AtomicI64::new(0), AtomicUsize::new(0), AtomicU8::new(0));
    let lock = SpinLock {
        locked: AtomicBool::new(false),
        value: UnsafeCell::new(Vec::new()),
    };
    thread::scope(|scope| {
        for number in 0..8usize {
            let (sum, highest, bits, lock) = (&sum, &highest, &bits, &lock);
            scope.spawn(move || {
                for step in 0..1000i64 {
                    sum.fetch_add(if step % 2 == 0 { step } else { -step }, Ordering::Relaxed);
                }
                highest.fetch_max(number * 10, Ordering::Relaxed);
                bits.fetch_or(1 << number, Ordering::AcqRel);
                for step in 0..50 {
                    lock.with(|values| values.push(number * 50 + step));
                }
            });
        }
    });
    println!(
        "{} {} {:08b}",
        sum.into_inner(),
        highest.load(Ordering::SeqCst),
        bits.into_inner()
    );
    lock.with(|values| values.sort());
    println!("{}", lock.with(|values| values.iter().copied().eq(0..400)));

    let ticket = AtomicUsize::new(5);
    println!(
        "{:?}",
        ticket.compare_exchange(4, 9, Ordering::SeqCst, Ordering::Relaxed)
    );
    println!(
        "{:?}",
        ticket.compare_exchange(5, 9, Ordering::SeqCst, Ordering::Relaxed)
    );
    println!(
        "{:?}",
        ticket.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(10))
    );
    println!(
        "{:?} {ticket:?}",
        ticket.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| Some(n * 2))
    );

    // A message behind a flag.
    let shared = Arc::new((AtomicUsize::new(0), AtomicBool::new(false)));
    let reader = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            while !shared.1.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            fence(Ordering::Acquire);
            shared.0.load(Ordering::Relaxed)
        }
    });
    shared.0.store(42, Ordering::Relaxed);
    fence(Ordering::Release);
    compiler_fence(Ordering::SeqCst);
    shared.1.store(true, Ordering::Relaxed);
    println!("{}", reader.join().unwrap());

    // A stack without a lock, emptied in the end.
    struct Node(u32, *mut Node);
    let top = AtomicPtr::<Node>::default();
    thread::scope(|scope| {
        for number in 0..20 {
            let top = &top;
            scope.spawn(move || {
                let node = Box::into_raw(Box::new(Node(number, top.load(Ordering::Relaxed))));
                // SAFETY: the node is ours until the exchange succeeds.
                while let Err(now) = top.compare_exchange_weak(
                    unsafe { (*node).1 },
                    node,
                    Ordering::AcqRel,
                    Ordering::Relaxed,
                ) {
                    // SAFETY: as above.
                    unsafe { (*node).1 = now };
                }
            });
        }
    });
    let (mut node, mut total) = (top.into_inner(), 0);
    while !node.is_null() {
        // SAFETY: made by Box above, and nobody else has it.
        let Node(number, next) = *unsafe { Box::from_raw(node) };
        total += number;
        node = next;
    }
    println!("{total}");
}
