//! To come.

gort_test::test_module! {
    fn x() {}
}
