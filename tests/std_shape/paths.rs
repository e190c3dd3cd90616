//! That std's paths are there, with what programs take from them.

#![allow(unused_imports, reason = "it is the paths that are tried")]
#![allow(
    unused_qualifications,
    clippy::legacy_numeric_constants,
    clippy::nonminimal_bool,
    clippy::eq_op,
    clippy::const_is_empty,
    clippy::todo,
    clippy::approx_constant,
    clippy::swap_with_temporary,
    reason = "paths and macros are tried for their own sake"
)]

use std::alloc::{GlobalAlloc, Layout, LayoutError, System, handle_alloc_error};
use std::any::{Any, TypeId, type_name};
use std::array::from_fn;
use std::ascii::escape_default;
use std::borrow::{Cow, ToOwned};
use std::boxed::Box;
use std::cell::{Cell, LazyCell, OnceCell, Ref, RefCell, RefMut, UnsafeCell};
use std::char::{MAX as LAST, from_digit};
use std::clone::Clone;
use std::cmp::{Ordering, Reverse, max, min};
use std::convert::{AsRef, Infallible, TryFrom, TryInto, identity};
use std::default::Default;
use std::error::Error;
use std::f64::consts::PI;
use std::fmt::{self, Debug, Display, Formatter, Write as _};
use std::future::{Future, IntoFuture, poll_fn, ready};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher, RandomState};
use std::hint::{black_box, spin_loop};
use std::iter::{FromIterator, Peekable, once, repeat_with, successors, zip};
use std::marker::{PhantomData, PhantomPinned, Send, Sync};
use std::mem::{ManuallyDrop, MaybeUninit, discriminant, offset_of, replace, size_of, swap, take};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU32, ParseIntError, Wrapping};
use std::ops::{Add, Bound, ControlFlow, Deref, DerefMut, Index, Range, RangeInclusive};
use std::option::Option as StdOption;
use std::os::fd::{AsRawFd, RawFd};
use std::os::raw::c_long;
use std::panic::{AssertUnwindSafe, Location, UnwindSafe};
use std::pin::{Pin, pin};
use std::prelude::v1::*;
use std::primitive::u8 as byte;
use std::ptr::{NonNull, null, null_mut};
use std::rc::{Rc, Weak};
use std::result::Result as StdResult;
use std::slice::{Chunks, from_ref};
use std::str::{Chars, FromStr, from_utf8};
use std::string::{FromUtf8Error, String, ToString};
use std::vec::{IntoIter, Vec};

mod edition {
    #[allow(unused_imports, reason = "it is there")]
    use std::prelude::rust_2021::*;
    #[allow(unused_imports, reason = "it is there")]
    use std::prelude::rust_2024::*;
    #[allow(unused_imports, reason = "it is there")]
    use std::prelude::{rust_2015, rust_2018};
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
struct Derived {
    number: i32,
    text: String,
}

cases! {
    fn paths_lead_to_what_is_meant() {
        let mut a = 1;
        assert_eq!(replace(&mut a, 2), 1);
        assert_eq!(take(&mut a), 2);
        swap(&mut a, &mut 5);
        assert_eq!((a, size_of::<u64>(), offset_of!(Derived, number) < 32), (5, 8, true));
        assert_eq!(std::mem::align_of::<u64>(), 8);
        assert_eq!(from_fn::<_, 3, _>(|at| at * 2), [0, 2, 4]);
        assert_eq!((LAST, from_digit(7, 10)), (char::MAX, Some('7')));
        assert_eq!((max(1, 2), min(1, 2), Reverse(1) < Reverse(0)), (2, 1, true));
        assert!((PI - 3.14).abs() < 0.01 && std::u32::MAX == u32::MAX && std::f32::EPSILON > 0.0);
        assert_eq!("127.0.0.1:80".parse::<SocketAddr>().unwrap().port(), 80);
        assert_eq!(IpAddr::from(Ipv4Addr::LOCALHOST).to_string(), "127.0.0.1");
        assert_eq!(Ipv6Addr::LOCALHOST.to_string(), "::1");
        assert_eq!(NonZeroU32::new(0), None);
        assert_eq!(Cow::from("text").into_owned(), String::from_str("text").unwrap());
        assert!(type_name::<Derived>().ends_with("Derived"));
        let value: byte = 7;
        assert_eq!(black_box(value), 7);
        let shared = Rc::new(RefCell::new(vec![1]));
        shared.borrow_mut().push(2);
        assert_eq!((shared.borrow().len(), Rc::strong_count(&shared)), (2, 1));
        let cell = OnceCell::new();
        assert_eq!(*cell.get_or_init(|| 3), 3);
        assert_eq!(zip([1, 2], "ab".chars()).count(), 2);
        assert_eq!(std::any::TypeId::of::<u8>(), TypeId::of::<byte>());
        assert_eq!(Location::caller().file().rsplit('/').next(), Some("paths.rs"));
    }

    fn memory_has_a_layout() {
        let layout = Layout::from_size_align(100, 64).unwrap();
        assert_eq!((layout.size(), layout.align(), layout.pad_to_align().size()), (100, 64, 128));
        let wrong: Result<Layout, LayoutError> = Layout::from_size_align(1, 3);
        assert!(wrong.is_err());
        assert_eq!(Layout::new::<c_long>(), Layout::array::<u64>(1).unwrap());
        // SAFETY: the layout has a size.
        let memory = unsafe { std::alloc::alloc_zeroed(layout) };
        assert!(!memory.is_null() && memory.addr() % 64 == 0);
        // SAFETY: as large as that,
        let last = unsafe { memory.add(99) };
        // SAFETY: and zeros.
        assert_eq!(unsafe { last.read() }, 0);
        // SAFETY: it came from there with that layout.
        let memory = unsafe { std::alloc::realloc(memory, layout, 1000) };
        let layout = Layout::from_size_align(1000, 64).unwrap();
        // SAFETY: as above.
        unsafe { std::alloc::dealloc(memory, layout) };
        // SAFETY: the layout has a size.
        let memory = unsafe { System.alloc(layout) };
        assert!(!memory.is_null());
        // SAFETY: it came from there with that layout.
        unsafe { System.dealloc(memory, layout) };
    }

    fn streams_have_descriptors() {
        let numbers: [RawFd; 3] = [
            std::io::stdin().lock().as_raw_fd(),
            std::io::stdout().as_raw_fd(),
            Rc::new(std::io::stderr()).as_raw_fd(),
        ];
        assert_eq!(numbers, [0, 1, 2]);
        // Each takes several pieces at a time.
        let pieces = ["one, ", "", "two\n"].map(|text| std::io::IoSlice::new(text.as_bytes()));
        assert_eq!(std::io::Write::write_vectored(&mut std::io::stdout(), &pieces).unwrap(), 9);
        assert_eq!(std::io::Write::write_vectored(&mut std::io::stderr(), &pieces).unwrap(), 9);
    }

    fn goroutines_have_locals_without_asking() {
        thread_local! {
            static COUNT: Cell<u32> = const { Cell::new(1) };
        }
        COUNT.set(COUNT.get() + 1);
        assert_eq!(COUNT.get(), 2);
        assert_eq!(std::thread::spawn(|| COUNT.get()).join().unwrap(), 1);
    }

    fn macros_are_there() {
        assert!(std::matches!(Some(1), Some(_)));
        std::assert_eq!(concat!("a", 1, true), "a1true");
        std::assert_ne!(stringify!(a + b), "");
        debug_assert!(line!() > 0 && column!() > 0 && !file!().is_empty());
        debug_assert_eq!(vec![1; 2], std::vec![1, 1]);
        debug_assert_ne!(format!("{:>3}", 1), std::format!("{:<3}", 1));
        assert!(module_path!().contains("paths") && option_env!("NO_SUCH_VARIABLE").is_none());
        assert!(cfg!(target_os = "linux") && !env!("CARGO_PKG_NAME").is_empty());
        let mut text = String::new();
        write!(text, "{}", 1).unwrap();
        writeln!(text).unwrap();
        assert_eq!(format_args!("{text:?}").to_string(), "\"1\\n\"");
        assert_eq!(dbg!(1 + 1), 2);
        assert_eq!(dbg!(1, "two"), (1, "two"));
        dbg!();
        print!("");
        println!();
        println!("{}", 1);
        eprint!("");
        eprintln!();
        eprintln!("{}", 1);
        if text.is_empty() {
            todo!();
        }
        if text.len() > 5 {
            unimplemented!("{}", 1);
        }
        match text.len() {
            2 => {}
            _ => unreachable!(),
        }
        fn question() -> Option<u8> {
            let value = None?;
            Some(value)
        }
        assert_eq!(question(), None);
    }

    fn derives_work() {
        let one = Derived { number: 1, text: "a".to_owned() };
        assert!(one == one.clone() && one > Derived::default());
        assert_eq!(format!("{one:?}"), "Derived { number: 1, text: \"a\" }");
        let state = RandomState::new();
        assert_eq!(state.hash_one(&one), state.hash_one(one.clone()));
        let hash = |value: &Derived| {
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash(&one), hash(&one.clone()));
    }
}
