//! [`Select`]: the first of several operations, which need not be known beforehand; and what
//! the macros use in its place.

use crate::alloc::vec::Vec;
use core::fmt;
use core::ptr;
use core::time::Duration;

use super::case::{Case, SelectHandle};
use super::clock;
use super::error::{ReadyTimeoutError, SelectTimeoutError, TryReadyError, TrySelectError};
use super::hchan::Timeout;
use super::receiver::Receiver;
use super::selected::SelectedOperation;
use super::selecting::{Handle, Mode, run};
use super::sender::Sender;
use super::token::Token;
use crate::time::Instant;

/// Selects one of the operations, if one is ready.
#[doc(hidden)]
pub fn try_select<'a>(
    handles: &mut [Handle<'a>],
    is_biased: bool,
) -> Result<SelectedOperation<'a>, TrySelectError> {
    select_until(handles, Timeout::Now, is_biased).ok_or(TrySelectError)
}

/// Waits until one of the operations is ready, and selects it.
#[doc(hidden)]
pub fn select<'a>(handles: &mut [Handle<'a>], is_biased: bool) -> SelectedOperation<'a> {
    assert_some(handles);
    // Made here, and filled where it is: to move it would be to read in one piece what has
    // just been written in several, for which a CPU has to wait.
    let mut selected = SelectedOperation::new(Token::new(), 0, ptr::null());
    loop {
        let token = selected.token();
        if let Some(place) = run(handles, Mode::Select, Timeout::Never, is_biased, token) {
            let (_, index, ptr) = handles[place];
            selected.set(index, ptr);
            return selected;
        }
    }
}

/// As [`select`], but for so long at most.
#[doc(hidden)]
pub fn select_timeout<'a>(
    handles: &mut [Handle<'a>],
    timeout: Duration,
    is_biased: bool,
) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
    select_until(handles, clock::after(timeout), is_biased).ok_or(SelectTimeoutError)
}

/// What those have in common.
fn select_until<'a>(
    handles: &mut [Handle<'a>],
    timeout: Timeout,
    is_biased: bool,
) -> Option<SelectedOperation<'a>> {
    let mut token = Token::new();
    let place = run(handles, Mode::Select, timeout, is_biased, &mut token)?;
    let (_, index, ptr) = handles[place];
    Some(SelectedOperation::new(token, index, ptr))
}

fn assert_some(handles: &[Handle<'_>]) {
    assert!(
        !handles.is_empty(),
        "no operations have been added to `Select`"
    );
}

/// A list of operations of which one is to be done: the first that is ready, or, of several
/// that are ready at a time, any.
///
/// The macro `select!` is shorter where it is known what there is to select from.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::channel::{Select, unbounded};
///
/// let (s1, r1) = unbounded::<u32>();
/// let (s2, r2) = unbounded::<u32>();
/// gort::go(move || s1.send(10).unwrap());
/// gort::go(move || s2.send(20).unwrap());
///
/// let rs = [r1, r2];
/// let mut select = Select::new();
/// for r in &rs {
///     select.recv(r);
/// }
/// let operation = select.select();
/// let index = operation.index();
/// let message = operation.recv(&rs[index]).unwrap();
/// assert_eq!(message, [10, 20][index]);
/// # }
/// ```
pub struct Select<'a> {
    handles: Vec<Handle<'a>>,
    next_index: usize,
    biased: bool,
}

// SAFETY: of the handles it uses the channels alone, which are for many; the messages are for
// who completes the operation, with the handle itself.
unsafe impl Send for Select<'_> {}
// SAFETY: as above.
unsafe impl Sync for Select<'_> {}

impl<'a> Select<'a> {
    /// Makes an empty list. Of several operations that are ready any is selected, at random.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// assert!(gort::channel::Select::new().try_select().is_err());
    /// # }
    /// ```
    pub fn new() -> Self {
        Self {
            handles: Vec::with_capacity(4),
            next_index: 0,
            biased: false,
        }
    }

    /// Makes an empty list. Of several operations that are ready the one that was added first
    /// is selected.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// s.send(1).unwrap();
    /// let mut select = Select::new_biased();
    /// let first = select.recv(&r);
    /// select.send(&s);
    /// let operation = select.select();
    /// assert_eq!(operation.index(), first);
    /// assert_eq!(operation.recv(&r), Ok(1));
    /// # }
    /// ```
    pub fn new_biased() -> Self {
        Self {
            biased: true,
            ..Self::new()
        }
    }

    /// Adds a send, and returns its index. It is ready when it need not wait, also if it fails
    /// then.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// let mut select = Select::new();
    /// assert_eq!(select.send(&s), 0);
    /// select.select().send(&s, "hello").unwrap();
    /// assert_eq!(r.recv(), Ok("hello"));
    /// # }
    /// ```
    pub fn send<T>(&mut self, s: &'a Sender<T>) -> usize {
        self.add(s.case(), ptr::from_ref(s).cast())
    }

    /// Adds a receive, and returns its index. It is ready when it need not wait, also if it
    /// fails then.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// s.send("hello").unwrap();
    /// let mut select = Select::new();
    /// assert_eq!(select.recv(&r), 0);
    /// assert_eq!(select.select().recv(&r), Ok("hello"));
    /// # }
    /// ```
    pub fn recv<T>(&mut self, r: &'a Receiver<T>) -> usize {
        self.add(r.case(), ptr::from_ref(r).cast())
    }

    fn add(&mut self, case: Case<'a>, address: *const u8) -> usize {
        let index = self.next_index;
        self.handles.push((case, index, address));
        self.next_index += 1;
        index
    }

    /// Removes the operation with that index, which no other one will have.
    ///
    /// # Panics
    ///
    /// If there is none.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// s.send(1).unwrap();
    /// let mut select = Select::new();
    /// let send = select.send(&s);
    /// let recv = select.recv(&r);
    /// select.remove(send);
    /// let operation = select.select();
    /// assert_eq!(operation.index(), recv);
    /// assert_eq!(operation.recv(&r), Ok(1));
    /// # }
    /// ```
    pub fn remove(&mut self, index: usize) {
        assert!(
            index < self.next_index,
            "index out of bounds; {index} >= {}",
            self.next_index,
        );
        let place = self.handles.iter().position(|&(_, i, _)| i == index);
        let place = place.expect("no operation with this index");
        self.handles.swap_remove(place);
    }

    /// Selects an operation, if one is ready, which then has to be completed.
    ///
    /// # Errors
    ///
    /// If none is.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert!(select.try_select().is_err());
    /// s.send(1).unwrap();
    /// assert_eq!(select.try_select().unwrap().recv(&r), Ok(1));
    /// # }
    /// ```
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        try_select(&mut self.handles, self.biased)
    }

    /// Waits until an operation is ready, and selects it; it then has to be completed.
    ///
    /// # Panics
    ///
    /// If the list is empty.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, bounded};
    ///
    /// let (s, r) = bounded(0);
    /// gort::go(move || s.send(1).unwrap());
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert_eq!(select.select().recv(&r), Ok(1));
    /// # }
    /// ```
    pub fn select(&mut self) -> SelectedOperation<'a> {
        select(&mut self.handles, self.biased)
    }

    /// As [`select`](Self::select); waits so long at most. With an empty list it just waits.
    ///
    /// # Errors
    ///
    /// If the time is over.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, unbounded};
    /// use gort::time::Duration;
    ///
    /// let (_s, r) = unbounded::<u8>();
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert!(select.select_timeout(Duration::from_millis(2)).is_err());
    /// # }
    /// ```
    pub fn select_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        select_timeout(&mut self.handles, timeout, self.biased)
    }

    /// As [`select_timeout`](Self::select_timeout); waits until then at most.
    ///
    /// # Errors
    ///
    /// If the time is over.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, unbounded};
    /// use gort::time::{Duration, Instant};
    ///
    /// let (_s, r) = unbounded::<u8>();
    /// let deadline = Instant::now() + Duration::from_millis(2);
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert!(select.select_deadline(deadline).is_err());
    /// assert!(Instant::now() >= deadline);
    /// # }
    /// ```
    pub fn select_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        select_until(&mut self.handles, clock::until(deadline), self.biased)
            .ok_or(SelectTimeoutError)
    }

    /// Returns the index of an operation that is ready, if one is. Nothing is selected: it may
    /// be somebody else who comes first then.
    ///
    /// # Errors
    ///
    /// If none is.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// let mut select = Select::new();
    /// let recv = select.recv(&r);
    /// assert!(select.try_ready().is_err());
    /// s.send(1).unwrap();
    /// assert_eq!(select.try_ready(), Ok(recv));
    /// assert_eq!(r.try_recv(), Ok(1));
    /// # }
    /// ```
    pub fn try_ready(&mut self) -> Result<usize, TryReadyError> {
        self.ready_until(Timeout::Now).ok_or(TryReadyError)
    }

    /// Waits until an operation is ready, and returns its index; as
    /// [`try_ready`](Self::try_ready). It may be, rarely, that it is not ready.
    ///
    /// # Panics
    ///
    /// If the list is empty.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// gort::go(move || s.send(1).unwrap());
    /// let mut select = Select::new();
    /// let recv = select.recv(&r);
    /// assert_eq!(select.ready(), recv);
    /// assert_eq!(r.try_recv(), Ok(1));
    /// # }
    /// ```
    pub fn ready(&mut self) -> usize {
        assert_some(&self.handles);
        loop {
            if let Some(index) = self.ready_until(Timeout::Never) {
                return index;
            }
        }
    }

    /// As [`ready`](Self::ready); waits so long at most. With an empty list it just waits.
    ///
    /// # Errors
    ///
    /// If the time is over.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, unbounded};
    /// use gort::time::Duration;
    ///
    /// let (_s, r) = unbounded::<u8>();
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert!(select.ready_timeout(Duration::from_millis(2)).is_err());
    /// # }
    /// ```
    pub fn ready_timeout(&mut self, timeout: Duration) -> Result<usize, ReadyTimeoutError> {
        self.ready_until(clock::after(timeout))
            .ok_or(ReadyTimeoutError)
    }

    /// As [`ready_timeout`](Self::ready_timeout); waits until then at most.
    ///
    /// # Errors
    ///
    /// If the time is over.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, unbounded};
    /// use gort::time::{Duration, Instant};
    ///
    /// let (_s, r) = unbounded::<u8>();
    /// let deadline = Instant::now() + Duration::from_millis(2);
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert!(select.ready_deadline(deadline).is_err());
    /// assert!(Instant::now() >= deadline);
    /// # }
    /// ```
    pub fn ready_deadline(&mut self, deadline: Instant) -> Result<usize, ReadyTimeoutError> {
        self.ready_until(clock::until(deadline))
            .ok_or(ReadyTimeoutError)
    }

    fn ready_until(&mut self, timeout: Timeout) -> Option<usize> {
        let mut token = Token::new();
        let place = run(
            &mut self.handles,
            Mode::Ready,
            timeout,
            self.biased,
            &mut token,
        )?;
        Some(self.handles[place].1)
    }
}

impl Clone for Select<'_> {
    fn clone(&self) -> Self {
        Self {
            handles: self.handles.clone(),
            next_index: self.next_index,
            biased: self.biased,
        }
    }
}

impl Default for Select<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Select { .. }")
    }
}
