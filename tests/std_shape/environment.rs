//! `env`, `OsString`, `process`.

use std::env::{self, VarError};
use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::prelude::v1::*;
use std::process::{self, ExitCode, Termination};

cases! {
    fn variables_are_set_and_removed() {
        const NAME: &str = "GORT_STD_SHAPE";
        assert_eq!(env::var(NAME), Err(VarError::NotPresent));
        let before = env::vars_os().count();
        // SAFETY: nobody else reads the environment.
        unsafe { env::set_var(NAME, "one = two") };
        assert_eq!(env::var(NAME).as_deref(), Ok("one = two"));
        // SAFETY: as above.
        unsafe { env::set_var(OsStr::new(NAME), OsStr::from_bytes(b"\xff!")) };
        let value = env::var_os(OsString::from(NAME)).unwrap();
        assert_eq!(value.as_bytes(), b"\xff!");
        let error = env::var(NAME).unwrap_err();
        assert_eq!(error, VarError::NotUnicode(value));
        assert_eq!(error.to_string(), "environment variable was not valid unicode: \"\\xFF!\"");
        assert_eq!(env::vars_os().count(), before + 1);
        assert!(env::vars_os().any(|(name, _)| name == NAME));
        // SAFETY: as above.
        unsafe { env::set_var(NAME, "") };
        assert!(env::vars().any(|(name, value)| name == NAME && value.is_empty()));
        // SAFETY: as above.
        unsafe { env::remove_var(NAME) };
        assert_eq!(env::var_os(NAME), None);
        assert_eq!(env::vars_os().count(), before);
        assert_eq!(env::var_os(""), None);
        assert_eq!(env::var_os("A=B"), None);
        assert_eq!(VarError::NotPresent.to_string(), "environment variable not found");
    }

    fn arguments() {
        assert!(env::args().len() >= 1);
        let texts: Vec<String> = env::args().collect();
        let strings: Vec<OsString> = env::args_os().collect();
        assert!(strings.iter().zip(&texts).all(|(string, text)| string == text.as_str()));
        assert_eq!(env::args().next_back(), texts.last().cloned());
        assert_eq!(env::args_os().next_back(), strings.last().cloned());
        assert!(format!("{:?}", env::args_os()).starts_with("ArgsOs { inner: ["));
        assert_eq!((env::consts::OS, env::consts::ARCH), ("linux", "x86_64"));
        assert_eq!((env::consts::FAMILY, env::consts::EXE_SUFFIX), ("unix", ""));
        assert_eq!((env::consts::DLL_PREFIX, env::consts::DLL_EXTENSION), ("lib", "so"));
    }

    fn strings_of_the_system() {
        let odd = OsStr::from_bytes(b"a\xff\tb\"\xe2\x82'");
        assert_eq!(format!("{odd:?}"), "\"a\\xFF\\tb\\\"\\xE2\\x82'\"");
        assert_eq!((odd.to_str(), odd.len(), odd.is_empty()), (None, 8, false));
        assert_eq!(odd.to_string_lossy(), "a\u{fffd}\tb\"\u{fffd}'");
        assert_eq!(odd.to_os_string().into_string(), Err(odd.to_owned()));
        assert_eq!(format!("{}|{:>4}", OsStr::new("x").display(), OsStr::new("y").display()), "x|   y");
        let mut path = OsString::from("/usr");
        path.push("/bin");
        path.push(OsStr::new("!"));
        assert_eq!(path, "/usr/bin!");
        assert!(path.capacity() >= path.len() && *path.as_os_str() == *"/usr/bin!");
        assert_eq!(path.clone().into_vec(), b"/usr/bin!");
        assert_eq!(OsString::from_vec(b"v".to_vec()), OsStr::new("v"));
        assert!(path.eq_ignore_ascii_case("/USR/bin!") && path.is_ascii());
        assert_eq!(path.to_ascii_uppercase(), "/USR/BIN!");
        assert_eq!(path.to_ascii_lowercase(), "/usr/bin!");
        let boxed = path.clone().into_boxed_os_str();
        assert_eq!(boxed.into_os_string(), path);
        let joined: OsString = ["a", "b"].map(OsStr::new).into_iter().collect();
        assert_eq!(joined, "ab");
        assert!(OsStr::new("a") < OsStr::new("b") && OsString::new().is_empty());
        assert_eq!(<&str>::try_from(OsStr::new("t")), Ok("t"));
        path.clear();
        path.reserve(10);
        path.shrink_to_fit();
        assert_eq!(path, OsString::with_capacity(3));
        assert_eq!("text".parse::<OsString>().unwrap(), "text");
        let cow: std::borrow::Cow<'_, OsStr> = OsStr::new("cow").into();
        assert_eq!(cow.into_owned(), "cow");
        assert_eq!(OsStr::new("enc").as_encoded_bytes(), b"enc");
    }

    fn strings_of_cs() {
        let owned = CString::new("text").unwrap();
        let borrowed: &CStr = &owned;
        assert_eq!((borrowed.to_str(), borrowed.count_bytes()), (Ok("text"), 4));
        let _: std::ffi::c_int = 1;
        let _: *const std::ffi::c_void = std::ptr::null();
    }

    fn processes() {
        assert!(process::id() > 1 && process::id() == process::id());
        assert_eq!(format!("{:?}", ().report()), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(
            format!("{:?}", Err::<(), &str>("on stderr").report()),
            format!("{:?}", ExitCode::FAILURE)
        );
        let _ = ExitCode::from(7);
        let _: (fn(i32) -> !, fn() -> !) = (process::exit, process::abort);
    }
}
