//! That `HashMap` hashes as the runtime does, keyed for each process.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, DefaultHasher, Hasher as _};
use std::prelude::v1::*;

use gort_test::Command;

gort_test::test_module! {
    fn a_map_has_the_runtimes_hasher() {
        let map: HashMap<u32, u32> = HashMap::new();
        let mut expected = map.hasher().build_hasher();
        expected.write_u32(7);
        assert_eq!(map.hasher().hash_one(7u32), expected.finish());
        // Two maps have two orders.
        let fill = || (0..1000).map(|key| (key, ())).collect::<HashMap<u32, ()>>();
        assert!(fill().keys().ne(fill().keys()));
    }

    fn another_process_hashes_otherwise() {
        let mut hasher = DefaultHasher::new();
        hasher.write(b"key");
        let ours = hasher.finish().to_string();
        match std::env::var("GORT_STD_SHAPE_HASH") {
            Ok(theirs) => println!("{}", if theirs == ours { "the same" } else { "another" }),
            Err(_) => {
                let mut again = Command::this_program();
                again.args(["--force-run-in-process", "--nocapture", "--exact"]);
                again.arg("hashing::another_process_hashes_otherwise");
                let output = again.env("GORT_STD_SHAPE_HASH", &ours).output().unwrap();
                assert!(output.stdout.contains("another"), "{output:?}");
            }
        }
    }
}
