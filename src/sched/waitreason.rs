//! What goroutines wait for, in words.
//!
//! Go's counterpart: `waitReason` in `runtime/runtime2.go`. The file stands alone, so that
//! build.rs can compile it with the structs.

/// Why a goroutine waits: a text, Go's where Go has the thing. Go has a number and
/// a table of texts; this way a program carries only the texts that it may need.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct WaitReason(&'static &'static str);

impl WaitReason {
    /// It called `thread::park`.
    pub(crate) const THREAD_PARK: Self = Self(&"thread::park");
    /// The background scavenger, when there is nothing to do.
    pub(crate) const GC_SCAVENGE_WAIT: Self = Self(&"GC scavenge wait");
    /// It called `thread::sleep`.
    pub(crate) const SLEEP: Self = Self(&"sleep");
    /// It waits for another one's end.
    pub(crate) const THREAD_JOIN: Self = Self(&"JoinHandle::join");
    /// Its `thread::scope` waits for those that it has spawned.
    pub(crate) const THREAD_SCOPE: Self = Self(&"thread::scope");
    /// It called `task::block_on`, and the future is not ready.
    pub(crate) const BLOCK_ON: Self = Self(&"task::block_on");
    /// It waits for a value from a channel.
    pub(crate) const CHAN_RECEIVE: Self = Self(&"chan receive");
    /// The same from one that never has any.
    pub(crate) const CHAN_RECEIVE_NIL_CHAN: Self = Self(&"chan receive (nil chan)");
    /// It waits for somebody to take its value from a channel.
    pub(crate) const CHAN_SEND: Self = Self(&"chan send");
    /// It waits for the first of several channels.
    pub(crate) const SELECT: Self = Self(&"select");
    /// The same where none of them will ever be ready.
    pub(crate) const SELECT_NO_CASES: Self = Self(&"select (no cases)");
    /// It waits for a semaphore.
    pub(crate) const SEMACQUIRE: Self = Self(&"semacquire");
    /// It waits for a mutex.
    pub(crate) const SYNC_MUTEX_LOCK: Self = Self(&"sync.Mutex.Lock");
    /// It wants to read what others write.
    pub(crate) const SYNC_RWMUTEX_RLOCK: Self = Self(&"sync.RWMutex.RLock");
    /// It wants to write what others read or write.
    pub(crate) const SYNC_RWMUTEX_LOCK: Self = Self(&"sync.RWMutex.Lock");
    /// It waits until a condition may have changed.
    pub(crate) const SYNC_COND_WAIT: Self = Self(&"sync.Cond.Wait");
    /// It waits until a group is done.
    pub(crate) const SYNC_WAIT_GROUP_WAIT: Self = Self(&"sync.WaitGroup.Wait");
    /// It waits for what somebody else does once.
    pub(crate) const ONCE: Self = Self(&"Once::wait");
    /// It waits for the rest.
    pub(crate) const BARRIER: Self = Self(&"Barrier::wait");
    /// It hands signals on, and none has come.
    pub(crate) const SIGNAL_RECEIVE: Self = Self(&"signal receive");
    /// It waits for a standard stream that another one has locked.
    pub(crate) const IO_LOCK: Self = Self(&"io lock");

    /// Returns where the text is noted: a number for each.
    pub(crate) fn address(self) -> usize {
        core::ptr::from_ref(self.0).expose_provenance()
    }

    /// Returns the text.
    pub(crate) const fn text(self) -> &'static str {
        self.0
    }
}
