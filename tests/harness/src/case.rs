//! A test, as the macros describe it: an entry of their table.

/// A test function and what its attributes say.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    /// The path of the function, with the crate's name in front.
    path: &'static str,
    /// Calls it; true if it passed.
    run: fn() -> bool,
    /// What it is ignored for: maybe nothing but "".
    ignored: Option<&'static str>,
    /// What the message of its panic shall contain: maybe nothing but "".
    should_panic: Option<&'static str>,
}

impl Test {
    /// Describes a function without attributes.
    #[must_use]
    pub const fn new(path: &'static str, run: fn() -> bool) -> Self {
        Self {
            path,
            run,
            ignored: None,
            should_panic: None,
        }
    }

    /// Has it run only when that is asked for.
    #[must_use]
    pub const fn ignored(self, reason: &'static str) -> Self {
        Self {
            ignored: Some(reason),
            ..self
        }
    }

    /// Has it pass if it panics, with a message that contains `expected`.
    #[must_use]
    pub const fn should_panic(self, expected: &'static str) -> Self {
        Self {
            should_panic: Some(expected),
            ..self
        }
    }

    /// Returns its name: the path within the crate.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.path
            .split_once("::")
            .map_or(self.path, |(_, name)| name)
    }

    /// Calls the function; true if it passed.
    pub(crate) fn run(&self) -> bool {
        (self.run)()
    }

    /// Returns why it is ignored, if it is.
    pub(crate) const fn ignore_reason(&self) -> Option<&'static str> {
        self.ignored
    }

    /// Returns what the message of its panic must contain, if it shall panic.
    pub(crate) const fn expected_panic(&self) -> Option<&'static str> {
        self.should_panic
    }
}
