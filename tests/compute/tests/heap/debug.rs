//! What src/debug offers, as far as the heap needs it: locks without an M, and
//! deaths that a test shows.

pub(crate) mod fatal {
    pub(crate) fn throw(message: &str) -> ! {
        eprintln!("fatal error: {message}");
        std::process::abort()
    }
}

pub(crate) mod print {
    pub(crate) fn say(template: &str, numbers: &[u64], _: &[&[u8]]) {
        eprintln!("{template} {numbers:x?}");
    }
}

pub(crate) mod lock {
    use std::ops::{Deref, DerefMut};
    use std::sync::{Mutex as StdMutex, MutexGuard};

    pub(crate) mod rank {
        pub(crate) const CENTRAL: u8 = 3;
        pub(crate) const HEAP: u8 = 4;
        pub(crate) const METADATA: u8 = 5;
        pub(crate) const BOOT_HEAP: u8 = 6;
    }

    pub(crate) struct Mutex<T, const RANK: u8>(StdMutex<T>);

    pub(crate) struct Guard<'a, T, const RANK: u8>(MutexGuard<'a, T>);

    impl<T, const RANK: u8> Mutex<T, RANK> {
        pub(crate) const fn new(value: T) -> Self {
            Self(StdMutex::new(value))
        }

        pub(crate) fn lock(&self) -> Guard<'_, T, RANK> {
            Guard(self.0.lock().expect("nobody panics"))
        }
    }

    impl<T, const RANK: u8> Deref for Guard<'_, T, RANK> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T, const RANK: u8> DerefMut for Guard<'_, T, RANK> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }
}
