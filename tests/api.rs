//! The rest of the API: hashes, the environment, exit codes.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::hash::{BuildHasher as _, Hash as _, Hasher as _};

use gort::hash::{DefaultHasher, RandomState};
use gort::process::{ExitCode, Termination as _};

/// Hashes bytes with the seed 0.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

gort_test::tests! {
    fn equal_keys_hash_alike() {
        let state = RandomState::new();
        for length in 0..200usize {
            let key: Vec<u8> = (0..length).map(|at| at as u8).collect();
            assert_eq!(hash(&key), hash(&key.clone()));
            assert_eq!(state.hash_one(&key), state.clone().hash_one(key.as_slice()));
        }
    }

    fn keys_that_differ_in_a_bit_or_in_length_hash_differently() {
        let mut seen = BTreeSet::new();
        let mut count = 0;
        for length in 0..100 {
            let zeros = alloc::vec![0u8; length];
            assert!(seen.insert(hash(&zeros)), "{length} zeros");
            count += 1;
            for bit in 0..length * 8 {
                let mut key = zeros.clone();
                key[bit / 8] |= 1 << (bit % 8);
                assert!(seen.insert(hash(&key)), "bit {bit} of {length} bytes");
                count += 1;
            }
        }
        assert_eq!(seen.len(), count);
    }

    fn a_flipped_bit_flips_about_half_of_the_hash() {
        let (mut flips, mut pairs) = (0, 0);
        for number in 0..200u64 {
            for bit in 0..64 {
                let one = hash(&number.to_le_bytes());
                let other = hash(&(number ^ 1 << bit).to_le_bytes());
                flips += (one ^ other).count_ones();
                pairs += 1;
            }
        }
        let average = flips / pairs;
        assert!((30..=34).contains(&average), "{average} of 64 bits");
    }

    fn states_have_seeds_of_their_own() {
        let hashes: BTreeSet<u64> = (0..100).map(|_| RandomState::new().hash_one("key")).collect();
        assert_eq!(hashes.len(), 100);
    }

    fn derived_hashes_work() {
        #[derive(Hash)]
        struct Key(u32, &'static str, Option<bool>);
        let of = |key: Key| {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(of(Key(1, "one", None)), of(Key(1, "one", None)));
        assert_ne!(of(Key(1, "one", None)), of(Key(1, "one", Some(false))));
    }

    fn exit_codes_are_stds() {
        assert_eq!(().report(), ExitCode::SUCCESS);
        assert_eq!(ExitCode::from(7).report(), ExitCode::from(7));
        assert_eq!(Ok::<(), &str>(()).report(), ExitCode::SUCCESS);
        assert_eq!(Err::<(), &str>("printed on stderr").report(), ExitCode::FAILURE);
        assert_eq!(Ok::<ExitCode, &str>(ExitCode::from(9)).report(), ExitCode::from(9));
        assert_eq!(ExitCode::default(), ExitCode::SUCCESS);
    }

    fn an_error_may_be_returned_by_a_test() -> Result<(), core::num::ParseIntError> {
        assert_eq!("12".parse::<u8>()?, 12);
        Ok(())
    }
}
