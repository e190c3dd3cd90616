//! The samples: tests that pass and fail in every way. All are ignored, since most
//! are to fail; the tests in main.rs start them by name and judge the report.

use gort::{env, eprintln, print, println, process, runtime};
use gort_test::under_qemu;

gort_test::test_module! {
    #[ignore = "a sample"]
    fn passes() {
        println!("a line of a test that passes");
        eprintln!("an error of a test that passes");
    }

    // Without a reason, which libtest allows: the report shows none.
    #[ignore]
    fn passes_too() {}

    #[ignore = "a sample"]
    fn fails() {
        println!("on stdout");
        eprintln!("on stderr");
        assert_eq!(1, 2, "numbers");
    }

    #[ignore = "a sample"]
    fn returns_an_error() -> Result<(), &'static str> {
        Err("no")
    }

    #[ignore = "a sample"]
    fn exits_with_success() {
        process::exit(0);
    }

    #[ignore = "a sample"]
    fn exits_like_a_panic() {
        process::exit(2);
    }

    #[ignore = "a sample"]
    fn dies_of_a_signal() {
        process::abort();
    }

    #[ignore = "a sample"]
    fn prints_no_newline() {
        print!("half a line");
        process::exit(3);
    }

    #[ignore = "a sample"]
    fn prints_more_than_a_pipe_holds() {
        for number in 0..30_000 {
            println!("line {number:06}");
        }
        process::exit(3);
    }

    #[ignore = "a sample"]
    fn hangs() {
        loop {
            runtime::gosched();
        }
    }

    #[ignore = "a sample"]
    fn shows_its_surroundings() {
        println!("under QEMU: {}", under_qemu());
        println!("SAMPLE: {:?}", env::var("SAMPLE"));
    }

    #[ignore = "a sample"]
    #[should_panic]
    fn shall_panic() {
        panic!("whatever");
    }

    #[ignore = "a sample"]
    #[should_panic(expected = "boom")]
    fn shall_panic_with_boom() {
        panic!("a big boom");
    }

    #[ignore = "a sample"]
    #[should_panic(expected = "boom")]
    fn shall_panic_but_says_bang() {
        panic!("bang");
    }

    #[ignore = "a sample"]
    #[should_panic]
    fn shall_panic_but_returns() {}

    #[ignore = "a sample"]
    #[should_panic]
    fn shall_panic_but_exits() {
        process::exit(2);
    }

    #[cfg(any())]
    fn is_left_out() {}
}
