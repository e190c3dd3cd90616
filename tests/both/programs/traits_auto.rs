// Which types may be sent, shared, moved and caught. Not those of the handles to join: gort's
// may be caught, as there is nothing to catch.

use std::cell::Cell;
use std::marker::{PhantomData, PhantomPinned};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{
    Barrier, BarrierWaitResult, Condvar, LazyLock, Mutex, MutexGuard, Once, OnceLock, OnceState,
    PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, WaitTimeoutResult,
};
use std::thread::{self, AccessError, Builder, LocalKey, Scope, Thread, ThreadId};
use std::time::{Instant, SystemTime, SystemTimeError};

/// Asks about a type: what it is itself comes before what its reference is.
struct Ask<T: ?Sized>(PhantomData<fn() -> *const T>);

macro_rules! asks {
    ($($method:ident, $trait:path;)*) => {$(
        mod $method {
            pub(super) trait Otherwise {
                fn $method(&self) -> bool {
                    false
                }
            }
            impl<T: ?Sized> Otherwise for &super::Ask<T> {}
        }
        impl<T: ?Sized + $trait> Ask<T> {
            fn $method(&self) -> bool {
                true
            }
        }
    )*};
}

asks! {
    send, Send;
    sync, Sync;
    unpin, Unpin;
    unwind, UnwindSafe;
    ref_unwind, RefUnwindSafe;
}

macro_rules! tell {
    ($($type:ty),* $(,)?) => {$({
        #[allow(unused_imports, reason = "some types are all of it")]
        use {
            ref_unwind::Otherwise as _, send::Otherwise as _, sync::Otherwise as _,
            unpin::Otherwise as _, unwind::Otherwise as _,
        };
        let ask = &Ask::<$type>(PhantomData);
        println!(
            "{}: {} {} {} {} {}",
            stringify!($type),
            ask.send(),
            ask.sync(),
            ask.unpin(),
            ask.unwind(),
            ask.ref_unwind(),
        );
    })*};
}

macro_rules! tell_of {
    ($($inner:ty),*) => {$(
        tell!(
            Mutex<$inner>,
            MutexGuard<'static, $inner>,
            RwLock<$inner>,
            RwLockReadGuard<'static, $inner>,
            RwLockWriteGuard<'static, $inner>,
            OnceLock<$inner>,
            LazyLock<$inner>,
            LazyLock<u8, $inner>,
            Sender<$inner>,
            SyncSender<$inner>,
            Receiver<$inner>,
            mpsc::IntoIter<$inner>,
            mpsc::Iter<'static, $inner>,
            mpsc::TryIter<'static, $inner>,
            mpsc::SendError<$inner>,
            mpsc::TrySendError<$inner>,
            PoisonError<$inner>,
            TryLockError<$inner>,
            LocalKey<$inner>,
        );
    )*};
}

fn main() {
    tell_of!(
        u8,
        Cell<u8>,
        Rc<u8>,
        &'static mut u8,
        MutexGuard<'static, u8>
    );
    tell!(
        Barrier,
        BarrierWaitResult,
        Condvar,
        WaitTimeoutResult,
        Once,
        OnceState,
        Thread,
        ThreadId,
        Builder,
        AccessError,
        Scope<'static, 'static>,
        Instant,
        SystemTime,
        SystemTimeError,
        mpsc::RecvError,
        Mutex<PhantomPinned>,
    );
    println!("{:?}", thread::current().name());
}
